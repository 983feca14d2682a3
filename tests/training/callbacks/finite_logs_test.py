"""Where the step itself finds nothing wrong, its logs are looked at."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.conformance import catalogue


def test_xla_drops_checks(images, labels):
    model = catalogue.make_model(ij.training.methods.Standard())
    model.compile(optimizer="sgd", jit_compile=True)
    kernel = model.trainable_weights[-2]
    kernel.assign(np.nan * kernel)
    message = "^'loss' is not finite; lower .* after step 1; the first such"
    with pytest.raises(ValueError, match=message):
        model.fit(
            images,
            labels,
            verbose=0,
            callbacks=[ij.training.FiniteLogs()],
        )


def test_any_keras_model(images, labels):
    """Whose loss overflows while its weights do not."""
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", loss=lambda _, x: 0 * x + np.inf, run_eagerly=True)
    message = "'loss' is not finite.* step 1; all variables are finite"
    with pytest.raises(ValueError, match=message):
        model.fit(
            images,
            labels,
            verbose=0,
            callbacks=[ij.training.FiniteLogs()],
        )
