"""A set of digits from the projection to the evaluation of what it trains."""

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

import ijsat_tf as ij
from ijsat_tf.generators import (
    Augmented,
    Projection,
    project_dataset,
    projected_parts,
)
from ijsat_tf.models import PerceptualDistance
from ijsat_tf.storage import fingerprints
from ijsat_tf.training import methods

pytest.importorskip("sklearn", reason="the digits are in scikit-learn")
pytest.importorskip(
    "importlib_resources", reason="TFDS needs it to write a data set"
)

TRAIN = ij.data.load("digits", "train").take(50)
TEST = ij.data.load("digits", "test").take(20)
BATCH = 16


class PrincipalComponents(keras.Model):
    """G(z) = mean + components z, clipped: a generator without training."""

    latent_shape = (12,)

    def __init__(self):
        super().__init__()
        images = ij.data.load("digits", "train").scaled().reshape(-1, 64)
        mean = images.mean(0)
        _, spread, axes = np.linalg.svd(images - mean, full_matrices=False)
        scales = spread[:12, None] / np.sqrt(len(images))
        self.network = keras.Sequential(
            [
                keras.layers.Input((12,)),
                keras.layers.Dense(64),
                keras.layers.ReLU(max_value=1.0),
                keras.layers.Reshape((8, 8, 1)),
            ]
        )
        self.network.set_weights([scales * axes[:12], mean])
        self.built = True

    def decode(self, latents):
        return self.network(latents, training=False)


@pytest.fixture(scope="module")
def projection():
    return Projection(PrincipalComponents(), steps=60, candidates=16)


def project(projection, folder, **settings):
    return project_dataset(
        "om_digits",
        TRAIN,
        TEST,
        projection,
        folder,
        batch_size=BATCH,
        **{"verbose": False, **settings},
    )


@pytest.fixture(scope="module")
def folder(projection, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    project(projection, folder)
    return folder


def loaded(folder):
    return {
        split: ij.data.load("om_digits", split, folder)
        for split in ("train", "test", "test_projected")
    }


def test_the_splits_are_what_they_are_said_to_be(folder, projection):
    assert not (folder / "om_digits.parts").exists()
    splits = loaded(folder)
    expected = projection(TRAIN.scaled())
    found = splits["train"]
    np.testing.assert_allclose(found.latents, expected.latents, atol=1e-4)
    np.testing.assert_allclose(
        found.scaled(), expected.images, atol=0.5 / 255 + 1e-4
    )
    np.testing.assert_array_equal(found.labels, TRAIN.labels)
    assert found.class_names == TRAIN.class_names
    natural, projected = splits["test"], splits["test_projected"]
    np.testing.assert_allclose(natural.scaled(), TEST.scaled(), atol=0.5 / 255)
    np.testing.assert_array_equal(natural.latents, projected.latents)
    made = projection.generator.decode(projected.latents)
    np.testing.assert_allclose(projected.scaled(), made, atol=0.5 / 255 + 1e-6)
    for source in (natural, projected):
        np.testing.assert_array_equal(source.labels, TEST.labels)
    # Projections lie nearer to their own images than to others.
    errors = np.abs(TEST.scaled()[:, None] - made[None]).mean((2, 3, 4))
    np.testing.assert_array_equal(errors.argmin(1), np.arange(len(made)))


def test_the_metadata_say_how_it_was_made(folder, projection):
    builder = tfds.builder("om_digits", data_dir=folder)
    facts = dict(builder.info.metadata)
    assert (facts["distance"], facts["steps"], facts["l1"]) == (
        "none",
        60,
        100.0,
    )
    assert facts["generator"] == "PrincipalComponents"
    networks = fingerprints.of_networks(projection.generator)
    assert facts["generator_fingerprint"] == networks
    objective = projection(TEST.scaled()).objective
    np.testing.assert_allclose(
        facts["mean_objective"]["test"], np.mean(objective), rtol=1e-4
    )
    assert "natural images, with the z" in builder.info.description


@pytest.mark.variant
def test_a_killed_run_goes_on(
    folder, projection, tmp_path, monkeypatch, capsys
):
    written, write = [], projected_parts.write

    def kill_at(limit):
        def counted(found, path):
            if len(written) == limit:
                raise KeyboardInterrupt
            write(found, path)
            written.append(path.name)

        monkeypatch.setattr(projected_parts, "write", counted)

    for limit in (2, 5):
        kill_at(limit)
        with pytest.raises(KeyboardInterrupt):
            project(projection, tmp_path)
        assert not (tmp_path / "om_digits").exists()
    kill_at(None)
    project(projection, tmp_path, verbose=True)
    assert "test: 16 of 20 images are on disk" in capsys.readouterr().out
    # 50 and 20 images in batches of 16, none of them twice.
    assert len(written) == len(set(written)) == 4 + 2
    for split, source in loaded(tmp_path).items():
        whole = loaded(folder)[split]
        np.testing.assert_array_equal(source.images, whole.images)
        np.testing.assert_array_equal(source.latents, whole.latents)
    kill_at(len(written))
    assert project(projection, tmp_path) == tmp_path / "om_digits"


def test_what_is_not_ours_is_left_alone(folder, projection, tmp_path):
    parts = tmp_path / "om_digits.parts"
    parts.mkdir()
    (parts / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="must be empty, or hold only parts"):
        project(projection, tmp_path)
    assert [path.name for path in tmp_path.rglob("*.*")] == [
        "om_digits.parts",
        "thesis.txt",
    ]
    other = Projection(projection.generator, steps=2)
    with pytest.raises(ValueError, match="om_digits holds something already"):
        project(other, folder)


def test_parts_of_another_projection_are_refused(projection, tmp_path):
    parts = tmp_path / "om_digits.parts"
    projected_parts.claim(parts, {"steps": 3, "seed": 0})
    projected_parts.claim(parts, {"steps": 4, "seed": 0})
    projected = projection(TEST.take(2).scaled())
    projected_parts.write(projected, parts / "test-00000000.npz")
    projected_parts.claim(parts, {"steps": 4, "seed": 0})
    with pytest.raises(ValueError, match=r"steps \(now 60, stored 4\)"):
        project(projection, tmp_path)
    projected_parts.delete(parts)
    assert not any(tmp_path.iterdir())


def test_images_of_another_shape_than_the_generator_s_are_refused(tmp_path):
    distance = PerceptualDistance(
        ij.models.small_cnn(2, width=4, image_shape=(8, 8, 1))
    )
    wide = np.zeros((2, 8, 9, 1), "uint8")
    source = TRAIN.take(2)._replace(images=wide)
    with pytest.raises(ValueError, match="8, 9, 1"):
        projection = Projection(PrincipalComponents(), distance)
        project_dataset("wide", source, source, projection, tmp_path)
    assert not any(tmp_path.rglob("*.npz"))


def test_a_damaged_part_is_named(tmp_path):
    path = tmp_path / "train-00000000.npz"
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="train-00000000.npz is damaged"):
        projected_parts.joined([path])


def test_training_and_evaluation_with_the_set_s_latents(folder, projection):
    splits, generator = loaded(folder), projection.generator
    pixels = ij.spaces.Linf(0.1, step=0.05)
    latent = ij.spaces.Linf(0.2, step=0.1)
    test = splits["test_projected"]
    on_manifold = ij.attacks.OnManifoldPGD(generator, latent, steps=2)
    augmented = Augmented(generator)
    runs = {
        None: methods.DMAT(ij.attacks.PGD(pixels, steps=2), on_manifold),
        "crop_flip": methods.IJSAT(
            ij.attacks.JointSpaceAttack(augmented, pixels, latent, steps=2),
            tau=1.0,
        ),
    }
    for augment, method in runs.items():
        classifier = ij.models.small_cnn(10, width=4, image_shape=(8, 8, 1))
        model = ij.training.AdversarialModel(classifier, method)
        model.compile(optimizer=ij.training.SGD(0.05))
        history = model.fit(
            ij.data.batches(splits["train"], 10, 0, augment=augment),
            steps_per_epoch=3,
            verbose=0,
            shuffle=False,
        )
        assert np.isfinite(history.history["loss"]).all()
    records = ij.evaluation.evaluate(
        classifier,
        (test.inputs(), test.labels),
        {"om_pgd": on_manifold},
        verbose=False,
    )
    # The search starts from the latents of the set, not from others.
    clean, attacked = records["standard"], records["om_pgd"]
    assert attacked.loss.mean() > clean.loss.mean()
    assert np.all(attacked.budget["latent"] <= 0.2 + 1e-6)
