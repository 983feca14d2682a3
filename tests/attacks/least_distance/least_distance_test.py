"""What all attacks of least distance promise."""

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import CarliniWagner, DeepFool, FastMinimumNorm
from ijsat_tf.evaluation import evaluate, record_checks
from ijsat_tf.evaluation.trust.from_repr import attack_from_repr
from tests import tiny
from tests.attacks.least_distance.linear import (
    INNER,
    WEIGHTS,
    labels_of,
    least_distances,
)

CW = CarliniWagner(
    steps=20, binary_search_steps=3, learning_rate=0.1, initial_constant=1.0
)
ATTACKS = [CW, DeepFool(), FastMinimumNorm("l1", 10)]
ATTACKS += [FastMinimumNorm("linf", steps=10)]


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_the_reference_is_margin_over_dual_norm_far_from_the_box(norm):
    dual = {"l1": np.inf, "l2": 2, "linf": 1}[norm]
    margins = np.abs(np.sum(WEIGHTS * (INNER - 0.5), (1, 2, 3)))
    expected = margins / np.linalg.norm(np.ravel(WEIGHTS), dual)
    np.testing.assert_allclose(
        least_distances(norm, INNER), expected, rtol=1e-5
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_what_is_found_already_and_what_is_never_found(attack):
    images = tiny.random_images()
    model = tiny.make_classifier()
    labels = np.argmax(model(images), axis=1)
    labels[:2] = (labels[:2] + 1) % 3
    result = attack(model, images, labels)
    found = np.argmax(model(result.images), axis=1)
    np.testing.assert_array_equal(result.success, found != labels)
    assert np.all(result.success)
    np.testing.assert_array_equal(result.images[:2], images[:2])
    rows = np.reshape(result.images - images, (6, -1))
    order = {"l1": 1, "l2": 2, "linf": np.inf}[attack.norm]
    distances = np.linalg.norm(rows, order, axis=1)
    np.testing.assert_allclose(result.budget["pixels"], distances, rtol=1e-5)
    assert np.all(distances[2:] > 0) and list(distances[:2]) == [0, 0]
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    # A sample's result is its own, whatever the rest of the batch does.
    alone = attack(model, images[2:4], labels[2:4])
    np.testing.assert_allclose(alone.images, result.images[2:4], atol=1e-4)

    def constant(images):
        means = tf.reduce_mean(images, [1, 2, 3])
        return tf.stack([3 + 0 * means, 0 * means, 0 * means], axis=1)

    result = attack(constant, images, np.zeros(6, int))
    assert not np.any(result.success)
    np.testing.assert_array_equal(result.images, images)
    np.testing.assert_array_equal(result.budget["pixels"], np.zeros(6))


def test_nan_counts_as_fooled_and_gives_no_nan_images():
    def broken(images):
        far = tf.reduce_mean(tf.abs(images - INNER[:1]), [1, 2, 3]) > 1e-4
        means = tf.reduce_sum(WEIGHTS * images, [1, 2, 3])
        logits = tf.stack([means + 100, -means], axis=1)
        return tf.where(far[:, None], np.nan, logits)

    for attack in (CW, DeepFool(), FastMinimumNorm("linf", steps=10)):
        result = attack(broken, INNER, np.zeros(6, int))
        assert np.isfinite(result.images).all()
        assert np.all(result.success[1:])


def test_records_and_their_checks_take_attacks_without_a_radius():
    attack = FastMinimumNorm("l1", steps=5)
    assert attack.radii == {} and attack.pixel_ball is None
    assert all(attack_from_repr(repr(each)) == each for each in ATTACKS)
    data = INNER, labels_of(INNER)
    model = tiny.make_classifier(2)
    records = evaluate(model, data, {"fmn": attack}, verbose=False)
    budgets = record_checks(records)[2]
    assert budgets.passed is None and budgets.detail == "none is known"


def test_a_new_graph_takes_any_number_of_steps():
    def size(attack):
        model = tiny.make_linear()[1]
        graph = tf.function(lambda batch: attack(model, batch, [0] * 6))
        found = graph.get_concrete_function(tf.constant(INNER)).graph
        return len(found.as_graph_def().node)

    assert size(FastMinimumNorm(steps=2)) == size(FastMinimumNorm(steps=50))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: DeepFool("l1"), "`norm` of DeepFool must be one of 'l2', 'li"),
        (lambda: DeepFool(candidates=1), "`candidates` must be at least 2"),
        (lambda: DeepFool(overshoot=-1), "`overshoot` must be"),
        (lambda: FastMinimumNorm(2), "`norm` of FastMinimumNorm must be"),
        (lambda: FastMinimumNorm(steps=0), "`steps` must be"),
        (lambda: FastMinimumNorm(gamma=2), "`gamma` must be in"),
        (lambda: CarliniWagner(binary_search_steps=0), "`binary_search_steps"),
        (lambda: CarliniWagner(confidence=-1), "`confidence` must be"),
        (
            lambda: DeepFool()(tiny.make_linear()[1], INNER, [[0.5, 0.5]] * 6),
            "DeepFool needs hard labels",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
