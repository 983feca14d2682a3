import numpy as np
import pytest

from ijsat_tf.flows import inversion_errors


def test_errors_by_hand(flow, images):
    errors = inversion_errors(flow, images)
    again = flow.decode(flow.encode(images))
    by_hand = float(np.abs(images - again).max())
    assert errors["images"] == pytest.approx(by_hand, abs=1e-6)
    white = np.ones_like(images[:1])
    again = flow.decode(flow.encode(white))
    by_hand = float(np.abs(white - again).max())
    assert errors["white"] == pytest.approx(by_hand, abs=1e-6)
    assert errors["images, bfloat16 nets"] < 1e-2
    assert all(np.isfinite(error) for error in errors.values())
    assert set(errors) >= {"black", "saturated", "checkerboard", "noise"}
