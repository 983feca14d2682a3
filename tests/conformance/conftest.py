"""Marks the rows of the catalogue whose code other rows run too."""

import pytest

from tests.conformance import catalogue


@pytest.hookimpl(tryfirst=True)  # Before -m looks at marks.
def pytest_collection_modifyitems(items):
    for item in items:
        callspec = getattr(item, "callspec", None)
        name = callspec.params.get("name") if callspec else None
        if (
            "tests/conformance/" in item.nodeid
            and isinstance(name, str)
            and name in catalogue.VARIANTS
        ):
            item.add_marker(pytest.mark.variant)
