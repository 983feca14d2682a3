"""StAdv and ReColor against their authors' code, on robust CIFAR-10 nets.

It runs where PyTorch is installed, IJSAT_ORACLES names a folder with clones of
https://github.com/cassidylaidlaw/ReColorAdv, which contains mister_ed, and
https://github.com/cassidylaidlaw/perceptual-advex, named so, and IJSAT_SHARED
one with the classifiers and images of tests/oracles/pretrained.py.
"""

import importlib
import os
import pathlib
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import attacks
from ijsat_tf.spaces import ReColor, StAdv, cieluv
from ijsat_tf.spaces.field import FieldChange, total_variation
from tests.oracles import pretrained

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
for variable in ("IJSAT_ORACLES", "IJSAT_SHARED"):
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set", allow_module_level=True)
FOLDER = pathlib.Path(os.environ["IJSAT_ORACLES"])
CLONES = [FOLDER / name for name in ("ReColorAdv", "perceptual-advex")]
for clone in CLONES:
    if not clone.exists():
        pytest.skip(f"{clone} is missing", allow_module_level=True)
# What the official code imports for other networks, attacks and data sets.
ABSENT = [
    "advex_uar",
    "advex_uar.attacks",
    "advex_uar.attacks.attacks",
    "advex_uar.common",
    "advex_uar.common.pyt_common",
    "matplotlib",
    "matplotlib.pyplot",
    "perceptual_advex.datasets",
    "robustness",
    "robustness.attacker",
    "robustness.cifar_models",
    "robustness.cifar_models.resnet",
    "robustness.datasets",
    "robustness.model_utils",
    "torchvision",
    "torchvision.models",
    "torchvision.transforms",
]
GREY = 1 / 255
GRID = 16, 32, 32


@pytest.fixture(scope="module")
def official():
    absent = {name: mock.MagicMock() for name in ABSENT}
    # Adam imports it, and crashes where TensorFlow was imported before.
    absent["triton"] = None
    path = [*map(str, CLONES), *sys.path]
    with (
        mock.patch.dict(sys.modules, absent),
        mock.patch.object(sys, "path", path),
    ):
        yield importlib.import_module("perceptual_advex.attacks")


@pytest.fixture(scope="module")
def images():
    return pretrained.golden()[0][:8]


def to_torch(images):
    images = np.transpose(np.asarray(images), (0, 3, 1, 2))
    return torch.tensor(np.ascontiguousarray(images))


def from_torch(images):
    return np.transpose(images.detach().numpy(), (0, 2, 3, 1))


def draws(shape, largest):
    field = np.random.default_rng(0).uniform(-largest, largest, shape)
    return field.astype("float32")


def rendered(space, images, field):
    change = FieldChange(tf.constant(field), None, None)
    moved = space.apply(tf.constant(images), change, None)
    return np.clip(moved, 0, 1)


def gap(name, found, expected, unit=GREY):
    largest = np.abs(np.asarray(found) - np.asarray(expected)).max() / unit
    print(f"{name}: largest gap {largest:.2g}")
    return largest


@pytest.mark.parametrize("budget", [0.05, 0.4])
def test_flows(budget, official, images):
    xform = official.st.FullSpatial(
        shape=to_torch(images).shape, manual_gpu=False
    )
    still = xform.xform_params.data.clone()
    field = draws((*images.shape[:3], 2), 2 * budget)
    xform.xform_params.data.add_(torch.tensor(field))
    xform.project_params("inf", budget)
    expected = (xform.xform_params.data - still).numpy()

    space = StAdv(budget)
    field = space.project(tf.constant(field))
    assert gap("field", field, expected, 1) < 1e-6
    theirs = from_torch(xform(to_torch(images)))
    ours = rendered(space, images, field)
    assert np.abs(theirs - images).max() > 0.1
    assert gap("image in grey levels", ours, theirs) < 1e-2
    np.testing.assert_allclose(
        total_variation(field), xform.stAdv_norm().detach(), rtol=1e-5
    )


@pytest.fixture
def rounded(monkeypatch):
    """Our colours with the constants of theirs, which have four digits."""
    to_xyz = cieluv.TO_XYZ.copy()
    to_xyz[2, 2] = 0.9504
    monkeypatch.setattr(cieluv, "TO_XYZ", to_xyz)
    monkeypatch.setattr(cieluv, "FROM_XYZ", np.round(cieluv.FROM_XYZ, 4))
    monkeypatch.setattr(cieluv, "WHITE", np.array([0.1978, 0.4683]))


def cube():
    """Colours of the whole cube of sRGB."""
    axis = np.linspace(0, 1, 32, dtype="float32")
    return np.stack(np.meshgrid(axis, axis, axis), -1)


def test_cieluv(official, rounded):
    theirs = official.cs.CIELUVColorSpace()
    colours = cieluv.from_rgb(tf.constant(cube()))
    expected = from_torch(theirs.from_rgb(to_torch(cube())))
    assert gap("CIELUV, rounded", colours, expected, 1) < 1e-5
    expected = from_torch(theirs.to_rgb(to_torch(colours)))
    found = np.clip(cieluv.to_rgb(colours), 0, 1)
    assert gap("sRGB, rounded, in grey levels", found, expected) < 1e-2


def test_the_constants_of_cieluv(official):
    theirs = official.cs.CIELUVColorSpace()
    expected = from_torch(theirs.from_rgb(to_torch(cube())))
    found = cieluv.from_rgb(tf.constant(cube()))
    assert gap("CIELUV", found, expected, 1) < 1e-3


def colours(official, images):
    """Ours and theirs for a field that is random within their projection.

    The latter moves the colours of the grid into sRGB, as dark colours beyond
    sRGB are drawn in another way.
    """
    space = official.cs.CIELUVColorSpace()
    xform = official.ct.FullSpatial(
        shape=to_torch(images).shape,
        manual_gpu=False,
        cspace=space,
        **{f"resolution_{x}": n for x, n in zip("xyz", GRID)},
    )
    still = xform.xform_params.data.clone()
    xform.xform_params.data.add_(torch.tensor(draws(still.shape, 0.06)))
    xform.project_params("inf", 0.06)
    field = (xform.xform_params.data - still).numpy()
    np.testing.assert_allclose(
        total_variation(tf.constant(field)),
        xform.smoothness_norm().detach(),
        rtol=1e-5,
    )
    places = space.from_rgb(to_torch(images))
    theirs = from_torch(space.to_rgb(xform(places)))
    inside = from_torch((places > 0) & (places < 1)).all(-1)
    assert inside.mean() > 0.9
    assert np.abs(theirs - images).max() > 0.1
    ours = rendered(ReColor(0.06, resolution=GRID), images, field)
    return ours[inside], theirs[inside]


def test_colours(official, images, rounded):
    ours, theirs = colours(official, images)
    assert gap("image, rounded, in grey levels", ours, theirs) < 1e-2


def test_colours_with_exact_constants(official, images):
    ours, theirs = colours(official, images)
    assert gap("image in grey levels", ours, theirs) < 0.5


class Net(torch.nn.Module):
    """The classifier with what the official attacks ask of one."""

    def __init__(self, model):
        super().__init__()
        from benchmarks.torch_twin import twin

        self.twin = twin(model)

    def forward(self, images):
        return self.twin(images)


# The bound of StAdv is 0.05 there, at which no image stays right; theirs takes
# 0.2 of the bound as the learning rate. Neither attack draws numbers, so that
# another seed gives the same images.
STADV = "StAdv", "StAdvAttack", 0.02, {"lr": 0.004}
RECOLOR = "ReColor", "ReColorAdvAttack", 0.06, {}
CASES = [
    (*case, net)
    for case in (STADV, RECOLOR)
    for net in ("cifar_cnn_a_mix", "resnet4b")
]
COUNT = 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, there, bound, settings, net",
    CASES,
    ids=[f"{case[0]}-{case[-1]}" for case in CASES],
)
def test_robust_accuracy(name, there, bound, settings, net, official):
    torch.set_num_threads(1)
    model = pretrained.classifier(net)
    images, labels, _ = pretrained.golden()
    images, labels = images[:COUNT], labels[:COUNT]

    right = np.argmax(model.predict(images, verbose=0), 1) == labels
    images, labels = images[right], labels[right]

    def robust(attack):
        parts = [slice(n, n + 50) for n in range(0, len(labels), 50)]
        moved = [attack(images[part], labels[part]) for part in parts]
        found = model.predict(np.concatenate(moved), verbose=0)
        return np.sum(np.argmax(found, 1) == labels) / COUNT

    theirs = getattr(official, there)(
        Net(model), bound, num_iterations=100, keep_best=False, **settings
    )
    ours = getattr(attacks, name)(bound, steps=100)
    expected = robust(
        lambda x, y: from_torch(theirs(to_torch(x), torch.tensor(y)))
    )
    found = robust(lambda x, y: ours(model, x, y).images)
    print(f"{name}, {net}: theirs {expected}, ours {found}")
    assert 0.02 < found <= expected + 0.02
