"""Checks on either side of their limits, eager and inside a graph."""

import re

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.runtime.compiled import compiled

IMAGES = np.linspace(0, 1, 24, dtype="float32").reshape(2, 2, 2, 3)

# Each has the message's words in order, what was received at the end.
WRONG_IMAGES = {
    "type": ((IMAGES * 255).astype("uint8"), "`x`.*255.0.*uint8"),
    "rank": (IMAGES[0], r"`x`.*batch axis.*shape \(2, 2, 3\)$"),
    "shape": (IMAGES[:, :1], r"`x`.*\(B, 2, 2, 3\).*shape \(2, 1, 2, 3\)$"),
    "pixels": (IMAGES * 255, "`x`.*divide pixels.*: 0(.0)?, 255(.0)?$"),
    "negative": (IMAGES - 1, "`x`.*without NaN.*: -1(.0)?, 0(.0)?$"),
    "nan": (IMAGES * np.nan, "`x`.*without NaN.*: -?nan, -?nan$"),
}
WRONG_LABELS = {
    "width": ([[0.5, 0.5]], r"`labels`.*3 classes.*shape \(1, 2\)$"),
    "sum": ([[0.5, 0.6, 0.1]], "`labels`.*sum 1.*: 0.1, 1.2"),
    "negative": ([[-0.5, 1.0, 0.5]], "`labels`.*0 or more.*$"),
    "nan": ([[np.nan, 1.0, 0.0]], "`labels`.*probabilities.*$"),
    "floats": ([0.5, 1.0], r"`labels`.*\(B, K\).*dtype float32$"),
    "high": ([0, 3], "`labels`.*from 0 to 2.*: 0, 3$"),
    "low": ([-1, 2], "`labels`.*from 0 to 2.*: -1, 2$"),
}


def _eager(function, *arguments):
    return function(*arguments)


def _in_a_graph(function, *arguments):
    return compiled(function)(*arguments)


@pytest.fixture(params=[_eager, _in_a_graph], ids=["eager", "graph"])
def call(request):
    return request.param


@pytest.mark.parametrize("case", WRONG_IMAGES)
def test_wrong_images_are_refused(call, case):
    batch, message = WRONG_IMAGES[case]

    def check(batch):
        return checks.images(batch, "x", shape=(2, 2, 3))

    with pytest.raises(ValueError, match=message):
        call(check, tf.constant(batch))


@pytest.mark.parametrize("given", [None, {}, [[1, 2], [3]], object()])
def test_what_is_no_tensor_is_refused(given):
    reason = "must be an array or a tensor of numbers.* Received: "
    with pytest.raises(ValueError, match=f"`x` {reason}"):
        checks.images(given, "x")
    with pytest.raises(ValueError, match=f"`labels` {reason}"):
        checks.one_a_row(given, tf.constant(IMAGES))


def test_the_type_named_is_that_of_the_argument():
    with pytest.raises(ValueError, match="dtype int64$"):
        checks.images(np.zeros((1, 2, 2, 1), "int64"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_right_images_are_returned_in_their_type(call, dtype):
    got = call(checks.images, tf.cast(IMAGES, dtype))
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, tf.cast(IMAGES, dtype))


def test_slack_widens_the_range(call):
    def check(batch):
        return checks.images(batch, slack=0.5)

    np.testing.assert_array_equal(
        call(check, tf.constant(IMAGES * 1.5)), IMAGES * 1.5
    )
    with pytest.raises(ValueError, match="2(.0)?$"):
        call(check, tf.constant(IMAGES * 2))


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_wrong_labels_are_refused(call, case):
    labels, message = WRONG_LABELS[case]
    with pytest.raises(ValueError, match=message):
        call(lambda items: checks.one_hot(items, 3), tf.constant(labels))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_classes_become_rows_of_the_unit_matrix(call, dtype):
    labels = np.array([2, 0, 1], dtype)
    got = call(lambda items: checks.one_hot(items, 3), tf.constant(labels))
    assert got.dtype == tf.float32
    np.testing.assert_array_equal(got, np.eye(3)[labels])


def test_soft_labels_stay_as_they_are(call):
    soft = np.array([[0.3, 0.7, 0.0], [0.0, 0.0, 1.0]])
    got = call(lambda items: checks.one_hot(items, 3), tf.constant(soft))
    assert got.dtype == tf.float32
    np.testing.assert_allclose(got, soft, rtol=1e-6)


def test_a_column_of_labels_is_a_row_of_labels(call):
    got = call(checks.one_a_row, tf.constant([[1], [0]]), tf.constant(IMAGES))
    np.testing.assert_array_equal(got, [1, 0])


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.zeros(3, int), "`labels`.*each of the 2 images.*3 labels$"),
        (np.zeros((3, 1), int), "`labels`.*each of the 2 images.*3 labels$"),
        (np.zeros((2, 1, 1)), r"`labels`.*\(B, K\).*shape \(2, 1, 1\)$"),
        (np.array(1), r"`labels`.*\(B,\).*shape \(\)$"),
    ],
)
def test_labels_without_their_images_are_refused(call, labels, message):
    with pytest.raises(ValueError, match=message):
        call(checks.one_a_row, tf.constant(labels), tf.constant(IMAGES))


def test_a_condition_that_holds_is_silent(call):
    def check(item):
        checks.require(True, "`item` is wrong.")
        checks.require(item > 0, "`item` is wrong.")
        return item

    assert int(call(check, tf.constant(1))) == 1


def test_a_graph_says_what_eager_code_says():
    def check(item):
        checks.require(item[0] > 0, "It's `item`, to be above 0.", *item)
        return item

    item = tf.constant([-3, 4])
    errors = []
    for call in (_eager, _in_a_graph):
        with pytest.raises(ValueError) as raised:
            call(lambda item: check(tf.unstack(item)), item)
        errors.append(str(raised.value))
    expected = "It's `item`, to be above 0. Received: -3, 4"
    assert errors == [expected, expected]


def test_finite_names_what_is_not(call):
    np.testing.assert_array_equal(
        call(lambda x: checks.finite(x, "It"), tf.constant([1.0, -2.0])),
        [1, -2],
    )
    for wrong in (np.nan, np.inf):
        with (
            pytest.raises(ValueError, match=r"^The gradient of w is not"),
            checks.readable_errors(),
        ):
            call(
                lambda x: checks.finite(x, "The gradient of w"),
                tf.constant([1.0, wrong]),
            )


def test_readable_errors_leave_other_errors_alone():
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match="not ours"),
        checks.readable_errors(),
    ):
        tf.debugging.check_numerics(tf.constant(np.inf), "not ours")
    with pytest.raises(KeyError), checks.readable_errors():
        raise KeyError("not ours")


def test_no_message_shows_the_marks_of_an_assertion():
    with pytest.raises(ValueError) as raised:
        compiled(checks.images)(tf.constant(IMAGES * 255))
    assert not re.search("ijsat_tf|assert|node", str(raised.value))


def test_images_that_rounding_took_past_white_are_clipped(call):
    white = tf.constant(IMAGES) * 0 + 1 + 2e-7
    np.testing.assert_array_equal(
        call(checks.images, white), np.ones_like(white)
    )


@pytest.mark.parametrize("kind", ["float32", "float64", "bool", "int8"])
def test_whole_numbers_of_any_type_are_classes(call, kind):
    labels = np.array([0, 1]).astype(kind)

    def classes(labels):
        labels = checks.one_a_row(labels, tf.constant(IMAGES))
        return checks.one_hot(labels, 3)

    np.testing.assert_array_equal(
        call(classes, tf.constant(labels)), np.eye(3)[:2]
    )


def test_halves_are_no_classes(call):
    with pytest.raises(ValueError, match="must be whole numbers"):
        call(lambda labels: checks.one_hot(labels, 3), tf.constant([0.5, 1.0]))
