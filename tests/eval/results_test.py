"""eval/results.py: what it runs, keeps and says of the paper's claims."""

import importlib
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

from ijsat_tf.evaluation import records
from tests import commands
from tests.evaluation.synthetic import record, row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()
# A plan of two runs of digits, which takes seconds.
TINY = """
import pathlib, runpy, sys
sys.path.insert(0, {eval!r})
import protocol

def plan(root):
    few = ("--examples=40", "--attacks=pgd2", "--dataset=digits")
    wide = protocol.Evaluation("wide", few, digits=4)
    flags = (
        "--dataset=digits", "--model=small_cnn", "--width=4", "--epochs=3",
        "--train_examples=200", "--held_out=20", "--robust_every=1",
        "--robust_attack=fgsm", "--precision=float32", "--drops=2",
    )
    return [
        protocol.Run("standard-0", ("--method=standard", *flags),
                     (wide,)),
        protocol.Run("at-0", ("--method=at", "--attack=fgsm", *flags),
                     (wide,), needs=("standard-0",)),
    ]

protocol.plan = plan
protocol.PRESET = ""
protocol.ABLATION = {{}}
sys.argv = ["results.py", *sys.argv[1:]]
runpy.run_path({script!r}, run_name="__main__")
"""


@pytest.fixture
def imported(monkeypatch):
    """Modules of eval/, which are found beside the scripts alone."""
    monkeypatch.syspath_prepend(commands.ROOT / "eval")
    return importlib.import_module


def save(folder, found):
    for column, each in found.items():
        records.save(each, folder / f"{column}.npz")


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
    claims, protocol = imported("claims"), imported("protocol")
    plan = {run.name: run for run in protocol.plan("runs")}
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


def test_every_run_comes_after_those_that_it_needs(imported):
    before = {}
    plan = imported("protocol").plan("runs")
    assert len({run.name for run in plan}) == len(plan)
    for run in plan:
        assert set(run.needs) <= before.keys()
        before[run.name] = run.made
        for flag in run.flags:
            name, _, value = flag.partition("=")
            if name == "--flagfile":
                assert (commands.ROOT / value).exists()
            if value.startswith("runs/"):
                _, needed, *file = value.split("/")
                assert needed in run.needs
                # Else it would be trained again for each that needs it.
                assert file in ([], [before[needed]])


def test_pages_of_what_is_kept(imported, tmp_path):
    pages, protocol = imported("pages"), imported("protocol")
    for place, name in enumerate(("at-0", "ijsat-0", "ijsat-1")):
        run = tmp_path / "runs" / name
        for evaluation, columns in {
            "records": SEEN,
            "wide": ["standard", "pgd20", "jsa50"],
        }.items():
            save(run / evaluation / "last", row(columns, name, seed=place))
    best = row(["standard", "pgd20", "jsa50"], "another epoch", seed=9)
    save(tmp_path / "runs/at-0/wide/best", best)
    pages.write(tmp_path, protocol.plan("runs"))
    assert "# Table 1\n" in (tmp_path / "table1.md").read_text()
    assert "AutoAttack" in (tmp_path / "verdicts.md").read_text()
    assert (tmp_path / "table4_seed1.md").exists()
    assert not (tmp_path / "table5_seed1.md").exists()
    wide = (tmp_path / "wide.md").read_text()
    line, _ = [each for each in wide.splitlines() if each.startswith("| at-0")]
    assert f"{100 * best['jsa50'].correct.mean():.2f}" in line
    assert "not tried" in (tmp_path / "verdicts.md").read_text()


def test_rows_at_full_width_stand_beside_the_small_ones(imported, tmp_path):
    pages = imported("pages")
    for scale, seed in ("full", 3), ("runs", 4):
        folder = tmp_path / scale / "ijsat-0" / "records" / "last"
        save(folder, row(SEEN, "ijsat-0", seed=seed))
    # Not trained at full width.
    save(tmp_path / "runs/at-0/records/last", row(SEEN, "at-0"))
    kept = [pages.read(tmp_path / scale) for scale in ("full", "runs")]
    *_, first, second = pages.full(*kept).splitlines()
    assert "IJSAT, full" in first and "IJSAT, small" in second
    for line, each in zip((first, second), kept, strict=True):
        found = each.of("ijsat-0", "records", "last")
        assert f"{100 * found['autoattack'].correct.mean():.2f}" in line


def test_held_out_images_of_rows_at_full_width(imported, tmp_path):
    runs = {
        "full/ijsat-0": (3, 0.3),
        "full/ijsat_again-0": (3, 0.287),
        "runs/ijsat-0": (15, 0.251),
    }
    for run, (epoch, robust) in runs.items():
        folder = tmp_path / run
        folder.mkdir(parents=True)
        (folder / "curve.csv").write_text(
            f"epoch,clean_accuracy,robust_accuracy\n1,0.1,0.1\n"
            f"{epoch},0.4,{robust}\n"
        )
    (tmp_path / "runs" / "at-0").mkdir()  # Not trained at full width.
    *_, head, first, again, small = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in imported("pages").held_out(tmp_path).splitlines()
    ]
    assert set(head[0]) == {"-"}
    assert first == ["IJSAT", "`full/ijsat-0`", "3", "40.0", "30.0"]
    assert again == ["IJSAT", "`full/ijsat_again-0`", "3", "40.0", "28.7"]
    assert small == ["IJSAT", "`runs/ijsat-0`", "15", "40.0", "25.1"]


def test_the_plan_for_a_gpu_is_of_the_same_rows(imported):
    protocol = imported("protocol")
    small = {run.name: run for run in protocol.plan("runs")}
    for run in protocol.full():
        same = small[run.name]
        assert run.evaluations == same.evaluations
        changed = set(run.flags) ^ set(same.flags)
        assert changed == {
            "--flagfile=train/configs/small_results.cfg",
            "--flagfile=train/configs/full_results.cfg",
            "--epochs=3",
            "--robust_every=3",
        }


@pytest.mark.parametrize("digits", [10, 4])
def test_shortened_records_keep_outcomes_and_budgets(imported, digits):
    rough = imported("results").shortened
    numbers = np.float32([8 / 255, -1e-3, 3.14159, 0.0])
    full = record([True, False, True, True])._replace(
        margin=numbers, budget={"pixels": np.abs(numbers)}
    )
    short = rough(full, digits)
    np.testing.assert_array_equal(short.correct, full.correct)
    np.testing.assert_allclose(short.margin, numbers, rtol=2.0**-digits)
    assert (np.abs(short.margin) <= np.abs(numbers)).all()
    assert (short.budget["pixels"] <= full.budget["pixels"]).all()


def _results(folder, *arguments):
    script = folder / "tiny.py"
    evaluation = commands.ROOT / "eval"
    script.write_text(
        TINY.format(eval=str(evaluation), script=str(evaluation / "results.py"))
    )
    return subprocess.run(
        [sys.executable, str(script), f"--root={folder / 'runs'}"]
        + [f"--output={folder / 'kept'}", *arguments],
        capture_output=True,
        text=True,
        cwd=commands.ROOT,
    )


@pytest.mark.slow
def test_it_runs_what_is_missing_and_nothing_twice(tmp_path):
    kept: pathlib.Path = tmp_path / "kept"
    kept.mkdir()
    refused = _results(tmp_path)
    assert refused.returncode == 2 and "protocol.md" in refused.stderr
    (kept / "protocol.md").touch()
    over = _results(tmp_path, "--hours=0")
    assert over.returncode == 0, over.stderr
    assert "not begun: at-0" in over.stdout
    done = _results(tmp_path, "--workers=2", "--only=at-0")
    assert done.returncode == 0, done.stderr
    assert f"kept: {kept / 'runs/at-0'}" in done.stdout
    # It was needed, though not asked for.
    assert (kept / "runs/standard-0").exists()
    settings = (kept / "runs/at-0/settings.cfg").read_text()
    assert "--method=at" in settings and "--data_dir" not in settings
    found = records.read(kept / "runs/at-0/wide/last")
    assert set(found) == {"standard", "pgd2"}
    margins = found["pgd2"].margin.view(np.uint32)
    assert margins.any() and not (margins & (2**19 - 1)).any()  # 4 of 23 left
    again = _results(tmp_path)
    assert again.returncode == 0 and "main.py" not in again.stdout
    shutil.rmtree(kept / "runs/at-0/wide")
    whole = _results(tmp_path)  # What was kept of it had no records.
    assert f"kept: {kept / 'runs/at-0'}" in whole.stdout
    assert "train/main.py" not in whole.stdout
    assert set(records.read(kept / "runs/at-0/wide/last")) == set(found)
    assert "| at-0" in (kept / "wide.md").read_text()
    assert "standard-0" in (kept / "report.html").read_text()
