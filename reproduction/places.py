"""Flags that say where the study's runs, records and images lie."""

from __future__ import annotations

import pathlib

import plan
from absl import flags
from work import Work

FLAGS = flags.FLAGS


def define() -> None:
    """Defines the flags of study.py and calibration.py."""
    flags.DEFINE_string("root", "runs/study", "folder of the runs")
    flags.DEFINE_string(
        "output", "reproduction/records", "folder of what is kept"
    )
    flags.DEFINE_string(
        "data_dir", None, "where CIFAR-10 lies; None downloads it"
    )


def work() -> Work:
    """The whole plan at the places that the flags name.

    Raises:
        ValueError: outside of the root of the repository, from which the
            paths of flagfiles and commands start.
    """
    if not pathlib.Path("reproduction/plan.py").exists():
        raise ValueError("run this command in the root of the repository")
    runs = {run.name: run for run in plan.plan(FLAGS.root)}
    root, output = pathlib.Path(FLAGS.root), pathlib.Path(FLAGS.output)
    return Work(runs, root, output, FLAGS.data_dir)
