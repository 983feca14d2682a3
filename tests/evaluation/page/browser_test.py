"""The page in a browser: its script runs, sorts, and nothing is wider than a
phone."""

import json
import re
import shutil
import subprocess

import pytest

from ijsat_tf.evaluation import Run, to_html
from tests.evaluation.page.parsed import parse
from tests.evaluation.synthetic import row

BROWSER = next(
    filter(
        None,
        map(shutil.which, ("chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)
pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
SEEN = "standard pgd20 autoattack elastic jpeg l2".split()
# Clicks as a user does, and leaves in the title what is there to see.
STEPS = """
const rows = (table) => [...document.querySelectorAll(`#${table} tbody tr`)]
  .map((row) => row.cells[0].textContent.trim());
const header = (table, column) =>
  document.querySelectorAll(`#${table} thead th`)[column];
const seen = {};
function click(name, table, column) {
  header(table, column).querySelector("button").click();
  seen[name] = [header(table, column).ariaSort, rows(table)];
}
seen.printed = [header("records", 1).ariaSort, rows("records")];
click("upwards", "records", 1);
click("downwards", "records", 1);
click("again", "records", 1);
click("missing up", "records", 6);
click("missing down", "records", 6);
click("names", "records", 0);
seen.only = [...document.querySelectorAll("#records [aria-sort]")]
  .filter((each) => each.ariaSort !== "none").length;
click("differences", "table-5-1", 1);
click("differences down", "table-5-1", 1);
click("numbers in settings", "different", 1);
for (const part of document.querySelectorAll("details")) part.open = true;
seen.wide = document.documentElement.scrollWidth - innerWidth;
seen.scrolls = document.querySelector("#records").scrollWidth >
  document.querySelector("#records").clientWidth;
document.title = JSON.stringify(seen);
"""


def _browse(path, *flags):
    """The page after its scripts, and what the browser said."""
    ran = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu"]
        + [f"--user-data-dir={path.parent / 'browser'}", *flags]
        + ["--enable-logging=stderr", "--v=0", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return parse(ran.stdout), re.findall(r".*CONSOLE.*", ran.stderr)


@pytest.fixture(scope="module")
def runs():
    names = "at at_jsa ijsat 10 9".split()
    runs = [
        Run(
            name,
            row(SEEN, name, seed=seed),
            {"dataset": "cifar10", "epsilon": epsilon},
        )
        for seed, (name, epsilon) in enumerate(
            zip(names, ["0.5", "10", "9.5", "-1", "1e-3"])
        )
    ]
    del runs[0].records["l2"]
    return runs


def test_nothing_is_wrong_and_the_script_runs(runs, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(to_html(runs), encoding="utf-8")
    page, said = _browse(path)
    assert said == []
    heads = [head for part in page.all("thead") for head in part.all("th")]
    assert heads and {head.attributes["aria-sort"] for head in heads} == {
        "none"
    }


def test_sorting_at_a_phone_s_width(runs, tmp_path):
    text = to_html(runs)
    # The page itself lets no other script run.
    text, count = re.subn(r"<meta http-equiv=[^>]*>", "", text)
    assert count == 1
    inner = tmp_path / "page.html"
    inner.write_text(
        text.replace("</body>", f"<script>{STEPS}</script></body>"),
        encoding="utf-8",
    )
    # Chromium's own windows are no narrower than 500 pixels.
    path = tmp_path / "phone.html"
    path.write_text(
        "<!doctype html><html><head><title>-</title></head><body>"
        '<iframe src="page.html" width="400" height="800" onload="'
        'document.title = this.contentDocument.title"></iframe></body></html>'
    )
    page, said = _browse(path, "--allow-file-access-from-files")
    assert said == []
    seen = json.loads(next(page.all("title")).text)
    names = [run.name for run in runs]
    right = {
        column: {
            run.name: run.records[column].correct.sum()
            for run in runs
            if column in run.records
        }
        for column in ("standard", "l2")
    }
    upwards = sorted(names, key=right["standard"].get)
    downwards = sorted(names, key=right["standard"].get, reverse=True)
    assert seen["printed"] == ["none", names]
    assert seen["upwards"] == ["ascending", upwards]
    assert seen["downwards"] == ["descending", downwards]
    assert seen["again"] == ["none", names]
    there = sorted(right["l2"], key=right["l2"].get)
    assert seen["missing up"] == ["ascending", [*there, "at"]]
    there = sorted(right["l2"], key=right["l2"].get, reverse=True)
    assert seen["missing down"] == ["descending", [*there, "at"]]
    assert seen["names"][1] == ["9", "10", "at", "at_jsa", "ijsat"]
    assert seen["only"] == 1
    # Sections stay, and so do differences below their rows.
    pair = {
        "AT": right["standard"]["at"],
        "AT + JSA": right["standard"]["at_jsa"],
    }
    for name, reverse in (("differences", False), ("differences down", True)):
        found = seen[name][1]
        assert found[:2] == sorted(pair, key=pair.get, reverse=reverse)
        assert found[2::3] == ["Difference"] * 3
    assert seen["numbers in settings"][1] == [
        "10",
        "9",
        "at",
        "ijsat",
        "at_jsa",
    ]
    assert seen["wide"] <= 0 and seen["scrolls"]
