"""eval/main.py as a user runs it, on tiny networks that never trained."""

import pathlib
import re

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.evaluation import records
from tests.commands import run

TINY = [
    "--dataset=digits",
    "--examples=20",
    "--batch_size=8",
    "--attacks=fgsm,pgd2,jsa2",
    "--epsilon=0.1",
]
COLUMNS = ["standard", "fgsm", "pgd2", "jsa2"]
NUMBERS = (
    *("correct", "margin", "loss"),
    *("linf", "l2", "clipped", "overflowed"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A flow, and two runs whose records are complete."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in {"at": 0, "ijsat": 1}.items():
        keras.utils.set_random_seed(seed)
        classifier = ij.models.small_cnn(10, width=4, image_shape=(8, 8, 1))
        (folder / name).mkdir()
        classifier.save(folder / name / "classifier.keras")
        (folder / name / "curve.csv").write_text(
            "epoch,clean_accuracy,robust_accuracy\n1,0.5,0.2\n2,0.7,0.4\n"
        )
    flow = ij.flows.Glow((8, 8, 1), levels=2, steps=1, hidden=8, bins=17)
    flow.initialize(ij.data.load("digits", "train").take(64).scaled())
    flow.save(folder / "flow.keras")
    result = run("eval", *_arguments(folder))
    assert result.code == 0, result.output
    assert _table(result)[0] == ["Method", *COLUMNS, "Avg"]
    for name in ("at", "ijsat"):
        for column in COLUMNS:
            # One line per bar, as this is no screen.
            (line,) = re.findall(
                f"^.*image - {name}, {column}.*$", result.output, re.M
            )
            assert re.fullmatch("20/20 - .*", line) and line.isprintable()
    return folder


def _arguments(folder, names=("at", "ijsat")):
    return [
        *TINY,
        f"--flow={folder / 'flow.keras'}",
        "--runs=" + ",".join(str(folder / name) for name in names),
    ]


def _table(result):
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in result.output.splitlines()
        if line.startswith("|")
    ]
    return [header, *rows]


def _content(folder):
    return {
        path: path.stat().st_mtime_ns
        for path in pathlib.Path(folder).rglob("*")
    }


def _cut(record, done):
    """The record as a kill after so many samples would have left it."""
    return record._replace(
        **{
            name: getattr(record, name)[:done] for name in (*NUMBERS, "seconds")
        },
        budget={space: used[:done] for space, used in record.budget.items()},
    )


def test_the_table_is_that_of_the_records(runs):
    result = run("eval", *_arguments(runs), "--table_only")
    assert result.code == 0, result.output
    _, *rows = _table(result)
    assert [row[0] for row in rows] == ["at", "ijsat"]
    for name, *numbers in rows:
        found = ij.evaluation.read(runs / name / "records" / "last")
        assert {record.samples for record in found.values()} == {20}
        expected = [100 * found[column].correct.mean() for column in COLUMNS]
        np.testing.assert_allclose(
            [float(number) for number in numbers],
            [*expected, np.mean(expected)],
            atol=0.005,
        )


def test_again_it_prints_the_table_and_writes_nothing(runs):
    before = _content(runs)
    result = run("eval", *_arguments(runs))
    assert result.code == 0, result.output
    assert "images_per_second" not in result.output
    shown = _table(run("eval", *_arguments(runs), "--table_only"))
    assert _table(result) == shown
    assert _content(runs) == before


def test_the_union_is_the_worst_of_its_columns(runs):
    again = run("eval", *_arguments(runs), "--union=fgsm,pgd2")
    header, *rows = _table(again)
    assert header == ["Method", *COLUMNS, "Union", "Avg"]
    for row in rows:
        found = ij.evaluation.read(runs / row[0] / "records" / "last")
        right = found["fgsm"].correct & found["pgd2"].correct
        assert row[-2] == f"{100 * right.mean():.2f}"


def test_the_last_line_compares_the_last_run_with_the_first(runs):
    result = run("eval", *_arguments(runs), "--compare=pgd2", "--table_only")
    assert result.code == 0, result.output
    _, at, ijsat = _table(result)
    kept = [round(float(row[3])) for row in (ijsat, at)]
    assert result.output.splitlines()[-1].startswith(
        f"IJSAT keeps {kept[0]} % of 20 images under PGD-2, where AT keeps "
        f"{kept[1]} %. The difference is "
    )


def test_another_process_ends_a_killed_one_s_work_to_the_bit(runs, tmp_path):
    source = runs / "ijsat" / "records" / "last"
    expected = ij.evaluation.read(source)
    (tmp_path / "ijsat").mkdir()
    for column, done in {"standard": 20, "pgd2": 16, "jsa2": 8}.items():
        cut = _cut(expected[column], done)
        records.save(cut, tmp_path / "ijsat" / f"{column}.npz")
    result = run("eval", *_arguments(runs, ["ijsat"]), f"--records={tmp_path}")
    assert result.code == 0, result.output
    assert "jsa2: 8 of 20 images are on disk" in result.output
    found = ij.evaluation.read(tmp_path / "ijsat")
    assert list(found) == list(expected)
    for column, record in found.items():
        assert record[:7] == expected[column][:7]
        for name in NUMBERS:
            np.testing.assert_array_equal(
                getattr(record, name), getattr(expected[column], name)
            )


def test_the_table_alone_needs_neither_model_nor_flow_nor_data(runs, tmp_path):
    """Columns that only one row has are shown, those in part are not."""
    for name, columns in {"at": COLUMNS[:2], "ijsat": COLUMNS}.items():
        (tmp_path / name).mkdir()
        for column in columns:
            path = runs / name / "records" / "last" / f"{column}.npz"
            record = records.load(path)
            if column == "pgd2":
                record = _cut(record, 8)
            records.save(record, tmp_path / name / path.name)
    result = run(
        "eval",
        "--table_only",
        f"--records={tmp_path}",
        "--runs=nowhere/at,nowhere/ijsat",
        "--dataset=nothing",
    )
    assert result.code == 0, result.output
    header, at, _ = _table(result)
    assert header == ["Method", "standard", "fgsm", "jsa2", "Avg"]
    assert at[3:] == ["not run", "-"]
    assert "8 of 20 samples" in result.output


def test_the_best_checkpoint_has_records_of_its_own(runs, tmp_path):
    (tmp_path / "at").mkdir()
    content = (runs / "ijsat" / "classifier.keras").read_bytes()
    (tmp_path / "at" / "best.keras").write_bytes(content)
    result = run(
        "eval",
        *_arguments(tmp_path, ["at"]),
        "--flow=",
        "--checkpoint=best",
        "--attacks=fgsm",
    )
    assert result.code == 0, result.output
    found = ij.evaluation.read(tmp_path / "at" / "records" / "best")
    other = ij.evaluation.read(runs / "ijsat" / "records" / "last")
    assert found["fgsm"].model == other["fgsm"].model
    np.testing.assert_array_equal(found["fgsm"].loss, other["fgsm"].loss)
    assert [path.name for path in (tmp_path / "at" / "records").iterdir()] == [
        "best"
    ]


def test_checks_of_records_and_networks(runs):
    result = run("eval", *_arguments(runs), "--checks")
    assert result.code == 0, result.output
    alone = run("eval", *_arguments(runs), "--checks", "--table_only")
    for name in ("at", "ijsat"):
        # What was asked of the network lies beside the records.
        for told, lines in ((result, 12), (alone, 12)):
            _, text = told.output.split(f"Checks of {name}:\n\n")
            found = text.split("\n\n")[0].splitlines()[:lines]
            assert all(line.startswith("- ") for line in found)
            assert found[0] == (
                "- passed: every sample was evaluated (4 records of 20 images)"
            )
            assert found[2].startswith("- passed: budgets are kept (6 norms")
    assert "- passed: the flow is inverted (by " in result.output
    assert "- passed: the flow is inverted (by " in alone.output
    assert _table(result) == _table(alone)


def test_curves_and_picture(runs, tmp_path):
    curves, picture = tmp_path / "curves.png", tmp_path / "new" / "jsa.png"
    result = run(
        "eval",
        *_arguments(runs),
        f"--curves={curves}",
        f"--picture={picture}",
    )
    assert result.code == 0, result.output
    assert f"curves: {curves}" in result.output
    assert len(_table(result)) == 3
    assert curves.stat().st_size > 1000 and picture.stat().st_size > 1000


def test_curves_without_a_table(runs, tmp_path):
    curves = tmp_path / "curves.png"
    result = run(
        "eval",
        f"--runs={runs / 'at'},{runs / 'ijsat'}",
        f"--records={tmp_path / 'none'}",
        "--table_only",
        f"--curves={curves}",
    )
    assert result.code == 0, result.output
    assert "no records yet" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--seed=1"], "standard.npz is the record of another evaluation"),
        (["--examples=16"], "samples (now 16, stored 20)"),
        (["--epsilon=0.2"], "fgsm.npz is the record of another"),
        (["--checkpoint=best"], "train with --held_out"),
        (["--checkpoint=first"], "checkpoint"),
        (["--runs=={runs}/at"], "gives no name"),
        (["--image_size=4"], "at is for images (8, 8, 1) and 10 classes"),
        (["--compare=pgd20"], "--compare must be standard or one of --attacks"),
        (["--union=fgsm,pgd20"], "--union must be among --attacks, fgsm, pgd2"),
        (["--compare=pgd2", "--runs={runs}/at"], "needs two --runs or more"),
        (["--runs="], "--runs must name one folder or more"),
        (["--runs=", "--table_only"], "--runs must name one folder or more"),
        (["--picture={tmp}/x"], "must end in"),
        (["--curves={tmp}/x.md", "--table_only"], "must end in"),
        (["--table_only", "--checkpoint=best"], "no complete records"),
        (["--table_only", "--picture={tmp}/x.png"], "--picture"),
        (["--runs={runs}/at,{tmp}/at"], "different names"),
        (["--runs={runs}/at,{tmp}/x"], "No classifier"),
        (["--table_only", "--runs={runs}/at,{tmp}/x"], "no complete records"),
        (["--curves={tmp}/x.png", "--runs={runs}"], "No classifier"),
        (
            ["--records={tmp}/new", "--curves={tmp}/x.png", "--runs={bare}"],
            "curve.csv",
        ),
        (
            ["--table_only", "--curves={tmp}/x.png", "--runs={bare}"],
            "curve.csv",
        ),
        (["--records={runs}/at/classifier.keras"], "classifier.keras"),
    ],
)
def test_bad_input(arguments, message, runs, tmp_path, bare):
    before = _content(runs), _content(bare)
    filled = [
        each.format(tmp=tmp_path, runs=runs, bare=bare) for each in arguments
    ]
    assert message in run("eval", *_arguments(runs), *filled).error
    assert (_content(runs), _content(bare)) == before
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def bare(runs, tmp_path_factory):
    """A run without a curve."""
    folder = tmp_path_factory.mktemp("bare")
    content = (runs / "at" / "classifier.keras").read_bytes()
    (folder / "classifier.keras").write_bytes(content)
    return folder


def test_all_runs_are_checked_before_one_is_attacked(runs, tmp_path):
    """The second run's records are of another seed."""
    (tmp_path / "ijsat").mkdir()
    record = records.load(runs / "ijsat" / "records" / "last" / "jsa2.npz")
    path = tmp_path / "ijsat" / "jsa2.npz"
    records.save(record._replace(seed=3), path)
    result = run("eval", *_arguments(runs), f"--records={tmp_path}")
    assert "seed (now 0, stored 3)" in result.error
    assert sorted(tmp_path.rglob("*")) == [path.parent, path]


@pytest.mark.parametrize(
    "path",
    pathlib.Path("eval/configs").glob("*.cfg"),
    ids=lambda path: path.stem,
)
def test_flagfiles_are_understood(path, tmp_path):
    result = run(
        "eval", f"--flagfile={path}", "--table_only", f"--runs={tmp_path}"
    )
    assert "no complete records" in result.error
