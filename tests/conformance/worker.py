"""Evaluates and trains small networks under its environment's strategy.

python tests/conformance/worker.py FILE [mirrored]

Run once a worker, each with its TF_CONFIG; writes what came out to FILE, and
records into a folder beside it, which workers share.
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


def evaluated(ij, strategy, model, data, path, together):
    """Losses under attack, how many files this process wrote, and what it
    says of a folder that not all see."""
    from ijsat_tf.evaluation import records

    wrote, save = [], records.save
    records.save = lambda *given: wrote.append(save(*given))
    ball = ij.spaces.Linf(0.05)
    attacks = {
        "jsa": model.method.attack,
        "aa": ij.attacks.AutoAttack(ball, "custom", ["square"], batch_size=4),
    }
    refused = ""
    with strategy.scope():
        found = ij.evaluation.evaluate(
            model.classifier, data, attacks, 4, folder=together
        )
        chief = ij.runtime.workers.is_chief(strategy)
        folder = together if chief else path.with_suffix("")
        try:
            ij.evaluation.evaluate(
                model.classifier, data, attacks, 4, folder=folder
            )
        except ValueError as error:
            refused = str(error)
    losses = [record.loss for record in found.values()]
    return {"robust": losses, "wrote": len(wrote), "refused": refused}


if __name__ == "__main__":
    path, *name = sys.argv[1:]
    path = pathlib.Path(path)
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
        if make is ijsat:
            folder = path.parent / ("alone" if name else "together")
            data = images[:7], source.labels[:7]
            found |= evaluated(ij, strategy, model, data, path, folder)
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
