"""ResNets against parameter counts, and arithmetic in NumPy and PyTorch."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view

from ijsat_tf.models.resnet import resnet18, resnet50
from tests import tiny
from tests.models import reference

RANDOM = np.random.default_rng(0)


def _images(*shape):
    return RANDOM.random(shape, np.float32)


def _count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def test_the_cifar_network_has_the_published_number_of_weights():
    model = resnet18(10)
    assert _count(model.trainable_weights) == 11_173_962
    # The moving mean and variance of 4,800 channels.
    assert _count(model.non_trainable_weights) == 2 * 4800


def test_the_imagenet_network_has_the_published_number_of_weights():
    model = resnet18(1000, image_shape=(224, 224, 3), stem="imagenet")
    assert _count(model.trainable_weights) == 11_689_512
    assert model.get_layer("stem").output.shape == (None, 56, 56, 64)


def test_logits_are_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = resnet18(3, width=2)
    finally:
        keras.config.set_dtype_policy(policy)
    assert model.get_layer("stage4_2_convolution").output.dtype == ("bfloat16")
    assert model(_images(2, 32, 32, 3)).dtype == tf.float32


def _convolution(x, kernel, stride):
    """Cross-correlation with symmetric zero padding, as PyTorch pads."""
    size = kernel.shape[0]
    pad = size // 2
    x = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    windows = sliding_window_view(x, (size, size), axis=(1, 2))
    return np.einsum(
        "bhwcij,ijco->bhwo", windows[:, ::stride, ::stride], kernel
    )


def convolution_norm(model, name, x, stride):
    (kernel,) = model.get_layer(f"{name}_convolution").get_weights()
    norm = model.get_layer(f"{name}_norm").get_weights()
    gamma, beta, mean, variance = norm
    x = _convolution(x, kernel, stride)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def _relu(x):
    return np.maximum(x, 0)


def test_a_strided_block_is_its_definition():
    model = resnet18(3, width=4, image_shape=(10, 8, 3))
    reference.randomize(model)
    before, after = keras.Model(
        model.input,
        [
            model.get_layer("stage1").output,
            model.get_layer("stage2_block1").output,
        ],
    )(_images(2, 10, 8, 3))
    before = before.numpy().astype(np.float64)
    skip = convolution_norm(model, "stage2_block1_skip", before, 2)
    x = _relu(convolution_norm(model, "stage2_block1_1", before, 2))
    x = _relu(convolution_norm(model, "stage2_block1_2", x, 1) + skip)
    np.testing.assert_allclose(after, x, rtol=1e-4, atol=1e-5)


def test_a_block_without_stride_adds_its_input():
    model = resnet18(3, width=4, image_shape=(8, 8, 3))
    reference.randomize(model)
    before, after = keras.Model(
        model.input,
        [
            model.get_layer("stem").output,
            model.get_layer("stage1_block1").output,
        ],
    )(_images(2, 8, 8, 3))
    before = before.numpy().astype(np.float64)
    x = _relu(convolution_norm(model, "stage1_block1_1", before, 1))
    x = _relu(convolution_norm(model, "stage1_block1_2", x, 1) + before)
    np.testing.assert_allclose(after, x, rtol=1e-4, atol=1e-5)


def _basic_block(layers, x, name, stride):
    relu = layers.torch.nn.functional.relu
    y = relu(layers.pair(x, f"{name}_1", stride))
    y = layers.pair(y, f"{name}_2")
    if stride == 2:
        x = layers.pair(x, f"{name}_skip", stride)
    return relu(x + y)


def _bottleneck(layers, x, name, stride):
    relu = layers.torch.nn.functional.relu
    y = relu(layers.pair(x, f"{name}_1"))
    y = relu(layers.pair(y, f"{name}_2", stride))
    y = layers.pair(y, f"{name}_3")
    if name.endswith("block1"):
        x = layers.pair(x, f"{name}_skip", stride)
    return relu(x + y)


def _network(layers, x, block, blocks, stem):
    functional = layers.torch.nn.functional
    if stem == "cifar":
        x = functional.relu(layers.pair(x, "stem"))
    else:
        x = functional.relu(layers.pair(x, "stem", 2))
        x = functional.max_pool2d(x, 3, 2, 1)
    for stage, count in enumerate(blocks, start=1):
        for place in range(1, count):
            stride = 2 if stage > 1 and place == 1 else 1
            x = block(layers, x, f"stage{stage}_block{place}", stride)
        x = block(layers, x, f"stage{stage}", 1)
    return layers.dense(x.mean((2, 3)), "logits")


@pytest.mark.sampled
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("make", "block", "blocks", "stem", "shape"),
    [
        (resnet18, _basic_block, (2, 2, 2, 2), "cifar", (16, 24, 3)),
        (resnet50, _bottleneck, (3, 4, 6, 3), "cifar", (16, 8, 2)),
        (resnet50, _bottleneck, (3, 4, 6, 3), "imagenet", (50, 64, 3)),
    ],
)
def test_networks_are_those_of_pytorch(
    make, block, blocks, stem, shape, training
):
    model = make(5, width=2, image_shape=shape, stem=stem)
    reference.randomize(model)
    reference.compare_with_torch(
        model,
        lambda layers, x: _network(layers, x, block, blocks, stem),
        _images(4, *shape),
        training,
    )


@pytest.mark.parametrize(
    ("classes", "settings", "count"),
    [
        (1000, {}, 25_557_032),
        (10, {"stem": "cifar", "image_shape": (32, 32, 3)}, 23_520_842),
    ],
)
def test_resnet50_has_the_published_number_of_weights(classes, settings, count):
    model = resnet50(classes, **settings)
    assert _count(model.trainable_weights) == count


def test_kernels_of_resnet50_start_as_those_of_torchvision():
    model = resnet50(3, width=16, image_shape=(32, 32, 3))
    for name, fan_out in (("stage4_2", 9 * 128), ("stage4_3", 512)):
        kernel = model.get_layer(f"{name}_convolution").get_weights()[0]
        np.testing.assert_allclose(
            kernel.std(), np.sqrt(2 / fan_out), rtol=1e-2
        )
        # A normal one, and not cut off.
        assert np.abs(kernel).max() > 3.5 * kernel.std()


def test_kernels_start_as_those_of_pytorch():
    model = resnet18(10)
    kernel = model.get_layer("stage3_1_convolution").get_weights()[0]
    other = model.get_layer("stage3_2_convolution").get_weights()[0]
    limit = 1 / np.sqrt(9 * 256)
    assert np.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / np.sqrt(3), rtol=1e-2)
    assert not np.array_equal(kernel, other)
    bias = model.get_layer("logits").get_weights()[1]
    assert 0 < np.abs(bias).max() <= 1 / np.sqrt(512)


def test_normalization_equals_normalized_images():
    mean, deviation = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    plain = resnet18(3, width=2)
    model = resnet18(3, width=2, normalization=(mean, deviation))
    layers = [layer for layer in model.layers if layer.name != "normalize"]
    for layer, same in zip(layers, plain.layers, strict=True):
        layer.set_weights(same.get_weights())
    images = _images(2, 32, 32, 3)
    expected = plain((images - np.array(mean)) / np.array(deviation))
    np.testing.assert_allclose(model(images), expected, atol=1e-5)


def test_a_saved_network_comes_back(tmp_path):
    model = resnet18(3, width=2, normalization=([0.5] * 3, [0.2] * 3))
    reference.randomize(model)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    images = _images(2, 32, 32, 3)
    np.testing.assert_array_equal(again(images), model(images))


@pytest.mark.variant
def test_batch_norm_is_synchronized_under_two_replicas():
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two logical CPU devices")
    alone = resnet18(3, width=2, image_shape=(8, 8, 3))
    strategy = tiny.two_replicas()
    with strategy.scope():
        shared = resnet18(3, width=2, image_shape=(8, 8, 3))
    shared.set_weights(alone.get_weights())
    images = tf.constant(_images(8, 8, 8, 3))

    @tf.function
    def step():
        def forward():
            context = tf.distribute.get_replica_context()
            first = 4 * context.replica_id_in_sync_group
            return shared(images[first : first + 4], training=True)

        return strategy.run(forward)

    logits = tf.concat(strategy.experimental_local_results(step()), 0)
    np.testing.assert_allclose(
        logits, alone(images, training=True), rtol=1e-3, atol=1e-4
    )
    for weight, expected in zip(
        shared.non_trainable_weights, alone.non_trainable_weights, strict=True
    ):
        np.testing.assert_allclose(
            weight.numpy(), expected.numpy(), rtol=1e-3, atol=1e-5
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "`classes` must be an integer.*1$"),
        ({"image_shape": (32, 32)}, "`image_shape` must be three"),
        ({"image_shape": (None, 32, 3)}, "`image_shape` must be three"),
        ({"stem": "cifar10"}, "'cifar' or 'imagenet'.*'cifar10'"),
        ({"width": 0}, "`width` must be"),
        ({"normalization": (0.5, 0.2)}, "`normalization` must be a pair"),
        ({"normalization": ([0] * 3, [0] * 3)}, "deviations above 0"),
    ],
)
def test_what_is_no_network_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        resnet18(**{"classes": 3, "width": 2, **settings})
