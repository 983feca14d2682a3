"""LPIPS against the formula of its authors in PyTorch, with random trunks."""

import os
import pathlib

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.models import LPIPS

DRAWS = np.random.default_rng(0)
IMAGES, OTHERS = DRAWS.random((2, 2, 16, 32, 3)).astype("float32")
WIDTHS = [64, 64, 128, 128, 256, 256, 256] + [512] * 6
# Where PyTorch has the convolutions, and which of them LPIPS compares.
PLACES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
COMPARED = {2: 0, 7: 1, 14: 2, 21: 3, 28: 4}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A random trunk, and random or the true linear weights, as PyTorch has
    them."""
    folder = tmp_path_factory.mktemp("lpips")
    trunk, before = {}, 3
    for place, width in zip(PLACES, WIDTHS):
        scale = np.sqrt(2 / (9 * before))
        kernel = DRAWS.normal(size=(width, before, 3, 3), scale=scale)
        trunk[f"features.{place}.weight"] = kernel.astype("float32")
        bias = DRAWS.normal(size=width, scale=0.1)
        trunk[f"features.{place}.bias"] = bias.astype("float32")
        before = width
    linear = {
        f"lin{n}.model.1.weight": DRAWS.random((1, width, 1, 1), "float32")
        for n, width in enumerate([64, 128, 256, 512, 512])
    }
    for name, arrays in (("trunk", trunk), ("linear", linear)):
        np.savez(folder / f"{name}.npz", **arrays)
    return folder / "trunk.npz", folder / "linear.npz"


def _true_weights():
    folder = os.environ.get("IJSAT_SHARED")
    if folder is None:
        pytest.skip("IJSAT_SHARED names no folder with LPIPS' weights")
    return pathlib.Path(folder) / "models/lpips_linear/v0.1/vgg.npz"


def _in_pytorch(trunk, linear, images, others):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    trunk, linear = np.load(trunk), np.load(linear)
    layer = torch.nn.functional
    shift = torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1)

    def units(batch):
        x = torch.tensor(np.transpose(batch, (0, 3, 1, 2)))
        x = (2 * x - 1 - shift) / scale
        for place in PLACES:
            if place in (5, 10, 17, 24):
                x = layer.max_pool2d(x, 2)
            kernel = torch.tensor(trunk[f"features.{place}.weight"])
            bias = torch.tensor(trunk[f"features.{place}.bias"])
            x = layer.relu(layer.conv2d(x, kernel, bias, padding=1))
            if place in COMPARED:
                length = torch.sqrt(torch.sum(x**2, dim=1, keepdim=True))
                yield x / (length + 1e-10)

    total = 0
    for number, pair in enumerate(zip(units(images), units(others))):
        kernel = torch.tensor(linear[f"lin{number}.model.1.weight"])
        gap = layer.conv2d((pair[0] - pair[1]) ** 2, kernel)
        total = total + gap.mean(dim=(1, 2, 3))
    return total.numpy()


@pytest.mark.parametrize("weights", ["random", "true"])
def test_formula(files, weights):
    trunk, linear = files
    if weights == "true":
        linear = _true_weights()
    expected = _in_pytorch(trunk, linear, IMAGES, OTHERS)
    found = LPIPS(trunk, linear)(IMAGES, OTHERS)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_without_linear_weights_they_are_1(files, tmp_path):
    with np.load(files[1]) as linear:
        ones = {name: np.ones_like(linear[name]) for name in linear}
    np.savez(tmp_path / "ones.npz", **ones)
    lpips, same = LPIPS(files[0]), LPIPS(files[0], tmp_path / "ones.npz")
    np.testing.assert_array_equal(lpips(IMAGES, OTHERS), same(IMAGES, OTHERS))
    np.testing.assert_array_equal(lpips(IMAGES, IMAGES), [0, 0])


def test_it_is_saved_with_its_weights_and_never_trained(files, tmp_path):
    lpips = LPIPS(*files)
    assert lpips.trainable_weights == []
    assert {weight.dtype for weight in lpips.weights} == {"float32"}
    lpips.save(tmp_path / "lpips.keras")
    copy = keras.saving.load_model(tmp_path / "lpips.keras")
    np.testing.assert_array_equal(copy(IMAGES, OTHERS), lpips(IMAGES, OTHERS))
    assert copy.trainable_weights == []


def test_an_attack_may_be_bounded_by_it(files):
    lpips = LPIPS(*files)
    images = IMAGES[:1, :, :16]
    keras.utils.set_random_seed(0)
    model = ij.models.small_cnn(3, 4, images.shape[1:])
    attack = ij.attacks.FastLagrangePerceptual(0.2, lpips, steps=1)
    assert attack.networks() == [lpips]
    result = attack(model, images, [0])
    used = np.sqrt(lpips(result.images, images))
    np.testing.assert_allclose(result.budget["perceptual"], used, rtol=1e-3)


def test_a_file_without_the_weights_is_refused(files):
    with pytest.raises(ValueError, match="must hold `features.0.weight`"):
        LPIPS(files[1])
    with pytest.raises(ValueError, match="must hold `lin0.model.1.weight`"):
        LPIPS(linear=files[0])


def test_small_images_are_refused():
    with pytest.raises(ValueError, match="at least 16 pixels"):
        LPIPS()(IMAGES[:, :8], OTHERS[:, :8])
