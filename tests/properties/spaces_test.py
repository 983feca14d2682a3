"""Projections, starts and changes of spaces, for any change."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import seeds  # noqa: E402
from tests import tiny  # noqa: E402
from tests.conformance.catalogue import SPACES  # noqa: E402
from tests.properties import drawing  # noqa: E402

BALLS = st.builds(
    lambda kind, radius, step: kind(radius, step=step),
    st.sampled_from([ij.spaces.Linf, ij.spaces.L2, ij.spaces.L1]),
    st.sampled_from([0, 1e-30, 8 / 255, 0.5, 1e9]) | st.floats(0, 2),
    st.sampled_from([0, 1e-30, 0.1, 1e9]),
)


@st.composite
def changes(draw):
    """A change, a tensor or a list of two, of any size of numbers."""
    chance = np.random.default_rng(draw(drawing.seeds))
    count, scale = draw(st.integers(1, 4)), draw(st.sampled_from([0, 1e-9, 1]))
    shapes = draw(
        st.lists(
            st.sampled_from([(1,), (3, 2), (2, 2, 3)]), min_size=1, max_size=2
        )
    )
    parts = [
        tf.constant(scale * chance.normal(size=(count, *shape)), tf.float32)
        for shape in shapes
    ]
    return parts if len(parts) > 1 else parts[0]


def same(left, right, **tolerance):
    for one, other in zip(tf.nest.flatten(left), tf.nest.flatten(right)):
        np.testing.assert_allclose(one, other, **tolerance)


@drawing.quick
@given(BALLS, changes(), drawing.seeds)
def test_projections_starts_and_steps_of_balls(ball, change, seed):
    most = ball.radius * (1 + 1e-5) + 1e-9
    inside = ball.project(change)
    assert np.max(ball.norm(inside)) <= most
    same(ball.project(inside), inside, rtol=1e-5)
    # What is inside stays as it is.
    stays = ball.norm(change) <= ball.radius
    same(
        [part[stays] for part in tf.nest.flatten(inside)],
        [part[stays] for part in tf.nest.flatten(change)],
        rtol=1e-6,
    )
    start = ball.start(change, seeds.derive(seed))
    assert np.max(ball.norm(start)) <= most
    same(ball.start(change, seeds.derive(seed)), start)
    for moved in (ball.ascend(inside, change), ball.direction(change)):
        assert all(np.isfinite(part).all() for part in tf.nest.flatten(moved))


# The others have no such change: snow falls everywhere, and Adam's box need
# not hold the image's latents.
WITH_STILL = [
    name
    for name in SPACES
    if name not in ("Fog", "Snow", "Gabor", "AdamLatent")
]


# These take most of the time, and two other rows run their code.
BY_A_FLOW = (
    "Latent, L2",
    "Latent, L1",
    "Latent, level 2",
    "Latent, standardized",
    "AdamLatent, level 1",
    "Joint",
    "Joint with Elastic",
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.variant] * (name in BY_A_FLOW))
        for name in WITH_STILL
    ],
)
def test_no_change_is_the_image(name, flow):
    space = SPACES[name](flow).with_steps(2)

    @drawing.quick
    @given(drawing.images_of(tiny.SHAPE))
    def holds(images):
        images = tf.constant(images)
        context = space.prepare(images, None)
        change = space.start(context, None)
        found = space.apply(images, change, context)
        # JPEG rounds nothing here, a flow's inverse rounds.
        np.testing.assert_allclose(found, images, atol=2e-4)
        for used in space.measure(change).values():
            np.testing.assert_allclose(used, 0, atol=1e-6)

    holds()


@drawing.quick
@given(drawing.images_of(tiny.SHAPE))
def test_a_flow_inverts_any_image(flow, images):
    latents = flow.encode(images)
    assert [part.shape[1:] for part in latents] == flow.latent_shapes
    np.testing.assert_allclose(flow.decode(latents), images, atol=1e-4)
    assert np.isfinite(flow.log_prob(images)).all()


@drawing.quick
@given(st.lists(st.sampled_from([-1, 0, 1, 2, 3, 1.0, "1", None]), max_size=3))
def test_levels_are_numbers_of_levels_or_refused(flow, levels):
    legal = levels in ([1], [2], [1, 2], [2, 1])
    legal = legal and "1.0" not in map(str, levels)
    try:
        ij.spaces.Latent(flow, ij.spaces.Linf(0.1), levels)
    except ValueError as error:
        assert not legal and "`levels`" in str(error)
    else:
        assert legal
