"""Weights at random, and PyTorch's layers with the weights of ours."""

import keras
import numpy as np
import pytest


def randomize(model: keras.Model, seed: int = 0) -> None:
    """Moves every weight, also those that start as zeros or ones."""
    draws = np.random.default_rng(seed)
    for weight in model.weights:
        spread = draws.uniform(0.5, 1.5, weight.shape)
        weight.assign(weight.numpy() * spread + 0.1 * (spread - 1))


class TorchLayers:
    """PyTorch's arithmetic, and the statistics that it would have moved."""

    def __init__(self, model: keras.Model, training: bool):
        self.torch = pytest.importorskip(
            "torch", reason="PyTorch is not installed"
        )
        self.model, self.training = model, training
        self.moved = {}

    def images(self, images):
        return self.torch.tensor(images).permute(0, 3, 1, 2)

    def convolution(self, x, name, stride=1):
        (kernel,) = self.model.get_layer(name).get_weights()
        kernel = self.torch.tensor(kernel).permute(3, 2, 0, 1)
        return self.torch.nn.functional.conv2d(
            x, kernel, stride=stride, padding=kernel.shape[-1] // 2
        )

    def norm(self, x, name):
        gamma, beta, mean, variance = map(
            self.torch.tensor, self.model.get_layer(name).get_weights()
        )
        before = variance.clone()
        y = self.torch.nn.functional.batch_norm(
            x, mean, variance, gamma, beta, self.training, 0.1, 1e-5
        )
        # PyTorch's moving variance is of the unbiased one, Keras' is not.
        count = x.numel() / x.shape[1]
        step = (variance - before * 0.9) * (1 - 1 / count)
        self.moved[name] = mean, before * 0.9 + step
        return y

    def pair(self, x, name, stride=1):
        x = self.convolution(x, f"{name}_convolution", stride)
        return self.norm(x, f"{name}_norm")

    def dense(self, x, name):
        kernel, bias = map(
            self.torch.tensor, self.model.get_layer(name).get_weights()
        )
        return x @ kernel + bias


def compare_with_torch(model, network, images, training):
    """The model's logits, and its statistics afterwards, against a function
    of `TorchLayers` and images."""
    torch_layers = TorchLayers(model, training)
    expected = network(torch_layers, torch_layers.images(images)).numpy()
    got = model(images, training=training).numpy()
    scale = np.abs(expected).max()
    # Statistics of few pixels make rounding errors grow from layer to layer.
    np.testing.assert_allclose(got / scale, expected / scale, atol=5e-4)
    # Something of the images is left at the other end.
    assert np.ptp(expected / scale, axis=0).min() > 0.01
    norms = [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert sorted(norms) == sorted(torch_layers.moved)
    if training:
        for name in norms:
            mean, variance = torch_layers.moved[name]
            layer = model.get_layer(name)
            for one, other in (
                (layer.moving_mean, mean),
                (layer.moving_variance, variance),
            ):
                np.testing.assert_allclose(
                    one.numpy(), other.numpy(), rtol=1e-3, atol=1e-5
                )
