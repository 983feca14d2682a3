"""The plan of every residual network: a stem, then four stages of blocks.

The last layer of the stem is named `stem`, and the last layers of the stages
`stage1` to `stage4`. `ijsat_tf.models.stages` cuts the network behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
from keras import layers

from ijsat_tf.checks import require
from ijsat_tf.models.conv_norm import Kernel, convolution, convolution_norm
from ijsat_tf.models.ends import fan_in_uniform

Block = Callable[[keras.KerasTensor, int, int, str], keras.KerasTensor]


def stem_out(
    x: keras.KerasTensor,
    width: int,
    stem: str,
    kernel: Kernel = fan_in_uniform,
    bare: bool = False,
) -> keras.KerasTensor:
    """Applies the stem of a network, its first convolution.

    Args:
        x: Images (B, H, W, C).
        width: Number of channels.
        stem: Kind of the stem: `"cifar"`, a 3x3 convolution, or `"imagenet"`, a
            7x7 convolution of stride 2 and a 3x3 maximum of stride 2.
        kernel: Function that makes the initializer of the kernel, default
            `fan_in_uniform`.
        bare: Whether the CIFAR stem is the convolution alone, because the first
            block begins with BatchNorm and ReLU; default False.

    Returns:
        The output of the stem, of `width` channels.

    Raises:
        ValueError: for another `stem`.
    """
    require(
        stem in ("cifar", "imagenet"),
        "`stem` must be 'cifar' or 'imagenet'.",
        repr(stem),
    )
    if stem == "cifar" and bare:
        return convolution(x, width, 3, 1, "stem", kernel)
    if stem == "cifar":
        x = convolution_norm(x, width, 3, 1, "stem", kernel)
        return layers.ReLU(name="stem")(x)
    x = convolution_norm(x, width, 7, 2, "stem", kernel)
    x = layers.ReLU(name="stem_relu")(x)
    # Padding with zeros is safe for a maximum after a ReLU.
    x = layers.ZeroPadding2D(1, name="stem_pad")(x)
    return layers.MaxPooling2D(3, 2, name="stem")(x)


def stages_out(
    x: keras.KerasTensor, block: Block, blocks: Sequence[int], width: int
) -> keras.KerasTensor:
    """Applies stages of blocks.

    Each stage but the first halves the sides and doubles the channels.

    Args:
        x: Output of the stem.
        block: Function that makes a block from an input, a number of channels,
            a stride and a name. The name becomes that of the block's last
            layer.
        blocks: Number of blocks of each stage.
        width: Number of channels of the first stage.

    Returns:
        The output of the last stage.
    """
    for stage, last in enumerate(blocks):
        for place in range(1, last + 1):
            name = f"stage{stage + 1}"
            if place < last:
                name += f"_block{place}"
            stride = 2 if stage > 0 and place == 1 else 1
            x = block(x, width * 2**stage, stride, name)
    return x
