"""The places and sides of squares against the official schedule and NumPy."""

import numpy as np
import tensorflow as tf

from ijsat_tf.attacks.autoattack.windows import Windows, inside, sides, sign

SEED = tf.constant([3, 4])


def test_the_schedule_is_the_official_one():
    found = sides(5000, 32, 32)
    ends = (0, 11, 51, 201, 501, 1001, 2001, 4001)
    assert [found[end] for end in ends] == [29, 20, 14, 10, 7, 5, 4, 3]
    assert np.all(np.diff(found)[np.array(ends[1:]) - 1] < 0)
    assert np.count_nonzero(np.diff(found)) == 7
    odd = sides(10_000, 32, 32, least=3, odd=True)
    assert [odd[end] for end in ends] == [29, 21, 15, 11, 7, 5, 5, 3]
    assert np.all(odd[4001:] == 3)
    # Never longer than the image, nor shorter than a pixel.
    assert sides(1, 4, 32)[0] == 4
    assert sides(10_000, 2, 2)[-1] == 1


def test_a_window_is_a_slice():
    images = tf.zeros([2, 6, 9, 3])
    for top, left, side in [(0, 0, 1), (2, 5, 4), (0, 3, 6), (5, 8, 1)]:
        expected = np.zeros([6, 9, 1])
        expected[top : top + side, left : left + side] = 1
        np.testing.assert_array_equal(
            inside(images, (top, left), side), expected
        )


def test_squares_lie_inside_of_the_image_at_places_of_the_seed():
    images = tf.zeros([2, 6, 9, 3])
    windows = Windows(0.1, images, 3000, SEED)
    # The squares of a pixel are from query 200 on, anywhere but at the end.
    assert windows.corners.shape == (3000, 1, 2)
    corners = windows.corners[:, 0].numpy()
    last = [6, 9] - windows.sides.numpy()[:, None]
    assert np.all(corners >= 0) and np.all(corners <= last)
    single = corners[windows.sides == 1]
    assert {*map(tuple, single)} == {*np.ndindex(5, 8)}
    again, other = (
        Windows(0.1, images, 3000, seed) for seed in (SEED, SEED + 1)
    )
    np.testing.assert_array_equal(windows.corners, again.corners)
    assert np.any(windows.corners != other.corners)


def test_every_number_has_a_sign_also_zero():
    found = sign(tf.constant([-2.0, -1e-9, 0.0, 1e-9, 3.0]))
    np.testing.assert_array_equal(found, [-1, -1, 1, 1, 1])
