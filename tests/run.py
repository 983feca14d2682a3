"""Runs pytest on the files named as arguments: what Bazel starts."""

import sys

import pytest

sys.exit(pytest.main(sys.argv[1:]))
