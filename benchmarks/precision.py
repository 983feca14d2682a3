"""Measures whether fast computation makes attacks weaker.

python benchmarks/precision.py --run=runs/cifar10/at \\
    --flow=runs/cifar10/flow/flow.keras --examples=1000

The command prints the robust accuracy of one classifier under PGD-20 and JSA-50
from the same start. The attacks are crafted in float32 by the layers' own calls
("plain"), in float32 as attacks do (BatchNorm folded, ActNorm and the 1x1
convolution one matrix), and likewise in bfloat16. The adversarial images are
judged by the same network in float32, and by the network that they were crafted
with.
"""

from __future__ import annotations

import functools
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # As the commands do.

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "folder of a run", required=True)
flags.DEFINE_string("flow", None, "path of a flow.keras", required=True)
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer("examples", 1000, "first so many test images", 1)
flags.DEFINE_integer("batch_size", 100, "images a step", 1)
KINDS = {
    "plain float32": "float32",
    "float32": "float32",
    "mixed_bfloat16": "mixed_bfloat16",
}


def main(_: list[str]) -> None:
    source = ij.data.load(*commandline.split("test")).take(FLAGS.examples)
    images, labels = source.scaled(), source.labels
    path = str(pathlib.Path(FLAGS.run) / "classifier.keras")
    judge, flow = (
        classifier(path, "float32"),
        commandline.load(FLAGS.flow, "flow"),
    )
    print("| attack | crafted in | judged in float32 | judged as crafted |")
    print("| --- | --- | --- | --- |")
    for name in ("pgd20", "jsa50"):
        for kind, dtype in KINDS.items():
            net, generator = classifier(path, dtype), flow.with_dtype(dtype)
            if kind.startswith("plain"):
                net = functools.partial(net, training=False)
                generator = Plain(generator)
            attack = ij.attacks.by_name(
                name,
                ij.spaces.Linf(*commandline.budget("epsilon")),
                ij.spaces.Linf(*commandline.budget("eta")),
                generator,
            )
            right = []
            for start in range(0, len(labels), FLAGS.batch_size):
                rows = slice(start, start + FLAGS.batch_size)
                found = attack(net, images[rows], labels[rows], seed=start)
                logits = judge(found.images)
                right.append(
                    [
                        tf.argmax(logits, -1).numpy() == labels[rows],
                        ~found.success.numpy(),
                    ]
                )
            judged, own = 100 * np.concatenate(right, axis=1).mean(axis=1)
            print(f"| {name} | {kind} | {judged:.1f} | {own:.1f} |", flush=True)


class Plain:
    """A flow of which attacks can use the public methods alone."""

    def __init__(self, flow: ij.flows.Glow):
        self.encode, self.decode = flow.encode, flow.decode


def classifier(path: str, dtype: str) -> keras.Model:
    """A classifier whose layers, except the last, compute in a given type.

    Args:
        path: Path of the classifier.
        dtype: Dtype policy of the layers; the last layer has float32.
    """
    model = commandline.load(path, "classifier")
    for layer in model.layers[:-1]:
        layer.dtype_policy = dtype
    model.layers[-1].dtype_policy = "float32"
    return model


if __name__ == "__main__":
    commandline.run(main)
