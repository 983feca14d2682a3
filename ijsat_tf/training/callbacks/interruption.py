"""SIGTERM and SIGINT, which wait for the end of a step."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal, and was saved before.

    Args:
        number: of the signal.
        message: where the run stands.
    """

    def __init__(self, number: int, message: str):
        super().__init__(message)
        self.signal = number

    def die(self) -> None:
        """Ends this process by the signal.

        A shell sees 143 or 130, and its loops end; Slurm and Kubernetes see a
        job that was terminated, where code 0 would be one that is complete.
        """
        signal.signal(self.signal, signal.SIG_DFL)
        os.kill(os.getpid(), self.signal)


class Interruption:
    """Within `with Interruption():` a first signal is only noted.

    `Backup` saves at the end of the step and raises `Interrupted`. A second
    signal acts as it always did. Signals that were ignored stay so, as a shell
    asks for jobs in the background. Outside of the main thread nothing
    happens, as Python's signals are the main thread's.

    Attributes:
        signal: the number of the signal that came, or None.
    """

    def __init__(self):
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._note)
                for number in _SIGNALS
                if signal.getsignal(number) != signal.SIG_IGN
            }
        return self

    def __exit__(self, *_: Any) -> None:
        self._hand_back()

    def _hand_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, _: Any) -> None:
        self.signal = number
        self._hand_back()
        # A print may be what the signal interrupted.
        name = signal.Signals(number).name
        os.write(2, f"\n{name}: stopping when this step is done\n".encode())
