"""Two logical devices, and the small things that many tests share."""

import gc
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["KERAS_BACKEND"] = "tensorflow"
# TensorFlow's default, also where commands would run one core per operation: a
# copy of each graph for each core takes longer to make than tests gain by it.
os.environ["TF_NUM_INTRAOP_THREADS"] = "0"

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.data.ops import dataset_ops
from tensorflow.python.framework import ops

_GRADIENTS = ops.gradient_registry._registry
_cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    _cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)

from ijsat_tf.runtime import compiled  # noqa: E402
from tests import tiny  # noqa: E402

# Tests rarely come back to a graph, and each one keeps its network in memory.
compiled._GRAPHS = 8

# When an iterator is freed, TensorFlow may wait up to a minute for the thread
# that tunes the iterator: the thread can miss its wake-up call.
_untuned = tf.data.Options()
_untuned.autotune.enabled = False
_applied = dataset_ops.DatasetV2._apply_debug_options
dataset_ops.DatasetV2._apply_debug_options = lambda dataset: _applied(
    dataset.with_options(_untuned)
)

# Collections then look at what tests made, and not at what was imported.
gc.collect()
gc.freeze()


@pytest.hookimpl(tryfirst=True)  # Before -m looks at marks.
def pytest_collection_modifyitems(items):
    """Leaves all but the first parameters of a sampled test to test-all."""
    seen = set()
    for item in items:
        test = item.nodeid.split("[")[0]
        if item.get_closest_marker("sampled"):
            if test in seen:
                item.add_marker(pytest.mark.variant)
            seen.add(test)


@pytest.fixture(autouse=True, scope="module")
def forgotten_gradients():
    """Forgets gradients that TensorFlow registers for ever in a train step.

    A replica's `all_reduce` is one of them. Each keeps the graph of its step.
    """
    known = set(_GRADIENTS)
    yield
    for name in set(_GRADIENTS) - known:
        del _GRADIENTS[name]


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
