"""Folders of runs, as training and evaluation leave them."""

import pathlib
import re

import pytest

from ijsat_tf.evaluation import Check, read_run, records
from ijsat_tf.evaluation.page import is_run
from ijsat_tf.evaluation.trust.check import save_checks
from tests.evaluation.synthetic import record, row

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path):
    for name, made in row(["standard", "pgd20", "fgsm"], "a").items():
        records.save(made, tmp_path / "records" / "last" / f"{name}.npz")
    (tmp_path / "settings.cfg").write_text(
        "# flow, sha256=6cd49476\n--dataset=cifar10\n--nonesterov\n"
        "--normalize\n--flow=a=b\n--note=\n"
    )
    (tmp_path / "log.csv").write_text(
        "epoch,images_per_second,loss\n0,10.5,1\n1,NA,1\n2,20,1\n3"
    )
    return tmp_path


def test_what_a_folder_holds(folder):
    run = read_run("at", folder)
    assert run.name == "at" and run.warnings == ()
    assert list(run.records) == ["standard", "fgsm", "pgd20"]
    assert run.settings == {
        "flow, sha256": "6cd49476",
        "dataset": "cifar10",
        "nesterov": "false",
        "normalize": "true",
        "flow": "a=b",
        "note": "",
    }
    assert run.speeds == (10.5, 20.0) and run.pictures == {}


def test_true_and_false_flags_of_training_keep_their_names(tmp_path):
    text = "".join(
        path.read_text("utf-8") for path in (ROOT / "train").glob("*.py")
    )
    names = re.findall(r'DEFINE_bool\(\s*"(\w+)"', text)
    assert "normalize" in names
    for name in names:
        for line, value in ((f"--{name}", "true"), (f"--no{name}", "false")):
            (tmp_path / "settings.cfg").write_text(line)
            assert read_run("at", tmp_path).settings == {name: value}


def test_pictures(folder):
    for name in ("curve.png", "samples.png", "other.png"):
        (folder / name).write_bytes(b"")
    assert read_run("at", folder).pictures == {
        "at: accuracy during training": folder / "curve.png",
        "at: samples": folder / "samples.png",
    }


def test_the_best_checkpoint(folder):
    best = folder / "records" / "best"
    records.save(record([1, 0]), best / "pgd20.npz")
    assert list(read_run("at", folder, "best").records) == ["pgd20"]


def test_checks_of_its_model_and_of_no_other(folder):
    path = folder / "records" / "last" / "checks.json"
    found = Check("it is sound", True, "very"), Check("it is new", None, "no")
    save_checks(path, "another model", found)
    assert read_run("at", folder).checks == ()
    model = read_run("at", folder).records["standard"].model
    save_checks(path, model, found)
    assert read_run("at", folder).checks == found
    for text in ("", "[1]", '{"model": 1, "checks": [{"name": 1}]}'):
        path.write_text(text)
        run = read_run("at", folder)
        assert run.checks == ()
        (warning,) = run.warnings
        assert warning.startswith(f"{path} holds no checks of a model")


def test_what_is_not_there_is_told(folder):
    path = folder / "records" / "last" / "pgd20.npz"
    path.write_bytes(path.read_bytes()[:500])
    (folder / "settings.cfg").unlink()
    run = read_run("at", folder)
    assert "pgd20" not in run.records and run.speeds
    assert f"{path} cannot be read as a record" in run.warnings[0]
    assert run.warnings[1] == "at has no settings.cfg."
    (folder / "classifier.keras").write_bytes(b"")
    (warning, _) = read_run("at", folder, "best").warnings
    assert warning.startswith("at has a classifier, and no record in records/b")


def test_which_folders_are_runs(folder):
    assert is_run(folder)
    (folder / "settings.cfg").unlink()
    assert is_run(folder) and not is_run(folder / "records")


def test_what_is_no_text_is_told(folder):
    for name in ("settings.cfg", "log.csv"):
        (folder / name).write_bytes(bytes(range(256)))
    run = read_run("at", folder)
    assert run.settings == {} and run.speeds == () and len(run.records) == 3
    for name, warning in zip(("settings.cfg", "log.csv"), run.warnings):
        assert f"{folder / name} is damaged, or is not UTF-8 text" in warning
