"""Shared parts of the command line tools: flags, errors and loading."""

from __future__ import annotations

import errno
import math
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import app, flags, logging

from ijsat_tf.runtime import threads
from ijsat_tf.storage import files, presets

_FLOWS = pathlib.Path(__file__).parent / "flows" / "presets"
# The latent radius at which this flow's attacks are as strong as the paper's.
_PRESET_ETA = 0.002


class _FractionParser(flags.ArgumentParser):
    """Parses "8/255" or "0.02", without evaluating code."""

    syntactic_help = "a number or a fraction such as 8/255, not negative"

    def parse(self, argument: str | float) -> float:
        # fractions.Fraction would write out all digits of 1e999999999.
        above, slash, below = str(argument).partition("/")
        try:
            number = float(above) / float(below if slash else 1)
        except (ValueError, ZeroDivisionError):
            number = -1.0
        if not 0 <= number < math.inf:
            raise ValueError(f"expected {self.syntactic_help}")
        return number

    def flag_type(self) -> str:
        return "fraction"


def define_fraction(
    name: str, default: str | float | None, help: str
) -> flags.FlagHolder:
    """Defines a flag such as `--epsilon=8/255`."""
    return flags.DEFINE(
        _FractionParser(),
        name,
        default,
        help,
        serializer=flags.ArgumentSerializer(),
    )


def define_data() -> None:
    """Defines the flags of the images, and of the seed."""
    flags.DEFINE_string(
        "dataset",
        "cifar10",
        "Data set: digits, a set that ij.data.store wrote, or a set of "
        "TensorFlow Datasets.",
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of the data set; None downloads the data set.",
    )
    for name, what in ("train", "train on"), ("test", "test with"):
        flags.DEFINE_string(
            f"{name}_split",
            None,
            f"Split to {what}, such as validation or train[:90%]; None is "
            f"{name}.",
        )
    flags.DEFINE_integer(
        "image_size",
        None,
        "Side of the images in pixels, to which images are resized; None "
        "keeps their size.",
        1,
    )
    flags.DEFINE_integer("seed", 0, "Random seed.", 0, 2**31 - 1)


def define_strategy() -> None:
    """Defines the flag for `ijsat_tf.training.strategy`."""
    flags.DEFINE_enum(
        "strategy",
        "auto",
        ["auto", "none", "mirrored", "multi_worker"],
        "Devices to use; auto is all GPUs of this machine, or all machines of "
        "the environment's TF_CONFIG.",
    )


def define_flow() -> None:
    """Defines the flag of the flow."""
    flags.DEFINE_string(
        "flow",
        None,
        "Path of a trained flow.keras, or the name of a preset: "
        f"{', '.join(presets.names(_FLOWS))}.",
    )


def define_budgets() -> None:
    """Defines the flags of the radii, with the paper's radii as defaults."""
    define_fraction("epsilon", "8/255", "Radius in pixels, in [0, 1].")
    define_fraction(
        "epsilon_step", None, "Step in pixels; None is a quarter of --epsilon."
    )
    define_fraction(
        "eta", 0.02, f"Radius in latents; {_PRESET_ETA} suits a preset flow."
    )
    define_fraction(
        "eta_step", None, "Step in latents; None is a quarter of --eta."
    )
    flags.DEFINE_list(
        "levels",
        None,
        "Levels of the flow that an attack may change; None is all levels.",
    )


def split(name: str) -> tuple:
    """The arguments of `ijsat_tf.data.load` for "train" or "test"."""
    size = flags.FLAGS.image_size
    return (
        flags.FLAGS.dataset,
        flags.FLAGS[f"{name}_split"].value or name,
        flags.FLAGS.data_dir,
        size and (size,) * 2,
    )


def budget(name: str) -> tuple[float, float]:
    """The radius and the step of "epsilon" or "eta".

    By default the step is a quarter of the radius, as in the paper.
    """
    radius, step = flags.FLAGS[name].value, flags.FLAGS[f"{name}_step"].value
    if name == "eta" and flags.FLAGS[name].using_default_value:
        flow = flags.FLAGS["flow"].value
        if flow in presets.names(_FLOWS):
            print(
                f"warning: the default --eta={radius} is far too large for "
                f"--flow={flow}; use --eta={_PRESET_ETA}",
                flush=True,
            )
    return radius, radius / 4 if step is None else step


def numbers(name: str, kind: type = int) -> tuple[int | float, ...] | None:
    """Reads a list flag as numbers.

    Args:
        name: Name of the flag.
        kind: Type of the numbers, `int`, the default, or `float`.

    Raises:
        ValueError: for anything else.
    """
    given = flags.FLAGS[name].value
    if given is None:
        return None
    try:
        return tuple(kind(number) for number in given)
    except ValueError:
        whole = "whole numbers" if kind is int else "numbers"
        raise ValueError(
            f"--{name} must be {whole}, separated by commas; "
            f"received {','.join(given)}"
        ) from None


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs a command; wrong input ends in one line and exit code 2.

    `--help` lists the flags of the command and of the modules beside its
    script. A `~` at the start of a path is the home folder. Texts and names
    of files are UTF-8 in every locale.
    """
    if sys.getfilesystemencoding() != "utf-8":
        # TensorFlow refuses names of files in other encodings.
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

    def parse(arguments: Sequence[str]) -> Sequence[str]:
        own = own_flags()
        for flag in own:
            # By itself absl lists the flags of the script alone.
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
        try:
            rest = flags.FLAGS(arguments)
        except UnicodeDecodeError as error:
            _fail(f"--flagfile must name a UTF-8 text file: {error}")
        except (flags.Error, OSError, ValueError) as error:
            _fail(error)
        if rest[1:]:
            _fail(
                f"unknown arguments {' '.join(rest[1:])}: flags start with --"
            )
        for flag in own:
            flag.value = _with_home(flag.value)
        return rest

    def guarded(arguments: Sequence[str]) -> None:
        try:
            # Strategies log each of their steps at lower levels.
            tf.get_logger().setLevel("WARNING")
            if not flags.FLAGS["verbosity"].present:
                # TensorFlow Datasets logs each step of reading a set.
                logging.set_verbosity(logging.WARNING)
            threads.one_core_per_operation()
            main(arguments)
        except (ValueError, OSError, ImportError) as error:
            _fail(error)
        except tf.errors.OpError as error:
            # The writers of event files raise no OSError for a full disk.
            if os.strerror(errno.ENOSPC) not in error.message:
                raise
            line = error.message.split("\n")[0]
            _fail(line.rpartition("}} ")[2])  # Without the node of the graph.

    app.run(guarded, flags_parser=parse)


def own_flags() -> list[flags.Flag]:
    """The flags of the script, of modules beside it, and of this module."""
    here = pathlib.Path(sys.argv[0]).parent.resolve()
    found = []
    for name, defined in flags.FLAGS.flags_by_module_dict().items():
        place = getattr(sys.modules.get(name), "__file__", None)
        beside = place and pathlib.Path(place).parent.resolve() == here
        if beside or name in (__name__, sys.argv[0]):
            found += defined
    return found


def _with_home(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_home(each) for each in value]
    if not isinstance(value, str):
        return value
    # A run may be NAME=FOLDER.
    name, equal, place = value.partition("=")
    if equal and place.startswith("~/"):
        return f"{name}={os.path.expanduser(place)}"
    return os.path.expanduser(value) if value[:2] in ("~", "~/") else value


def warn(verdict: Any) -> None:
    """Prints a verdict that did not pass, in one line.

    Args:
        verdict: Object that has `passed` and that `str` turns into a sentence,
            such as `ijsat_tf.flows.familiarity` returns; None for no verdict.
    """
    if verdict is not None and not verdict.passed:
        print(f"warning: {verdict}", flush=True)


def _fail(error: Exception | str) -> None:
    line = " ".join(str(error).split())
    print(f"{os.path.basename(sys.argv[0])}: {line}", file=sys.stderr)
    sys.exit(2)


def located(path: str, what: str) -> str:
    """The path of a network; a flow may also be named as a preset.

    Args:
        path: Path of a file, or the name of a preset.
        what: Kind of the network, e.g. "flow".
    """
    named = what == "flow" and path in presets.names(_FLOWS)
    return str(presets.path(_FLOWS, path)) if named else path


def load(path: str, what: str, method: str = "call") -> keras.Model:
    """Loads a model from a `.keras` file; no code in the file is ever run.

    Args:
        path: Path of the file; of a flow also the name of a preset.
        what: Kind of the model, e.g. "flow", for the message.
        method: Name of a method that models of this kind have, default "call".

    Raises:
        ValueError: for a file that is missing, truncated or of another kind.
    """
    path = located(path, what)
    if not os.path.exists(path):
        named = f", or name a preset: {', '.join(presets.names(_FLOWS))}"
        raise ValueError(
            f"No {what} at {path}: train a {what} with train/main.py, or "
            f"correct the path{named if what == 'flow' else ''}."
        )
    try:
        model = keras.saving.load_model(path)
        if not hasattr(model, method):
            raise ValueError(f"it holds a {type(model).__name__}.")
        return model
    except Exception as error:
        # Keras passes on all errors of its readers: zip, JSON, HDF5 errors.
        raise ValueError(
            f"{path} cannot be read as a {what}: {files.reason(error)} Give "
            f"the path of a complete {what} that this library saved."
        ) from error


def in_float32(model: keras.Model) -> None:
    """Lets a loaded network compute in float32, for evaluation.

    The evaluation then does not depend on the dtype of the training.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            in_float32(layer)
        else:
            layer.dtype_policy = "float32"
