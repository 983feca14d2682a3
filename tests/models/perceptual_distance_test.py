"""The perceptual distance against its formula in NumPy and float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.models import PerceptualDistance, perceptual_distance
from tests.models.reference import randomize

SHAPE = (16, 16, 3)
DRAWS = np.random.default_rng(0)
IMAGES, OTHERS = DRAWS.random((2, 4, *SHAPE)).astype("float32")


def _alexnet():
    """A network from elsewhere, of convolutions and pooling."""
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(6, 5, strides=2, activation="relu", name="a"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(8, 3, activation="relu", name="b"),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu", name="c"),
            keras.layers.Dense(2),
        ]
    )


NETWORKS = {
    "resnet18": lambda: ij.models.resnet18(3, 4, SHAPE),
    "preact_resnet18": lambda: ij.models.preact_resnet18(3, 4, SHAPE),
    "small_cnn": lambda: ij.models.small_cnn(3, 4, SHAPE),
    "alexnet": _alexnet,
}
STAGES = ["stage1", "stage2", "stage3", "stage4"]
LAYERS = dict.fromkeys(NETWORKS, STAGES) | {"alexnet": ["a", "b", "c"]}


def by_hand(activations):
    """phi, place by place."""
    vectors = []
    for activation in activations:
        activation = np.asarray(activation, "float64")
        places = activation.reshape(len(activation), -1, activation.shape[-1])
        length = np.linalg.norm(places, axis=2, keepdims=True)
        unit = places / np.where(length == 0, 1, length)
        unit /= np.sqrt(places.shape[1])
        vectors.append(unit.reshape(len(activation), -1))
    return np.concatenate(vectors, 1)


@pytest.mark.sampled
@pytest.mark.parametrize("name", NETWORKS)
def test_features_and_distance(name):
    network = NETWORKS[name]()
    randomize(network)
    outputs = [network.get_layer(layer).output for layer in LAYERS[name]]
    inside = keras.Model(network.inputs[0], outputs)
    expected = [
        by_hand(inside(batch, training=False)) for batch in (IMAGES, OTHERS)
    ]
    layers = LAYERS[name] if name == "alexnet" else None
    distance = PerceptualDistance(network, layers)
    np.testing.assert_allclose(
        distance.features(IMAGES), expected[0], atol=2e-5
    )
    np.testing.assert_allclose(
        distance(IMAGES, OTHERS),
        np.linalg.norm(expected[0] - expected[1], axis=1),
        rtol=1e-4,
    )
    np.testing.assert_array_equal(distance(IMAGES, IMAGES), np.zeros(4))
    features, logits = distance.with_outputs()(tf.constant(IMAGES))
    np.testing.assert_allclose(features, expected[0], atol=2e-5)
    np.testing.assert_allclose(logits, network(IMAGES), atol=1e-4)


def test_gradient_against_differences():
    keras.utils.set_random_seed(1)
    before = keras.config.floatx(), keras.config.dtype_policy()
    # Keras casts images to the type of the network's input, which is floatx.
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    network = ij.models.small_cnn(3, 4, SHAPE)
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
    features = PerceptualDistance(network).prepare()
    origin = features(tf.constant(OTHERS, tf.float64))
    images = tf.constant(IMAGES, tf.float64)

    def distance(moved):
        return perceptual_distance.norm(features(moved) - origin)

    with tf.GradientTape() as tape:
        tape.watch(images)
        found = distance(images)
    slope = tape.gradient(found, images)
    change = DRAWS.normal(size=IMAGES.shape)
    quotient = (
        distance(images + 1e-6 * change) - distance(images - 1e-6 * change)
    ) / 2e-6
    expected = tf.reduce_sum(slope * change, [1, 2, 3])
    np.testing.assert_allclose(quotient, expected, rtol=1e-3)


def test_gradients_are_finite_where_nothing_is_active_or_nothing_differs():
    activation = tf.Variable(np.float32([[[0.0, 0.0], [3.0, 4.0]]]))
    with tf.GradientTape(persistent=True) as tape:
        features = perceptual_distance.unit_features([activation])
        total = tf.reduce_sum(features)
        gap = perceptual_distance.norm(features - tf.stop_gradient(features))
    np.testing.assert_allclose(
        features, [[0, 0, 0.6 / 2**0.5, 0.8 / 2**0.5]], rtol=1e-6
    )
    assert np.isfinite(tape.gradient(total, activation)).all()
    np.testing.assert_array_equal(gap, [0])
    np.testing.assert_array_equal(
        tape.gradient(gap, activation), np.zeros((1, 2, 2))
    )


def test_features_are_at_least_float32():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = ij.models.small_cnn(3, 8, SHAPE)
    keras.config.set_dtype_policy(policy)
    rough = PerceptualDistance(network)
    assert rough.features(IMAGES).dtype == tf.float32
    exact = ij.models.small_cnn(3, 8, SHAPE)
    exact.set_weights(network.get_weights())
    np.testing.assert_allclose(
        rough(IMAGES, OTHERS), PerceptualDistance(exact)(IMAGES, OTHERS), 0.05
    )


def test_a_distance_is_a_value():
    network = ij.models.small_cnn(3, 4, SHAPE)
    distance = PerceptualDistance(network, ["stage1", "stage3"])
    assert distance == PerceptualDistance(network, ("stage1", "stage3"))
    assert distance != PerceptualDistance(network)
    assert distance.networks() == [network]
    config = keras.saving.serialize_keras_object(distance)
    copy = keras.saving.deserialize_keras_object(config)
    copy.network.set_weights(network.get_weights())
    np.testing.assert_array_equal(
        copy(IMAGES, OTHERS), distance(IMAGES, OTHERS)
    )


@pytest.mark.parametrize(
    ("layers", "message"),
    [(None, "`layers` must be given"), (["d"], "`layers` must name layers")],
)
def test_a_network_must_have_the_layers(layers, message):
    with pytest.raises(ValueError, match=message):
        PerceptualDistance(_alexnet(), layers)


@pytest.mark.parametrize("images", [IMAGES * 255, IMAGES[:, :8], IMAGES[0]])
def test_wrong_images_are_refused(images):
    distance = PerceptualDistance(ij.models.small_cnn(3, 4, SHAPE))
    with pytest.raises(ValueError, match="`images` must"):
        distance(images, OTHERS)
