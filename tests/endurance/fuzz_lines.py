"""Random command lines of the fuzz, drawn from the flags of a main."""

from __future__ import annotations

import json
import os
import pathlib
import random
import runpy
import sys
from typing import Any

from absl import flags

from tests import commands
from tests.endurance.fuzz_inputs import TINY

MAINS = {
    "train": "train/main.py",
    "eval": "eval/main.py",
    "report": "eval/report.py",
    "figures": "eval/figures.py",
}
# Of these the library refuses any number that is too large. Of others, such
# as --epochs, it means nothing but more work.
BOUNDED = ("seed", "table", "examples", "held_out", "batch_size")
BOUNDED += ("train_examples", "image", "log_every", "robust_every", "keep")
BOUNDED += ("warmup_steps", "cutout", "flow_levels")

LONG = "x" * 300
MODELS = [
    *("inputs/flow.keras", "inputs/sngan.keras", "inputs/vaegan.keras"),
    "inputs/../inputs/ü ñ/flow.keras",
    "inputs/runs/at/classifier.keras",
    "inputs/runs/at/model.keras",
    "inputs/other_flow.keras",
    "inputs/plain.keras",
    "inputs/few_classes.keras",
    "inputs/bad/truncated.keras",
    "inputs/bad/text.keras",
    "inputs/bad/foreign.npz",
    *("inputs/bad/empty", "inputs", "missing.keras", "", ".", LONG),
]
ARCHIVES = ["inputs/bad/foreign.npz", "inputs/bad/truncated.npz"]
ARCHIVES += ["inputs/bad/empty", "inputs/flow.keras", "inputs", "missing.npz"]
RUNS = [
    *(f"inputs/runs/{name}" for name in ("at", "ijsat", "trades", "mart")),
    *(f"inputs/runs/{name}" for name in ("iat", "dmat", "standard", "none")),
    *("inputs/runs", "inputs/runs/at/classifier.keras", "inputs", "", "/", "."),
    *("at=inputs/runs/at", "at=inputs/runs/iat", "=", "x=", "=inputs/runs/at"),
    *("../x=inputs/runs/at", "inputs/bad/empty", LONG, "inputs/flow.keras"),
    "inputs/few_classes.keras",
]
SOUND = ["inputs/runs/at", "inputs/runs", "at=inputs/runs/at"]
FOLDERS = ["out", "new/deep/out", "ü ñ", "new/../out", "", "."]
FOLDERS += ["inputs/bad/empty", "/proc/fuzz", "inputs/bad/empty/out", LONG]
FILES = ["out.png", "new/deep/out.pdf", "ü ñ.md", "out", "", ".", "inputs"]
FILES += ["/proc/fuzz.png", "inputs/bad/empty/out.png", f"{LONG}.png", "a.b/c"]
SETS = ["digits", "om_digits", "Digits", "nothing", "", "../digits"]
SETS += ["om_digits:9.9.9", "om_digits/x", "inputs/sets/om_digits", LONG]
SPLITS = ["train", "test", "train[:50%]", "test[:2]", "train+test", "", "x"]
SPLITS += ["train[", "all", "~", LONG]
ATTACKS = ["fgsm", "pgd1", "mia2", "om_pgd1", "jsa1", "apgd2", "worst_of1"]
ATTACKS += ["standard", "elastic1", "l2_1", "table1", "pgd0", "pgd-1", "PGD1"]
ATTACKS += ["stadv1", "recolor1", "rotate_translate1", "pat_narrow"]
ATTACKS += ["nothing", "fgsm2", "", "pgd1 ", "../pgd1", "pgd1.5", "jsa"]
NUMBERS = ["1", "2", "0", "-1", "3", "", "x", "1.5", "nan", "inf", "1e400"]

STRINGS = {
    **dict.fromkeys(("flow", "gan", "features", "pretrained"), MODELS),
    **dict.fromkeys(("vgg16", "lpips"), ARCHIVES),
    **dict.fromkeys(("workdir", "records"), FOLDERS),
    "output": FOLDERS + FILES,
    **dict.fromkeys(("picture", "curves", "html"), FILES),
    "data_dir": ["inputs/sets", "inputs", "missing", "", "inputs/bad/empty"],
    "dataset": SETS,
    **dict.fromkeys(("train_split", "test_split"), SPLITS),
    **dict.fromkeys(("robust_attack", "compare"), ATTACKS),
    "corrupted_data": ["inputs", "missing", "", "tfds", "inputs/bad/empty"],
    "figures": ["inputs/pictures", "inputs", "missing", "", "inputs/bad/empty"],
    "note": ["", "a note", "<script>&", "ü\nñ", LONG, "\udcff"],
}
LISTS = {
    "runs": RUNS,
    **dict.fromkeys(("attacks", "union"), ATTACKS),
    "corruptions": ["fog", "gaussian_noise", "jpeg_compression", "Fog", "x"],
    "feature_layers": ["stage1", "stage2", "dense", "nothing", "stage1 "],
    "figures": ["samples", "1", "fig2", "pipeline", "4", "5", "projections"]
    + ["levels", "interpolations", "flow_samples", "11", "fig", "all", "x"],
    "formats": ["png", "pdf", "svg", "PNG", "gif", "../png"],
}
# Half of the values that are drawn are such that parsers take them.
INTEGERS = ["1", "2", "3", " 2", "٣"]
NO_INTEGERS = ["-1", "0", "", "x", "1.5", "1e3", "0x2", "None"]
FRACTIONS = ["8/255", "0", "0.5", "1", "1e-30", "1e9", "1e-400", "-0", "1_0"]
NO_FRACTIONS = ["-1", "", "x", "1/0", "nan", "inf", "1e400", "1e999999999"]
NO_FRACTIONS += ["1/3/5", "1/1e999999999", "½", "3/", "0x1", "None", "-1/-3"]
BOOLS = ["true", "false", "1", "0", "", "maybe", "2", "None"]


def flags_of(script: str, target: pathlib.Path) -> None:
    """Writes what a main defines, {name: kind, default, values}, as JSON."""
    os.chdir(commands.ROOT)
    path = commands.ROOT / script
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    runpy.run_path(str(path), run_name="main")
    found = {
        flag.name: {
            "kind": flag.parser.flag_type(),
            "default": flag.value,
            "values": getattr(flag.parser, "enum_values", None),
        }
        for module, defined in flags.FLAGS.flags_by_module_dict().items()
        if module.startswith("ijsat_tf")
        or hasattr(sys.modules.get(module), "ij")
        or module in ("main", "options", "corruptions")
        for flag in defined
    }
    target.write_text(json.dumps(found))


def draw(main: str, known: dict[str, Any], chance: random.Random) -> list[str]:
    """The arguments of one command line.

    Args:
        main: of `MAINS`.
        known: its flags, as `flags_of` writes them.
        chance: of all draws.
    """
    settings = BASES[main](chance)
    for name in chance.sample(sorted(known), chance.choice([0, 1, 1, 1, 2, 3])):
        settings[name] = value(name, known[name], chance)
    found = [
        written(name, value, known.get(name, {}).get("kind"), chance)
        for name, value in settings.items()
        if value is not None
    ]
    if chance.random() < 0.1:
        odd = chance.choice(sorted(known))
        found += chance.choice(
            [
                [f"--{odd}x=1"],
                [f"--{odd[:-1]}=1"],
                [f"--{odd}"],
                [f"{odd}=1"],
                ["--"],
                ["-"],
                ["--=1"],
                ["---seed=1"],
                ["-seed", "1"],
                ["--seed=1", "--seed=2"],
                ["--noseed"],
                ["\udcff"],
                ["--flagfile=missing.cfg"],
                ["--flagfile=inputs"],
                ["--flagfile="],
                ["--flagfile=inputs/bad/empty"],
                ["--flagfile=inputs/bad/bytes.cfg"],
                ["--flagfile=inputs/bad/unknown.cfg"],
                ["--flagfile=inputs/bad/loop.cfg"],
                ["--flagfile=inputs/flow.keras"],
            ]
        )
    return found


def value(name: str, flag: dict[str, Any], chance: random.Random) -> Any:
    """Of one flag, legal or not; None leaves it out."""
    if chance.random() < 0.05:
        return None
    match flag["kind"]:
        case "int":
            large = ["1000000000000"] * (2 * (name in BOUNDED))
            return chance.choice(chance.choice([INTEGERS, NO_INTEGERS + large]))
        case "fraction":
            return chance.choice(chance.choice([FRACTIONS, NO_FRACTIONS]))
        case "bool":
            return chance.choice(BOOLS)
        case "string enum":
            near = chance.choice(flag["values"])
            return chance.choice(
                [*flag["values"], near[:-1], near.upper(), near + " ", ""]
            )
        case kind if "list" in kind:
            values = LISTS.get(name, NUMBERS)
            few = [chance.choice(values) for _ in range(chance.randint(1, 2))]
            return chance.choice([",".join(few)] * 4 + ["", ",", few[0] + ","])
        case _:
            return chance.choice(STRINGS[name])


def written(
    name: str, value: str, kind: str | None, chance: random.Random
) -> str:
    """A flag as a command line has it."""
    if kind == "bool" and value in ("true", "false") and chance.random() < 0.5:
        return f"--{name}" if value == "true" else f"--no{name}"
    return f"--{name}={value}"


def _settings(arguments: list[str]) -> dict[str, str]:
    return dict(each.removeprefix("--").split("=", 1) for each in arguments)


def _train(chance: random.Random) -> dict[str, str]:
    generators = "flow sngan vaegan project".split()
    rest = "standard mixup manifold_mixup cutout at trades mart iat dmat ijsat"
    rest += " randomized_la adversarial_la on_manifold advprop rlat fast_pat"
    method = chance.choice(generators + rest.split())
    settings = {
        "method": method,
        "workdir": "out",
        **_settings(TINY),
        "data_dir": "inputs/sets",
        **dict.fromkeys(("flow_steps", "critic_steps"), "1"),
        **dict.fromkeys(("flow_levels", "latent_size"), "2"),
        **dict.fromkeys(("flow_hidden", "gan_width"), "4"),
        "discriminator_width": "4",
        "projection_steps": "1",
        "test_examples": "16",
    }
    if method == "project":
        return settings | {"gan": "inputs/sngan.keras"}
    if method in generators:
        return settings
    return settings | chance.choice(
        [
            {"flow": "inputs/flow.keras"},
            {"flow": "inputs/flow.keras"},
            {"gan": "inputs/vaegan.keras"},
            {"gan": "inputs/sngan.keras", "dataset": "om_digits"},
            {
                "flow": "inputs/flow.keras",
                "held_out": "16",
                "robust_attack": "pgd1",
                "robust_every": "1",
            },
        ]
    )


def _evaluate(chance: random.Random) -> dict[str, str]:
    settings = {
        "runs": chance.choice(["inputs/runs/at", "inputs/runs/ijsat"]),
        "dataset": "digits",
        "data_dir": "inputs/sets",
        "examples": "8",
        "batch_size": "4",
        "epsilon": "0.1",
        "attacks": "fgsm,pgd1",
        "flow": "inputs/flow.keras",
        "severities": "1",
    }
    return settings | chance.choice(
        [
            {},
            {"records": "out"},
            {"records": "out", "attacks": chance.choice(ATTACKS)},
            {"checkpoint": "best"},
            {"table_only": "true"},
            {"records": "out", "corruptions": "fog"},
            {"curves": "out.png"},
        ]
    )


def _report(chance: random.Random) -> dict[str, str]:
    return {
        "runs": chance.choice([chance.choice(RUNS), *SOUND]),
        **chance.choice(
            [
                {"table": str(chance.randint(1, 7))},
                {"table": "1", "output": "out.md"},
                {"table": "1", "checks": "true"},
                {"html": "out.html"},
                {"html": "out.html", "figures": "inputs/pictures"},
            ]
        ),
    }


def _figures(chance: random.Random) -> dict[str, str]:
    return {
        "output": "out",
        "formats": "png",
        "runs": "inputs/runs/at",
        "flow": "inputs/flow.keras",
        "gan": "inputs/sngan.keras",
        "dataset": "digits",
        "data_dir": "inputs/sets",
        "images": "2",
        "steps": "1",
        "attacks": "pgd1",
        "figures": chance.choice(LISTS["figures"][:-4]),
    }


BASES = {
    "train": _train,
    "eval": _evaluate,
    "report": _report,
    "figures": _figures,
}
