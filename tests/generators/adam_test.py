"""Adam's steps against the optimizer of Keras."""

import keras
import numpy as np
import tensorflow as tf

from ijsat_tf.generators.adam import adam


def test_steps_are_those_of_keras():
    gradients = np.random.default_rng(0).normal(size=(5, 3, 2))
    variable = keras.Variable(np.zeros((3, 2), "float32"))
    optimizer = keras.optimizers.Adam(0.1, epsilon=1e-8)
    found = [np.zeros((3, 2), "float32")]
    mean = square = [tf.zeros((3, 2))]
    for iteration, gradient in enumerate(np.float32(gradients)):
        optimizer.apply([tf.constant(gradient)], [variable])
        step, mean, square = adam([gradient], mean, square, iteration)
        found = [found[0] - 0.1 * step[0]]
        np.testing.assert_allclose(found[0], variable, atol=1e-6)
