"""The commands of the study, each in a process of its own."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from ijsat_tf.training import Interrupted

_SIGNALS = signal.SIGTERM, signal.SIGINT


def run(
    line: Sequence[str], log: pathlib.Path, lock: int, hours: pathlib.Path
) -> None:
    """Runs a command and waits for its end.

    SIGTERM and Ctrl-C are passed on to the command, so that training saves;
    after the end of the command `Interrupted` is raised.

    Args:
        line: Command and its arguments.
        log: File to which the output of the command is appended.
        lock: Descriptor of a locked file. The command inherits the lock, so
            that a run stays locked while a command works on it, even after
            this process was killed.
        hours: File to which the time of the command is appended, in hours.

    Raises:
        ValueError: for an exit code other than 0.
        Interrupted: after a signal.
    """
    received: list[int] = []
    children: list[subprocess.Popen] = []

    def forward(number: int, _: Any) -> None:
        received.append(number)
        for child in children:
            child.send_signal(number)

    # A shell makes jobs in the background ignore some signals, which stay
    # ignored.
    before = {
        number: signal.signal(number, forward)
        for number in _SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN
    }
    begin = time.monotonic()
    try:
        with open(log, "ab") as file:
            child = subprocess.Popen(
                line,
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=[lock],
                # A terminal sends Ctrl-C to the whole session. The command
                # would get it twice, and the second one ends it unsaved.
                start_new_session=True,
            )
        children.append(child)
        for number in received:  # Signals from before the command began.
            child.send_signal(number)
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        with open(hours, "a", encoding="utf-8") as file:
            file.write(f"{(time.monotonic() - begin) / 3600:.9f}\n")
    if received:
        name = signal.Signals(received[0]).name
        raise Interrupted(received[0], f"{name}: the same command resumes")
    if code:
        script = next(part for part in line if part.endswith(".py"))
        raise ValueError(
            f"{script} ended with exit code {code}: {log} has its output"
        )
