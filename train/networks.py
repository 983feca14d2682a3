"""What --method trains, compiled: a flow, or a classifier with its method."""

from __future__ import annotations

import keras
import numpy as np
import options
import rows
from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline


def build(
    source: ij.data.Source, steps: int
) -> tuple[keras.Model, keras.Model | None]:
    """What --method names, compiled, and the flow that attacks need."""
    if FLAGS.method == "flow":
        return flow(source, steps), None
    generator = None
    if FLAGS.flow:
        generator = commandline.load(FLAGS.flow, "flow", "with_dtype")
        generator = generator.with_dtype(FLAGS.precision)
        # Attacked before the folder is claimed: it must fit the images.
        generator.encode(source.take(1).scaled())
    return classifier(source, steps, generator), generator


def flow(source: ij.data.Source, steps: int) -> keras.Model:
    """A compiled Glow."""
    model = ij.flows.Glow(
        source.images.shape[1:],
        levels=FLAGS.flow_levels,
        steps=FLAGS.flow_steps,
        hidden=FLAGS.flow_hidden,
        bins=source.bins,
        seed=FLAGS.seed,
    )
    decay = keras.optimizers.schedules.CosineDecay(
        options.learning_rate(), FLAGS.epochs * steps
    )
    schedule = ij.flows.WarmUp(decay, FLAGS.warmup_steps)
    model.compile(optimizer=keras.optimizers.Adam(schedule))
    return model


def classifier(
    source: ij.data.Source, steps: int, generator: keras.Model | None
) -> keras.Model:
    """A compiled classifier with its method."""
    settings = {} if FLAGS.model == "small_cnn" else {"stem": FLAGS.stem}
    if FLAGS.normalize:
        settings["normalization"] = channels(source)
    net = getattr(ij.models, FLAGS.model)(
        source.classes,
        width=FLAGS.width,
        image_shape=source.images.shape[1:],
        **settings,
    )
    model = ij.training.AdversarialModel(
        net, rows.method(generator), FLAGS.seed
    )
    schedule = ij.training.step_drops(
        options.learning_rate(),
        steps,
        commandline.numbers("drops"),
        FLAGS.drop_factor,
    )
    optimizer = ij.training.SGD(
        schedule, FLAGS.momentum, FLAGS.l2, nesterov=FLAGS.nesterov
    )
    model.compile(optimizer=optimizer, metrics=["accuracy"])
    return model


def channels(source: ij.data.Source) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel of all images, in [0, 1]."""
    levels = np.arange(source.bins) / (source.bins - 1)
    counts = [
        np.bincount(source.images[..., channel].ravel(), minlength=source.bins)
        for channel in range(source.images.shape[-1])
    ]
    shares = np.array(counts) / source.images[..., 0].size
    means = shares @ levels
    deviations = np.sqrt(shares @ levels**2 - means**2)
    return means.tolist(), deviations.tolist()
