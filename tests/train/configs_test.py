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
# Given after another one.
SCALES = [name for name in NAMES if name.startswith("small")]
GENERATORS = (
    "flow flow_small flow_preset sngan sngan_small vaegan project".split()
)
# What the paper says, as the repr of what it means.
ROWS = {
    "standard": "Standard()",
    "at": "AT({pgd})",
    "iat": "IAT({pgd})",
    "trades": "TRADES({pgd})",
    "mart": "MART({pgd})",
    "dmat": "DMAT({pgd}, latent_attack={om_pgd})",
    "ijsat": "IJSAT({jsa})",
}
TABLE_4_TO_6 = {
    "at_16": "AT({pgd_16})",
    "at_32": "AT({pgd_32})",
    "at_jsa": "AT({jsa})",
    "at_jsa_mixup": "IAT({jsa}, clean=0)",
    "at_jsa_gan": "AT({jsa})",
    "trades_jsa": "TRADES({jsa})",
    "mart_jsa": "MART({jsa})",
    "dmat_jsa": "DMAT({pgd}, latent_attack={jsa})",
}
ACCURACY = {
    "standard": "Standard()",
    "mixup": "Mixup()",
    "manifold_mixup": "ManifoldMixup()",
    "cutout": "Cutout(fill=(0.00196078, 0.00196078, 0.00196078))",
    "vaegan": "VAEGAN({generator})",
    "randomized_la": "RandomizedLA({generator})",
    "adversarial_la": "AdversarialLA({generator})",
    "ijsat": "IJSAT({jsa_0})",
}
CORRUPTIONS = {
    "standard": "Standard()",
    "at": "AT(FGSM({linf_1}))",
    "at_l2": "AT(FGSM(L2(0.1, step=0.025)))",
    "fast_pat": "FastPAT(bound=0.02)",
    "advprop": "AdvProp(PGD(Linf(0.00392157, step=0.00392157), steps=1))",
    "rlat": "RLAT()",
    "ijsat": "IJSAT({jsa_1})",
}
RADII = {"": 8, "_0": 0, "_1": 1, "_4": 4, "_16": 16, "_32": 32}


def expected(row, steps=10, radius="", generator="Glow"):
    """The repr of a method, its attacks filled in."""
    latent = "Linf(0.02, step=0.005)"
    parts = {"generator": f"<{generator}>"}
    for name, levels in RADII.items():
        ball = f"Linf({levels / 255:.6g}, step={levels / 1020:.6g})"
        more = "" if steps == 10 else f", steps={steps}"
        parts |= {
            f"linf{name}": ball,
            f"pgd{name}": f"PGD({ball}, steps={steps})"
            if steps != 20
            else f"PGD({ball})",
            f"jsa{name}": f"JointSpaceAttack(<{generator}>, pixels={ball}, "
            f"latent={latent}{more})",
        }
    parts["om_pgd"] = f"OnManifoldPGD(<{generator}>, latent={latent}{more})"
    if radius:
        parts |= {name: parts[f"{name}{radius}"] for name in ("pgd", "jsa")}
    return row.format(**parts)


@pytest.fixture(scope="module")
def generators(tmp_path_factory):
    """Untrained ones, small: {side: {flag: path}}."""
    folder = tmp_path_factory.mktemp("generators")
    found = {}
    for side, channels in ((32, 3), (8, 1)):
        shape = side, side, channels
        flow = ij.flows.Glow(shape, levels=2, steps=1, hidden=4)
        flow.initialize(np.random.rand(4, *shape))
        gans = {
            "sngan": ij.generators.SNGAN(shape, 4, 2, 2),
            "vaegan": ij.generators.VAEGAN(shape, 4, 2),
        }
        found[side] = {}
        for name, model in {"flow": flow, **gans}.items():
            found[side][name] = folder / f"{name}{side}.keras"
            model.save(found[side][name])
    return found


def built(generators, *names):
    """What train/main.py makes of flagfiles, built in a process of its own."""
    paths = generators[8 if names[0].startswith("digits") else 32]
    text = (CONFIGS / f"{names[0]}.cfg").read_text()
    gan = re.search(r"--gan=\S*?(sngan|vaegan|stylegan)\.keras", text)
    if gan:
        # Of a StyleGAN the flags know no more than of another GAN.
        given = f"--gan={paths[gan[1].replace('stylegan', 'sngan')]}"
    else:
        given = f"--flow={paths['flow']}"
    stems = [pathlib.Path(name).name for name in names]
    target = paths["flow"].parent / f"{'-'.join(stems)}.json"
    arguments = [
        *(f"--flagfile={CONFIGS / name}.cfg" for name in names),
        given,
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
    shape = (8, 8, 1) if flags.dataset.endswith("digits") else (32, 32, 3)
    classes = 100 if flags.dataset.endswith("cifar100") else 10
    images = np.zeros((2, *shape), np.uint8)
    if flags.normalize:
        # A mean of 0 and a deviation that is no 0 are hard to have.
        images[1] = 1
    source = ij.data.Source(images, np.zeros(2, np.int32), classes)
    if flags.gan and flags.dataset.startswith("om_"):
        source = source._replace(latents=np.zeros((2, 4), np.float32))
    model, generator = main["networks"].build(source, 10)
    found = {
        name: flags[name].value
        for name in ("epochs", "batch_size", "held_out", "train_examples")
    }
    optimizer = model.optimizer.get_config()
    found["optimizer"] = {
        name: optimizer[name]
        for name in ("momentum", "l2", "nesterov")
        if name in optimizer
    }
    rate = model.optimizer._learning_rate
    found["rates"] = [float(rate(10 * epoch)) for epoch in range(flags.epochs)]
    if hasattr(model, "method"):
        main["rows"].attack(flags.robust_attack, generator)
        found["output"] = model.classifier.output_shape
        found["weights"] = model.classifier.count_params()
        found["layers"] = [layer.name for layer in model.classifier.layers]
        found["method"] = repr(model.method)
    target.write_text(json.dumps(found))


def shown(method):
    """A repr with short numbers, and without that of the generator."""
    inside = r"(?:[^()]|\([^()]*\))*"
    method = re.sub(rf"Glow\(image_shape={inside}\)", "<Glow>", method)
    method = re.sub(r"<(\w+) name=[^<>]*>", r"<\1>", method)
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.6g}", method)


def check_paper(found, classes=10):
    """The settings of section 6.1."""
    assert (found["epochs"], found["batch_size"]) == (120, 128)
    sgd = {"momentum": 0.9, "l2": 2e-4, "nesterov": False}
    assert found["optimizer"] == sgd
    drops = np.searchsorted((74, 89, 99), np.arange(120), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    assert found["output"] == [None, classes]
    # PyTorch's count, and the moving statistics.
    assert found["weights"] == 11_168_832 + 513 * classes + 9_600
    assert found["held_out"] == 1000 and found["train_examples"] is None


@pytest.mark.sampled
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("data", ["cifar10", "cifar100"])
def test_rows_of_tables_1_and_7(data, row, generators):
    found = built(generators, f"{data}_{row}")
    check_paper(found, 100 if data == "cifar100" else 10)
    # The latents of DMAT come with the data, and are cropped as images are.
    generator = "Augmented(<SNGAN>)" if row == "dmat" else "<Glow>"
    wanted = expected(ROWS[row]).replace("<Glow>", generator)
    assert shown(found["method"]) == wanted


@pytest.mark.sampled
@pytest.mark.parametrize("row", TABLE_4_TO_6)
def test_rows_of_tables_4_to_6(row, generators):
    found = built(generators, f"cifar10_{row}")
    check_paper(found)
    wanted = expected(TABLE_4_TO_6[row])
    if row == "at_jsa_gan":
        wanted = wanted.replace("<Glow>", "Augmented(<SNGAN>)")
    assert shown(found["method"]) == wanted


@pytest.mark.sampled
@pytest.mark.parametrize("row", ACCURACY)
def test_rows_of_table_2_left(row, generators):
    found = built(generators, f"cifar10_accuracy_{row}")
    assert (found["epochs"], found["batch_size"]) == (200, 128)
    sgd = {"momentum": 0.9, "l2": 5e-4, "nesterov": True}
    assert found["optimizer"] == sgd
    drops = np.searchsorted((60, 120, 160), np.arange(200), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.2**drops, rtol=1e-5)
    assert "normalize" in found["layers"]
    assert found["held_out"] == 0 and found["train_examples"] is None
    generator = "VAEGAN" if row == "vaegan" else "Glow"
    wanted = expected(ACCURACY[row], generator=generator)
    assert shown(found["method"]) == wanted


@pytest.mark.sampled
@pytest.mark.parametrize("row", CORRUPTIONS)
def test_rows_of_table_2_right(row, generators):
    found = built(generators, f"cifar10_corruptions_{row}")
    assert (found["epochs"], found["batch_size"]) == (150, 128)
    sgd = {"momentum": 0.9, "l2": 5e-4, "nesterov": False}
    assert found["optimizer"] == sgd
    drops = np.searchsorted((51, 101), np.arange(150), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    assert {"normalize", "last_norm"} <= set(found["layers"])
    assert found["held_out"] == 0 and found["train_examples"] is None
    assert shown(found["method"]) == expected(CORRUPTIONS[row])


@pytest.mark.sampled
@pytest.mark.parametrize("row", ROWS)
def test_rows_of_table_3(row, generators):
    found = built(generators, f"om_imagenet_{row}")
    assert found["epochs"] == (40 if row == "standard" else 20)
    assert found["batch_size"] == 64
    assert found["optimizer"]["l2"] == 5e-4
    np.testing.assert_allclose(found["rates"][5], 0.4 - 0.36 * 4.1 / 5, 1e-3)
    assert "stage4_block2" in found["layers"]  # That of the ResNet-50.
    generator = "SNGAN" if row in ("dmat", "ijsat") else "Glow"
    wanted = expected(ROWS[row], 5, "_4", generator)
    assert shown(found["method"]) == wanted


@pytest.mark.parametrize("row", ROWS)
def test_small_rows(row, generators):
    found = built(generators, f"cifar10_{row}", "small")
    assert (found["epochs"], found["batch_size"]) == (15, 128)
    drops = np.searchsorted((9, 11, 12), np.arange(15), side="right")
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    assert found["weights"] < 1_000_000
    assert found["train_examples"] == 10_000
    assert "steps=10" not in shown(found["method"])


@pytest.mark.sampled
@pytest.mark.parametrize("row", ["at_jsa", "at_jsa_mixup", "ijsat"])
def test_rows_of_the_study(row, generators):
    found = built(generators, f"cifar10_{row}", "../../reproduction/small")
    assert (found["epochs"], found["batch_size"]) == (10, 128)
    # Shares 75/120, 90/120 and 100/120 of 3,820 steps; an epoch's rate is that
    # of its first step.
    drops = np.searchsorted((6, 7, 8), np.arange(10))
    np.testing.assert_allclose(found["rates"], 0.1 * 0.1**drops, rtol=1e-5)
    assert found["train_examples"] == 49_000 and found["held_out"] == 1000
    rows = {**TABLE_4_TO_6, **ROWS}
    assert shown(found["method"]) == expected(rows[row], 5)


def test_a_row_of_the_study_at_full_width(generators):
    found = built(generators, "cifar10_ijsat", "../../reproduction/full")
    assert found["epochs"] == 120 and found["held_out"] == 1000
    assert found["train_examples"] is None
    assert found["weights"] > 11_000_000
    assert shown(found["method"]) == expected(ROWS["ijsat"], 5)


@pytest.mark.parametrize(
    "names, drops",
    [
        (("cifar10_accuracy_mixup", "small_accuracy"), (5, 9, 12)),
        (("cifar10_corruptions_rlat", "small_corruptions"), (5, 10)),
    ],
)
def test_small_rows_of_table_2(names, drops, generators):
    found = built(generators, *names)
    assert (found["epochs"], found["train_examples"]) == (15, 10_000)
    steps = np.diff(found["rates"])
    assert [epoch + 1 for epoch in np.flatnonzero(steps)] == list(drops)
    assert found["weights"] < 1_000_000


@pytest.mark.sampled
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if name.partition("_")[2] in GENERATORS
        and "project" not in name
        or name.startswith("digits_")
        and "project" not in name
    ],
)
def test_generators_and_digits(name, generators):
    found = built(generators, name)
    assert found["rates"][0] > 0
    assert ("method" in found) == (name.partition("_")[2] not in GENERATORS)


def test_every_flagfile_is_tried_and_says_how_it_is_used():
    tried = {
        f"{data}_{row}" for data in ("cifar10", "cifar100") for row in ROWS
    }
    tried |= {f"cifar10_{row}" for row in TABLE_4_TO_6}
    tried |= {f"cifar10_accuracy_{row}" for row in ACCURACY}
    tried |= {f"cifar10_corruptions_{row}" for row in CORRUPTIONS}
    tried |= {f"om_imagenet_{row}" for row in ROWS}
    tried |= {name for name in NAMES if name.partition("_")[2] in GENERATORS}
    tried |= {name for name in NAMES if name.startswith("digits_")}
    assert set(NAMES) == tried | set(SCALES)
    for name in NAMES:
        text = (CONFIGS / f"{name}.cfg").read_text()
        assert f"--flagfile=train/configs/{name}.cfg" in text
        assert "--workdir=" in text
        flags = text[text.rindex("\n\n") :]
        needs = re.search(
            r"=(ijsat|dmat|\w+_la|on_manifold|project|jsa)$", flags, re.M
        )
        assert bool(re.search("--(flow|gan)=", text)) == bool(needs), name
