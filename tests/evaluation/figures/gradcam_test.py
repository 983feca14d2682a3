"""Grad-CAM against a closed form."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy import ndimage

from ijsat_tf import models
from ijsat_tf.evaluation import grad_cam
from tests import tiny

IMAGES = tiny.random_images(4)


@pytest.fixture(scope="module")
def model():
    """Activations, their mean at all places, a dense layer: CAM itself."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(tiny.SHAPE)
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="last")(
        inputs
    )
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, name="dense")(x))


def expected(model, classes):
    activations = keras.Model(
        model.inputs[0], model.get_layer("last").output
    ).predict(IMAGES, verbose=0)
    kernel, _ = model.get_layer("dense").get_weights()
    # The constant 1 / (H W) of dz/dA goes out with the scaling.
    heat = np.einsum("bhwk,kb->bhw", activations, kernel[:, classes])
    heat = np.maximum(heat, 0)
    least = heat.min((1, 2), keepdims=True)
    spread = heat.max((1, 2), keepdims=True) - least
    return np.divide(heat - least, spread, where=spread > 0, out=heat * 0)


def test_it_is_class_activation_mapping_for_such_a_network(model):
    classes = np.array([0, 1, 2, 0])
    found = grad_cam(model, IMAGES, classes)
    np.testing.assert_allclose(found, expected(model, classes), atol=1e-5)
    assert found.shape == (4, 8, 8) and np.ptp(found) == 1


def test_by_default_it_explains_what_is_predicted(model):
    predicted = model.predict(IMAGES, verbose=0).argmax(1)
    np.testing.assert_array_equal(
        grad_cam(model, IMAGES), grad_cam(model, IMAGES, predicted)
    )


@pytest.mark.sampled
@pytest.mark.parametrize(
    "make, last",
    [
        (models.resnet18, "stage4"),
        (models.preact_resnet18, "last_relu"),
        (models.small_cnn, "stage4"),
    ],
)
def test_the_last_spatial_layer_of_our_own(make, last):
    model = make(3, width=2, image_shape=(16, 16, 3))
    images = tiny.random_images(2, (16, 16, 3))
    found = grad_cam(model, images)
    np.testing.assert_array_equal(found, grad_cam(model, images, layer=last))
    coarse = model.get_layer(last).output.shape[1]
    assert found.shape == (2, 16, 16) and coarse < 16


def test_a_foreign_sequential_model_and_an_early_layer():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, strides=2, name="early"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    images = tiny.random_images(2, (8, 8, 1))
    np.testing.assert_array_equal(
        grad_cam(model, images), grad_cam(model, images, layer="early")
    )


def test_enlarging_is_bilinear(model):
    inputs = keras.Input(tiny.SHAPE)
    pooled = layers.AveragePooling2D(2, name="pooled")(inputs)
    x = layers.Dense(2, use_bias=False)(layers.GlobalAveragePooling2D()(pooled))
    coarse = keras.Model(inputs, x)
    coarse.layers[-1].set_weights([np.ones((tiny.SHAPE[-1], 2))])
    heat = IMAGES.reshape(4, 4, 2, 4, 2, -1).mean((2, 4, 5))
    large = [
        ndimage.zoom(
            np.pad(one, 1, mode="edge"),
            2,
            order=1,
            grid_mode=True,
            mode="grid-constant",
        )[2:-2, 2:-2]
        for one in heat
    ]
    large = np.array(large) - np.min(large, (1, 2), keepdims=True)
    large /= large.max((1, 2), keepdims=True)
    np.testing.assert_allclose(grad_cam(coarse, IMAGES), large, atol=1e-5)


def test_a_model_without_places_is_refused():
    flat = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="no layer with a height"):
        grad_cam(flat, np.zeros((1, 4), "float32"))


def test_unknown_classes_are_refused(model):
    with pytest.raises(ValueError, match="class"):
        grad_cam(model, IMAGES, [0, 1, 2, 3])
