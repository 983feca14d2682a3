"""Learning rate schedules of the paper and of methods in its tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks


def step_drops(
    learning_rate: float,
    steps_per_epoch: int,
    epochs: Sequence[int] = (75, 90, 100),
    factor: float = 0.1,
) -> keras.optimizers.schedules.PiecewiseConstantDecay | float:
    """The paper's schedule: the rate drops when certain epochs start.

    As in TRADES' code, epochs are counted from 1, and the drop at epoch 75
    holds from the first step of that epoch on.

    Args:
        learning_rate: Learning rate of the first epochs.
        steps_per_epoch: Number of optimizer steps per epoch.
        epochs: Epochs that start with a drop, default (75, 90, 100).
        factor: Factor of the rate at each drop, default 0.1.

    Returns:
        Schedule, or the rate itself when there are no drops.

    Raises:
        ValueError: for epochs that do not rise, or that lie before epoch 2.
    """
    epochs = list(epochs)
    checks.require(
        epochs == sorted(set(epochs)) and all(epoch > 1 for epoch in epochs),
        "`epochs` must increase, and each epoch must be above 1, such as "
        "(75, 90, 100).",
        epochs,
    )
    if not epochs:
        return learning_rate
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        # A boundary still belongs to the rate before it.
        [(epoch - 1) * steps_per_epoch - 1 for epoch in epochs],
        [learning_rate * factor**drop for drop in range(len(epochs) + 1)],
    )


def share_drops(
    learning_rate: float,
    steps: int,
    shares: Sequence[float] = (0.34, 0.67),
    factor: float = 0.1,
) -> keras.optimizers.schedules.PiecewiseConstantDecay | float:
    """RLAT's schedule: the rate drops after certain shares of the training.

    The step that completes a share has the lower rate already, as in the
    official code.

    Args:
        learning_rate: Learning rate of the first steps.
        steps: Number of optimizer steps of the whole training.
        shares: Shares of `steps` after which the rate drops, default
            (0.34, 0.67).
        factor: Factor of the rate at each drop, default 0.1.

    Returns:
        Schedule, or the rate itself when there are no drops.

    Raises:
        ValueError: for shares that do not rise, or are not between 0 and 1,
            and for too few steps for so many drops.

    Source: https://github.com/tml-epfl/adv-training-corruptions.
    """
    shares = list(shares)
    checks.require(
        shares == sorted(set(shares)) and all(0 < s < 1 for s in shares),
        "`shares` must increase and lie between 0 and 1, such as (0.34, 0.67).",
        shares,
    )
    # The step at which a share of 0.34 of 150 epochs is complete must not
    # depend on the last digit of a product.
    ends = [math.ceil(round(share * steps, 6)) for share in shares]
    checks.require(
        ends == sorted(set(ends)),
        f"`steps` must be enough for {len(shares)} drops at different steps; "
        "train for more steps, or give fewer shares.",
        steps,
    )
    if not shares:
        return learning_rate
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        # Steps are counted from 0, and a boundary belongs to the rate before.
        [end - 2 for end in ends],
        [learning_rate * factor**drop for drop in range(len(shares) + 1)],
    )


@keras.saving.register_keras_serializable("ijsat_tf")
class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is linear between given epochs.

    Step t (from 0) has the rate of the epoch (t + 1) / steps_per_epoch; after
    the last epoch the rate stays. With the defaults this is the "cyclic"
    schedule of DMAT on OM-ImageNet, which extends the schedule of Fast AT on
    ImageNet.

    Args:
        steps_per_epoch: Number of optimizer steps per epoch.
        epochs: Epochs whose rates are given, default (0, 1, 6, 12, 15, 20);
            DMAT's normal training goes on with 30 and 40.
        rates: Learning rates at these epochs, default (0, 0.4, 0.04, 0.004,
            0.0004, 0.0001); DMAT's normal training goes on with 0.0001 and
            0.00001.

    Raises:
        ValueError: for fewer than two epochs, for epochs that do not rise, or
            for a number of rates other than that of the epochs.

    Source: https://github.com/samuel930930/Dual-Manifold-Adversarial-Training;
    Wong et al., Fast is Better than Free, 2020.
    """

    def __init__(
        self,
        steps_per_epoch: int,
        epochs: Sequence[float] = (0, 1, 6, 12, 15, 20),
        rates: Sequence[float] = (0, 0.4, 0.04, 0.004, 0.0004, 0.0001),
    ):
        self.steps_per_epoch = checks.at_least_one(
            "steps_per_epoch", steps_per_epoch
        )
        self.epochs = [float(epoch) for epoch in epochs]
        self.rates = [float(rate) for rate in rates]
        checks.require(
            len(self.epochs) >= 2 and self.epochs == sorted(set(self.epochs)),
            "`epochs` must be at least two increasing numbers, such as "
            "(0, 1, 6).",
            self.epochs,
        )
        checks.require(
            len(self.rates) == len(self.epochs),
            f"`rates` must be {len(self.epochs)} numbers, one for each of "
            "`epochs`.",
            self.rates,
        )

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        epoch = (tf.cast(step, tf.float32) + 1) / self.steps_per_epoch
        epochs, rates = tf.constant(self.epochs), tf.constant(self.rates)
        segment = tf.math.count_nonzero(epochs[1:-1] <= epoch)
        start, end = epochs[segment], epochs[segment + 1]
        share = tf.clip_by_value((epoch - start) / (end - start), 0.0, 1.0)
        return (1 - share) * rates[segment] + share * rates[segment + 1]

    def get_config(self) -> dict[str, Any]:
        return {
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
            "rates": self.rates,
        }
