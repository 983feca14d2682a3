"""The Joint Space Attack against closed forms, and what it leaves alone.

On a freshly made flow, which is affine, and a linear classifier the attack
gains eps |w|_1 + eta |A^T w|_1: the sum of what each space gives.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import JointSpaceAttack
from ijsat_tf.spaces import L2, Linf
from tests import tiny

WEIGHTS, MODEL = tiny.make_linear()
SIGN = np.array([1, -1, 1, -1, 1, -1])
CLASSES = (SIGN < 0).astype("int32")
EPSILON, ETA = 0.05, 0.03


@pytest.mark.sampled
@pytest.mark.parametrize(
    "latent, levels, targeted",
    [
        (Linf(ETA), None, False),
        (Linf(ETA), None, True),
        (Linf(ETA), [2], False),
        # Each step halves what is left of the angle: see pgd_test.
        (L2(ETA, step=ETA), None, False),
    ],
)
def test_it_gains_the_sum_of_both_spaces(images, latent, levels, targeted):
    flow = tiny.make_flow(perturbed=False)
    blocks = tiny.pulled_back(flow, WEIGHTS)
    slope = np.concatenate(blocks if levels is None else blocks[1:])
    attack = JointSpaceAttack(
        flow, Linf(EPSILON), latent, 20, levels, targeted=targeted
    )
    result = attack(MODEL, images, CLASSES)
    assert 0 < np.min(result.images) < np.max(result.images) < 1
    gains = SIGN * np.sum(WEIGHTS * (result.images - images), (1, 2, 3))
    dual = np.linalg.norm(slope, 1 if isinstance(latent, Linf) else 2)
    expected = EPSILON * np.abs(WEIGHTS).sum() + ETA * dual
    np.testing.assert_allclose(
        gains, (-1 if targeted else 1) * expected, rtol=1e-4
    )
    assert set(result.budget) == {"latent", "pixels"}
    np.testing.assert_allclose(result.budget["latent"], ETA, rtol=1e-5)
    np.testing.assert_allclose(result.budget["pixels"], EPSILON, rtol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_saturated_pixels_keep_their_gradient(flow, level):
    # Half of the random starts lie outside of [0, 1], where a hard clip
    # would leave them for good.
    images = np.full((6, *tiny.SHAPE), level, "float32")
    attack = JointSpaceAttack(flow, Linf(EPSILON), Linf(0))
    result = attack(MODEL, images, CLASSES)
    moved = EPSILON * SIGN[:, None, None, None] * np.sign(WEIGHTS)
    expected = np.clip(images + moved, 0, 1)
    np.testing.assert_allclose(result.images, expected, atol=1e-5)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_radii_of_zero_return_the_images(images, flow, dtype):
    attack = JointSpaceAttack(flow.with_dtype(dtype), Linf(0), Linf(0), 2)
    result = attack(MODEL, images, CLASSES)
    # Low precision adds the residual; float32 leaves its inversion error.
    error = 1e-5 if dtype == "float32" else 1e-6
    np.testing.assert_allclose(result.images, images, atol=error)
    for used in result.budget.values():
        np.testing.assert_array_equal(used, 0)


class Decoder(keras.Model):
    """A linear decoder in the place of a GAN's."""

    def decode(self, latents):
        return 0.5 + 0.1 * tf.reshape(latents, [-1, *tiny.SHAPE])

    def encode(self, images):
        raise AssertionError("Latents were given.")


def test_given_latents_are_the_base_of_the_attack(images):
    latents = np.random.default_rng(0).uniform(-1, 1, (6, 128))
    latents = latents.astype("float32")
    attack = JointSpaceAttack(Decoder(), Linf(EPSILON), Linf(ETA))
    result = attack(MODEL, images, CLASSES, latents=latents)
    moved = (0.1 * ETA + EPSILON) * SIGN[:, None] * np.sign(WEIGHTS).ravel()
    expected = (0.5 + 0.1 * latents + moved).reshape(images.shape)
    np.testing.assert_allclose(result.images, expected, atol=1e-6)


@pytest.fixture(scope="module")
def crafted(flow):
    """An attack on a classifier with BatchNorm, and what it found."""
    model = tiny.make_classifier()
    model.layers[1].moving_mean.assign([0.1, -0.1, 0.2, 0.0])
    model.layers[0].trainable = False
    images = np.random.default_rng(0).random((6, *tiny.SHAPE), "float32")
    labels = np.array([0, 1, 2, 0, 1, 2])
    attack = JointSpaceAttack(flow, Linf(0.1), Linf(0.2), steps=3)
    result = attack(model, images, labels, seed=5)
    return attack, model, images, labels, result


def test_crafting_leaves_the_networks_alone(crafted):
    attack, model, images, labels, _ = crafted
    weights = [*attack.flow.weights, *model.weights]
    before = [(weight.numpy(), weight.trainable) for weight in weights]
    attack(model, images, labels, seed=6)
    for weight, (value, trainable) in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
        assert weight.trainable == trainable


def test_the_result_lies_in_range_and_within_its_budget(crafted):
    _, _, images, _, result = crafted
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    assert np.all(result.budget["latent"] <= 0.2 + 1e-6)
    assert np.all(result.budget["pixels"] <= 0.1 + 1e-6)
    assert np.abs(result.images - images).max() > 0.1


def test_success_and_loss_are_of_exactly_the_images(crafted):
    _, model, images, labels, result = crafted

    def logits_and_loss(images):
        logits = model(images, training=False)
        loss = keras.losses.sparse_categorical_crossentropy
        return logits, loss(labels, logits, from_logits=True)

    logits, loss = logits_and_loss(result.images)
    np.testing.assert_allclose(result.loss, loss, rtol=1e-5)
    np.testing.assert_array_equal(
        result.success, np.argmax(logits, axis=1) != labels
    )
    assert np.all(result.loss > logits_and_loss(images)[1])


def test_inside_a_graph_it_finds_the_same(crafted):
    attack, model, images, labels, result = crafted
    step = tf.function(
        lambda images, labels: attack(model, images, labels, seed=5)
    )
    found = step(images, labels)
    np.testing.assert_allclose(found.images, result.images, atol=1e-5)
    np.testing.assert_array_equal(found.success, result.success)


def test_the_graph_does_not_grow_with_the_steps(flow, images):
    def nodes(steps):
        attack = JointSpaceAttack(flow, Linf(0.1), Linf(0.1), steps)
        traced = tf.function(lambda images: attack(MODEL, images, CLASSES))
        graph = traced.get_concrete_function(images).graph.as_graph_def()
        inner = graph.library.function
        return len(graph.node) + sum(len(each.node_def) for each in inner)

    assert nodes(5) == nodes(50) > 100


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"steps": 0}, "`steps` must be an integer"),
        ({"restarts": 0}, "`restarts` must be an integer"),
        ({"restarts": 2, "random_start": False}, "need random starts"),
        ({"levels": [0]}, "`levels` must be numbers from 1 to 2"),
        ({"levels": [3]}, "`levels` must be numbers from 1 to 2"),
        ({"levels": []}, "`levels` must be numbers from 1 to 2"),
        ({"pixels": 8 / 255}, "`ball` must be a ball"),
        ({"latent": 0.02}, "`latent` must be a ball"),
        ({"flow": MODEL}, "a generator with `decode"),
    ],
)
def test_wrong_settings_are_refused_at_once(flow, settings, message):
    given = {"flow": flow, "pixels": Linf(0.1), "latent": Linf(0.1)}
    with pytest.raises(ValueError, match=message):
        JointSpaceAttack(**{**given, **settings})


def test_images_that_do_not_fit_the_flow_are_refused(flow):
    attack = JointSpaceAttack(flow, Linf(0.1), Linf(0.1), 2)
    with pytest.raises(ValueError, match=r"`images` must have.*8, 8, 2"):
        attack(lambda images: images[:, 0, 0], np.zeros((2, 8, 8, 3)), [0, 1])
