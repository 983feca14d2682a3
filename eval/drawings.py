"""The figures, each a function that draws into files of several formats."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from absl import flags
from shown import (
    attacked,
    ball,
    curves,
    etas,
    flow,
    gan,
    jsa,
    maps,
    models,
    names,
    projected,
    shown,
    titles,
)

import ijsat_tf as ij
from ijsat_tf import evaluation

FLAGS = flags.FLAGS


def samples(paths: list[pathlib.Path]) -> None:
    rows = {
        "original": shown().scaled(),
        "PGD": attacked(ij.attacks.PGD(ball("epsilon"), FLAGS.steps)),
    }
    if FLAGS.gan:
        attack = ij.attacks.OnManifoldPGD(gan(), ball("eta"), FLAGS.steps)
        rows["OM-PGD (GAN)"] = attacked(attack, projected().latents)
    else:
        print("samples without OM-PGD (GAN), which needs --gan")
    search = jsa()
    attack = ij.attacks.OnManifoldPGD(
        flow(), ball("eta"), FLAGS.steps, levels=search.levels
    )
    rows["OM-PGD (flow)"] = attacked(attack)
    rows["JSA"] = attacked(search)
    evaluation.image_rows(rows, paths, titles())


def pipeline(paths: list[pathlib.Path]) -> None:
    source = shown()
    pair = [FLAGS.image - 1, FLAGS.image % len(source.labels)]
    evaluation.pipeline(
        list(models().values())[-1],
        jsa(),
        source.scaled()[pair],
        source.labels[pair],
        paths,
        seed=FLAGS.seed,
        class_names=names(),
    )


def joint_space_attack(paths: list[pathlib.Path]) -> None:
    evaluation.adversarial_panel(
        shown().scaled(), attacked(jsa()), paths, titles=titles()
    )


def heat_maps(paths: list[pathlib.Path]) -> None:
    place = FLAGS.image - 1
    evaluation.heat_maps(
        models(),
        maps(),
        shown().scaled()[place],
        shown().labels[place],
        paths,
        seed=FLAGS.seed,
        class_names=names(),
    )


def projections(paths: list[pathlib.Path]) -> None:
    images = shown().scaled()
    rows = {"original": images, "by the GAN": projected().images}
    if FLAGS.flow:
        # Rounding may put values of the flow just outside of [0, 1].
        found = flow().decode(flow().encode(images))
        rows["by the flow"] = np.clip(found, 0, 1)
    else:
        print("projections without those by the flow, which need --flow")
    evaluation.image_rows(rows, paths, titles())


def levels(paths: list[pathlib.Path]) -> None:
    place = FLAGS.image - 1
    evaluation.attacked_levels(
        list(models().values())[-1],
        flow(),
        shown().scaled()[place],
        shown().labels[place],
        paths,
        etas(),
        FLAGS.steps,
        FLAGS.seed,
    )


def interpolations(paths: list[pathlib.Path]) -> None:
    """Draws interpolations between the first and second half of the images."""
    images = shown().scaled()
    half = len(images) // 2
    evaluation.interpolations(
        flow(), images[:half], images[half : 2 * half], paths
    )


def flow_samples(paths: list[pathlib.Path]) -> None:
    temperature = FLAGS["temperature"].value
    found = flow().sample(100, temperature, seed=FLAGS.seed)
    evaluation.sample_grid(found, paths)


class Figure(NamedTuple):
    """A figure of the paper.

    Attributes:
        draw: Function that draws the figure into files of several formats.
        needs: Functions that load the inputs of the figure; each raises
            `Missing` where its input is not given.
        numbers: Numbers of the figure in the paper.
    """

    draw: Callable[[list[pathlib.Path]], None]
    needs: tuple[Callable, ...]
    numbers: tuple[str, ...] = ()


FIGURES = {
    "samples": Figure(samples, (models, jsa, shown), ("1",)),
    "curves": Figure(
        lambda paths: evaluation.robust_curves(curves(), paths),
        (curves,),
        ("2", "7"),
    ),
    "pipeline": Figure(pipeline, (models, jsa, shown), ("3",)),
    "joint_space_attack": Figure(
        joint_space_attack, (models, jsa, shown), ("4", "10")
    ),
    "heat_maps": Figure(heat_maps, (models, maps, shown), ("5", "9")),
    "projections": Figure(projections, (gan, shown, projected), ("6",)),
    "levels": Figure(levels, (models, flow, etas, shown), ("8",)),
    "interpolations": Figure(interpolations, (flow, shown)),
    "flow_samples": Figure(flow_samples, (flow,)),
}
