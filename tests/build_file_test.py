"""BUILD names every Python file once, and none that is not there."""

import ast
import collections
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]


def named() -> list[str]:
    """The Python files in BUILD's `srcs` and in its list TESTS."""
    found = []
    for node in ast.walk(ast.parse((ROOT / "BUILD").read_text("utf-8"))):
        sources = isinstance(node, ast.keyword) and node.arg == "srcs"
        tests = isinstance(node, ast.Assign) and node.targets[0].id == "TESTS"
        if sources or tests:
            found += [
                item.value
                for item in ast.walk(node.value)
                if isinstance(item, ast.Constant)
            ]
    return found


def present() -> set[str]:
    """The Python files of the library, the scripts, the docs and the tests."""
    paths = [
        path.relative_to(ROOT)
        for folder in (
            "ijsat_tf",
            "train",
            "eval",
            "reproduction",
            "benchmarks",
            "docs",
            "tests",
        )
        for path in (ROOT / folder).rglob("*.py")
    ]
    return {
        path.as_posix()
        for path in paths
        if not any(part.startswith(".") for part in path.parts)
    }


def lines(paths: set[str]) -> str:
    return "\n".join(f'"{path}",' for path in sorted(paths)) or "none"


def test_build_names_every_python_file():
    missing, superfluous = present() - {*named()}, {*named()} - present()
    assert not missing | superfluous, (
        f"BUILD lacks\n{lines(missing)}\n"
        f"and names, though not there,\n{lines(superfluous)}"
    )


def test_build_names_no_file_twice():
    counts = collections.Counter(named())
    assert [path for path, count in counts.items() if count > 1] == []


def test_sources_stand_under_the_library_of_their_package():
    for node in ast.walk(ast.parse((ROOT / "BUILD").read_text("utf-8"))):
        if not isinstance(node, ast.Call) or node.func.id != "py_library":
            continue
        fields = {field.arg: field.value for field in node.keywords}
        name = ast.literal_eval(fields["name"])
        package = ROOT / "ijsat_tf" / name
        if package.is_dir():
            for path in ast.literal_eval(fields["srcs"]):
                assert path.startswith(f"ijsat_tf/{name}/")
