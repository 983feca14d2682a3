"""StyleGAN in NumPy: doubled pixels, convolutions, and what follows them.

Tensors have the names and shapes of the PyTorch version, channels first.
"""

import math

import numpy as np

FILTER = np.outer([1, 2, 1], [1, 2, 1]) / 16


def random_tensors(resolution, latent_size, width, fused_from=128):
    """A `state_dict` of random numbers, with what a trained one holds too."""
    draws = np.random.default_rng(0)
    tensors = {
        "truncation.w_avg": draws.normal(size=latent_size),
        "truncation.truncation": np.ones((1, 1, 1)),
        "synthesis.lod": np.zeros(()),
        "synthesis.layer0.first_layer": draws.normal(size=(1, width, 4, 4)),
    }

    def dense(name, units):
        shape = (units, latent_size)
        tensors[f"{name}.linear.weight"] = draws.normal(size=shape)
        tensors[f"{name}.wscale.bias"] = draws.normal(size=units)

    for number in range(8):
        dense(f"mapping.dense{number}", latent_size)
    before = width
    for layer in range(2 * int(math.log2(resolution)) - 2):
        side = 2 ** (layer // 2 + 2)
        channels = min(width, 16384 // side)
        name = f"synthesis.layer{layer}"
        if layer and layer % 2 == 0 and side >= fused_from:
            shape = (3, 3, before, channels)
            tensors[f"{name}.weight"] = draws.normal(size=shape)
        elif layer:
            shape = (channels, before, 3, 3)
            tensors[f"{name}.conv.weight"] = draws.normal(size=shape)
        if layer and layer % 2 == 0:
            blur = np.tile(FILTER, (channels, 1, 1, 1))
            tensors[f"{name}.blur.kernel"] = blur
        name = f"{name}.epilogue"
        noise = draws.normal(size=(1, 1, side, side))
        tensors[f"{name}.apply_noise.noise"] = noise
        tensors[f"{name}.apply_noise.weight"] = draws.normal(size=channels)
        tensors[f"{name}.bias"] = draws.normal(size=channels)
        dense(f"{name}.style_mod.dense", 2 * channels)
        if layer % 2:
            name = f"synthesis.output{layer // 2}"
            shape = (3, channels, 1, 1)
            tensors[f"{name}.conv.weight"] = draws.normal(size=shape)
            tensors[f"{name}.bias"] = draws.normal(size=3)
        before = channels
    return {name: np.float32(value) for name, value in tensors.items()}


def map_to_styles(tensors, normal):
    """f(n), (B, D), with the equalised learning rate's factors."""
    x = normal / np.sqrt(np.mean(normal**2, 1, keepdims=True) + 1e-8)
    for number in range(8):
        name = f"mapping.dense{number}"
        weight = tensors[f"{name}.linear.weight"]
        x = x @ weight.T * 0.01 * math.sqrt(2 / weight.shape[1])
        x = leaky_relu(x + 0.01 * tensors[f"{name}.wscale.bias"])
    return x


def synthesize(tensors, latents):
    """Images (B, H, W, 3) in [-1, 1], more or less."""
    for layer in range(latents.shape[1]):
        name = f"synthesis.layer{layer}"
        if not layer:
            first = tensors[f"{name}.first_layer"]
            x = np.repeat(first, len(latents), axis=0)
        elif f"{name}.weight" in tensors:
            x = double_and_convolve(x, tensors[f"{name}.weight"])
        else:
            if layer % 2 == 0:
                x = x.repeat(2, axis=2).repeat(2, axis=3)
            weight = tensors[f"{name}.conv.weight"]
            x = convolve(x, weight) * math.sqrt(2 / (9 * weight.shape[1]))
        if layer and layer % 2 == 0:
            each = np.eye(x.shape[1])[:, :, None, None] * FILTER
            x = convolve(x, each)
        x = epilogue(tensors, f"{name}.epilogue", x, latents[:, layer])
    name = f"synthesis.output{layer // 2}"
    weight = tensors[f"{name}.conv.weight"][:, :, 0, 0]
    x = np.einsum("bihw,oi->bhwo", x, weight) / math.sqrt(weight.shape[1])
    return x + tensors[f"{name}.bias"]


def epilogue(tensors, name, x, latents):
    strength = tensors[f"{name}.apply_noise.weight"][:, None, None]
    x = x + strength * tensors[f"{name}.apply_noise.noise"]
    x = leaky_relu(x + tensors[f"{name}.bias"][:, None, None])
    x = x - x.mean((2, 3), keepdims=True)
    x = x / np.sqrt((x**2).mean((2, 3), keepdims=True) + 1e-8)
    weight = tensors[f"{name}.style_mod.dense.linear.weight"]
    style = latents @ weight.T / math.sqrt(weight.shape[1])
    style = style + tensors[f"{name}.style_mod.dense.wscale.bias"]
    scale, shift = np.split(style[:, :, None, None], 2, axis=1)
    return (1 + scale) * x + shift


def convolve(x, weight):
    """The sum over a window of 3x3, zeros around the image."""
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("bihwkl,oikl->bohw", windows, weight, optimize=True)


def double_and_convolve(x, weight):
    """Each pixel adds a 3x3 kernel at four places, one for each it becomes."""
    rows, _, height, width = x.shape
    out = np.zeros((rows, weight.shape[3], 2 * height + 2, 2 * width + 2))
    for down in range(2):
        for right in range(2):
            for row in range(3):
                for column in range(3):
                    out[
                        :,
                        :,
                        down + row : down + row + 2 * height : 2,
                        right + column : right + column + 2 * width : 2,
                    ] += np.einsum("bihw,io->bohw", x, weight[row, column])
    scale = math.sqrt(2 / (9 * weight.shape[2]))
    return scale * out[:, :, 1:-1, 1:-1]


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)
