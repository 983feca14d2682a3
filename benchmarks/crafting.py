"""Measures the speed of crafting, beside PyTorch and other libraries.

python benchmarks/crafting.py --sizes=small,full --markdown=docs/benchmarks.md

One run times, with interleaved repetitions: JSA-10, PGD-20 and the IJSAT train
step in float32 and mixed_bfloat16; the same in PyTorch where `torch` is
installed; PGD-20 by Foolbox, ART and CleverHans where these are installed; and
the bare convolutions of JSA-10, a lower bound of the time. Each library has a
process of its own, with the threads that suit it. Run the command on an idle
machine. Every figure is a median, and every comparison a ratio within the run.
Weights are random, which costs the same time as trained weights.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # As the commands do.

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402
from floor import convolutions  # noqa: E402
from timing import Group, interleaved, machine, write  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["small", "full"], "among small and full")
flags.DEFINE_list("types", ["float32", "bfloat16"], "of convolutions")
flags.DEFINE_integer("repetitions", 5, "of each candidate", 1)
flags.DEFINE_string("markdown", None, "file to write the tables into")

# Width of ResNet-18, hidden units of Glow 4x8, batch.
SIZES = {"small": (16, 64, 128), "full": (64, 512, 32)}
PIXELS = ij.spaces.Linf(8 / 255, step=2 / 255)
LATENT = ij.spaces.Linf(0.02, step=0.005)


def main(_: list[str]) -> None:
    lines = [machine(), ""]
    for size in FLAGS.sizes:
        for dtype in FLAGS.types:
            lines += table(size, dtype)
            print("\n".join(lines[-12:]), flush=True)
    write("Speed of crafting", lines, FLAGS.markdown)


def table(size: str, dtype: str) -> list[str]:
    """The lines of the table of one size and type."""
    width, hidden, batch = SIZES[size]
    print(f"{size}, {dtype}:", flush=True)
    builders = {"ours": ours}
    if importlib.util.find_spec("torch"):
        builders["PyTorch"] = pytorch
    if dtype == "float32":
        builders["other libraries on TensorFlow"] = others
    groups = {
        name: Group(build, width, hidden, batch, dtype)
        for name, build in builders.items()
    }
    seconds, first = interleaved(groups.values(), FLAGS.repetitions)
    memory = {name: group.close() for name, group in groups.items()}
    lines = [
        f"## ResNet-18 of width {width}, Glow 4x8 of {hidden}, batch {batch}, "
        f"{dtype}",
        "",
        "| what | images/s | our speedup | first call, s |",
        "| --- | --- | --- | --- |",
    ]
    for name in sorted(seconds, key=lambda name: name.split(", ")[0]):
        what = name.split(", ")[0]
        ratio = seconds[name] / seconds[f"{what}, ours"]
        speed = f"{batch / seconds[name]:.1f} | {ratio:.2f}"
        lines.append(f"| {name} | {speed} | {first[name]:.1f} |")
    peaks = ", ".join(f"{name} {peak:.1f}" for name, peak in memory.items())
    return [*lines, "", f"Peak memory of the process, GiB: {peaks}.", ""]


def ours(
    width: int, hidden: int, batch: int, dtype: str
) -> dict[str, Callable[[], object]]:
    """This library's attacks and train step, and their convolutions alone."""
    # As in train/main.py, each core takes a part of the batch.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    flow, net, images, labels = networks(width, hidden, batch, dtype)
    jsa = ij.attacks.JointSpaceAttack(flow, PIXELS, LATENT, steps=10)
    pgd = ij.attacks.PGD(PIXELS, steps=20)
    model = ij.training.IJSAT(net, jsa)
    model.compile(optimizer=ij.training.SGD(1e-6, l2=2e-4))
    compute = tf.dtypes.as_dtype(dtype)
    return {
        "JSA-10, ours": lambda: jsa(net, images, labels).images.numpy(),
        "JSA-10, its convolutions alone": convolutions(
            flow, net, batch, compute, 10
        ),
        "PGD-20, ours": lambda: pgd(net, images, labels).images.numpy(),
        "IJSAT step, ours": lambda: model.train_on_batch(images, labels),
    }


def networks(width: int, hidden: int, batch: int, dtype: str):
    """A flow, a classifier, images and labels, the same in every call."""
    keras.utils.set_random_seed(0)
    policy = "mixed_bfloat16" if dtype == "bfloat16" else "float32"
    draws = np.random.default_rng(0)
    images = draws.random((batch, 32, 32, 3)).astype("float32")
    labels = draws.integers(0, 10, batch)
    flow = ij.flows.Glow(hidden=hidden, dtype=policy)
    flow.initialize(images[:32])
    for weight in flow.trainable_weights:
        if "zero_conv" in weight.path:
            weight.assign(draws.normal(size=weight.shape, scale=0.01))
    keras.config.set_dtype_policy(policy)
    net = ij.models.resnet18(10, width=width)
    keras.config.set_dtype_policy("float32")
    return flow, net, images, labels


def pytorch(
    width: int, hidden: int, batch: int, dtype: str
) -> dict[str, Callable[[], object]]:
    """The same attacks and train step in PyTorch, eager and compiled."""
    import pytorch_jsa as p
    import torch

    torch.set_num_threads(os.cpu_count())
    flow, net, images, labels = networks(width, hidden, batch, dtype)
    compute = getattr(torch, dtype)
    x, y = p.to_torch(images), torch.tensor(labels)
    encode, decode = p.Encoder(flow, compute), p.Decoder(flow, compute)
    classifier = p.ResNet18(net, compute)
    trainer = p.Trainer(net, decode, compute)
    found = {}
    for name, compiled in (("PyTorch", False), ("PyTorch, compiled", True)):
        if compiled and not compiles():
            continue
        jsa = p.Attack(classifier, decode, 10, compiled)
        pgd = p.Attack(classifier, None, 20, compiled)
        found[f"JSA-10, {name}"] = lambda jsa=jsa: jsa(x, y, encode(x))
        found[f"PGD-20, {name}"] = lambda pgd=pgd: pgd(x, y)
    halves = p.InThreads(classifier, decode, encode, 10)
    found["JSA-10, PyTorch, halves in threads"] = lambda: halves(x, y)
    found["IJSAT step, PyTorch"] = lambda: trainer(x, y, encode)
    return found


def compiles() -> bool:
    """Whether `torch.compile` works here, as it needs a C++ compiler."""
    import torch

    try:
        torch.compile(lambda x: x + 1)(torch.ones(1))
    except Exception as error:
        print(f"  torch.compile does not work: {type(error).__name__}")
        return False
    return True


def others(
    width: int, hidden: int, batch: int, dtype: str
) -> dict[str, Callable[[], object]]:
    """PGD-20 by other libraries, on the same Keras network."""
    _, net, images, labels = networks(width, 8, batch, dtype)
    found = {}
    if importlib.util.find_spec("foolbox"):
        import foolbox

        wrapped = foolbox.TensorFlowModel(net, bounds=(0, 1))
        attack = foolbox.attacks.LinfPGD(
            abs_stepsize=2 / 255, steps=20, random_start=True
        )
        x, y = tf.constant(images), tf.constant(labels, tf.int64)
        found["PGD-20, Foolbox"] = lambda: attack(
            wrapped, x, y, epsilons=8 / 255
        )
    if importlib.util.find_spec("art"):
        from art.attacks.evasion import ProjectedGradientDescentTensorFlowV2
        from art.estimators.classification import TensorFlowV2Classifier

        estimator = TensorFlowV2Classifier(
            net,
            nb_classes=10,
            input_shape=(32, 32, 3),
            loss_object=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True
            ),
            clip_values=(0, 1),
        )
        art = ProjectedGradientDescentTensorFlowV2(
            estimator,
            eps=8 / 255,
            eps_step=2 / 255,
            max_iter=20,
            num_random_init=1,
            batch_size=batch,
            verbose=False,
        )
        found["PGD-20, ART"] = lambda: art.generate(images, labels)
    if importlib.util.find_spec("cleverhans"):
        from cleverhans.tf2.attacks.projected_gradient_descent import (
            projected_gradient_descent,
        )

        found["PGD-20, CleverHans"] = lambda: projected_gradient_descent(
            net,
            tf.constant(images),
            8 / 255,
            2 / 255,
            20,
            np.inf,
            clip_min=0.0,
            clip_max=1.0,
            sanity_checks=False,
        )
    return found


if __name__ == "__main__":
    commandline.run(main)
