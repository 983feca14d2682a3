"""Evaluation of classifiers: records, statistics, tables and figures."""

from ijsat_tf.evaluation.corruption import (
    corrupted,
    mean_corruption_accuracy,
)
from ijsat_tf.evaluation.evaluator import evaluate
from ijsat_tf.evaluation.figures import (
    accuracy_chart,
    adversarial_panel,
    attacked_levels,
    heat_maps,
    image_rows,
    interpolations,
    pipeline,
    radius_curves,
    robust_curves,
    sample_grid,
)
from ijsat_tf.evaluation.figures.gradcam import grad_cam
from ijsat_tf.evaluation.formats import to_csv, to_latex, to_markdown
from ijsat_tf.evaluation.frechet import frechet_distance
from ijsat_tf.evaluation.page import Run, read_run, to_html
from ijsat_tf.evaluation.paper.tables import paper_tables
from ijsat_tf.evaluation.radius import distance_curve, radius_curve
from ijsat_tf.evaluation.records import Record, read
from ijsat_tf.evaluation.table import corruption_table, table
from ijsat_tf.evaluation.trust.check import Check
from ijsat_tf.evaluation.trust.model_checks import model_checks
from ijsat_tf.evaluation.trust.record_checks import record_checks

__all__ = [
    "Check",
    "Record",
    "Run",
    "accuracy_chart",
    "adversarial_panel",
    "attacked_levels",
    "corrupted",
    "corruption_table",
    "distance_curve",
    "evaluate",
    "frechet_distance",
    "grad_cam",
    "heat_maps",
    "image_rows",
    "interpolations",
    "paper_tables",
    "pipeline",
    "mean_corruption_accuracy",
    "model_checks",
    "radius_curve",
    "radius_curves",
    "read",
    "record_checks",
    "read_run",
    "robust_curves",
    "sample_grid",
    "table",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
]
