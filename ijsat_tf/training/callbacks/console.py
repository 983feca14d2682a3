"""Lines of text beside Keras' progress bar."""

from __future__ import annotations

import keras


def say(callback: keras.callbacks.Callback, line: str) -> None:
    """Prints a line of its own.

    Args:
        callback: of a run, which may show a progress bar.
        line: without an end.
    """
    # At the end of an epoch Keras' bar is not ended yet.
    bar = callback.params.get("verbose") in (1, "auto")
    print(("\n" if bar else "") + line, flush=True)
