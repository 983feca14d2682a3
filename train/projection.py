"""Projection of a set of images onto the manifold of a GAN."""

from __future__ import annotations

from typing import Any

import keras
import settings
from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline


def run() -> None:
    """Writes the projected set om_DATASET into --workdir."""
    train = ij.data.load(*commandline.split("train"))
    test = ij.data.load(*commandline.split("test"))
    if FLAGS.train_examples:
        train = train.take(FLAGS.train_examples)
    if FLAGS.test_examples:
        test = test.take(FLAGS.test_examples)
    if not FLAGS.gan:
        raise ValueError(
            "--method=project needs --gan: train a GAN with --method=sngan"
        )
    gan = commandline.load(FLAGS.gan, "GAN", "decode")
    commandline.in_float32(gan)
    search = ij.generators.Projection(
        gan,
        distance(),
        FLAGS.projection_steps,
    )
    # One image shows at once whether images, GAN and distance fit each other.
    search(train.take(1).scaled())
    folder = settings.claim(FLAGS.workdir)
    written = ij.generators.project_dataset(
        f"om_{FLAGS.dataset}",
        train,
        test,
        search,
        folder,
        FLAGS.batch_size,
        FLAGS.seed,
    )
    print(
        f"{written}: read it with --dataset={written.name} --data_dir={folder}"
    )


def distance() -> Any:
    """The perceptual distance that the flags name, or None."""
    if FLAGS.features and FLAGS.vgg16:
        raise ValueError(
            "--features and --vgg16 both name a network: give only one of them"
        )
    if FLAGS.vgg16:
        return ij.models.LPIPS(FLAGS.vgg16, FLAGS.lpips)
    if not FLAGS.features:
        return None
    network: keras.Model = commandline.load(FLAGS.features, "classifier")
    commandline.in_float32(network)
    return ij.models.PerceptualDistance(network, FLAGS.feature_layers)
