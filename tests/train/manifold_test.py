"""GANs, projection, and training with latents, from the command line."""

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

import ijsat_tf as ij
from tests.commands import killed, run

DIGITS = [
    "--dataset=digits",
    "--augment=none",
    "--batch_size=16",
    "--precision=float32",
]
SHORT = ["--train_examples=64", "--epochs=1", "--drops="]
GAN = ["--latent_size=4", "--gan_width=4"]
NET = ["--model=small_cnn", "--width=4", "--attack_steps=2"]
PROJECT = [
    "--method=project",
    "--dataset=digits",
    "--train_examples=64",
    "--test_examples=24",
    "--projection_steps=2",
    "--batch_size=16",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for arguments in (
        [
            *[*DIGITS, *SHORT, *GAN, "--method=sngan"],
            *["--critic_steps=2", "--discriminator_width=4"],
        ],
        [*DIGITS, *SHORT, *NET, "--method=standard"],
        [*PROJECT, *made(folder)],
    ):
        method = [item for item in arguments if "--method=" in item][0]
        name = method.removeprefix("--method=")
        outcome = run("train", *arguments, f"--workdir={folder / name}")
        assert outcome.code == 0, outcome.output
    return folder


@pytest.fixture(scope="module")
def vaegan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vaegan")
    arguments = [*DIGITS, *SHORT, *GAN, "--method=vaegan"]
    outcome = run("train", *arguments, f"--workdir={folder}")
    assert outcome.code == 0, outcome.output
    return folder


def made(folder):
    """The GAN, and the classifier whose features tell images apart."""
    return [
        f"--gan={folder / 'sngan' / 'sngan.keras'}",
        f"--features={folder / 'standard' / 'classifier.keras'}",
    ]


@pytest.mark.variant
@pytest.mark.parametrize("name", ["sngan", "vaegan"])
def test_what_a_gan_leaves(name, runs, vaegan):
    folder = vaegan if name == "vaegan" else runs / name
    model = keras.saving.load_model(folder / f"{name}.keras")
    assert model.sample(3).shape == (3, 8, 8, 1)
    for file in ("samples.png", "log.csv"):
        assert (folder / file).stat().st_size > 100
    assert list((folder / "checkpoints").glob("*.weights.h5"))
    assert len((folder / "log.csv").read_text().splitlines()) == 2


@pytest.mark.variant
@pytest.mark.parametrize("name", ["sngan", "vaegan"])
def test_a_killed_gan_ends_as_the_uninterrupted_one(name, tmp_path):
    arguments = [*DIGITS, *SHORT, *GAN, f"--method={name}", "--epochs=3"]
    arguments += ["--critic_steps=2", "--discriminator_width=4"]
    folders = tmp_path / "whole", tmp_path / "halves"
    outcome = run("train", *arguments, f"--workdir={folders[0]}")
    assert outcome.code == 0, outcome.output
    again = [*arguments, f"--workdir={folders[1]}"]
    checkpoint = folders[1] / "checkpoints" / "step-000000001.weights.h5"
    killed(checkpoint, "train", *again, "--checkpoint_every=0")
    outcome = run("train", *again)
    assert outcome.code == 0, outcome.output
    weights = [
        keras.saving.load_model(folder / f"{name}.keras").get_weights()
        for folder in folders
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_set_is_read_without_our_code(runs):
    sets = tfds.load("om_digits", data_dir=runs / "project", split="train")
    (first, *_) = sets.take(1).as_numpy_iterator()
    assert first["image"].shape == (8, 8, 1) and first["latent"].shape == (4,)
    assert len(sets) == 64
    builder = tfds.builder_from_directory(runs / "project/om_digits/1.0.0")
    assert builder.info.metadata["distance"] == "PerceptualDistance"
    gan = keras.saving.load_model(runs / "sngan" / "sngan.keras")
    source = ij.data.load("om_digits", "train", runs / "project")
    made = gan.decode(source.latents)
    np.testing.assert_allclose(made, source.scaled(), atol=0.6 / 255)


@pytest.mark.variant
def test_a_killed_projection_ends_as_the_uninterrupted_one(runs, tmp_path):
    arguments = [*PROJECT, *made(runs), f"--workdir={tmp_path}"]
    killed(
        tmp_path / "om_digits.parts" / "train-00000016.npz", "train", *arguments
    )
    outcome = run("train", *arguments)
    assert outcome.code == 0, outcome.output
    assert "images are on disk" in outcome.output
    for split in ("train", "test", "test_projected"):
        one, other = (
            ij.data.load("om_digits", split, folder)
            for folder in (runs / "project", tmp_path)
        )
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.latents, other.latents)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "flags",
    [
        ["--method=at", "--attack=jsa"],
        ["--method=dmat", "--augment=crop_flip"],
        ["--method=ijsat", "--augment=crop_flip", "--robust_attack=om_pgd2"],
    ],
    ids=" ".join,
)
def test_training_and_attacks_with_the_latents_of_the_set(
    flags, runs, tmp_path
):
    given = [
        "--dataset=om_digits",
        f"--data_dir={runs / 'project'}",
        f"--gan={runs / 'sngan' / 'sngan.keras'}",
    ]
    outcome = run(
        "train",
        *[*DIGITS, *SHORT, *NET, *given, *flags],
        "--train_examples=48",
        "--held_out=16",
        "--robust_every=1",
        f"--workdir={tmp_path / 'run'}",
    )
    assert outcome.code == 0, outcome.output
    outcome = run(
        "eval",
        *given,
        f"--runs={tmp_path / 'run'}",
        "--attacks=om_pgd2,jsa2",
        f"--picture={tmp_path / 'jsa.png'}",
    )
    # The picture is of JSA-50, with the latents too.
    assert outcome.code == 0, outcome.output
    found = ij.evaluation.read(tmp_path / "run" / "records" / "last")
    assert [*found] == ["standard", "jsa2", "om_pgd2"]
    assert (found["om_pgd2"].budget["latent"] <= 0.02 + 1e-6).all()


@pytest.mark.variant
@pytest.mark.parametrize("method", ["on_manifold", "randomized_la"])
def test_a_vaegan_encodes_what_has_no_latents(method, vaegan, tmp_path):
    outcome = run(
        "train",
        *[*DIGITS, *SHORT, *NET, f"--method={method}"],
        f"--gan={vaegan / 'vaegan.keras'}",
        f"--workdir={tmp_path / 'run'}",
    )
    assert outcome.code == 0, outcome.output


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--method=dmat", "--gan={runs}/sngan/sngan.keras"], "no latents"),
        (["--method=on_manifold"], "needs a generator"),
        (["--method=adversarial_la"], "needs a generator"),
        (
            [
                "--method=dmat",
                "--gan={runs}/vaegan/vaegan.keras",
                "--flow={runs}/vaegan/vaegan.keras",
            ],
            "both name a generator",
        ),
        (["--method=project"], "needs --gan"),
        (["--method=project", "--gan={runs}/vaegan/none.keras"], "No GAN at"),
        (
            [
                "--method=project",
                "--gan={runs}/sngan/sngan.keras",
                "--features={runs}/standard/settings.cfg",
            ],
            "cannot be read as a classifier",
        ),
        (
            [
                "--method=project",
                "--gan={runs}/sngan/sngan.keras",
                "--image_size=16",
            ],
            "shape",
        ),
        (
            [
                "--method=dmat",
                "--gan={runs}/sngan/sngan.keras",
                "--dataset=om_digits",
                "--data_dir={runs}/project",
                "--image_size=16",
            ],
            "has no latents",
        ),
        (["--method=sngan", "--image_size=9"], "S = 4 * 2^n"),
        (["--method=sngan", "--held_out=8"], "for classifiers"),
        (["--method=advprop"], "BatchNorms"),
        (["--method=standard", "--drop_shares=a"], "must be numbers"),
    ],
)
def test_what_does_not_fit_is_one_line(flags, message, runs, tmp_path):
    flags = [flag.format(runs=runs) for flag in flags]
    folder = tmp_path / "run"
    result = run(
        "train", *[*DIGITS, *SHORT, *NET, *flags], f"--workdir={folder}"
    )
    assert message in result.error
    assert not folder.exists()
