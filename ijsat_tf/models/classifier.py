"""The class of the classifiers of this library."""

from __future__ import annotations

import keras

from ijsat_tf.models.stages import stages


@keras.saving.register_keras_serializable("ijsat_tf")
class Classifier(keras.Model):
    """A functional Keras model that knows its stages.

    Construct a classifier like any functional model, `Classifier(inputs,
    outputs, name=...)`. To load a saved classifier, import `ijsat_tf` first.
    `keras.Model(classifier.input, classifier.output)` is the same network,
    with the same weights, in a class of Keras.
    """

    @property
    def stages(self) -> list[keras.Model]:
        """The models, from images to logits, that compose this classifier.

        This is `ijsat_tf.models.stages(self)`.
        """
        return stages(self)

    def __dir__(self) -> list[str]:
        # Keras saves every attribute listed here; stages hold no new weights.
        return [name for name in super().__dir__() if name != "stages"]
