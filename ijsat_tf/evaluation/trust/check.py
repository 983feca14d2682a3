"""The result of a check, and files of results."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ijsat_tf.storage.files import replaced

# This file lies in the folder of the records.
CHECKS_FILE = "checks.json"


class Check(NamedTuple):
    """The result of a check; its `str` is a line of a report.

    Attributes:
        name: Name of the check: the statement that should be true.
        passed: Whether the statement is true; None where the check does not
            apply.
        detail: Numbers behind the verdict, or the reason why there is no
            verdict, in one sentence.
    """

    name: str
    passed: bool | None
    detail: str

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        if self.passed is None:
            return "not applicable"
        return "passed" if self.passed else "failed"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.name} ({self.detail})"


def listed(checks: Mapping[str, Iterable[Check]]) -> str:
    """Returns a Markdown list of checks for each model.

    Args:
        checks: Checks {name of the model: its checks}.
    """
    parts = [
        "\n".join([f"Checks of {model}:", "", *(f"- {each}" for each in found)])
        for model, found in checks.items()
    ]
    return "\n\n".join(parts)


def save_checks(
    path: str | os.PathLike, model: str, checks: Sequence[Check]
) -> None:
    """Writes the checks of a model to a file, in place of earlier ones.

    Args:
        path: Path of the file, in JSON.
        model: Fingerprint of the model, `Record.model`.
        checks: Checks that need the model; all other checks follow from the
            records alone.
    """
    content = {"model": model, "checks": [each._asdict() for each in checks]}
    with replaced(pathlib.Path(path)) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def load_checks(path: str | os.PathLike, models: Iterable[str]) -> list[Check]:
    """Reads the checks that `save_checks` wrote.

    Args:
        path: Path of the file.
        models: Fingerprints of the models of the records in the same folder.

    Returns:
        The checks; an empty list where there is no file, or where the file is
        of a model that is not in `models`.

    Raises:
        ValueError: for a file that does not hold checks.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text("utf-8"))
        found = [Check(**each) for each in content["checks"]]
        made_of = content["model"]
        fine = isinstance(made_of, str) and all(
            isinstance(each.name, str)
            and isinstance(each.detail, str)
            and isinstance(each.passed, bool | None)
            for each in found
        )
    except (ValueError, TypeError, KeyError):
        fine = False
    if not fine:
        raise ValueError(
            f"{path} holds no checks of a model: delete the file, and "
            "evaluate again with --checks"
        )
    return found if made_of in {*models} else []
