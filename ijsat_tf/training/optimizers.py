"""SGD with coupled weight decay, as in the paper's code."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ijsat_tf import checks


@keras.saving.register_keras_serializable("ijsat_tf")
class SGD(keras.optimizers.SGD):
    """SGD whose L2 penalty is part of the gradient.

    v <- momentum * v - learning_rate * (g + l2 * w);  w <- w + v

    The penalty covers every trainable variable, BatchNorm's variables and the
    biases too, as PyTorch's `weight_decay` does. Keras' own `weight_decay` is
    decoupled: w <- w - learning_rate * weight_decay * w outside of the
    momentum, which is about ten times weaker at momentum 0.9.

    Args:
        learning_rate: Learning rate, a float or a schedule, default 0.1.
        momentum: Momentum, default 0.9.
        l2: Factor of the L2 penalty, default 0; the paper's is 2e-4.
        name: Name of the optimizer, default "sgd".
        **kwargs: Further arguments of `keras.optimizers.SGD`.

    Raises:
        ValueError: for a negative `l2`, or for both `l2` and `weight_decay`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.1,
        momentum: float = 0.9,
        l2: float = 0.0,
        name: str = "sgd",
        **kwargs: Any,
    ):
        checks.require(l2 >= 0, "`l2` must be 0 or more.", l2)
        checks.require(
            not (l2 and kwargs.get("weight_decay")),
            "`l2` and `weight_decay` must not both be given; use `l2` for the "
            "coupled decay of the paper, `weight_decay` for Keras' decoupled "
            "decay.",
        )
        super().__init__(learning_rate, momentum, name=name, **kwargs)
        self.l2 = l2

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        # Here gradients are summed over replicas: the penalty counts once.
        penalty = keras.ops.multiply(self.l2, variable)
        super().update_step(
            keras.ops.add(gradient, penalty), variable, learning_rate
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l2": self.l2}
