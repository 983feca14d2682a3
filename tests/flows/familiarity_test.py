"""A flow tells images that it was trained on from others."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests import tiny

LEVELS = np.random.default_rng(0).integers(0, 256, (64, *tiny.SHAPE))
NOISE = (LEVELS / 255).astype("float32")
DARK = (LEVELS // 32 / 255).astype("float32")


@pytest.fixture(scope="module")
def flow():
    flow = ij.flows.Glow(tiny.SHAPE, levels=2, steps=1, hidden=8)
    flow.initialize(DARK)
    flow.compile(keras.optimizers.Adam(1e-3))
    history = flow.fit(DARK, batch_size=32, epochs=2, verbose=0)
    # The mean of the last epoch, as Keras tells it.
    last = history.history["bits_per_dim"][-1]
    assert flow.fitted_bits_per_dim == pytest.approx(last, rel=1e-6)
    return flow


def test_a_file_keeps_what_fit_ended_with(flow, tmp_path):
    flow.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    assert loaded.fitted_bits_per_dim == flow.fitted_bits_per_dim
    copy = loaded.with_dtype("float64")
    assert copy.fitted_bits_per_dim == flow.fitted_bits_per_dim


def test_known_images_pass(flow):
    found = ij.flows.familiarity(flow, DARK, examples=32)
    by_hand = np.mean(flow.bits_per_dim(DARK[:32]))
    assert found.here == pytest.approx(by_hand, rel=1e-6)
    assert found.passed and "means little" not in str(found)


def test_other_images_are_told(flow):
    found = ij.flows.familiarity(flow, NOISE)
    assert not found.passed
    assert str(found) == (
        f"{found.here:.1f} bits/dim here, {flow.fitted_bits_per_dim:.1f} "
        "where the flow was trained: its latent radius means little here"
    )


def test_generators_that_keep_no_bits_say_nothing():
    assert ij.flows.familiarity(tiny.make_flow(), DARK) is None
    assert ij.flows.familiarity(tiny.Decoder(), DARK) is None
