"""Adam of each sample against Keras' own."""

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf.generators.descent import minimised

RANDOM = np.random.default_rng(0)
CENTRES = RANDOM.normal(size=(3, 4)).astype("float32")
SCALES = np.array([[1.0], [30.0], [0.001]], "float32")


def bowl(z):
    return tf.reduce_sum(SCALES * tf.abs(z - CENTRES) ** 1.5, axis=1)


def test_a_sample_goes_the_way_of_adam_alone():
    # So short that each step goes down: the best is the last.
    found = minimised(bowl, tf.zeros([3, 4]), steps=25, learning_rate=0.01)
    for row in range(3):
        optimizer = keras.optimizers.Adam(0.01, epsilon=1e-8)
        alone = keras.Variable(np.zeros(4, "float32"))
        for _ in range(25):
            with tf.GradientTape() as tape:
                powers = tf.abs(alone - CENTRES[row]) ** 1.5
                loss = tf.reduce_sum(SCALES[row] * powers)
            optimizer.apply([tape.gradient(loss, alone.value)], [alone])
        np.testing.assert_allclose(found[row], alone, rtol=1e-3)


def test_the_best_iterate_counts():
    seen = []

    def recorded(z):
        loss = bowl(z)
        tf.numpy_function(lambda *pair: seen.append(pair), [z, loss], [])
        return loss

    start = tf.constant(CENTRES + 0.01)
    best = minimised(recorded, start, steps=30, learning_rate=0.7)
    iterates, losses = map(np.stack, zip(*seen))
    assert len(losses) == 32
    least = np.argmin(losses, axis=0)
    np.testing.assert_array_equal(best, iterates[least, np.arange(3)])
    assert np.all(bowl(best) <= bowl(start))


def test_a_list_is_one_vector_in_parts():
    def of_parts(parts):
        return bowl(tf.concat(parts, axis=1))

    start = tf.constant(RANDOM.normal(size=(3, 4)), tf.float32)
    whole = minimised(bowl, start, steps=10, learning_rate=0.1)
    parts = minimised(of_parts, tf.split(start, [1, 3], 1), 10, 0.1)
    np.testing.assert_allclose(tf.concat(parts, 1), whole, rtol=1e-6)


def test_an_iterate_that_is_no_number_is_never_the_best():
    def cliff(z):
        loss = tf.reduce_sum(z, axis=1)
        return tf.where(loss < 3, np.nan, loss)

    start = tf.ones([3, 4])
    best = minimised(cliff, start, steps=20, learning_rate=0.05)
    sums = np.sum(best, axis=1)
    assert np.all((3 <= sums) & (sums < 3.3))
