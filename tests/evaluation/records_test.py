"""Records on disk: interruptions, refusals, and what is read back."""

import json
import os
import pickle
import shutil
import zipfile

import keras
import numpy as np
import pytest

from ijsat_tf.attacks import PGD, Attack, OnManifoldPGD
from ijsat_tf.evaluation import evaluate, read, records
from ijsat_tf.spaces import Linf
from tests import tiny

IMAGES = tiny.random_images(8)
LABELS = np.arange(8) % 3
ATTACKS = {
    "pgd2": PGD(Linf(0.05), steps=2),
    "pgd2.r-2": PGD(Linf(0.05), steps=2, restarts=2),
}
COLUMNS = ["standard", *ATTACKS]
NUMBERS = (
    *("correct", "margin", "loss"),
    *("linf", "l2", "clipped", "overflowed"),
)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return tiny.make_classifier()


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """A finished evaluation: its folder and its records."""
    folder = tmp_path_factory.mktemp("whole") / "records"
    return folder, _evaluate(model, folder)


def _evaluate(model, folder, attacks=ATTACKS, batch_size=3, **options):
    data = options.pop("data", (IMAGES, LABELS))
    return evaluate(
        model,
        data,
        attacks,
        batch_size,
        folder=folder,
        verbose=False,
        **options,
    )


def _no_attack(monkeypatch, after=0):
    """Lets so many calls of attacks pass, and then kills."""
    calls, attacked = [], Attack.__call__

    def call(self, *args, **kwargs):
        calls.append(self)
        if len(calls) > after:
            raise KeyboardInterrupt
        return attacked(self, *args, **kwargs)

    monkeypatch.setattr(Attack, "__call__", call)


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*")}


def _equal(found, expected):
    assert list(found) == list(expected)
    for column, record in found.items():
        other = expected[column]
        assert record[:9] == other[:9]
        for name in NUMBERS:
            np.testing.assert_array_equal(
                getattr(record, name), getattr(other, name), strict=True
            )
        assert record.budget.keys() == other.budget.keys()
        for space, used in record.budget.items():
            np.testing.assert_array_equal(used, other.budget[space])


def test_a_file_a_column_and_nothing_else(whole):
    folder, _ = whole
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{column}.npz" for column in COLUMNS
    )


def test_the_folder_changes_no_number(model, whole):
    _equal(whole[1], _evaluate(model, None))


def test_two_evaluations_are_equal_to_the_bit(model, whole, tmp_path):
    _equal(_evaluate(model, str(tmp_path)), whole[1])


@pytest.mark.parametrize(
    "calls, expected",
    [
        (0, {"standard": 8}),
        (1, {"standard": 8, "pgd2": 3}),
        (2, {"standard": 8, "pgd2": 6}),
        (4, {"standard": 8, "pgd2": 8, "pgd2.r-2": 3}),
    ],
)
def test_a_killed_evaluation_continues(
    calls, expected, model, whole, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        _no_attack(patch, after=calls)
        with pytest.raises(KeyboardInterrupt):
            _evaluate(model, tmp_path)
    paths = {path.stem: path for path in tmp_path.glob("*.npz")}
    done = {column: records.load(path).done for column, path in paths.items()}
    assert done == expected
    _equal(_evaluate(model, tmp_path), whole[1])
    for column in COLUMNS:
        assert records.load(tmp_path / f"{column}.npz").complete


def test_a_kill_while_writing_leaves_the_batch_before(
    model, whole, tmp_path, monkeypatch
):
    replace, names = os.replace, []

    def killed(source, target):
        names.append(target.name)
        if names.count("pgd2.npz") == 2:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            _evaluate(model, tmp_path)
    assert records.load(tmp_path / "pgd2.npz").done == 3
    with pytest.warns(UserWarning, match="3 of 8"):
        assert list(read(tmp_path)) == ["standard"]
    _equal(_evaluate(model, tmp_path), whole[1])
    assert len(list(tmp_path.iterdir())) == 3


def test_complete_columns_are_not_attacked(model, whole, monkeypatch):
    folder, expected = whole
    before = _content(folder)
    _no_attack(monkeypatch)
    _equal(_evaluate(model, folder), expected)
    some = {"pgd2.r-2": ATTACKS["pgd2.r-2"]}
    assert list(_evaluate(model, folder, some)) == ["standard", "pgd2.r-2"]
    assert _content(folder) == before


def test_the_model_may_come_from_a_file(model, whole, tmp_path, monkeypatch):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    _no_attack(monkeypatch)
    _equal(_evaluate(loaded, whole[0]), whole[1])


def test_further_columns_join_complete_ones(model, whole, tmp_path):
    first = {"pgd2": ATTACKS["pgd2"]}
    _evaluate(model, tmp_path, first)
    _equal(_evaluate(model, tmp_path), whole[1])


def _others(model):
    weights = keras.models.clone_model(model)
    weights.set_weights([1.01 * weight for weight in model.get_weights()])
    softmax = keras.Sequential([*model.layers, keras.layers.Softmax()])
    other = {**ATTACKS, "pgd2.r-2": PGD(Linf(0.06), steps=2)}
    x = {"image": IMAGES, "latent": IMAGES}
    return {
        "model": (weights, {}),
        "model of other layers": (softmax, {}),
        "data": (model, {"data": (IMAGES + 1e-6, LABELS)}),
        "data of other labels": (model, {"data": (IMAGES, LABELS[::-1])}),
        "data with latents": (model, {"data": (x, LABELS)}),
        "samples": (model, {"data": (IMAGES[:6], LABELS[:6])}),
        "attack": (model, {"attacks": other}),
        "seed": (model, {"seed": 1}),
        "batch_size": (model, {"batch_size": 4}),
        "origin": (model, {"origin": "digits"}),
    }


@pytest.mark.parametrize("what", list(_others(tiny.make_classifier())))
def test_other_settings_are_refused(what, model, whole, monkeypatch):
    folder, expected = whole
    other, options = _others(model)[what]
    before = _content(folder)
    _no_attack(monkeypatch)
    with pytest.raises(ValueError) as error:
        _evaluate(other, folder, **options)
    text = str(error.value)
    column = "pgd2.r-2" if what == "attack" else "standard"
    assert str(folder / f"{column}.npz") in text
    assert f" {what.split()[0]} (now " in text and "stored " in text
    assert "another folder, or delete" in text
    assert _content(folder) == before


def test_other_versions_finish_no_record_and_keep_a_complete_one(
    model, whole, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(records, "versions", lambda: "older")
        _no_attack(patch, after=4)
        with pytest.raises(KeyboardInterrupt):
            _evaluate(model, tmp_path)
    with pytest.raises(ValueError, match="versions .now ijsat_tf .*older"):
        _evaluate(model, tmp_path)
    (tmp_path / "pgd2.r-2.npz").unlink()
    found = _evaluate(model, tmp_path)
    assert found["pgd2"].versions == "older"
    assert found["pgd2.r-2"].versions == records.versions()


def test_settings_are_compared_before_anything_is_attacked(
    model, whole, tmp_path, monkeypatch
):
    """The one file that differs belongs to the last column."""
    last = "pgd2.r-2.npz"
    shutil.copy(whole[0] / last, tmp_path / last)
    _no_attack(monkeypatch)
    with pytest.raises(ValueError, match=r"seed \(now 1, stored 0\)"):
        _evaluate(model, tmp_path, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == [last]


def test_another_generator_is_refused(model, flow, tmp_path, monkeypatch):
    def om_pgd(generator):
        return {"om_pgd": OnManifoldPGD(generator, Linf(0.1), steps=1)}

    _evaluate(model, tmp_path, om_pgd(flow))
    _no_attack(monkeypatch)
    _evaluate(model, tmp_path, om_pgd(flow.with_dtype("float32")))
    moved = flow.with_dtype("float32")
    moved.trainable_weights[0].assign_add(
        0.01 * np.ones(moved.trainable_weights[0].shape)
    )
    for other in (moved, flow.with_dtype("mixed_bfloat16")):
        with pytest.raises(ValueError, match=r"in networks \(now "):
            _evaluate(model, tmp_path, om_pgd(other))


def test_functions_are_known_by_their_logits(tmp_path, monkeypatch):
    _, model = tiny.make_linear()
    data = IMAGES, LABELS % 2
    _evaluate(model, tmp_path, {}, data=data)
    _no_attack(monkeypatch)
    _evaluate(lambda images: model(images), tmp_path, {}, data=data)
    for other in (lambda images: -model(images), tiny.make_classifier(2)):
        with pytest.raises(ValueError, match=r"in model \(now "):
            _evaluate(other, tmp_path, {}, data=data)


def test_names_of_networks_play_no_part(tmp_path, monkeypatch):
    """Keras numbers the names of layers within a process."""

    class Same(keras.layers.Layer):
        def decode(self, latents):
            return latents

    _, model = tiny.make_linear()
    data = {"image": IMAGES, "latent": IMAGES}, LABELS % 2
    reprs = set()
    for _ in range(2):
        attacks = {"om_pgd": OnManifoldPGD(Same(), Linf(0.1), steps=1)}
        reprs.add(repr(attacks["om_pgd"]))
        _evaluate(model, tmp_path, attacks, data=data)
        _no_attack(monkeypatch)
    assert len(reprs) == 2


class Touch:
    """What a pickle could do when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def _damaged(path, how, touched):
    content = path.read_bytes()
    with np.load(path) as arrays:
        arrays = dict(arrays)
    settings = json.loads(str(arrays["settings"]))
    if how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        with zipfile.ZipFile(path) as archive:
            part = archive.getinfo("margin.npy")
        # In the middle of the compressed numbers; names come before.
        place = part.header_offset + 40 + part.compress_size // 2
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        )
    elif how == "array":
        with open(path, "wb") as file:
            np.save(file, arrays["margin"])
    elif how == "pickle":
        path.write_bytes(pickle.dumps(Touch(touched)))
    else:
        arrays |= {
            "foreign": {"settings": np.array("{}")},
            "no JSON": {"settings": np.array("seed=0")},
            "objects": {"margin": np.array([Touch(touched)] * 8)},
            "integers": {"correct": np.arange(8)},
            "lengths": {"loss": arrays["loss"][:3]},
            "half a batch": {name: arrays[name][:4] for name in NUMBERS},
            "too long": {
                "settings": np.array(json.dumps({**settings, "samples": 6}))
            },
            "another format": {
                "settings": np.array(json.dumps({**settings, "format": 1}))
            },
            "text for a number": {
                "settings": np.array(json.dumps({**settings, "seed": "0"}))
            },
        }[how]
        np.savez(path, **arrays)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "empty",
        "flipped",
        "array",
        "pickle",
        "foreign",
        "no JSON",
        "objects",
        "integers",
        "lengths",
        "half a batch",
        "too long",
        "another format",
        "text for a number",
    ],
)
def test_damaged_files_are_refused(how, model, whole, tmp_path, monkeypatch):
    folder = tmp_path / "records"
    shutil.copytree(whole[0], folder)
    _damaged(folder / "pgd2.r-2.npz", how, tmp_path / "touched")
    before = _content(folder)
    _no_attack(monkeypatch)
    for reading in (lambda: _evaluate(model, folder), lambda: read(folder)):
        with pytest.raises(ValueError, match="cannot be read as a record") as e:
            reading()
        assert str(folder / "pgd2.r-2.npz") in str(e.value)
    assert _content(folder) == before
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    "name", ["", ".pgd", "../pgd", "a/b", "a\\b", "pgd 20", "pgd\n", "pgd20é"]
)
def test_names_that_are_no_file_names_are_refused(name, model, tmp_path):
    folder = tmp_path / "records"
    with pytest.raises(ValueError, match="become names of files"):
        _evaluate(model, folder, {name: ATTACKS["pgd2"]})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(model, tmp_path, monkeypatch):
    _no_attack(monkeypatch)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(OSError):
        _evaluate(model, file)
    with pytest.raises(OSError):
        _evaluate(model, file / "below")
    assert file.read_text() == "mine"
    if os.access("/proc", os.F_OK):
        with pytest.raises(OSError):
            _evaluate(model, "/proc")


def test_reading_gives_what_was_evaluated(whole):
    folder, expected = whole
    _equal(read(folder), expected)
    assert list(read(str(folder))) == COLUMNS


def test_speed_is_read_back(whole):
    folder, expected = whole
    speeds = [
        found["pgd2"].images_per_second for found in (read(folder), expected)
    ]
    assert speeds[0] == speeds[1] > 0


def test_nothing_to_read(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ValueError, match="no complete records in .*tmp"):
            read(folder)


def test_partial_records_alone_are_an_error(model, tmp_path, monkeypatch):
    _no_attack(monkeypatch, after=1)
    with pytest.raises(KeyboardInterrupt):
        _evaluate(model, tmp_path)
    (tmp_path / "standard.npz").unlink()
    with pytest.warns(UserWarning, match="3 of 8 samples"):
        with pytest.raises(ValueError, match="no complete records"):
            read(tmp_path)
