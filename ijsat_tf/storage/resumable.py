"""A check that resumed work has the settings that the stored work has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ijsat_tf import checks


def require_same(
    found: Mapping[str, Any],
    expected: Mapping[str, Any],
    what: str,
    way_out: str,
    names: Iterable[str] | None = None,
) -> None:
    """Raises `ValueError` where stored settings differ from this work's.

    Args:
        found: Settings {name: setting} that a file holds.
        expected: Settings of this work.
        what: What was found, e.g. "a.npz is the record of another
            evaluation".
        way_out: Sentences that say what to do.
        names: Names of the settings to compare; None, the default, for all.
    """
    if names is None:
        names = {**expected, **found}
    differences = [
        f"{name} (now {_shown(expected.get(name))}, "
        f"stored {_shown(found.get(name))})"
        for name in names
        if expected.get(name) != found.get(name)
    ]
    checks.require(
        not differences,
        f"{what}, which differs in {', '.join(differences)}. {way_out}",
    )


def _shown(setting: Any) -> Any:
    return "nothing" if setting is None else setting
