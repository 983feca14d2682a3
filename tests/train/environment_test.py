"""What TensorFlow's import finds in a command, and what it prints."""

import os
import pathlib
import platform
import runpy
import subprocess
import sys

import pytest

from tests.commands import ROOT

ENVIRONMENT = ROOT / "train" / "environment.py"
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called",
    "I0000 00:00:1 1 cudart_stub.cc:31] Could not find cuda drivers",
)
TENSORFLOW = f"""
import os
for line in {NOISE}:
    os.write(2, (line + "\\n").encode())
os.write(2, b"E0000 an error\\n")
if "FAIL" in os.environ:
    raise ImportError("broken")
"""


@pytest.fixture
def imported(tmp_path):
    """Runs the module with another TensorFlow, and with or without a GPU."""
    (tmp_path / "tensorflow.py").write_text(TENSORFLOW)
    program = """
import glob, runpy, os, sys
glob.glob = lambda pattern: [pattern] * int(sys.argv[2])
runpy.run_path(sys.argv[1])
print(os.environ["TF_CPP_MIN_LOG_LEVEL"], "tensorflow" in sys.modules)
print("after", file=sys.stderr)
"""

    def run(gpu=False, path=ENVIRONMENT, **settings):
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TF_CPP")
        }
        return subprocess.run(
            [sys.executable, "-c", program, path, str(int(gpu))],
            env={**clean, "PYTHONPATH": str(tmp_path), **settings},
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize("given, expected", [({}, "1"), ({ONEDNN: "0"}, "0")])
def test_convolutions_use_onednn_unless_asked_otherwise(
    given, expected, monkeypatch
):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.delenv(ONEDNN, raising=False)
    for name, setting in given.items():
        monkeypatch.setenv(name, setting)
    runpy.run_path(str(ENVIRONMENT))
    assert os.environ[ONEDNN] == expected


def test_other_cpus_keep_the_default(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.delenv(ONEDNN, raising=False)
    runpy.run_path(str(ENVIRONMENT))
    assert ONEDNN not in os.environ


@pytest.mark.parametrize("folder", ["train", "eval"])
def test_a_machine_without_a_gpu_shows_errors_of_the_import_alone(
    imported, folder
):
    done = imported(path=ROOT / folder / "environment.py")
    assert done.stdout == "3 True\n"
    assert done.stderr == "E0000 an error\nafter\n"


def test_a_gpu_hides_nothing_above_the_level(imported):
    done = imported(gpu=True)
    assert (done.stdout, done.stderr) == ("2 False\n", "after\n")


def test_a_level_that_was_asked_for_stays(imported):
    done = imported(TF_CPP_MIN_LOG_LEVEL="0")
    assert (done.stdout, done.stderr) == ("0 False\n", "after\n")


def test_an_import_that_fails_says_so(imported):
    done = imported(FAIL="1")
    assert done.returncode == 1
    assert "E0000 an error\n" in done.stderr and "broken" in done.stderr
    assert not any(line in done.stderr for line in NOISE)


def test_a_second_import_changes_nothing(capfd):
    runpy.run_path(str(ENVIRONMENT))
    assert capfd.readouterr().err == ""


@pytest.mark.sampled
@pytest.mark.slow
@pytest.mark.parametrize("script", ["train/main.py", "eval/main.py"])
def test_help_prints_no_line_of_tensorflow(script):
    """With the real one, on the machine of the test."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME")}
    done = subprocess.run(
        [sys.executable, pathlib.Path(script), "--help"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert "flags:\n\n" in done.stdout
    assert done.stderr == ""
