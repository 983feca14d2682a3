"""A page about runs, as one HTML file."""

from ijsat_tf.evaluation.page.contents import to_html
from ijsat_tf.evaluation.page.runs import Run, is_run, read_run

__all__ = ["Run", "is_run", "read_run", "to_html"]
