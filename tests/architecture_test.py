"""Imports go from right to left along the way of the data, and nowhere else."""

import ast
import graphlib
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = (
    "data models flows generators spaces attacks training evaluation"
).split()
STUDY = [path.stem for path in (ROOT / "reproduction").glob("*.py")]
# Beside the packages: single modules, and two rooms.
LEAVES = (
    "types seeds checks losses mixup samples rows commandline runtime storage"
).split()


def dotted(path: pathlib.Path) -> set[str]:
    """All of our modules, and names in them, that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports from ijsat_tf"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {
            name
            for name in names
            if name.split(".")[0] in ("ijsat_tf", "train", "eval", *STUDY)
        }
    return found - {"ijsat_tf.__version__"}


def imported(path: pathlib.Path) -> set[str]:
    """The parts of ijsat_tf, and the scripts, that a file imports."""
    return {
        name.removeprefix("ijsat_tf.").split(".")[0] for name in dotted(path)
    }


def graph() -> dict[str, set[str]]:
    """Each part of ijsat_tf with the other parts that it imports."""
    edges: dict[str, set[str]] = {}
    library = ROOT / "ijsat_tf"
    for path in library.rglob("*.py"):
        part = path.relative_to(library).with_suffix("").parts[0]
        edges.setdefault(part, set()).update(imported(path) - {part})
    del edges["__init__"]
    return edges


def test_every_part_has_a_place_in_the_order():
    assert set(graph()) <= {*PACKAGES, *LEAVES}


def test_packages_import_from_their_left_and_from_leaves_only():
    for part, imports in graph().items():
        left = PACKAGES[: PACKAGES.index(part)] if part in PACKAGES else []
        wrong = imports - {*left, *LEAVES}
        assert not wrong, f"ijsat_tf.{part} must not import {sorted(wrong)}"


def test_leaves_import_each_other_without_a_cycle():
    library = ROOT / "ijsat_tf"
    leaves: dict[str, set[str]] = {}
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).with_suffix("").parts
        if parts[0] not in LEAVES or parts[-1] == "__init__":
            continue
        modules = leaves.setdefault(".".join(parts), set())
        for name in dotted(path):
            place = name.removeprefix("ijsat_tf.").split(".")
            size = 2 if place[0] in ("runtime", "storage") else 1
            modules.add(".".join(place[:size]))
    assert list(graphlib.TopologicalSorter(leaves).static_order())


def test_tests_mirror_the_library_path_by_path():
    library = ROOT / "ijsat_tf"
    for path in library.rglob("*.py"):
        place = path.relative_to(library)
        if path.name != "__init__.py":
            test = ROOT / "tests" / place.with_name(f"{path.stem}_test.py")
            assert test.exists(), f"{place} has no test of its own"


def test_importing_the_library_needs_no_private_module_of_keras():
    for path in (ROOT / "ijsat_tf").rglob("*.py"):
        # What a function imports is looked for when it is called.
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                assert not name.startswith("keras.src"), path
