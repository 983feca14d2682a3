"""One stage with attacks whose result is known, and verdicts against Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import attacks, seeds
from ijsat_tf.attacks.autoattack import stage, standing
from ijsat_tf.attacks.autoattack.standing import ALIVE, Standing
from ijsat_tf.samples import Batch
from tests import tiny

SEED = tf.constant([3, 4])


@attacks.attack.value
class Brighter(attacks.Attack):
    """Adds a number to all pixels, and noise from the seed."""

    step: float = 0.05
    noise: float = 0.0

    def craft(self, logits_of, images, labels, seed, latents=None):
        moved = images + self.step + self.noise * seeds.normal(images, seed)
        return attacks.AttackResult(moved, None, None, {}, None)


def bright(images):
    """Class 1 where the mean of the pixels is above 1/2."""
    mean = tf.reduce_mean(images, axis=[1, 2, 3])
    return tf.stack([0 * mean, mean - 0.5], axis=1)


@pytest.fixture
def dark():
    """22 images of class 0, some of them close to class 1."""
    levels = np.random.default_rng(0).uniform(0.4, 0.49, 22)
    images = np.tile(levels[:, None, None, None], (1, *tiny.SHAPE))
    labels = np.tile(np.float32([1, 0]), (22, 1))
    return Batch(images.astype("float32"), labels)


def begun(samples):
    """Three images are wrong without an attack."""
    fell = np.where(np.arange(22) < 3, 0, ALIVE)
    return Standing({}, samples.images.copy(), fell)


def test_the_fallen_are_those_that_the_attack_gets_across(dark):
    found = stage.attacked(bright, dark, begun(dark), Brighter(), 8, SEED)
    assert (found.stage, found.attacked) == (2, 0)
    gone = dark.images.mean((1, 2, 3)) + 0.05 > 0.5
    gone[:3] = False
    assert 3 < gone.sum() < 16
    expected = np.where(np.arange(22) < 3, 0, np.where(gone, 1, ALIVE))
    np.testing.assert_array_equal(found.fell, expected)
    images = dark.images + 0.05 * gone[:, None, None, None]
    np.testing.assert_allclose(found.images, images, rtol=1e-6)
    # The next stage starts from the clean images of those that are left.
    last = stage.attacked(bright, dark, found, Brighter(0.08), 8, SEED)
    gone = (dark.images.mean((1, 2, 3)) + 0.08 > 0.5) & (expected == ALIVE)
    assert gone.any() and last.stage == 3
    expected = np.where(gone, 2, expected)
    np.testing.assert_array_equal(last.fell, expected)
    images[gone] = dark.images[gone] + 0.08
    np.testing.assert_allclose(last.images, images, rtol=1e-6)


def test_a_stage_goes_on_where_it_was_left(dark):
    attack = Brighter(0.03, noise=0.3)
    whole = stage.attacked(bright, dark, begun(dark), attack, 8, SEED)
    fallen = np.flatnonzero(whole.fell == 1)
    # The first batch holds the rows from 3 to 10.
    assert fallen[0] < 11 < fallen[-1]
    half = begun(dark)
    before = fallen[fallen < 11]
    half.fell[before] = 1
    half.images[before] = whole.images[before]
    half = half._replace(attacked=8)
    resumed = stage.attacked(bright, dark, half, attack, 8, SEED)
    np.testing.assert_array_equal(resumed.fell, whole.fell)
    np.testing.assert_array_equal(resumed.images, whole.images)
    other = stage.attacked(bright, dark, begun(dark), attack, 8, SEED + 1)
    assert np.any(other.images != whole.images)


def test_its_end_is_written(dark, tmp_path, capsys):
    path = tmp_path / "state.npz"
    start = begun(dark)
    found = stage.attacked(bright, dark, start, Brighter(), 8, SEED, path)
    read = standing.load(path, begun(dark))
    assert (read.stage, read.attacked) == (2, 0)
    np.testing.assert_array_equal(read.fell, found.fell)
    np.testing.assert_array_equal(read.images, found.images)
    # Without a name it has shown nothing.
    assert capsys.readouterr().out == ""


def test_verdicts_without_an_attack(images, labels):
    net = tiny.make_classifier()
    labels = np.tile(labels, 3)
    images = np.concatenate([images, 1 - images, images**3])
    one_hot = np.eye(3, dtype="float32")[labels]

    def model(batch):
        dark = tf.reduce_mean(batch, [1, 2, 3]) < 0.25
        return tf.where(dark[:, None], [0.0, np.inf, 1.0], net(batch))

    wrong, loss, finite = stage.judged(model, Batch(images, one_hot), 7)
    logits = net(images).numpy()
    lit = images.mean((1, 2, 3)) >= 0.25
    assert 0 < lit.sum() < 18
    np.testing.assert_array_equal(finite, lit)
    assert np.all(wrong[~lit])
    np.testing.assert_array_equal(wrong[lit], (logits.argmax(1) != labels)[lit])
    expected = keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
    np.testing.assert_allclose(loss[lit], expected[lit], rtol=1e-4)
