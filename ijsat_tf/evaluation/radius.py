"""Robust accuracy against the radius of an attack."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ijsat_tf import checks
from ijsat_tf.attacks import Attack
from ijsat_tf.evaluation.evaluator import evaluate


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
            `evaluate` takes them.
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
        Accuracies {radius: accuracy in [0, 1]}, in the order of `radii`.

    Raises:
        ValueError: for no radii, a radius that is given twice, and what
            `evaluate` refuses.
    """
    columns = {float(radius): repr(float(radius)) for radius in radii}
    checks.require(
        len(radii) and len(columns) == len(radii),
        "`radii` must hold at least one radius, and each once.",
        list(radii),
    )
    attacks = {column: attack_of(each) for each, column in columns.items()}
    records = evaluate(model, data, attacks, batch_size, seed, folder, verbose)
    return {
        radius: float(records[column].correct.mean())
        for radius, column in columns.items()
    }
