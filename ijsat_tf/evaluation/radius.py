"""Robust accuracy against the radius of an attack."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ijsat_tf import checks
from ijsat_tf.attacks import Attack
from ijsat_tf.evaluation.evaluator import evaluate
from ijsat_tf.evaluation.records import Record


def radius_curve(
    model: Callable,
    data: Any,
    attack_of: Callable[[float], Attack],
    radii: Sequence[float],
    batch_size: int = 128,
    seed: int = 0,
    folder: str | os.PathLike | None = None,
    verbose: bool = True,
) -> dict[float, float]:
    """Computes robust accuracy against the radius of an attack.

    Each accuracy is that of `evaluate` with the attack of that radius. The
    radius of a ball is an input of the attack's graph, so that all radii share
    one graph. `radius_curves` draws the curve.

    Args:
        model: Function or Keras model from images in [0, 1] to logits.
        data: Tuple (x, y), or a finite `tf.data.Dataset` of such batches, as
            for `evaluate`.
        attack_of: Function from a radius to the attack of that radius, e.g.
            `lambda radius: PGD(Linf(radius))`, whose step grows with the
            radius.
        radii: Radii, each once, in the unit of the change ([0, 1] for
            pixels); 0 is allowed.
        batch_size: Number of images per batch, default 128.
        seed: Random seed of the attacks' starts, default 0.
        folder: Folder of the files `<radius>.npz`, which survive an
            interruption; None, the default, for no files.
        verbose: Whether to show a progress bar, default True.

    Returns:
        Accuracies in [0, 1] by radius, in the order of `radii`.

    Raises:
        ValueError: for no radii, a radius that is given twice, and what
            `evaluate` refuses.
    """
    columns = {radius: repr(radius) for radius in _distinct(radii)}
    attacks = {column: attack_of(each) for each, column in columns.items()}
    records = evaluate(model, data, attacks, batch_size, seed, folder, verbose)
    return {
        radius: float(records[column].correct.mean())
        for radius, column in columns.items()
    }


def distance_curve(
    record: Record, radii: Sequence[float], space: str = "pixels"
) -> dict[float, float]:
    """Computes robust accuracy against the radius from the least distances.

    accuracy(r) = (number of samples with distance > r) / (number of samples)

    One run of an attack of least distance, such as `FastMinimumNorm`, gives
    the whole curve. The distance of an image that the model gets right under
    the attack is infinite. `radius_curves` draws the curve.

    Args:
        record: Record of the attack, as `evaluate` returns it.
        radii: Radii, each once, in the unit of the distance.
        space: Entry of the record's budget that is the distance, default
            "pixels"; "l2" or "linf" for attacks of other libraries. An attack
            in a ball, such as `FAB`, tells nothing of radii beyond its own.

    Returns:
        Accuracies in [0, 1] by radius, in the order of `radii`.

    Raises:
        ValueError: for no radii, a radius that is given twice, a space that is
            not in the record's budget, or a record that is not complete.
    """
    checks.require(
        space in record.budget,
        "`space` must be an entry of the record's budget, which has "
        f"{', '.join(map(repr, record.budget)) or 'none'}; a record of clean "
        "images has no distances.",
        repr(space),
    )
    checks.require(
        record.complete,
        "`record` must be complete; evaluate again with the same folder, and "
        "the evaluation goes on.",
        f"{record.done} of {record.samples} images",
    )
    distances = np.where(record.correct, np.inf, record.budget[space])
    return {
        radius: float(np.mean(distances > radius))
        for radius in _distinct(radii)
    }


def _distinct(radii: Sequence[float]) -> list[float]:
    found = [float(radius) for radius in radii]
    checks.require(
        found and len({*found}) == len(found),
        "`radii` must hold at least one radius, and each once.",
        found,
    )
    return found
