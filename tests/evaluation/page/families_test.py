"""Families of attacks, and the parts of a page that they fold."""

import pytest

import ijsat_tf as ij
from ijsat_tf.evaluation.page.elements import element
from ijsat_tf.evaluation.page.families import family, folded
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.synthetic import record

BALL = ij.spaces.Linf(0.1)


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (ij.attacks.PGD(BALL, steps=2), "pixels"),
        (ij.attacks.AutoAttack(BALL), "pixels"),
        (ij.attacks.Square(BALL), "pixels"),
        (ij.attacks.DeepFool("linf"), "distance"),
        (ij.attacks.Elastic(0.5), "unseen"),
        (ij.attacks.RotateTranslateGrid(30, 3), "unseen"),
        (ij.attacks.WorstOf((ij.attacks.FGSM(BALL),)), "others"),
        ("JointSpaceAttack(<Glow name=glow>, Linf(0.1))", "manifold"),
        ("LagrangePerceptual(<LPIPS>, 0.5)", "perceptual"),
        ("PGDLike(Linf(0.1))", "others"),
    ],
)
def test_the_printed_call_tells_the_family(attack, expected):
    text = attack if isinstance(attack, str) else repr(attack)
    assert family(record([1], attack=text)) == expected


def parts(*attacks):
    items = [(record([1], attack=each), each) for each in attacks]
    return page_of(
        element(
            "div",
            *folded(items, lambda key, each: [element("p", key, " ", *each)]),
        )
    )


def test_each_family_is_a_part_in_the_same_order():
    page = parts("Mine()", "Fog(1)", "PGD(1)", "Fog(1)", "JPEG(1)")
    assert [part.text for part in page.all("details")] == [
        "Attacks in a ball of pixels (1) pixels PGD(1)",
        "Unseen attacks (2) unseen Fog(1)Fog(1)JPEG(1)",
        "Other attacks (1) others Mine()",
    ]
    assert not [part for part in page.all("details") if part.attributes]


def test_a_family_that_is_alone_is_open():
    (part,) = parts("PGD(1)", "FGSM(1)").all("details")
    assert part.attributes == {"open": "open"}
    assert not list(parts().all("details"))
