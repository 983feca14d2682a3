"""Pre-activation ResNet-18 against PyTorch's layers and weight counts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.models import preact_resnet18
from tests.models import reference

RANDOM = np.random.default_rng(0)


def _images(*shape):
    return RANDOM.random(shape, np.float32)


def _count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.mark.parametrize(
    ("classes", "settings", "count"),
    [
        (10, {}, 11_172_170),
        # RLAT's pads the first convolution otherwise, with as many weights.
        (1000, {"stem": "imagenet", "image_shape": (64, 64, 3)}, 11_687_848),
    ],
)
def test_networks_have_the_published_number_of_weights(
    classes, settings, count
):
    model = preact_resnet18(classes, **settings)
    assert _count(model.trainable_weights) == count


def _network(layers, x, stem):
    functional = layers.torch.nn.functional
    relu = functional.relu
    if stem == "cifar":
        x = layers.convolution(x, "stem")
    else:
        x = relu(layers.pair(x, "stem", 2))
        x = functional.max_pool2d(x, 3, 2, 1)
    for stage in range(1, 5):
        for name in (f"stage{stage}_block1", f"stage{stage}"):
            stride = 2 if stage > 1 and name.endswith("block1") else 1
            y = relu(layers.norm(x, f"{name}_norm"))
            if stride == 2:
                x = layers.convolution(y, f"{name}_skip", 2)
            y = relu(layers.pair(y, f"{name}_1", stride))
            x = x + layers.convolution(y, f"{name}_2")
    x = relu(layers.norm(x, "last_norm")).mean((2, 3))
    return layers.dense(x, "logits")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("stem", "shape"), [("cifar", (16, 24, 3)), ("imagenet", (50, 64, 2))]
)
def test_the_network_is_that_of_pytorch(stem, shape, training):
    model = preact_resnet18(5, width=4, image_shape=shape, stem=stem)
    reference.randomize(model)
    reference.compare_with_torch(
        model,
        lambda layers, x: _network(layers, x, stem),
        _images(4, *shape),
        training,
    )


def test_the_stages_end_before_activations():
    model = preact_resnet18(3, width=2, image_shape=(8, 8, 3))
    x = _images(4, 8, 8, 3)
    for stage in model.stages[:-1]:
        x = stage(x)
        assert np.min(x) < 0


def test_normalization_equals_normalized_images():
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    shape = {"width": 2, "image_shape": (8, 8, 3)}
    plain = preact_resnet18(3, **shape)
    model = preact_resnet18(3, normalization=(mean, deviation), **shape)
    model.set_weights(plain.get_weights())
    images = _images(2, 8, 8, 3)
    expected = plain((images - np.array(mean)) / np.array(deviation))
    np.testing.assert_allclose(model(images), expected, atol=1e-5)


def test_logits_are_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = preact_resnet18(3, width=2, image_shape=(8, 8, 3))
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("stage4").output.dtype == "bfloat16"
    assert model(_images(2, 8, 8, 3)).dtype == tf.float32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "`classes` must be an integer.*1$"),
        ({"image_shape": (32, 32)}, "`image_shape` must be three"),
        ({"stem": "cifar10"}, "'cifar' or 'imagenet'.*'cifar10'"),
        ({"normalization": (0.5, 0.2)}, "`normalization` must be a pair"),
    ],
)
def test_what_is_no_network_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        preact_resnet18(**{"classes": 3, "width": 2, **settings})
