"""Where images come from and how they become batches."""

from ijsat_tf.data import corruptions
from ijsat_tf.data.bundled import samples
from ijsat_tf.data.corruptions import CORRUPTIONS, corrupt, corrupted
from ijsat_tf.data.pipeline import batches, steps_per_epoch
from ijsat_tf.data.published import load_corrupted
from ijsat_tf.data.source import Source
from ijsat_tf.data.sources import load
from ijsat_tf.data.store import store

__all__ = [
    "CORRUPTIONS",
    "Source",
    "batches",
    "corrupt",
    "corrupted",
    "corruptions",
    "load",
    "load_corrupted",
    "samples",
    "steps_per_epoch",
    "store",
]
