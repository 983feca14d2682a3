"""Kills a command at random moments until it is done, again and again, and
compares what it left with what it leaves undisturbed.

python tests/endurance/storm.py runs/storm --kills=5 -- \\
    eval/main.py --flagfile=eval/configs/digits_report.cfg \\
    --flow=runs/digits/flow/flow.keras --runs=runs/digits/at --records={folder}

The command is one of this project's, with {folder} where it writes. It runs
undisturbed once; then, each time from an empty folder, it is started, killed
(SIGKILL) at a random moment, and started again, until it ends by itself; all
that until so many kills are done. Records, networks, logs and curves that it
left must be equal to the bit, but for times. Exit code 1 if one differs.
"""

from __future__ import annotations

import argparse
import csv
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402

import ijsat_tf  # noqa: E402, F401 (its layers can then be loaded)
from ijsat_tf.evaluation import records  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("command", nargs="+", help="after --")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)

    calm = given.folder / "calm"
    began = time.monotonic()
    if not ended(given.command, calm):
        raise SystemExit(f"it fails undisturbed: see {log(calm)}")
    whole = time.monotonic() - began
    print(f"undisturbed: {whole:.0f} s, {len(files(calm))} files")

    kills, rounds, wrong = 0, 0, []
    while kills < given.kills:
        rounds += 1
        stormy = given.folder / f"stormy{rounds}"
        # A round has about five kills, wherever in the work they fall.
        left = given.kills - kills
        while left and not ended(
            given.command, stormy, after := chance.uniform(0, whole / 2)
        ):
            kills, left = kills + 1, left - 1
            print(f"kill {kills} after {after:.1f} s", flush=True)
        if not left and not ended(given.command, stormy):
            raise SystemExit(f"it does not go on: see {log(stormy)}")
        found = differences(calm, stormy)
        wrong += found
        print(f"round {rounds}: {'; '.join(found) or 'equal to the bit'}")
    print(
        f"{kills} kills in {rounds} rounds, {len(wrong)} of "
        f"{rounds * len(files(calm))} files differ"
    )
    return bool(wrong)


def ended(
    command: list[str], folder: pathlib.Path, seconds: float | None = None
) -> bool:
    """Whether a command ends by itself, before it is killed."""
    filled = [part.replace("{folder}", str(folder)) for part in command]
    with open(log(folder), "ab") as output:
        process = subprocess.Popen(
            [sys.executable, *filled],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False
    if code:
        raise SystemExit(f"exit code {code}: see {log(folder)}")
    return True


def log(folder: pathlib.Path) -> pathlib.Path:
    """What the command printed."""
    return folder.with_suffix(".log")


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    """The records, networks and logs below a folder, relative to it."""
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("[!.]*")
        if path.suffix in (".npz", ".keras", ".csv")
    )


def differences(calm: pathlib.Path, stormy: pathlib.Path) -> list[str]:
    """The names of files that are not equal."""
    names = files(calm)
    if files(stormy) != names:
        return [f"{stormy} has other files than {calm}"]
    return [str(name) for name in names if not same(calm / name, stormy / name)]


def same(left: pathlib.Path, right: pathlib.Path) -> bool:
    """Whether two files hold the same numbers, times aside."""
    if left.suffix == ".csv":
        return _rows(left) == _rows(right)
    if left.suffix == ".keras":
        one, other = map(_weights, (left, right))
    else:
        one, other = map(_numbers, (left, right))
    return one.keys() == other.keys() and all(
        np.array_equal(value, other[name]) for name, value in one.items()
    )


def _weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    model = keras.saving.load_model(path)
    return {
        f"{place} {each.path}": each.numpy()
        for place, each in enumerate(model.variables)
    }


def _rows(path: pathlib.Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return [
            {name: row[name] for name in row if "second" not in name}
            for row in csv.DictReader(file)
        ]


def _numbers(path: pathlib.Path) -> dict[str, np.ndarray]:
    found = records.load(path)._asdict()
    found.pop("seconds")
    budget = found.pop("budget")
    return {**found, **budget}


if __name__ == "__main__":
    sys.exit(main())
