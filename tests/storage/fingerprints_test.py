"""What changes a fingerprint, and what does not."""

import hashlib

import keras
import numpy as np
import pytest

from ijsat_tf.storage import fingerprints
from tests import tiny

ARRAY = np.arange(6, dtype="float32").reshape(2, 3)


def _net(activation="relu", **options):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation, **options),
        ]
    )


def test_it_is_the_start_of_a_sha_256():
    text = b"float32(2, 3)" + ARRAY.tobytes()
    expected = hashlib.sha256(text).hexdigest()[:16]
    assert fingerprints.of_arrays(ARRAY) == expected
    assert fingerprints.of_arrays(keras.ops.convert_to_tensor(ARRAY)) == (
        expected
    )


def test_values_shapes_dtypes_and_order_count():
    arrays = [
        (ARRAY,),
        (ARRAY + np.spacing(ARRAY),),
        (ARRAY.T,),
        (ARRAY.reshape(3, 2),),
        (ARRAY.astype("float64"),),
        (ARRAY, ARRAY[0]),
        (ARRAY[0], ARRAY),
        (),
    ]
    assert len({fingerprints.of_arrays(*each) for each in arrays}) == 8


def test_names_of_layers_do_not_count():
    assert _net().layers[-1].name != _net().layers[-1].name
    assert fingerprints.of_networks(_net()) == fingerprints.of_networks(_net())


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_loading_changes_nothing(policy, tmp_path):
    net = _net(dtype=policy)
    net.save(tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    assert fingerprints.of_networks(net) == fingerprints.of_networks(loaded)


def test_weights_dtypes_and_activations_count():
    moved = _net()
    moved.trainable_weights[1].assign([0.0, 0.0, 1e-7])
    nets = [
        _net(),
        moved,
        _net("softmax"),
        _net(dtype="mixed_bfloat16"),
        keras.Sequential([*_net().layers, keras.layers.Softmax()]),
    ]
    assert len({fingerprints.of_networks(net) for net in nets}) == len(nets)


def test_a_model_is_its_weights_and_a_function_is_what_it_says():
    net = _net()
    logits = net(tiny.random_images(2))
    assert fingerprints.of_model(net, logits) == fingerprints.of_networks(net)
    heard = fingerprints.of_model(lambda images: net(images), logits)
    assert heard != fingerprints.of_networks(net)
    assert heard == fingerprints.of_model(len, logits + 1e-6)
    assert heard != fingerprints.of_model(len, logits + 1e-2)
