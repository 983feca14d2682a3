"""Presets are the .keras files of a folder, and no other file."""

import pytest

from ijsat_tf.storage import presets


@pytest.fixture
def folder(tmp_path):
    for name in ("b.keras", "a.keras", "a.md", "c.txt"):
        (tmp_path / name).touch()
    return tmp_path


def test_names_are_those_of_the_networks(folder):
    assert presets.names(folder) == ["a", "b"]


def test_a_path_leads_to_the_file(folder):
    assert presets.path(folder, "b") == folder / "b.keras"


@pytest.mark.parametrize("name", ["c", "a.keras", "../a", "", None])
def test_an_unknown_name_is_refused_with_those_there_are(folder, name):
    with pytest.raises(ValueError, match="must be a preset, one of a, b"):
        presets.path(folder, name)
