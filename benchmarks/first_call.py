"""Measures how long first calls take: tracing, optimizing, running once.

python benchmarks/first_call.py --markdown=docs/first_call.md

Each call is the first one of a process of its own, after the networks are
made; importing the library is not counted. The table has CPU seconds of all
threads, wall seconds, and the number of nodes of the graph with its functions,
which do not depend on the machine. Batches have 8 images, so that the work of
the networks counts for little.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # As the commands do.

import crafting  # noqa: E402
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402
from timing import machine, write  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
# The import of `crafting` defined --sizes and --markdown.
flags.DEFINE_list("calls", None, "names of calls; None for all")

BALL = ij.spaces.Linf(8 / 255)
CALLS = (
    "JSA-10",
    "JSA-10 in a tf.function",
    "IJSAT step",
    "Glow.fit step",
    "APGD-T",
    "FAB",
    "Square",
)


def main(_: list[str]) -> None:
    lines = [
        machine(),
        "",
        "| call | size | CPU s | wall s | nodes |",
        "| --- | --- | --- | --- | --- |",
    ]
    context = multiprocessing.get_context("spawn")
    for size in FLAGS.sizes:
        for name in FLAGS.calls or CALLS:
            with context.Pool(1) as pool:
                cpu, wall, nodes = pool.apply(first, (name, size))
            count = f"{nodes:,}" if nodes else ""
            lines.append(
                f"| {name} | {size} | {cpu:.1f} | {wall:.1f} | {count} |"
            )
            print(lines[-1], flush=True)
    write("First calls", lines, FLAGS.markdown)


def first(name: str, size: str) -> tuple[float, float, int]:
    """CPU seconds, wall seconds and nodes of the first call."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    width, hidden, _ = crafting.SIZES[size]
    flow, net, images, labels = crafting.networks(width, hidden, 8, "float32")
    call = candidate(name, flow, net)
    images, labels = tf.constant(images), tf.constant(labels)
    cpu, wall = time.process_time(), time.perf_counter()
    graph = call(images, labels)
    times = time.process_time() - cpu, time.perf_counter() - wall
    return *times, nodes(graph) if isinstance(graph, tf.Graph) else 0


def candidate(
    name: str, flow: ij.flows.Glow, net: keras.Model
) -> Callable[[tf.Tensor, tf.Tensor], object]:
    """A call, which returns its graph where the graph can be had."""
    jsa = ij.attacks.JointSpaceAttack(
        flow, crafting.PIXELS, crafting.LATENT, steps=10
    )
    attacks = {
        "JSA-10": jsa,
        "APGD-T": ij.attacks.APGD(BALL, "targeted"),
        "FAB": ij.attacks.FAB(BALL, steps=10),
        "Square": ij.attacks.Square(BALL, queries=100),
    }
    if name in attacks:
        return lambda x, y: attacks[name](net, x, y)
    if name == "JSA-10 in a tf.function":
        function = tf.function(lambda x, y: jsa(net, x, y).images)

        def called(x: tf.Tensor, y: tf.Tensor) -> tf.Graph:
            function(x, y)
            return function.get_concrete_function(x, y).graph

        return called
    if name == "IJSAT step":
        model = ij.training.IJSAT(net, jsa)
        model.compile(optimizer=ij.training.SGD(0.1, l2=2e-4))
        return lambda x, y: model.train_on_batch(x, y)
    flow.compile(optimizer="adam")
    return lambda x, y: flow.train_on_batch(x)


def nodes(graph: tf.Graph) -> int:
    """Nodes of a graph and of all functions that it calls."""
    definition = graph.as_graph_def()
    functions = definition.library.function
    return len(definition.node) + sum(len(f.node_def) for f in functions)


if __name__ == "__main__":
    commandline.run(main)
