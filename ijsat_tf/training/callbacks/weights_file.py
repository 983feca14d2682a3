"""Keras' file of a model's weights and optimizer, for checkpoints."""

from __future__ import annotations

import io
import pathlib
import warnings

import keras

from ijsat_tf.runtime import loss_scale


def content(model: keras.Model) -> memoryview:
    """Returns the bytes of the file that `model.save_weights` writes.

    HDF5 ends the process by a segmentation fault when the disk fills in the
    middle of a file, so the file is made in memory.

    Args:
        model: Built model, with its optimizer if it is compiled.
    """
    from keras.src.saving import saving_lib

    file = io.BytesIO()
    store = saving_lib.H5IOStore(file, mode="w")
    saving_lib._save_state(
        model,
        weights_store=store,
        assets_store=None,
        inner_path="",
        visited_saveables=set(),
    )
    store.close()
    return file.getbuffer()


def load(model: keras.Model, path: pathlib.Path) -> None:
    """Loads the weights and the state of the optimizer from a file.

    Args:
        model: Built and compiled model.
        path: Path of the file, which ends in ".weights.h5".

    Raises:
        ValueError: for a file of other layers or of another optimizer.
    """
    loss_scale.build(model.optimizer, model.trainable_variables)
    try:
        with warnings.catch_warnings():
            # Keras only warns when it skips another optimizer or other layers.
            warnings.filterwarnings("error", "Skipping")
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"it is of another model: {reason}") from error
