"""reproduction/pages.py: pages of what is kept."""

import pytest

from tests.evaluation.synthetic import row

FIXED = "standard pgd20 autoattack jsa50 om_pgd50 elastic jpeg l2".split()
CURVE = "epoch,clean_accuracy,robust_accuracy\n2,0.3,0.2\n4,0.5,0.25\n"


@pytest.fixture
def keep(imported, tmp_path):
    """Keeps a run as one of those of the core."""
    kept = imported("kept")

    def keep(name, seed=0, **records):
        found = {
            ("all", "last"): row(["standard", "pgd20"], name, 300, seed),
            ("fixed", "last"): row(FIXED, name, seed=seed),
            ("large", "last"): row(["jsa50", "om_pgd50"], name, seed=seed),
        }
        found |= {tuple(key.split("_")): each for key, each in records.items()}
        hours = {"train": 1.25, "evaluate": 0.5}
        run = kept.Kept("--method=at\n", "", CURVE, found, hours)
        kept.save(run, tmp_path / "records" / f"{name}.npz")

    return keep


@pytest.fixture
def write(imported, tmp_path):
    """Writes all pages, and reads them."""
    (tmp_path / "README.md").write_text(
        "Before.\n<!-- calibration --><!-- end of calibration -->\nAfter.\n"
    )

    def write():
        plan = imported("plan").plan("")
        imported("pages").write(tmp_path, plan)
        return {
            path.name: path.read_bytes()
            for path in sorted((tmp_path / "results").iterdir())
        }

    return write


def test_pages_of_nothing(write):
    pages = write()
    assert {*pages} == {
        *("all.md", "dose.md", "findings.md", "hours.md", "index.md"),
        "manifold.md",
    }
    assert "Nothing was run yet." in pages["dose.md"].decode()
    index = pages["index.md"].decode()
    assert index.startswith("Computed from `reproduction/records`")
    assert "- run (0 of " in index and "not tried" in index


def test_pages_of_some_runs(keep, write, tmp_path):
    best = row(["standard", "pgd20"], "another epoch", 300, seed=9)
    jsa = row(["standard", "jsa50"], "another epoch", seed=8)
    keep("at-0", 1, all_best=best, jsa_best=jsa)
    keep("ijsat-0", 2)
    keep("ijsat_0.005-0", 3)
    keep("ijsat-1", 4)
    keep("dmat-0", 5)
    pages = write()
    assert write() == pages
    assert {"table1.md", "table4_seed1.md", "table6.md", "curves.png"} <= {
        *pages
    }
    assert "table5_seed1.md" not in pages and "curves_long.png" not in pages
    index = pages["index.md"].decode()
    assert "- run (5 of " in index and "`ijsat_0.005-0`" in index
    assert "AutoAttack" in index and "(table1.md)" in index
    lines = {
        name: {
            cells[0]: cells[1:]
            for line in pages[name].decode().splitlines()[::-1]
            if (cells := [each.strip() for each in line.split("|")[1:-1]])
        }
        for name in ("all.md", "dose.md", "manifold.md", "hours.md")
    }
    # Best epochs: its own ones of at-0, the last one of ijsat-0.
    first, second = (lines["all.md"][f"`{name}-0`"] for name in ("at", "ijsat"))
    shown = [best["standard"], best["pgd20"], jsa["jsa50"]]
    assert first[3:6] == [f"{100 * one.correct.mean():.2f}" for one in shown]
    assert first[:3] != first[3:6] and second[:3] == second[3:6]
    assert {"AT", "IJSAT", "IJSAT, 0.005"} <= {*lines["dose.md"]}
    assert "DMAT" in lines["manifold.md"]
    assert lines["hours.md"]["**all**"] == ["6.25", "2.50", "8.75"]
    # DMAT has seen a fifth of the images.
    (line,) = [
        line
        for line in pages["table1.md"].decode().splitlines()
        if line.startswith("| DMAT")
    ]
    assert "not run" in line


def test_the_calibration_stands_in_the_protocol(
    imported, write, keep, tmp_path
):
    calibration, kept = imported("calibration"), imported("kept")
    names = ["standard", "pgd20"]
    for radius in calibration.RADII:
        names += [f"om_pgd50_{radius}", f"jsa50_{radius}"]
    records = row(names, "at-0", seed=1)
    found = {("calibration", "last"): records}
    path = tmp_path / "records" / calibration.FILE
    kept.save(kept.Kept("", "", "", found, {}), path)
    index = write()["index.md"].decode()
    assert "- run (0 of " in index
    text = (tmp_path / "README.md").read_text()
    assert calibration.to_markdown(records) in text
    assert text.startswith("Before.") and text.endswith("After.\n")
    write()
    assert (tmp_path / "README.md").read_text() == text
