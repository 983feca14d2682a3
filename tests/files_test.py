"""What an error leaves of a file that is replaced."""

import os

import pytest

from ijsat_tf import files


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


@pytest.mark.skipif(
    not hasattr(os, "posix_fallocate"), reason="the system reserves nothing"
)
def test_what_does_not_fit_shows_at_once(tmp_path):
    files.reserve(tmp_path / "file", 10_000)
    assert (tmp_path / "file").stat().st_size == 10_000
    # A real one would fill the disk of everyone, as it did once.
    with pytest.raises(OSError):
        files.reserve(tmp_path / "file", 1 << 62)
    assert (tmp_path / "file").stat().st_size <= 10_000
