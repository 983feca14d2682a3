"""Functional changes of colour: pixels of one colour stay of one colour."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.spaces import cieluv
from ijsat_tf.spaces.field import Field, FieldChange
from ijsat_tf.spaces.transform import image_shape
from ijsat_tf.types import Tensors, value


@value
class ReColor(Field):
    """ReColorAdv: c(x^) = c(x) + F(c(x)) with |F|_inf <= budget.

    c(x) is the colour of a pixel in CIELUV, scaled to about [0, 1]. F has one
    displacement per point of a grid of colours in [0, 1]^3, and is linear in
    between. Each step moves c + F, for the points c of the grid, to the nearest
    colour of sRGB, and then F into its bound. So points that sRGB cannot show
    move towards sRGB from the first step on. Images of one or two channels have
    no CIELUV: their channels are c itself, and the grid has one axis per
    channel. The search maximises

    loss - smoothness * sum_p sum_{q next to p} |F(p) - F(q)|_2 / budget

    Args:
        budget: Largest displacement of each coordinate, e.g. 0.06: 6 of L*,
            12 of u* and v*.
        step: Learning rate of Adam, in the unit of the budget; None, the
            default, stands for budget / (6 sqrt(steps)), which is the
            original's 0.001 for 100 steps and a budget of 0.06.
        smoothness: Weight of the total variation in logits, default 0.0036.
        resolution: Number of grid points along each axis of colours, default
            (16, 32, 32); images of fewer channels take the first numbers.

    Raises:
        ValueError: for settings out of range; when used, for images of more
            than three channels.

    Source: Laidlaw and Feizi, Functional Adversarial Attacks, 2019, with the
    weight of Laidlaw et al., Perceptual Adversarial Robustness, 2021. Their
    code moves saturated colours, which are outside of the grid, to its edge, so
    that these pixels change where F = 0. Here a colour outside of the grid
    has the F of the nearest point of the grid, and F = 0 gives x.
    """

    smoothness: float = 0.0036
    resolution: tuple[int, ...] = (16, 32, 32)

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.resolution, tuple)
            and len(self.resolution) == 3
            and all(isinstance(each, int) for each in self.resolution)
            and min(self.resolution) >= 2,
            "`resolution` must be three integers of at least 2, such as "
            "(16, 32, 32).",
            repr(self.resolution),
        )

    @property
    def reach(self) -> float:
        return self.budget / 6

    def prepare(self, images: tf.Tensor, latents: Tensors | None) -> tf.Tensor:
        channels = image_shape(images)[-1]
        checks.require(
            channels <= 3,
            "`images` of ReColor must have three channels, or fewer, because "
            "the grid has one axis per channel.",
            f"shape {tuple(images.shape)}",
        )
        shape = *self.resolution[:channels], channels
        return tf.zeros([tf.shape(images)[0], *shape], images.dtype)

    def project(self, field: tf.Tensor) -> tf.Tensor:
        axes = [
            tf.linspace(tf.constant(0, field.dtype), 1, side)
            for side in field.shape[1:-1]
        ]
        grid = tf.stack(tf.meshgrid(*axes, indexing="ij"), axis=-1)[None]
        return super().project(_shown(grid + field) - grid)

    def apply(
        self, images: tf.Tensor, change: FieldChange, context: tf.Tensor
    ) -> tf.Tensor:
        if images.shape[-1] < 3:
            return images + interpolate(change.field, images)
        colours = cieluv.from_rgb(images)
        return cieluv.to_rgb(colours + interpolate(change.field, colours))


def _shown(colours: tf.Tensor) -> tf.Tensor:
    """The nearest colours (B, *grid, D) in [0, 1]^D that a screen can show."""
    colours = tf.clip_by_value(colours, 0.0, 1.0)
    if colours.shape[-1] < 3:
        return colours
    flat = tf.reshape(colours, [tf.shape(colours)[0], -1, 1, 3])
    images = tf.clip_by_value(cieluv.to_rgb(flat), 0.0, 1.0)
    return tf.reshape(cieluv.from_rgb(images), tf.shape(colours))


def interpolate(field: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The multilinear values of a field at given places.

    Args:
        field: Field (B, *grid, D), whose grid has A axes that reach from 0
            to 1.
        places: Places (B, H, W, A); outside of [0, 1], the nearest place inside
            is meant.

    Returns:
        Values (B, H, W, D), differentiable in the field and the places.
    """
    grid = np.array(field.shape[1:-1], "int32")
    ends = tf.cast(grid - 1, places.dtype)
    places = tf.clip_by_value(places, 0.0, 1.0) * ends
    whole = tf.minimum(tf.floor(tf.stop_gradient(places)), ends - 1)
    part = (places - whole)[..., None, :]
    corners = np.array([*itertools.product((0, 1), repeat=len(grid))], "int32")
    weights = [
        tf.where(upper == 1, part[..., axis], 1 - part[..., axis])
        for axis, upper in enumerate(corners.T)
    ]
    strides = np.array(
        [math.prod(grid[axis:]) for axis in range(1, len(grid) + 1)], "int32"
    )
    first = tf.reduce_sum(tf.cast(whole, tf.int32) * strides, axis=-1)
    found = tf.gather(
        tf.reshape(field, [-1, math.prod(grid), field.shape[-1]]),
        first[..., None] + corners @ strides,
        batch_dims=1,
    )
    weight = functools.reduce(tf.multiply, weights)
    return tf.einsum("bhwkd,bhwk->bhwd", found, weight)
