"""Measures the numbers of a flow's card.

python benchmarks/flow_card.py --data_dir=FOLDER [--flow=FLOW] [--log=LOG.csv]

The command prints the bits/dim of all test images, inversion errors, the
standard deviations of the latents, and how far latent radii move images.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import csv  # noqa: E402

import numpy as np  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.flows import inversion, presets  # noqa: E402
from ijsat_tf.spaces import Latent, Linf, reach  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_string("flow", None, "path of a flow.keras; None for the preset")
flags.DEFINE_string("dataset", "cifar10", "a set of TensorFlow Datasets")
flags.DEFINE_string("data_dir", None, "where it lies; None downloads it")
flags.DEFINE_string("log", None, "log.csv of the flow's training")
flags.DEFINE_list("radii", ["0.002", "0.005", "0.02"], "latent radii")
flags.DEFINE_integer("examples", 200, "test images that are moved", 1)


def main(_: list[str]) -> None:
    path = FLAGS.flow or str(presets.path("glow_cifar10_small"))
    flow = commandline.load(path, "flow", "with_dtype")
    test = ij.data.load(FLAGS.dataset, "test", FLAGS.data_dir).scaled()
    if FLAGS.log:
        with open(FLAGS.log, encoding="utf-8") as file:
            bits = [float(row["bits_per_dim"]) for row in csv.DictReader(file)]
        print("bits/dim by epoch", ", ".join(f"{each:.3f}" for each in bits))
    batches = range(0, len(test), 500)
    bits = [flow.bits_per_dim(test[at : at + 500]) for at in batches]
    print(f"fitted to {flow.fitted_bits_per_dim:.4f} bits/dim")
    print(f"bits/dim {np.mean(np.concatenate(bits)):.4f} of {len(test)} images")
    images = test[: FLAGS.examples]
    for kind, error in inversion.inversion_errors(flow, images).items():
        print(f"inversion error, {kind}: {error:.2g}")
    deviations = [f"{np.std(latent):.3f}" for latent in flow.encode(images)]
    print("deviations of the latents", ", ".join(deviations))
    print(moved(flow, images))
    print(far(flow, images))


def moved(flow: ij.flows.Glow, images: np.ndarray) -> str:
    """The table of how far latent radii move images."""
    lines = [
        "| radius | latents | random: L2 | random: Linf | "
        "adversarial: L2 | adversarial: Linf |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for radius in commandline.numbers("radii", float):
        for standardized in (False, True):
            cells = [f"{radius:g}", "standardized" if standardized else "raw"]
            space = Latent(flow, Linf(radius), standardized=standardized)
            for found in reach(space, images):
                change = np.reshape(found - images, (len(images), -1))
                l2 = np.linalg.norm(change, axis=1).mean()
                linf = 255 * np.abs(change).max(axis=1).mean()
                cells += [f"{l2:.2f}", f"{linf:.1f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def far(flow: ij.flows.Glow, images: np.ndarray) -> str:
    """The lines that say whether unusual images are decoded finitely."""
    lines = []
    radius = max(commandline.numbers("radii", float))
    for kind, batch in inversion.kinds(images).items():
        for standardized in (False, True):
            space = Latent(flow, Linf(radius), standardized=standardized)
            finite = [np.isfinite(found).all() for found in reach(space, batch)]
            latents = "standardized" if standardized else "raw"
            verdict = "finite" if all(finite) else "NOT FINITE"
            lines.append(f"{kind}, {latents}, radius {radius:g}: {verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    commandline.run(main)
