"""Records of attacks that nobody made."""

import numpy as np

from ijsat_tf.evaluation import Record


def record(correct, **settings):
    """A complete record of these images, right or wrong."""
    correct = np.array(correct, bool)
    numbers = correct.astype("float32")
    same = {
        "attack": "attack",
        "model": "model",
        "data": "data",
        "networks": "none",
        "seed": 0,
        "batch_size": 2,
        "samples": len(correct),
    }
    columns = {
        "margin": numbers - 0.5,
        "loss": numbers,
        "linf": 0 * numbers,
        "l2": 0 * numbers,
        "clipped": 0 * numbers,
        "overflowed": numbers < -np.inf,
        "seconds": numbers,
        "budget": {},
    }
    return Record(correct=correct, **{**same, **columns, **settings})


def row(columns, model, images=200, seed=0):
    """{column: record}, of accuracies that fall from column to column."""
    random = np.random.default_rng(seed)
    ease = random.random(images)
    return {
        name: record(
            ease > (place + 1) / (len(columns) + 2),
            attack="standard" if name == "standard" else f"Attack({name!r})",
            model=model,
        )
        for place, name in enumerate(columns)
    }
