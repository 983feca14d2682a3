"""What every attack keeps: its result's meaning, its inputs, its graph."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import PGD, Attack, as_logits
from ijsat_tf.attacks.attack import _attack
from ijsat_tf.spaces import L2, Joint, Latent, Linf, Pixels
from tests import tiny
from tests.conformance import catalogue

IMAGES = np.random.default_rng(0).random((6, *tiny.SHAPE), "float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])
ATTACK = PGD(Linf(0.1), steps=3)


@pytest.fixture(scope="module")
def model():
    return tiny.make_classifier()


def _log_chances(model, images):
    logits = np.asarray(model(images, training=False), "float64")
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def assert_same(first, second, atol=0.0):
    for one, other in zip(first[:3], second[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def test_success_and_loss_are_of_exactly_the_images(model):
    result = ATTACK(model, IMAGES, LABELS)
    logs = _log_chances(model, result.images)
    np.testing.assert_array_equal(result.success, logs.argmax(1) != LABELS)
    np.testing.assert_allclose(result.loss, -logs[range(6), LABELS], rtol=1e-5)
    assert np.min(result.images) >= 0 and np.max(result.images) <= 1
    assert result.images.dtype == result.loss.dtype == tf.float32


def test_clean_errors_count_as_success(model):
    classes = _log_chances(model, IMAGES).argmax(1)
    labels = np.where(np.arange(6) < 3, classes, (classes + 1) % 3)
    result = PGD(Linf(0))(model, IMAGES, labels)
    np.testing.assert_array_equal(result.success, [False] * 3 + [True] * 3)
    targeted = PGD(Linf(0), targeted=True)(model, IMAGES, labels)
    np.testing.assert_array_equal(targeted.success, ~result.success)


def test_soft_labels_give_the_soft_loss_and_the_heavier_class(model):
    soft = np.random.default_rng(1).dirichlet(np.ones(3), 6)
    result = ATTACK(model, IMAGES, soft)
    logs = _log_chances(model, result.images)
    np.testing.assert_allclose(result.loss, -(soft * logs).sum(1), rtol=1e-5)
    np.testing.assert_array_equal(
        result.success, logs.argmax(1) != soft.argmax(1)
    )


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.astype("uint8"),
        LABELS[:, None],
        list(LABELS),
        tf.constant(LABELS),
        np.eye(3)[LABELS],
        np.eye(3, dtype=LABELS.dtype)[LABELS],
        tf.one_hot(LABELS, 3),
    ],
)
def test_all_forms_of_labels_agree(model, labels):
    expected = ATTACK(model, IMAGES, LABELS)
    assert_same(ATTACK(model, IMAGES, labels), expected)


@pytest.mark.parametrize("cast", [tf.constant, np.float64, np.float16])
def test_all_forms_of_images_agree(model, cast):
    # Without a random start, whose draws depend on the type, and with grey
    # levels that float16 holds.
    attack = ij.attacks.FGSM(Linf(2**-4))
    levels = np.round(IMAGES * 256) / 256
    expected = attack(model, levels.astype("float32"), LABELS)
    assert_same(attack(model, cast(levels), LABELS), expected, atol=1e-3)


def test_the_start_belongs_to_the_seed(model):
    zero, again, other = (
        ATTACK(model, IMAGES, LABELS, seed=seed).images for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(zero, again)
    assert np.any(zero != other)
    for seed in (tf.constant(1), np.int64(1), tf.constant([1, 0])):
        found = ATTACK(model, IMAGES, LABELS, seed=seed).images
        np.testing.assert_array_equal(found, other)


def test_inside_a_graph_it_finds_the_same(model):
    @tf.function
    def step(images, labels, seed):
        return ATTACK(model, images, labels, seed=seed)

    expected = ATTACK(model, IMAGES, LABELS, seed=3)
    assert_same(step(IMAGES, LABELS, tf.constant(3)), expected, atol=1e-6)


def test_nothing_is_traced_again_for_new_seeds_images_and_equal_attacks(model):
    count = _attack.tracing_count
    first = PGD(Linf(0.11), steps=2)
    first(model, IMAGES, LABELS)
    before = count()
    for seed in range(3):
        first(model, np.roll(IMAGES, seed, 0), LABELS, seed=seed)
    PGD(Linf(0.11), steps=2)(model, IMAGES, np.roll(LABELS, 1))
    assert count() == before
    for rows in (5, 4, 3, 6):
        first(model, IMAGES[:rows], LABELS[:rows])
    assert count() == before


def test_an_attack_made_anew_for_each_call_is_traced_once(model):
    count = _attack.tracing_count
    before = count()
    for _ in range(3):
        PGD(Linf(0.12), steps=9)(model, IMAGES, LABELS)
    assert count() == before + 1


def test_crafting_leaves_the_classifier_alone(model):
    model.layers[0].trainable = False
    weights = model.get_weights()
    flags = [weight.trainable for weight in model.weights]
    ATTACK(model, IMAGES, LABELS)
    assert flags == [weight.trainable for weight in model.weights]
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    model.layers[0].trainable = True


def test_no_gradient_flows_through_an_attack(model):
    @tf.function
    def slopes(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            result = ATTACK(model, images, LABELS)
            total = tf.reduce_sum(result.images) + tf.reduce_sum(result.loss)
        return tape.gradient(total, [images, *model.trainable_weights])

    assert all(slope is None for slope in slopes(tf.constant(IMAGES)))


WEIGHTS = np.random.default_rng(2).normal(size=(128, 3)).astype("float32") / 9


def linear(images):
    return tf.reshape(images, [-1, 128]) @ WEIGHTS


class Unbuilt(keras.Model):
    """Makes its layer when it is first called."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(
            3, kernel_initializer=lambda *_, **__: WEIGHTS
        )

    def call(self, images):
        return self.dense(keras.ops.reshape(images, (-1, 128)))


class Foreign:
    def logits(self, images):
        return linear(images)


@pytest.mark.parametrize(
    "make",
    [
        lambda: lambda images: linear(images),
        lambda: tf.function(linear),
        lambda: Foreign().logits,
        lambda: functools.partial(linear),
        lambda: Unbuilt(),
        lambda: keras.Sequential([keras.layers.Flatten(), Unbuilt().dense]),
        lambda: keras.Sequential(
            [
                keras.Input(tiny.SHAPE),
                keras.layers.Flatten(),
                Unbuilt().dense,
            ]
        ),
    ],
)
def test_any_callable_to_logits_is_a_model(make):
    expected = ATTACK(linear, IMAGES, LABELS)
    assert_same(ATTACK(make(), IMAGES, LABELS), expected, atol=1e-5)


def test_a_decorated_function_is_not_mistaken_for_the_one_inside():
    @functools.wraps(linear)
    def opposite(images):
        return -linear(images)

    plain = ATTACK(lambda images: -linear(images), IMAGES, LABELS)
    assert_same(ATTACK(opposite, IMAGES, LABELS), plain, atol=1e-5)


def test_outputs_like_probabilities_draw_a_warning():
    def chances(images):
        return tf.nn.softmax(linear(images))

    with pytest.warns(UserWarning, match="ijsat_tf.models.logits") as caught:
        ATTACK(chances, IMAGES, LABELS)
    # The line that is shown is the caller's.
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_logits_draw_no_warning():
    ATTACK(linear, IMAGES, LABELS)


def test_logits_come_in_float32_and_in_inference_mode(model):
    model.layers[1].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(
        as_logits(model)(IMAGES),
        model(IMAGES, training=False),
        rtol=1e-5,
        atol=1e-6,
    )
    half = as_logits(lambda images: tf.cast(linear(images), tf.bfloat16))
    assert half(IMAGES).dtype == tf.float32


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_a_single_logit_is_refused_and_made_two(activation):
    """Of one logit the largest is always that of class 0."""
    net = keras.Sequential(
        [
            keras.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation=activation),
        ]
    )
    images, labels = tiny.random_images(), np.zeros(6, "int32")
    kernel, bias = net.layers[-1].weights
    # Class 0 by a margin that a small change overcomes.
    bias.assign([-0.01 - np.max(np.reshape(images, (6, -1)) @ kernel)])
    attack = PGD(Linf(0.3), steps=2)
    for call in (net, lambda images: net(images)):
        with pytest.raises(ValueError, match=r"ijsat_tf.models.logits\(model"):
            attack(call, images, labels)
    two = ij.models.logits(net)
    assert not np.any(PGD(Linf(0.0), steps=1)(two, images, labels).success)
    result = attack(two, images, labels)
    score = np.reshape(result.images, (6, -1)) @ kernel + bias
    np.testing.assert_array_equal(result.success, score[:, 0] > 0)
    assert np.any(result.success)


@pytest.mark.parametrize("features", [lambda x: x, lambda x: x[:, 0, 0, 0]])
def test_a_model_must_give_logits(features):
    with pytest.raises(ValueError, match="`model` must map images to logits"):
        ATTACK(features, IMAGES, LABELS)


NAN = np.where(IMAGES > 0.9, np.nan, IMAGES)


@pytest.mark.parametrize(
    "images",
    [
        IMAGES + 0.5,
        IMAGES - 0.5,
        IMAGES * 255,
        (IMAGES * 255).astype("uint8"),
        np.ones((6, *tiny.SHAPE), int),
        NAN.astype("float32"),
        IMAGES[0],
        IMAGES[..., 0],
        IMAGES[None],
        IMAGES[..., :1],
        IMAGES[:, :4],
        IMAGES[:0],
        np.concatenate([IMAGES, IMAGES], 3),
    ],
)
def test_wrong_images_are_refused(model, images):
    with pytest.raises(ValueError, match="`images` must.*Received"):
        ATTACK(model, images, LABELS)


SOFT = np.full((6, 3), 1 / 3)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS + 1,
        LABELS - 1,
        LABELS[:5],
        LABELS + 0.5,
        np.zeros((6, 1, 1), int),
        np.int64(0),
        SOFT[:5],
        SOFT[:, :2],
        np.full((6, 4), 0.25),
        2 * SOFT,
        SOFT + [[0.5, 0, -0.5]],
        SOFT + np.nan,
    ],
)
def test_wrong_labels_are_refused(model, labels):
    with pytest.raises(ValueError, match="`labels`"):
        ATTACK(model, IMAGES, labels)


def test_wrong_labels_are_refused_inside_a_graph(model):
    step = tf.function(lambda labels: ATTACK(model, IMAGES, labels).images)
    step(LABELS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`labels` must"):
        step(LABELS + 1)


def _attacks(flow):
    ball = Linf(0.1, step=0.02)
    return [
        ij.attacks.FGSM(ball, targeted=True),
        PGD(L2(0.5), steps=7, restarts=2),
        ij.attacks.MomentumPGD(ball, steps=5, momentum=0.5),
        ij.attacks.OnManifoldPGD(flow, ball, levels=[1], standardized=True),
        ij.attacks.JointSpaceAttack(flow, ball, Linf(0.02), 50, levels=(2,)),
        ij.attacks.Ascent(Pixels(ball), momentum=1.0, random_start=False),
        ij.attacks.Ascent(Joint(Latent(flow, ball), ball), steps=3),
    ]


@pytest.mark.parametrize("number", range(7))
def test_an_attack_is_a_value(flow, number):
    attack, twin = _attacks(flow)[number], _attacks(flow)[number]
    assert attack == twin and hash(attack) == hash(twin)
    assert attack != PGD(L2(0.4), steps=7, restarts=2)
    assert attack.networks() == ([flow] if "Glow" in repr(attack) else [])
    config = keras.saving.serialize_keras_object(attack)
    again = keras.saving.deserialize_keras_object(config)
    assert repr(again) == repr(attack)
    names = {**vars(ij.attacks), **vars(ij.spaces), **vars(ij.flows)}
    assert repr(eval(repr(attack), names)) == repr(attack)


def test_an_attack_reads_as_the_call_that_makes_it(flow):
    joint = ij.attacks.JointSpaceAttack(flow, Linf(0.1), Linf(0.2), levels=[2])
    assert repr(joint) == (
        f"JointSpaceAttack({flow!r}, pixels=Linf(0.1), latent=Linf(0.2), "
        "levels=(2,))"
    )
    assert repr(PGD(Linf(0.1))) == "PGD(Linf(0.1))"


def test_an_attack_without_a_way_to_craft_says_so(classifier, images, labels):
    with pytest.raises(NotImplementedError, match="Attack must define `craft`"):
        Attack()(classifier, images, labels)
    with pytest.raises(ValueError, match="SpaceAttack must define `space`"):
        ij.attacks.SpaceAttack()


def test_what_craft_must_return(classifier, images, labels):
    class Bare(Attack):
        def craft(self, logits_of, images, *_):
            return images

    with pytest.raises(ValueError, match="of Bare must return an AttackResult"):
        Bare()(classifier, images, labels)


def test_latents_of_another_length(flow, images, labels, classifier):
    latents = flow.encode(images[:4])
    attack = ij.attacks.OnManifoldPGD(flow, Linf(0.1), steps=1)
    with pytest.raises(ValueError, match="`latents` must have one entry"):
        attack(classifier, images, labels, latents=latents)


@pytest.mark.parametrize("name", ["PGD, restarts", "JointSpaceAttack"])
def test_the_images_alone_are_those_of_a_call(
    name, flow, images, labels, classifier
):
    attack = catalogue.ATTACKS[name](flow)
    found = attack.adversarial(classifier, images, labels, seed=2)
    whole = attack(classifier, images, labels, seed=2)
    np.testing.assert_allclose(found, whole.images, atol=1e-6)
