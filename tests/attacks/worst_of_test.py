"""The union of threat models against a choice by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import (
    FAB,
    FGSM,
    PGD,
    FastLagrangePerceptual,
    SpaceAttack,
    WorstOf,
    require_untargeted,
)
from ijsat_tf.spaces import L2, Linf, Pixels
from tests import tiny

LABELS = np.array([0, 1, 2, 0, 1, 2])
IMAGES = tiny.random_images()
SOFT = np.float32([[0.4, 0.35, 0.25], [0.25, 0.4, 0.35], [0.35, 0.25, 0.4]])


@pytest.fixture(scope="module")
def model():
    """A classifier whose classes are close together for the images."""
    keras.utils.set_random_seed(0)
    classifier = tiny.make_classifier()
    classifier.layers[-1].bias.assign(-np.mean(classifier(IMAGES), 0))
    return classifier


def _parts(targeted=False):
    """Two stay at their random starts, so that none wins everywhere."""
    return [
        PGD(Linf(0.3, step=0), steps=1, targeted=targeted),
        PGD(L2(3, step=0), steps=1, targeted=targeted),
        FastLagrangePerceptual(0.01, steps=1, targeted=targeted),
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_a_success_counts_else_the_highest_loss(model, targeted, soft):
    labels = LABELS
    if soft:
        # So that success and loss go different ways.
        labels = np.eye(3)[labels] @ SOFT
    parts = _parts(targeted)
    alone = [attack(model, IMAGES, labels, seed=5) for attack in parts]
    success = np.array([result.success for result in alone])
    loss = np.array([result.loss for result in alone])
    score = 1e6 * success + (-loss if targeted else loss)
    best = score.argmax(0)
    worst = WorstOf(parts)
    assert worst.labels_are_targets is targeted
    result = worst(model, IMAGES, labels, seed=5)
    samples = np.arange(6)
    images = np.array([result.images for result in alone])
    np.testing.assert_allclose(result.images, images[best, samples], atol=1e-5)
    np.testing.assert_array_equal(result.success, success[best, samples])
    np.testing.assert_allclose(result.loss, loss[best, samples], rtol=1e-4)
    spaces = ["pixels", "pixels", "perceptual"]
    names = ["pgd", "pgd2", "fastlagrangeperceptual"]
    for place, (name, space) in enumerate(zip(names, spaces)):
        own = np.where(best == place, alone[place].budget[space], 0)
        used = result.budget.pop(f"{name}: {space}")
        np.testing.assert_allclose(used, own, rtol=1e-4)
    assert result.budget == {}
    # The case is not an easy one.
    assert len(set(best)) > 1
    assert np.any(success.any(0) & ~success.all(0))


def test_inside_a_graph_and_nested(model):
    parts = [PGD(Linf(0.02), 1), PGD(L2(0.2), 1), FGSM(L2(0.1))]
    nested = WorstOf([WorstOf(parts[:2]), parts[2]])
    step = tf.function(lambda images: nested(model, images, LABELS, seed=5))
    result, expected = step(IMAGES), WorstOf(parts)(model, IMAGES, LABELS, 5)
    np.testing.assert_allclose(result.loss, expected.loss, rtol=1e-4)
    assert set(result.budget) == {
        "worstof: pgd: pixels",
        "worstof: pgd2: pixels",
        "fgsm: pixels",
    }


@pytest.mark.sampled
@pytest.mark.parametrize("others", [[], [PGD(Linf(0.02), steps=1)]])
def test_labels_of_fab_are_true_classes(model, others):
    """Whether it runs towards classes or not, so that a high loss counts."""
    parts = [FAB(Linf(0.001), steps=2), FAB(L2(0.01), False, 2), *others]
    alone = [attack(model, IMAGES, LABELS, seed=5) for attack in parts]
    worst = WorstOf(parts)
    assert not worst.labels_are_targets
    require_untargeted(worst, "`attack`")
    result = worst(model, IMAGES, LABELS, seed=5)
    success = np.array([each.success for each in alone])
    loss = np.array([each.loss for each in alone])
    best = (1e6 * success + loss).argmax(0)
    np.testing.assert_array_equal(result.success, success.any(0))
    np.testing.assert_allclose(result.loss, loss[best, np.arange(6)], rtol=1e-4)
    with pytest.raises(ValueError, match="all targeted or all untargeted"):
        WorstOf([*parts, FGSM(Linf(0.1), targeted=True)])


def test_an_attack_whose_goal_is_a_property_says_what_labels_are():
    @ij.types.value
    class Named(SpaceAttack):
        goal: bool
        steps = 1
        space = Pixels(Linf(0.1, step=0.1))

        @property
        def targeted(self):
            return self.goal

    assert Named(True).labels_are_targets
    assert not Named(False).labels_are_targets
    with pytest.raises(ValueError, match="must be untargeted"):
        require_untargeted(WorstOf([Named(True)]), "`attack`")


def test_latents_reach_attacks_on_the_manifold(model, flow):
    on_manifold = ij.attacks.OnManifoldPGD(flow, Linf(0.05), steps=1)
    worst = WorstOf([on_manifold])
    latents = flow.encode(IMAGES[::-1].copy())
    result = worst(model, IMAGES, LABELS, latents=latents)
    alone = on_manifold(model, IMAGES, LABELS, latents=latents)
    np.testing.assert_allclose(result.images, alone.images, atol=1e-5)
    assert worst.networks() == [flow]


def test_a_model_is_trained_and_saved_with_it(tmp_path):
    worst = WorstOf([PGD(Linf(0.02), steps=1), FGSM(L2(0.2))])
    model = ij.training.AdversarialModel(
        tiny.make_classifier(), ij.training.methods.AT(worst)
    )
    model.compile(optimizer=ij.training.SGD(0.1))
    before = model.classifier.get_weights()
    model.train_on_batch(IMAGES, LABELS)
    assert any(
        np.any(one != other)
        for one, other in zip(before, model.classifier.get_weights())
    )
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert copy.method.attack == worst
    assert repr(worst) == ("WorstOf((PGD(Linf(0.02), steps=1), FGSM(L2(0.2))))")


@pytest.mark.parametrize(
    ("attacks", "message"),
    [
        ([], "a list of one or more attacks"),
        (FGSM(Linf(0.1)), "a list of one or more attacks"),
        ([FGSM(Linf(0.1)), "pgd20"], "a list of one or more attacks"),
        (
            [FGSM(Linf(0.1)), FGSM(Linf(0.1), targeted=True)],
            "all targeted or all untargeted",
        ),
    ],
)
def test_what_is_refused(attacks, message):
    with pytest.raises(ValueError, match=message):
        WorstOf(attacks)


def test_targeted_unions_do_not_train():
    worst = WorstOf([FGSM(Linf(0.1), targeted=True)])
    with pytest.raises(ValueError, match="must be untargeted"):
        ij.training.methods.AT(worst)
