"""Searches for an error of our own where IJSAT is less robust than AT.

python reproduction/diagnosis.py

The command measures the attacks of the two networks of seed 0 on training
images, and writes the numbers to OUTPUT/diagnosis.csv. It then trains both
networks on for two epochs, with the steps of the study and with twice as
many, and keeps the results as the study's are kept. What is there is not made
again. reproduction/pages.py writes the page.
"""

from __future__ import annotations

import csv
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import places  # noqa: E402
import plan  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402
from plan import Run  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline, losses, seeds  # noqa: E402
from ijsat_tf.samples import Batch  # noqa: E402
from ijsat_tf.spaces import Linf  # noqa: E402
from ijsat_tf.storage import files  # noqa: E402
from ijsat_tf.training import Interrupted, methods  # noqa: E402

FLAGS = flags.FLAGS

FILE = "diagnosis.csv"
ROWS = "at", "ijsat"
STEPS = 1, 2, 5, 10, 20, 50
# The runs that go on from the networks of the study, {suffix: steps}.
MORE = {"more": 5, "more_k10": 10}
IMAGES, BATCH = 500, 125
DRAWS = 98_000  # Of alpha, two epochs of training.


class Measure(NamedTuple):
    """A number that was measured, a line of the file.

    Attributes:
        check: Name of the check.
        network: Row of the study, one of `ROWS`.
        case: What was done to the images.
        quantity: What was measured, e.g. "loss" in nats.
        value: The number.
    """

    check: str
    network: str
    case: str
    quantity: str
    value: float


def main(_: list[str]) -> None:
    work = places.work()._replace(runs={run.name: run for run in runs()})
    path = work.output / FILE
    if not path.exists():
        ij.one_core_per_operation()
        save(list(measures()), path)
        print(f"kept: {path}", flush=True)
    try:
        for run in work.runs.values():
            with work.locked(run.name, wait=True) as lock:
                if not work.place(run).exists():
                    work.complete(run, lock)
    except Interrupted as interrupted:
        print(interrupted, flush=True)
        interrupted.die()


def runs() -> list[Run]:
    """Two more epochs of AT and of IJSAT, by the study's schedule."""
    last = [
        each._replace(checkpoints=("last",)) for each in (plan.ALL, plan.JSA)
    ]
    found = []
    for suffix, steps in MORE.items():
        for row in ROWS:
            (given,) = [run for run in plan.plan("") if run.name == f"{row}-0"]
            flags = (
                *given.flags,
                "--pretrained=ijsat_tf/models/presets/"
                f"resnet18_cifar10_{row}_small.keras",
                "--epochs=2",
                "--robust_every=1",
                f"--attack_steps={steps}",
            )
            found.append(Run(f"{row}_{suffix}-0", flags, tuple(last)))
    return found


def measures() -> Iterator[Measure]:
    """Measures the attacks on the first training images."""
    train = ij.data.load("cifar10", "train", data_dir=FLAGS.data_dir)
    source = train.take(IMAGES)
    labels = tf.one_hot(source.labels, source.classes)
    data = Batch(tf.constant(source.scaled()), labels)
    for row in ROWS:
        network = ij.models.from_preset(f"resnet18_cifar10_{row}_small")
        for check in (steps, mixing, normalization):
            for case, quantity, value in check(network, data):
                print(check.__name__, row, case, quantity, value, flush=True)
                yield Measure(check.__name__, row, case, quantity, value)
    for case, quantity, value in alpha():
        yield Measure("alpha", "", case, quantity, value)


Found = Iterator[tuple[str, str, float]]


def steps(network: keras.Model, data: Batch) -> Found:
    """The loss and accuracy under PGD and JSA, against their steps."""
    yield from _under(network, data, "clean", lambda part: part.images)
    for name in "pgd", "jsa":
        for count in STEPS:
            case = f"{name}{count}"
            craft = _crafter(methods.AT(attack(name, count)), network)
            yield from _under(network, data, case, craft)


def mixing(network: keras.Model, data: Batch) -> Found:
    """The loss of mixtures: as they are, attacked before, attacked after."""
    robust = methods.IJSAT(attack("jsa", 5))
    craft = _crafter(robust, network)

    def mixed(part: Batch) -> Batch:
        return robust.mixture(part, _seed("mix"))

    def before(part: Batch) -> tf.Tensor:
        return mixed(part._replace(images=craft(part))).images

    ways = {
        "mixture": lambda part: mixed(part).images,
        "attacked, then mixed": before,
        "mixed, then attacked": lambda part: craft(mixed(part)),
    }
    for case, made in ways.items():
        yield from _under(network, data, case, made, mixed)


def normalization(network: keras.Model, data: Batch) -> Found:
    """The loss of PGD-5 by the mode of BatchNorm in crafting and after it."""
    # A pass in training mode moves the averages of inference mode.
    training = keras.models.clone_model(network)
    training.set_weights(network.get_weights())
    calls = {
        "inference": lambda images: network(images, training=False),
        "training": lambda images: training(images, training=True),
    }
    for measured, seen in calls.items():
        case = f"clean, {measured}"
        yield from _under(seen, data, case, lambda part: part.images)
    pgd = methods.AT(attack("pgd", 5))
    for crafted, model in calls.items():
        craft = _crafter(pgd, model)
        for measured, seen in calls.items():
            case = f"{crafted}, {measured}"
            yield from _under(seen, data, case, craft)


def alpha() -> Found:
    """The share of mixtures whose smaller weight is above a bound."""
    first = tf.one_hot(tf.zeros(DRAWS // 2, tf.int32), 2)
    second = tf.reverse(first, [-1])
    labels = tf.reshape(tf.stack([first, second], axis=1), (-1, 2))
    images = tf.zeros((len(labels), 1, 1, 1))
    mixture = methods.IJSAT(attack("pgd", 5)).mixture(
        Batch(images, labels), _seed("mix")
    )
    smaller = tf.reduce_min(mixture.labels, axis=-1).numpy()
    for bound in 0.01, 0.05, 0.1, 0.25:
        share = tf.math.betainc(0.1, 0.1, bound) * 2
        yield f"{bound}", "drawn", float(np.mean(smaller > bound))
        yield f"{bound}", "expected", float(1 - share)


def attack(name: str, count: int) -> ij.attacks.Attack:
    """An attack of the study's training, with another number of steps.

    Args:
        name: Name of the attack, "pgd" or "jsa".
        count: Number of steps.
    """
    radius = plan.CALIBRATED
    return ij.attacks.by_name(
        f"{name}{count}",
        Linf(8 / 255, step=2 / 255),
        Linf(radius, step=radius / 4),
        ij.flows.Glow.from_preset("glow_cifar10_small"),
    )


def save(found: list[Measure], path: pathlib.Path) -> None:
    """Writes numbers as lines of CSV.

    Args:
        found: Numbers to write.
        path: File to write, all of it or nothing.
    """
    with files.replaced(path) as aside, open(aside, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Measure._fields)
        writer.writerows(
            each._replace(value=f"{each.value:.5g}") for each in found
        )


def _under(
    model: Callable[[tf.Tensor], tf.Tensor],
    data: Batch,
    case: str,
    craft: Callable[[Batch], tf.Tensor],
    labelled: Callable[[Batch], Any] = lambda part: part,
) -> Found:
    each, right = [], []
    for start in range(0, IMAGES, BATCH):
        part = data.rows(start, start + BATCH)
        logits = model(craft(part))
        labels = labelled(part).labels
        each.append(losses.cross_entropy(labels, logits))
        classes = tf.argmax(labels, -1), tf.argmax(logits, -1)
        right.append(tf.equal(*classes))
    yield case, "loss", float(tf.reduce_mean(each))
    yield case, "right", float(np.mean(right))


def _crafter(
    method: methods.Method, model: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[[Batch], tf.Tensor]:
    @tf.function
    def craft(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return method.craft(model, Batch(images, labels), _seed("craft"))

    return lambda part: craft(part.images, part.labels)


def _seed(purpose: str) -> tf.Tensor:
    return seeds.derive(0, purpose)


if __name__ == "__main__":
    places.define()
    commandline.run(main)
