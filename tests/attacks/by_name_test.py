"""Names against the attacks that they stand for."""

import dataclasses

import pytest

import ijsat_tf as ij
from ijsat_tf.attacks import by_name
from ijsat_tf.attacks.by_name import SETS, expand
from ijsat_tf.spaces import Linf

PIXELS, LATENT = Linf(8 / 255, step=2 / 255), Linf(0.02, step=0.005)


def test_names_of_attacks_in_the_image_space():
    expected = {
        "fgsm": ij.attacks.FGSM(PIXELS),
        "pgd": ij.attacks.PGD(PIXELS),
        "pgd20": ij.attacks.PGD(PIXELS, steps=20),
        "pgd7": ij.attacks.PGD(PIXELS, steps=7),
        "mia": ij.attacks.MomentumPGD(PIXELS),
        "mia10": ij.attacks.MomentumPGD(PIXELS, steps=10),
    }
    for name, attack in expected.items():
        assert by_name(name, PIXELS) == attack


def test_names_of_ensembles():
    assert by_name("apgd", PIXELS) == ij.attacks.APGD(PIXELS)
    assert by_name("square", PIXELS) == ij.attacks.Square(PIXELS)
    assert by_name("autoattack", PIXELS) == ij.attacks.AutoAttack(PIXELS)
    assert by_name("worst_of50", PIXELS) == ij.attacks.WorstOf(
        [
            ij.attacks.FGSM(PIXELS),
            ij.attacks.PGD(PIXELS, steps=50),
            ij.attacks.MomentumPGD(PIXELS, steps=50),
        ]
    )


@pytest.mark.parametrize("dataset", ij.attacks.BUDGETS)
@pytest.mark.parametrize(
    "name",
    ["elastic", "jpeg", "l2", "fog", "snow", "gabor"]
    + ["stadv", "recolor", "rotate_translate"],
)
def test_unseen_attacks_have_the_budgets_of_the_data(dataset, name):
    attack = ij.attacks.BUDGETS[dataset][name]
    assert by_name(name, PIXELS, dataset=dataset) == attack
    few = by_name(f"{name}_5", PIXELS, dataset=dataset)
    assert few == dataclasses.replace(attack, steps=5)
    with pytest.raises(ValueError, match="only for cifar10"):
        by_name(name, PIXELS, dataset="svhn")


def test_columns_of_fast_pat_s_evaluation():
    """Of the README of perceptual-advex, for CIFAR-10, and JPEG."""
    attacks = {name: by_name(name, Linf(8 / 255)) for name in expand(["pat"])}
    assert list(attacks.values()) == [
        ij.attacks.AutoAttack(Linf(8 / 255)),
        ij.attacks.AutoAttack(ij.spaces.L2(1.0)),
        ij.attacks.JPEG(0.25, steps=100),
        ij.attacks.StAdv(0.05, steps=100),
        ij.attacks.ReColor(0.06, steps=100),
        ij.attacks.PerceptualPGD(0.5, steps=40),
        ij.attacks.LagrangePerceptual(0.5, steps=40),
    ]
    assert expand(["pat_narrow"]) == list(attacks)[:5]
    assert expand(["pat", "pat_narrow"]) == list(attacks)


def test_the_grid_has_the_bounds_of_the_search():
    for dataset, attacks in ij.attacks.BUDGETS.items():
        grid = by_name("rotate_translate_grid", PIXELS, dataset=dataset)
        assert grid.radii == attacks["rotate_translate"].radii


def test_sets():
    assert expand(["standard", "table1", "pgd20", "fgsm"]) == [
        *SETS["table1"],
        "fgsm",
    ]
    for name in expand(SETS):
        if name not in ("om_pgd50", "jsa50"):
            by_name(name, PIXELS)


def test_om_imagenets_fgsm_is_one_step_from_a_random_start():
    found = by_name("fgsm", PIXELS, dataset="om_imagenet")
    assert found == ij.attacks.PGD(Linf(4 / 255, step=5 / 255), steps=1)


@pytest.mark.parametrize("levels", [None, [2]])
def test_names_of_attacks_on_the_manifold(flow, levels):
    def named(name):
        return by_name(name, PIXELS, LATENT, flow, levels)

    on_manifold = ij.attacks.OnManifoldPGD(flow, LATENT, 50, levels=levels)
    joint = ij.attacks.JointSpaceAttack(flow, PIXELS, LATENT, 50, levels)
    assert named("om_pgd50") == on_manifold
    assert named("jsa50") == joint
    assert named("jsa").steps == 10


@pytest.mark.parametrize(
    "name",
    ["", "20", "pgd0", "pgd-5", "pgd20x", "PGD", "jsa 5", "square5", "fgsm1"],
)
def test_unknown_names_list_the_known_ones(name):
    message = f"fgsm, pgd, mia, om_pgd, jsa, .*, with.*Received: '{name}'"
    with pytest.raises(ValueError, match=message):
        by_name(name, PIXELS)


@pytest.mark.parametrize("name", ["om_pgd50", "jsa"])
def test_attacks_on_the_manifold_need_a_flow(flow, name):
    with pytest.raises(ValueError, match=f"{name} needs a flow"):
        by_name(name, PIXELS, LATENT)
    with pytest.raises(ValueError, match="`latent` must be a ball"):
        by_name(name, PIXELS, flow=flow)


def test_steps_as_a_number():
    assert by_name("pgd", PIXELS, steps=7) == by_name("pgd7", PIXELS)
    assert by_name("fgsm", PIXELS, steps=7) == by_name("fgsm", PIXELS)
