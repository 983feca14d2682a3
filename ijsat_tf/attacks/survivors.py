"""One attack on the samples that are still alive, batch by batch."""

from __future__ import annotations

import functools
import pathlib
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import standing
from ijsat_tf.attacks.attack import Attack, as_logits
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.attacks.standing import Standing
from ijsat_tf.graph import Key
from ijsat_tf.parts import side_by_side
from ijsat_tf.samples import Samples
from ijsat_tf.spaces.lifting import lifted, lowered

# Between two times that the state is written.
_SECONDS = 30


def attacked(
    model: Callable,
    samples: Samples,
    now: Standing,
    attack: Attack,
    batch_size: int,
    seed: tf.Tensor,
    path: pathlib.Path | None = None,
    name: str | None = None,
) -> Standing:
    """The standing after a stage; the arrays of `now` are changed.

    Args:
        model: from images to logits.
        samples: NumPy arrays: clean images, and labels (N, K), one-hot.
        now: the standing, at the stage's beginning or in its midst.
        attack: the stage's.
        batch_size: how many images are attacked together.
        seed: (2,), the stage's.
        path: of the state file, None, the default, for none.
        name: the stage's, to show its progress; None, the default, does not.
    """
    rows, saved = now.left, time.monotonic()
    progress = keras.utils.Progbar(
        len(rows),
        verbose=int(name is not None),
        unit_name=name,
        interval=0.5,
        stateful_metrics=["robust"],
    )
    for first in range(0, len(rows), batch_size):
        batch = rows[first : first + batch_size]
        found, wrong, *_ = _call(
            attack, model, samples, batch, seeds.derive(seed, now.attacked)
        )
        now.images[batch[wrong]] = found[wrong]
        now.fell[batch[wrong]] = now.stage
        now = now._replace(attacked=now.attacked + len(batch))
        if path is not None and time.monotonic() - saved > _SECONDS:
            standing.save(now, path)
            saved = time.monotonic()
        robust = np.sum(now.fell == standing.ALIVE)
        progress.update(first + len(batch), values=[("robust", robust)])
    now = now._replace(stage=now.stage + 1, attacked=0)
    if path is not None:
        standing.save(now, path)
    return now


def judged(
    model: Callable, samples: Samples, batch_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a model makes of images.

    Args:
        model, samples, batch_size: as above.

    Returns:
        Three arrays (N,): whether the class is wrong, where the outputs are
        not finite too; the cross entropy in nats; whether the outputs are
        finite.
    """
    rows = np.arange(len(samples.images))
    parts = [
        _call(None, model, samples, rows[first : first + batch_size])[1:]
        for first in range(0, len(rows), batch_size)
    ]
    return tuple(map(np.concatenate, zip(*parts)))


def _call(
    attack: Attack | None,
    model: Callable,
    samples: Samples,
    rows: np.ndarray,
    seed: tf.Tensor | None = None,
) -> list[np.ndarray]:
    images, labels = samples.images[rows], samples.labels[rows]
    attack, radii = lifted(attack)
    graph = _graph(
        tf.distribute.get_strategy(),
        Key(attack),
        Key(model),
        images.shape[1:],
        labels.shape[1],
    )
    if seed is None:
        seed = tf.zeros(2, tf.int32)
    with checks.readable_errors():
        return [part.numpy() for part in graph(images, labels, seed, radii)]


@functools.lru_cache(maxsize=64)
def _graph(
    _: tf.distribute.Strategy,
    attack: Key,
    model: Key,
    image_shape: tuple[int, ...],
    classes: int,
) -> Callable:
    """A graph for batches of whatever size: the last one is smaller."""
    signature = [
        tf.TensorSpec([None, *image_shape], tf.float32),
        tf.TensorSpec([None, classes], tf.float32),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([None], tf.float64),
    ]

    # Of a partial function TensorFlow counts the traces by itself: that each
    # attack has a graph of its own is nothing to warn of.
    outcome = functools.partial(_outcome, attack.given, model.given)
    return tf.function(outcome, input_signature=signature, autograph=False)


def _outcome(
    attack: Attack | None,
    model: Callable,
    images: tf.Tensor,
    labels: tf.Tensor,
    seed: tf.Tensor,
    radii: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    if attack is not None:
        attack = lowered(attack, tf.cast(radii, images.dtype))
    logits_of = as_logits(model)
    # Outside of any loop, where variables may still be made.
    logits_of(images[:1])

    def of(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if attack is not None:
            images = attack.craft(logits_of, images, labels, seed).images
        logits = logits_of(images)
        return (
            images,
            succeeds(logits, labels),
            losses.cross_entropy(labels, logits),
            tf.reduce_all(tf.math.is_finite(logits), axis=1),
        )

    # All of it: were samples judged by each worker anew, roundings might make
    # one go on with other survivors than the next.
    return side_by_side(of, (images, labels))
