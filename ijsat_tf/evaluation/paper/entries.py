"""The results of runs under the columns of one of the paper's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ijsat_tf.evaluation.comparability import Odd, odd_ones
from ijsat_tf.evaluation.corruption import describe, is_corrupted
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.records import Record

Runs = Mapping[str, Mapping[str, Record]]
_Cell = tuple[str, str, Record]
_REASONS = {
    "samples": "{received:,} images, where {there} has {expected:,}",
    "data": "Other images or labels than {there}",
    "kind": "Images of another origin ({received}) than {there} ({expected})",
    "seed": "Seed {received}, where {there} has {expected}",
    "model": "Other weights than {there}",
    "attack": "{received}, where {there} has {expected}",
    "networks": "Another generator than {there}",
}


class Entry(NamedTuple):
    """The result of a run under a column.

    Attributes:
        scores: Scores (N,): the share of the column's attacks under which each
            image was right; None where the share is not known.
        word: Word in place of a number, "not run" or "-".
        reasons: Reasons why the entry must not be compared or averaged.
    """

    scores: np.ndarray | None
    word: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        """Whether the entry may be compared with others."""
        return self.scores is not None and not self.reasons


class Entries:
    """The entries of a table, by row and column.

    Args:
        printed: Table of the paper, as printed.
        runs: Records {name of a row: {name of a record: `Record`}}.
    """

    def __init__(self, printed: as_printed.Printed, runs: Runs):
        self.printed = printed
        self.cells = list(_cells(printed, runs))
        self.reasons = _reasons(printed, self.cells)
        self.runs = runs

    def of_row(self, name: str) -> list[Entry]:
        """Returns a row's entries, one per column."""
        found: list[Entry] = []
        for column in self.printed.columns:
            if column.records:
                found.append(self._entry(name, column))
            else:
                found.append(_mean(found))
        return found

    def settings(self) -> tuple[str, ...]:
        """Returns the images, seed and attacks of the comparable entries."""
        columns: dict[str, Record] = {}
        for row, column, record in self.cells:
            if (row, column) not in self.reasons:
                columns.setdefault(column, record)
        if not columns:
            return ()
        first = next(iter(columns.values()))
        data = {record.data for record in columns.values()}
        images = f"{first.samples:,} images, seed {first.seed}"
        if len(data) == 1:
            images += f"; {first.origin}, with the fingerprint {first.data}"
        else:
            images += f"; corruptions: {describe(first.kind)}"
        attacks = [
            f"{column.heading}: {short(columns[name].attack)}"
            for column in self.printed.columns
            for name in column.records
            if name in columns and columns[name].attack != "standard"
        ]
        return (images + ".", *attacks)

    def _entry(self, row: str, column: as_printed.Column) -> Entry:
        records = self.runs.get(row, {})
        here = [name for name in column.records if name in records]
        if not here:
            return Entry(None, "not run")
        reasons = dict.fromkeys(
            self.reasons[row, name]
            for name in here
            if (row, name) in self.reasons
        )
        if len(here) < len(column.records):
            reasons[f"{len(here)} of {len(column.records)} records"] = None
        whole = len(here) == len(column.records) and all(
            records[name].complete for name in here
        )
        if not whole or (reasons and len(here) > 1):
            return Entry(None, "-", tuple(reasons))
        scores = np.mean([records[name].correct for name in here], axis=0)
        return Entry(scores, reasons=tuple(reasons))


def _mean(entries: list[Entry]) -> Entry:
    if all(entry.comparable for entry in entries):
        return Entry(np.mean([entry.scores for entry in entries], axis=0))
    return Entry(None, "-")


def _cells(printed: as_printed.Printed, runs: Runs) -> Iterator[_Cell]:
    for row in printed.rows:
        for column in printed.columns:
            for name in column.records:
                if name in runs.get(row.name, {}):
                    yield row.name, name, runs[row.name][name]


def _reasons(
    printed: as_printed.Printed, cells: list[_Cell]
) -> dict[tuple[str, str], str]:
    """Returns {(row, record): first reason why it cannot be compared}."""
    corrupted = {
        name
        for column in printed.columns
        if len(column.records) > 1
        for name in column.records
    }
    found = {}
    for row, column, record in cells:
        if not record.complete:
            found[row, column] = (
                f"{record.done:,} of {record.samples:,} images so far"
            )
        elif column in corrupted and not is_corrupted(column, record):
            found[row, column] = short(
                f"An attack, no corruption: {record.attack}"
            )
    rest = [cell for cell in cells if cell[:2] not in found]
    for odd in odd_ones(rest, corrupted):
        found.setdefault((odd.row, odd.column), _reason(odd))
    return found


def _reason(odd: Odd) -> str:
    return short(_REASONS[odd.setting].format(**odd._asdict()))


def short(text: str) -> str:
    """Returns a text with long decimal numbers rounded to six digits."""
    return re.sub(r"\d+\.\d{7,}", lambda found: f"{float(found[0]):.6g}", text)
