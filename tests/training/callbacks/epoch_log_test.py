"""The log of a run that is stopped and goes on is that of one that is not."""

import csv

import keras
import pytest

from ijsat_tf.training import EpochLog

LOGS = [{"loss": 2.5, "accuracy": 0.1 + place} for place in range(4)]


def write(path, first, last, epoch=0):
    log = EpochLog(path, epoch)
    for place in range(first, last):
        log.on_epoch_end(place, LOGS[place])


def test_the_rows_are_those_of_keras(tmp_path):
    log = keras.callbacks.CSVLogger(tmp_path / "keras.csv")
    log.on_train_begin()
    for place, logs in enumerate(LOGS):
        log.on_epoch_end(place, logs)
    log.on_train_end()
    write(tmp_path / "ours.csv", 0, 4)
    found, expected = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("ours.csv", "keras.csv")
    )
    assert [*found[0]] == ["epoch", "accuracy", "loss"]
    assert len(found) == 4
    for one, other in zip(found, expected, strict=True):
        assert one.items() <= other.items()


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_run_goes_on(epoch, tmp_path):
    write(tmp_path / "calm.csv", 0, 4)
    path = tmp_path / "log.csv"
    # Killed after its row, and before the checkpoint.
    write(path, 0, 3)
    write(path, epoch, 4, epoch)
    assert path.read_bytes() == (tmp_path / "calm.csv").read_bytes()


def test_a_log_of_keras_goes_on_with_its_columns(tmp_path):
    path = tmp_path / "log.csv"
    log = keras.callbacks.CSVLogger(path)
    log.on_train_begin()
    log.on_epoch_end(0, LOGS[0])
    log.on_train_end()
    write(path, 1, 2, 1)
    first, second = csv.DictReader(path.read_text().splitlines())
    assert second == {**first, "epoch": "1", "accuracy": "1.1"}


def test_it_begins_anew(tmp_path):
    path = tmp_path / "log.csv"
    write(path, 0, 3)
    write(path, 0, 1)
    assert path.read_text() == "epoch,accuracy,loss\n0,0.1,2.5\n"
    # Moved away, it begins where the run is.
    path.unlink()
    write(path, 2, 3, 2)
    write(path, 3, 4, 3)
    assert path.read_text().splitlines()[1:] == ["2,2.1,2.5", "3,3.1,2.5"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text[:-9],
        lambda text: "",
        lambda text: text.splitlines()[0] + "\n",
        lambda text: text.replace("\n1", "\n7"),
        lambda text: text.replace("\n1", "\n\n1"),
        lambda text: text.replace("1.1,", "1.1;"),
        lambda text: text.replace("epoch", "epoc"),
        lambda text: text + "x\n",
        lambda text: text.replace("0,", "\0,"),
        lambda text: text.replace("loss", "lo\udcffss"),
    ],
)
def test_a_damaged_one_is_named_and_kept(spoil, tmp_path):
    path = tmp_path / "log.csv"
    write(path, 0, 2)
    spoilt = spoil(path.read_text()).encode(errors="surrogateescape")
    path.write_bytes(spoilt)
    with pytest.raises(ValueError, match="log.csv is damaged"):
        EpochLog(path, 2)
    assert path.read_bytes() == spoilt
