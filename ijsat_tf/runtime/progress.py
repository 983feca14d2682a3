"""A Keras progress bar of images, which is readable in files too."""

from __future__ import annotations

import sys
import time

import keras

# On a screen the bar moves twice a second. A file gets a line per minute.
_SCREEN, _FILE = 0.5, 60.0


def verbosity() -> int:
    """Keras' `verbose`: 1, a moving bar, on a screen; 2, whole lines, in files.

    Keras itself writes the carriage returns of the bar into files as well.
    """
    screen = sys.stdout.isatty() or "ipykernel" in sys.modules
    return 1 if screen else 2


class Progress:
    """How many images are done, how long that took, and the seconds left.

    Args:
        images: Number of images.
        name: Name of the work, which each line shows.
        shown: Whether anything is shown, default True.
    """

    def __init__(self, images: int, name: str, shown: bool = True):
        self._bar = keras.utils.Progbar(
            images,
            verbose=verbosity() if shown else 0,
            interval=_SCREEN,
            stateless_metrics=[],  # No metric is averaged over time.
            unit_name=f"image - {name}",
        )
        self._line = time.monotonic()

    def update(self, done: int, **metrics: float) -> None:
        """Shows the present state.

        Args:
            done: Number of images that are done.
            **metrics: Numbers to show, by name.
        """
        finished = done >= self._bar.target
        lines = self._bar.verbose == 2
        due = lines and time.monotonic() - self._line >= _FILE
        if due:
            self._line = time.monotonic()
        self._bar.update(done, list(metrics.items()), finished or due)
