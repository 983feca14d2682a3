"""Measures how near a generator's samples are to images, by a classifier.

python benchmarks/frechet.py --gan=runs/cifar10/sngan/sngan.keras \\
    --classifier=runs/cifar10/standard/classifier.keras --grid=samples.png

The command prints Frechet distances from the test images, in the features that
the classifier's last Dense layer takes. It measures samples, as many Gaussian
images with the mean and covariance of all pixels of the training images,
clipped to [0, 1], and as many training images, which no generator can surpass.
The distances are not the FID, which uses another network.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import checks, commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_string("gan", None, "path of an sngan.keras", required=True)
flags.DEFINE_string(
    "classifier", None, "path of a classifier.keras", required=True
)
commandline.define_data()
flags.DEFINE_integer("examples", 10_000, "images of each kind, at most", 2)
flags.DEFINE_string("grid", None, "PNG to write, of 10 x 10 samples")


def main(_: list[str]) -> None:
    gan = commandline.load(FLAGS.gan, "generator", "sample")
    network = features_of(commandline.load(FLAGS.classifier, "classifier"))
    train, test = (
        ij.data.load(*commandline.split(name)) for name in ("train", "test")
    )
    count = min(FLAGS.examples, len(test.images), len(train.images))
    samples = gan.sample(count, FLAGS.seed).numpy()
    if FLAGS.grid:
        ij.evaluation.sample_grid(samples[:100], FLAGS.grid)
    kinds = {
        "samples": samples,
        "Gaussian images": gaussian(train.scaled(), count),
        "training images": train.take(count).scaled(),
    }
    real = features(network, test.take(count).scaled())
    print(f"| {count} of each | Frechet distance |")
    print("| --- | --- |")
    for name, images in kinds.items():
        found = ij.evaluation.frechet_distance(features(network, images), real)
        print(f"| {name} | {found:.4f} |", flush=True)


def features_of(classifier: keras.Model) -> keras.Model:
    """The classifier up to the input of its last Dense layer."""
    dense = [
        layer
        for layer in classifier.layers
        if isinstance(layer, keras.layers.Dense)
    ]
    checks.require(
        dense and classifier.inputs,
        "--classifier must be a functional network with a Dense layer.",
        FLAGS.classifier,
    )
    return keras.Model(classifier.inputs, dense[-1].input)


def features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """The features (N, D) of images (N, H, W, C) in [0, 1]."""
    found = network.predict(images, batch_size=250, verbose=0)
    return found.reshape(len(images), -1)


def gaussian(images: np.ndarray, count: int) -> np.ndarray:
    """Clipped draws of N(m, C) with the mean and covariance of the images."""
    flat = images.reshape(len(images), -1)
    mean = flat.mean(axis=0)
    flat -= mean
    random = np.random.default_rng(FLAGS.seed)
    drawn = []
    for start in range(0, count, 500):
        rows = min(500, count - start)
        # Random sums of the images have exactly the images' covariance.
        weights = random.standard_normal((rows, len(flat)), np.float32)
        drawn.append(mean + weights @ flat / np.sqrt(len(flat) - 1))
    return np.clip(np.concatenate(drawn), 0, 1).reshape(
        count, *images.shape[1:]
    )


if __name__ == "__main__":
    commandline.run(main)
