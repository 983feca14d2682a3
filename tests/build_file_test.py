"""BUILD as Bazel reads it: every Python file in one library, no name missing.

BUILD is Starlark, which is Python here; `glob` and the rules are written down.
"""

import collections
import pathlib

import pytest

from tests.architecture_test import PACKAGES

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = (
    "ijsat_tf",
    "train",
    "eval",
    "reproduction",
    "benchmarks",
    "docs",
    "tests",
)


def glob(
    include: list[str], exclude: list[str] = (), allow_empty: bool = False
) -> list[str]:
    """What Bazel's own gives, which has no files of hidden folders."""
    found = {
        path.relative_to(ROOT)
        for pattern in include
        for path in ROOT.glob(pattern + "/*" * pattern.endswith("**"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {
        path
        for path in found
        if not any(path.match(pattern) for pattern in exclude)
    }
    assert found or allow_empty, f"{include} match nothing"
    return sorted(path.as_posix() for path in found)


@pytest.fixture(scope="module")
def rules():
    """{kind of rule: [what each is given]}."""
    found = collections.defaultdict(list)

    def kind(name):
        return lambda *_, **given: found[name].append(given)

    names = ("package", "licenses", "exports_files", "test_suite")
    names += ("py_library", "py_binary", "py_test")
    text = (ROOT / "BUILD").read_text("utf-8")
    exec(text, {"glob": glob, **{name: kind(name) for name in names}})
    return found


def test_every_python_file_is_of_one_library(rules):
    counts = collections.Counter(
        path for rule in rules["py_library"] for path in rule.get("srcs", [])
    )
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if not any(part.startswith(".") for part in path.parts)
    }
    assert there == {*counts}
    assert [path for path, count in counts.items() if count > 1] == []


def test_every_script_is_a_binary_and_every_test_a_test(rules):
    scripts = {rule["main"] for rule in rules["py_binary"]}
    assert scripts == {
        path.relative_to(ROOT).as_posix()
        for folder in ("train", "eval", "reproduction", "benchmarks")
        for path in (ROOT / folder).glob("*.py")
        if '__name__ == "__main__"' in path.read_text("utf-8")
    }
    tests = {rule["srcs"][0] for rule in rules["py_test"]}
    assert tests == {*glob(["tests/**/*_test.py"])}


def test_names_are_there_and_different(rules):
    given = [each for kind in rules.values() for each in kind]
    names = [each["name"] for each in given if "name" in each]
    assert len(names) == len({*names})
    wanted = {name for each in given for name in each.get("deps", [])}
    assert wanted <= {f":{name}" for name in names}
    for each in given:
        for path in (*each.get("srcs", []), *each.get("data", [])):
            assert (ROOT / path).is_file(), path


def test_packages_are_in_the_order_of_their_imports(rules):
    libraries = {rule["name"]: rule for rule in rules["py_library"]}
    left = [":leaves"]
    for name in PACKAGES:
        assert libraries[name]["deps"] == left, name
        left = [*left, f":{name}"]
