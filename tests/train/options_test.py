"""What the flags of a training command may say, and what of a second one."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

import ijsat_tf as ij
from tests.commands import ROOT, Running, main, run

QUICK = [
    "--dataset=digits",
    "--method=standard",
    "--augment=none",
    "--train_examples=64",
    "--batch_size=16",
    "--model=small_cnn",
    "--width=4",
    "--drops=",
]


def epochs(folder):
    """How many epochs the log of a run has."""
    return len((folder / "log.csv").read_text().splitlines()) - 1


def test_more_epochs_go_on_with_a_run_and_fewer_do_not(tmp_path):
    given = *QUICK, f"--workdir={tmp_path}"
    assert run("train", *given, "--epochs=1").code == 0
    more = run("train", *given, "--epochs=3")
    assert more.code == 0 and "resuming" in more.output, more.output
    assert epochs(tmp_path) == 3
    assert "--epochs=3" in (tmp_path / "settings.cfg").read_text()
    fewer = run("train", *given, "--epochs=2").error
    assert "epochs (now 2, stored 3)" in fewer
    assert epochs(tmp_path) == 3


def test_epochs_are_a_setting_where_the_rate_follows_from_them(tmp_path):
    given = *QUICK, f"--workdir={tmp_path}", "--drop_shares=0.5"
    assert run("train", *given, "--epochs=1").code == 0
    more = run("train", *given, "--epochs=2").error
    assert "not where the learning rate follows from their number" in more


def test_a_second_process_in_a_folder_says_so(tmp_path):
    given = *QUICK, f"--workdir={tmp_path}", "--epochs=1000"
    first = Running(main, "train", given)
    file = tmp_path / "log.csv"
    while first.process.is_alive() and not file.exists():
        first.process.join(0.05)
    second = run("train", *given).error
    assert "another process trains in" in second
    first.stop(signal.SIGTERM, file)
    assert first.outcome().code == -signal.SIGTERM


@pytest.mark.parametrize("script", ["train/main.py", "eval/main.py"])
def test_help_lists_the_flags_of_the_command(script):
    shown = run(script, "--help").output
    for name in "dataset", "seed", "epsilon", "train_split", "flow":
        assert f"--{name}:" in shown or f"--[no]{name}:" in shown, name


def test_other_splits(tmp_path):
    source = ij.data.load("digits", "train")
    sets = {"fit": source.take(64), "check": source.take(32)}
    ij.data.store("own_digits", sets, tmp_path / "sets")
    own = [
        *QUICK,
        "--epochs=1",
        "--dataset=own_digits",
        f"--data_dir={tmp_path / 'sets'}",
    ]
    found = run(
        "train",
        *own,
        "--train_split=fit",
        "--test_split=check[:16]",
        f"--workdir={tmp_path / 'run'}",
    )
    assert found.code == 0, found.output
    assert "on 16 test images" in found.output
    refused = run("train", *own, f"--workdir={tmp_path / 'none'}").error
    assert "fit" in refused and "check" in refused


@pytest.mark.variant
@pytest.mark.slow
def test_home_and_names_in_an_ascii_locale(tmp_path):
    ascii_alone = {
        **os.environ,
        "HOME": str(tmp_path),
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
    }

    def said(script, *arguments):
        ended = subprocess.run(
            [sys.executable, script, *arguments],
            capture_output=True,
            cwd=ROOT,
            env=ascii_alone,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.decode()

    said("train/main.py", *QUICK, "--epochs=1", "--workdir=~/é")
    again = said("train/main.py", f"--flagfile={tmp_path / 'é/settings.cfg'}")
    assert f"resuming {tmp_path / 'é'}" in again
    table = said(
        "eval/main.py",
        "--dataset=digits",
        "--runs=~/é",
        "--attacks=fgsm",
        "--examples=10",
    )
    assert "| é " in table
    assert pathlib.Path(tmp_path / "é" / "records" / "last").is_dir()
