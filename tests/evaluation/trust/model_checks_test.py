"""Models whose gradients are known, and some that hide them."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import PGD
from ijsat_tf.evaluation import evaluate, model_checks, record_checks
from ijsat_tf.spaces import L2, Linf
from tests import tiny

WEIGHTS, LINEAR = tiny.make_linear()
IMAGES = tiny.random_images(12)
LABELS = np.argmax(LINEAR(IMAGES), axis=1)
BALL = Linf(0.05)
NAMES = [
    "no gradient is zero",
    "gradients raise the loss more than chance",
    "an attack without a bound fools every image",
    "the flow is inverted",
    "the flow knows these images",
]


def _checks(model, ball=BALL, **options):
    found = model_checks(model, (IMAGES, LABELS), ball, **options)
    assert [check.name for check in found] == NAMES
    return found


def _passed(*arguments, **options):
    return [check.passed for check in _checks(*arguments, **options)]


def _saturated(images):
    """Its softmax is 1 and 0 in float32, and so are the gradients."""
    return 1e6 * LINEAR(images)


def _quantised(images):
    """256 grey levels: steps, whose slope is zero."""
    return LINEAR(tf.round(255 * images) / 255)


def _shattered(images):
    """Its gradients are noise, of as many signs as the true ones'."""

    @tf.custom_gradient
    def noisy(images):
        noise = tf.random.stateless_normal(tf.shape(images), [1, 2])
        return images, lambda upstream: noise

    return LINEAR(noisy(images))


@pytest.mark.parametrize(
    ("ball", "dual"), [(Linf(0.05), 1), (L2(0.5), 2)], ids=["linf", "l2"]
)
def test_a_linear_model_passes(ball, dual):
    found = _checks(LINEAR, ball)
    assert [check.passed for check in found] == [True, True, True, None, None]
    margins = np.abs(np.sum(WEIGHTS * (IMAGES - 0.5), (1, 2, 3)))
    lost = ball.radius * np.linalg.norm(WEIGHTS.ravel(), dual)
    gain = np.mean(np.logaddexp(0, lost - margins) - np.logaddexp(0, -margins))
    assert found[1].detail.startswith(
        f"at the radius {ball.radius:.6g} by {gain:.4g} nats, the best of 8"
    )
    assert found[0].detail == "0 of 12 images"
    assert found[2].detail == "0 of 12 images stay right"


def test_masked_gradients_are_caught():
    assert _passed(_saturated) == [False, False, False, None, None]
    with pytest.warns(UserWarning, match="no gradient by its images"):
        assert _passed(_quantised) == [False, False, False, None, None]
    # Each of the twelve has some gradient, of no use.
    assert _passed(_shattered)[:2] == [True, False]


def test_gradients_that_lead_away_are_caught():
    @tf.custom_gradient
    def turned(images):
        return images, lambda upstream: -upstream

    found = _passed(lambda images: LINEAR(turned(images)))
    assert found == [True, False, False, None, None]


def test_a_network_that_knows_one_class_is_caught():
    """Its gradients are true, and still it looks robust where it is right."""

    def constant(images):
        return 1e-2 * LINEAR(images) + [2.0, 0.0]

    assert 0 < np.sum(LABELS == 0) < len(LABELS)
    assert not np.any(PGD(Linf(0.2))(constant, IMAGES, LABELS * 0).success)
    found = _checks(constant)
    assert [check.passed for check in found] == [True, True, False, None, None]
    right = np.sum(LABELS == 0)
    assert found[2].detail == f"{right} of {right} images stay right"


def test_records_show_masked_gradients_as_attacks_that_fail():
    """A search of a saturated model stays where it starts: at random."""
    attacks = {"pgd20": PGD(Linf(0.2), steps=20)}
    data = IMAGES, LABELS
    masked = evaluate(_saturated, data, attacks, verbose=False)
    honest = evaluate(LINEAR, data, attacks, verbose=False)
    assert honest["pgd20"].correct.sum() == 0
    assert masked["pgd20"].correct.sum() > 0
    assert all(check.passed is not False for check in record_checks(honest))


def test_images_that_are_wrong_tell_nothing():
    found = model_checks(LINEAR, (IMAGES, 1 - LABELS), Linf(0.05))
    assert [check.passed for check in found] == [None] * 5
    assert "none of the images right" in found[0].detail
    found = model_checks(LINEAR, (IMAGES, LABELS), Linf(0.05), examples=5)
    assert found[0].detail == "0 of 5 images"


def test_the_flow_s_error_is_its_largest(flow):
    (*_, found, _) = _checks(LINEAR, flow=flow)
    error = np.abs(flow.decode(flow.encode(IMAGES)) - IMAGES).max()
    assert found.passed and f"by {error:.2g} at most" in found.detail

    class Broken:
        def __init__(self, error):
            self.error = error

        def encode(self, images):
            return images

        def decode(self, latents):
            return latents + self.error * np.eye(8)[:, :, None]

        log_prob = encode

    assert _checks(LINEAR, flow=Broken(2e-3))[3].passed is False
    assert "by 0.002 at most, on 12" in _checks(LINEAR, flow=Broken(2e-3))[3][2]
    assert _checks(LINEAR, flow=Broken(5e-4))[3].passed is True
    assert _checks(LINEAR, flow=Broken(np.nan))[3].passed is False
    gan = _checks(LINEAR, flow=tiny.Decoder())[3]
    assert gan.passed is None and gan.detail == "the generator is no flow"


def test_a_flow_of_other_images_is_told():
    flow = tiny.make_flow()
    here = float(np.mean(flow.bits_per_dim(IMAGES)))
    for fitted, passed in ((here + 0.4, True), (here - 0.6, False)):
        flow.fitted_bits.assign(fitted)
        found = _checks(LINEAR, flow=flow)[4]
        assert found.passed is passed
        assert found.detail.startswith(
            f"{here:.1f} bits/dim here, {fitted:.1f} where the flow was"
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ball": Linf(0.0)}, "radius above 0"),
        ({"examples": 0}, "`examples` must be an integer of at least 1"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _checks(LINEAR, **options)
