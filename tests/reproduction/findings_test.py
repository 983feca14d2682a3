"""reproduction/findings.py: the paper's claims in words."""

import numpy as np
import pytest

from tests import commands


def test_every_claim_has_one_place(imported):
    findings = imported("findings")
    found = [
        section
        for finding in findings.FINDINGS.values()
        for section in finding.sections
    ]
    assert sorted(found) == sorted(imported("claims").SECTIONS)


@pytest.mark.parametrize(
    "better, worse, columns, expected",
    [
        ("ijsat", "at", ("pgd20",), (1, 53.68, 49.85)),
        ("trades_jsa", "trades", ("autoattack",), (5, 49.10, 48.87)),
        ("accuracy_ijsat", "accuracy_mixup", ("standard",), (2, 96.9, 95.9)),
        ("corruptions_ijsat", "corruptions_rlat", ("*",), (2, 84.6, 84.1)),
        ("dmat_jsa", "dmat", ("jsa50",), (6, 42.09, 36.78)),
        # (59.67 + 28.79 + 22.69) / 3 and (39.35 + 18.63 + 26.09) / 3
        (
            "at_jsa_10000",
            "at_jsa_gan",
            ("elastic", "jpeg", "l2"),
            (4, 37.05, 28.02),
        ),
        ("ijsat_long", "at_long", ("pgd20",), None),
        # Table 5 has no JSA-50.
        ("trades_jsa", "trades", ("jsa50",), None),
    ],
)
def test_the_papers_numbers(imported, better, worse, columns, expected):
    claim = imported("claims").Claim("", better, worse, columns)
    found = imported("findings").printed(claim)
    assert found == (expected and pytest.approx(expected))


def test_sentences(imported):
    findings = imported("findings")
    accuracies = {"ijsat": 0.6, "at": 0.5}
    found = {
        (name, 0): np.arange(1000) < 1000 * accuracy
        for name, accuracy in accuracies.items()
    }

    def scores(row, seed, *_):
        return found.get((row, seed))

    lines = findings.to_markdown(scores, ["curves"]).splitlines()
    (line,) = [
        each for each in lines if "`ijsat` over `at`, robustness, P" in each
    ]
    assert line.startswith(
        "- `ijsat` over `at`, robustness, PGD-20: **held**. The difference is "
        "+10.00 points, with a 95 % interval from +"
    )
    assert line.endswith(
        "on 1,000 images and 1 seed. The paper's difference is +3.83 points "
        "(53.68 over 49.85, Table 1)."
    )
    (line,) = [
        each for each in lines if "`at_jsa` over `at`, robustness, P" in each
    ]
    assert line == (
        "- `at_jsa` over `at`, robustness, PGD-20: **not tried**. The paper's "
        "difference is +3.30 points (53.15 over 49.85, Table 4)."
    )
    assert "![Accuracy by epoch.](curves.png)" in lines


def test_the_readme_has_the_verdicts_of_the_kept_records(imported):
    records = imported("kept").read(commands.ROOT / "reproduction/records")
    table = imported("findings").summary(
        imported("tables").Results(records).scores
    )
    readme = (commands.ROOT / "README.md").read_text()
    assert table in readme, "run make results"
    runs = imported("plan").plan("")
    done = sum(run.name in records for run in runs)
    assert f"{done} of {len(runs)} runs are done" in readme


def test_what_the_text_on_ijsat_says_of_the_kept_records(imported):
    records = commands.ROOT / "reproduction/records"
    results = imported("tables").Results(imported("kept").read(records))
    at, ijsat = (
        100 * results.of(f"{row}-0", "fixed")["standard"].correct.mean()
        for row in ("at", "ijsat")
    )
    assert 3 < at - ijsat < 10  # "Several points".
    claim = imported("claims").Claim("", "ijsat", "at", ("standard",))
    _, better, worse = imported("findings").printed(claim)
    assert better - worse == pytest.approx(-0.99)
    found = imported("diagnosed").read(records / imported("diagnosis").FILE)
    (drawn,) = [each.value for each in found if each[2:4] == ("0.01", "drawn")]
    assert 1 - drawn == pytest.approx(0.64, abs=0.005)
