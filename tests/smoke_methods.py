"""Trains every row of Table 1 for one short epoch, and attacks what it gave.

python tests/smoke_methods.py runs/smoke

Each row's flagfile and small.cfg with 2,000 images, from one flow that is
trained as shortly. Batches of 32 at a rate of 0.03 give so short a training
enough steps for a loss to fall. CIFAR-10 is read from the folder that
IJSAT_DATA_DIR names, or downloaded. Exit code 1 if a loss did not fall.
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

ROOT = pathlib.Path(__file__).parents[1]
CONFIGS = ROOT / "train" / "configs"
ROWS = ("standard", "at", "dmat", "iat", "trades", "mart", "ijsat")
SHORT = ["--epochs=1", "--train_examples=2000"]
ROW = [
    f"--flagfile={CONFIGS / 'small.cfg'}",
    *SHORT,
    "--drops=",
    "--batch_size=32",
    "--learning_rate=0.03",
    "--held_out=200",
    "--robust_attack=pgd10",
    "--log_every=1",
]
ATTACKS = ("fgsm", "pgd10")


def main(folder: pathlib.Path) -> int:
    flow = folder / "flow" / "flow.keras"
    command("train", CONFIGS / "cifar10_flow_small.cfg", *SHORT, flow.parent)
    for row in ROWS:
        command(
            "train",
            CONFIGS / f"cifar10_{row}.cfg",
            *ROW,
            f"--flow={flow}",
            folder / row,
        )
    command(
        "eval",
        ROOT / "eval" / "configs" / "cifar10_small.cfg",
        f"--runs={','.join(str(folder / row) for row in ROWS)}",
        f"--attacks={','.join(ATTACKS)}",
        "--examples=200",
    )
    columns = ("loss, first third", "last third", "images/s")
    print(
        " | ".join(("", "Method", *columns, "standard", *ATTACKS, "")).strip()
    )
    print("| --- " * (2 + len(columns) + len(ATTACKS)) + "|")
    risen = []
    for row in ROWS:
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


def command(
    script: str, flagfile: pathlib.Path, *arguments: str | pathlib.Path
) -> None:
    """`python SCRIPT/main.py`; a path among the arguments is the workdir."""
    data = os.environ.get("IJSAT_DATA_DIR")
    start = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            str(ROOT / script / "main.py"),
            f"--flagfile={flagfile}",
            *([f"--data_dir={data}"] if data else []),
            *(
                f"--workdir={item}" if isinstance(item, pathlib.Path) else item
                for item in arguments
            ),
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
    sys.exit(main(pathlib.Path(sys.argv[1])))
