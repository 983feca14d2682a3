"""Classifiers, trained ones too, their stages, logits of other models."""

from ijsat_tf.models.auxiliary_norm import with_auxiliary_norm
from ijsat_tf.models.classifier import Classifier
from ijsat_tf.models.logits import logits
from ijsat_tf.models.lpips import LPIPS
from ijsat_tf.models.perceptual_distance import PerceptualDistance
from ijsat_tf.models.preact_resnet import preact_resnet18
from ijsat_tf.models.presets import from_preset
from ijsat_tf.models.resnet import resnet18, resnet50
from ijsat_tf.models.small import small_cnn
from ijsat_tf.models.stages import stages

__all__ = [
    "Classifier",
    "LPIPS",
    "PerceptualDistance",
    "from_preset",
    "logits",
    "preact_resnet18",
    "resnet18",
    "resnet50",
    "small_cnn",
    "stages",
    "with_auxiliary_norm",
]
