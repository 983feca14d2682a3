"""Records that are as they should be, and others that are caught."""

import numpy as np
import pytest

from ijsat_tf.attacks import APGD, FGSM, PGD, Attack, JointSpaceAttack, Square
from ijsat_tf.evaluation import record_checks
from ijsat_tf.spaces import L2, Linf, Pixels
from tests.evaluation.synthetic import record

BALL = Linf(0.1, step=0.025)
SAMPLES, VERSIONS, BUDGETS, OVERFLOWS, STEPS, SINGLE, SQUARE = range(7)


def _of(attack, right, images=100, **settings):
    """The first so many images are right."""
    return record(
        np.arange(images) < right,
        attack=repr(attack),
        linf=np.full(images, settings.pop("linf", 0.1), "float32"),
        l2=np.full(images, settings.pop("l2", 0.1), "float32"),
        **{"versions": "1", **settings},
    )


def _sound():
    right = np.arange(100) < 90
    return {
        "standard": record(right, attack="standard", versions="1"),
        "fgsm": _of(FGSM(BALL), 60),
        "pgd20": _of(PGD(BALL), 50),
        "pgd50": _of(PGD(BALL, steps=50), 49),
        "apgd": _of(APGD(BALL), 48),
        "square": _of(Square(BALL), 55),
    }


def test_sound_records_pass():
    found = record_checks(_sound())
    assert [check.passed for check in found] == [True] * 7
    assert found[SAMPLES].detail == "6 records of 100 images"
    assert found[BUDGETS].detail == "5 norms are at most their radius"
    assert found[STEPS].detail == ("pgd50 leaves 49.00 % right, pgd20 50.00 %")
    assert found[SINGLE].detail.count("fgsm 60.00 %") == 3
    assert found[SQUARE].detail == "apgd leaves 48.00 % right, square 55.00 %"


def test_without_records_of_attacks_there_is_nothing_to_tell():
    clean = {"standard": _sound()["standard"]}
    verdicts = [check.passed for check in record_checks(clean)]
    assert verdicts == [True, True, None, True, None, None, None]
    assert [check.passed for check in record_checks({})] == [None] * 7


@pytest.mark.parametrize(
    ("place", "changes", "detail"),
    [
        (SAMPLES, {"pgd20": {"samples": 200}}, "pgd20 has 100 of 200 images"),
        (VERSIONS, {"fgsm": {"versions": "0"}}, "1; 0"),
        (
            BUDGETS,
            {"fgsm": {"budget": {"pixels": np.full(100, 0.100002)}}},
            "fgsm has 0.100002 of 0.1 (pixels)",
        ),
        (
            OVERFLOWS,
            {"pgd50": {"overflowed": np.arange(100) < 3}},
            "pgd50 on 3 of 100 images",
        ),
        (
            BUDGETS,
            {"pgd20": {"linf": np.linspace(0, 0.2, 100)}},
            "pgd20 has 0.2 of 0.1 (linf)",
        ),
        (
            STEPS,
            {"pgd50": {"correct": np.arange(100) < 60}},
            "pgd50 leaves 60.00 % right, pgd20 50.00 %, p = 0.002",
        ),
        (
            SINGLE,
            {"fgsm": {"correct": np.arange(100) < 40}},
            "pgd20 leaves 50.00 % right, fgsm 40.00 %, p = 0.002",
        ),
        (
            SQUARE,
            {"square": {"correct": np.arange(100) < 30}},
            "apgd leaves 48.00 % right, square 30.00 %, p = 7.6e-06",
        ),
    ],
)
def test_what_is_not_sound_is_caught(place, changes, detail):
    records = _sound()
    for column, settings in changes.items():
        records[column] = records[column]._replace(**settings)
    found = record_checks(records)
    failed = {number for number in range(7) if not found[number].passed}
    assert place in failed and failed <= {place, STEPS, SINGLE}
    assert detail in found[place].detail
    assert found[place].verdict == "failed"


def test_what_chance_may_do_is_no_sign():
    """Three images of difference, not five of 100, are p = 0.25."""
    records = _sound()
    records["pgd50"] = _of(PGD(BALL, steps=50), 53)
    found = record_checks(records)[STEPS]
    assert found.passed and "53.00 % right" in found.detail
    records["pgd50"] = _of(PGD(BALL, steps=50), 56)
    assert record_checks(records)[STEPS].passed is False


def test_only_attacks_in_the_same_ball_are_compared():
    others = {
        "pgd20": _of(PGD(BALL), 50),
        "other radius": _of(FGSM(Linf(0.2)), 10, linf=0.2),
        "other norm": _of(FGSM(L2(0.1)), 10),
        # It does not get from one border to the other.
        "short": _of(PGD(Linf(0.2, step=0.05), steps=7), 50, linf=0.2),
        "other steps": _of(PGD(Linf(0.1, step=0.01), steps=50), 99),
        "same steps": _of(PGD(Linf(0.1, step=0.01), steps=50), 20),
    }
    found = record_checks(others)
    assert [found[at].passed for at in (BUDGETS, STEPS, SINGLE)] == [
        True,
        None,
        None,
    ]
    assert found[SQUARE].detail.startswith("no records of Square")


def test_one_step_of_pgd_is_one_step():
    one = {"pgd1": _of(PGD(Pixels(BALL), steps=1), 10), **_sound()}
    assert record_checks(one)[SINGLE].passed is False


def test_attacks_of_others_are_unknown_unless_given(flow):
    class Other(Attack):
        pixel_ball = BALL

    jsa = JointSpaceAttack(flow, BALL, Linf(0.02), steps=2)
    budget = {"latent": np.full(4, 0.03), "pixels": np.full(4, 0.1)}
    records = {
        "other": _of(Other(), 2, images=4, linf=0.5),
        "jsa": _of(jsa, 2, images=4, budget=budget),
    }
    found = record_checks(records)[BUDGETS]
    assert found.detail == "jsa has 0.03 of 0.02 (latent)"
    found = record_checks(records, {"other": Other()})[BUDGETS]
    assert found.detail.startswith("other has 0.5 of 0.1 (linf); jsa has")
