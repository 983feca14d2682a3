"""Conversion of weights of StyleGAN's PyTorch version to `StyleGAN`.

The version is `StyleGANGeneratorModel` of
https://github.com/genforce/interfacegan, which dual manifold adversarial
training imports. Its weights have unit variance, and are multiplied by
gain / sqrt(fan_in) at each use; here that factor is part of the weights. Its
layers that double the side are either a convolution of doubled pixels
(`conv.weight`) or, from side 128, a transposed convolution (`weight`), the
same up to a mirrored kernel; here all these layers are transposed
convolutions.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from ijsat_tf import checks

BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16
_MAPPING_RATE = 0.01


class Entry(NamedTuple):
    """One tensor of the PyTorch version, and the variable it is assigned to.

    Attributes:
        name: Name of the tensor.
        shape: Shape that the tensor must have.
        variable: Variable that the tensor is assigned to.
        convert: Function from the tensor's value to the variable's.
    """

    name: str
    shape: tuple[int, ...]
    variable: keras.Variable
    convert: Callable[[np.ndarray], np.ndarray]


def load(generator: Any, source: str | os.PathLike | Mapping[str, Any]) -> None:
    """Assigns every weight of a `StyleGAN`, or no weight after an error.

    Args:
        generator: Network to assign to, a `StyleGAN`.
        source: Path of a file with a `state_dict`, or a mapping from names to
            arrays.

    Raises:
        ValueError: for tensors that are missing, unknown or of another shape,
            each named, and for constants that are not the network's.
        ImportError: for a file, where PyTorch is not installed.
    """
    tensors = source if isinstance(source, Mapping) else _read(source)
    tensors = {name: np.asarray(value) for name, value in tensors.items()}
    entries = list(_entries(generator, tensors))
    constants = _constants(generator)
    known = {entry.name for entry in entries} | set(constants)
    wrong = [
        f"{entry.name} is missing"
        for entry in entries
        if entry.name not in tensors
    ]
    wrong += [
        f"{entry.name} has shape {tensors[entry.name].shape}, not {entry.shape}"
        for entry in entries
        if entry.name in tensors and tensors[entry.name].shape != entry.shape
    ]
    wrong += [
        f"{name} is unknown"
        for name in tensors
        if name not in known and not _unused(generator, name)
    ]
    wrong += [
        f"{name} is not {np.ravel(value)}"
        for name, value in constants.items()
        if name in tensors and not np.allclose(tensors[name], value)
    ]
    checks.require(
        not wrong,
        "`source` must hold the tensors of a trained StyleGAN of resolution "
        f"{generator.resolution}, latent size {generator.latent_size} and "
        f"width {generator.width}; make a StyleGAN with the settings of the "
        f"file: {'; '.join(wrong)}.",
    )
    for name, _, variable, convert in entries:
        variable.assign(convert(np.asarray(tensors[name], "float32")))


def _entries(generator: Any, tensors: Mapping[str, Any]) -> Iterator[Entry]:
    size = generator.latent_size
    yield Entry("truncation.w_avg", (size,), generator.average, _same)
    for number, dense in enumerate(generator.mapping):
        name = f"mapping.dense{number}"
        yield from _dense(name, dense, math.sqrt(2), _MAPPING_RATE)
    yield Entry(
        "synthesis.layer0.first_layer",
        _channels_first(generator.constant.shape),
        generator.constant,
        _channels_last,
    )
    for layer, epilogue in enumerate(generator.epilogues):
        name = f"synthesis.layer{layer}"
        if layer:
            convolution = generator.convolutions[layer - 1]
            yield _convolution(name, convolution, f"{name}.weight" in tensors)
        name = f"{name}.epilogue"
        yield Entry(
            f"{name}.apply_noise.noise",
            _channels_first(epilogue.noise.shape),
            epilogue.noise,
            _channels_last,
        )
        wide = epilogue.bias.shape
        yield Entry(
            f"{name}.apply_noise.weight", wide, epilogue.strength, _same
        )
        yield Entry(f"{name}.bias", wide, epilogue.bias, _same)
        yield from _dense(f"{name}.style_mod.dense", epilogue.style)
    kernel, bias = generator.to_rgb.weights
    name = f"synthesis.output{_last_block(generator)}"
    yield Entry(
        f"{name}.conv.weight",
        (3, kernel.shape[2], 1, 1),
        kernel,
        lambda value: value.transpose(2, 3, 1, 0) / math.sqrt(kernel.shape[2]),
    )
    yield Entry(f"{name}.bias", (3,), bias, _same)


def _dense(
    name: str, dense: keras.layers.Dense, gain: float = 1.0, rate: float = 1.0
) -> Iterator[Entry]:
    fan_in, units = dense.kernel.shape
    yield Entry(
        f"{name}.linear.weight",
        (units, fan_in),
        dense.kernel,
        lambda value: value.T * (rate * gain / math.sqrt(fan_in)),
    )
    yield Entry(
        f"{name}.wscale.bias", (units,), dense.bias, lambda value: value * rate
    )


def _convolution(name: str, layer: keras.layers.Layer, fused: bool) -> Entry:
    (variable,) = layer.weights
    side, _, *ends = variable.shape
    doubles = side == 4
    fan_in, channels = ends[::-1] if doubles else ends
    scale = math.sqrt(2 / (9 * fan_in))
    if doubles and fused:
        return Entry(
            f"{name}.weight",
            (3, 3, fan_in, channels),
            variable,
            lambda value: _doubling(value) * scale,
        )

    def convert(value: np.ndarray) -> np.ndarray:
        value = value.transpose(2, 3, 1, 0) * scale
        return _doubling(value[::-1, ::-1]) if doubles else value

    return Entry(
        f"{name}.conv.weight", (channels, fan_in, 3, 3), variable, convert
    )


def _doubling(kernel: np.ndarray) -> np.ndarray:
    """A kernel (3, 3, in, out) as (4, 4, out, in), which doubles pixels."""
    padded = np.pad(kernel, [(1, 1), (1, 1), (0, 0), (0, 0)])
    along = padded[1:] + padded[:-1]
    return (along[:, 1:] + along[:, :-1]).swapaxes(2, 3)


def _constants(generator: Any) -> dict[str, np.ndarray]:
    """Tensors that the PyTorch version stores, the same in every network."""
    count = len(generator.epilogues)
    names = [
        f"synthesis.layer{layer}.blur.kernel" for layer in range(2, count, 2)
    ]
    return {"synthesis.lod": np.zeros([]), **dict.fromkeys(names, BLUR)}


def _unused(generator: Any, name: str) -> bool:
    """Whether a tensor plays no part in G.

    Such tensors are the outputs of lower resolutions, left from training, and
    the factors of truncation, which are a setting here.
    """
    lower = [f"synthesis.output{n}." for n in range(_last_block(generator))]
    return name == "truncation.truncation" or name.startswith(tuple(lower))


def _last_block(generator: Any) -> int:
    return len(generator.epilogues) // 2 - 1


def _same(value: np.ndarray) -> np.ndarray:
    return value


def _channels_last(value: np.ndarray) -> np.ndarray:
    return value.transpose(0, 2, 3, 1)


def _channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    rows, height, width, channels = shape
    return rows, channels, height, width


def _read(path: str | os.PathLike) -> Mapping[str, Any]:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "Files of PyTorch need PyTorch, which is not installed; install "
            "PyTorch with `pip install torch`, or pass a mapping from names "
            "to NumPy arrays."
        ) from error
    # `weights_only`, since other pickles can run any code.
    found = torch.load(pathlib.Path(path), "cpu", weights_only=True)
    checks.require(
        isinstance(found, Mapping)
        and all(isinstance(value, torch.Tensor) for value in found.values()),
        "The file must hold a `state_dict`, a mapping from names to tensors.",
        type(found).__name__,
    )
    return {name: value.float().numpy() for name, value in found.items()}
