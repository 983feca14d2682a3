"""Which records of a table must not be compared with the others."""

from __future__ import annotations

import collections
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from ijsat_tf.evaluation.records import Record


class Odd(NamedTuple):
    """A cell with a setting that most cells of its group do not have.

    Attributes:
        row: of the cell.
        column: of the cell.
        setting: its name, that of an attribute of `Record`.
        group: the cells that must agree, e.g. "the column 'pgd20'".
        received: what the cell has.
        expected: what most of them have, the first one where two are equal.
        there: the first cell that has it, e.g. "at/pgd20".
    """

    row: str
    column: str
    setting: str
    group: str
    received: Any
    expected: Any
    there: str


def odd_ones(
    cells: Iterable[tuple[str, str, Record]], corrupted: Container[str] = ()
) -> Iterator[Odd]:
    """The cells that others cannot be compared with.

    A table is of one number of images and one seed, and of the same images,
    unless a column's are corrupted; these are all made here, or all
    published. A row is of one model, and a column of one attack and
    generator.

    Args:
        cells: (row, column, record), in the order of the table.
        corrupted: columns whose images are their own, default none.
    """
    cells = list(cells)
    groups = {
        "samples": lambda row, column: "the table",
        "data": lambda row, column: (
            f"the column {column!r}" if column in corrupted else "the table"
        ),
        "kind": lambda row, column: (
            "the corrupted columns"
            if column in corrupted
            else f"the cell {row}/{column}"
        ),
        "seed": lambda row, column: "the table",
        "model": lambda row, column: f"the row {row!r}",
        "attack": lambda row, column: f"the column {column!r}",
        "networks": lambda row, column: f"the column {column!r}",
    }
    for setting, group in groups.items():
        places = collections.defaultdict(lambda: collections.defaultdict(list))
        for row, column, record in cells:
            value = getattr(record, setting)
            places[group(row, column)][value].append((row, column))
        for name, found in places.items():
            # The first of the largest ones.
            expected = max(found, key=lambda value: len(found[value]))
            there = "/".join(found[expected][0])
            for received, odd in found.items():
                for row, column in odd if received != expected else ():
                    yield Odd(
                        row, column, setting, name, received, expected, there
                    )
