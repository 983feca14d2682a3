"""reproduction/kept.py: one file per run."""

import numpy as np
import pytest

from tests.evaluation.synthetic import record, row


def kept_of(kept, **more):
    found = {
        ("all", "last"): row(["standard", "pgd20"], "a"),
        ("fixed", "best"): {
            "jsa50": record([True, False])._replace(
                budget={"latent": np.float32([0.25, 0.5])}
            )
        },
    }
    same = {
        "settings": "--method=at\n# flow, sha256=é\n",
        "log": "epoch,loss\n0,1.5\n",
        "curve": "",
        "records": found,
        "hours": {"train": 1.5, "evaluate": 0.25},
    }
    return kept.Kept(**{**same, **more})


def test_what_is_kept_is_read_again(imported, tmp_path):
    kept = imported("kept")
    before = kept_of(kept)
    kept.save(before, tmp_path / "at_0.005-0.npz")
    (name, after), *_ = kept.read(tmp_path).items()
    assert name == "at_0.005-0"
    assert after[:3] == before[:3] and after.hours == before.hours
    assert after.records.keys() == before.records.keys()
    for key, columns in before.records.items():
        assert after.records[key].keys() == columns.keys()
        for column, each in columns.items():
            np.testing.assert_equal(
                after.records[key][column]._asdict(), each._asdict()
            )


def test_the_same_content_gives_the_same_bytes(imported, tmp_path):
    kept = imported("kept")
    whole = kept_of(kept)
    turned = dict(reversed(whole.records.items()))
    kept.save(whole, tmp_path / "a.npz")
    kept.save(whole._replace(records=turned), tmp_path / "b.npz")
    content = (tmp_path / "a.npz").read_bytes()
    assert content == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "foreign", "other", "record"])
def test_a_damaged_file_is_refused_with_a_line(imported, damage, tmp_path):
    kept, path = imported("kept"), tmp_path / "at-0.npz"
    kept.save(kept_of(kept), path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "foreign":
        path.write_text("no archive")
    elif damage == "other":
        np.savez(path, x=np.zeros(3))
    else:
        with np.load(path) as arrays:
            few = {name: arrays[name] for name in arrays}
        del few["records/all/last/pgd20/margin"]
        np.savez(path, **few)
    with pytest.raises(ValueError) as error:
        kept.read(tmp_path)
    line = str(error.value)
    assert str(path) in line and "delete the file to repeat the run" in line
    assert "\n" not in line


@pytest.mark.parametrize("digits", [10, 4])
def test_shortened_records_keep_outcomes_and_budgets(imported, digits):
    numbers = np.float32([8 / 255, -1e-3, 3.14159, 0.0])
    full = record([True, False, True, True])._replace(
        margin=numbers, budget={"pixels": np.abs(numbers)}
    )
    short = imported("kept").shortened(full, digits)
    np.testing.assert_array_equal(short.correct, full.correct)
    np.testing.assert_allclose(short.margin, numbers, rtol=2.0**-digits)
    assert (np.abs(short.margin) <= np.abs(numbers)).all()
    assert (short.budget["pixels"] <= full.budget["pixels"]).all()
