"""Interruption by SIGTERM or SIGINT at the end of a step."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(KeyboardInterrupt):
    """The error that ends a training after a signal, when everything is saved.

    Args:
        number: Number of the signal.
        message: Message with the position of the run.
    """

    def __init__(self, number: int, message: str):
        super().__init__(message)
        self.signal = number

    def die(self) -> None:
        """Ends this process by the signal.

        A shell sees the code 143 or 130 and ends its loops. Slurm and
        Kubernetes see a job that was terminated; code 0 would tell them that
        the job is complete.
        """
        signal.signal(self.signal, signal.SIG_DFL)
        os.kill(os.getpid(), self.signal)


class Interruption:
    """A context in which a first signal is only noted.

    After a signal within `with Interruption():`, `Backup` saves at the end of
    the step and raises `Interrupted`. A second signal acts as it would without
    this context. Signals that were ignored stay ignored, as a shell asks for
    jobs in the background. Outside of the main thread the context does
    nothing, as Python handles signals in the main thread only.

    Attributes:
        signal: Number of the signal that came, or None.
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
        # The signal may have interrupted a `print`, so `print` must not run.
        name = signal.Signals(number).name
        os.write(2, f"\n{name}: stopping when this step is done\n".encode())
