"""JPEG's coefficients against SciPy's cosine transform."""

import io

import numpy as np
import pytest
import tensorflow as tf
from scipy import fft

from ijsat_tf.spaces import JPEG, jpeg
from tests import slopes

TO_YCC = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.168736, -0.331264, 0.5],
        [0.5, -0.418688, -0.081312],
    ]
)


def images_of(shape, count=2):
    draws = np.random.default_rng(0).random((count, *shape))
    return draws.astype("float32")


def compressed(image, luminance, chrominances):
    """The whole way of a codec: colours, averages, DCT and back, in
    float64 and grey levels, with half of `change` added after division."""

    def coded(plane, change, table):
        out = np.empty_like(plane)
        for top in range(0, plane.shape[0], 8):
            for left in range(0, plane.shape[1], 8):
                cut = slice(top, top + 8), slice(left, left + 8)
                levels = fft.dctn(plane[cut] - 128, norm="ortho") / table
                levels += change[cut] / 2
                out[cut] = fft.idctn(levels * table, norm="ortho") + 128
        return out

    height, width, channels = image.shape
    multiple = 16 if channels == 3 else 8
    spare = [(0, -side % multiple) for side in (height, width)]
    image = np.pad(255.0 * image, [*spare, (0, 0)], mode="edge")
    if channels != 3:
        planes = [
            coded(image[..., n], luminance[..., n], jpeg.LUMINANCE)
            for n in range(channels)
        ]
        return np.stack(planes, -1)[:height, :width] / 255
    planes = image @ TO_YCC.T + [0, 128, 128]
    tall, wide = planes.shape[:2]
    small = planes.reshape(tall // 2, 2, wide // 2, 2, 3).mean((1, 3))
    red, blue = np.zeros(3), np.zeros(3)
    y = coded(planes[..., 0], luminance[..., 0], jpeg.LUMINANCE)
    blue, red = (
        np.kron(
            coded(small[..., n], chrominances[..., n - 1], jpeg.CHROMINANCE),
            np.ones((2, 2)),
        )
        - 128
        for n in (1, 2)
    )
    green = y - 0.344136 * blue - 0.714136 * red
    out = np.stack([y + 1.402 * red, green, y + 1.772 * blue], -1)
    return out[:height, :width] / 255


def in_place(part):
    """(B, h, w, 64 C) coefficients as a plane (B, 8 h, 8 w, C)."""
    batch, rows, columns, depth = part.shape
    blocks = np.reshape(part, (batch, rows, columns, 8, 8, depth // 64))
    blocks = np.transpose(blocks, (0, 1, 3, 2, 4, 5))
    return blocks.reshape(batch, 8 * rows, 8 * columns, -1).astype("float64")


@pytest.mark.parametrize(
    "shape",
    [
        (16, 32, 3),
        (32, 32, 3),
        (28, 28, 3),
        (8, 8, 3),
        (8, 8, 1),
        (28, 20, 1),
        (8, 16, 2),
    ],
)
def test_it_is_what_a_codec_without_rounding_gives(shape):
    images = images_of(shape)
    space = JPEG(2.0)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, tf.constant([1, 2]))
    found = space.apply(tf.constant(images), change, context)
    planes = [in_place(part.numpy()) for part in change]
    chrominances = planes[1] if shape[-1] == 3 else [None] * 2
    expected = [
        compressed(image, y, c)
        for image, y, c in zip(images, planes[0], chrominances)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - images).mean() > 0.01


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 20, 2)])
def test_without_colours_no_change_gives_the_image(shape):
    images = images_of(shape)
    space = JPEG(1.0)
    context = space.prepare(tf.constant(images), None)
    found = space.apply(
        tf.constant(images), space.start(context, None), context
    )
    np.testing.assert_array_equal(found, images)


def test_grey_pixels_of_a_colour_image_have_nothing_to_average():
    images = np.repeat(images_of((16, 16, 1)), 3, axis=-1)
    space = JPEG(1.0)
    context = space.prepare(tf.constant(images), None)
    found = space.apply(
        tf.constant(images), space.start(context, None), context
    )
    np.testing.assert_allclose(found, images, atol=2e-6)


def test_tables_are_those_of_an_image_library():
    image_library = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    image_library.new("RGB", (16, 16)).save(file, "jpeg", quality=50)
    file.seek(0)
    tables = image_library.open(file).quantization
    for table, ours in zip(tables.values(), (jpeg.LUMINANCE, jpeg.CHROMINANCE)):
        assert sorted(table) == sorted(np.ravel(ours))


def norms(change):
    flat = np.concatenate(
        [np.reshape(part, (len(part), -1)) for part in change], axis=1
    )
    return {
        "linf": np.abs(flat).max(1),
        "l2": np.linalg.norm(flat, axis=1),
        "l1": np.abs(flat).sum(1),
    }, np.abs(flat).max()


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize(
    "norm, budget", [("linf", 0.5), ("l2", 9.0), ("l1", 7)]
)
def test_the_start_and_every_update_keep_the_budget(norm, budget, reference):
    images = tf.constant(images_of((16, 16, 3), 8))
    space = JPEG(budget, norm=norm, reference=reference).with_steps(4)
    assert space.step == (None if norm == "l1" else budget / 2)
    context = space.prepare(images, None)
    change = space.start(context, tf.constant([3, 4]))
    scale = budget if reference else 1
    used, _ = norms([part / scale for part in change])
    assert (used[norm] <= budget * (1 + 1e-5)).all()
    assert used[norm].std() > 1e-4 * budget
    draws = np.random.default_rng(3)
    for iteration in range(4):
        gradient = [draws.standard_t(1, part.shape) for part in change]
        gradient = [tf.constant(part, tf.float32) for part in gradient]
        change = space.update(change, gradient, None, tf.constant(iteration))
        used, largest = norms(change)
        assert (used[norm] <= budget * (1 + 1e-5)).all()
        if not reference and norm != "linf":
            assert largest <= 2 * (1 + 1e-6)
        np.testing.assert_allclose(
            space.measure(change)["jpeg"], used[norm], rtol=1e-5
        )


def test_an_update_in_l1_goes_to_the_farthest_point():
    gradient = np.random.default_rng(0).normal(size=(5, 1, 1, 64))
    zeros = tf.zeros([5, 1, 1, 64])
    space = JPEG(7.0, norm="l1")
    found = space.update(
        [zeros], [tf.constant(gradient, tf.float32)], None, tf.constant(0)
    )[0].numpy()
    for slope, point in zip(gradient.reshape(5, 64), found.reshape(5, 64)):
        order = np.argsort(-np.abs(slope))
        expected = np.zeros(64)
        expected[order[:3]], expected[order[3]] = 2, 1
        np.testing.assert_allclose(point, expected * np.sign(slope))
    # The second update goes half of the way to the opposite point.
    back = space.update(
        [tf.constant(found)],
        [tf.constant(-gradient, tf.float32)],
        None,
        tf.constant(1),
    )
    np.testing.assert_allclose(back[0], 0, atol=1e-6)


def test_gradients_are_those_of_finite_differences():
    images = images_of((9, 7, 3), 1).astype("float64")
    space = JPEG(1.0)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, tf.constant([1, 2]))
    weights = np.random.default_rng(2).normal(size=images.shape)

    def function(images, *change):
        return tf.reduce_sum(weights * space.apply(images, change, context))

    slopes.check(function, images, *change)


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="`norm` must be 'linf', 'l2' or 'l1'"):
        JPEG(1.0, norm="l0")
    with pytest.raises(ValueError, match="leave `step` out"):
        JPEG(1.0, step=0.1, norm="l1")
