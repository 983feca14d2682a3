"""Runs train/main.py and eval/main.py as a user does, in a process each.

Importing TensorFlow takes seconds, so one server imports the library, and
every command starts as a fork of it.
"""

import multiprocessing
import os
import pathlib
import runpy
import sys
import tempfile
from typing import NamedTuple

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
    """`python SCRIPT/main.py ARGUMENTS` in the repository's root."""
    with tempfile.NamedTemporaryFile("r+") as log:
        process = _server.Process(
            target=_command, args=(script, arguments, log.name)
        )
        process.start()
        process.join()
        return Outcome(process.exitcode, log.read())


def _command(script: str, arguments: tuple[str, ...], log: str) -> None:
    file = os.open(log, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(ROOT)
    path = ROOT / script / "main.py"
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name="__main__")
