"""Files of weights with facts about the run and a checksum.

`step-000000123.weights.h5` is a file of weights by Keras. The file
`step-000000123.json` beside it holds the facts that a run needs to go on, and
the SHA-256 of weights and facts. The facts are written first, and the weights
are renamed after that: weights without facts are damaged, and facts without
weights are ignored.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

from ijsat_tf import checks
from ijsat_tf.storage.files import replaced

_WEIGHTS = ".weights.h5"


def path_of(folder: pathlib.Path, step: int) -> pathlib.Path:
    """The path of the weights after `step` steps."""
    return folder / f"step-{step:09d}{_WEIGHTS}"


def newest_first(folder: pathlib.Path) -> list[pathlib.Path]:
    """The files of weights in a folder, newest first.

    Args:
        folder: Folder of the files, which need not exist.
    """
    return sorted(folder.glob(f"step-*{_WEIGHTS}"), reverse=True)


def write(
    path: pathlib.Path,
    save: Callable[[pathlib.Path], None],
    facts: dict[str, Any],
) -> None:
    """Writes weights and facts, never weights without facts.

    Args:
        path: Path of the weights.
        save: Function that writes the weights to the path it is given.
        facts: Facts about the run, of types that JSON can hold.
    """
    with replaced(path) as aside:
        save(aside)
        with replaced(_facts_of(path)) as small:
            facts = {**facts, "digest": _digest(aside, facts)}
            small.write_text(json.dumps(facts) + "\n", encoding="utf-8")


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads the facts of weights, after a check of both by the checksum.

    Args:
        path: Path of the weights.

    Raises:
        ValueError: for weights that are truncated or changed, or whose facts
            are missing.
    """
    beside = _facts_of(path)
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
        digest = facts.pop("digest")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{beside.name} is missing, or cannot be read."
        ) from None
    checks.require(
        _digest(path, facts) == digest,
        f"it is truncated or changed: {beside.name} has another SHA-256.",
    )
    return {**facts, "digest": digest}


def prune(folder: pathlib.Path, newest: pathlib.Path, keep: int) -> None:
    """Removes all snapshots but `newest` and the `keep - 1` before it.

    Snapshots of later steps than `newest` are removed too. Such snapshots are
    damaged: the run could not read them, and resumed from an earlier snapshot.

    Args:
        folder: Folder of the snapshots.
        newest: Path of the weights that were written last.
        keep: Number of snapshots that stay.
    """
    found = newest_first(folder)
    start = found.index(newest)
    for path in found[:start] + found[start + keep :]:
        path.unlink()
    kept = {_facts_of(path).name for path in newest_first(folder)}
    # A process that is killed while it writes leaves facts without weights,
    # or a part of a file.
    for path in [*folder.glob("step-*.json"), *folder.glob(".step-*")]:
        if path.name not in kept:
            path.unlink()


def _facts_of(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(path.name.removesuffix(_WEIGHTS) + ".json")


def _digest(path: pathlib.Path, facts: dict[str, Any]) -> str:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps(facts, sort_keys=True).encode())
    return digest.hexdigest()
