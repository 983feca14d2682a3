"""Trains small networks under the strategy of its environment.

python tests/conformance/worker.py FILE [mirrored]

Run once a worker, each with its TF_CONFIG; writes what came out to FILE.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

import tensorflow as tf  # noqa: E402

CPU, *_ = tf.config.list_physical_devices("CPU")
ONE = tf.config.LogicalDeviceConfiguration()


def ijsat():
    return catalogue.make_model(catalogue.METHODS["IJSAT"](tiny.make_flow()))


def flow():
    flow = tiny.make_flow(gradient_clip=0.1)
    flow.compile(keras.optimizers.SGD(0.1))
    return flow


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

    images = tiny.random_images(32)
    source = ij.data.Source(
        (255 * images).astype("uint8"), np.arange(32, dtype="int32") % 3, 3
    )
    found = {"replicas": strategy.num_replicas_in_sync}
    for make in ijsat, flow:
        with strategy.scope():
            keras.utils.set_random_seed(0)
            model = make()
        history = model.fit(
            ij.data.batches(source, 8, seed=0),
            epochs=2,
            steps_per_epoch=4,
            shuffle=False,
            verbose=0,
        ).history
        tested = model.evaluate(
            images[:30],
            source.labels[:30],
            batch_size=8,
            verbose=0,
            return_dict=True,
        )
        of = make.__name__
        for place, weight in enumerate(model.get_weights()):
            found[f"{of} weight {place}"] = weight
        for key, numbers in history.items():
            assert np.shape(numbers) == (2,)
            found[f"{of} {key}"] = numbers
        for key, number in tested.items():
            found[f"{of} tested {key}"] = number
    np.savez(path, **found)
