"""Where a line stands beside Keras' progress bar, and who prints it."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf.runtime import workers
from ijsat_tf.training.callbacks.console import say


def callback(verbose):
    strategy = tf.distribute.get_strategy()
    return types.SimpleNamespace(
        model=types.SimpleNamespace(distribute_strategy=strategy),
        params={} if verbose is None else {"verbose": verbose},
    )


@pytest.mark.parametrize(
    ("verbose", "expected"),
    [
        (None, "done\n"),
        (0, "done\n"),
        (2, "done\n"),
        (1, "\ndone\n"),
        ("auto", "\ndone\n"),
    ],
)
def test_a_bar_is_left_first(verbose, expected, capsys):
    say(callback(verbose), "done")
    assert capsys.readouterr().out == expected


def test_other_workers_print_nothing(capsys, monkeypatch):
    for chief in (False, True):
        monkeypatch.setattr(workers, "is_chief", lambda _, chief=chief: chief)
        say(callback(1), "done")
        assert bool(capsys.readouterr().out) is chief


@pytest.mark.parametrize("verbose", ["auto", 0, 1, 2])
def test_lines_of_a_run_are_their_own(verbose, capsys):
    class Count(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            say(self, f"epoch {epoch} is over")

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(
        np.ones((4, 1)),
        np.ones((4, 1)),
        batch_size=2,
        epochs=2,
        verbose=verbose,
        callbacks=[Count()],
    )
    lines = capsys.readouterr().out.splitlines()
    for epoch in range(2):
        assert lines.count(f"epoch {epoch} is over") == 1
