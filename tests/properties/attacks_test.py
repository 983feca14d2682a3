"""Attacks keep their promises for any images and labels, or refuse them."""

import functools

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from tests import tiny  # noqa: E402
from tests.conformance.catalogue import ATTACKS, BALL, LATENT  # noqa: E402
from tests.properties import drawing  # noqa: E402

NAMES = (
    *("FGSM", "PGD", "PGD, L2", "PGD, restarts", "PGD, targeted"),
    *("MomentumPGD", "OnManifoldPGD", "APGD", "JointSpaceAttack"),
    *("Square", "FAB", "Elastic, reference", "Ascent in JPEG"),
)
RADII = {"PGD, L2": 0.4, "Elastic, reference": 0.5, "Ascent in JPEG": 0.5}
CLASSES = 3
OTHERS = ["x", 1j, 3, np.float32(np.nan), -0.01, 1.01, 255, np.inf]


@functools.cache
def classifier():
    return tiny.make_classifier(CLASSES)


def means(images):
    """A classifier of images of any shape."""
    means = tf.reduce_mean(tf.cast(images, tf.float32), axis=[1, 2, 3])
    return tf.stack([means, 2 - means, 3 * means**2], axis=1)


def promised(result, model, images, labels, targeted=False):
    """Holds what every result promises; labels are classes."""
    assert result.images.shape == images.shape
    assert result.images.dtype.size >= 4
    assert np.isfinite(result.images).all()
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    assert np.isfinite(result.loss).all()
    reached = np.argmax(model(result.images), axis=1) == labels
    np.testing.assert_array_equal(result.success, reached == targeted)
    for used in result.budget.values():
        assert used.shape == labels.shape and np.isfinite(used).all()


@pytest.mark.parametrize("name", NAMES)
def test_any_images_of_a_shape(name, flow):
    attack, model = ATTACKS[name](flow), classifier()

    @drawing.quick
    @given(drawing.images_of(tiny.SHAPE), drawing.seeds)
    def holds(images, seed):
        labels = np.random.default_rng(seed).integers(0, CLASSES, len(images))
        found = attack(model, images, labels, seed=seed)
        targeted = attack.labels_are_targets
        promised(found, model, images, labels, targeted)
        for space, used in found.budget.items():
            radius = LATENT.radius if space == "latent" else BALL.radius
            assert np.max(used) <= RADII.get(name, radius) * (1 + 1e-5) + 1e-6
        if "pixels" in found.budget and len(found.budget) == 1:
            moved = np.abs(found.images - images)
            assert np.max(moved) <= RADII.get(name, BALL.radius) + 1e-6

    holds()


# A type, a shape or a rank is a graph each.
@settings(drawing.quick, max_examples=12)
@given(
    st.data(),
    st.sampled_from([(1, 1, 1), (3, 5, 4)]),
    st.sampled_from(["float32", "float64", "float16"]),
    st.sampled_from(["int32", "int64", "uint8", "one-hot", "soft", "(B, 1)"]),
)
def test_any_form_of_images_and_labels(data, shape, dtype, kind):
    images = data.draw(drawing.images_of(shape)).astype(dtype)
    chance = np.random.default_rng(len(images))
    classes = chance.integers(0, CLASSES, len(images))
    labels = classes
    if kind == "one-hot":
        labels = np.eye(CLASSES)[classes]
    elif kind == "soft":
        labels = np.eye(CLASSES, dtype="float32")[classes] * 0.7 + 0.1
    elif kind == "(B, 1)":
        labels = classes[:, np.newaxis]
    else:
        labels = classes.astype(kind)
    attack = ij.attacks.PGD(BALL, steps=2)
    given_as = data.draw(st.sampled_from([np.asarray, tf.constant]))
    promised(
        attack(means, given_as(images), given_as(labels)),
        means,
        images,
        classes,
    )


def refused(name, *arguments):
    """That PGD refuses these with a reason that names the argument."""
    with pytest.raises(ValueError) as error:
        ij.attacks.PGD(BALL, steps=2)(means, *arguments)
    text = str(error.value)
    assert f"`{name}`" in text and "Received: " in text, text
    assert "\n" not in text and len(text) < 400


@drawing.quick
@given(st.data(), st.sampled_from(OTHERS))
def test_a_single_wrong_value_is_refused(data, value):
    images = data.draw(drawing.images_of(tiny.SHAPE))
    place = data.draw(st.integers(0, images.size - 1))
    wrong = images.astype(np.result_type(images, np.asarray(value)))
    wrong.flat[place] = value
    if wrong.dtype == images.dtype and 0 <= wrong.flat[place] <= 1:
        return
    refused("images", wrong, np.zeros(len(images), int))


@drawing.quick
@given(
    st.lists(st.integers(0, 3), max_size=5),
    st.sampled_from("float32 float64 int32 uint8 bool complex64 str".split()),
)
def test_images_of_another_shape_or_type_are_refused(shape, dtype):
    images = np.zeros(shape, dtype)
    if len(shape) == 4 and 0 not in shape and dtype.startswith("float"):
        return
    refused("images", images, np.zeros(shape[:1], int))


@drawing.quick
@given(
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from("float32 int32 int64 uint8 bool str object".split()),
    st.sampled_from([-1, 0, CLASSES, 0.5, np.nan, 10**12]),
)
def test_labels_that_do_not_fit_are_refused(shape, dtype, value):
    images = np.full((2, *tiny.SHAPE), 0.5, "float32")
    try:
        with np.errstate(invalid="ignore"):
            labels = np.full(shape, value).astype(dtype)
    except (OverflowError, ValueError):
        return
    if shape in ([2], [2, 1]) and labels.dtype.kind in "iufb":
        numbers = labels.astype("float64")
        if np.isin(numbers, range(3)).all():
            return
    refused("labels", images, labels)


@drawing.quick
@given(
    st.sampled_from([ij.spaces.Linf, ij.spaces.L2, ij.spaces.L1]),
    st.sampled_from(["radius", "step"]),
    drawing.not_numbers,
)
def test_radii_and_steps_that_are_no_numbers_are_refused(ball, name, value):
    if name == "step" and value is None:
        return
    with pytest.raises(ValueError, match=f"`{name}` of .* Received: "):
        ball(**{"radius": 0.1, name: value})


@drawing.quick
@given(
    st.sampled_from([ij.attacks.PGD, ij.attacks.APGD, ij.attacks.MomentumPGD]),
    st.sampled_from(
        [0, -1, 1.5, "2", None, float("nan"), [3], 2**31, 10**12, 10**30]
    ),
)
def test_steps_that_are_no_count_are_refused(attack, steps):
    with pytest.raises(ValueError, match="`steps` .* Received: "):
        attack(BALL, steps=steps)
