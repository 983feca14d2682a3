"""Export of models that are built when they are made."""

from __future__ import annotations

import os
from typing import Any

import keras


class Exportable(keras.Model):
    """A Keras model of one input, which can be exported before any call.

    Keras notes the shape of an input where a first call builds the model. A
    model that is built already gives its `input_shape`, (None, ...).
    """

    input_shape: tuple[int | None, ...]

    def export(
        self,
        filepath: str | os.PathLike,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Exports the model as Keras does, also before any call.

        Args:
            filepath: Path of the artifact.
            format: Format of the artifact, default "tf_saved_model".
            verbose: Whether to print a message; None, the default, leaves the
                choice to Keras.
            input_signature: Specification of the input, default None, for
                batches of any size in the type of the weights.
            **kwargs: Settings of the format.
        """
        if input_signature is None:
            shape, dtype = self.input_shape, self.variable_dtype
            input_signature = [keras.InputSpec(shape=shape, dtype=dtype)]
        super().export(filepath, format, verbose, input_signature, **kwargs)
