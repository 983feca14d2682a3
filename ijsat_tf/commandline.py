"""What the command line tools share: fractions, one-line errors, loading."""

from __future__ import annotations

import fractions
import os
import sys
from collections.abc import Callable, Sequence

import keras
from absl import app, flags


class _FractionParser(flags.ArgumentParser):
    """Parses "8/255" or "0.02"; nothing is evaluated."""

    syntactic_help = "a number or a fraction such as 8/255, not negative"

    def parse(self, argument: str | float) -> float:
        try:
            number = float(fractions.Fraction(str(argument)))
        except (ValueError, ZeroDivisionError):
            number = -1.0
        if number < 0:
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


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs a command: wrong input ends in one line and exit code 2."""

    def parse(arguments: Sequence[str]) -> Sequence[str]:
        try:
            rest = flags.FLAGS(arguments)
        except (flags.Error, OSError) as error:
            _fail(error)
        if rest[1:]:
            _fail(
                f"unknown arguments {' '.join(rest[1:])}: flags start with --"
            )
        return rest

    def guarded(arguments: Sequence[str]) -> None:
        try:
            main(arguments)
        except (ValueError, OSError) as error:
            _fail(error)

    app.run(guarded, flags_parser=parse)


def _fail(error: Exception | str) -> None:
    line = " ".join(str(error).split())
    print(f"{os.path.basename(sys.argv[0])}: {line}", file=sys.stderr)
    sys.exit(2)


def load(path: str, what: str) -> keras.Model:
    """A model from a `.keras` file; no code in it is ever run.

    Args:
        path: of the file.
        what: e.g. "flow", for the message.

    Raises:
        ValueError: for a file that is missing, truncated or of another kind.
    """
    if not os.path.exists(path):
        raise ValueError(
            f"No {what} at {path}: train one first with train/main.py, or "
            "correct the path."
        )
    try:
        return keras.saving.load_model(path)
    except Exception as error:
        # Keras raises what its readers raise: zip, JSON, HDF5 errors.
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path} cannot be read as a {what}: {reason} Is it complete, "
            "and saved by this library?"
        ) from error
