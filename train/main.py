"""Trains a flow, or a classifier by a method.

python train/main.py --flagfile=train/configs/digits_ijsat.cfg \\
    --flow=runs/digits/flow/flow.keras --workdir=runs/digits/ijsat

Writes into --workdir: settings.cfg (a flagfile that repeats or resumes the
run), log.csv, events for TensorBoard, a checkpoint after every epoch, and at
the end flow.keras, or classifier.keras and model.keras (with method and
optimizer).
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import options  # noqa: E402
from options import FLAGS  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.training import methods  # noqa: E402


def main(_: list[str]) -> None:
    # Whatever is wrong must show before the folder is touched.
    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    strategy = ij.training.strategy(FLAGS.strategy)
    source = ij.data.load(*commandline.split("train"))
    test = ij.data.load(*commandline.split("test"))
    if FLAGS.train_examples:
        source = source.take(FLAGS.train_examples)
    steps = ij.data.steps_per_epoch(source, FLAGS.batch_size)
    with strategy.scope():
        if FLAGS.method == "flow":
            model = flow(source, steps)
        else:
            model = classifier(source, steps)

    folder = options.claim(FLAGS.workdir)
    checkpoint = ij.training.Checkpoint(folder / "checkpoint.weights.h5")
    with strategy.scope():
        epoch = checkpoint.restore(model) // steps
    if epoch:
        print(f"resuming {folder} after epoch {epoch}")
    elif FLAGS.method == "flow":
        model.initialize(source.take(min(256, len(source.labels))).scaled())
    batches = ij.data.batches(
        source,
        FLAGS.batch_size,
        FLAGS.seed,
        first_epoch=epoch,
        augment=None if FLAGS.augment == "none" else FLAGS.augment,
    )
    if epoch < FLAGS.epochs:
        model.fit(
            batches,
            initial_epoch=epoch,
            epochs=FLAGS.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # The batches are shuffled already.
            callbacks=[
                ij.training.Throughput(FLAGS.batch_size),
                keras.callbacks.CSVLogger(folder / "log.csv", append=epoch > 0),
                keras.callbacks.TensorBoard(folder / "events"),
                checkpoint,
            ],
        )

    if FLAGS.method == "flow":
        model.save(folder / "flow.keras")
    else:
        model.save(folder / "model.keras")
        model.classifier.save(folder / "classifier.keras")
    found = model.evaluate(
        test.scaled(),
        test.labels,
        batch_size=FLAGS.batch_size,
        return_dict=True,
        verbose=0,
    )
    shown = ", ".join(f"{name} {number:.4f}" for name, number in found.items())
    print(
        f"{folder}: {FLAGS.method} on {len(test.labels)} test images: {shown}"
    )


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


def classifier(source: ij.data.Source, steps: int) -> keras.Model:
    """A compiled classifier with its method."""
    build = getattr(ij.models, FLAGS.model)
    net = build(
        source.classes, width=FLAGS.width, image_shape=source.images.shape[1:]
    )
    model = ij.training.AdversarialModel(net, method(source), seed=FLAGS.seed)
    schedule = ij.training.step_drops(
        options.learning_rate(), steps, commandline.numbers("drops")
    )
    optimizer = ij.training.SGD(schedule, FLAGS.momentum, FLAGS.l2)
    model.compile(optimizer=optimizer, metrics=["accuracy"])
    return model


def method(source: ij.data.Source) -> methods.Method:
    """The method that the flags describe."""
    if FLAGS.method == "standard":
        return methods.Standard()
    name = FLAGS.attack or {"at": "pgd", "ijsat": "jsa"}[FLAGS.method]
    generator = None
    if FLAGS.flow:
        generator = commandline.load(FLAGS.flow, "flow", "with_dtype")
        generator = generator.with_dtype(FLAGS.precision)
        # Attacked before the folder is claimed: it must fit the images.
        generator.encode(source.take(1).scaled())
    attack = ij.attacks.by_name(
        f"{name}{FLAGS.attack_steps}",
        pixels=ij.spaces.Linf(*commandline.budget("epsilon")),
        latent=ij.spaces.Linf(*commandline.budget("eta")),
        flow=generator,
        levels=commandline.numbers("levels"),
    )
    if FLAGS.method == "at":
        return methods.AT(attack)
    return methods.IJSAT(attack, FLAGS.tau, FLAGS.alpha)


if __name__ == "__main__":
    commandline.run(main)
