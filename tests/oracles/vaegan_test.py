"""VAE-GAN, and attacks on its codes, against its authors' code.

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
        import attacks
        from training import train_vae_gan2

        yield types.SimpleNamespace(script=train_vae_gan2, attacks=attacks)
    finally:
        sys.path.remove(str(FOLDER))
        del time.clock
        for name in set(sys.modules) - set(before):
            if name.split(".")[0] in (
                "attacks",
                "training",
                "models",
                "common",
            ):
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
        code.script.models.LearnedVariationalEncoder(CODES, 0, **settings),
        code.script.models.LearnedDecoder(CODES, **settings),
        code.script.models.Classifier(1, kernel_size=6, **settings),
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
    script = code.script.TrainVAEGAN2
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


class Grey:
    """A generator whose images are the codes."""

    def decode(self, latents):
        return 0.5 + tf.reshape(latents, [-1, 2, 2, 1]) / 10


def test_adam_in_the_latent_space(code):
    """Classes that no step changes, where the source's result is the last."""
    draws = np.random.default_rng(0)
    latents = draws.normal(size=(6, 4), scale=1.5).astype("float32")
    weights = draws.normal(size=(4, 3)).astype("float32")
    bias = np.array([9.0, 0.0, 0.0], "float32")

    class Logits(torch.nn.Linear):
        def forward(self, codes):
            return super().forward(torch.sin(7 * (codes / 10 + 0.5)))

    logits = Logits(4, 3)
    logits.weight.data = torch.tensor(weights.T)
    logits.bias.data = torch.tensor(bias)

    def model(images):
        waves = tf.sin(7 * tf.reshape(images, [-1, 4]))
        return waves @ weights + bias

    attack = code.attacks.UntargetedBatchLInfProjectedClippedGradientDescent(
        logits, torch.tensor(latents), torch.zeros(6, dtype=int), 0.3
    )
    attack.set_bound(torch.full([4], -2.0), torch.full([4], 2.0))
    attack.set_c_0(0)
    attack.set_c_1(0)
    attack.set_c_2(1)
    attack.set_base_lr(0.005)
    attack.set_max_iterations(40)
    attack.set_training_mode()
    attack.initialize_zero()
    objective = code.attacks.UntargetedF0()
    success, changes, *_ = attack.run(objective, False)
    assert (success < 0).all() and np.abs(changes).max() > 0.1

    space = ij.spaces.AdamLatent(Grey(), ij.spaces.Linf(0.3, step=0.005))
    search = ij.attacks.Ascent(space, steps=40, random_start=False)
    images = Grey().decode(latents)
    result = search(model, images, np.zeros(6, int), latents=latents)
    np.testing.assert_allclose(
        result.images, Grey().decode(latents + changes), atol=1e-5
    )
