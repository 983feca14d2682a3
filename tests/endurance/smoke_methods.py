"""Trains rows of all tables for one short epoch, and attacks what they gave.

python tests/endurance/smoke_methods.py runs/smoke [ROW ...]

Each row's flagfile, a quarter of the width and 2,000 images, from a flow and
GANs that are trained as shortly; by default one row per method. Batches of 32
at a rate of 0.03 give so short a training enough steps for a loss to fall.
CIFAR-10 is read from the folder that IJSAT_DATA_DIR names, or downloaded. Exit
code 1 if a loss did not fall.
"""

from __future__ import annotations

import csv
import os
import pathlib
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
from tensorboard.backend.event_processing import (  # noqa: E402
    event_accumulator,
)
from tensorboard.util import tensor_util  # noqa: E402

import ijsat_tf as ij  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
CONFIGS = ROOT / "train" / "configs"
# Rows, and what they attack the manifold with.
ROWS = {
    "standard": "",
    "at": "",
    "dmat": "sngan",
    "iat": "",
    "trades": "",
    "mart": "",
    "ijsat": "flow",
    "at_jsa_gan": "sngan",
    "at_jsa_mixup": "flow",
    "dmat_jsa": "flow",
    "accuracy_mixup": "",
    "accuracy_manifold_mixup": "",
    "accuracy_cutout": "",
    "accuracy_vaegan": "vaegan",
    "accuracy_randomized_la": "flow",
    "accuracy_adversarial_la": "flow",
    "accuracy_ijsat": "flow",
    "corruptions_at_l2": "",
    "corruptions_fast_pat": "",
    "corruptions_advprop": "",
    "corruptions_rlat": "",
    "corruptions_ijsat": "flow",
}
SHORT = ["--epochs=1", "--train_examples=2000"]
ROW = [
    "--width=16",
    *SHORT,
    "--attack_steps=5",
    "--schedule=drops",
    "--drops=",
    "--batch_size=32",
    "--learning_rate=0.03",
    "--held_out=200",
    "--robust_attack=pgd10",
    "--log_every=1",
]
ATTACKS = ("fgsm", "pgd10")


def main(folder: pathlib.Path, *rows: str) -> int:
    rows = rows or tuple(ROWS)
    needed = {ROWS[row] for row in rows}
    if "flow" in needed:
        train("cifar10_flow_small", folder / "flow", *SHORT)
    if "vaegan" in needed:
        train("cifar10_vaegan", folder / "vaegan", *SHORT, "--gan_width=16")
    if "sngan" in needed:
        train("cifar10_sngan_small", folder / "sngan", *SHORT)
        train(
            "cifar10_project",
            folder / "om",
            "--train_examples=2200",
            "--test_examples=200",
            "--projection_steps=5",
            f"--gan={folder / 'sngan' / 'sngan.keras'}",
        )
    given = {
        "": [],
        "flow": [f"--flow={folder / 'flow' / 'flow.keras'}"],
        "vaegan": [f"--gan={folder / 'vaegan' / 'vaegan.keras'}"],
        "sngan": [
            f"--gan={folder / 'sngan' / 'sngan.keras'}",
            f"--data_dir={folder / 'om'}",
        ],
    }
    for row in rows:
        # The original takes one step, at which JSA would be no search.
        more = ["--attack_steps=1"] if row == "corruptions_advprop" else []
        train(f"cifar10_{row}", folder / row, *ROW, *more, *given[ROWS[row]])
    command(
        "eval",
        ROOT / "eval" / "configs" / "cifar10_small.cfg",
        f"--runs={','.join(str(folder / row) for row in rows)}",
        f"--attacks={','.join(ATTACKS)}",
        "--examples=200",
    )
    columns = ("loss, first third", "last third", "images/s")
    print(
        " | ".join(("", "Method", *columns, "standard", *ATTACKS, "")).strip()
    )
    print("| --- " * (2 + len(columns) + len(ATTACKS)) + "|")
    risen = []
    for row in rows:
        first, last = thirds(folder / row)
        if last >= first:
            risen.append(row)
        records = ij.evaluation.read(folder / row / "records" / "last")
        cells = [f"{first:.3f}", f"{last:.3f}", f"{speed(folder / row):.0f}"]
        cells += [
            f"{100 * records[name].correct.mean():.1f}"
            for name in ("standard", *ATTACKS)
        ]
        print(f"| {row} | {' | '.join(cells)} |")
    print(f"losses that did not fall: {', '.join(risen) or 'none'}")
    return int(bool(risen))


def train(config: str, workdir: pathlib.Path, *arguments: str) -> None:
    """`python train/main.py` with a flagfile and more flags."""
    flagfile = CONFIGS / f"{config}.cfg"
    command("train", flagfile, f"--workdir={workdir}", *arguments)


def command(script: str, flagfile: pathlib.Path, *arguments: str) -> None:
    """`python SCRIPT/main.py`; the time that it took is printed."""
    data = os.environ.get("IJSAT_DATA_DIR")
    start = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            str(ROOT / script / "main.py"),
            f"--flagfile={flagfile}",
            *([f"--data_dir={data}"] if data else []),
            *arguments,
        ],
        check=True,
    )
    print(f"{time.perf_counter() - start:.0f} s", flush=True)


def thirds(run: pathlib.Path) -> tuple[float, float]:
    """The mean loss of the first and of the last third of the steps."""
    events = event_accumulator.EventAccumulator(
        str(run / "events" / "steps"), size_guidance={"tensors": 0}
    )
    events.Reload()
    losses = [
        tensor_util.make_ndarray(event.tensor_proto).item()
        for event in events.Tensors("loss")
    ]
    third = len(losses) // 3
    return np.mean(losses[:third]), np.mean(losses[-third:])


def speed(run: pathlib.Path) -> float:
    """Images a second of the only epoch."""
    with open(run / "log.csv") as log:
        return float(next(csv.DictReader(log))["images_per_second"])


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))
