"""reproduction/presets.py: networks of the study, with cards."""

import re

import keras
import numpy as np

from tests import tiny
from tests.commands import run
from tests.evaluation.synthetic import row


def test_a_network_and_its_card(imported, tmp_path):
    kept = imported("kept")
    found = {
        ("all", "last"): row(["standard", "pgd20"], "at", 300),
        ("fixed", "last"): row(["pgd20", "jsa50", "autoattack"], "at"),
    }
    for name in ("at-0", "standard-0"):
        hours = {"train": 1.0, "evaluate": 1.0}
        one = kept.Kept("--method=at\n", "", "", found, hours)
        kept.save(one, tmp_path / "records" / f"{name}.npz")
    classifier = tiny.make_classifier()
    (tmp_path / "runs" / "at-0").mkdir(parents=True)
    classifier.save(tmp_path / "runs" / "at-0" / "classifier.keras")
    places = [
        f"--root={tmp_path / 'runs'}",
        f"--output={tmp_path / 'records'}",
        f"--presets={tmp_path / 'presets'}",
    ]
    done = run("reproduction/presets.py", *places)
    assert done.code == 0, done.output
    # There are records of the other run, but there is no network.
    assert sorted(path.name for path in (tmp_path / "presets").iterdir()) == [
        "resnet18_cifar10_at_small.keras",
        "resnet18_cifar10_at_small.md",
    ]
    path = tmp_path / "presets" / "resnet18_cifar10_at_small.keras"
    images = tiny.random_images()
    np.testing.assert_allclose(
        keras.saving.load_model(path)(images), classifier(images), atol=1e-6
    )
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "cifar10_at.cfg" in card and "--seed=0" in card
    accuracy = 100 * found["all", "last"]["pgd20"].correct.mean()
    assert re.search(rf"\| {accuracy:.2f} +\|", card)
