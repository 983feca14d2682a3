"""Weights of StyleGAN's PyTorch version: what is read and what is refused."""

import sys

import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.generators import stylegan_pytorch
from tests.generators import stylegan_reference as reference
from tests.generators.stylegan_test import SIZES, make, random_latents


def test_two_ways_to_double_are_one_up_to_a_mirror():
    _, tensors = make(8, fused_from=8)
    other = dict(tensors)
    weight = other.pop("synthesis.layer2.weight")[::-1, ::-1]
    other["synthesis.layer2.conv.weight"] = weight.transpose(3, 2, 0, 1)
    latents = np.random.default_rng(1).normal(size=(2, 4, 5))
    np.testing.assert_allclose(
        reference.synthesize(other, latents),
        reference.synthesize(tensors, latents),
        rtol=1e-6,
    )


def test_what_plays_no_part_may_be_missing():
    generator, tensors = make()
    latents = random_latents(generator)
    images = generator.decode(latents)
    for name in list(tensors):
        if "output0" in name or "blur" in name or "truncation.t" in name:
            del tensors[name]
    del tensors["synthesis.lod"]
    generator.load_pytorch(tensors)
    np.testing.assert_array_equal(generator.decode(latents), images)


def test_each_wrong_tensor_is_named():
    generator, tensors = make()
    before = generator.get_weights()
    del tensors["mapping.dense3.wscale.bias"]
    tensors["synthesis.layer6.conv.weight"] = np.zeros(3)
    tensors["synthesis.layer1.conv.weight"] = np.zeros((6, 5, 3, 3))
    tensors["synthesis.layer2.blur.kernel"] = np.ones((6, 1, 3, 3))
    tensors["synthesis.lod"] = np.float32(1)
    tensors["truncation.w_avg"] = tensors["truncation.w_avg"] + 1
    with pytest.raises(ValueError, match="resolution 16") as raised:
        generator.load_pytorch(tensors)
    for text in (
        "mapping.dense3.wscale.bias is missing",
        "synthesis.layer6.conv.weight is unknown",
        "layer1.conv.weight has shape (6, 5, 3, 3), not (6, 6, 3, 3)",
        "synthesis.layer2.blur.kernel is not",
        "synthesis.lod is not [0.]",
    ):
        assert text in str(raised.value)
    for one, other in zip(before, generator.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_a_file(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    generator, tensors = make()
    latents = random_latents(generator)
    images = generator.decode(latents)
    path = tmp_path / "stylegan.pth"
    torch.save({name: torch.tensor(t) for name, t in tensors.items()}, path)
    fresh = ij.generators.StyleGAN(16, **SIZES)
    fresh.load_pytorch(path)
    np.testing.assert_array_equal(fresh.decode(latents), images)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="must hold a `state_dict`"):
        fresh.load_pytorch(path)


def test_a_file_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch.*NumPy"):
        make()[0].load_pytorch("stylegan.pth")


@pytest.mark.parametrize("fused", [True, False])
def test_a_doubling_convolution_by_numpy(fused):
    """Before the blur, from one tensor in either of its two forms."""
    generator = ij.generators.StyleGAN(8, **SIZES)
    tensors = reference.random_tensors(
        8, fused_from=8 if fused else 128, **SIZES
    )
    stylegan_pytorch.load(generator, tensors)
    x = np.random.default_rng(1).normal(size=(2, 6, 4, 4))
    if fused:
        weight = tensors["synthesis.layer2.weight"]
        expected = reference.double_and_convolve(x, weight)
    else:
        weight = tensors["synthesis.layer2.conv.weight"]
        doubled = x.repeat(2, axis=2).repeat(2, axis=3)
        expected = reference.convolve(doubled, weight) * np.sqrt(2 / (9 * 6))
    transposed = generator.convolutions[1].layers[0]
    found = transposed(np.float32(x.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(
        found, expected.transpose(0, 2, 3, 1), rtol=1e-4, atol=1e-5
    )
