"""Attacks of least distance: the misclassified image nearest to an image."""

from ijsat_tf.attacks.least_distance.carlini_wagner import CarliniWagner
from ijsat_tf.attacks.least_distance.deepfool import DeepFool
from ijsat_tf.attacks.least_distance.fast_minimum_norm import FastMinimumNorm
from ijsat_tf.attacks.least_distance.least_distance import LeastDistance

__all__ = ["CarliniWagner", "DeepFool", "FastMinimumNorm", "LeastDistance"]
