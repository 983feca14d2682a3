"""Trains a generator, or a classifier by a method; projects images.

python train/main.py --flagfile=train/configs/digits_ijsat.cfg \\
    --flow=runs/digits/flow/flow.keras --workdir=runs/digits/ijsat

The command writes into --workdir: settings.cfg (a flagfile that repeats or
resumes the run), log.csv, events for TensorBoard, checkpoints/, and at the end
METHOD.keras of a generator with samples.png, or classifier.keras and
model.keras (with method and optimizer). --method=project writes the set
om_DATASET instead, to be read with --data_dir=WORKDIR.

The same command resumes an interrupted run from the last checkpoint, also in
the middle of an epoch, with the numbers of a run that was never interrupted.
A checkpoint is written after each epoch and every --checkpoint_every minutes.
The last --keep checkpoints stay, each with a checksum; a damaged checkpoint is
passed over for the previous one. SIGTERM and Ctrl-C save at the end of the
step; the process then ends by the signal, which a shell sees as 143 or 130. A
full disk, and a loss or weight that is not finite, end the process with a
message of one line and code 2, and leave the checkpoints as they were.

With --held_out images the command also writes curve.csv and curve.png, the
accuracy under attack as training goes on, and best.keras, the classifier of
the epoch that was most robust on these images (with --method=standard, most
accurate).
"""

from __future__ import annotations

import environment  # noqa: F401

# isort: split
import math
import pathlib

import keras
import networks
import options
import projection
import rows
import settings
import tensorflow as tf
from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.runtime import threads, workers
from ijsat_tf.runtime.progress import verbosity
from ijsat_tf.storage import files


def main(_: list[str]) -> None:
    # Errors in the flags must show before the folder is touched.
    project = FLAGS.method == "project"
    if FLAGS.method not in options.CLASSIFIERS:
        for name in "held_out", "pretrained":
            if FLAGS[name].value:
                raise ValueError(f"--{name} is for classifiers, not generators")
    if FLAGS.method in options.GENERATORS:
        # The step of a generator is not split over the cores as an attack is.
        threads.all_cores_per_operation()
    # A strategy must be made before any other TensorFlow operation.
    strategy = ij.training.strategy("none" if project else FLAGS.strategy)
    keras.utils.set_random_seed(FLAGS.seed)
    FLAGS.precision = ij.training.precision(FLAGS.precision)
    keras.config.set_dtype_policy(FLAGS.precision)
    if project:
        projection.run()
    else:
        with workers.needing_all(strategy):
            train(strategy)


def train(strategy: tf.distribute.Strategy) -> None:
    """Trains the network that --method names."""
    chief = workers.is_chief(strategy)
    source, held_out = sources()
    test = ij.data.load(*commandline.split("test"))
    steps = ij.data.steps_per_epoch(source, FLAGS.batch_size)
    with strategy.scope():
        model, generator = networks.build(source, steps)
    watched = None
    if held_out:
        watched = rows.attack(FLAGS.robust_attack, generator)

    folder = pathlib.Path(FLAGS.workdir)
    if chief:
        settings.claim(folder)
    interruption = ij.training.Interruption()
    backup = ij.training.Backup(
        folder / "checkpoints",
        FLAGS.checkpoint_every,
        FLAGS.keep,
        settings.fingerprint(),
        interruption,
    )
    with strategy.scope():
        epoch, step = start = backup.restore(model)
    resumed = any(start)
    if resumed:
        print(f"resuming {folder} after {start}", flush=True)
    elif FLAGS.method == "flow":
        model.initialize(source.first(256).scaled())
    batches = ij.data.batches(
        source,
        FLAGS.batch_size,
        FLAGS.seed,
        first_epoch=epoch,
        augment=None if FLAGS.augment == "none" else FLAGS.augment,
        first_step=step,
    )
    callbacks = [
        backup,
        ij.training.FiniteLogs(),
        *(logs(folder, start) if chief else []),
        *(watch(folder, epoch, watched, held_out, chief) if held_out else []),
        *([keras.callbacks.TensorBoard(folder / "events")] if chief else []),
    ]
    if epoch < FLAGS.epochs:
        try:
            with interruption:
                model.fit(
                    batches,
                    initial_epoch=epoch,
                    epochs=FLAGS.epochs,
                    steps_per_epoch=steps,
                    shuffle=False,  # The batches are shuffled already.
                    callbacks=callbacks,
                    verbose=verbosity() if chief else 0,
                )
        except ij.training.Interrupted as interrupted:
            print(f"\n{interrupted}; the same command goes on", flush=True)
            interrupted.die()
        except Exception:
            print(flush=True)  # Keras' progress bar has not ended its line.
            raise

    if chief:
        save(model, folder)
    found = model.evaluate(
        test.scaled(),
        test.labels,
        batch_size=FLAGS.batch_size,
        return_dict=True,
        verbose=0,
    )
    if chief:
        shown = ", ".join(f"{name} {each:.4f}" for name, each in found.items())
        print(
            f"{folder}: {FLAGS.method} on {len(test.labels)} test images: "
            f"{shown}"
        )
        guess = math.log(test.classes)
        if FLAGS.method not in options.GENERATORS and found["loss"] > guess:
            print(
                f"warning: the loss is above {guess:.2f}, the loss of a "
                "network that guesses; try a lower --learning_rate, or more "
                "--epochs"
            )


def save(model: keras.Model, folder: pathlib.Path) -> None:
    """Writes the trained network."""
    if FLAGS.method in options.GENERATORS:
        ij.training.Checkpoint(folder / f"{FLAGS.method}.keras").save(model)
        ij.evaluation.sample_grid(
            model.sample(100, seed=FLAGS.seed), folder / "samples.png"
        )
    else:
        with files.replaced(folder / "model.keras") as aside:
            model.save(aside)
        ij.training.Checkpoint(folder / "classifier.keras").save(model)


def sources() -> tuple[ij.data.Source, ij.data.Source | None]:
    """The images to train on, and the held-out images or None."""
    source, held_out = ij.data.load(*commandline.split("train")), None
    if not FLAGS.gan:
        # A flow has latents of its own.
        source = source._replace(latents=None)
    if FLAGS.held_out:
        source, held_out = source.hold_out(FLAGS.held_out)
    if FLAGS.train_examples:
        source = source.take(FLAGS.train_examples)
    return source, held_out


def logs(
    folder: pathlib.Path, start: tuple[int, int]
) -> list[keras.callbacks.Callback]:
    """The callbacks by which one process logs speed, epochs and steps."""
    epoch, step = start
    return [
        ij.training.Throughput(FLAGS.batch_size, step),
        ij.training.EpochLog(folder / "log.csv", epoch),
        ij.training.StepLosses(
            folder / "events" / "steps",
            FLAGS.log_every,
            options.GENERATORS.get(FLAGS.method, (None, "loss"))[1],
            first_step=step,
        ),
    ]


def watch(
    folder: pathlib.Path,
    epoch: int,
    attack: ij.attacks.Attack,
    source: ij.data.Source,
    chief: bool,
) -> list[keras.callbacks.Callback]:
    """The callbacks that attack the held-out images.

    Their order matters: later callbacks read the logs of the first.
    """
    data = source.inputs(), source.labels
    curve = folder / "curve.csv"
    robust = ij.training.RobustAccuracy(
        attack,
        data,
        every=FLAGS.robust_every,
        batch_size=FLAGS.batch_size,
        seed=FLAGS.seed,
        path=curve,
    )
    robust.resume(epoch)
    # Without a defence no epoch is robust, so that accuracy decides.
    undefended = FLAGS.method == "standard"
    monitor = "clean_accuracy" if undefended else "robust_accuracy"

    def draw(_: int, logs: dict[str, float]) -> None:
        if "robust_accuracy" in logs and chief:
            ij.evaluation.robust_curves(
                {folder.name: curve}, folder / "curve.png"
            )

    return [
        robust,
        keras.callbacks.LambdaCallback(on_epoch_end=draw),
        ij.training.AdversarialImages(
            attack,
            keras.tree.map_structure(lambda part: part[:10], data),
            folder / "events" / "images",
            every=FLAGS.robust_every,
        ),
        ij.training.Checkpoint(
            folder / "best.keras", monitor, robust.best(monitor)
        ),
    ]


if __name__ == "__main__":
    commandline.run(main)
