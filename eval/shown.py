"""What the figures show: networks, images and attacks of the flags.

Each part is loaded once, when the first figure asks for it.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import inputs
import keras
import numpy as np
from absl import flags

import ijsat_tf as ij
from ijsat_tf import commandline

FLAGS = flags.FLAGS


class Missing(ValueError):
    """An input that a figure needs was not given."""


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

    If --attacks is not given, these are the default attacks that the flow and
    the data set allow.
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
