"""The stages of AutoAttack against the settings of its authors."""

import pytest

from ijsat_tf.attacks.autoattack import versions
from ijsat_tf.spaces import L1, L2, Linf


def test_stages_of_the_versions():
    assert versions.VERSIONS == {
        "standard": ("apgd-ce", "apgd-t", "fab-t", "square"),
        "plus": ("apgd-ce", "apgd-dlr", "fab", "square", "apgd-t", "fab-t"),
        "rand": ("apgd-ce", "apgd-dlr"),
    }


@pytest.mark.parametrize("ball", [Linf(8 / 255), L2(0.5)])
@pytest.mark.parametrize("version, restarts", [("standard", 1), ("plus", 5)])
def test_settings_are_those_of_the_official_code(ball, version, restarts):
    found = versions.stages(ball, version, None)
    assert tuple(found) == versions.VERSIONS[version]
    assert all(attack.ball == ball for attack in found.values())
    for name in ("apgd-ce", "apgd-dlr", "fab"):
        if name in found:
            assert found[name].restarts == restarts
    for name in ("apgd-t", "fab-t"):
        assert (found[name].restarts, found[name].targets) == (1, 9)
        assert found[name].steps == 100
    assert (found["square"].queries, found["square"].restarts) == (5000, 1)
    for name, attack in found.items():
        if "apgd" in name:
            assert attack.gradient_samples == 1


def test_settings_in_an_l1_ball_are_those_of_the_official_code():
    for version in ("standard", "custom"):
        names = ("apgd-ce", "apgd-t", "fab-t", "square")
        given = names if version == "custom" else None
        found = versions.stages(L1(12), version, given)
        assert tuple(found) == names
        assert found["apgd-ce"].restarts == 5
        assert (found["apgd-t"].restarts, found["apgd-t"].targets) == (1, 5)
        assert found["apgd-ce"].larger_radii and found["apgd-t"].larger_radii
        assert (found["fab-t"].restarts, found["fab-t"].targets) == (1, 9)
        assert found["square"].queries == 5000
    for version, restarts in (("plus", 5), ("rand", 1)):
        found = versions.stages(L1(12), version, None)
        for name in ("apgd-ce", "apgd-dlr"):
            assert found[name].restarts == restarts
            assert not found[name].larger_radii
    assert versions.stages(L1(12), "plus", None)["apgd-t"].targets == 9


def test_a_randomised_model_has_twenty_gradients():
    found = versions.stages(L2(0.5), "rand", None)
    assert [attack.loss for attack in found.values()] == ["ce", "dlr"]
    for attack in found.values():
        assert (attack.gradient_samples, attack.restarts) == (20, 1)


def test_the_stages_of_custom_have_the_given_order():
    names = ("square", "fab-t", "fab", "apgd-t")
    found = versions.stages(Linf(0.1), "custom", names)
    assert tuple(found) == names
    assert [found[name].targeted for name in names[1:3]] == [True, False]
    assert found["apgd-t"].loss == "targeted"


@pytest.mark.parametrize(
    "version, names, message",
    [
        ("best", None, "`version` must be one of standard"),
        ("standard", ("fab",), "`attacks` must name the stages if"),
        ("custom", None, "`attacks` must name the stages if"),
        ("custom", ("apgd",), "different names among apgd-ce"),
        ("custom", ("fab", "fab"), "different names among apgd-ce"),
        ("custom", (), "different names among apgd-ce"),
        ("custom", "fab", "different names among apgd-ce"),
    ],
)
def test_other_names_are_refused(version, names, message):
    with pytest.raises(ValueError, match=message):
        versions.stages(Linf(0.1), version, names)
