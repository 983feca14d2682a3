"""Measures the cost of training on several devices.

python benchmarks/scaling.py --markdown=docs/scaling_cost.md

The command times one device beside MirroredStrategy with two logical CPUs, with
the same global batch on the same cores, which shows the cost of the
distribution itself. It counts the bytes that replicas exchange in a step of
IJSAT, and the operations of each replica. From these numbers and the rates that
--teraflops and --gigabytes suppose it computes how eight devices would share
the work. Run the command on an idle machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable

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
flags.DEFINE_integer("repetitions", 5, "of each fit", 1)
flags.DEFINE_integer("batch_size", 64, "images a step, on all devices", 2)
flags.DEFINE_integer("steps", 4, "of each fit", 1)
flags.DEFINE_float("teraflops", 50.0, "operations of a device, 1e12/s", 0.0)
flags.DEFINE_list(
    "gigabytes",
    ["200", "12.5", "1.25"],
    "1e9 bytes/s between devices: within a machine, at 100 and at 10 Gbit/s",
)
flags.DEFINE_string("markdown", None, "file to write the page into")

METHODS = ("AT", "IJSAT")
REPLICAS = 2
K = 10


def main(_: list[str]) -> None:
    settings = FLAGS.batch_size, FLAGS.steps
    groups = [
        Group(fits, method, replicas, *settings)
        for method in METHODS
        for replicas in (1, REPLICAS)
    ]
    seconds, _ = interleaved(groups, FLAGS.repetitions)
    for group in groups:
        group.close()
    lines = [
        machine(),
        "",
        f"Fits of {FLAGS.steps} steps of {FLAGS.batch_size} images in all, "
        f"K = {K}, ResNet-18 of width 16 and Glow 4x8 of width 64 in float32: "
        "seconds on one device, and on two logical devices on the cores of "
        "that device.",
        "",
        "| method | one device | two replicas | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for method in METHODS:
        one, two = (seconds[f"{method}, {n}"] for n in (1, REPLICAS))
        lines.append(f"| {method} | {one:.2f} | {two:.2f} | {two / one:.2f} |")
    lines += [
        "",
        "What one replica exchanges with the others in a step of IJSAT at the "
        "paper's settings (ResNet-18 of width 64, float32), whatever its "
        "batch:",
        "",
        "| what | bytes |",
        "| --- | --- |",
        *(f"| {what} | {size:,} |" for what, size in exchanged().items()),
        "",
        *expected(sum(exchanged().values())),
    ]
    print("\n".join(lines))
    write("Cost of several devices", lines, FLAGS.markdown)


def fits(method: str, replicas: int, batch: int, steps: int) -> dict:
    """The function of a short fit, {"METHOD, REPLICAS": function}.

    Args:
        method: Name of the method, one of `METHODS`.
        replicas: Number of replicas.
        batch: Number of images per step, on all replicas.
        steps: Number of steps of the fit.
    """
    processors = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        processors[0], [tf.config.LogicalDeviceConfiguration()] * replicas
    )
    keras.utils.set_random_seed(0)
    draws = np.random.default_rng(0)
    images = draws.random((batch, 32, 32, 3)).astype("float32")
    labels = draws.integers(0, 10, batch)
    batches = tf.data.Dataset.from_tensors((images, labels)).repeat()
    with ij.training.strategy("mirrored" if replicas > 1 else "none").scope():
        model = trained(method, images)
    return {
        f"{method}, {replicas}": lambda: model.fit(
            batches, steps_per_epoch=steps, verbose=0, shuffle=False
        )
    }


def trained(method: str, images: np.ndarray) -> keras.Model:
    """A compiled model of a method."""
    net = ij.models.resnet18(10, width=16)
    pixels = ij.spaces.Linf(8 / 255, step=2 / 255)
    if method == "IJSAT":
        flow = ij.flows.Glow(hidden=64)
        flow.initialize(images)
        latent = ij.spaces.Linf(0.02, step=0.005)
        model = ij.training.IJSAT(
            net, ij.attacks.JointSpaceAttack(flow, pixels, latent, steps=K)
        )
    else:
        at = ij.training.methods.AT(ij.attacks.PGD(pixels, steps=K))
        model = ij.training.AdversarialModel(net, at)
    model.compile(optimizer=ij.training.SGD(1e-6, l2=2e-4))
    return model


def exchanged() -> dict[str, int]:
    """The bytes that a replica exchanges, {what: bytes}, in float32."""
    net = ij.models.resnet18(10)
    gradients = sum(
        int(np.prod(weight.shape)) for weight in net.trainable_weights
    )
    norms = [
        layer
        for layer in net._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    # The mean and the variance of each channel are exchanged forwards, and
    # their gradients backwards.
    channels = sum(norm.moving_mean.shape[0] for norm in norms)
    return {
        "gradients of the classifier": 4 * gradients,
        "statistics of its BatchNorms, and their gradients": 16 * channels,
        "crafting: JSA, on the replica's own samples": 0,
        "the flow, which is not trained": 0,
        "weights, which stay equal by equal updates": 0,
    }


def expected(size: int) -> list[str]:
    """The table of the share of time that 8 devices do not spend on exchange.

    Args:
        size: Number of bytes that a replica exchanges per step.
    """
    images = tf.random.stateless_uniform((2, 32, 32, 3), (0, 0))
    net, flow = ij.models.resnet18(10), ij.flows.Glow(hidden=512)
    flow.initialize(images)
    classify = operations(lambda x: net(x, training=False), [images[:1]])
    decode = operations(
        lambda *latents: flow.decode(list(latents)), flow.encode(images[:1])
    )
    # Encoding costs as much as decoding. A step of the attack runs flow and
    # classifier forwards, and backwards to their inputs. Training also runs
    # the classifier backwards to its weights.
    total = decode + K * 2 * (decode + classify) + 3 * classify
    rate, devices = FLAGS.teraflops * 1e12, 8
    lines = [
        f"An image is {classify / 1e9:.2f}e9 operations in the classifier and "
        f"{decode / 1e9:.2f}e9 in Glow 4x8 of width 512, so that a step with "
        f"K = {K} is {total / 1e9:.0f}e9. Where a device does "
        f"{FLAGS.teraflops:g}e12 a second, and nothing is exchanged while it "
        f"computes, {devices} devices in a ring are busy for this share of "
        "their time:",
        "",
        "| images a device | seconds "
        + "".join(f"| {speed} GB/s " for speed in FLAGS.gigabytes)
        + "|",
        "| --- | --- " + "| --- " * len(FLAGS.gigabytes) + "|",
    ]
    for images in (16, 128):
        busy = images * total / rate
        shares = []
        for speed in commandline.numbers("gigabytes", float):
            # In a ring each device sends and receives nearly all bytes twice.
            sent = 2 * (devices - 1) / devices * size / (speed * 1e9)
            shares.append(f"{100 * busy / (busy + sent):.1f} %")
        lines.append(f"| {images} | {busy:.3f} | {' | '.join(shares)} |")
    return lines


def operations(function: Callable, tensors: list[tf.Tensor]) -> int:
    """The floating-point operations of a call."""
    graph = tf.function(function, autograph=False)
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    return profiler.profile(
        graph.get_concrete_function(*tensors).graph,
        options={**options, "output": "none"},
    ).total_float_ops


if __name__ == "__main__":
    commandline.run(main)
