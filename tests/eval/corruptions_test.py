"""eval/main.py --corruptions as a user runs it, on a network never trained."""

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.evaluation import records
from tests.commands import run

pytest.importorskip("scipy", reason="SciPy is not installed")
CELLS = [("fog", 1), ("fog", 3), ("contrast", 1), ("contrast", 3)]
COLUMNS = [f"{name}_{severity}" for name, severity in CELLS]


def _save(folder, shape, seed=0):
    keras.utils.set_random_seed(seed)
    classifier = ij.models.small_cnn(10, width=4, image_shape=shape)
    folder.mkdir()
    classifier.save(folder / "classifier.keras")


def _evaluated(folder, *arguments, runs="a,b"):
    places = ",".join(str(folder / name) for name in runs.split(","))
    return run(
        "eval",
        "--dataset=digits",
        "--examples=20",
        "--batch_size=8",
        "--attacks=",
        "--corruptions=contrast,fog",
        "--severities=3,1",
        f"--runs={places}",
        *arguments,
    )


def _times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.npz")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs that were evaluated."""
    folder = tmp_path_factory.mktemp("corrupted")
    for seed, name in enumerate("ab"):
        _save(folder / name, (8, 8, 1), seed)
    outcome = _evaluated(folder)
    assert outcome.code == 0, outcome.output
    (folder / "printed").write_text(outcome.output)
    return folder


def test_records_are_those_of_the_corrupted_images(folder):
    clean = ij.data.load("digits", "test").take(20)
    model = keras.saving.load_model(folder / "b" / "classifier.keras")
    found = ij.evaluation.read(folder / "b" / "records" / "last")
    assert set(found) == {"standard", *COLUMNS}
    assert found["standard"].origin == "digits"
    for cell, column in zip(CELLS, COLUMNS):
        changed = ij.data.corrupted(clean, *cell)
        logits = model(changed.scaled(), training=False)
        right = np.argmax(logits, axis=1) == changed.labels
        np.testing.assert_array_equal(found[column].correct, right)
        assert found[column].kind == "made here"
        assert found[column].model == found["standard"].model
    assert list(ij.evaluation.corrupted(found)) == CELLS


def test_the_table_has_their_means_and_says_once_what_they_are(folder):
    printed = (folder / "printed").read_text()
    assert printed.count("frost with random textures") == 1
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in printed.splitlines()
        if line.startswith("|")
    ]
    assert [row[0] for row in rows][-4:-1] == [
        "-" * len("Mean of all 75"),
        "fog 1,3",
        "contrast 1,3",
    ]
    assert rows[-1] == ["Mean of all 75", "-", "-"]
    for place, name in enumerate("ab", start=1):
        found = ij.evaluation.read(folder / name / "records" / "last")
        means = [
            np.mean([found[f"{each}_{part}"].correct for part in (1, 3)])
            for each in ("fog", "contrast")
        ]
        shown = [float(row[place]) for row in rows[-3:-1]]
        np.testing.assert_allclose(shown, np.multiply(means, 100), atol=0.005)


def test_what_is_on_disk_is_printed_without_a_network(folder):
    outcome = _evaluated(folder, "--table_only", "--dataset=nothing")
    start = outcome.output.index("| Method")
    printed = (folder / "printed").read_text()
    assert outcome.output[start:] == printed[printed.index("| Method") :]


def test_again_it_evaluates_what_is_missing_alone(folder, tmp_path):
    before = _times(folder)
    outcome = _evaluated(folder)
    assert outcome.code == 0 and "images_per_second" not in outcome.output
    path = folder / "a" / "records" / "last" / "fog_3.npz"
    expected = records.load(path)
    names = "correct margin loss linf l2 clipped overflowed seconds".split()
    cut = {name: getattr(expected, name)[:8] for name in names}
    records.save(expected._replace(**cut), path)
    outcome = _evaluated(folder)
    assert "fog_3: 8 of 20 images are on disk" in outcome.output
    np.testing.assert_array_equal(records.load(path).loss, expected.loss)
    after = _times(folder)
    assert {place for place in after if after[place] != before[place]} == {path}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corruptions=fog,fogg"], "--corruptions must be among gaussian_n"),
        (["--severities=0"], "--severities must be among 1, 2, 3, 4, 5; rece"),
        (["--severities=a"], "whole numbers"),
        (["--attacks=fog_3"], "fog_3 is both a corruption and an attack"),
        (["--corrupted_data={tmp}"], "fog.npy is missing"),
        (["--records={tmp}", "--runs={runs}/a"], "origin (now made here"),
    ],
)
def test_bad_input(arguments, message, folder, tmp_path):
    if "--records={tmp}" in arguments:
        path = folder / "a" / "records" / "last" / "fog_1.npz"
        other = records.load(path)._replace(origin="published arrays: fog 1")
        records.save(other, tmp_path / "a" / "fog_1.npz")
    before = _times(folder), _times(tmp_path)
    places = {"tmp": tmp_path, "runs": folder}
    filled = [each.format(**places) for each in arguments]
    assert message in _evaluated(folder, *filled).error
    assert (_times(folder), _times(tmp_path)) == before


def test_published_arrays(tmp_path):
    """Of this form, not of this content."""
    random = np.random.default_rng(0)
    clean = random.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(6, dtype=np.int32)
    source = ij.data.Source(clean, labels, classes=10)
    ij.data.store("colours", {"test": source}, tmp_path)
    data = tmp_path / "CIFAR-10-C"
    data.mkdir()
    shape = (50_000, 32, 32, 3)
    fog = np.lib.format.open_memmap(data / "fog.npy", "w+", np.uint8, shape)
    fog[10_000:10_006] = changed = clean // 2
    fog.flush()
    np.save(data / "labels.npy", np.tile(np.arange(10_000) % 10, 5))
    _save(tmp_path / "a", (32, 32, 3))
    published = [
        "--dataset=colours",
        f"--data_dir={tmp_path}",
        "--examples=6",
        "--corruptions=fog",
        "--severities=2",
    ]
    folder = f"--corrupted_data={data}"
    outcome = _evaluated(tmp_path, *published, folder, runs="a")
    assert "Corrupted images: published arrays." in outcome.output
    path = tmp_path / "a" / "records" / "last" / "fog_2.npz"
    found = records.load(path)
    assert found.origin == "published arrays: fog 2"
    model = keras.saving.load_model(tmp_path / "a" / "classifier.keras")
    logits = model(changed.astype("float32") / 255, training=False)
    np.testing.assert_array_equal(
        found.correct, np.argmax(logits, axis=1) == labels
    )
    # Neither other images nor those made here continue them.
    fog[10_000] = 0
    fog.flush()
    error = _evaluated(tmp_path, *published, folder, runs="a").error
    assert str(path) in error and "differs in data (" in error
    error = _evaluated(tmp_path, *published, runs="a").error
    assert "stored published arrays: fog 2)" in error
