"""Records against counts in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import PGD, AutoAttack, OnManifoldPGD
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


@pytest.mark.sampled
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


def test_margins_lead_over_the_best_wrong_class():
    weights = np.random.default_rng(3).normal(size=(IMAGES[0].size, 5))
    weights = (weights - weights.mean(1, keepdims=True)).astype("float32")
    labels = np.array([0, 1, 2, 3, 4, 0, 1])
    found = evaluate(
        lambda images: tf.reshape(images, [-1, len(weights)]) @ weights,
        (IMAGES, labels),
        {},
        batch_size=3,
        verbose=False,
    )["standard"]
    logits = IMAGES.reshape(7, -1) @ weights
    right = logits[np.arange(7), labels]
    logits[np.arange(7), labels] = -np.inf
    np.testing.assert_allclose(found.margin, right - logits.max(1), atol=1e-4)
    assert 0 < found.correct.sum() < 7
    np.testing.assert_array_equal(found.correct, found.margin > 0)


def test_margins_of_attacked_images():
    records = _records()
    left = LEADS - RADIUS * np.abs(WEIGHTS).sum()
    np.testing.assert_allclose(
        records["standard"].margin, LEADS, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        records["pgd"].margin, left, rtol=1e-4, atol=1e-5
    )
    for record in records.values():
        np.testing.assert_array_equal(record.correct, record.margin > 0)


def test_the_whole_change_is_measured():
    def model(images):
        return tf.reshape(images, [-1, IMAGES[0].size]) @ slopes

    slopes = np.sign(WEIGHTS).reshape(-1, 1) * np.float32([[1, -1]])
    images = IMAGES.copy()
    images[:, 0] = 0.9
    labels = np.ones(7, int)
    attack = {"pgd": PGD(Linf(0.3, step=0.3), steps=3)}
    found = evaluate(model, (images, labels), attack, verbose=False)
    # All go by 0.3 along the gradient's sign, cut off at 0 and 1.
    attacked = np.clip(images + np.float32(0.3) * np.sign(WEIGHTS), 0, 1)
    change = (attacked - images).reshape(7, -1)
    at_border = (change != 0) & np.isin(attacked, (0, 1)).reshape(7, -1)
    record = found["pgd"]
    np.testing.assert_allclose(record.linf, np.abs(change).max(1), rtol=1e-5)
    np.testing.assert_allclose(record.l2, np.linalg.norm(change, axis=1), 1e-5)
    np.testing.assert_allclose(record.clipped, at_border.mean(1), rtol=1e-6)
    assert 0 < record.clipped.min() and record.clipped.max() < 1
    for name in ("linf", "l2", "clipped"):
        assert not getattr(found["standard"], name).any()


def test_records_say_what_they_are_of():
    record = _records(seed=3)["pgd"]
    assert (record.seed, record.batch_size, record.samples) == (3, 3, 7)
    assert (len(record.model), record.networks) == (16, "none")
    assert len(record.data) == 16
    np.testing.assert_array_equal(
        np.isnan(record.seconds), [True] * 3 + [False] * 4
    )
    assert record.images_per_second == pytest.approx(
        4 / record.seconds[3:].sum(), rel=1e-5
    )


def test_a_record_of_one_batch_has_no_speed():
    assert np.isnan(_records(batch_size=7)["pgd"].images_per_second)


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


def test_datasets_are_gathered():
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(2)
    gathered = evaluate(MODEL, dataset, ATTACKS, 3, verbose=False)
    for column, expected in _records().items():
        found = gathered[column]
        assert found.data == expected.data
        np.testing.assert_array_equal(found.margin, expected.margin)


class Shift(keras.layers.Layer):
    """A generator whose images are the means of two latents."""

    def decode(self, latents):
        return (latents[0] + latents[1]) / 2


STILL = {"om_pgd": OnManifoldPGD(Shift(), Linf(0.0), steps=1)}
LATENTS = [IMAGES[::-1] + 0.1, IMAGES[::-1] - 0.1]


@pytest.mark.parametrize("form", ["arrays", "dataset"])
def test_latents_reach_the_attack(form):
    x = {"image": IMAGES, "latent": LATENTS}
    data = x, LABELS
    if form == "dataset":
        x = {"image": IMAGES, "latent": tuple(LATENTS)}
        data = tf.data.Dataset.from_tensor_slices((x, LABELS)).batch(4)
    records = evaluate(MODEL, data, STILL, 3, verbose=False)
    leads = np.where(LABELS == 1, MARGINS[::-1], -MARGINS[::-1])
    np.testing.assert_allclose(
        records["om_pgd"].margin, leads, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        records["standard"].margin, LEADS, rtol=1e-4, atol=1e-5
    )


def test_one_tensor_of_latents_is_enough():
    class Same(keras.layers.Layer):
        def decode(self, latents):
            return latents

    attacks = {"om_pgd": OnManifoldPGD(Same(), Linf(0.0), steps=1)}
    x = {"image": IMAGES, "latent": IMAGES[::-1]}
    found = evaluate(MODEL, (x, LABELS), attacks, 3, verbose=False)
    leads = np.where(LABELS == 1, MARGINS[::-1], -MARGINS[::-1])
    np.testing.assert_allclose(
        found["om_pgd"].margin, leads, rtol=1e-4, atol=1e-5
    )


def test_progress_is_shown(capsys):
    evaluate(MODEL, (IMAGES, LABELS), ATTACKS, 3)
    shown = capsys.readouterr().out
    assert "7/7" in shown and "images_per_second" in shown


def test_autoattack_shows_the_progress_of_each_stage(capsys):
    auto = AutoAttack(Linf(0.1), version="custom", attacks=("apgd-ce",))
    for verbose in (True, False):
        evaluate(MODEL, (IMAGES, LABELS), {"auto": auto}, 3, verbose=verbose)
        assert ("apgd-ce" in capsys.readouterr().out) == verbose


def _dataset(*parts, batch=2):
    dataset = tf.data.Dataset.from_tensor_slices(parts)
    return dataset.batch(batch) if batch else dataset


@pytest.mark.parametrize(
    "data, message",
    [
        ((IMAGES * 255, LABELS), "`images` must lie in"),
        ((IMAGES[:0], LABELS[:0]), "at least one image"),
        ((IMAGES, LABELS[:6]), "`labels` must have one entry"),
        ((IMAGES, LABELS + 1), "`labels` must be classes from 0 to 1"),
        (IMAGES, "tuple of images and labels"),
        (({"images": IMAGES}, LABELS), "dict with 'image'"),
        (
            ({"image": IMAGES, "latent": IMAGES[:6]}, LABELS),
            "latents of `data` must have one entry",
        ),
        (_dataset(IMAGES), "pairs of images and labels"),
        (_dataset(IMAGES, LABELS, LABELS), "pairs of images and labels"),
        (_dataset(IMAGES, LABELS, batch=0), "dataset of batches"),
        (_dataset(IMAGES, LABELS).repeat(), "must be finite"),
        (_dataset(IMAGES, LABELS).take(0), "at least one image"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        evaluate(MODEL, data, {}, verbose=False)


@pytest.mark.parametrize(
    "attacks, options, message",
    [
        ({"pgd": PGD(Linf(0.1), targeted=True)}, {}, "must be untargeted"),
        ({"standard": ATTACKS["pgd"]}, {}, "must not be called 'standard'"),
        ({}, {"batch_size": 0}, "`batch_size` must be an integer"),
        ({}, {"batch_size": 1.5}, "`batch_size` must be an integer"),
        ({}, {"seed": 2**31}, "`seed` must be an integer of 32"),
    ],
)
def test_wrong_settings_are_refused(attacks, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        _records(attacks=attacks, folder=tmp_path / "records", **options)
    assert not list(tmp_path.iterdir())


def test_any_name_will_do_without_a_folder():
    assert list(_records(rows=1, attacks={"PGD (5)": ATTACKS["pgd"]})) == [
        "standard",
        "PGD (5)",
    ]


def test_outputs_that_are_not_finite_are_no_class():
    with pytest.raises(ValueError, match="outputs must be finite"):
        evaluate(lambda images: np.nan * MODEL(images), (IMAGES, LABELS), {}, 3)


@pytest.mark.parametrize(
    ("attacks", "options", "message"),
    [
        ({"pgd": "pgd"}, {}, "'pgd' must be an attack"),
        ({"pgd": PGD}, {}, "'pgd' must be an attack"),
        ([PGD(Linf(0.1))], {}, "a dict from names"),
        ({3: PGD(Linf(0.1))}, {}, "a dict from names"),
        ({"pgd": PGD(Linf(0.1), targeted=True)}, {}, "untargeted"),
        ({}, {"batch_size": None}, "`batch_size`"),
        ({}, {"batch_size": 0}, "`batch_size`"),
        ({}, {"seed": 1.7}, "`seed`"),
    ],
)
def test_settings_that_do_not_fit_are_refused(attacks, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(MODEL, (IMAGES, LABELS), attacks, **options)


def test_the_clean_column_may_be_that_of_a_corruption(tmp_path):
    told = {"origin": "made here: fog 3", "clean": "fog_3"}
    records = _records(attacks={}, folder=tmp_path, **told)
    assert list(records) == ["fog_3"]
    assert [path.name for path in tmp_path.iterdir()] == ["fog_3.npz"]
    found, clean = records["fog_3"], _records(attacks={})["standard"]
    np.testing.assert_array_equal(found.correct, clean.correct)
    assert found.attack == "standard" and found.kind == "made here"
    assert clean.origin == clean.kind == "unknown"
    with pytest.raises(ValueError, match="must not be called 'fog_3'"):
        _records(attacks={"fog_3": ATTACKS["pgd"]}, clean="fog_3")
    with pytest.raises(ValueError, match="become names of files"):
        _records(attacks={}, folder=tmp_path, clean="../fog")
