"""Sets the environment of TensorFlow, as train/environment.py does."""

import pathlib
import runpy

_TRAIN = pathlib.Path(__file__).parents[1] / "train"
runpy.run_path(str(_TRAIN / "environment.py"))
