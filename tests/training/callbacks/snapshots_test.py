"""Snapshots of a run: whole, found by their age, or refused."""

import hashlib
import json
import os

import pytest

from ijsat_tf.training.callbacks import snapshots
from tests.training.callbacks.backup_test import (
    both,
    change_facts,
    flip,
    lose_facts,
    names,
    truncate,
)

FACTS = {"epoch": 3, "settings": "--epsilon=8/255", "list": [1, 0.1, None]}


def write(folder, step, content=b"weights", facts=FACTS):
    path = snapshots.path_of(folder, step)
    snapshots.write(path, lambda aside: aside.write_bytes(content), facts)
    return path


def test_what_is_written_is_read(tmp_path):
    path = write(tmp_path, 123)
    assert names(tmp_path) == [
        "step-000000123.json",
        "step-000000123.weights.h5",
    ]
    assert path.read_bytes() == b"weights"
    found = snapshots.read(path)
    # Of the weights and, after them, of the facts in the order of names.
    text = (
        b'weights{"epoch": 3, "list": [1, 0.1, null], '
        b'"settings": "--epsilon=8/255"}'
    )
    assert found == {**FACTS, "digest": hashlib.sha256(text).hexdigest()}


def test_every_changed_bit_is_found(tmp_path):
    """Of weights, and of facts as long as they can be read."""
    path = write(tmp_path, 1, b"ab", {"epoch": 3})
    for file in tmp_path.iterdir():
        whole = file.read_bytes()
        meaning = file.suffix == ".json" and json.loads(whole)
        for bit in range(8 * len(whole)):
            content = bytearray(whole)
            content[bit // 8] ^= 1 << bit % 8
            file.write_bytes(content)
            try:
                same = meaning and json.loads(content) == meaning
            except ValueError:
                same = False
            if not same:
                with pytest.raises(ValueError, match="truncated|cannot be"):
                    snapshots.read(path)
        file.write_bytes(whole)
    assert snapshots.read(path)["epoch"] == 3


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "truncated or changed"),
        (flip, "truncated or changed"),
        (lose_facts, "step-000000001.json is missing"),
        (change_facts, "truncated or changed"),
    ],
)
def test_damage_is_refused(spoil, reason, tmp_path):
    path = write(tmp_path, 1)
    spoil(path)
    with pytest.raises(ValueError, match=reason):
        snapshots.read(path)


@pytest.mark.parametrize("text", ["", "[1]", "3", "{}", '{"epoch": 3}', "\xff"])
def test_facts_of_another_kind_are_refused(text, tmp_path):
    path = write(tmp_path, 1)
    path.with_name("step-000000001.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="missing, or cannot be read"):
        snapshots.read(path)


def test_a_failure_leaves_what_was_there(tmp_path):
    path = write(tmp_path, 1)

    def fail(aside):
        aside.write_bytes(b"half")
        raise OSError("disk full")

    for step in (1, 2):
        with pytest.raises(OSError, match="disk full"):
            snapshots.write(snapshots.path_of(tmp_path, step), fail, {})
    assert names(tmp_path) == both(1)
    assert snapshots.read(path)["epoch"] == 3


def test_facts_are_there_before_weights(tmp_path, monkeypatch):
    """A process that is killed between them leaves facts alone."""
    replace, seen = os.replace, []

    def watched(aside, path):
        seen.append((path.name, names(tmp_path)))
        replace(aside, path)

    monkeypatch.setattr(os, "replace", watched)
    write(tmp_path, 1)
    assert [name for name, _ in seen] == both(1)
    assert "step-000000001.json" in seen[1][1]


def test_the_newest_is_first(tmp_path):
    assert snapshots.newest_first(tmp_path / "nothing") == []
    for step in (2, 10, 9, 100):
        write(tmp_path, step)
    (tmp_path / "other.weights.h5").touch()
    (tmp_path / ".step-000000200.weights.h5").touch()
    found = snapshots.newest_first(tmp_path)
    assert found == [
        snapshots.path_of(tmp_path, step) for step in (100, 10, 9, 2)
    ]


@pytest.mark.parametrize(
    ("newest", "keep", "left"),
    [(9, 1, [9]), (9, 2, [8, 9]), (7, 2, [6, 7]), (6, 5, [5, 6])],
)
def test_those_before_the_newest_stay(newest, keep, left, tmp_path):
    """Those after it go, as the run could not read them."""
    for step in (5, 6, 7, 8, 9):
        write(tmp_path, step)
    for name in (".step-000000009.json", "step-000000004.json", "notes.txt"):
        (tmp_path / name).touch()
    snapshots.prune(tmp_path, snapshots.path_of(tmp_path, newest), keep)
    assert names(tmp_path) == ["notes.txt", *both(*left)]
