"""reproduction/plan.py: what the study runs."""

import importlib
import os
import sys

from tests import commands


def test_every_run_comes_after_those_that_it_needs(imported):
    before = {}
    plan = imported("plan").plan("runs")
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


def test_the_core_rows_come_first(imported):
    plan = imported("plan")
    names = [run.name for run in plan.plan("runs")]
    core = [f"{row}-{seed}" for seed in (0, 1) for row in plan.CORE]
    assert names[:8] == core and names[0] == "at-0"
    dose = "at_jsa_0.005-0 at_jsa_mixup_0.005-0 ijsat_0.005-0".split()
    assert names[8:11] == dose
    assert names[14:18] == [f"{row}_long-0" for row in plan.CORE]
    assert "standard-0" in names[:-4] and names[-1] == "at_jsa_10000-0"


def test_who_trains_with_the_flow_names_its_radius(imported):
    plan = imported("plan")
    runs = {run.name: run for run in plan.plan("runs")}
    for run in runs.values():
        radii = [flag for flag in run.flags if flag.startswith("--eta=")]
        given = [flag.partition("=")[0] for flag in run.flags]
        assert ("--flow" in given or "--data_dir" in given) == bool(radii)
        assert given.count("--eta_step") == len(radii) <= 1
    # It is trained before there is a radius.
    assert not any("eta" in flag for flag in runs["at-0"].flags)
    dose = runs["at_jsa_0.005-0"].flags
    assert {"--eta=0.005", "--eta_step=0.00125"} <= {*dose}
    assert {"--eta=0.02", "--eta_step=0.005"} <= {*runs["dmat-0"].flags}


def test_runs_at_an_unknown_radius_wait(imported):
    plan = imported("plan")
    attacked = plan.Evaluation("a", ("--attacks=jsa2", *plan.latent(None)))
    assert plan.Run("a", ("--x",), (attacked,)).waits_for_calibration
    assert plan.Run("a", plan.latent(None)).waits_for_calibration
    assert not plan.Run("a", plan.latent(0.02)).waits_for_calibration


def test_every_long_row_has_its_best_epoch(imported):
    plan = imported("plan")
    runs = {run.name: run for run in plan.plan("runs")}
    for name in "at-0", "ijsat_long-1":
        both = [
            each.name
            for each in runs[name].evaluations
            if "best" in each.checkpoints
        ]
        assert both == ["all", "jsa"]
    last = [
        each.name
        for each in runs["at-0"].evaluations
        if "last" in each.checkpoints
    ]
    assert last == ["all", "fixed", "large"]


def parsed(script, module, lines):
    """Parses command lines by the flags of a script, in a process."""
    os.chdir(commands.ROOT)
    sys.path.insert(0, str(commands.ROOT / script))
    flags = importlib.import_module(module).FLAGS
    for line in lines:
        flags(["main.py", *(flag.replace("None", "0.002") for flag in line)])
        flags.unparse_flags()


def test_all_flags_are_known(imported):
    plan = imported("plan").plan("runs")
    train = [(*run.flags, "--workdir=x") for run in plan]
    attacks = {each.flags for run in plan for each in run.evaluations}
    evaluate = [(*flags, "--runs=x") for flags in attacks]
    for script, module, lines in (
        ("train", "options", train),
        ("eval", "main", evaluate),
    ):
        outcome = commands.call(parsed, script, module, lines)
        assert outcome.code == 0, outcome.output
