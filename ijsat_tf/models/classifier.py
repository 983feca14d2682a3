"""The class of our own classifiers."""

from __future__ import annotations

import keras

from ijsat_tf.models.stages import stages


@keras.saving.register_keras_serializable("ijsat_tf")
class Classifier(keras.Model):
    """A functional Keras model that knows its stages.

    It is constructed as any functional model is, `Classifier(inputs,
    outputs, name=...)`; loading it needs `ijsat_tf` imported.
    `keras.Model(classifier.input, classifier.output)` is the same network, of
    the same weights, in a class of Keras.
    """

    @property
    def stages(self) -> list[keras.Model]:
        """The models, from images to logits, whose composition it is;
        `ijsat_tf.models.stages(self)`."""
        return stages(self)

    def __dir__(self) -> list[str]:
        # Keras saves whatever is listed here, and stages hold nothing new.
        return [name for name in super().__dir__() if name != "stages"]
