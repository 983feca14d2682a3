"""Interpolations, read back from their files."""

import matplotlib.image
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf import evaluation
from tests import tiny

SHAPE = (8, 8, 1)  # Two channels could not be drawn.
IMAGES = tiny.random_images(4, SHAPE)


@pytest.fixture(scope="module")
def flow():
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=8)
    flow.initialize(tiny.random_images(32, SHAPE))
    return flow


def blocks(path, lines, columns):
    """The grid's images, (lines, columns, H, W), as far as pixels are whole."""
    found = matplotlib.image.imread(path)[..., 0]
    side = found.shape[1] // columns
    assert found.shape[0] == lines * side
    pixel = side // SHAPE[0]
    found = found[:, : columns * side]
    found = found.reshape(lines, side, columns, side).transpose(0, 2, 1, 3)
    return found[..., pixel // 2 :: pixel, pixel // 2 :: pixel][..., :8, :8]


def test_interpolations_end_in_the_images(flow, tmp_path):
    path = tmp_path / "lines.png"
    evaluation.interpolations(flow, IMAGES[:2], IMAGES[2:], path, columns=3)
    found = blocks(path, 2, 3)
    for column, images in ((0, IMAGES[:2]), (2, IMAGES[2:])):
        np.testing.assert_allclose(found[:, column], images[..., 0], atol=0.02)
    with pytest.raises(ValueError, match="2 or more"):
        evaluation.interpolations(flow, IMAGES, IMAGES, path, columns=1)


def test_between_the_ends_of_an_affine_flow_are_means(flow, tmp_path):
    """Before training the couplings are the identity, and G is affine."""
    path = tmp_path / "means.png"
    evaluation.interpolations(flow, IMAGES[:2], IMAGES[2:], path, columns=5)
    found = blocks(path, 2, 5)
    for column, share in enumerate((0, 0.25, 0.5, 0.75, 1)):
        wanted = (1 - share) * IMAGES[:2] + share * IMAGES[2:]
        np.testing.assert_allclose(found[:, column], wanted[..., 0], atol=0.02)


def test_sets_of_different_shapes_are_refused(flow, tmp_path):
    with pytest.raises(ValueError, match="shape of `images`"):
        evaluation.interpolations(
            flow, IMAGES[:2], IMAGES[:1], tmp_path / "lines.png"
        )
