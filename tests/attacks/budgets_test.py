"""The budgets of unforeseen attacks against the numbers of their sources."""

import dataclasses

import keras
import pytest

from ijsat_tf.attacks.budgets import BUDGETS


@pytest.mark.parametrize("dataset", BUDGETS)
def test_each_data_set_has_all_attacks(dataset):
    attacks = BUDGETS[dataset]
    unseen = {"elastic", "jpeg", "l2", "fog", "snow", "gabor"}
    others = {"stadv", "recolor", "rotate_translate"}
    assert set(attacks) - {"fgsm"} == unseen | others
    for attack in attacks.values():
        config = keras.saving.serialize_keras_object(attack)
        assert keras.saving.deserialize_keras_object(config) == attack
        assert dataclasses.replace(attack, steps=3).steps == 3


def test_budgets_on_cifar_are_those_of_the_sources():
    assert BUDGETS["cifar10"] == BUDGETS["cifar100"]
    attacks = BUDGETS["cifar10"]
    # Laidlaw et al., attacks.py: bounds for images in [0, 1].
    assert attacks["l2"].radii == {"pixels": 1.0}
    assert attacks["jpeg"].budget == 0.25
    assert attacks["jpeg"].norm == "linf"
    assert attacks["fog"].budget == 512
    assert attacks["stadv"].budget == 0.05
    assert attacks["recolor"].budget == 0.06
    # Engstrom et al., in degrees and pixels.
    assert attacks["rotate_translate"].radii == {
        "rotation": 30,
        "translation": 3,
    }
    # Lin et al., experiments/*.yml.
    for name, budget in [("elastic", 0.5), ("snow", 0.0625), ("gabor", 12.5)]:
        assert attacks[name].budget == budget
        assert attacks[name] == BUDGETS["om_imagenet"][name]


def test_pixels_in_minus_one_to_one_are_twice_as_far_apart():
    attacks = BUDGETS["om_imagenet"]
    assert attacks["l2"].radii["pixels"] == pytest.approx(1200 / 255 / 2)
    assert attacks["fgsm"].radii["pixels"] == pytest.approx(8 / 255 / 2)
    assert (attacks["jpeg"].budget, attacks["jpeg"].norm) == (1024, "l1")
