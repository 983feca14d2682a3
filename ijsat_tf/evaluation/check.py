"""Verdicts on numbers: what was checked, and what was found."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ijsat_tf.files import replaced

# Beside the records, in their folder.
CHECKS_FILE = "checks.json"


class Check(NamedTuple):
    """What a check found; `str` is a line of a report.

    Attributes:
        name: what should be so.
        passed: whether it is; None where that cannot be told.
        detail: numbers, or why it cannot be told, in one sentence.
    """

    name: str
    passed: bool | None
    detail: str

    @property
    def verdict(self) -> str:
        """In words."""
        if self.passed is None:
            return "not applicable"
        return "passed" if self.passed else "failed"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.name} ({self.detail})"


def listed(checks: Mapping[str, Iterable[Check]]) -> str:
    """Checks as a Markdown list for each model.

    Args:
        checks: {model: its checks}.
    """
    parts = [
        "\n".join([f"Checks of {model}:", "", *(f"- {each}" for each in found)])
        for model, found in checks.items()
    ]
    return "\n\n".join(parts)


def save_checks(
    path: str | os.PathLike, model: str, checks: Sequence[Check]
) -> None:
    """Writes what was found of a model, in place of what was found before.

    Args:
        path: of the file, JSON.
        model: its fingerprint, `Record.model`.
        checks: those that need the model; others follow from records.
    """
    content = {"model": model, "checks": [each._asdict() for each in checks]}
    with replaced(pathlib.Path(path)) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def load_checks(path: str | os.PathLike, models: Iterable[str]) -> list[Check]:
    """What `save_checks` wrote; nothing of other models, or without a file.

    Args:
        path: of the file.
        models: fingerprints, those of the records beside it.

    Raises:
        ValueError: for a file that is something else.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text("utf-8"))
        found = [Check(**each) for each in content["checks"]]
        made_of = content["model"]
        fine = all(
            isinstance(each.name, str)
            and isinstance(each.detail, str)
            and each.passed in (True, False, None)
            for each in found
        )
    except (ValueError, TypeError, KeyError):
        fine = False
    if not fine:
        raise ValueError(
            f"{path} holds no checks of a model: delete it, and evaluate "
            "again with --checks"
        )
    return found if made_of in {*models} else []
