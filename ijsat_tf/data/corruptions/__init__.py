"""Common corruptions of images, as in CIFAR-10-C."""

from ijsat_tf.data.corruptions.apply import corrupt, corrupted
from ijsat_tf.data.corruptions.severities import CORRUPTIONS, SUBSTITUTES

__all__ = ["CORRUPTIONS", "SUBSTITUTES", "corrupt", "corrupted"]
