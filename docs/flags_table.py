"""Writes the flags of the commands into docs/commands.md, as tables.

python docs/flags_table.py
"""

from __future__ import annotations

import concurrent.futures
import importlib
import pathlib
import re
import sys

from absl import flags

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "commands.md"
SCRIPTS = ("train/main.py", "eval/main.py")


def table(script: str) -> str:
    """The table of a script's flags, in the order of their names.

    A process can call this function once, since scripts share names of flags.

    Args:
        script: Path of the script in the repository.
    """
    path = ROOT / script
    sys.path.insert(0, str(path.parent))
    sys.argv[0] = str(path)
    importlib.import_module(path.stem)
    from ijsat_tf import commandline

    found = {flag.name: flag for flag in commandline.own_flags()}
    lines = [_row(found[name]) for name in sorted(found)]
    return "\n".join(
        ["| flag | default | meaning |", "| --- | --- | --- |", *lines]
    )


def _row(flag: flags.Flag) -> str:
    # As a user writes it: 8/255, not 0.031372549.
    default = flag.default_unparsed
    default = ",".join(default) if isinstance(default, list) else str(default)
    required = any("than None" in each.message for each in flag.validators)
    shown = "required" if required else f"`{default}`" if default else "empty"
    meaning = flag.help
    values = getattr(flag.parser, "enum_values", None)
    if values:
        # absl puts the values of an enum before its help.
        meaning = meaning.removeprefix(f"<{'|'.join(values)}>: ")
        meaning += f" Values: {', '.join(f'`{each}`' for each in values)}."
    return f"| `--{flag.name}` | {shown} | {meaning} |"


def replaced(page: str, script: str, table: str) -> str:
    """The text of a page, with a table below the heading of its script.

    Args:
        page: Text of the page.
        script: Path of the script in the repository.
        table: Table of the script's flags.
    """
    found = re.compile(
        rf"(^## Flags of {re.escape(script)}\n\n)(^\|.*\n)*", re.MULTILINE
    )
    return found.sub(lambda heading: f"{heading[1]}{table}\n", page, count=1)


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    with concurrent.futures.ProcessPoolExecutor(
        1, max_tasks_per_child=1
    ) as pool:
        for script, made in zip(SCRIPTS, pool.map(table, SCRIPTS)):
            page = replaced(page, script, made)
    PAGE.write_text(page, encoding="utf-8")
