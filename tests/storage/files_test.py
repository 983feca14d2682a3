"""What an error leaves of a file that is replaced."""

import os
import pathlib
import resource
import signal

import pytest

from ijsat_tf.storage import files
from tests.commands import call


@pytest.mark.parametrize("path", ["", ".", "..", "deeper/.."])
def test_a_path_without_a_name_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="must end in the name of a file"):
        with files.replaced(pathlib.Path(path)):
            pass
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "error, expected",
    [
        (ValueError("a line\nanother"), "a line"),
        (KeyError(), "KeyError"),
        (ValueError("\\x00" * 99), "\\x00" * 29 + "\\..."),
    ],
)
def test_a_reason_is_one_short_line(error, expected):
    assert files.reason(error) == expected


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "settings.cfg"
    path.write_text("--method=ü", encoding="utf-8")
    assert files.read_text(path) == "--method=ü"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(
        ValueError, match="settings.cfg is damaged, .* byte 128"
    ):
        files.read_text(path)


def test_a_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "deeper" / "file"
    with files.replaced(path) as aside:
        aside.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(error, tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(error), files.replaced(path) as aside:
        aside.write_text("half")
        raise error
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_says_of_which_file(tmp_path):
    """A file-size limit fails as a full disk does, for any user."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large: '.*/file'"):
            with files.replaced(tmp_path / "file") as aside:
                aside.write_text(1001 * "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not os.listdir(tmp_path)
    # Of the one aside the name is longer still.
    with pytest.raises(OSError, match="too long: '.*/x+'"):
        with files.replaced(tmp_path / (255 * "x")) as aside:
            open(aside, "w")
    # HDF5 has errors without a number.
    with pytest.raises(OSError, match="^no number$"):
        with files.replaced(tmp_path / "file") as aside:
            raise OSError("no number")


def test_a_link_does_not_lead_elsewhere(tmp_path):
    other, folder = tmp_path / "other", tmp_path / "folder"
    folder.mkdir()
    other.write_text("before")
    for name in ("file", ".file"):
        (folder / name).symlink_to(other)
    with files.replaced(folder / "file") as aside:
        aside.write_text("after")
    assert other.read_text() == "before"
    assert (folder / "file").read_text() == "after"
    assert not (folder / "file").is_symlink()


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    path = tmp_path / "file"
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os,
            name,
            lambda *given, name=name, real=real: (
                calls.append(name),
                real(*given),
            ),
        )
    with files.replaced(path) as aside:
        aside.write_text("x")
    assert calls == ["fsync", "replace", "fsync"]


def test_a_folder_is_of_one_process_until_that_ends(tmp_path):
    assert call(_lock_and_die, tmp_path).output.strip() == "True"
    assert files.lock(tmp_path)
    assert call(_lock, tmp_path).output.strip() == "False"
    assert not os.listdir(tmp_path)


def _lock(folder):
    print(files.lock(folder), flush=True)


def _lock_and_die(folder):
    _lock(folder)
    os.kill(os.getpid(), signal.SIGKILL)
