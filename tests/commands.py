"""Runs train/main.py and those of eval/ as a user does, in a process each.

Importing TensorFlow takes seconds, so one server imports the library, and
every command starts as a fork of it.
"""

import multiprocessing
import os
import pathlib
import runpy
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).parents[1]
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["ijsat_tf"])


class Outcome(NamedTuple):
    """What a shell would see."""

    code: int
    output: str

    @property
    def error(self) -> str:
        """The one line of an error; TensorFlow's log lines come before."""
        assert self.code == 2, self.output
        assert "Traceback" not in self.output, self.output
        return self.output.strip().splitlines()[-1]


def run(script: str, *arguments: str) -> Outcome:
    """`python SCRIPT ARGUMENTS` in the repository's root.

    A script is a file, such as eval/report.py, or the folder of a main.py.
    """
    return call(main, script, arguments)


def call(
    function: Callable, *arguments: Any, seconds: float | None = None
) -> Outcome:
    """A function of this folder in a process of its own, which is killed
    after so many seconds."""
    return Running(function, *arguments).outcome(seconds)


class Running:
    """A function of this folder that runs in a process of its own."""

    def __init__(self, function: Callable, *arguments: Any):
        self.log = tempfile.NamedTemporaryFile("r+")
        self.process = _server.Process(
            target=_logged, args=(self.log.name, function, *arguments)
        )
        self.process.start()

    def outcome(self, seconds: float | None = None) -> Outcome:
        """How it ended; after so many seconds it is killed."""
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return Outcome(self.process.exitcode, self.log.read())

    def stop(self, number: int, file: pathlib.Path) -> None:
        """Sends a signal once `file` is there."""
        while self.process.is_alive() and not file.exists():
            time.sleep(0.01)
        os.kill(self.process.pid, number)


def killed(file: pathlib.Path, script: str, *arguments: str) -> None:
    """Runs a command, and kills it without warning once `file` is there."""
    stopped(signal.SIGKILL, file, script, *arguments)


def stopped(
    number: int, file: pathlib.Path, script: str, *arguments: str
) -> Outcome:
    """Runs a command, which ends by a signal sent once `file` is there."""
    running = Running(main, script, arguments)
    running.stop(number, file)
    found = running.outcome()
    assert found.code == -number, found.output
    return found


def _logged(log: str, function: Callable, *arguments: Any) -> None:
    file = os.open(log, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    function(*arguments)


def main(
    script: str, arguments: Sequence[str], folder: pathlib.Path = ROOT
) -> None:
    """`python SCRIPT ARGUMENTS` in a folder, in this process."""
    os.chdir(folder)
    path = ROOT / script
    path = path / "main.py" if path.is_dir() else path
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name="__main__")
