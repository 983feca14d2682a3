"""The base of models whose train step defines its own loss."""

from __future__ import annotations

from typing import Any

import keras

from ijsat_tf import checks
from ijsat_tf.runtime import loss_scale, not_finite
from ijsat_tf.runtime.exportable import Exportable
from ijsat_tf.runtime.workers import MultiWorkerModel


class StepModel(Exportable, MultiWorkerModel):
    """A Keras model that takes no loss, and whose errors are readable."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        *,
        jit_compile: bool | str = False,
        steps_per_execution: int = 1,
        **kwargs: Any,
    ) -> None:
        """Compiles as Keras does, without `loss`, which the train step defines.

        Args:
            optimizer: Optimizer, e.g. `ijsat_tf.training.SGD`.
            loss: Loss, which must be None.
            loss_weights: Weights of losses, which must be None.
            jit_compile: Whether to compile the step with XLA, default False.
                XLA drops every check of values, also those for NaN.
            steps_per_execution: Number of steps per execution, default 1.
            **kwargs: Further arguments of Keras' `compile`, e.g.
                `metrics=["accuracy"]`.

        Raises:
            ValueError: for a loss, for accumulated gradients, and for what
                Keras cannot do with two or more replicas.
        """
        checks.require(
            loss is None and loss_weights is None,
            "`compile` takes no `loss` and no `loss_weights`, because the "
            "train step defines the loss; for another loss, choose or write "
            "another method (ijsat_tf.training.methods).",
            repr(loss),
        )
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            **kwargs,
        )
        checks.require(
            not self._optimizer_has("gradient_accumulation_steps"),
            "`gradient_accumulation_steps` would repeat random numbers, "
            "which follow from `optimizer.iterations`; use a larger batch.",
        )
        if self.distribute_strategy.num_replicas_in_sync > 1:
            self._require_replicable(steps_per_execution, jit_compile)
        if self.built:
            loss_scale.build(self.optimizer, self.trainable_variables)

    def _require_replicable(self, steps: int, jit: bool | str) -> None:
        checks.require(
            steps == 1 and not jit,
            "`steps_per_execution` > 1 and `jit_compile` fail in Keras with "
            "two or more replicas; leave them out "
            "(https://github.com/keras-team/keras/issues/19246).",
        )
        checks.require(
            not self._optimizer_has("clipnorm", "global_clipnorm", "clipvalue"),
            "With two or more replicas Keras clips each replica's gradients "
            "before it sums them; leave clipping out of the optimizer.",
        )

    def _optimizer_has(self, *names: str) -> bool:
        """Whether the optimizer, or one inside it, has one of the settings."""
        return any(
            getattr(optimizer, name, None)
            for optimizer in loss_scale.every(self.optimizer)
            for name in names
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Trains as Keras does; the class says what x and y may be."""
        with not_finite.located(self), checks.readable_errors():
            return super().fit(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates as Keras does, with readable errors."""
        with checks.readable_errors():
            return super().evaluate(*args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Trains on one batch as Keras does, with readable errors."""
        with checks.readable_errors():
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Tests on one batch as Keras does, with readable errors."""
        with checks.readable_errors():
            return super().test_on_batch(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Predicts as Keras does, with readable errors."""
        with checks.readable_errors():
            return super().predict(*args, **kwargs)
