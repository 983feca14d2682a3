"""Which records of a table must not be compared with the others."""

from __future__ import annotations

import collections
from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from ijsat_tf.evaluation.records import Record


class Odd(NamedTuple):
    """A cell with a setting that most cells of its group do not have.

    Attributes:
        row: Row of the cell.
        column: Column of the cell.
        setting: Name of the setting, an attribute of `Record`.
        group: Group of cells that must agree, e.g. "the column 'pgd20'".
        received: Value that the cell has.
        expected: Value that most cells of the group have; of two values that
            are equally frequent, the first one.
        there: First cell that has the expected value, e.g. "at/pgd20".
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
    """Yields the cells that cannot be compared with the others.

    All cells of a table must have the same number of images, the same seed
    and the same images. Only the columns of corrupted images have images of
    their own, which must all be made here or all be published. All cells of a
    row must have the same model, and all cells of a column the same attack
    and generator.

    Args:
        cells: Cells (row, column, record), in the order of the table.
        corrupted: Columns of corrupted images, which have images of their own;
            default (), for no such columns.
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
            # `max` returns the first one of several equally frequent values.
            expected = max(found, key=lambda value: len(found[value]))
            there = "/".join(found[expected][0])
            for received, odd in found.items():
                for row, column in odd if received != expected else ():
                    yield Odd(
                        row, column, setting, name, received, expected, there
                    )
