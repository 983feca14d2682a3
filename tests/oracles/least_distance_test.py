"""Attacks of least distance against those of Foolbox, where it is installed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.attacks import CarliniWagner, DeepFool, FastMinimumNorm, foreign
from tests import tiny

foolbox = pytest.importorskip(
    "foolbox", reason="Foolbox is not installed: pip install ijsat-tf[oracles]"
)

# Also black and white pixels, where both must clip.
IMAGES = np.random.default_rng(0).uniform(-0.2, 1.2, (12, *tiny.SHAPE))
IMAGES = np.clip(IMAGES, 0, 1).astype("float32")
SEARCH = {"steps": 100, "binary_search_steps": 5, "abort_early": False}
PAIRS = [
    (DeepFool(), "L2DeepFoolAttack", {}),
    (DeepFool("linf"), "LinfDeepFoolAttack", {}),
    (FastMinimumNorm("l1"), "L1FMNAttack", {}),
    (FastMinimumNorm("linf"), "LInfFMNAttack", {}),
    (CarliniWagner(**SEARCH), "L2CarliniWagnerAttack", SEARCH),
]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier(10)


def theirs(model, name, **settings):
    """Foolbox's attack, over the bridge."""
    wrapped = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = getattr(foolbox.attacks, name)(**settings)

    def run(images, classes):
        criterion = foolbox.criteria.Misclassification(tf.constant(classes))
        return attack.run(wrapped, tf.constant(images), criterion).numpy()

    return foreign(run, name=f"Foolbox {foolbox.__version__}, {name}")


@pytest.mark.parametrize(
    ("attack", "name", "settings"), PAIRS, ids=[name for _, name, _ in PAIRS]
)
def test_the_distances_are_those_of_foolbox(model, attack, name, settings):
    labels = np.argmax(model(IMAGES), axis=1)
    ours = attack(model, IMAGES, labels)
    other = theirs(model, name, **settings)(model, IMAGES, labels)
    assert np.all(ours.success)
    # Foolbox's FMN in L1 finds nothing for some images with black and white
    # pixels.
    both = other.success.numpy()
    assert np.mean(both) >= 0.5
    order = {"l1": 1, "l2": 2, "linf": np.inf}[attack.norm]
    rows = np.reshape(other.images - IMAGES, (12, -1))
    expected = np.linalg.norm(rows, order, axis=1)[both]
    found = ours.budget["pixels"].numpy()[both]
    np.testing.assert_allclose(np.median(found), np.median(expected), rtol=0.03)
    np.testing.assert_allclose(found, expected, rtol=0.1)


def test_fmn_in_l2_is_nearer_than_that_of_foolbox(model):
    """Foolbox 3.3.4 does not project in L2: its factor is |x| / |x|."""
    labels = np.argmax(model(IMAGES), axis=1)
    ours = FastMinimumNorm("l2")(model, IMAGES, labels)
    other = theirs(model, "L2FMNAttack")(model, IMAGES, labels)
    assert np.all(ours.success) and np.all(other.success)
    assert np.all(ours.budget["pixels"] < other.budget["l2"])
