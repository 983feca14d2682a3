"""Classifiers, and logits of classifiers that come from elsewhere."""

from ijsat_tf.models.logits import logits
from ijsat_tf.models.resnet import resnet18
from ijsat_tf.models.small import small_cnn

__all__ = ["logits", "resnet18", "small_cnn"]
