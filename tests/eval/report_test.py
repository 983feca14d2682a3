"""eval/report.py as a user runs it, on records of attacks nobody made."""

import csv

import pytest

from ijsat_tf.evaluation import (
    paper_tables,
    read_run,
    records,
    to_html,
    to_markdown,
)
from tests.commands import run
from tests.evaluation.synthetic import row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()
RUNS = {"at": row(SEEN, "a", seed=1), "ijsat": row(SEEN, "b", seed=2)}


def _report(*arguments):
    return run("eval/report.py", "--table=1", *arguments)


def _save(folder, found):
    for column, record in found.items():
        records.save(record, folder / f"{column}.npz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs, with records of their last epoch."""
    folder = tmp_path_factory.mktemp("runs")
    for name, found in RUNS.items():
        _save(folder / name / "records" / "last", found)
        # Columns of other tables are none of this one.
        (folder / name / "records" / "last" / "apgd.npz").write_bytes(b"-")
    (folder / "flow").mkdir()
    return folder


def _printed(outcome):
    """What it printed, after TensorFlow's log lines."""
    assert outcome.code == 0, outcome.output
    start = outcome.output.index("### Table")
    return outcome.output[start:]


def test_it_prints_the_table_of_the_records(folder):
    expected = to_markdown(paper_tables(1, RUNS))
    assert _printed(_report(f"--runs={folder}")) == expected


def test_each_run_may_be_named(folder):
    expected = to_markdown(paper_tables(1, {"mart": RUNS["at"]}))
    assert _printed(_report(f"--runs=mart={folder / 'at'}")) == expected
    both = f"--runs={folder},mart={folder / 'at'}"
    expected = to_markdown(paper_tables(1, {**RUNS, "mart": RUNS["at"]}))
    assert _printed(_report(both)) == expected


def test_the_best_checkpoint_has_a_table_of_its_own(tmp_path, folder):
    best = {**RUNS, "ijsat": row(SEEN, "c", seed=3)}
    for name, found in best.items():
        _save(tmp_path / name / "records" / "best", found)
    found = _printed(_report(f"--runs={tmp_path}", "--checkpoint=best"))
    assert found == to_markdown(paper_tables(1, best))
    assert "No record of Table 1" in _report(f"--runs={tmp_path}").error


def test_a_file_in_another_format(folder, tmp_path):
    path = tmp_path / "new" / "table.csv"
    outcome = _report(f"--runs={folder}", "--format=csv", f"--output={path}")
    assert outcome.code == 0 and f"table: {path}" in outcome.output
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert len(lines) == 7 * 8
    ours = [line["ours"] for line in lines if line["run"] == "at"]
    expected = [100 * record.correct.mean() for record in RUNS["at"].values()]
    assert [float(each) for each in ours[:-1]] == pytest.approx(expected)
    assert [each.name for each in path.parent.iterdir()] == ["table.csv"]


def test_latex(folder):
    outcome = _report(f"--runs={folder}", "--format=latex")
    assert outcome.code == 0 and r"\bottomrule" in outcome.output


def test_records_of_both_halves_of_table_2(tmp_path):
    """Only one corruption is there, under way: it is told, not averaged."""
    _save(
        tmp_path / "corruptions_at" / "records" / "last",
        row(["fog_3"], "a"),
    )
    found = _printed(run("eval/report.py", "--table=2", f"--runs={tmp_path}"))
    assert "1 of 75 records" in found and "An attack, no corruption" in found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runs={tmp}"], "Table 1 in --runs={tmp}: its rows are standard"),
        (["--runs={runs}", "--checkpoint=best"], "ROW/records/best; evaluate"),
        (["--runs=at={tmp}/none"], "--runs=at={tmp}/none is no folder"),
        (["--runs=fgsm={runs}/at"], "Table 1 has the rows standard, at, dmat"),
        (["--runs={runs},at={runs}/ijsat"], "--runs has two of at, "),
        (["--runs={runs}", "--table=8"], "--table"),
        (["--runs={runs}", "--format=html"], "markdown"),
        (["--runs={runs}", "--output={runs}"], "{runs}"),
        ([], "--runs"),
    ],
)
def test_bad_input(arguments, message, folder, tmp_path):
    places = {"runs": folder, "tmp": tmp_path}
    error = _report(*(each.format(**places) for each in arguments)).error
    assert message.format(**places) in error
    assert not list(tmp_path.iterdir())


def test_a_page_of_all_runs(folder, tmp_path):
    (tmp_path / "one.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08"
    )
    path = tmp_path / "new" / "page.html"
    given = [f"--runs={folder},own={folder / 'at'}", f"--html={path}"]
    given += [f"--figures={tmp_path}", "--note=A day"]
    outcome = run("eval/report.py", *given)
    assert outcome.code == 0 and f"page: {path}" in outcome.output
    text = path.read_text(encoding="utf-8")
    pictures = {"one": tmp_path / "one.png"}
    names = {"at": "at", "ijsat": "ijsat", "own": "at"}
    expected = [read_run(name, folder / of) for name, of in names.items()]
    assert text == to_html(expected, pictures, "A day")
    assert "apgd.npz cannot be read as a record" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--runs"),
        (["--runs={tmp}"], "No run in --runs={tmp}: a folder of runs"),
        (["--runs=at={tmp}/none"], "--runs=at={tmp}/none is no folder"),
        (["--runs={runs},at={tmp}"], "--runs has two of at, "),
        (["--runs={runs}", "--figures={tmp}"], "{tmp} has no PNG files"),
        (["--runs={runs}", "--table=1"], "table"),
        (["--runs={runs}", "--output={tmp}/a"], "output"),
        (["--runs={runs}", "--format=csv"], "--format is for --table"),
    ],
)
def test_bad_input_of_a_page(arguments, message, folder, tmp_path):
    places = {"runs": folder, "tmp": tmp_path}
    given = [each.format(**places) for each in arguments]
    outcome = run("eval/report.py", f"--html={tmp_path}/page.html", *given)
    assert message.format(**places) in outcome.error
    assert not list(tmp_path.iterdir())


def test_what_is_of_a_page_is_of_no_table(folder):
    error = _report(f"--runs={folder}", "--note=A day").error
    assert "--note is for the page: give --html=FILE" in error


def test_a_file_that_is_no_record_is_named(tmp_path):
    _save(tmp_path / "at" / "records" / "last", RUNS["at"])
    path = tmp_path / "at" / "records" / "last" / "jpeg.npz"
    path.write_bytes(path.read_bytes()[:500])
    error = _report(f"--runs={tmp_path}").error
    assert f"{path} cannot be read as a record" in error


def test_checks_follow_the_table(folder, tmp_path):
    path = tmp_path / "table.md"
    told = _report(f"--runs={folder}", "--checks", f"--output={path}")
    assert "Checks" not in path.read_text()
    for name in RUNS:
        assert f"Checks of {name}:\n\n- passed: every sample" in told.output
    assert "(7 records of 200 images)" in told.output
