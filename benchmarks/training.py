"""Measures the cost of a train step of IJSAT by batch, steps and flow.

python benchmarks/training.py --markdown=docs/training_cost.md

Each row changes one setting of a base and prints seconds and memory of a step,
and the ratios of both to those of the base. The cost should be linear in the
batch and in K, and the memory should not grow with K. Every row has a process
of its own. Run the command on an idle machine.
"""

from __future__ import annotations

import dataclasses
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # As the commands do.

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402
from timing import Group, interleaved, machine, write  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_integer("repetitions", 5, "of each step", 1)
flags.DEFINE_string("markdown", None, "file to write the table into")


@dataclasses.dataclass(frozen=True)
class Case:
    """The settings of one row.

    Attributes:
        batch: Number of images per step, default 32.
        steps: Number of steps K of the attack, default 10.
        hidden: Width of the flow's coupling nets, default 64.
        levels: Number of levels of the flow, default 4.
    """

    batch: int = 32
    steps: int = 10
    hidden: int = 64
    levels: int = 4


BASE = Case()
CASES = {
    "the base": BASE,
    **{
        f"batch {batch}": dataclasses.replace(BASE, batch=batch)
        for batch in (64, 128)
    },
    **{
        f"K = {steps}": dataclasses.replace(BASE, steps=steps)
        for steps in (5, 20, 40)
    },
    **{
        f"flow of width {hidden}": dataclasses.replace(BASE, hidden=hidden)
        for hidden in (128, 256)
    },
    **{
        f"{levels} levels": dataclasses.replace(BASE, levels=levels)
        for levels in (1, 2, 3)
    },
}


def main(_: list[str]) -> None:
    lines = [
        machine(),
        "",
        "ResNet-18 of width 16, mixed_bfloat16 where the machine has it; the "
        f"base is batch {BASE.batch}, K = {BASE.steps}, Glow "
        f"{BASE.levels}x8 of width {BASE.hidden}.",
        "",
        "| what | seconds per step | ratio | images/s | peak GiB | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    base = None
    for name, case in CASES.items():
        group = Group(step, name, dataclasses.astuple(case))
        seconds, _ = interleaved([group], FLAGS.repetitions)
        row = seconds[name], group.close()
        base = base or row
        lines.append(
            f"| {name} | {row[0]:.3f} | {row[0] / base[0]:.2f} "
            f"| {case.batch / row[0]:.1f} "
            f"| {row[1]:.2f} | {row[1] / base[1]:.2f} |"
        )
        print(lines[-1], flush=True)
    print("\n".join(lines))
    write("Cost of training", lines, FLAGS.markdown)


def step(name: str, settings: tuple[int, ...]) -> dict:
    """The function of a train step of IJSAT, {name: function}.

    Args:
        name: Name of the row.
        settings: Values of its `Case`.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    case = Case(*settings)
    keras.utils.set_random_seed(0)
    draws = np.random.default_rng(0)
    images = draws.random((case.batch, 32, 32, 3)).astype("float32")
    labels = draws.integers(0, 10, case.batch)
    keras.config.set_dtype_policy(ij.training.precision())
    flow = ij.flows.Glow(levels=case.levels, hidden=case.hidden)
    flow.initialize(images)
    net = ij.models.resnet18(10, width=16)
    attack = ij.attacks.JointSpaceAttack(
        flow,
        ij.spaces.Linf(8 / 255, step=2 / 255),
        ij.spaces.Linf(0.02, step=0.005),
        case.steps,
    )
    model = ij.training.IJSAT(net, attack)
    model.compile(optimizer=ij.training.SGD(1e-6, l2=2e-4))
    return {name: lambda: model.train_on_batch(images, labels)}


if __name__ == "__main__":
    commandline.run(main)
