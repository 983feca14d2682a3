"""reproduction/diagnosis.py and its page: the search for an own error."""

import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.samples import Batch
from ijsat_tf.spaces import Linf
from tests import commands, tiny
from tests.evaluation.synthetic import row


@pytest.fixture
def diagnosis(imported, monkeypatch):
    """The module, with attacks and sizes for tiny networks."""
    found = imported("diagnosis")
    flow = tiny.make_flow()

    def attack(name, count):
        balls = Linf(0.2, step=0.05), Linf(0.1, step=0.025)
        return ij.attacks.by_name(f"{name}{count}", *balls, flow)

    monkeypatch.setattr(found, "attack", attack)
    monkeypatch.setattr(found, "STEPS", (1, 5, 10))
    monkeypatch.setattr(found, "IMAGES", 6)
    monkeypatch.setattr(found, "BATCH", 3)
    return found


@pytest.fixture
def data():
    labels = np.eye(3, dtype="float32")[np.arange(6) % 3]
    return Batch(tf.constant(tiny.random_images()), tf.constant(labels))


def _found(measures):
    return {(case, quantity): value for case, quantity, value in measures}


def test_the_runs_go_on_from_the_networks_of_the_study(imported):
    diagnosis = imported("diagnosis")
    runs = {run.name: run for run in diagnosis.runs()}
    assert [*runs] == [
        *("at_more-0", "ijsat_more-0"),
        *("at_more_k10-0", "ijsat_more_k10-0"),
    ]
    study = {run.name: run for run in imported("plan").plan("")}
    for name, run in runs.items():
        row = name.split("_")[0]
        given = study[f"{row}-0"].flags
        added = dict(
            each.removeprefix("--").split("=")
            for each in run.flags[len(given) :]
        )
        assert run.flags[: len(given)] == given
        assert (commands.ROOT / added.pop("pretrained")).is_file()
        steps = "10" if "k10" in name else "5"
        assert added == {
            "epochs": "2",
            "robust_every": "1",
            "attack_steps": steps,
        }
        assert {each.checkpoints for each in run.evaluations} == {("last",)}


def test_losses_under_attack(diagnosis, data):
    network = tiny.make_classifier()
    before = [weight.numpy() for weight in network.weights]
    found = _found(diagnosis.steps(network, data))
    logits = network(data.images, training=False).numpy().astype("float64")
    exponents = np.exp(logits - logits.max(-1, keepdims=True))
    shares = exponents / exponents.sum(-1, keepdims=True)
    own = shares[np.arange(6), np.arange(6) % 3]
    assert found["clean", "loss"] == pytest.approx(
        -np.log(own).mean(), abs=1e-5
    )
    right = np.mean(shares.argmax(-1) == np.arange(6) % 3)
    assert found["clean", "right"] == pytest.approx(right)
    for name in "pgd", "jsa":
        clean, one, ten = (
            found[case, "loss"] for case in ("clean", f"{name}1", f"{name}10")
        )
        assert clean < one < ten
    for old, new in zip(before, network.weights):
        np.testing.assert_array_equal(old, new)


def test_mixtures_and_modes(diagnosis, data):
    network = tiny.make_classifier()
    mixed = _found(diagnosis.mixing(network, data))
    assert mixed["mixture", "loss"] < mixed["attacked, then mixed", "loss"]
    assert mixed["mixture", "loss"] < mixed["mixed, then attacked", "loss"]
    before = [weight.numpy() for weight in network.weights]
    modes = _found(diagnosis.normalization(network, data))
    # Where a pass is seen as it was crafted, the attack has the most effect.
    for seen in "inference", "training":
        losses = {
            crafted: modes[f"{crafted}, {seen}", "loss"]
            for crafted in ("inference", "training")
        }
        assert losses[seen] == max(losses.values())
        assert modes[f"clean, {seen}", "loss"] < min(losses.values())
    for old, new in zip(before, network.weights):
        np.testing.assert_array_equal(old, new)


def test_the_draws_of_alpha_are_those_of_the_beta_distribution(diagnosis):
    found = _found(diagnosis.alpha())
    draws = np.random.default_rng(0).beta(0.1, 0.1, 10**6)
    lighter = np.minimum(draws, 1 - draws)
    for bound in 0.01, 0.05, 0.1, 0.25:
        expected = np.mean(lighter > bound)
        for what in "drawn", "expected":
            value = found[str(bound), what]
            assert value == pytest.approx(expected, abs=0.005)


def test_the_page(imported, diagnosis, tmp_path):
    diagnosed, kept = imported("diagnosed"), imported("kept")
    measures = []

    def add(check, network, case, **values):
        measures.extend(
            diagnosis.Measure(check, network, case, quantity, value)
            for quantity, value in values.items()
        )

    for place, network in enumerate(diagnosis.ROWS):
        add("steps", network, "clean", loss=1.0, right=0.6)
        for name in "pgd", "jsa":
            add("steps", network, f"{name}1", loss=1.1, right=0.5)
            add("steps", network, f"{name}5", loss=1.3, right=0.4)
            add("steps", network, f"{name}10", loss=1.4 + place, right=0.4)
        ways = "mixture", "attacked, then mixed", "mixed, then attacked"
        for way in ways:
            add("mixing", network, way, loss=1.23456, right=0.5)
        for crafted in "clean", "inference", "training":
            for seen in "inference", "training":
                case = f"{crafted}, {seen}"
                add("normalization", network, case, loss=2.5, right=0.5)
    add("alpha", "", "0.25", drawn=0.201, expected=0.2)
    path = tmp_path / "records" / diagnosis.FILE
    path.parent.mkdir()
    diagnosis.save(measures, path)
    assert diagnosed.read(path) == [
        each._replace(value=float(f"{each.value:.5g}")) for each in measures
    ]
    for seed, name in enumerate(["at-0", "ijsat-0", "at_more-0"]):
        log = "epoch,accuracy,loss\n1,0.3,2\n3,0.4,2\n"
        if name == "ijsat-0":
            log = "epoch,accuracy,loss\n1,0.2,2\n3,0.35,2\n"
        curve = "epoch,clean_accuracy,robust_accuracy\n2,0.5,0.2\n4,0.6,0.3\n"
        found = {("all", "last"): row(["standard", "pgd20"], name, 300, seed)}
        hours = {"train": 1.0, "evaluate": 1.0}
        run = kept.Kept("", log, curve, found, hours)
        kept.save(run, path.parent / f"{name}.npz")
    (tmp_path / "README.md").write_text("")
    imported("pages").write(tmp_path, imported("plan").plan(""))
    page = pathlib.Path(tmp_path / "results" / "diagnosis.md").read_text()
    # AT has 35 % in training halfway between its two epochs.
    assert "AT has 25.0 %" in page and "ends with 35.0 % in training" in page
    # 0.3 of 0.4, and 0.3 of 1.4.
    assert page.count("| 75 %") == page.count("| 21 %") == 2
    assert "20.10 %" in page and "1.235" in page
    assert "10 epochs, 5 steps" in page
    left = "`ijsat_more-0`, `at_more_k10-0`, `ijsat_more_k10-0`"
    assert f"Not run yet: {left}." in page
    assert "(diagnosis.md)" in (tmp_path / "results/index.md").read_text()


def test_the_last_section_is_true_of_the_kept_numbers(imported):
    """Each assertion is a sentence of `diagnosed._SEEN`, in its order."""
    diagnosis, diagnosed = imported("diagnosis"), imported("diagnosed")
    records = commands.ROOT / "reproduction/records"
    measures = diagnosed.read(records / diagnosis.FILE)
    found = {each[:-1]: each.value for each in measures}
    results = imported("tables").Results(imported("kept").read(records))

    for network in diagnosis.ROWS:
        losses = {
            name: np.array(
                [found["steps", network, "clean", "loss"]]
                + [
                    found["steps", network, f"{name}{steps}", "loss"]
                    for steps in diagnosis.STEPS
                ]
            )
            for name in ("pgd", "jsa")
        }
        for each in losses.values():
            assert np.all(np.diff(each) > 0)
            share = (each - each[0]) / (each[-1] - each[0])
            assert share[diagnosis.STEPS.index(20) + 1] > 0.99
            assert 0.75 < share[diagnosis.STEPS.index(5) + 1] < 0.85
        assert np.all(losses["jsa"][1:] > losses["pgd"][1:])

    shares = {}
    for check, _, bound, what in found:
        if check == "alpha":
            drawn = shares.setdefault(bound, {})
            drawn[what] = found["alpha", "", bound, what]
    for drawn, expected in (each.values() for each in shares.values()):
        deviation = np.sqrt(expected * (1 - expected) / diagnosis.DRAWS)
        assert abs(drawn - expected) < 3 * deviation

    for network in diagnosis.ROWS:
        before, after = (
            found["mixing", network, case, "loss"]
            for case in ("attacked, then mixed", "mixed, then attacked")
        )
        assert after > before
        clean, crafted, most = (
            found["normalization", network, f"{mode}, training", "loss"]
            for mode in ("clean", "inference", "training")
        )
        assert (crafted - clean) / (most - clean) == pytest.approx(
            0.9, abs=0.05
        )

    page = diagnosed.to_markdown(measures, results)
    _, curves = page.split("## Equal accuracy on attacked training images")
    curves, _ = curves.split("\n## More epochs")
    lines = [
        each.split("|")[1:-1] for each in curves.splitlines() if "|" in each
    ]
    numbers = np.array(lines[2:], float)
    assert np.all(numbers[:, 3] < numbers[:, 1])
    assert np.all(numbers[:, 4] < numbers[:, 2])
    at = float(re.search(r"AT has ([0-9.]+) % of the held-out", curves)[1])
    assert numbers[-1, 4] > at

    claims, seen = imported("claims"), {}
    for suffix in "", "_more", "_more_k10":
        names = f"ijsat{suffix}", f"at{suffix}"
        claim = claims.Claim("", *names, ("pgd20",), "all")
        seen[suffix] = claims.verdict(claim, results.scores)
        assert seen[suffix].interval[1] < 0
    differences = [each.difference for each in seen.values()]
    widths = [np.ptp(each.interval) for each in seen.values()]
    assert np.all(np.abs(np.diff(differences)) < min(widths) / 2)
    for network in diagnosis.ROWS:
        five, ten = (
            results.of(f"{network}_more{suffix}-0", "all")
            for suffix in ("", "_k10")
        )
        assert np.mean(ten["pgd20"].correct) > np.mean(five["pgd20"].correct)
        standard = (np.mean(each["standard"].correct) for each in (ten, five))
        assert np.less(*standard)
