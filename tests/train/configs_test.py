"""Every flagfile is parsed, and all that it names is built."""

import json
import os
import pathlib
import re
import runpy
import sys

import numpy as np
import pytest

import ijsat_tf as ij
from tests import commands

CONFIGS = commands.ROOT / "train" / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.cfg"))
ROWS = ("standard", "at", "dmat", "iat", "trades", "mart", "ijsat")
# What the paper's section 6.1 says, as the repr of what it means.
METHODS = {
    "standard": "Standard()",
    "at": "AT({pgd})",
    "dmat": "DMAT({pgd}, latent_attack={om_pgd})",
    "iat": "IAT({pgd})",
    "trades": "TRADES({pgd})",
    "mart": "MART({pgd})",
    "ijsat": "IJSAT({jsa})",
}


@pytest.fixture(scope="module")
def flows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows")
    for side, channels in ((32, 3), (8, 1)):
        flow = ij.flows.Glow(
            (side, side, channels), levels=2, steps=1, hidden=4
        )
        flow.initialize(np.random.rand(4, side, side, channels))
        flow.save(folder / f"{side}.keras")
    return folder


def built(flows, *names):
    """What train/main.py makes of flagfiles, built in a process of its own."""
    digits = names[0].startswith("digits")
    flow = flows / ("8.keras" if digits else "32.keras")
    target = flows / f"{'-'.join(names)}.json"
    arguments = [
        *(f"--flagfile={CONFIGS / name}.cfg" for name in names),
        f"--flow={flow}",
        "--workdir=nowhere",
    ]
    outcome = commands.call(_build, arguments, target)
    assert outcome.code == 0, outcome.output
    return json.loads(target.read_text())


def _build(arguments: list[str], target: pathlib.Path) -> None:
    os.chdir(commands.ROOT)
    sys.path.insert(0, str(commands.ROOT / "train"))
    main = runpy.run_path(str(commands.ROOT / "train" / "main.py"))
    flags = main["FLAGS"]
    flags(["main.py", *arguments])
    # As main() does; "auto" is the machine's choice.
    flags.precision = "float32"
    shape = (8, 8, 1) if flags.dataset == "digits" else (32, 32, 3)
    classes = 100 if flags.dataset == "cifar100" else 10
    source = ij.data.Source(
        np.zeros((2, *shape), np.uint8), np.zeros(2, np.int32), classes
    )
    model, generator = main["networks"].build(source, 10)
    found = {
        name: flags[name].value
        for name in ("epochs", "batch_size", "held_out", "train_examples")
    }
    optimizer = model.optimizer.get_config()
    found["optimizer"] = {
        name: optimizer[name]
        for name in ("momentum", "l2")
        if name in optimizer
    }
    rate = model.optimizer._learning_rate
    found["rates"] = [float(rate(10 * epoch)) for epoch in range(flags.epochs)]
    if flags.method != "flow":
        main["rows"].attack(flags.robust_attack, generator)
        found["output"] = model.classifier.output_shape
        found["weights"] = model.classifier.count_params()
        found["method"] = repr(model.method)
    target.write_text(json.dumps(found))


def expected_method(row, steps):
    attacks = {
        "pgd": f"PGD(Linf(0.0313725, step=0.00784314), steps={steps})",
        "om_pgd": "OnManifoldPGD(<FLOW>, latent=Linf(0.02, step=0.005)",
        "jsa": "JointSpaceAttack(<FLOW>, pixels=Linf(0.0313725, "
        "step=0.00784314), latent=Linf(0.02, step=0.005)",
    }
    for name in ("om_pgd", "jsa"):
        attacks[name] += ")" if steps == 10 else f", steps={steps})"
    return METHODS[row].format(**attacks)


def shown(method):
    """A repr with short numbers, and without that of the flow."""
    method = re.sub(r"Glow\(.*?bins=\d+\)", "<FLOW>", method)
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.6g}", method)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("data", ["cifar10", "cifar100"])
def test_rows_of_tables_1_and_7(data, row, flows):
    found = built(flows, f"{data}_{row}")
    assert (found["epochs"], found["batch_size"]) == (120, 128)
    assert found["optimizer"] == {"momentum": 0.9, "l2": 2e-4}
    drops = np.searchsorted((74, 89, 99), np.arange(120), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    classes = 100 if data == "cifar100" else 10
    assert found["output"] == [None, classes]
    # PyTorch's count, and the moving statistics.
    assert found["weights"] == 11_168_832 + 513 * classes + 9_600
    assert shown(found["method"]) == expected_method(row, 10)
    assert found["held_out"] == 1000 and found["train_examples"] is None


@pytest.mark.parametrize("row", ROWS)
def test_small_rows(row, flows):
    found = built(flows, f"cifar10_{row}", "small")
    assert (found["epochs"], found["batch_size"]) == (15, 128)
    drops = np.searchsorted((9, 11, 12), np.arange(15), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    assert found["weights"] < 1_000_000
    assert shown(found["method"]) == expected_method(row, 5)
    assert found["train_examples"] == 10_000


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "flow" in name or "digits" in name]
)
def test_flows_and_digits(name, flows):
    found = built(flows, name)
    assert found["rates"][0] > 0
    assert ("method" in found) == ("flow" not in name)


def test_every_flagfile_is_tried_and_says_how_it_is_used():
    tried = {
        f"{data}_{row}" for data in ("cifar10", "cifar100") for row in ROWS
    }
    tried |= {name for name in NAMES if "flow" in name or "digits" in name}
    assert set(NAMES) == tried | {"small"}
    for name in NAMES:
        text = (CONFIGS / f"{name}.cfg").read_text()
        assert f"--flagfile=train/configs/{name}.cfg" in text
        assert "--workdir=" in text
        needs_flow = any(part in name for part in ("ijsat", "dmat"))
        assert ("--flow=" in text) == needs_flow, name
