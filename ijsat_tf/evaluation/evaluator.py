"""Evaluation: what a model gets right under each attack."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import Attack, as_logits
from ijsat_tf.graph import compiled
from ijsat_tf.types import Tensor


class Record(NamedTuple):
    """What a model made of one attack, a number a sample.

    Attributes:
        attack: the attack's `repr`, or "standard".
        correct: (N,) bool.
        loss: (N,) nats, the cross entropy.
        budget: {space: (N,)}, the norm of the change in each space.
        images_per_second: speed, without the first batch, which traces.
    """

    attack: str
    correct: np.ndarray
    loss: np.ndarray
    budget: dict[str, np.ndarray]
    images_per_second: float


def evaluate(
    model: Callable,
    data: tuple[Tensor, Tensor],
    attacks: Mapping[str, Attack],
    batch_size: int = 128,
    seed: int = 0,
    verbose: bool = True,
) -> dict[str, Record]:
    """Attacks every sample by every attack, and records what came out.

    Args:
        model: from images in [0, 1] to logits.
        data: images (N, H, W, C) in [0, 1] and labels (N,).
        attacks: {column: attack}; the column "standard", clean images, is
            always first.
        batch_size: default 128; the last batch may be smaller.
        seed: of the attacks' random starts, default 0.
        verbose: whether to show a progress bar, default True.

    Returns:
        {column: `Record`}.

    Raises:
        ValueError: for images or labels that do not fit, before any attack.
    """
    checks.require(
        isinstance(data, tuple) and len(data) == 2,
        "`data` must be a tuple of images and labels; batches of a dataset "
        "can be concatenated into one.",
        type(data).__name__,
    )
    checks.require(
        not any(getattr(attack, "targeted", 0) for attack in attacks.values()),
        "`attacks` must be untargeted: accuracy under a targeted attack "
        "would count other errors as correct.",
    )
    images = checks.images(data[0])
    labels = checks.one_a_row(data[1], images)
    rows = images.shape[0]
    checks.require(rows, "`data` must hold at least one image.")
    # The graphs below are shared, and later traces make no variables.
    as_logits(model)(images[:1])
    starts = range(0, rows, batch_size)
    records = {}
    for column in ("standard", *attacks):
        parts, clocks = [], []
        progress = keras.utils.Progbar(
            rows,
            unit_name=column,
            interval=0.5,
            stateful_metrics=["images_per_second"],
        )
        for start in starts:
            batch = slice(start, start + batch_size)
            inputs = images[batch], labels[batch]
            if column == "standard":
                found = _clean(model, *inputs)
            else:
                draw = seeds.derive(seed, "evaluate", start)
                result = attacks[column](model, *inputs, seed=draw)
                found = ~result.success, result.loss, result.budget
            parts.append(tf.nest.map_structure(np.asarray, found))
            clocks.append((time.perf_counter(), min(rows, batch.stop)))
            if verbose:
                # The first batch has none: it traces the graph.
                speed = [("images_per_second", _speed(clocks))] * bool(start)
                progress.update(clocks[-1][1], values=speed)
        correct, loss, budget = tf.nest.map_structure(
            lambda *part: np.concatenate(part), *parts
        )
        name = column if column == "standard" else repr(attacks[column])
        records[column] = Record(name, correct, loss, budget, _speed(clocks))
    return records


@compiled
def _clean(model: Callable, images: tf.Tensor, labels: tf.Tensor):
    logits = as_logits(model)(images)
    labels = checks.one_hot(labels, logits.shape[-1])
    correct = tf.argmax(logits, axis=1) == tf.argmax(labels, axis=1)
    return correct, losses.cross_entropy(labels, logits), {}


def _speed(clocks: list[tuple[float, int]]) -> float:
    (first, before), (last, done) = clocks[0], clocks[-1]
    if last <= first:
        return float("nan")
    return (done - before) / (last - first)
