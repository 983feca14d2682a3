"""Checks of arguments, whose messages say how to correct the argument.

Shapes and types are checked at once. Values are checked at once if they are
known, and otherwise by an assertion inside the graph; `readable_errors` turns
a failed assertion into the same `ValueError`.
"""

from __future__ import annotations

import contextlib
import numbers
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

# `tf.image.resize` of white images, for instance, exceeds 1 by less.
_ROUNDING = 1e-6

# Beginnings of the names of modules between a user's line and a warning.
_INSIDE = ("ijsat_tf", "tensorflow", "keras", "contextlib", "functools")

_START, _END = "ijsat_tf: ", " :ijsat_tf"


def require(
    condition: Any, message: str, *received: Any
) -> tf.Operation | None:
    """Raises `ValueError(message)` unless `condition` holds.

    Args:
        condition: Condition that must hold, a bool or a scalar bool tensor.
        message: Message that names the argument, what was expected, and the way
            out.
        *received: Values appended to the message as "Received: ...".

    Returns:
        Inside a graph, the assertion, for operations that must wait for it;
        otherwise None.
    """
    if not tf.is_tensor(condition):
        failed = not condition
    elif tf.executing_eagerly():
        failed = not bool(condition)
    else:
        return tf.debugging.Assert(
            condition, [_START + message + _END, *received]
        )
    if failed:
        shown = ", ".join(
            str(item.numpy() if tf.is_tensor(item) else item)
            for item in received
        )
        raise ValueError(message + (f" Received: {shown}" if shown else ""))


def warn(message: str) -> None:
    """Warns at the line of the user's code that called the library.

    Args:
        message: Message that says what is doubtful, and the way out.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back and (
        frame.f_globals["__name__"].startswith(_INSIDE)
        # AutoGraph's copy of the user's code has other lines.
        or "__autograph_generated_file" in frame.f_code.co_filename
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def after(checked: tf.Operation | None, tensor: tf.Tensor) -> tf.Tensor:
    """Returns `tensor` such that it waits for a check.

    Without the wait a graph may update weights before it finds a wrong batch.

    Args:
        checked: Result of `require`, an assertion or None.
        tensor: Tensor that the rest of the graph needs.
    """
    with tf.control_dependencies([] if checked is None else [checked]):
        return tf.identity(tensor)


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Turns a failed assertion inside a graph into a `ValueError`.

    The message is the same as that of an eager check. Assertions that are not
    from this library pass unchanged.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(f"{_START}(.*?){_END}(.*)", error.message)
        if found is None:
            raise
        text, rest = found.groups()
        # TensorFlow's assertion escapes quotes.
        text = re.sub(r"\\(['\"])", r"\1", text)
        received = ", ".join(re.findall(r" \[([^\[\]{}]+)\]", rest))
        raise ValueError(
            text + (f" Received: {received}" if received else "")
        ) from None


def not_negative(name: str, number: Any) -> None:
    """Raises `ValueError` unless `number` is a finite number, 0 or more."""
    require(
        isinstance(number, numbers.Real) and 0 <= number < float("inf"),
        f"`{name}` must be a number, 0 or more and finite.",
        repr(number),
    )


def finite(tensor: tf.Tensor, what: str) -> tf.Tensor:
    """Returns `tensor`, or fails with the message that `what` is not finite.

    Args:
        tensor: Tensor of floats.
        what: Name of the tensor for the message, such as a layer's output or a
            gradient.
    """
    return tf.debugging.check_numerics(
        tensor,
        f"{_START}{what} is not finite; lower the learning rate, or warm it "
        f"up for longer.{_END}",
    )


def finite_outputs(logits: tf.Tensor) -> tf.Tensor:
    """Returns `logits`, or fails: NaN would count as the first class."""
    checked = require(
        tf.reduce_all(tf.math.is_finite(logits)),
        "The model's outputs must be finite, and some are NaN or infinite; "
        "load other weights, or train again with a lower learning rate.",
    )
    return after(checked, logits)


def at_least_one(name: str, count: Any) -> int:
    """Returns `count`, or raises `ValueError` unless it is an integer >= 1."""
    require(
        isinstance(count, numbers.Integral) and count >= 1,
        f"`{name}` must be an integer of at least 1.",
        repr(count),
    )
    return int(count)


def iterations(name: str, count: Any) -> int:
    """Returns `count`, or raises `ValueError` unless a loop can count to it.

    The count must be an integer from 1 to 2^31 - 1: a larger number does not
    fit into int32, and the loop would end at once.
    """
    count = at_least_one(name, count)
    require(
        count < 2**31,
        f"`{name}` must be an integer below 2^31; choose a smaller number.",
        count,
    )
    return count


def images(
    batch: Any,
    name: str = "images",
    shape: tuple[int, ...] | None = None,
    slack: float = 0.0,
) -> tf.Tensor:
    """Returns images as a float tensor, after checks of type, shape and range.

    Args:
        batch: Images (B, H, W, C), float, in [0, 1].
        name: Name of the argument, for the message.
        shape: Expected shape (H, W, C); None, the default, for any shape.
        slack: Distance by which images of a decoder may lie outside of [0, 1],
            default 0.

    Raises:
        ValueError: for another type, rank, shape or range, or for NaN.
    """
    dtype = getattr(batch, "dtype", None)
    batch = _tensor(batch, name)
    require(
        batch.dtype.is_floating,
        f"`{name}` must be floats in [0, 1]; divide pixels of 0..255 by "
        "255.0 first.",
        f"dtype {getattr(dtype, 'name', None) or batch.dtype.name}",
    )
    require(
        batch.shape.rank in (4, None),
        f"`{name}` must have shape (B, H, W, C); add a batch axis to a "
        "single image, a channel axis to a grey one.",
        f"shape {batch.shape}",
    )
    if shape is not None:
        batch = _of_shape(batch, name, shape)
    require(
        batch.shape.rank is not None,
        f"The rank of `{name}` must be known, and tf.data does not know the "
        "rank of what a Python function returns: give the dataset an "
        f"`output_signature`, or map `{name}` by "
        "`tf.ensure_shape(images, (None, H, W, C))`.",
    )
    low, high = tf.reduce_min(batch), tf.reduce_max(batch)
    most = slack + _ROUNDING
    checked = require(
        tf.reduce_all((batch >= -most) & (batch <= 1 + most)),
        f"`{name}` must lie in [0, 1] without NaN; divide pixels of 0..255 "
        "by 255.0 first, and do other normalisation inside the model.",
        low,
        high,
    )
    batch = after(checked, batch)
    return batch if slack else tf.clip_by_value(batch, 0, 1)


def _of_shape(
    batch: tf.Tensor, name: str, shape: tuple[int | None, ...]
) -> tf.Tensor:
    """Checks that images are (B, *shape), and tells the graph this shape."""
    message = (
        f"`{name}` must have shape (B, {', '.join(map(str, shape))}); "
        "resize the images, or use a network or flow of that shape."
    )
    expected = (None, *shape)
    require(
        batch.shape.is_compatible_with(expected),
        message,
        f"shape {batch.shape}",
    )
    if batch.shape.is_fully_defined() or tf.executing_eagerly():
        return batch
    found = tf.shape(batch)
    # An unknown side accepts whatever is found.
    wanted = [-1 if side is None else side for side in expected]
    fits = tf.equal(tf.rank(batch), len(expected)) & tf.reduce_all(
        (found[: len(expected)] == wanted) | tf.equal(wanted, -1)
    )
    batch = after(require(fits, message, found), batch)
    # `tf.ensure_shape` would fail before the check does, with another message.
    batch.set_shape(expected)
    return batch


def _tensor(given: Any, name: str) -> tf.Tensor:
    try:
        return tf.convert_to_tensor(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"`{name}` must be an array or a tensor of numbers, with rows of "
            f"equal length. Received: {type(given).__name__}, which "
            "TensorFlow cannot convert to a tensor"
        ) from error


def one_a_row(labels: Any, images: tf.Tensor) -> tf.Tensor:
    """Returns labels as a tensor, after a check of one label per image.

    Args:
        labels: Labels (B,) or (B, 1), ints, bools or whole floats, or soft
            labels (B, K).
        images: Images (B, H, W, C).

    Raises:
        ValueError: for labels of another rank or length.
    """
    labels = _tensor(labels, "labels")
    require(
        labels.shape.rank is not None,
        "The rank of `labels` must be known, and tf.data does not know the "
        "rank of what a Python function returns: give the dataset an "
        "`output_signature`, or map `labels` by "
        "`tf.ensure_shape(labels, (None,))`.",
    )
    if labels.dtype == tf.bool:
        labels = tf.cast(labels, tf.int32)
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    require(
        labels.shape.rank in (1, 2),
        "`labels` must have shape (B,) for classes or (B, K) for soft labels.",
        f"shape {tuple(labels.shape)}",
    )
    require(
        labels.shape[:1].is_compatible_with(images.shape[:1]),
        f"`labels` must have one entry for each of the {images.shape[0]} "
        "images.",
        f"{labels.shape[0]} labels",
    )
    return labels


def one_hot(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Returns labels as rows of probabilities, (B, K) float32.

    Args:
        labels: Labels (B,), ints or whole floats in [0, K), or soft labels
            (B, K).
        classes: Number K of classes.

    Raises:
        ValueError: for labels out of range, or soft labels of another width
            or sum.
    """
    if labels.shape.rank == 2:
        columns, shape = labels.shape[1], f"shape {tuple(labels.shape)}"
        if columns is None:
            columns, shape = tf.shape(labels)[1], tf.shape(labels)
        checked = require(
            columns == classes,
            "Soft `labels` must have one column for each of the model's "
            f"{classes} classes.",
            shape,
        )
        labels = after(checked, labels)
        labels.set_shape((None, classes))
        labels = tf.cast(labels, tf.float32)
        sums = tf.reduce_sum(labels, axis=1)
        checked = require(
            tf.reduce_all(labels >= 0) & tf.reduce_all(tf.abs(sums - 1) < 1e-2),
            "Soft `labels` must be probabilities: each entry 0 or more, each "
            "row with the sum 1; divide each row by its sum. The two numbers "
            "are the smallest entry and the largest sum of a row.",
            tf.reduce_min(labels),
            tf.reduce_max(sums),
        )
        return after(checked, labels)
    whole = labels.dtype.is_integer
    if labels.dtype.is_floating:
        whole = tf.reduce_all(labels == tf.round(labels))
    counted = require(
        whole,
        "`labels` of shape (B,) must be whole numbers; give soft labels as "
        "(B, K).",
        f"dtype {labels.dtype.name}",
    )
    labels = tf.cast(after(counted, labels), tf.int64)
    low, high = tf.reduce_min(labels), tf.reduce_max(labels)
    checked = require(
        tf.reduce_all((labels >= 0) & (labels < classes)),
        f"`labels` must be classes from 0 to {classes - 1}, because the model "
        f"has {classes} outputs. The two numbers are the smallest and the "
        "largest label.",
        low,
        high,
    )
    return tf.one_hot(after(checked, labels), classes, dtype=tf.float32)
