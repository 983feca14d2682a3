"""VAE-GAN's networks, losses and gradients against its authors' code.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with a
clone of https://github.com/davidstutz/disentangling-robustness-generalization,
named stutz.
"""

import os
import pathlib
import sys
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from tests import tiny

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
FOLDER = pathlib.Path(os.environ.get("IJSAT_ORACLES", "")) / "stutz"
if not FOLDER.exists():
    pytest.skip(
        "IJSAT_ORACLES names no folder with a clone of Stutz et al.'s code",
        allow_module_level=True,
    )
SHAPE = (32, 32, 3)
CODES, WIDTH, BATCH = 5, 4, 6
BETA, GAMMA = 2.75, 0.5


@pytest.fixture(scope="module")
def code():
    """The modules of its training script."""
    before = dict(sys.modules)
    sys.path.insert(0, str(FOLDER))
    time.clock = time.perf_counter  # Which Python has no more.
    # Folders of its authors, which it demands.
    sys.modules["common.paths"] = types.ModuleType("common.paths")
    try:
        from training import train_vae_gan2

        yield train_vae_gan2
    finally:
        sys.path.remove(str(FOLDER))
        del time.clock
        for name in set(sys.modules) - set(before):
            if name.split(".")[0] in ("training", "models", "common"):
                del sys.modules[name]


@pytest.fixture(scope="module")
def networks(code):
    settings = {
        "resolution": (3, 32, 32),
        "architecture": "standard",
        "activation": "relu",
        "start_channels": WIDTH,
    }
    torch.manual_seed(0)
    found = [
        code.models.LearnedVariationalEncoder(CODES, 0, **settings),
        code.models.LearnedDecoder(CODES, **settings),
        code.models.Classifier(1, kernel_size=6, **settings),
    ]
    for network in found:
        for name, weight in network.named_parameters():
            if name.startswith("conv") and not weight.shape[1:]:
                continue  # BatchNorm takes it away, but for the last.
            weight.data += 0.1 * torch.randn_like(weight)
    return found


def arrays(network, gradients=False):
    """Weights or gradients in the order and layout of this library."""
    for name, weight in network.named_parameters():
        value = (weight.grad if gradients else weight).detach().numpy()
        layer, kind = name.split(".")
        if layer.startswith("conv") and kind == "bias":
            if value.shape == (3,):
                yield value
        elif layer.startswith("conv"):
            yield value.transpose(2, 3, 1, 0)
        elif layer == "code":  # (C h w) becomes (h w C).
            value = value.reshape(16, 4, 4, -1).transpose(3, 1, 2, 0)
            yield value.reshape((-1, 256) if kind == "weight" else 256)
        elif kind == "weight" and layer in (
            "mu_code",
            "logvar_code",
            "representation",
        ):
            value = value.reshape(-1, 32, 2, 2).transpose(2, 3, 1, 0)
            yield value.reshape(128, -1)
        else:
            yield value.T


def test_networks_losses_and_gradients(code, networks):
    encoder, decoder, classifier = networks
    generator = ij.generators.VAEGAN(
        SHAPE, CODES, WIDTH, beta=BETA, gamma=GAMMA
    )
    generator.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)
    own = (generator.encoder, generator.decoder, generator.discriminator)
    for network, mine in zip(networks, own):
        for variable, value in zip(
            mine.trainable_variables, arrays(network), strict=True
        ):
            variable.assign(value)

    images = tiny.random_images(BATCH, SHAPE)
    batch = torch.tensor(images.transpose(0, 3, 1, 2)).contiguous()
    noise = seeds.normal(tf.zeros([BATCH, CODES]), seeds.derive(0, "train", 0))
    script = code.TrainVAEGAN2
    settings = types.SimpleNamespace(
        args=types.SimpleNamespace(absolute_error=True)
    )

    def terms():
        mean, log_variance = encoder(batch)
        deviation = torch.exp(0.5 * log_variance)
        decoded = decoder(mean + deviation * torch.tensor(noise.numpy()))
        real, false = classifier(batch), classifier(decoded)
        return (
            script.latent_loss(None, mean, log_variance),
            script.reconstruction_loss(settings, batch, decoded),
            script.decoder_loss(None, false),
            script.discriminator_loss(None, real, false),
        )

    # As the script does, but each from the weights before the step.
    gradients = []
    for number, network in enumerate(networks):
        for each in networks:
            each.zero_grad()
        latent, reconstruction, fooled, judged = terms()
        loss = BETA * reconstruction + GAMMA * fooled
        loss = [latent + loss, loss, GAMMA * judged][number]
        loss.backward()
        gradients.append(list(arrays(network, gradients=True)))
    expected = [term.item() / BATCH for term in terms()]

    before = [
        [variable.numpy() for variable in mine.trainable_variables]
        for mine in own
    ]
    logs = generator.train_on_batch(images, return_dict=True)
    names = ("kl", "reconstruction", "adversarial", "discriminator")
    found = [logs[name] for name in names]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    for mine, old, wanted in zip(own, before, gradients, strict=True):
        scale = max(np.abs(each).max() for each in wanted)
        for variable, start, gradient in zip(
            mine.trainable_variables, old, wanted, strict=True
        ):
            moved = start - variable.numpy()
            np.testing.assert_allclose(
                moved, gradient / BATCH, atol=1e-4 * scale / BATCH
            )
