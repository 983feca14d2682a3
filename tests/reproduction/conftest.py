"""Modules of reproduction/, which are found beside its scripts alone."""

import importlib

import pytest

from tests import commands


@pytest.fixture
def imported(monkeypatch):
    """A module of reproduction/ by its name."""
    monkeypatch.syspath_prepend(commands.ROOT / "reproduction")
    return importlib.import_module
