"""Tables as Markdown, LaTeX or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import Cell, Row, Table


class _Style(NamedTuple):
    """Functions that write text and the parts of a cell in a format."""

    text: Callable[[str], str]
    best: Callable[[str], str]
    marks: Callable[[Sequence[int]], str]
    interval: Callable[[str], str]


def to_markdown(tables: Iterable[Table]) -> str:
    """Returns tables as Markdown.

    The columns are aligned, so that the Markdown text itself can be read.

    Args:
        tables: Tables of `paper_tables`.

    Returns:
        Text of all tables, in Markdown.
    """
    style = _Style(
        text=lambda text: text.replace("|", r"\|"),
        best="**{}**".format,
        marks=lambda marks: "".join(f"[^{mark}]" for mark in marks),
        interval=str,
    )
    parts = []
    for table in tables:
        head = [as_printed.METHOD, *table.columns]
        lines = [head]
        for section in table.sections:
            # An empty row stands for a rule, which Markdown does not have.
            lines += [[""] * len(head)] if len(lines) > 1 else []
            lines += [line for row in section for line in _lines(row, style)]
        parts += [
            f"### {table.title}",
            _legend(table),
            grid(lines),
            "\n".join(f"- {setting}" for setting in table.settings),
            "\n".join(
                f"[^{mark}]: {text}" for mark, text in table.footnotes.items()
            ),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_latex(tables: Iterable[Table]) -> str:
    r"""Returns tables as LaTeX.

    The document must have `\usepackage{booktabs,graphicx}`.

    Args:
        tables: Tables of `paper_tables`.

    Returns:
        Text of all tables, in LaTeX.
    """
    style = _Style(
        text=_escaped,
        best=r"\textbf{{{}}}".format,
        marks=lambda marks: (
            rf"\textsuperscript{{{','.join(map(str, marks))}}}" if marks else ""
        ),
        interval=r"{{\scriptsize {}}}".format,
    )
    return "\n".join(_latex_table(table, style) for table in tables)


def to_csv(tables: Iterable[Table]) -> str:
    """Returns tables as comma-separated values, one line per cell.

    `ours`, the limits `low` and `high` of its 95 % interval, and `paper` are
    in percent. Missing values are empty.

    Args:
        tables: Tables of `paper_tables`.

    Returns:
        Text of all tables, in CSV.
    """
    file = io.StringIO()
    names = "table section run method column ours low high paper best p notes"
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names.split())
    for table in tables:
        for place, section in enumerate(table.sections, start=1):
            for row in section:
                for heading, cell in zip(table.columns, row.cells):
                    low, high = cell.interval or (None, None)
                    marks = (*row.marks, *cell.marks, *cell.paper_marks)
                    notes = [] if cell.value is not None else [cell.text]
                    notes += [table.footnotes[mark] for mark in marks]
                    writer.writerow(
                        [table.title.split(". ")[0], place]
                        + [row.name, row.label, heading]
                        + [_plain(cell.value), _plain(low), _plain(high)]
                        + [as_printed.number(cell.paper) if cell.paper else ""]
                        + [int(cell.best), _plain(cell.p_value)]
                        + ["; ".join(notes)]
                    )
    return file.getvalue()


FORMATS: dict[str, Callable[[Iterable[Table]], str]] = {
    "markdown": to_markdown,
    "latex": to_latex,
    "csv": to_csv,
}


def grid(lines: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table with aligned columns.

    Args:
        lines: Lines of cells, all of equal length; line 1 is the head.
    """
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths))
        + " |"
        for line in [lines[0], rule, *lines[1:]]
    )


def _legend(table: Table) -> str:
    names = {row.name for section in table.sections for row in section}
    paired = (
        " Differences are in percentage points, their intervals paired."
        if as_printed.DIFFERENCE in names
        else ""
    )
    return (
        "Ours (the paper's) in percent, and below it the 95 % interval of "
        f"ours; the best of each section in bold.{paired}"
    )


def _lines(row: Row, style: _Style) -> list[list[str]]:
    """Returns a line of numbers, and a line of intervals if there are any."""
    label = style.text(row.label) + style.marks(row.marks)
    lines = [[label, *(_cell(cell, style) for cell in row.cells)]]
    if any(cell.interval for cell in row.cells):
        lines.append(["", *(_interval(cell, style) for cell in row.cells)])
    return lines


def _cell(cell: Cell, style: _Style) -> str:
    ours = style.text(cell.text)
    shown = (style.best(ours) if cell.best else ours) + style.marks(cell.marks)
    if not cell.paper:
        return shown
    return f"{shown} ({style.text(cell.paper)}{style.marks(cell.paper_marks)})"


def _interval(cell: Cell, style: _Style) -> str:
    if cell.interval is None:
        return ""
    low, high = cell.interval
    return style.interval(style.text(f"[{low:.2f}, {high:.2f}]"))


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


_LATEX = {
    **{letter: "\\" + letter for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a line, brackets would be an option of the \\ before it.
    "[": "{[}",
    "]": "{]}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "↪": r"$\hookrightarrow$",
    "∞": r"$\infty$",
    "ε": r"$\varepsilon$",
}


_NOT_TOO_WIDE = (
    r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"
)


def _escaped(text: str) -> str:
    return text.translate(str.maketrans(_LATEX))


def _latex_table(table: Table, style: _Style) -> str:
    body: list[str] = []
    for section in table.sections:
        body.append(r"\midrule")
        for row in section:
            body += [" & ".join(line) + r" \\" for line in _lines(row, style)]
    below = [_escaped(setting) for setting in table.settings]
    below += [
        style.marks([mark]) + " " + _escaped(text)
        for mark, text in table.footnotes.items()
    ]
    lines = [
        r"\begin{table*}",
        r"\centering",
        # LaTeX puts its own number of the table before the caption.
        rf"\caption{{The paper's {_escaped(table.title)}",
        _escaped(_legend(table)) + "}",
        r"\setlength{\tabcolsep}{3pt}",
        _NOT_TOO_WIDE + "{%",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(map(_escaped, (as_printed.METHOD, *table.columns))) + r" \\",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        "",
        r"\footnotesize\raggedright",
        *(rf"{line}\par" for line in below),
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"
