"""The inputs of the commands of eval/: runs, generators and images."""

from __future__ import annotations

import pathlib
from typing import Any

import keras
import numpy as np
from absl import flags

from ijsat_tf import commandline
from ijsat_tf.data import Source


def folders(runs: list[str]) -> dict[str, pathlib.Path]:
    """The folders of runs, {name: folder}.

    Args:
        runs: Runs, each FOLDER or NAME=FOLDER.
    """
    if not runs:
        raise ValueError("--runs must name one folder or more")
    found: dict[str, pathlib.Path] = {}
    for run in runs:
        name, equal, place = run.partition("=")
        if not equal or "/" in name:
            name, place = pathlib.Path(run).absolute().name, run
            name = name.removesuffix(".keras")
        if name in ("", ".", ".."):
            raise ValueError(
                f"--runs={run} gives no name, which is the row: write "
                "NAME=FOLDER"
            )
        if name in found:
            raise ValueError(
                "--runs must have different names, which are the rows; "
                f"received two of {name}: write NAME=FOLDER for one of them"
            )
        found[name] = pathlib.Path(place)
    return found


def classifier(folder: pathlib.Path, checkpoint: str) -> keras.Model:
    """The "last" or "best" classifier of a run."""
    best = checkpoint == "best"
    path = folder / ("best.keras" if best else "classifier.keras")
    if best and not path.exists():
        raise ValueError(
            f"No best classifier at {path}: train with --held_out, or "
            "choose --checkpoint=last"
        )
    return network(path)


def network(path: pathlib.Path | str) -> keras.Model:
    """Loads a classifier in float32."""
    model = commandline.load(str(path), "classifier")
    if not hasattr(model, "output_shape"):
        # Flows, for example, have no shape to compare with the classes.
        raise ValueError(
            f"{path} holds a {type(model).__name__}, and no classifier"
        )
    commandline.in_float32(model)
    return model


def generator() -> Any:
    """The generator of --flow or --gan, or None."""
    given = flags.FLAGS
    if given.flow and given.gan:
        raise ValueError("--flow and --gan are two generators: give one")
    if given.gan:
        return gan(given.gan)
    return flow(given.flow) if given.flow else None


def flow(path: str) -> Any:
    """Loads a flow in float32, for numbers of the exact inverse."""
    found = commandline.load(path, "flow", "with_dtype")
    return found.with_dtype("float32")


def gan(path: str) -> Any:
    """Loads a GAN in float32."""
    found = commandline.load(path, "GAN", "decode")
    commandline.in_float32(found)
    return found


def fits(
    what: str,
    shape: tuple[int | None, ...],
    source: Source,
    classes: int | None = None,
) -> None:
    """Raises `ValueError` for a network of other images or classes.

    Args:
        what: Name of the network in the message.
        shape: Shape (H, W, C) of the network's images; None fits any size.
        source: Images of the data set.
        classes: Number of the network's classes; None, the default, is not
            compared.
    """
    size = source.images.shape[1:]
    known = all(one in (None, other) for one, other in zip(shape, size))
    if not known or classes not in (None, source.classes):
        of = f" and {classes} classes" if classes else ""
        raise ValueError(
            f"{what} is for images {shape}{of}, and "
            f"--dataset={flags.FLAGS.dataset} has images {size} and "
            f"{source.classes} classes"
        )


def one_of_each(labels: np.ndarray, count: int) -> np.ndarray:
    """The positions of images that take turns among the classes.

    These are the first image of each class, in the order of the classes, then
    the second image of each class, and so on.

    Args:
        labels: Labels (N,), ints.
        count: Number of positions.
    """
    before = np.zeros(len(labels), int)
    for label in np.unique(labels):
        same = labels == label
        before[same] = np.arange(same.sum())
    return np.lexsort((labels, before))[:count]
