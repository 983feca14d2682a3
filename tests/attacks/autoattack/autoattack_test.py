"""AutoAttack: who survives which stage, resuming, and its warnings."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import attacks, seeds
from ijsat_tf.attacks import APGD, AutoAttack
from ijsat_tf.attacks.autoattack import stage, versions
from ijsat_tf.spaces import L2, Linf
from tests import tiny

BALL = Linf(0.05)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Stages of few steps: what they find is tested elsewhere."""
    for name, loss in [("apgd-ce", "ce"), ("apgd-t", "targeted")]:
        monkeypatch.setitem(
            versions._STAGES,
            name,
            lambda ball, restarts, samples, loss=loss: APGD(
                ball, loss, steps=4, targets=2
            ),
        )


def auto(ball=BALL, names=("apgd-ce", "apgd-t"), **settings):
    return AutoAttack(ball, "custom", names, **settings)


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(5)
    wide = keras.initializers.RandomNormal(stddev=0.8)
    return keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "tanh", kernel_initializer=wide),
            keras.layers.Dense(5, kernel_initializer=wide),
        ]
    )


@pytest.fixture(scope="module")
def data(net):
    images = tiny.random_images(22)
    labels = np.argmax(net(images), 1)
    labels[:3] = (labels[:3] + 1) % 5
    return images, labels


def test_each_stage_attacks_the_clean_images_of_those_left(net, data):
    images, labels = data
    attack = auto(batch_size=8)
    verdict = attack.run(net, *data, seed=1, verbose=False)
    alive = np.arange(22) > 2
    np.testing.assert_array_equal(verdict.alive["clean"], alive)
    expected = images.copy()
    for name in ("apgd-ce", "apgd-t"):
        stage = versions._STAGES[name](BALL, 1, 1)
        rows = np.flatnonzero(alive)
        for first in range(0, len(rows), 8):
            batch = rows[first : first + 8]
            draw = seeds.derive(seeds.derive(1), name)
            result = stage(
                net, images[batch], labels[batch], seeds.derive(draw, first)
            )
            fallen = batch[np.asarray(result.success)]
            alive[fallen] = False
            expected[fallen] = result.images[np.asarray(result.success)]
        np.testing.assert_array_equal(verdict.alive[name], alive)
    np.testing.assert_allclose(verdict.images, expected, atol=1e-5)
    np.testing.assert_array_equal(verdict.robust, alive)
    assert 0 < alive.sum() < verdict.alive["apgd-ce"].sum() < 19


@pytest.mark.parametrize("ball", [BALL, L2(0.4)])
def test_a_call_is_a_run(net, data, ball):
    images, labels = data
    attack = auto(ball, ("apgd-ce",), batch_size=8)
    result = attack(net, images, labels, seed=2)
    verdict = attack.run(net, images, labels, seed=2, verbose=False)
    np.testing.assert_array_equal(result.success, ~verdict.robust)
    np.testing.assert_array_equal(result.images, verdict.images)
    logits = net(result.images).numpy()
    np.testing.assert_array_equal(result.success, logits.argmax(1) != labels)
    loss = keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
    np.testing.assert_allclose(result.loss, loss, rtol=1e-4)
    change = np.reshape(result.images - images, (22, -1))
    order = np.inf if ball is BALL else 2
    used = np.linalg.norm(change, order, axis=1)
    np.testing.assert_allclose(result.budget["pixels"], used, rtol=1e-5)
    assert np.all(used <= ball.radius + 1e-6)
    found = np.asarray(result.success) & (np.arange(22) > 2)
    np.testing.assert_array_equal(used > 0, found)


def test_one_graph_a_stage_whatever_the_batch(net, data):
    stage._graph.cache_clear()
    traces = []

    def model(images):
        traces.append(images.shape)
        return net(images, training=False)

    auto(names=("apgd-ce",), batch_size=8).run(model, *data, verbose=False)
    count = len(traces)
    images, labels = data
    auto(names=("apgd-ce",), batch_size=8).run(
        model, images[:13], labels[:13], verbose=False
    )
    # Eager looks at the first images, before any graph: four.
    eager = sum(shape[0] is not None for shape in traces[count:])
    assert len(traces) - count == eager <= 4


class Interrupted(Exception):
    pass


@pytest.mark.sampled
@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_resume_equals_uninterrupted(net, data, tmp_path, monkeypatch, calls):
    attack = auto(batch_size=8)
    whole = attack.run(net, *data, seed=4, verbose=False)
    monkeypatch.setattr(stage, "_SECONDS", -1)
    real, left = stage._call, [calls]

    def broken(attack, *args):
        if attack is not None:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted
        return real(attack, *args)

    path = tmp_path / "deep" / "state.npz"
    monkeypatch.setattr(stage, "_call", broken)
    with pytest.raises(Interrupted):
        attack.run(net, *data, seed=4, state=path, verbose=False)
    done = []
    monkeypatch.setattr(
        stage, "_call", lambda *args: done.append(args[0]) or real(*args)
    )
    resumed = attack.run(net, *data, seed=4, state=path, verbose=False)
    for name, alive in whole.alive.items():
        np.testing.assert_array_equal(resumed.alive[name], alive)
    np.testing.assert_array_equal(resumed.images, whole.images)
    np.testing.assert_array_equal(resumed.loss, whole.loss)
    attacked = [attack for attack in done if attack is not None]
    again = attack.run(net, *data, seed=4, state=path, verbose=False)
    np.testing.assert_array_equal(again.images, whole.images)
    # A finished state is read, not attacked again.
    assert [each for each in done if each is not None] == attacked


def test_the_state_of_another_run_is_refused(net, data, tmp_path):
    images, labels = data
    path = tmp_path / "state.npz"
    attack = auto(names=("apgd-ce",))
    attack.run(net, images, labels, state=path, verbose=False)
    before = path.read_bytes()
    other = keras.models.clone_model(net)
    runs = {
        "model": lambda: attack.run(other, images, labels, 0, path, False),
        "data": lambda: attack.run(net, images[1:], labels[1:], 0, path, False),
        "seed": lambda: attack.run(net, images, labels, 1, path, False),
        "attack": lambda: auto(L2(0.1), ("apgd-ce",)).run(
            net, images, labels, 0, path, False
        ),
    }
    for name, run in runs.items():
        with pytest.raises(ValueError, match=rf"differs in {name} \(now"):
            run()
    assert path.read_bytes() == before


def test_a_broken_state_is_refused(net, data, tmp_path):
    path = tmp_path / "state.npz"
    attack = auto(names=("apgd-ce",))
    attack.run(net, *data, state=path, verbose=False)
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"no state"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="cannot be read as a state"):
            attack.run(net, *data, state=path, verbose=False)
    np.savez(path, settings="[1]", fell=0, progress=0, adversarial=0)
    with pytest.raises(ValueError, match="cannot be read as a state"):
        attack.run(net, *data, state=path, verbose=False)


def test_progress_shows_the_survivors(net, data, capsys):
    verdict = auto(names=("apgd-ce",)).run(net, *data)
    shown = capsys.readouterr().out
    assert "19/19" in shown and "robust: " in shown
    assert f"{verdict.robust.sum()}.0" in shown


def test_a_graph_is_refused(net, data):
    images, labels = data

    @tf.function
    def graph(batch):
        return auto()(net, batch, labels).images

    with pytest.raises(ValueError, match="called outside.*APGD"):
        graph(tf.constant(images))


def test_soft_labels_are_refused(net, data):
    soft = np.full((22, 5), 0.2, "float32")
    with pytest.raises(ValueError, match="AutoAttack needs hard labels"):
        auto()(net, data[0], soft)


def test_labels_may_be_one_hot(net, data):
    images, labels = data
    hot = np.eye(5, dtype="float32")[labels]
    one = auto(names=("apgd-ce",))(net, images, labels)
    other = auto(names=("apgd-ce",))(net, images, hot)
    np.testing.assert_array_equal(one.images, other.images)


def test_too_few_classes(images):
    net = tiny.make_classifier(2)
    labels = np.argmax(net(images), 1)
    with pytest.warns(UserWarning, match="apgd-t is left out.*4 classes"):
        verdict = auto().run(net, images, labels, verbose=False)
    assert list(verdict.alive) == ["clean", "apgd-ce"]


def test_nothing_right_means_nothing_to_attack(net, data):
    images, labels = data
    wrong = (labels + 1) % 5
    verdict = auto().run(net, images[3:], wrong[3:], verbose=False)
    assert not verdict.robust.any()
    np.testing.assert_array_equal(verdict.images, images[3:])


def test_randomized_models(net, data):
    images, labels = data

    def noisy(batch):
        return net(batch + tf.random.normal(tf.shape(batch), stddev=0.02))

    with pytest.warns(UserWarning, match="seems to be randomised.*'rand'"):
        auto(names=("apgd-ce",))(noisy, images, labels)
    attack = AutoAttack(BALL, "rand")
    assert [each.gradient_samples for each in attack.stages.values()][1] == 20


def test_a_softmax_inside_that_saturates(net, data):
    images, labels = data

    def model(batch):
        return tf.nn.softmax(200 * net(batch))

    with pytest.warns() as caught:
        auto(names=("apgd-ce",))(model, images, labels)
    told = " ".join(str(each.message) for each in caught)
    assert "gradient of the cross entropy is zero at" in told
    assert "look like probabilities" in told
    assert {each.filename for each in caught} == {__file__}


def test_outputs_that_are_not_finite(net, data):
    images, labels = data

    def model(batch):
        dark = tf.reduce_mean(batch, [1, 2, 3]) < np.mean(images[:11])
        return tf.where(dark[:, None], np.nan, net(batch))

    broken = ~np.isfinite(model(images).numpy()).all(1)
    assert 0 < broken.sum() < 22
    with pytest.warns(UserWarning, match="not finite at .* of 22 images"):
        verdict = auto(Linf(1e-4), ("apgd-ce",)).run(
            model, images, labels, verbose=False
        )
    assert not verdict.robust[broken].any()
    assert verdict.alive["clean"].any()


@attacks.attack.value
class Corner(attacks.Attack):
    """Stands for Square: it needs no gradient here."""

    step: float = 0.05

    def craft(self, logits_of, images, labels, seed, latents=None):
        return attacks.AttackResult(images + self.step, None, None, {}, None)


def test_square_that_finds_more_than_gradients(monkeypatch, data):
    monkeypatch.setitem(
        versions._STAGES, "square", lambda ball, *_: Corner(ball.radius)
    )

    def masked(batch):
        score = tf.reduce_mean(batch, [1, 2, 3]) - 0.5
        # Steps have a slope of zero, all but a tilt that leads elsewhere.
        hidden = 100 * tf.round(20 * score) - batch[:, 0, 0, 0]
        return tf.stack([1 - hidden, hidden - 1], axis=1)

    images = np.full((4, *tiny.SHAPE), 0.5, "float32")
    with pytest.warns(UserWarning, match="Square.*lowered.*100.0 points"):
        auto(names=("apgd-ce", "square"))(masked, images, [0, 0, 0, 0])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"version": "best"}, "`version` must be one of standard"),
        ({"version": "custom"}, "`attacks` must name the stages"),
        ({"attacks": ("apgd-ce",)}, "`attacks` must name the stages"),
        ({"version": "custom", "attacks": ("pgd",)}, "names among apgd-ce"),
        ({"version": "custom", "attacks": ()}, "names among apgd-ce"),
        (
            {"version": "custom", "attacks": ["apgd-ce"] * 2},
            "different names",
        ),
        ({"version": "rand", "batch_size": 0}, "`batch_size` must be"),
        ({"version": "rand", "ball": 0.1}, "`ball` of AutoAttack must be"),
    ],
)
def test_wrong_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError, match=message):
        AutoAttack(**{"ball": BALL, **settings})


@dataclasses.dataclass
class Scaled:
    """A callable that cannot be hashed."""

    model: keras.Model

    def __call__(self, images):
        return 2 * self.model(images)


def test_its_border_is_that_of_every_attack(net, data):
    images, labels = data
    few = attacks.AutoAttack(Linf(0.1), version="custom", attacks=["apgd-ce"])
    result = few(Scaled(net), images, labels)
    assert len(result.success) == len(images)
    with pytest.raises(ValueError, match="must hold at least one"):
        few(net, images[:0], labels[:0])
    wide = np.pad(images, [(0, 0), (0, 1), (0, 0), (0, 0)])
    with pytest.raises(ValueError, match=r"`images` must have shape \(B, "):
        few(net, wide, labels)


def test_a_run_of_a_randomised_function_goes_on(net, data, tmp_path):
    generator = tf.random.Generator.from_seed(1)

    def noisy(batch):
        logits = net(batch)
        return logits + generator.normal(tf.shape(logits), stddev=0.1)

    images, labels = data
    rand = attacks.AutoAttack(Linf(0.1), version="rand")
    state = tmp_path / "state.npz"
    first = rand.run(noisy, images, labels, state=state, verbose=False)
    again = rand.run(noisy, images, labels, state=state, verbose=False)
    np.testing.assert_array_equal(again.images, first.images)
