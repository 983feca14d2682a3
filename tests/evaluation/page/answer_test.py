"""The answer of a page, against accuracies and tests made by hand."""

import math

import numpy as np

from ijsat_tf.evaluation import Run
from ijsat_tf.evaluation.page.answer import answer
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.synthetic import record, row


def told(*runs, failed=None):
    return [part.text for part in page_of(*answer(runs, failed)).all("p")]


def run(name, model=None, **columns):
    """A run; each column is the number of the first images that are right."""
    found = {
        column: record(
            np.arange(40) < right,
            attack="standard" if column == "standard" else column,
            model=model or name,
        )
        for column, right in columns.items()
    }
    return Run(name, found)


def test_a_clear_leader_and_the_test_of_the_difference():
    at, ijsat = run("at", standard=39, pgd=20), run("ijsat", pgd=30)
    ijsat.records["standard"] = record(
        np.arange(40) > 0, attack="standard", model="ijsat"
    )
    first, second, third, how = told(at, ijsat)
    # The first image is wrong without an attack: 29 of 40 are right.
    assert first.startswith("ijsat is the most robust of 2 networks. It is ")
    assert "right on 72.50 % [" in first and "of 40 test images" in first
    assert second.startswith("at comes next with 50.00 % [")
    assert "The difference is 22.50 percentage points [" in second
    # Ten images only ijsat has right, one image only at.
    p_value = 2 * (math.comb(11, 0) + math.comb(11, 1)) / 2**11
    assert f"p = {p_value:.2g}." in third
    assert "explains less than this difference" in third
    assert how.endswith("columns: standard, pgd. Brackets hold 95 % intervals.")


def test_the_worst_attack_is_that_of_each_image():
    """Each attack leaves half of the images, and together they leave none."""
    halves = np.arange(40) < 20
    split = Run(
        "split",
        {
            "fgsm": record(halves, attack="fgsm", model="split"),
            "pgd": record(~halves, attack="pgd", model="split"),
        },
    )
    first, second, *_ = told(split, run("at", fgsm=10, pgd=10))
    assert first.startswith("at is the most robust") and "25.00 %" in first
    assert second.startswith("split comes next with 0.00 %")


def test_chance_may_be_why():
    runs = run("a", pgd=10), run("b", pgd=12), run("c", pgd=3)
    first, second, third, _ = told(*runs)
    assert first.startswith(
        "No network is clearly the most robust. b leads, right on 30.00 %"
    )
    assert second.startswith("a comes next with 25.00 %")
    assert "alone may explain this difference" in third
    assert "these two networks of 3 alone has p = 0.5." in third


def test_a_leader_that_failed_a_check_is_no_winner():
    runs = run("at", standard=40, pgd=10), run("masked", standard=40, pgd=39)
    assert told(*runs)[0].startswith("masked is the most robust")
    assert told(*runs, failed={"at": 1, "masked": 0})[0] == told(*runs)[0]
    first, *_ = told(*runs, failed={"masked": 2})
    assert first.startswith(
        "No network can be called the most robust, because masked leads and "
        "failed checks"
    )
    assert "It is right on 97.50 %" in first


def test_a_network_that_no_attack_moves():
    runs = run("at", standard=40, pgd=10), run("still", standard=20, pgd=20)
    said = [line for line in told(*runs) if "turned" in line]
    assert len(said) == 1 and "of still into an error" in said[0]
    # A network that is never right has no answer that could turn.
    assert "turned" not in "".join(told(run("wrong", standard=0, pgd=0)))


def test_equal_networks():
    first, _ = told(run("a", pgd=10), run("b", pgd=10), run("c", pgd=3))
    assert first.startswith(
        "No network is the most robust: a, b are right on 25.00 %"
    )


def test_one_run_has_nothing_to_be_compared_with():
    first, _ = told(run("at", pgd=10), Run("flow", {}))
    assert first.startswith("Only at has records, so nothing can be compared.")
    assert "right on 25.00 %" in first
    assert told(Run("flow", {})) == [
        "No run has a record yet, so there is no answer."
    ]


def test_records_that_cannot_be_compared_do_not_count():
    at, other = run("at", pgd=20, l2=2), run("other", pgd=30, l2=3)
    other.records["l2"] = other.records["l2"]._replace(seed=1)
    at.records["fog_3"] = record([1] * 40, attack="standard", model="at")
    first, *_, how = told(at, other)
    assert first.startswith("other is the most robust") and "75.00 %" in first
    assert "columns: pgd. " in how and "2 other columns" in how


def test_without_a_common_attack_there_is_no_answer():
    expected = "no network can be called the most robust"
    for one, two in (
        (run("a", pgd=1), run("b", fgsm=1)),
        (run("a", standard=1), run("b", standard=2)),
        (
            run("a", pgd=1),
            Run("b", {"pgd": record([1] * 40, attack="pgd", data="other")}),
        ),
        (
            run("a", pgd=1),
            Run("b", {"pgd": record([1] * 20, attack="pgd", samples=40)}),
        ),
    ):
        (line,) = told(one, two)
        assert expected in line
        (link,) = page_of(*answer([one, two])).all("a")
        assert link.attributes["href"] == "#records"


def test_names_are_no_markup():
    runs = [Run(name, row(["pgd"], name)) for name in ("<b>", "&amp;")]
    assert "<b>, &amp; are right" in told(*runs)[0]
