"""reproduction/claims.py: what becomes of the paper's claims."""

import numpy as np
import pytest


def scores_of(found):
    """Of {(row, seed): scores}, as `claims.verdict` asks for them."""
    return lambda row, seed, *_: found.get((row, seed))


@pytest.mark.parametrize(
    "better, worse, word",
    [
        ([0.9, 0.9], [0.5, 0.5], "held"),
        ([0.5, 0.5], [0.9, 0.9], "not held"),
        ([0.502, 0.502], [0.5, 0.5], "not decidable"),
        # The mean is clear, but not each seed.
        ([0.9, 0.48], [0.5, 0.5], "not decidable"),
        ([0.9], [0.5, 0.5], "held"),
        ([], [0.5], "not tried"),
    ],
)
def test_verdicts(imported, better, worse, word):
    claims = imported("claims")
    found = {}
    for name, accuracies in {"a": better, "b": worse}.items():
        for seed, accuracy in enumerate(accuracies):
            found[name, seed] = np.arange(1000) < 1000 * accuracy
    claim = claims.Claim("", "a", "b", ("standard",))
    verdict = claims.verdict(claim, scores_of(found))
    assert verdict.word == word
    if better:
        seeds = min(len(better), len(worse))
        expected = 100 * np.subtract(better[:seeds], worse[:seeds])
        np.testing.assert_allclose(verdict.seeds, expected)
        np.testing.assert_allclose(verdict.difference, expected.mean())
        low, high = verdict.interval
        assert low < verdict.difference < high


def test_a_fall_is_measured_from_the_best_epoch_to_the_last(imported):
    claims = imported("claims")
    accuracies = {"a": 0.5, "a@best": 0.6, "b": 0.4, "b@best": 0.7}
    found = {
        (name, 0): (np.arange(1000) < 1000 * accuracy).astype(float)
        for name, accuracy in accuracies.items()
    }
    claim = claims.Claim("", "a", "b", ("pgd20",), fall=True)
    verdict = claims.verdict(claim, scores_of(found))
    # a falls by 10 points, b by 30.
    np.testing.assert_allclose(verdict.difference, 20)
    assert verdict.word == "held"


def test_every_claim_is_of_rows_and_columns_that_are_run(imported):
    claims = imported("claims")
    plan = {run.name: run for run in imported("plan").plan("runs")}
    for section in claims.SECTIONS.values():
        for claim in section:
            for name in (claim.better, claim.worse):
                run = plan[f"{name.removesuffix('@best')}-0"]
                (evaluation,) = [
                    each
                    for each in run.evaluations
                    if each.name == claim.evaluation
                ]
                flags = " ".join(evaluation.flags) + " standard *"
                assert all(column in flags for column in claim.columns)
                if claim.fall or "@" in name:
                    assert "best" in evaluation.checkpoints


def test_doses_make_the_claims_of_the_core(imported):
    claims = imported("claims")
    for dose in imported("plan").DOSES:
        head = f"Dose: a latent radius of {dose} in training. "
        for title in list(claims.SECTIONS)[:3]:
            there = claims.SECTIONS[head + title]
            core = claims.SECTIONS[title]
            assert [each.text for each in there] == [each.text for each in core]
            assert all(each.better.endswith(f"_{dose}") for each in there)
