import keras
import pytest

import ijsat_tf as ij
from tests import tiny
from tests.runtime.loss_scale_test import wrapped


def make_model():
    return ij.training.AdversarialModel(
        tiny.make_classifier(), ij.training.methods.Standard()
    )


def test_accumulation_is_refused_inside_other_optimizers():
    accumulating = keras.optimizers.SGD(gradient_accumulation_steps=2)
    for optimizer in [accumulating, *wrapped(accumulating)]:
        with pytest.raises(ValueError, match="gradient_accumulation_steps"):
            make_model().compile(optimizer)


def test_clipping_is_refused_inside_other_optimizers():
    """Keras alone puts the optimizer into another in float16."""
    with tiny.two_replicas().scope():
        for setting in ("clipnorm", "global_clipnorm", "clipvalue"):
            clipping = keras.optimizers.SGD(**{setting: 1.0})
            for optimizer in [clipping, *wrapped(clipping)]:
                with pytest.raises(ValueError, match="clips each replica"):
                    make_model().compile(optimizer)
    make_model().compile(wrapped(keras.optimizers.SGD(clipnorm=1.0))[0])


def test_what_keras_wraps_in_float16_is_checked():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = make_model()
        with pytest.raises(ValueError, match="gradient_accumulation_steps"):
            model.compile(keras.optimizers.SGD(gradient_accumulation_steps=2))
    finally:
        keras.config.set_dtype_policy(before)
