"""Tables in each format, read back."""

import csv
import re
import shutil
import subprocess

import pytest

from ijsat_tf.evaluation import paper_tables, to_csv, to_latex, to_markdown
from ijsat_tf.evaluation.formats import _escaped
from ijsat_tf.evaluation.paper import as_printed
from ijsat_tf.evaluation.paper.tables import Cell, Row, Table, row_names
from tests.evaluation.synthetic import row

TABLE = Table(
    title="Table 9. A title: 50 % & more.",
    columns=("One_1", "Avg"),
    sections=(
        (
            Row(
                "at",
                "A | B",
                (
                    Cell("50.00", 50.0, (40.0, 60.0), "51.2", best=True),
                    Cell("-", paper="7", marks=(2,), paper_marks=(3,)),
                ),
                marks=(1,),
            ),
            Row("ijsat", "[C]", (Cell("not run"), Cell("-"))),
        ),
        (
            Row(
                "difference",
                "Difference",
                (
                    Cell("↓1.50", -1.5, (-2.0, 1.0), "↓1.4", p_value=0.25),
                    Cell("0.00", 0.0, (-1.0, 1.0), "0", marks=(1, 2)),
                ),
            ),
        ),
    ),
    settings=("Ten images.",),
    footnotes={1: "p < 0.05", 2: "L∞ of ε^2 {x}", 3: "~ 3 #"},
)


def _whole(number):
    """A table of the paper with a record in every cell."""
    runs = {}
    for place, name in enumerate(row_names(number)):
        half = as_printed.TABLES[number][name.startswith("corruptions")]
        columns = [n for column in half.columns for n in column.records]
        found = row(columns, name, seed=place)
        if len(columns) == 75:
            found = {
                column: record._replace(attack="standard", data=column)
                for column, record in found.items()
            }
        runs[name] = found
    return paper_tables(number, runs)


def test_markdown():
    lines = to_markdown([TABLE]).splitlines()
    assert lines[0] == "### Table 9. A title: 50 % & more."
    table = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
        if line.startswith("|")
    ]
    assert table[0] == ["Method", "One_1", "Avg"]
    assert set("".join(table[1])) == {"-"}
    assert table[2:] == [
        [r"A \| B[^1]", "**50.00** (51.2)", "-[^2] (7[^3])"],
        ["", "[40.00, 60.00]", ""],
        ["[C]", "not run", "-"],
        ["", "", ""],
        ["Difference", "↓1.50 (↓1.4)", "0.00[^1][^2] (0)"],
        ["", "[-2.00, 1.00]", "[-1.00, 1.00]"],
    ]
    assert len({len(line) for line in lines if line.startswith("|")}) == 1
    assert lines[-5:] == [
        "- Ten images.",
        "",
        "[^1]: p < 0.05",
        "[^2]: L∞ of ε^2 {x}",
        "[^3]: ~ 3 #",
    ]


def test_csv():
    found = list(csv.DictReader(to_csv([TABLE]).splitlines()))
    assert len(found) == 6
    assert found[0] == {
        "table": "Table 9",
        "section": "1",
        "run": "at",
        "method": "A | B",
        "column": "One_1",
        "ours": "50",
        "low": "40",
        "high": "60",
        "paper": "51.2",
        "best": "1",
        "p": "",
        "notes": "p < 0.05",
    }
    assert found[1]["ours"] == found[1]["low"] == ""
    assert found[1]["notes"] == "-; p < 0.05; L∞ of ε^2 {x}; ~ 3 #"
    assert found[2]["notes"] == "not run" and found[2]["paper"] == ""
    last = found[4]
    assert (last["ours"], last["paper"], last["p"]) == ("-1.5", "-1.4", "0.25")


def test_latex():
    lines = to_latex([TABLE]).splitlines()
    start, end = lines.index(r"\toprule"), lines.index(r"\bottomrule")
    assert lines[start : end + 1] == [
        r"\toprule",
        r"Method & One\_1 & Avg \\",
        r"\midrule",
        r"A \textbar{} B\textsuperscript{1} & \textbf{50.00} (51.2) & "
        r"-\textsuperscript{2} (7\textsuperscript{3}) \\",
        r" & {\scriptsize {[}40.00, 60.00{]}} &  \\",
        r"{[}C{]} & not run & - \\",
        r"\midrule",
        r"Difference & $\downarrow$1.50 ($\downarrow$1.4) & "
        r"0.00\textsuperscript{1,2} (0) \\",
        r" & {\scriptsize {[}-2.00, 1.00{]}} & "
        r"{\scriptsize {[}-1.00, 1.00{]}} \\",
        r"\bottomrule",
    ]
    assert lines[start - 1] == r"\begin{tabular}{lrr}"
    assert lines[end + 1] == r"\end{tabular}}"
    assert lines[2] == r"\caption{The paper's Table 9. A title: 50 \% \& more."
    assert (
        r"\textsuperscript{2} L$\infty$ of $\varepsilon$\textasciicircum{}2 "
        r"\{x\}\par"
    ) in lines


@pytest.mark.parametrize("number", as_printed.TABLES)
def test_latex_of_whole_tables_is_sound(number):
    for table in _whole(number):
        text = to_latex([table])
        assert text.isascii()
        names = re.findall(r"\\begin\{(.+?)\}|\\end\{(.+?)\}", text)
        assert names == [
            ("table*", ""),
            ("tabular", ""),
            ("", "tabular"),
            ("", "table*"),
        ]
        bare = re.sub(r"\\\\|\\[&%$#_{}]", "", text)
        depth = 0
        for letter in bare:
            depth += {"{": 1, "}": -1}.get(letter, 0)
            assert depth >= 0
        assert depth == 0 and bare.count("$") % 2 == 0
        assert not set("#^~") & set(bare) and bare.count("%") == 1
        body = bare.split(r"\toprule")[1].split(r"\bottomrule")[0]
        counts = {
            line.count("&")
            for line in body.splitlines()
            if line and not line.startswith("\\")
        }
        assert counts == {len(table.columns)}


@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="pdflatex is not installed"
)
def test_latex_compiles(tmp_path):
    tables = [table for number in as_printed.TABLES for table in _whole(number)]
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n"
        f"{to_latex([TABLE, *tables])}\n\\end{{document}}\n"
    )
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stdout[-2000:]
    log = (tmp_path / "all.log").read_text(errors="replace")
    assert "Missing character" not in log and "Overfull" not in log


def test_escapes_do_not_escape_each_other():
    assert _escaped("\\&{") == r"\textbackslash{}\&\{"


@pytest.mark.parametrize("number", as_printed.TABLES)
def test_csv_has_every_number_of_the_paper(number):
    found = list(csv.DictReader(to_csv(_whole(number)).splitlines()))
    expected = [
        as_printed.number(cell)
        for printed in as_printed.TABLES[number]
        for row in printed.rows
        for cell in row.cells
    ]
    assert [float(line["paper"]) for line in found] == expected
    for line in found:
        low, ours, high = (
            float(line[name]) for name in ("low", "ours", "high")
        )
        assert low <= ours <= high


@pytest.mark.parametrize("number", as_printed.TABLES)
def test_markdown_marks_have_their_footnotes(number):
    text = to_markdown(_whole(number))
    defined = re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE)
    used = re.findall(r"\[\^(\d+)\](?!:)", text)
    assert set(used) == set(defined) and len(set(defined)) == len(defined)
