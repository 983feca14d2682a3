"""Draws the paper's figures from trained models.

python eval/figures.py --flagfile=eval/configs/digits.cfg --output=figures \\
    --runs=runs/digits/standard,runs/digits/at,runs/digits/ijsat \\
    --flow=runs/digits/flow/flow.keras --gan=runs/digits/sngan/sngan.keras

The command writes FOLDER/NAME.png and NAME.pdf for each of --figures, names or
numbers of the paper: samples (1), curves (2 and 7), pipeline (3),
joint_space_attack (4 and 10), heat_maps (5 and 9), projections (6), levels
(8), interpolations and flow_samples. The default, all, leaves out figures
whose models or curves are not there. A figure that attacks one classifier
attacks the classifier of the last run. Images are test images, one of each
class first.
"""

from __future__ import annotations

import functools
import logging
import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import inputs  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline, evaluation  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_list("figures", ["all"], "names, or numbers of the paper")
flags.DEFINE_string("output", None, "folder to write into", required=True)
flags.DEFINE_list("formats", ["png", "pdf"], "of the files; also svg")
flags.DEFINE_list(
    "runs",
    [],
    "a folder, or a .keras file of any classifier, each; NAME=FOLDER gives it "
    "another name in the figures",
)
flags.DEFINE_enum(
    "checkpoint",
    "last",
    ["last", "best"],
    "classifier.keras or best.keras of a run",
)
flags.DEFINE_string("flow", None, "path of a trained flow.keras")
flags.DEFINE_string("gan", None, "path of a trained GAN, such as sngan.keras")
flags.DEFINE_string(
    "features",
    None,
    "path of the classifier.keras whose features projection compares; None "
    "for pixels alone",
)
flags.DEFINE_list(
    "feature_layers", None, "names of its layers; None for stage1 and so on"
)
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer("images", 10, "columns", 2)
flags.DEFINE_integer(
    "image", 1, "which of them figures of a single image show, from 1", 1
)
flags.DEFINE_integer("steps", 10, "K of PGD, OM-PGD and JSA", 1)
flags.DEFINE_list("etas", ["0.02", "0.04", "0.1"], "radii in levels")
flags.DEFINE_list(
    "attacks",
    ["pgd20", "jsa50", "elastic", "jpeg", "l2"],
    "columns of heat_maps, as of eval/main.py",
)
commandline.define_fraction("temperature", 1, "of flow_samples")


class Missing(ValueError):
    """An input that a figure needs was not given."""


def main(_: list[str]) -> None:
    for kind in FLAGS.formats or [""]:
        if kind not in ("png", "pdf", "svg"):
            raise ValueError(
                f"--formats must be among png, pdf and svg; received {kind!r}"
            )
    # The log of the letters that a PDF embeds helps nobody.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    folder = pathlib.Path(FLAGS.output)
    # Errors in the flags must show before a file is written.
    for name in chosen():
        paths = [folder / f"{name}.{kind}" for kind in FLAGS.formats]
        FIGURES[name].draw(paths)
        print(f"{name}: {', '.join(map(str, paths))}")


def chosen() -> list[str]:
    """The names of the figures to draw, whose inputs are there."""
    every = FLAGS.figures == ["all"]
    found = []
    for name in FIGURES if every else map(named, FLAGS.figures):
        try:
            for need in FIGURES[name].needs:
                need()
            found.append(name)
        except Missing as missing:
            if not every:
                raise ValueError(f"--figures={name}: {missing}") from missing
            print(f"{name} is left out: {missing}")
    if not found:
        raise ValueError("No figure can be drawn: give --runs or --flow")
    return list(dict.fromkeys(found))


def named(given: str) -> str:
    """The name of a figure, given that name or a number such as 1 or fig1."""
    for name, figure in FIGURES.items():
        if given == name or given.removeprefix("fig") in figure.numbers:
            return name
    raise ValueError(
        f"--figures must be all, or among {', '.join(FIGURES)}, or numbers "
        f"of the paper, 1 to 10; received {given}"
    )


def path_of(flag: str) -> Any:
    """The value of a flag, which must be given."""
    if not FLAGS[flag].value:
        raise Missing(f"it needs --{flag}")
    return FLAGS[flag].value


@functools.cache
def runs() -> dict[str, pathlib.Path]:
    return inputs.folders(path_of("runs"))


@functools.cache
def models() -> dict[str, keras.Model]:
    return {
        run: inputs.network(place)
        if place.suffix == ".keras"
        else inputs.classifier(place, FLAGS.checkpoint)
        for run, place in runs().items()
    }


@functools.cache
def curves() -> dict[str, pathlib.Path]:
    found = {run: place / "curve.csv" for run, place in runs().items()}
    for path in found.values():
        if not path.exists():
            raise Missing(
                f"there is no {path}: train with --held_out, or leave the "
                "run out"
            )
    return found


@functools.cache
def flow() -> ij.flows.Glow:
    return inputs.flow(path_of("flow"))


@functools.cache
def gan() -> Any:
    return inputs.gan(path_of("gan"))


@functools.cache
def shown() -> ij.data.Source:
    """The images that figures show."""
    source = ij.data.load(*commandline.split("test"))
    places = inputs.one_of_each(source.labels, FLAGS.images)
    if FLAGS.image > len(places):
        raise ValueError(
            f"--image={FLAGS.image} must be one of the {len(places)} images"
        )
    if FLAGS.flow:
        inputs.fits("--flow", flow().image_shape, source)
        commandline.warn(
            ij.flows.familiarity(flow(), source.first(200).scaled())
        )
    for run, model in models().items() if FLAGS.runs else ():
        inputs.fits(run, model.input_shape[1:], source, model.output_shape[-1])
    return source._replace(
        images=source.images[places], labels=source.labels[places]
    )


@functools.cache
def projected() -> ij.generators.Projected:
    """The images on the GAN's manifold (Eq. 12)."""
    distance = None
    if FLAGS.features:
        distance = ij.models.PerceptualDistance(
            inputs.network(FLAGS.features), FLAGS.feature_layers
        )
    search = ij.generators.Projection(gan(), distance)
    return search(shown().scaled(), seed=FLAGS.seed)


@functools.cache
def maps() -> dict[str, ij.attacks.Attack]:
    """The attacks of --attacks, {name: attack}.

    Of the default attacks, these are the ones that the flow and the data set
    allow.
    """
    found = {}
    for name in ij.attacks.expand(FLAGS.attacks):
        try:
            found[name] = ij.attacks.by_name(
                name,
                ball("epsilon"),
                ball("eta"),
                flow() if FLAGS.flow else None,
                commandline.numbers("levels"),
                FLAGS.dataset,
            )
        except ValueError as error:
            if FLAGS["attacks"].present:
                raise
            print(f"heat_maps without {name}: {error}")
    return found


@functools.cache
def etas() -> tuple[float, ...]:
    found = commandline.numbers("etas", float)
    for eta in found:
        ij.spaces.Linf(eta)
    return found


def ball(radius: str) -> ij.spaces.Linf:
    """The Linf ball of the flag "epsilon" or "eta"."""
    return ij.spaces.Linf(*commandline.budget(radius))


def jsa() -> ij.attacks.JointSpaceAttack:
    return ij.attacks.JointSpaceAttack(
        flow(),
        ball("epsilon"),
        ball("eta"),
        FLAGS.steps,
        commandline.numbers("levels"),
    )


def attacked(attack: ij.attacks.Attack, latents: Any = None) -> np.ndarray:
    """The adversarial images of an attack on the last run's classifier."""
    source = shown()
    found = attack(
        list(models().values())[-1],
        source.scaled(),
        source.labels,
        seed=FLAGS.seed,
        latents=latents,
    )
    return found.images.numpy()


def names() -> list[str] | None:
    """The names of the classes, or None."""
    found = shown().class_names
    return found and [name.replace("_", " ") for name in found]


def titles() -> list[str]:
    """The title of each image: its class."""
    found = names()
    return [
        found[label] if found else f"class {label}" for label in shown().labels
    ]


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


if __name__ == "__main__":
    commandline.run(main)
