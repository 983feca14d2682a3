"""The latent space against the flow, and against generators from elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import seeds
from ijsat_tf.spaces import L2, Latent, Linf
from tests import tiny


class Decoder:
    """A generator that has no way back from images."""

    def decode(self, latents):
        return tf.reshape(tf.sigmoid(latents), [-1, 8, 8, 2])


class Inexact:
    """A generator whose inverse is off by 0.03."""

    variable_dtype = "float32"

    def __init__(self, compute_dtype):
        self.compute_dtype = compute_dtype

    def encode(self, images):
        return tf.reshape(images, [-1, 128])

    def decode(self, latents):
        return tf.reshape(latents, [-1, 8, 8, 2]) + 0.03


def test_no_change_gives_back_the_images(flow, images):
    space = Latent(flow, Linf(0.1))
    context = space.prepare(tf.constant(images), None)
    same = space.apply(images, space.start(context, None), context)
    np.testing.assert_allclose(same, images, atol=1e-5)


def test_a_change_moves_the_latents(flow, images):
    space = Latent(flow, Linf(0.1))
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, seeds.derive(0))
    moved = space.apply(images, change, context)
    for after, before, part in zip(
        flow.encode(moved), flow.encode(images), change, strict=True
    ):
        np.testing.assert_allclose(after - before, part, atol=1e-4)
        assert 0.05 < np.abs(part).max() <= 0.1


@pytest.mark.parametrize("levels", [[1], [2], [2, 1]])
def test_levels_bound_what_moves(flow, images, levels):
    space = Latent(flow, L2(0.5), levels)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, seeds.derive(0))
    assert [part.shape[1:] for part in change] == [
        flow.latent_shapes[level - 1] for level in levels
    ]
    after = flow.encode(space.apply(images, change, context))
    for number, before in enumerate(flow.encode(images), start=1):
        part = change[levels.index(number)] if number in levels else 0
        np.testing.assert_allclose(after[number - 1] - before, part, atol=1e-4)


def test_standardized_latents_are_the_flow_s(flow, images):
    space = Latent(flow, Linf(0.1), standardized=True)
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, seeds.derive(0))
    after = flow.encode(space.apply(images, change, context), standardized=True)
    before = flow.encode(images, standardized=True)
    for late, early, part in zip(after, before, change, strict=True):
        np.testing.assert_allclose(late - early, part, atol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_an_inexact_inverse_is_made_up_for(images, precision):
    space = Latent(Inexact(precision), Linf(0.1))
    context = space.prepare(tf.constant(images), None)
    same = space.apply(images, space.start(context, None), context)
    error = 0 if precision == "bfloat16" else 0.03
    np.testing.assert_allclose(same - images, error, atol=1e-6)
    moved = space.apply(images, tf.fill([6, 128], 0.1), context)
    np.testing.assert_allclose(moved - same, 0.1, atol=1e-6)


def test_given_latents_are_taken_as_they_are(images):
    latents = tf.random.stateless_normal([6, 128], [0, 0])
    space = Latent(Decoder(), L2(0.5))
    context = space.prepare(tf.constant(images), latents)
    change = space.start(context, seeds.derive(0))
    moved = space.apply(images, change, context)
    expected = 1 / (1 + np.exp(-(latents + change)))
    np.testing.assert_allclose(
        moved, expected.reshape(6, 8, 8, 2), rtol=1e-5, atol=1e-6
    )
    norms = np.linalg.norm(change, axis=1)
    np.testing.assert_allclose(space.measure(change)["latent"], norms, 1e-5)


class Several:
    """A generator of two latents, with an integer that says where."""

    latent_shapes = [(3,), (1,), (4,)]

    def decode(self, latents):
        first, place, last = latents
        rows = tf.one_hot(place[:, 0], 8)[:, :, None, None]
        total = tf.reduce_sum(first, 1) + tf.reduce_sum(last, 1)
        return rows * tf.ones([1, 1, 8, 2]) * total[:, None, None, None]


SEVERAL = (np.ones((6, 3), "f"), np.ones((6, 1), "int32"), np.ones((6, 4), "f"))


@pytest.mark.parametrize("levels", [None, [3]])
def test_integers_among_latents_never_move(images, levels):
    space = Latent(Several(), Linf(0.1), levels)
    latents = tf.nest.map_structure(tf.constant, SEVERAL)
    context = space.prepare(tf.constant(images), latents)
    change = space.start(context, seeds.derive(0))
    assert [part.shape[1] for part in change] == ([3, 4] if not levels else [4])
    moved = space.apply(tf.constant(images), change, context)
    expected = np.zeros((6, 8, 8, 2))
    sums = [7 + sum(np.sum(part[row]) for part in change) for row in range(6)]
    expected[:, 1] = np.reshape(sums, (6, 1, 1))
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    slopes = tf.nest.map_structure(tf.ones_like, change)
    after = space.with_steps(1).update(change, slopes, images, 0)
    np.testing.assert_allclose(space.measure(after)["latent"], 0.1, rtol=1e-5)


@pytest.mark.parametrize(
    "latents",
    [SEVERAL[0], SEVERAL[:2], (*SEVERAL[:2], SEVERAL[0]), SEVERAL[::-1]],
)
def test_latents_of_another_generator_are_refused(images, latents):
    latents = tf.nest.map_structure(tf.constant, latents)
    space = Latent(Several(), Linf(0.1))
    with pytest.raises(ValueError, match=r"must have the shapes.*\(3,\)"):
        space.prepare(tf.constant(images), latents)


def test_latents_are_compared_with_the_shape_of_one(images):
    space = Latent(tiny.Decoder(), Linf(0.1))
    space.prepare(tf.constant(images), tf.zeros([6, 6]))
    for wrong in (tf.zeros([6, 7]), [tf.zeros([6, 6])]):
        with pytest.raises(ValueError, match=r"decodes, \(6,\).*Augmented"):
            space.prepare(tf.constant(images), wrong)


@pytest.mark.parametrize("levels", [[2], [4]])
def test_levels_must_number_floats(images, levels):
    space = Latent(Several(), Linf(0.1), levels)
    latents = tf.nest.map_structure(tf.constant, SEVERAL)
    with pytest.raises(ValueError, match="must be the numbers of float"):
        space.prepare(tf.constant(images), latents)
    with pytest.raises(ValueError, match="must be the numbers of float"):
        Latent(Decoder(), Linf(0.1), [1]).prepare(images, latents[0])


def test_without_a_way_back_latents_must_be_given(images):
    with pytest.raises(ValueError, match="no `encode`.*`latents`"):
        Latent(Decoder(), Linf(0.1)).prepare(images, None)


def test_a_generator_must_decode():
    with pytest.raises(ValueError, match="generator with `decode"):
        Latent(keras.Sequential(), Linf(0.1))


def test_the_ball_must_be_one(flow):
    with pytest.raises(ValueError, match="`latent` must be a ball"):
        Latent(flow, 0.02)


@pytest.mark.parametrize("levels", [[0], [3], [], [1, -1], [1.0], ["2"]])
def test_levels_that_the_flow_lacks_are_refused(flow, levels):
    with pytest.raises(ValueError, match="`levels` must be numbers from 1 to"):
        Latent(flow, Linf(0.1), levels)


def test_latent_is_a_value(flow):
    space = Latent(flow, Linf(0.1), levels=[2])
    assert {space: 1}[Latent(flow, Linf(0.1), (2,))] == 1
    assert space.with_steps(5).ball == Linf(0.1, step=0.05)
    assert space.replaces_images
    config = keras.saving.serialize_keras_object(space)
    again = keras.saving.deserialize_keras_object(config)
    assert repr(again) == repr(space)
    assert again.networks()[0].latent_shapes == flow.latent_shapes
