"""The paper's figures; each function writes a figure to a file."""

from ijsat_tf.evaluation.figures.accuracies import accuracy_chart
from ijsat_tf.evaluation.figures.curves import robust_curves
from ijsat_tf.evaluation.figures.heat import heat_maps
from ijsat_tf.evaluation.figures.interpolations import interpolations
from ijsat_tf.evaluation.figures.levels import attacked_levels
from ijsat_tf.evaluation.figures.panels import (
    adversarial_panel,
    image_rows,
    sample_grid,
)
from ijsat_tf.evaluation.figures.pipeline import pipeline
from ijsat_tf.evaluation.figures.radii import radius_curves

__all__ = [
    "accuracy_chart",
    "adversarial_panel",
    "attacked_levels",
    "heat_maps",
    "image_rows",
    "interpolations",
    "pipeline",
    "radius_curves",
    "robust_curves",
    "sample_grid",
]
