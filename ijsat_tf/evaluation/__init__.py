"""Evaluation of classifiers, tables and pictures."""

from ijsat_tf.evaluation.evaluator import Record, evaluate
from ijsat_tf.evaluation.figures import adversarial_panel
from ijsat_tf.evaluation.report import table

__all__ = ["Record", "adversarial_panel", "evaluate", "table"]
