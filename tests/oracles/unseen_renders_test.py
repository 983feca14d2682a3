"""Rendered images against those of the original advex-uar code.

IJSAT_SHARED names a folder that holds golden/unseen_attacks/*.npz: images
that the original code made of given variables, on a CPU. They are in
[0, 255], channels first; float implementations differ by 1e-2 grey levels.
"""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import spaces
from ijsat_tf.spaces import gabor, motion, snow

if "IJSAT_SHARED" not in os.environ:
    pytest.skip(
        "IJSAT_SHARED names no folder of golden renders",
        allow_module_level=True,
    )
FOLDER = pathlib.Path(os.environ["IJSAT_SHARED"]) / "golden/unseen_attacks"


def load(name):
    return np.load(FOLDER / f"{name}.npz")


def last(array):
    """Channels last."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def check(space, golden, change, expected, tolerance=1e-2):
    images = tf.constant(last(golden["x"]) / 255)
    context = space.prepare(images, None)
    found = np.clip(space.apply(images, change, context), 0, 1) * 255
    gap = np.abs(found - last(golden[expected]))
    print(f"{expected}: largest gap {gap.max():.1e} grey levels")
    assert gap.max() < tolerance
    return gap


@pytest.mark.parametrize(
    "name", ["k5_eps0.5", "k5_eps1", "k5_eps8", "k25_eps0.5"]
)
@pytest.mark.parametrize("reference", [False, True])
def test_elastic(name, reference):
    golden = load("elastic")
    kernel, std, budget, _ = golden[f"{name}/params"]
    space = spaces.Elastic(
        budget, reference=reference, kernel=int(kernel), std=float(std)
    )
    # A grid from -1 to 1 has its ends at the outer pixels' middles or, for
    # `align_corners=False`, at their outer edges.
    pixels = 32 / 2 if reference else 31 / 2
    change = tf.constant(last(golden[f"{name}/F"]) * pixels)
    check(space, golden, change, f"{name}/align_{not reference}/out")


def blocks(plane):
    """(B, H, W, C) coefficients in place as (B, H / 8, W / 8, 64 C)."""
    return tf.nn.space_to_depth(plane, 8)


@pytest.mark.parametrize("budget", ["0", "0.125", "0.25", "1"])
def test_jpeg(budget):
    golden = load("jpeg")
    y, cb, cr = (
        golden[f"eps{budget}/c_hw_{plane}"] for plane in ("y", "cb", "cr")
    )
    change = [blocks(y[..., None]), blocks(np.stack([cb, cr], -1))]
    for norm in ("linf", "l1", "l2"):
        space = spaces.JPEG(float(budget), norm=norm)
        check(space, golden, change, f"eps{budget}/out")


def test_jpeg_first_gradient():
    golden = load("jpeg")
    y, cb, cr = (golden[f"eps0.25/c_hw_{plane}"] for plane in ("y", "cb", "cr"))
    change = [blocks(y[..., None]), blocks(np.stack([cb, cr], -1))]
    change = [part * 0.25 for part in change]
    space = spaces.JPEG(0.25, reference=True)
    check(space, golden, change, "eps0.25/out_first_iteration_quirk")


@pytest.mark.parametrize("budget", ["128", "512"])
@pytest.mark.parametrize("over", ["batch", "single"])
def test_fog(budget, over):
    golden = load("fog")
    change = [
        tf.stack([golden[f"vars/{3 * level + n:02}"] for n in range(3)], -1)
        for level in range(6)
    ]
    space = spaces.Fog(float(budget), reference=True)
    if over == "batch":
        check(space, golden, change, f"eps{budget}/batch/out")
        return
    for row in range(4):
        one = {
            key: golden[key][row : row + 1]
            for key in ("x", f"eps{budget}/single/out")
        }
        parts = [part[row : row + 1] for part in change]
        check(space, one, parts, f"eps{budget}/single/out")


def snow_filters(golden, seed):
    return snow.filters(tf.constant(golden[f"kernels_seed{seed}"][None]))


@pytest.mark.parametrize("budget", ["0", "0.0625", "0.125"])
@pytest.mark.parametrize("wide", ["", "_wide"])
def test_snow(budget, wide):
    golden = load("snow")
    change = [
        tf.constant(last(golden[f"intensities{wide}"])),
        snow_filters(golden, 0),
    ]
    space = spaces.Snow(float(budget), reference=True)
    check(space, golden, change, f"eps{budget}/out{wide}")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_snow_kernels(seed):
    golden = load("snow")
    draws = golden[f"kernels_seed{seed}_draws_r1_c1_width_sigma"]
    draws = tf.constant(draws[None], tf.float32)
    found = motion.blurred_lines(
        draws[..., :2] - 6,
        draws[..., 2],
        draws[..., 3],
        tf.constant([bool(golden[f"kernels_seed{seed}_flip"])]),
    )
    np.testing.assert_allclose(
        found[0], golden[f"kernels_seed{seed}"], atol=1e-6
    )


def test_snow_projection():
    golden = load("snow")
    space = spaces.Snow(0.1, step=0.0)
    wide = tf.constant(last(golden["intensities_wide"]))
    moved, _ = space.update([wide, wide], [wide, wide], None, tf.constant(1))
    np.testing.assert_allclose(
        moved, last(golden["intensities_wide_projected"]), rtol=1e-5
    )


def test_gabor_kernels():
    golden = load("gabor")
    parameters = tf.constant(
        golden["kernel_params_sides_sigma_lambda_theta"], tf.float32
    )
    found = gabor.gabor_kernels(*tf.unstack(parameters, axis=1))
    np.testing.assert_allclose(found, golden["kernel"][:, 0], atol=2e-5)


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("budget", ["12.5", "25"])
def test_gabor(kind, budget):
    golden = load("gabor")
    maps = tf.constant(golden[f"map_{kind}"][:, 0])
    change = [maps, tf.ones_like(maps), tf.constant(golden["kernel"][:, 0])]
    gap = check(
        spaces.Gabor(float(budget)),
        golden,
        change,
        f"{kind}/eps{budget}/out",
        tolerance=0.5,
    )
    assert gap.mean() < 2e-3
