"""StyleGAN against the PyTorch version whose weights it reads.

It runs where PyTorch is installed and IJSAT_ORACLES names a folder with a
clone of https://github.com/genforce/interfacegan, named interfacegan.
"""

import importlib.util
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
FILE = (
    pathlib.Path(os.environ.get("IJSAT_ORACLES", ""))
    / "interfacegan/models/stylegan_generator_model.py"
)
if not FILE.exists():
    pytest.skip(
        "IJSAT_ORACLES names no folder with a clone of interfacegan",
        allow_module_level=True,
    )
FIXED = ("blur.kernel", "synthesis.lod", "truncation.truncation")


def official(resolution):
    """The network, with random numbers in all that training changes."""
    spec = importlib.util.spec_from_file_location("official_stylegan", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    network = module.StyleGANGeneratorModel(resolution).eval()
    for name, tensor in network.state_dict().items():
        if not name.endswith(FIXED):
            tensor.copy_(torch.randn_like(tensor))
    return network


@pytest.mark.parametrize("resolution", [8, 32, 256])
def test_images_and_latents(resolution, tmp_path):
    network = official(resolution)
    torch.save(network.state_dict(), tmp_path / "stylegan.pth")
    generator = ij.generators.StyleGAN(resolution)
    generator.load_pytorch(tmp_path / "stylegan.pth")
    normal = tf.random.stateless_normal([1, 512], seeds.derive(0, "sample"))
    latents = np.random.default_rng(1).normal(size=(1, *generator.latent_shape))
    latents = latents.astype("float32")
    with torch.no_grad():
        styles = network.truncation(
            network.mapping(torch.tensor(normal.numpy()))
        )
        images = network.synthesis(torch.tensor(latents)).numpy()
    assert 0.5 < images.std() < 5
    np.testing.assert_allclose(
        generator.decode(latents),
        (images.transpose(0, 2, 3, 1) + 1) / 2,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        generator.sample_latents(1), styles, rtol=1e-4, atol=1e-5
    )
