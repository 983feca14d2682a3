"""Chains of spaces against the same chain by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.spaces import L2, Joint, Latent, Linf, Pixels

TWO = Joint(Pixels(Linf(0.1, step=0.05)), Pixels(L2(0.5, step=0.2)))


def test_each_space_changes_what_the_one_before_made(flow, images):
    space = Joint(Latent(flow, Linf(0.1)), Linf(0.05))
    context = space.prepare(tf.constant(images), None)
    shift, delta = space.start(context, seeds.derive(0))
    latents = [
        latent + part
        for latent, part in zip(flow.encode(images), shift, strict=True)
    ]
    np.testing.assert_allclose(
        space.apply(images, [shift, delta], context),
        flow.decode(latents) + delta,
        atol=1e-5,
    )


def test_starts_of_the_parts_are_independent(images):
    space = Joint(Linf(0.1), Linf(0.1))
    context = space.prepare(tf.constant(images), None)
    first, second = space.start(context, seeds.derive(0))
    assert abs(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]) < 0.1
    for still in space.start(context, None):
        np.testing.assert_array_equal(still, 0)


def test_each_space_moves_along_its_own_gradient(images):
    change = [images - 0.5, 0.5 - images]
    slopes = [images - 0.4, images - 0.6]
    moved = TWO.update(change, slopes, images, 0)
    for space, part, slope, found in zip(
        TWO.spaces, change, slopes, moved, strict=True
    ):
        alone = space.update(part, slope, None, 0)
        np.testing.assert_array_equal(found, alone)


def test_each_space_has_a_budget_of_its_own(images):
    three = Joint(*TWO.spaces, Linf(0.2))
    used = three.measure([images, 2 * images, 3 * images])
    rows = images.reshape(6, -1)
    expected = {
        "pixels": np.abs(rows).max(1),
        "pixels2": 2 * np.linalg.norm(rows, axis=1),
        "pixels3": 3 * np.abs(rows).max(1),
    }
    assert list(used) == list(expected)
    for name, norms in expected.items():
        np.testing.assert_allclose(used[name], norms, rtol=1e-6)


def test_chains_nest(images):
    space = Joint(Joint(Linf(0.1), Linf(0.1)), Linf(0.1))
    context = space.prepare(tf.constant(images), None)
    change = space.start(context, seeds.derive(0))
    total = images + sum(tf.nest.flatten(change))
    np.testing.assert_allclose(
        space.apply(images, change, context), total, atol=1e-6
    )
    assert len(space.measure(change)) == 3


def test_a_latent_must_come_first(flow):
    latent = Latent(flow, Linf(0.1))
    assert Joint(latent, Linf(0.1)).replaces_images
    assert not TWO.replaces_images
    for spaces in (
        [Linf(0.1), latent],
        [latent, latent],
        [Linf(0.1), Joint(latent, Linf(0.1))],
    ):
        with pytest.raises(ValueError, match="must come first in a `Joint`"):
            Joint(*spaces)


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(
        ValueError, match="`spaces` of Joint must be at least one"
    ):
        Joint()
    with pytest.raises(ValueError, match="`space` must be a space"):
        Joint(Linf(0.1), "pixels")


def test_joint_is_a_value():
    assert {TWO: 1}[Joint(*TWO.spaces)] == 1
    assert eval(repr(TWO), vars(ij.spaces)) == TWO
    assert Joint(Linf(0.1)).with_steps(5) == Joint(Linf(0.1, step=0.05))
    config = keras.saving.serialize_keras_object(TWO)
    assert keras.saving.deserialize_keras_object(config) == TWO
