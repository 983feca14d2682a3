"""Records against counts in NumPy."""

import keras
import numpy as np
import pytest

from ijsat_tf.attacks import PGD
from ijsat_tf.evaluation import evaluate
from ijsat_tf.spaces import Linf
from tests import tiny

WEIGHTS, MODEL = tiny.make_linear()
IMAGES = tiny.random_images(7)
MARGINS = np.sum(WEIGHTS * (IMAGES - 0.5), (1, 2, 3))
# Half of the classes are wrong on purpose.
LABELS = np.array([0, 1, 0, 1, 0, 1, 0])
# By which the right class leads, and the most that an attack takes away.
LEADS = np.where(LABELS == 1, MARGINS, -MARGINS)
RADIUS = float(np.median(LEADS[LEADS > 0])) / np.abs(WEIGHTS).sum() * 1.01
ATTACKS = {"pgd": PGD(Linf(RADIUS), steps=5)}


def _records(rows=7, batch_size=3, attacks=ATTACKS, **options):
    data = IMAGES[:rows], LABELS[:rows]
    return evaluate(MODEL, data, attacks, batch_size, verbose=False, **options)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_each_sample_is_counted_once(batch_size):
    records = _records(batch_size=batch_size)
    assert list(records) == ["standard", "pgd"]
    clean, robust = records["standard"].correct, records["pgd"].correct
    np.testing.assert_array_equal(clean, LEADS > 0)
    np.testing.assert_array_equal(
        robust, LEADS > RADIUS * np.abs(WEIGHTS).sum()
    )
    assert 0 < robust.sum() < clean.sum() < 7


def test_losses_and_budgets_are_recorded():
    records = _records()
    found = records["pgd"]
    left = LEADS - RADIUS * np.abs(WEIGHTS).sum()
    np.testing.assert_allclose(
        records["standard"].loss, np.log1p(np.exp(-LEADS)), rtol=1e-4
    )
    np.testing.assert_allclose(found.loss, np.log1p(np.exp(-left)), rtol=1e-4)
    np.testing.assert_allclose(found.budget["pixels"], RADIUS, rtol=1e-5)
    assert records["standard"].budget == {}
    assert found.attack == repr(ATTACKS["pgd"])
    assert found.images_per_second > 0


def test_two_evaluations_agree_and_another_seed_does_not():
    attacks = {"start": PGD(Linf(0.2, step=0), steps=1)}
    first, again, other = (
        _records(attacks=attacks, seed=seed)["start"].loss for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_batches_start_at_random_places_of_their_own():
    attacks = {"start": PGD(Linf(0.2, step=0), steps=1)}
    data = np.repeat(IMAGES[:1], 4, 0), np.zeros(4, int)
    losses = evaluate(MODEL, data, attacks, 2, verbose=False)["start"].loss
    assert len(set(losses)) == 4


def test_a_single_image_is_data_enough():
    records = _records(rows=1)
    assert records["pgd"].correct.shape == (1,)


@pytest.mark.parametrize("form", [LABELS[:, None], np.eye(2)[LABELS]])
def test_all_forms_of_labels_agree(form):
    records = evaluate(MODEL, (IMAGES, form), {}, 3, verbose=False)
    np.testing.assert_array_equal(records["standard"].correct, LEADS > 0)


def test_a_model_that_is_not_built_yet_is_evaluated():
    _records()
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    records = evaluate(model, (IMAGES, LABELS), ATTACKS, 3, verbose=False)
    classes = model.predict(IMAGES, verbose=0).argmax(1)
    np.testing.assert_array_equal(
        records["standard"].correct, classes == LABELS
    )


def test_progress_is_shown(capsys):
    evaluate(MODEL, (IMAGES, LABELS), ATTACKS, 3)
    shown = capsys.readouterr().out
    assert "7/7" in shown and "images_per_second" in shown


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (IMAGES * 255, LABELS, "`images` must lie in"),
        (IMAGES[:0], LABELS[:0], "at least one image"),
        (IMAGES, LABELS[:6], "`labels` must have one entry"),
        (IMAGES, LABELS + 1, "`labels` must be classes from 0 to 1"),
    ],
)
def test_data_that_do_not_fit_are_refused(images, labels, message):
    with pytest.raises(ValueError, match=message):
        evaluate(MODEL, (images, labels), {}, verbose=False)
