"""Lines of text beside Keras' progress bar."""

from __future__ import annotations

import keras

from ijsat_tf.runtime import workers


def say(callback: keras.callbacks.Callback, line: str) -> None:
    """Prints a line below Keras' progress bar, on the first worker only.

    Args:
        callback: Callback of a run, which may show a progress bar.
        line: Line of text without a line end.
    """
    if not workers.is_chief(callback.model.distribute_strategy):
        return
    # At the end of an epoch Keras has not ended the line of its bar yet.
    bar = callback.params.get("verbose") in (1, "auto")
    print(("\n" if bar else "") + line, flush=True)
