"""Learning rate schedules of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from ijsat_tf import checks


def step_drops(
    learning_rate: float,
    steps_per_epoch: int,
    epochs: Sequence[int] = (75, 90, 100),
    factor: float = 0.1,
) -> keras.optimizers.schedules.PiecewiseConstantDecay | float:
    """The paper's schedule: the rate drops when certain epochs start.

    As in TRADES' code, epochs are counted from 1, and the drop at epoch 75
    holds from its first step on.

    Args:
        learning_rate: of the first epochs.
        steps_per_epoch: optimizer steps.
        epochs: which epochs start with a drop, default (75, 90, 100).
        factor: of each drop, default 0.1.

    Returns:
        A schedule; the rate itself when there are no drops.

    Raises:
        ValueError: for epochs that do not rise, or lie before the second.
    """
    epochs = list(epochs)
    checks.require(
        epochs == sorted(set(epochs)) and all(epoch > 1 for epoch in epochs),
        "`epochs` of drops must rise and start after epoch 1.",
        epochs,
    )
    if not epochs:
        return learning_rate
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        # A boundary still belongs to the rate before it.
        [(epoch - 1) * steps_per_epoch - 1 for epoch in epochs],
        [learning_rate * factor**drop for drop in range(len(epochs) + 1)],
    )
