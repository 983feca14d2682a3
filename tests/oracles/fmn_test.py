"""FastMinimumNorm against adv-lib's, on robust CIFAR-10 classifiers.

It runs where PyTorch is installed, IJSAT_ORACLES names a folder with a clone
of https://github.com/jeromerony/adversarial-library, named so, and
IJSAT_SHARED one with the classifiers and images of pretrained.py.
"""

import importlib
import os
import pathlib
import sys
from unittest import mock

import numpy as np
import pytest

from ijsat_tf.attacks import FastMinimumNorm
from tests.oracles import pretrained

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
for variable in ("IJSAT_ORACLES", "IJSAT_SHARED"):
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set", allow_module_level=True)
CLONE = pathlib.Path(os.environ["IJSAT_ORACLES"]) / "adversarial-library"
if not CLONE.exists():
    pytest.skip(f"{CLONE} is missing", allow_module_level=True)
# What adv-lib imports for other attacks.
ABSENT = ["torchvision", "torchvision.transforms", "visdom"]
ORDERS = {"l1": 1, "l2": 2, "linf": float("inf")}


@pytest.fixture(scope="module")
def fmn():
    absent = {name: mock.MagicMock() for name in ABSENT}
    path = [str(CLONE), *sys.path]
    with (
        mock.patch.dict(sys.modules, absent),
        mock.patch.object(sys, "path", path),
    ):
        module = "adv_lib.attacks.fast_minimum_norm"
        yield importlib.import_module(module).fmn


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar_cnn_a_mix", "resnet4b"])
@pytest.mark.parametrize("norm", ORDERS)
def test_distances(norm, name, fmn):
    from benchmarks.torch_twin import twin

    torch.set_num_threads(1)
    net = pretrained.classifier(name)
    images, labels, _ = pretrained.golden()
    right = np.argmax(net.predict(images, verbose=0), 1) == labels
    images, labels = images[right][:100], labels[right][:100]
    moved = fmn(
        twin(net),
        torch.tensor(images.transpose(0, 3, 1, 2).copy()),
        torch.tensor(labels),
        ORDERS[norm],
        steps=100,
    )
    moved = moved.numpy().transpose(0, 2, 3, 1)
    found = np.argmax(net.predict(moved, verbose=0), 1) != labels
    rows = (moved - images).reshape(len(images), -1)
    theirs = np.linalg.norm(rows, ORDERS[norm], axis=1)
    result = FastMinimumNorm(norm, steps=100)(net, images, labels)
    ours = result.budget["pixels"].numpy()
    print(
        f"{name}, {norm}: found {found.sum()} and "
        f"{np.sum(result.success)} of {len(labels)}, "
        f"medians {np.median(theirs):.4f} and {np.median(ours):.4f}"
    )
    # adv-lib's stops short of the boundary for some images.
    assert np.all(result.success) and found.mean() > 0.9
    np.testing.assert_allclose(
        np.median(ours[found]), np.median(theirs[found]), rtol=0.03
    )
