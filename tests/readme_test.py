"""README's Python runs, on foreign models, and the wheel is whole."""

import ast
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import cells
import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def readme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    names, _ = cells.run(README, folder)
    assert (folder / "run.npz").stat().st_size > 1000
    return names


def test_its_table_is_what_its_program_prints(readme):
    shown = re.findall(r"^    \|(.*)\|$", README.read_text("utf-8"), re.M)
    head, _, *rows = [
        [cell.strip() for cell in row.split("|")] for row in shown
    ]
    assert head == ["Method", "standard", "pgd20", "jsa10", "Avg"]
    assert [row[0] for row in rows] == list(readme["records"])
    for name, *numbers, _ in rows:
        found = readme["records"][name]
        for number, (column, record) in zip(numbers, found.items()):
            right = np.sum(record.correct)
            assert abs(right - float(number)) <= 2, (name, column, right)


def test_its_verdict_is_that_of_autoattack(readme):
    (shown,) = re.findall(r"^    (\{.*\})$", README.read_text("utf-8"), re.M)
    alive = {
        stage: np.sum(found) for stage, found in readme["verdict"].alive.items()
    }
    expected = ast.literal_eval(shown)
    assert list(alive) == list(expected)
    for stage, count in expected.items():
        assert abs(alive[stage] - count) <= 2, (stage, alive)


def test_it_trains(readme):
    assert np.isfinite(readme["model"].history.history["loss"]).all()


@pytest.mark.variant
def test_inside_a_function(readme):
    attack, classifier = readme["attacks"]["jsa10"], readme["network"]
    images, labels = readme["images"][:16], readme["labels"][:16]

    @tf.function
    def attacked(images, labels):
        return attack(classifier, images, labels)

    eager = attack(classifier, images, labels)
    np.testing.assert_allclose(
        attacked(images, labels).loss, eager.loss, rtol=1e-2
    )


@pytest.mark.variant
def test_a_model_that_ends_in_a_softmax(readme):
    chances = keras.applications.MobileNetV2(
        weights=None, input_shape=(32, 32, 3), classes=10
    )
    attack = ij.attacks.PGD(ij.spaces.Linf(8 / 255), steps=2)
    images, labels = readme["images"][:16], readme["labels"][:16]
    with pytest.warns(UserWarning, match="logits"):
        attack(chances, images, labels)
    logits = ij.models.logits(chances)
    result = attack(logits, images, labels)
    found = chances.predict(result.images, verbose=0)[np.arange(16), labels]
    np.testing.assert_allclose(result.loss, -np.log(found), rtol=1e-3)


def test_its_speeds_are_those_of_the_benchmark():
    text = README.read_text(encoding="utf-8")
    speeds = re.findall(r"^\| (?:IJSAT step|JSA-10|PGD-20).*$", text, re.M)
    measured = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert len(speeds) == 6
    assert [line for line in speeds if line not in measured] == []


def test_the_wheel_holds_the_library(tmp_path):
    pytest.importorskip("setuptools", reason="builds the wheel")
    # Setuptools would add files that are left from an earlier version.
    shutil.rmtree(ROOT / ".build" / "lib", ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    quiet = ["--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *quiet, "--no-build-isolation"]
        + ["--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = {
            name: archive.read(name)
            for name in archive.namelist()
            if ".dist-info/" not in name
        }
    assert f"ijsat_tf-{ij.__version__}-" in wheel.name
    assert found == {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "ijsat_tf").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
