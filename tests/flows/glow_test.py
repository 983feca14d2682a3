"""Glow against a numerical Jacobian, its inverse, and its promises."""

import math
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from tests import jacobian, tiny

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
LATENT_SHAPES = [(4, 4, 4), (2, 2, 16)]
DIMS = math.prod(tiny.SHAPE)


@pytest.fixture(scope="module")
def exact(flow):
    """The same flow in float64."""
    return flow.with_dtype("float64")


@pytest.fixture(scope="module")
def raw_flow():
    """A flow that was never initialised."""
    return ij.flows.Glow(tiny.SHAPE, levels=2, steps=1, hidden=8)


@pytest.fixture(scope="module")
def compiled(flow):
    compiled = flow.with_dtype("float32")
    # With a rate of 1, a step is the clipped gradient.
    compiled.compile(optimizer=keras.optimizers.SGD(1.0))
    compiled.gradient_clip = 0.01
    return compiled


@pytest.fixture
def copy(compiled, flow):
    """A flow to fit, with the weights of `flow`."""
    compiled.set_weights(flow.get_weights())
    return compiled


def _latents(count=3, seed=0, dtype="float64"):
    draws = np.random.default_rng(seed)
    return [
        draws.normal(size=(count, *shape)).astype(dtype)
        for shape in LATENT_SHAPES
    ]


def _flat(latents):
    return np.concatenate(
        [np.reshape(latent, (len(latent), -1)) for latent in latents], axis=1
    )


def test_log_prob_is_the_density_under_a_change_of_variables(exact):
    images = tiny.random_images(2).astype("float64")
    latents = _flat(exact.encode(images, standardized=True))
    normal = -(latents**2 + math.log(2 * math.pi)).sum(1) / 2
    numerical = jacobian.log_abs_det(
        lambda points: exact.encode(points, standardized=True), images
    )
    np.testing.assert_allclose(
        exact.log_prob(images), normal + numerical, rtol=1e-6
    )


def test_the_log_determinant_of_the_bijector_is_that_of_its_jacobian(exact):
    images = tiny.random_images(2).astype("float64")
    numerical = jacobian.log_abs_det(exact.encode, images)
    np.testing.assert_allclose(
        exact.bijector.inverse_log_det_jacobian(images), numerical, rtol=1e-6
    )
    np.testing.assert_allclose(
        exact.bijector.forward_log_det_jacobian(exact.encode(images)),
        -numerical,
        rtol=1e-6,
    )


def test_a_call_is_log_prob(flow, images):
    np.testing.assert_array_equal(flow(images), flow.log_prob(images))
    assert flow.log_prob(images).shape == (6,)


def test_latents_have_one_shape_a_level(flow, images):
    shapes = [tuple(latent.shape) for latent in flow.encode(images)]
    assert shapes == [(6, *shape) for shape in LATENT_SHAPES]
    assert flow.latent_shapes == LATENT_SHAPES


@pytest.mark.parametrize("standardized", [False, True])
@pytest.mark.parametrize(
    "dtype, error", [("float32", 1e-5), ("float64", 1e-12)]
)
def test_decode_inverts_encode(flow, exact, dtype, error, standardized):
    network = {"float32": flow, "float64": exact}[dtype]
    black_and_white = np.stack([np.zeros(tiny.SHAPE), np.ones(tiny.SHAPE)])
    images = np.concatenate([tiny.random_images(), black_and_white])
    images = images.astype(dtype)
    latents = network.encode(images, standardized)
    assert {latent.dtype.name for latent in latents} == {dtype}
    np.testing.assert_allclose(
        network.decode(latents, standardized), images, atol=error
    )
    # A fresh bijector: TFP remembers the inverse of what it was given.
    np.testing.assert_allclose(
        network.multiscale(standardized).forward(latents), images, atol=error
    )
    np.testing.assert_allclose(
        _flat(network.multiscale(standardized).inverse(images)),
        _flat(latents),
        atol=10 * error,
    )


def test_encode_inverts_decode(exact):
    for standardized in (False, True):
        latents = _latents()
        again = exact.encode(exact.decode(latents, standardized), standardized)
        np.testing.assert_allclose(_flat(again), _flat(latents), atol=1e-11)


def test_float64_and_float32_agree(flow, exact, images):
    np.testing.assert_allclose(
        flow.log_prob(images), exact.log_prob(images), rtol=1e-4
    )
    np.testing.assert_allclose(
        _flat(flow.encode(images)), _flat(exact.encode(images)), atol=1e-4
    )


def test_mixed_bfloat16_is_near_and_keeps_float32_weights(flow, images):
    mixed = flow.with_dtype("mixed_bfloat16")
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    latents = mixed.encode(images)
    assert {latent.dtype for latent in latents} == {tf.float32}
    np.testing.assert_allclose(
        _flat(latents), _flat(flow.encode(images)), atol=0.05
    )
    bits = (mixed.log_prob(images) - flow.log_prob(images)) / DIMS / math.log(2)
    np.testing.assert_allclose(bits, 0, atol=0.01)
    black_and_white = np.stack([np.zeros(tiny.SHAPE), np.ones(tiny.SHAPE)])
    images = np.concatenate([images, black_and_white])
    again = mixed.decode(mixed.encode(images))
    np.testing.assert_allclose(again, images, atol=1e-2)


def test_with_dtype_copies_the_weights(flow, exact):
    assert {weight.dtype for weight in exact.weights} == {"float64"}
    for ours, theirs in zip(flow.get_weights(), exact.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    assert exact.variable_dtype == "float64"
    assert flow.variable_dtype == "float32"


def test_a_flow_starts_affine():
    fresh = tiny.make_flow("float64", perturbed=False)
    first, second, third = (_latents(seed=seed) for seed in range(3))
    moved = [a + b - c for a, b, c in zip(first, second, third)]
    np.testing.assert_allclose(
        fresh.decode(first) + fresh.decode(second) - fresh.decode(third),
        fresh.decode(moved),
        atol=1e-12,
    )


def test_initialize_gives_latents_of_about_unit_scale():
    images = tiny.random_images(64)
    fresh = tiny.make_flow(perturbed=False, steps=2)
    for latent in fresh.encode(images):
        assert abs(np.mean(latent)) < 0.1
        assert 0.7 < np.std(latent) < 1.3


@pytest.mark.parametrize("seed", [0, 5])
def test_bits_per_dim_are_those_of_the_dequantized_images(flow, images, seed):
    noisy = flow.dequantize(
        tf.constant(images), seeds.derive(seed, "dequantize")
    )
    noise = noisy - images
    # 1e-7: the images' own rounding.
    assert np.min(noise) > -1e-7 and np.max(noise) < 1 / 255 + 1e-7
    nats = flow.log_prob(noisy).numpy()
    np.testing.assert_allclose(
        flow.bits_per_dim(images, seed),
        math.log2(255) - nats / (DIMS * math.log(2)),
        rtol=1e-5,
    )


def test_an_initialized_flow_costs_the_bits_of_a_gaussian():
    # Two levels with noise are uniform; a Gaussian of their variance takes
    # log2(sqrt(2 pi e / 12)) bits/dim more than the 1 that they have.
    levels = np.random.default_rng(0).integers(0, 2, (64, *tiny.SHAPE))
    images = levels.astype("float64")
    settings = {"levels": 1, "steps": 1, "hidden": 2, "dtype": "float64"}
    binary = ij.flows.Glow(tiny.SHAPE, bins=2, **settings)
    binary.initialize(images)
    expected = 1 + math.log2(math.sqrt(2 * math.pi * math.e / 12))
    np.testing.assert_allclose(
        np.mean(binary.bits_per_dim(images)), expected, atol=0.05
    )


def test_sample(flow):
    draws = flow.sample(5, seed=3)
    assert draws.shape == (5, *tiny.SHAPE) and np.isfinite(draws).all()
    np.testing.assert_array_equal(flow.sample(5, seed=3), draws)
    assert not np.allclose(flow.sample(5, seed=4), draws)
    assert not np.allclose(draws[0], draws[1])


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_samples_have_normal_latents(exact, temperature):
    images = exact.sample(40, temperature)
    # Not through `encode`, which refuses samples far outside of [0, 1].
    for latent in exact.multiscale(standardized=True).inverse(images):
        np.testing.assert_allclose(np.mean(latent), 0, atol=0.08)
        np.testing.assert_allclose(np.std(latent), temperature, rtol=0.08)


def test_temperature_0_gives_the_mode(flow):
    images = flow.sample(2, temperature=0.0)
    zeros = [np.zeros((2, *shape), "float32") for shape in LATENT_SHAPES]
    np.testing.assert_array_equal(images, flow.decode(zeros, standardized=True))


def test_gradients_reach_every_weight(flow, images):
    with tf.GradientTape() as tape:
        nats = tf.reduce_sum(flow.log_prob(images))
    gradients = tape.gradient(nats, flow.trainable_variables)
    for weight, gradient in zip(flow.trainable_variables, gradients):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


def test_gradients_reach_the_images_and_the_latents(flow, images):
    images = tf.constant(images)
    latents = flow.encode(images)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([images, *latents])
        nats = flow.log_prob(images)
        again = flow.decode(latents)
    assert np.abs(tape.gradient(nats, images)).max() > 0
    for gradient in tape.gradient(again, latents):
        assert np.abs(gradient).max() > 0


def test_a_graph_computes_what_eager_calls_compute(flow, images):
    @tf.function(autograph=False)
    def both(images):
        return flow.log_prob(images), flow.decode(flow.encode(images))

    nats, again = both(tf.constant(images))
    np.testing.assert_allclose(nats, flow.log_prob(images), rtol=1e-5)
    np.testing.assert_allclose(again, images, atol=1e-5)


def test_settings_make_it_again_and_it_prints_them(flow):
    again = ij.flows.Glow.from_config(flow.get_config())
    assert again.get_config() == flow.get_config()
    assert (
        repr(again)
        == repr(flow)
        == (
            "Glow(image_shape=(8, 8, 2), levels=2, steps=1, hidden=8, bins=256)"
        )
    )


def test_a_saved_flow_is_the_same_flow(flow, images, tmp_path):
    flow.save(tmp_path / "flow.keras")
    read = keras.saving.load_model(tmp_path / "flow.keras")
    assert float(read.initialized) == 1.0
    assert repr(read) == repr(flow)
    np.testing.assert_array_equal(read.log_prob(images), flow.log_prob(images))


def test_a_flow_saved_before_priors_were_bounded_is_what_it_was(images):
    # Written by the version that had neither `deviations` nor `fitted_bits`.
    old = keras.saving.load_model(GOLDEN / "unbounded_flow.keras")
    assert old.deviations is None and old.fitted_bits_per_dim is None
    with np.load(GOLDEN / "unbounded_flow.npz") as expected:
        np.testing.assert_allclose(
            old.log_prob(images), expected["log_prob"], rtol=1e-5
        )
        for number, latent in enumerate(old.encode(images, True)):
            np.testing.assert_allclose(
                latent, expected[f"latent{number}"], atol=1e-4
            )


@pytest.mark.parametrize("standardized", [False, True])
def test_images_far_away_stay_finite_under_any_change(standardized):
    flow = tiny.make_flow()
    for level in flow.level_layers[:-1]:
        # A prior whose deviations would leave float32 by far.
        kernel = level.prior.kernel
        draws = np.random.default_rng(1).normal(size=kernel.shape)
        kernel.assign(1e3 * draws)
    noise = np.random.default_rng(0).integers(0, 2, (4, *tiny.SHAPE))
    latents = flow.encode(noise.astype("float32"), standardized)
    for sign in (-1, 1):
        moved = [latent + 0.02 * sign for latent in latents]
        assert np.isfinite(flow.decode(moved, standardized)).all()


@pytest.mark.parametrize(
    "bounds", [(0.0, 2.0), (1.0, 2.0), (0.1, 1.0), (0.1,), (0.1, math.inf)]
)
def test_bounds_that_do_not_enclose_1_are_refused(bounds):
    with pytest.raises(ValueError, match="`deviations`.*0 < low < 1 < high"):
        ij.flows.Glow(tiny.SHAPE, levels=2, deviations=bounds)


def test_a_flow_saved_without_initialisation_is_read_so(raw_flow, tmp_path):
    raw_flow.save(tmp_path / "flow.keras")
    read = keras.saving.load_model(tmp_path / "flow.keras")
    with pytest.raises(ValueError, match="not initialised"):
        read.sample(1)


@pytest.mark.parametrize(
    "use",
    [
        lambda flow, images: flow.encode(images),
        lambda flow, images: flow.decode(_latents()),
        lambda flow, images: flow.log_prob(images),
        lambda flow, images: flow.bits_per_dim(images),
        lambda flow, images: flow.sample(1),
        lambda flow, images: flow(images),
        lambda flow, images: flow.fit(images, verbose=0),
        lambda flow, images: flow.evaluate(images, verbose=0),
    ],
    ids="encode decode log_prob bits_per_dim sample call fit evaluate".split(),
)
def test_a_flow_must_be_initialised_before_use(raw_flow, images, use):
    raw_flow.compile(optimizer="sgd")
    with pytest.raises(ValueError, match=r"call `flow.initialize\(images\)`"):
        use(raw_flow, images)


def test_initialize_is_refused_inside_a_step(raw_flow, images):
    strategy = tiny.two_replicas()

    def initialize():
        raw_flow.initialize(images)

    for inside in (
        tf.function(initialize, autograph=False),
        lambda: strategy.run(initialize),
    ):
        with pytest.raises(ValueError, match="outside of a step"):
            inside()
    assert float(raw_flow.initialized) == 0.0


def test_initialize_is_allowed_in_the_scope_of_a_strategy(images):
    with tiny.two_replicas().scope():
        inside = tiny.make_flow(perturbed=False)
    outside = tiny.make_flow(perturbed=False)
    outside.set_weights(inside.get_weights())
    np.testing.assert_allclose(
        inside.log_prob(images), outside.log_prob(images), rtol=1e-5
    )


def test_fit_takes_steps_of_bounded_norm(copy, flow, images):
    copy.fit(images, np.arange(6), batch_size=6, verbose=0)
    moves = [
        np.sum((after.numpy() - before.numpy()).astype("float64") ** 2)
        for after, before in zip(copy.trainable_weights, flow.trainable_weights)
    ]
    np.testing.assert_allclose(math.sqrt(sum(moves)), 0.01, rtol=1e-3)


def test_evaluate_gives_the_mean_of_bits_per_dim(copy, images):
    expected = np.mean(copy.bits_per_dim(images, seed=copy.seed))
    bits = copy.evaluate(images, batch_size=6, verbose=0)
    np.testing.assert_allclose(bits, expected, rtol=1e-5)


def test_fit_improves_the_likelihood(copy, images):
    history = copy.fit(images, epochs=40, batch_size=6, verbose=0).history
    bits = history["bits_per_dim"]
    assert bits[-1] < bits[0] - 0.1


def test_fit_stops_where_weights_are_not_finite(copy, images):
    copy.level_layers[0].layers[0].shift.assign(np.full(8, np.nan))
    before = copy.get_weights()
    with pytest.raises(ValueError, match="level1/step1_actnorm is not finite"):
        copy.fit(images, batch_size=6, verbose=0)
    for after, weight in zip(copy.get_weights(), before):
        np.testing.assert_array_equal(after, weight)


IMAGES = tiny.random_images()
WRONG_IMAGES = {
    "size": IMAGES[:, :4],
    "channels": IMAGES[..., :1],
    "rank": IMAGES[0],
    "uint8": np.uint8(IMAGES * 255),
    "pixels": IMAGES * 255,
    "nan": IMAGES * np.nan,
}


@pytest.mark.parametrize("case", WRONG_IMAGES)
def test_wrong_images_are_refused(flow, raw_flow, case):
    for use in (flow.encode, flow.log_prob, raw_flow.initialize):
        with pytest.raises(ValueError, match="^`images` must .*Received: "):
            use(WRONG_IMAGES[case])
    assert float(raw_flow.initialized) == 0.0


@pytest.mark.parametrize("case", ["uint8", "pixels"])
def test_wrong_images_are_refused_by_fit(copy, case):
    with pytest.raises(ValueError, match="^`images` must .*Received: "):
        copy.fit(WRONG_IMAGES[case], verbose=0)


def test_wrong_latents_are_refused(flow):
    good = _latents(dtype="float32")
    for wrong in (good[:1], good[::-1], [*good, good[0]], good[0], good[1][0]):
        with pytest.raises(ValueError, match="^`latents` must .*Received: "):
            flow.decode(wrong)


@pytest.mark.parametrize(
    "name, settings",
    [
        ("image_shape", {"image_shape": (6, 8, 2), "levels": 2}),
        ("image_shape", {"image_shape": (8, 12, 2), "levels": 3}),
        ("image_shape", {"levels": 10**12}),
        ("image_shape", {"image_shape": (8, 8)}),
        ("image_shape", {"image_shape": (0, 8, 2)}),
        ("levels", {"levels": 0}),
        ("steps", {"steps": 0}),
        ("hidden", {"hidden": 0}),
        ("bins", {"bins": 1}),
        ("dtype", {"dtype": "float16"}),
        ("dtype", {"dtype": "mixed_float16"}),
        ("dtype", {"dtype": "bfloat16"}),
    ],
)
def test_wrong_settings_are_refused(name, settings):
    with pytest.raises(ValueError, match=f"^`{name}` .*Received: "):
        ij.flows.Glow(**{"image_shape": tiny.SHAPE, "levels": 2, **settings})


@pytest.mark.parametrize("use", ["initialize", "fit", "bits_per_dim"])
def test_images_of_another_scale_are_refused(use):
    """x / 127.5 - 1, the commonest slip, is in [-1, 1]."""
    other = tiny.random_images(4) * 2 - 1
    glow = tiny.make_flow()
    glow.compile(optimizer="sgd")
    if use == "initialize":
        glow = ij.flows.Glow(tiny.SHAPE, levels=2, steps=1, hidden=4)
    options = {"verbose": 0} if use == "fit" else {}
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        getattr(glow, use)(other, **options)


def test_a_second_initialisation_is_refused(images):
    glow = tiny.make_flow()
    before = glow.get_weights()
    with pytest.raises(ValueError, match="initialised already"):
        glow.initialize(images)
    for one, other in zip(before, glow.get_weights()):
        np.testing.assert_array_equal(one, other)
