"""eval/figures.py as a user runs it, on tiny networks that never trained."""

import keras
import matplotlib.image
import numpy as np
import pytest

import ijsat_tf as ij
from tests.commands import run

NAMES = (
    "samples curves pipeline joint_space_attack heat_maps projections levels "
    "interpolations flow_samples"
).split()
TINY = [
    "--flagfile=eval/configs/digits.cfg",
    "--images=3",
    "--steps=1",
    "--etas=0.1",
    "--attacks=pgd1",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, one of them without a curve, a flow and a GAN."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(("at", "bare")):
        keras.utils.set_random_seed(seed)
        classifier = ij.models.small_cnn(10, width=4, image_shape=(8, 8, 1))
        (folder / name).mkdir()
        classifier.save(folder / name / "classifier.keras")
    (folder / "at" / "curve.csv").write_text(
        "epoch,clean_accuracy,robust_accuracy\n1,0.5,0.2\n2,0.7,0.4\n"
    )
    flow = ij.flows.Glow((8, 8, 1), levels=1, steps=1, hidden=8, bins=17)
    flow.initialize(ij.data.load("digits", "train").take(64).scaled())
    flow.save(folder / "flow.keras")
    ij.generators.SNGAN(
        image_shape=(8, 8, 1), latent_size=2, width=4, discriminator_width=4
    ).save(folder / "sngan.keras")
    ij.models.small_cnn(9, width=4).save(folder / "nine.keras")
    ij.models.small_cnn(10, width=4, image_shape=(8, 8, 3)).save(
        folder / "colour.keras"
    )
    return folder


def _figures(*arguments):
    return run("eval/figures.py", *TINY, *arguments)


def _written(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def drawn(runs, tmp_path_factory):
    """All figures of one run."""
    folder = tmp_path_factory.mktemp("drawn") / "new"
    outcome = _figures(
        f"--runs={runs / 'at'}",
        f"--flow={runs / 'flow.keras'}",
        f"--gan={runs / 'sngan.keras'}",
        f"--output={folder}",
    )
    assert outcome.code == 0, outcome.output
    assert "left out" not in outcome.output
    return folder


def test_all_figures_in_both_formats(drawn):
    assert _written(drawn) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("pdf", "png")
    )
    for name in NAMES:
        picture = matplotlib.image.imread(drawn / f"{name}.png")[..., :3]
        assert picture.std() > 0.05
        pages = (drawn / f"{name}.pdf").read_bytes()
        assert pages.startswith(b"%PDF-") and pages.count(b"/Type /Page ") == 1
        assert b"CreationDate" not in pages and b"/Type3" not in pages


def test_a_row_for_each_kind_of_samples(drawn):
    """Five rows of three images, as large as each other."""
    height, width, _ = matplotlib.image.imread(drawn / "samples.png").shape
    assert 1.5 < height / width < 1.8
    height, width, _ = matplotlib.image.imread(drawn / "projections.png").shape
    assert 0.9 < height / width < 1.2


def test_numbers_of_the_paper_and_the_same_bytes_again(runs, drawn, tmp_path):
    """Of a classifier in a file, under a name of one's own."""
    outcome = _figures(
        f"--runs=at={runs / 'at' / 'classifier.keras'}",
        f"--flow={runs / 'flow.keras'}",
        f"--output={tmp_path}",
        "--figures=9,fig4,heat_maps",
    )
    assert outcome.code == 0, outcome.output
    names = ["heat_maps", "joint_space_attack"]
    assert _written(tmp_path) == [
        f"{name}.{kind}" for name in names for kind in ("pdf", "png")
    ]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (drawn / path.name).read_bytes()


def test_of_all_figures_those_are_drawn_whose_inputs_are_there(runs, tmp_path):
    """The on-manifold attack of the default needs a flow, too."""
    outcome = run(
        "eval/figures.py",
        *TINY[:-1],
        f"--runs={runs / 'bare'}",
        f"--output={tmp_path}",
        "--formats=png",
        "--image=2",
    )
    assert outcome.code == 0, outcome.output
    assert _written(tmp_path) == ["heat_maps.png"]
    for line in (
        "samples is left out: it needs --flow",
        f"curves is left out: there is no {runs / 'bare' / 'curve.csv'}",
        "projections is left out: it needs --gan",
        "heat_maps without jsa50: The attack jsa50 needs a flow",
    ):
        assert line in outcome.output


def test_samples_without_a_gan_say_so(runs, tmp_path):
    outcome = _figures(
        f"--runs={runs / 'at'}",
        f"--flow={runs / 'flow.keras'}",
        f"--output={tmp_path}",
        "--figures=samples",
        "--formats=svg",
    )
    assert outcome.code == 0, outcome.output
    assert "samples without OM-PGD (GAN), which needs --gan" in outcome.output
    text = (tmp_path / "samples.svg").read_text()
    for label in ("original", "PGD", "OM-PGD", "(flow)", "JSA", "2"):
        assert f"<!-- {label} -->" in text
    assert "GAN" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figures=fig11"], "or numbers of the paper, 1 to 10; received fi"),
        (["--figures=6"], "--figures=projections: it needs --gan"),
        (["--figures=curves", "--runs={runs}/bare"], "bare/curve.csv: train"),
        (["--figures=pipeline", "--flow="], "pipeline: it needs --flow"),
        (["--runs=", "--flow="], "No figure can be drawn"),
        (["--formats=png,gif"], "among png, pdf and svg; received 'gif'"),
        (["--formats="], "among png, pdf and svg; received ''"),
        (["--runs={runs}/nowhere"], "No classifier at {runs}/nowhere"),
        (["--runs={runs}/at,at={runs}/bare"], "two of at: write NAME=FOLDER"),
        (["--checkpoint=best"], "choose --checkpoint=last"),
        (["--flow={runs}/at/classifier.keras"], "cannot be read as a flow"),
        (["--gan={runs}/at/classifier.keras"], "cannot be read as a GAN"),
        (["--gan={runs}/sngan.keras", "--features={runs}/x"], "{runs}/x"),
        (["--runs={runs}/nine.keras"], "nine is for images (8, 8, 1) and 9"),
        (["--runs={runs}/flow.keras"], "holds a Glow, and no classifier"),
        (["--runs={runs}/colour.keras"], "is for images (8, 8, 3) and 10 cl"),
        (["--flow={runs}/flow.keras", "--image_size=16"], "--flow is for im"),
        (["--image=4"], "--image=4 must be one of the 3 images"),
        (["--images=1"], "--images"),
        (["--attacks=pgd,magic"], "Unknown attack"),
        (["--etas=0.1,-1"], "radius"),
        (["--etas=little"], "--etas must be numbers"),
        (["--levels=2"], "`levels` must be numbers from 1 to 1"),
        (["--dataset=none", "--data_dir={runs}"], "none"),
    ],
)
def test_bad_input(arguments, message, runs, tmp_path):
    """Whatever is wrong shows before a file is written."""
    outcome = _figures(
        f"--runs={runs / 'at'}",
        f"--flow={runs / 'flow.keras'}",
        f"--output={tmp_path / 'new'}",
        *(each.format(runs=runs) for each in arguments),
    )
    assert message.format(runs=runs) in outcome.error
    assert not list(tmp_path.iterdir())


def test_images_are_one_of_each_class_first(monkeypatch):
    monkeypatch.syspath_prepend("eval")
    import inputs

    labels = np.array([2, 0, 0, 1, 2, 0])
    order = [1, 3, 0, 2, 4, 5]
    for count in (2, 5, 9):
        found = inputs.one_of_each(labels, count)
        np.testing.assert_array_equal(found, order[:count])
