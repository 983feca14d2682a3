"""One attack on the samples that are still alive, batch by batch.

A sample is alive while the model still classifies it correctly.
"""

from __future__ import annotations

import functools
import pathlib
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks.attack import Attack, as_logits
from ijsat_tf.attacks.autoattack import standing
from ijsat_tf.attacks.autoattack.standing import Standing
from ijsat_tf.attacks.outcome import succeeds
from ijsat_tf.models.as_logits import first_logits
from ijsat_tf.runtime.compiled import Key
from ijsat_tf.runtime.progress import Progress
from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.samples import Batch
from ijsat_tf.spaces.lifting import lifted, lowered

# The least time between two writes of the state.
_SECONDS = 30


def attacked(
    model: Callable,
    samples: Batch,
    now: Standing,
    attack: Attack,
    batch_size: int,
    seed: tf.Tensor,
    path: pathlib.Path | None = None,
    name: str | None = None,
) -> Standing:
    """Runs a stage, and returns the standing after the stage.

    The arrays of `now` are changed in place.

    Args:
        model: Model from images to logits.
        samples: Clean images, and one-hot labels (N, K), as NumPy arrays.
        now: Standing at the beginning or in the middle of the stage.
        attack: Attack of the stage.
        batch_size: Number of images attacked together.
        seed: Random seed of the stage, (2,).
        path: Path of the state file; None, the default, writes no file.
        name: Name of the stage, under which its progress is shown; None, the
            default, shows no progress.
    """
    rows, saved = now.left, time.monotonic()
    progress = Progress(len(rows), name or "", shown=name is not None)
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
        progress.update(first + len(batch), robust=robust)
    now = now._replace(stage=now.stage + 1, attacked=0)
    if path is not None:
        standing.save(now, path)
    return now


def judged(
    model: Callable, samples: Batch, batch_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evaluates a model on images, without an attack.

    Args:
        model: Model from images to logits.
        samples: Images, and one-hot labels (N, K), as NumPy arrays.
        batch_size: Number of images evaluated together.

    Returns:
        Three arrays (N,): whether a sample is misclassified, as samples with
        outputs that are not finite are; the cross entropy in nats; and whether
        the outputs are finite.
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
    samples: Batch,
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
    """A graph for batches of any size, since the last batch is smaller."""
    signature = [
        tf.TensorSpec([None, *image_shape], tf.float32),
        tf.TensorSpec([None, classes], tf.float32),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([None], tf.float64),
    ]

    # TensorFlow counts the traces of each partial function separately, and so
    # does not warn because each attack has a graph of its own.
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
    first_logits(logits_of, images)

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

    # The verdict is shared as well: if each worker evaluated the samples
    # itself, rounding errors might make workers go on with different samples.
    return side_by_side(of, (images, labels))
