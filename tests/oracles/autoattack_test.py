"""AutoAttack against its authors' code, on robust CIFAR-10 classifiers.

It runs where IJSAT_SHARED names a folder with the classifiers and with the
official verdicts on 500 images. Where PyTorch is installed too and
IJSAT_ORACLES names a folder with a clone of
https://github.com/fra31/auto-attack, named auto-attack, the official code
runs beside ours, on fewer images.
"""

import os
import pathlib
import sys

import numpy as np
import pytest

from ijsat_tf.attacks import AutoAttack
from ijsat_tf.attacks.autoattack import versions
from ijsat_tf.spaces import L1, L2, Linf
from tests.oracles import pretrained

ORACLES = pathlib.Path(os.environ.get("IJSAT_ORACLES", "nowhere"))
BALLS = {"Linf": Linf(4 / 255), "L2": L2(0.5), "L1": L1(5.0)}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def golden():
    return pretrained.golden()[2]


@pytest.fixture(scope="module")
def images():
    return pretrained.golden()[0]


@pytest.fixture(scope="module", params=["cifar_cnn_a_mix", "resnet4b"])
def net(request):
    return request.param, pretrained.classifier(request.param)


def norms(ball, images, attacked):
    change = np.float64(attacked) - images
    order = {Linf: np.inf, L2: 2, L1: 1}[type(ball)]
    return np.linalg.norm(change.reshape(len(change), -1), order, axis=1)


@pytest.mark.parametrize(
    "names, allowed",
    [
        (("apgd-ce",), 4),
        (("apgd-t",), 4),
        (("fab-t",), 4),
        (("square",), 4),
        (versions.VERSIONS["standard"], 2),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, tuple) else None,
)
def test_the_golden_verdict(golden, images, names, allowed):
    net = pretrained.classifier("cifar_cnn_a_mix")
    logits = net.predict(images, verbose=0)
    np.testing.assert_allclose(logits, golden["logits"], atol=1e-4)
    ball = BALLS["Linf"]
    attack = AutoAttack(ball, "custom", names)
    verdict = attack.run(net, images, golden["y"], seed=0, verbose=False)
    key = "standard" if len(names) > 1 else names[0]
    expected = golden[f"alive_{key}"]
    print(key, verdict.robust.sum(), "official", expected.sum())
    assert abs(int(verdict.robust.sum()) - int(expected.sum())) <= allowed
    assert np.max(norms(ball, images, verdict.images)) <= 4 / 255 + 1e-6


def official(net, images, labels, ball, stages):
    """Which images the official code leaves correctly classified, (B,)."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if not (ORACLES / "auto-attack").is_dir():
        pytest.skip("IJSAT_ORACLES names no folder with auto-attack")
    sys.path.insert(0, str(ORACLES / "auto-attack"))
    from autoattack import AutoAttack as Official

    from benchmarks.torch_twin import twin

    torch.set_num_threads(1)
    theirs = twin(net)
    x = torch.tensor(images.transpose(0, 3, 1, 2).copy())
    y = torch.tensor(labels)
    np.testing.assert_allclose(
        theirs(x).detach(), net.predict(images, verbose=0), atol=1e-3
    )
    attack = Official(
        theirs,
        norm=type(ball).__name__,
        eps=ball.radius,
        seed=0,
        version="standard",
        device="cpu",
        verbose=False,
    )
    attack.attacks_to_run = list(stages)
    attacked = attack.run_standard_evaluation(x, y, bs=len(images))
    return (theirs(attacked).argmax(1) == y).numpy()


@pytest.mark.parametrize("stage", ["apgd-ce", "apgd-dlr", "apgd-t"])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_beside_the_official_code(golden, images, net, norm, stage):
    name, model = net
    x, y = images[:100], golden["y"][:100]
    ball = BALLS[norm]
    expected = official(model, x, y, ball, [stage]).sum()
    verdict = AutoAttack(ball, "custom", (stage,)).run(
        model, x, y, verbose=False
    )
    print(name, norm, stage, verdict.robust.sum(), "official", expected)
    assert abs(int(verdict.robust.sum()) - int(expected)) <= 2
    assert np.max(norms(ball, x, verdict.images)) <= ball.radius + 1e-6


@pytest.mark.parametrize(
    "stages, allowed",
    [
        (("apgd-ce",), 4),
        (("apgd-t",), 4),
        (("fab-t",), 4),
        (("square",), 4),
        (versions.VERSIONS["standard"], 2),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, tuple) else None,
)
def test_l1_beside_the_official_code(golden, images, net, stages, allowed):
    name, model = net
    x, y = images[:200], golden["y"][:200]
    ball = BALLS["L1"]
    expected = official(model, x, y, ball, stages).sum()
    attack = AutoAttack(ball, "custom", stages)
    verdict = attack.run(model, x, y, verbose=False)
    print(name, "L1", stages, verdict.robust.sum(), "official", expected)
    assert abs(int(verdict.robust.sum()) - int(expected)) <= allowed
    assert np.max(norms(ball, x, verdict.images)) <= ball.radius * (1 + 1e-6)
