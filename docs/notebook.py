"""The tutorial as a notebook, tutorial.ipynb.

python docs/notebook.py
"""

from __future__ import annotations

import itertools
import json
import pathlib
from typing import Any

import cells

import ijsat_tf

TUTORIAL = pathlib.Path(__file__).with_name("tutorial.md")
NOTEBOOK = TUTORIAL.with_suffix(".ipynb")
_WHEEL = f"../dist/ijsat_tf-{ijsat_tf.__version__}-py3-none-any.whl"
_INSTALL = f"""\
# `make wheel` builds the wheel. Elsewhere, upload the wheel and name its place.
%pip install --quiet "{_WHEEL}[demo]"
"""


def text() -> str:
    """The notebook in format 4.4: a cell that installs, then the tutorial."""
    kinds = itertools.cycle(["markdown", "code"])
    content = {
        "cells": [
            _cell(kind, part)
            for kind, part in [
                ("code", _INSTALL),
                *zip(kinds, cells.parts(TUTORIAL)),
            ]
            if part.strip()
        ],
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        # From 4.5 on each cell needs an id, which would follow from nothing.
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, part: str) -> dict[str, Any]:
    lines = part.strip("\n").splitlines(keepends=True)
    cell = {"cell_type": kind, "metadata": {}, "source": lines}
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


if __name__ == "__main__":
    NOTEBOOK.write_text(text(), encoding="utf-8")
