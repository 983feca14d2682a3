import pytest
import tensorflow as tf

from ijsat_tf.samples import Batch


@pytest.fixture
def batch(images, labels):
    return Batch(tf.constant(images), tf.one_hot(labels, 3))
