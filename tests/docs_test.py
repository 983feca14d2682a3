"""The pages' code runs, and every public name is in the reference."""

import ast
import inspect
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import cells
import notebook
import pytest

import ijsat_tf as ij

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"


def public(package: types.ModuleType) -> Iterator[tuple[Any, str, Any]]:
    """(package, name, object) of all public names, packages' own included."""
    for name in package.__all__:
        found = getattr(package, name)
        yield package, name, found
        if isinstance(found, types.ModuleType) and hasattr(found, "__all__"):
            yield from public(found)


def told_below_its_assignment(package: types.ModuleType, name: str) -> bool:
    """Whether a string follows where the package assigns a constant."""
    folder = pathlib.Path(package.__file__).parent
    for path in folder.rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for statement, after in zip(body, body[1:]):
            targets = getattr(statement, "targets", None) or [
                getattr(statement, "target", None)
            ]
            if getattr(targets[0], "id", None) == name:
                return isinstance(after, ast.Expr)
    return False


def require_written(text: str, folder: pathlib.Path) -> None:
    """Fails unless the pictures and pages that a text shows are there."""
    for written in re.findall(r'(?:src|href)="(.+?)"', text):
        assert (folder.parent / written).stat().st_size > 1000


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.warns(UserWarning) as caught:
        names, text = cells.run(DOCS / "tutorial.md", folder)
    return (
        names,
        text,
        folder,
        [str(each.message) for each in caught if each.category is UserWarning],
    )


@pytest.mark.slow
def test_the_tutorial_runs_and_warns_of_what_it_shows(tutorial):
    _, text, folder, warnings = tutorial
    # Which images gradients leave to Square is the luck of the training; the
    # page says what one in a hundred means.
    lucky = "Square, which sees no gradients, lowered the robust accuracy by"
    # Python shows a warning once, pytest each of its traces.
    found = {each for each in warnings if not each.startswith(lucky)}
    assert any("logits" in each for each in found)
    assert any("has no gradient by its images" in each for each in found)
    assert len(found) == 2, found
    require_written(text, folder)
    assert text.count(":class: output") > 10


@pytest.mark.slow
def test_what_the_tutorial_says_of_its_numbers(tutorial):
    names, *_ = tutorial
    before, after, masked = (
        {column: record.correct.mean() for column, record in found.items()}
        for found in (names["before"], names["after"], names["masked"])
    )
    assert before["standard"] > 0.9 and after["standard"] > 0.9
    assert before["pgd20"] < before["fgsm"]
    assert all(after[name] > before[name] + 0.1 for name in names["attacks"])
    assert masked["square"] < masked["pgd20"] - 0.05
    assert 0.15 < names["whole"] <= 1
    alive = [each.sum() for each in names["verdict"].alive.values()]
    assert alive == sorted(alive, reverse=True)
    checks = ij.evaluation.record_checks(names["before"])
    checks += ij.evaluation.model_checks(
        names["classifier"], names["data"], names["ball"], names["flow"]
    )
    for check in (*checks, *names["checks"]):
        assert check.passed is not False, check
    assert "Runs of digits" in names["page"]
    assert "Table 1." not in names["page"]


@pytest.mark.slow
@pytest.mark.variant
@pytest.mark.parametrize("page", cells.PAGES[1:])
def test_the_code_of_a_page_runs(page, tmp_path):
    _, text = cells.run(DOCS / f"{page}.md", tmp_path)
    require_written(text, tmp_path)
    assert text.count(":class: output") > 1


def test_the_notebook_is_the_tutorial():
    assert notebook.NOTEBOOK.read_text("utf-8") == notebook.text(), (
        "python docs/notebook.py writes it"
    )


def test_the_notebook_is_one_of_format_4():
    found = json.loads(notebook.NOTEBOOK.read_text("utf-8"))
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 4)
    programs = []
    for cell in found["cells"]:
        assert all(isinstance(line, str) for line in cell["source"])
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert cell == {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": cell["source"],
            }
            programs.append(source)
        else:
            assert set(cell) == {"cell_type", "metadata", "source"}
            assert cell["cell_type"] == "markdown"
            assert "```python" not in source
    assert "\n%pip install" in programs[0]
    for program in programs[1:]:
        compile(program, "cell", "exec")


def test_cells_tell_the_line_of_the_file_and_what_they_print(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Text.\n\n```python\nx = 1\nprint(x)\n```\n\nMore.\n")
    names, text = cells.run(page, tmp_path)
    assert names["x"] == 1
    assert text == (
        "Text.\n\n```python\nx = 1\nprint(x)\n```\n"
        "\n```{code-block} text\n:class: output\n\n1\n```\n\nMore.\n"
    )
    page.write_text("Text.\n\n```python\nx = 1\nraise ValueError\n```\n")
    with pytest.raises(ValueError) as error:
        cells.run(page, tmp_path)
    assert error.traceback[-1].lineno + 1 == 5


@pytest.mark.parametrize(
    "package, name, found",
    [
        pytest.param(*each, id=f"{each[0].__name__}.{each[1]}")
        for each in public(ij)
    ],
)
def test_every_public_name_has_a_docstring(package, name, found):
    if isinstance(found, (type, types.ModuleType, types.FunctionType)):
        own = vars(found).get("__doc__") or getattr(found, "__doc__", None)
        assert inspect.cleandoc(own or "")
    else:
        assert told_below_its_assignment(package, name)


def test_the_reference_has_every_package():
    listed = re.findall(
        r"^ {3}ijsat_tf\.(\w+)$", (DOCS / "reference.md").read_text(), re.M
    )
    assert sorted(listed) == sorted(ij.__all__)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    for needed in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(
            needed, reason="pip install -r docs/requirements.txt brings it"
        )
    source = tmp_path_factory.mktemp("docs") / "source"
    shutil.copytree(DOCS, source)
    pages = source.with_name("html")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
        + ["-D", "run_cells=0", source, pages],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return pages


@pytest.mark.slow
def test_the_built_reference_has_every_public_name(built):
    for package, name, _ in public(ij):
        overview = (
            built / "reference.html"
            if package is ij
            else built / "reference" / f"{package.__name__}.html"
        )
        (where, anchor), *_ = re.findall(
            rf'href="([^"#]*)#([^"]*\b{name})" title="[\w.]+">',
            overview.read_text(encoding="utf-8"),
        )
        page = (overview.parent / where).read_text(encoding="utf-8")
        assert f'id="{anchor}"' in page


@pytest.mark.slow
def test_docstrings_are_not_taken_for_what_they_are_not(built):
    for path in (built / "reference").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        # Napoleon takes what stands before a colon for a type.
        assert not re.search(r">(Return type|Type)<", text), path.name
        assert "(*args, **kwargs)" not in text, path.name
        assert "Alias for field" not in text, path.name


def test_pages_are_listed_and_link_to_what_is_there():
    """What a build says too, where Sphinx is not installed."""
    listed = (DOCS / "index.md").read_text("utf-8").split("```")[1].split()
    pages = sorted(DOCS.glob("*.md"))
    assert {page.stem for page in pages} - {"index"} <= {*listed}
    for page in [
        ROOT / "README.md",
        *pages,
        *ROOT.glob("reproduction/**/*.md"),
    ]:
        links = re.findall(r"\]\(([\w./-]+)[)#]", page.read_text("utf-8"))
        lost = [link for link in links if not (page.parent / link).exists()]
        assert lost == [], page
