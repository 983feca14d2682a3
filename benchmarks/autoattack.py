"""Measures the speed of AutoAttack by stage, beside its authors' code.

python benchmarks/autoattack.py --images=100
python benchmarks/autoattack.py --model=runs/cifar10/at/classifier.keras \\
    --dataset=cifar10 --epsilon=8/255 --images=500

Without --model the command takes the small classifier of digits from the tests.
Where PyTorch and the package `autoattack` are installed, the official code
runs on the same net, the same images and as many threads, in turn with ours,
every stage alone. Seconds do not include our first call, which traces the
graph. Run the command on an idle machine.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # As the commands do.
# This file has the name of the official package and must not shadow it.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "a .keras file; None for digits")
flags.DEFINE_integer("images", 100, "first so many test images", 1)
flags.DEFINE_enum("norm", "Linf", ["Linf", "L2"], "the ball's")
flags.DEFINE_list(
    "stages", ["apgd-ce", "apgd-t", "fab-t", "square"], "one row each"
)
flags.DEFINE_integer("repetitions", 1, "of each stage and library", 1)
flags.DEFINE_integer("threads", os.cpu_count(), "of each library", 1)
flags.DEFINE_integer("batch_size", 250, "images attacked together", 1)
commandline.define_data()
commandline.define_fraction("epsilon", None, "radius; None for the digits'")


def main(_: list[str]) -> None:
    # Each core takes a part of the batch, so that operations need no threads.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    net, images, labels, radius = given()
    right = np.argmax(net.predict(images, verbose=0), axis=1) == labels
    print(f"{len(images)} images, clean accuracy {100 * right.mean():.1f}%")
    official = compared(net, images, labels, radius)
    print("| stage | ours, s | official, s | ratio | ours, % | official, % |")
    print("| --- | --- | --- | --- | --- | --- |")
    totals = np.zeros(2)
    for stage in FLAGS.stages:
        runs = {"ours": ours(net, images, labels, radius, stage)}
        if official is not None:
            runs["official"] = official(stage)
        runs["ours"]()
        found = {name: [] for name in runs}
        for _ in range(FLAGS.repetitions):
            for name, run in runs.items():
                found[name].append(timed(run))
        medians = {n: np.median(f, axis=0) for n, f in found.items()}
        seconds = [medians[n][0] if n in medians else np.nan for n in NAMES]
        robust = [medians[n][1] if n in medians else np.nan for n in NAMES]
        totals += seconds
        row(stage, seconds, robust)
    row("all", totals, [np.nan, np.nan])


NAMES = ("ours", "official")


def row(stage: str, seconds: list[float], robust: list[float]) -> None:
    """Prints one line of the table, with a dash for unknown numbers."""
    numbers = [*seconds, seconds[1] / seconds[0], *robust]
    shown = ["-" if np.isnan(n) else f"{n:.1f}" for n in numbers]
    print(f"| {stage} | {' | '.join(shown)} |", flush=True)


def given() -> tuple[keras.Model, np.ndarray, np.ndarray, float]:
    """The net, images, labels and radius that the flags name."""
    if FLAGS.model is None:
        from tests.golden import digits

        net, images, labels, _ = digits.load()
        radius = FLAGS.epsilon or digits.BALLS[FLAGS.norm]
        return net, images[: FLAGS.images], labels[: FLAGS.images], radius
    net = commandline.load(FLAGS.model, "classifier")
    source = ij.data.load(*commandline.split("test")).take(FLAGS.images)
    return net, source.scaled(), source.labels, FLAGS.epsilon or 8 / 255


def ours(net, images, labels, radius, stage) -> Callable[[], float]:
    """A function that runs one stage and returns the robust accuracy.

    The stage runs alone, on all images.
    """
    ball = getattr(ij.spaces, FLAGS.norm)(radius)
    attack = ij.attacks.AutoAttack(
        ball, "custom", (stage,), batch_size=FLAGS.batch_size
    )
    return lambda: attack.run(
        net, images, labels, FLAGS.seed, verbose=False
    ).robust.mean()


def compared(net, images, labels, radius) -> Callable | None:
    """A function from a stage to its run by the official code.

    The result is None where the official code is not installed.
    """
    if not all(map(importlib.util.find_spec, ("torch", "autoattack"))):
        return None
    import torch
    from autoattack import AutoAttack

    from benchmarks.torch_twin import twin

    torch.set_num_threads(FLAGS.threads)
    model = twin(net)
    x = torch.tensor(np.moveaxis(images, 3, 1).copy())
    y = torch.tensor(np.int64(labels))

    def official(stage: str) -> Callable[[], float]:
        attack = AutoAttack(
            model,
            norm=FLAGS.norm,
            eps=radius,
            seed=FLAGS.seed,
            version="custom",
            attacks_to_run=[stage],
            device="cpu",
            verbose=False,
        )
        attack.apgd.n_restarts = attack.fab.n_restarts = 1

        def run() -> float:
            found = attack.run_standard_evaluation(x, y, bs=FLAGS.batch_size)
            with torch.no_grad():
                return (model(found).argmax(1) == y).float().mean().item()

        return run

    return official


def timed(run: Callable[[], float]) -> tuple[float, float]:
    """The seconds of a run, and its robust accuracy in percent."""
    start = time.perf_counter()
    accuracy = run()
    return time.perf_counter() - start, 100 * accuracy


if __name__ == "__main__":
    commandline.run(main)
