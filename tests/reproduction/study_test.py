"""reproduction/study.py: what it runs, keeps, and leaves to other processes."""

import os
import pathlib
import signal
import time

import numpy as np
import pytest

from ijsat_tf.evaluation import records
from tests import commands

# A plan of two runs of digits, which takes seconds.
TINY = """
import runpy, sys
sys.path.insert(0, {folder!r})
import plan
from plan import Evaluation, Run

def tiny(root):
    attacked = Evaluation(
        "all",
        ("--examples=200", "--attacks=pgd2", "--dataset=digits",
         "--batch_size=5"),
        ("last", "best"),
        digits=4,
    )
    flags = (
        "--dataset=digits", "--model=small_cnn", "--width=4", "--epochs=4",
        "--train_examples=640", "--held_out=20", "--batch_size=32",
        "--robust_every=1", "--robust_attack=fgsm", "--precision=float32",
        "--drops=3", "--checkpoint_every=0", "--learning_rate=0.3",
    )
    return [
        Run("standard-0", ("--method=standard", *flags), (attacked,)),
        Run("at-0", ("--method=at", "--attack=fgsm", *flags), (attacked,),
            needs=("standard-0",)),
        Run("late-0", ("--method=at", *flags, *plan.latent(None))),
    ]

plan.plan = tiny
plan.PRESET = ""
runpy.run_path({folder!r} + "/study.py", run_name="__main__")
"""
TIMES = "images_per_second", "seconds"


@pytest.fixture
def study(tmp_path):
    """Starts the study of the plan above, in a folder of its own."""

    def start(name, *arguments):
        script = tmp_path / "tiny.py"
        folder = str(commands.ROOT / "reproduction")
        script.write_text(TINY.format(folder=folder))
        places = f"--root={tmp_path / name}", f"--output={tmp_path / 'kept'}"
        return commands.Running(
            commands.main, str(script), [*places, *arguments]
        )

    return start


def content(kept):
    """What does not tell of time."""
    lines = [line.split(",") for line in kept.log.splitlines()]
    places = [at for at, name in enumerate(lines[0]) if name not in TIMES]
    log = [[line[at] for at in places] for line in lines]
    found = {
        (*key, column): {
            name: array
            for name, array in records.to_arrays(each).items()
            if name not in TIMES
        }
        for key, columns in kept.records.items()
        for column, each in columns.items()
    }
    return kept.settings, log, kept.curve, found


def children(process):
    """The processes that one of Linux's started."""
    path = pathlib.Path(f"/proc/{process}/task/{process}/children")
    return [int(number) for number in path.read_text().split()]


def wait_for(running, pattern, folder):
    """The files of a pattern, once there is one."""
    while not (found := sorted(folder.glob(pattern))):
        assert running.process.is_alive(), running.log.read()
        time.sleep(0.01)
    return found


def test_what_cannot_be_run_ends_in_a_line(study, tmp_path):
    refused = study("runs", "--only=at-0,at-7").outcome()
    assert "standard-0, at-0, late-0; received at-7" in refused.error
    late = study("runs", "--only=late-0").outcome()
    assert "make calibration" in late.error and "late-0" in late.error
    over = study("runs", "--hours=0").outcome()
    assert over.code == 0
    assert "not begun: standard-0, at-0, late-0" in over.output
    assert not (tmp_path / "kept").exists()


def test_a_lock_is_free_when_its_process_is_gone(imported, tmp_path):
    work = imported("work").Work({}, tmp_path, tmp_path)
    with work.locked("at-0") as first, work.locked("at-0") as second:
        assert first is not None and second is None
        child = os.fork()
        if not child:  # It holds the lock as a command of the study does.
            time.sleep(600)
            os._exit(0)
    with work.locked("at-0") as third:
        assert third is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with work.locked("at-0", wait=True) as fourth:
        assert fourth is not None


def test_a_command_that_fails_is_named(imported, tmp_path):
    run = imported("children").run
    script = tmp_path / "fails.py"
    script.write_text("print('why'); raise SystemExit(3)")
    log, hours = tmp_path / "run.txt", tmp_path / "hours"
    with open(tmp_path / "lock", "ab") as lock:
        with pytest.raises(
            ValueError, match=r"fails.py ended with exit code 3:"
        ):
            run(["python3", str(script)], log, lock.fileno(), hours)
    assert log.read_text() == "why\n"
    assert 0 <= float(hours.read_text()) < 1


@pytest.mark.variant  # Killed runs try the same locks.
@pytest.mark.slow
def test_two_processes_share_the_work(study, imported, tmp_path):
    names = "standard-0,at-0"
    both = [study("runs", f"--only={names}") for _ in range(2)]
    outputs = [each.outcome() for each in both]
    assert [each.code for each in outputs] == [0, 0], outputs
    shown = "".join(each.output for each in outputs)
    for name in names.split(","):
        assert shown.count(f"kept: {tmp_path / 'kept' / name}.npz") == 1
        assert shown.count(f"--workdir={tmp_path / 'runs' / name}\n") == 1
    found = imported("kept").read(tmp_path / "kept")
    assert set(found) == {*names.split(",")}
    kept = found["at-0"]
    assert "--method=at" in kept.settings
    assert str(tmp_path) not in kept.settings
    assert kept.hours["train"] > 0 and kept.hours["evaluate"] > 0
    columns = kept.records["all", "last"]
    assert set(columns) == {"standard", "pgd2"}
    margins = columns["pgd2"].margin.view(np.uint32)
    assert margins.any() and not (margins & (2**19 - 1)).any()  # 4 of 23 left
    again = study("runs", f"--only={names}").outcome()
    assert again.code == 0 and "main.py" not in again.output


@pytest.mark.variant
@pytest.mark.slow
def test_killed_runs_are_kept_as_an_undisturbed_one(study, imported, tmp_path):
    path = tmp_path / "kept" / "standard-0.npz"
    only, folder = "--only=standard-0", tmp_path / "killed" / "standard-0"
    assert study("whole", only).outcome().code == 0
    kept = imported("kept")
    whole = kept.load(path)
    path.unlink()

    # The command alone, in the middle of an epoch.
    first = study("killed", only)
    wait_for(first, "checkpoints/*", folder)
    (command,) = children(first.process.pid)
    os.kill(command, signal.SIGKILL)
    stopped = first.outcome()
    assert "train/main.py ended with exit code -9: " in stopped.error
    assert not (folder / "classifier.keras").exists()

    # By a signal that is passed on, after which training saves.
    second = study("killed", only)
    log = tmp_path / "killed" / "standard-0.txt"
    before = {*folder.glob("checkpoints/*")}
    while not {*folder.glob("checkpoints/*")} - before:  # It trains again.
        assert second.process.is_alive(), second.log.read()
        time.sleep(0.01)
    os.kill(second.process.pid, signal.SIGTERM)
    assert second.outcome().code == -signal.SIGTERM
    assert "stopping when this step is done" in log.read_text()

    # The study in its evaluation, whose command stays and keeps the lock.
    third = study("killed", only)
    wait_for(third, "all/*/*/*.npz", folder)
    (command,) = children(third.process.pid)
    os.kill(command, signal.SIGSTOP)  # Else it could be done too soon.
    third.process.kill()
    held = study("killed", only).outcome()
    assert held.code == 0
    assert "held by other processes: standard-0" in held.output
    os.kill(command, signal.SIGKILL)
    # A process of some gigabytes takes a moment to end and free its lock.
    with (
        imported("work")
        .Work({}, folder.parent, tmp_path)
        .locked("standard-0", wait=True)
    ):
        pass

    last = study("killed", only).outcome()
    assert last.code == 0, last.output
    assert "train/main.py" not in last.output
    assert "held by other processes" not in last.output
    np.testing.assert_equal(content(kept.load(path)), content(whole))
