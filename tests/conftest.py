"""Two logical devices, and the small things that many tests share."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import pytest
import tensorflow as tf

_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    _cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
# Two test processes share two cores.
tf.config.threading.set_intra_op_parallelism_threads(1)

from tests import tiny  # noqa: E402


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(0)


@pytest.fixture
def images() -> np.ndarray:
    return tiny.random_images()


@pytest.fixture
def labels() -> np.ndarray:
    return np.array([0, 1, 2, 0, 1, 2], "int32")


@pytest.fixture(scope="session")
def flow():
    """Shared, so that it is traced once: do not change it."""
    keras.utils.set_random_seed(0)
    return tiny.make_flow()


@pytest.fixture
def classifier() -> keras.Model:
    return tiny.make_classifier()
