"""What a backup leaves on the disk, and what it makes of damage."""

import errno
import pathlib
import resource

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from ijsat_tf.training.callbacks import snapshots
from tests import tiny
from tests.conformance import catalogue

IMAGES = np.tile(tiny.random_images(), (4, 1, 1, 1))
LABELS = np.tile(np.arange(3), 8)


def make_model(net=None):
    model = catalogue.make_model(ij.training.methods.Standard(), net)
    model.run_eagerly = True  # Tracing takes most of a test's time.
    return model


def fit(model, backup, *callbacks, **settings):
    """Epochs of four steps."""
    return model.fit(
        IMAGES,
        LABELS,
        **{"batch_size": 6, "verbose": 0, "shuffle": False, **settings},
        callbacks=[backup, *callbacks],
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def both(*steps):
    """The names of checkpoints after so many steps."""
    return sorted(
        f"step-{step:09d}{ending}"
        for step in steps
        for ending in (".json", ".weights.h5")
    )


@pytest.fixture
def trained(tmp_path):
    """A checkpoint after each of two epochs."""
    model = make_model()
    fit(model, ij.training.Backup(tmp_path), epochs=2)
    assert names(tmp_path) == both(4, 8)
    return model


def test_restore(trained, tmp_path):
    other = make_model()
    assert ij.training.Backup(tmp_path).restore(other) == (2, 0)
    for one, two in (
        (trained.weights, other.weights),
        (trained.optimizer.variables, other.optimizer.variables),
    ):
        for mine, its in zip(one, two, strict=True):
            np.testing.assert_array_equal(mine.numpy(), its.numpy())
    assert names(tmp_path) == both(4, 8)


def test_nothing_saved(tmp_path):
    backup = ij.training.Backup(tmp_path / "checkpoints")
    assert backup.restore(make_model()) == (0, 0)
    assert not backup.folder.exists()


def test_the_last_are_kept(tmp_path):
    """With a minute of 0 each step is saved, and an epoch's last once."""
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: seen.append(names(tmp_path))
    )
    fit(make_model(), ij.training.Backup(tmp_path, 0, keep=2), look, epochs=2)
    assert seen[3] == both(2, 3)  # The epoch's end is not over.
    assert seen[4] == both(4, 5)
    assert names(tmp_path) == both(7, 8)


def test_every_few_minutes(tmp_path, monkeypatch):
    now = 0.0

    def tick(batch, logs):
        nonlocal now
        now += 70

    monkeypatch.setattr(
        ij.training.callbacks.backup.time, "monotonic", lambda: now
    )
    clock = keras.callbacks.LambdaCallback(on_train_batch_begin=tick)
    backup = ij.training.Backup(tmp_path, minutes=2, keep=9)
    fit(make_model(), backup, clock, epochs=2)
    assert names(tmp_path) == both(2, 4, 6, 8)


def test_what_killed_processes_left_goes(tmp_path):
    left = (".step-000000001.weights.h5", "step-000000002.json")
    for name in left:
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    fit(make_model(), ij.training.Backup(tmp_path))
    assert names(tmp_path) == ["notes.txt", *both(4)]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_facts(path):
    path.with_name(path.name.replace(".weights.h5", ".json")).unlink()


def change_facts(path):
    """As a flipped bit could."""
    facts = path.with_name(path.name.replace(".weights.h5", ".json"))
    text = facts.read_text()
    assert text.count('"epoch": ') == 1
    facts.write_text(text.replace('"epoch": ', '"epoch": 1'))


def other_settings(path):
    content = path.read_bytes()
    facts = snapshots.read(path) | {"settings": "other"}
    del facts["digest"]
    snapshots.write(path, lambda aside: aside.write_bytes(content), facts)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "truncated or changed"),
        (flip, "truncated or changed"),
        (lose_facts, "is missing"),
        (change_facts, "truncated or changed"),
        (other_settings, "other settings"),
    ],
)
def test_damage(spoil, reason, trained, tmp_path, capsys):
    first, last = sorted(tmp_path.glob("*.h5"))
    spoil(last)
    model, backup = make_model(), ij.training.Backup(tmp_path, keep=1)
    assert backup.restore(model) == (1, 0)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{last} cannot be used: ") and reason in line
    # What is saved next is never taken for older than the damaged one.
    fit(model, backup, initial_epoch=1, epochs=2, batch_size=8)
    assert names(tmp_path) == both(7)

    fit(make_model(), ij.training.Backup(tmp_path))
    for path in tmp_path.glob("*.h5"):
        spoil(path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="None of the checkpoints in .* move"):
        ij.training.Backup(tmp_path).restore(make_model())
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_another_model(trained, tmp_path, capsys):
    net = ij.models.small_cnn(3, width=4, image_shape=(8, 8, 2))
    with pytest.raises(ValueError, match="None of the checkpoints"):
        ij.training.Backup(tmp_path).restore(make_model(net))
    assert capsys.readouterr().out.count("it is of another model: ") == 2


def test_another_optimizer(trained, tmp_path):
    other = make_model()
    other.compile(optimizer="adam")
    with pytest.raises(ValueError, match="None of the checkpoints"):
        ij.training.Backup(tmp_path).restore(other)
    other = ij.training.AdversarialModel(
        other.classifier, ij.training.methods.Standard()
    )
    with pytest.raises(ValueError, match="must be compiled"):
        ij.training.Backup(tmp_path).restore(other)


def test_bad_settings(tmp_path):
    with pytest.raises(ValueError, match="`keep`"):
        ij.training.Backup(tmp_path, keep=0)
    with pytest.raises(ValueError, match="`minutes`"):
        ij.training.Backup(tmp_path, minutes=-1)


def test_a_full_disk(trained, tmp_path):
    """A file-size limit fails as a full disk does, for any user."""
    model, backup = make_model(), ij.training.Backup(tmp_path)
    backup.restore(model)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="cannot be written.* are whole"):
            fit(model, backup, initial_epoch=2, epochs=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == both(4, 8)
    assert ij.training.Backup(tmp_path).restore(make_model()) == (2, 0)


def test_a_disk_that_fails_in_the_middle(trained, tmp_path, monkeypatch):
    write = pathlib.Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    model, backup = make_model(), ij.training.Backup(tmp_path)
    backup.restore(model)
    monkeypatch.setattr(pathlib.Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left .* are whole"):
        fit(model, backup, initial_epoch=2, epochs=3)
    assert names(tmp_path) == both(4, 8)


def averaging(scaled):
    """A model whose `fit` ends with the averages of its weights."""
    model = make_model()
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, metrics=["accuracy"], run_eagerly=True)
    return model


def everything(model):
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]


@pytest.mark.variant
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("minutes", [15, 0])
def test_going_on_with_averages(tmp_path, minutes, scaled):
    whole = averaging(scaled)
    fit(whole, ij.training.Backup(tmp_path / "whole"), epochs=4)
    folder = tmp_path / "parts"
    fit(averaging(scaled), ij.training.Backup(folder, minutes), epochs=2)
    parts, backup = averaging(scaled), ij.training.Backup(folder, minutes)
    assert backup.restore(parts) == (2, 0)
    fit(parts, backup, initial_epoch=2, epochs=4)
    for one, other in zip(everything(whole), everything(parts), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.variant
def test_going_on_within_an_epoch_with_averages(tmp_path):
    whole = averaging(False)
    fit(whole, ij.training.Backup(tmp_path, minutes=0, keep=9), epochs=2)
    for path in tmp_path.iterdir():
        if path.name > "step-000000006":
            path.unlink()
    backup, parts = ij.training.Backup(tmp_path), averaging(False)
    assert backup.restore(parts) == (1, 1)
    rest = IMAGES[6:], LABELS[6:]
    parts.fit(
        *rest,
        batch_size=6,
        initial_epoch=1,
        epochs=2,
        steps_per_epoch=4,
        shuffle=False,
        verbose=0,
        callbacks=[backup],
    )
    for one, other in zip(everything(whole), everything(parts), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.variant
def test_averages_that_a_callback_swaps_in(tmp_path):
    """Which it does by sums, so that weights change by roundings."""

    def swapping():
        return keras.callbacks.SwapEMAWeights(swap_on_epoch=True)

    whole = averaging(False)
    fit(whole, ij.training.Backup(tmp_path / "a"), swapping(), epochs=4)
    for epochs in (1, 2):
        # The last epoch ends otherwise than those before.
        folder = tmp_path / f"b{epochs}"
        fit(averaging(False), ij.training.Backup(folder), swapping(), epochs=2)
        if epochs == 1:
            for path in folder.glob("step-000000008*"):
                path.unlink()
        parts, backup = averaging(False), ij.training.Backup(folder)
        assert backup.restore(parts) == (epochs, 0)
        fit(parts, backup, swapping(), initial_epoch=epochs, epochs=4)
        for one, other in zip(everything(whole), everything(parts)):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("eager", [True, False])
def test_a_loss_that_is_not_finite(eager, trained, tmp_path):
    model, backup = make_model(), ij.training.Backup(tmp_path, minutes=0)
    model.run_eagerly = eager
    backup.restore(model)
    kernel = model.trainable_weights[0]

    def spoil(batch, logs):
        if int(model.optimizer.iterations.numpy()) == 10:
            kernel.assign(np.nan * kernel)

    bad = keras.callbacks.LambdaCallback(on_train_batch_end=spoil)
    with pytest.raises(ValueError) as caught:
        fit(model, backup, bad, initial_epoch=2, epochs=3)
    message = str(caught.value)
    assert message.startswith("The loss is not finite; lower the learning rate")
    assert f"after step 10; the first such variable is {kernel.path}" in message
    assert names(tmp_path) == both(8, 9, 10)


def test_weights_that_are_not_finite(trained, tmp_path):
    """As after a gradient that is not, of a loss that is."""
    with tiny.two_replicas().scope():
        model = catalogue.make_model(ij.training.methods.Standard())
    backup = ij.training.Backup(tmp_path)
    backup.restore(model)
    momentum = model.optimizer.variables[-1]

    def spoil(batch, logs):
        if batch == 3:
            momentum.assign(np.inf * np.ones(momentum.shape))

    bad = keras.callbacks.LambdaCallback(on_train_batch_end=spoil)
    message = f"was not saved; .* after step 12; .* {momentum.path}"
    with pytest.raises(ValueError, match=message):
        fit(model, backup, bad, initial_epoch=2, epochs=3)
    assert names(tmp_path) == both(4, 8)


def test_a_stop_by_another_callback_stands(tmp_path):
    """In an epoch that is resumed, too."""
    backup = ij.training.Backup(tmp_path, 0)

    def stop(epoch, logs):
        backup.model.stop_training = True

    callback = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    fit(make_model(), backup, callback, epochs=9)
    assert names(tmp_path) == both(2, 3, 4)
    (tmp_path / "step-000000004.weights.h5").unlink()
    model = make_model()
    assert backup.restore(model) == (0, 3)
    fit(model, backup, callback, epochs=9)
    assert int(model.optimizer.iterations.numpy()) == 4


def test_an_unbuilt_classifier_is_restored(tmp_path, recwarn):
    def unbuilt():
        net = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
        return make_model(net)

    model, images = unbuilt(), tiny.random_images()
    backup = ij.training.Backup(tmp_path / "checkpoints")
    fit(model, backup)
    model.save(tmp_path / "model.keras")
    again = unbuilt()
    position = ij.training.Backup(tmp_path / "checkpoints").restore(again)
    assert position == backup.position
    np.testing.assert_array_equal(again(images), model(images))
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert not [w for w in recwarn if "not yet been built" in str(w.message)]
