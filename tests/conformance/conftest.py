"""Rows of the catalogue, one after another, so that promises share traces."""

import keras
import pytest

from tests import tiny
from tests.conformance import catalogue

FOLDER = "tests/conformance/"


@pytest.fixture(scope="session")
def classifier() -> keras.Model:
    """Shared, so that attacks on it are traced once: do not change it."""
    keras.utils.set_random_seed(0)
    return tiny.make_classifier()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    here = [at for at, item in enumerate(items) if FOLDER in item.nodeid]
    # Of tests of one row, the second finds the graph of the first.
    ordered = sorted((items[place] for place in here), key=_row)
    for place, item in zip(here, ordered):
        items[place] = item
        if _row(item) in catalogue.VARIANTS:
            item.add_marker(pytest.mark.variant)


def _row(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("name", "")) if callspec else ""
