"""Trains a tiny IJSAT classifier under the strategy of its environment.

python tests/conformance/worker.py FILE [mirrored]

Run once a worker, each with its TF_CONFIG; writes what came out to FILE.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import tensorflow as tf  # noqa: E402

CPU, *_ = tf.config.list_physical_devices("CPU")
ONE = tf.config.LogicalDeviceConfiguration()

if __name__ == "__main__":
    path, *name = sys.argv[1:]
    if name:
        tf.config.set_logical_device_configuration(CPU, [ONE, ONE])
    import ijsat_tf as ij

    strategy = ij.training.strategy(*name)

    import keras
    import numpy as np

    from tests import tiny
    from tests.conformance import catalogue

    with strategy.scope():
        keras.utils.set_random_seed(0)
        method = catalogue.METHODS["IJSAT"](tiny.make_flow())
        model = catalogue.make_model(method)
    images = tiny.random_images(32)
    source = ij.data.Source(
        (255 * images).astype("uint8"), np.arange(32, dtype="int32") % 3, 3
    )
    history = model.fit(
        ij.data.batches(source, 8, seed=0),
        epochs=2,
        steps_per_epoch=4,
        shuffle=False,
        verbose=0,
    ).history
    found = model.evaluate(
        images[:30], source.labels[:30], batch_size=8, verbose=0
    )
    np.savez(
        path,
        *model.classifier.get_weights(),
        replicas=strategy.num_replicas_in_sync,
        history=json.dumps(
            {name: np.shape(values) for name, values in history.items()}
        ),
        losses=np.ravel(history["loss"]),
        found=np.ravel(found),
    )
