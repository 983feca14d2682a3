"""Names against the attacks that they stand for."""

import pytest

import ijsat_tf as ij
from ijsat_tf.attacks import by_name
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
    "name", ["apgd", "", "20", "pgd0", "pgd-5", "pgd20x", "PGD", "jsa 5"]
)
def test_unknown_names_list_the_known_ones(name):
    message = f"fgsm, pgd, mia, om_pgd, jsa, with.*Received: '{name}'"
    with pytest.raises(ValueError, match=message):
        by_name(name, PIXELS)


@pytest.mark.parametrize("name", ["om_pgd50", "jsa"])
def test_attacks_on_the_manifold_need_a_flow(flow, name):
    with pytest.raises(ValueError, match=f"{name} needs a flow"):
        by_name(name, PIXELS, LATENT)
    with pytest.raises(ValueError, match="`latent` must be a ball"):
        by_name(name, PIXELS, flow=flow)
