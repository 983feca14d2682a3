"""Turns TensorFlow's log off, as train/quiet.py does."""

import pathlib
import runpy

runpy.run_path(str(pathlib.Path(__file__).parents[1] / "train" / "quiet.py"))
