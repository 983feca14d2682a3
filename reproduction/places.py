"""Flags for the folders of the study's runs, records and images."""

from __future__ import annotations

import pathlib

import plan
from absl import flags
from work import Work

FLAGS = flags.FLAGS


def define() -> None:
    """Defines the flags of study.py and calibration.py."""
    flags.DEFINE_string("root", "runs/study", "Folder of the runs.")
    flags.DEFINE_string(
        "output", "reproduction/records", "Folder of the kept results."
    )
    flags.DEFINE_string(
        "data_dir", None, "Folder of CIFAR-10; None downloads CIFAR-10."
    )


def work() -> Work:
    """The whole plan at the places that the flags name.

    Raises:
        ValueError: outside of the root of the repository, from which the
            paths of flagfiles and commands start.
    """
    if not pathlib.Path("reproduction/plan.py").exists():
        raise ValueError(
            "this command must run in the root of the repository: "
            "change to that folder first"
        )
    runs = {run.name: run for run in plan.plan(FLAGS.root)}
    root, output = pathlib.Path(FLAGS.root), pathlib.Path(FLAGS.output)
    return Work(runs, root, output, FLAGS.data_dir)
