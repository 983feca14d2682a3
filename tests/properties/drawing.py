"""What property tests draw from; only where hypothesis is installed."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same examples each time; graphs are traced within them.
quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
seeds = st.integers(0, 2**31 - 1)
not_numbers = st.sampled_from(
    [float("nan"), float("inf"), -float("inf"), -1, -1e-9, "0.1", None, [0.1]]
)


def pixels(draw, shape) -> np.ndarray:
    """Images in [0, 1]: noise, of few levels, of one, black or white."""
    chance = np.random.default_rng(draw(seeds))
    levels = draw(st.sampled_from([2, 3, 17, 256, 2**20]))
    images = chance.integers(0, levels, shape) / (levels - 1)
    constant = draw(st.sampled_from([None, None, 0.0, 1.0, 0.5]))
    return images if constant is None else np.full(shape, constant)


@st.composite
def images_of(draw, shape, most=4) -> np.ndarray:
    """Float32 images of a shape (H, W, C), one to `most`."""
    count = draw(st.integers(1, most))
    return pixels(draw, (count, *shape)).astype("float32")
