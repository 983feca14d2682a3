"""Breaks the files of runs and evaluations, fills their disk, and looks
whether anything is lost.

python tests/endurance/faults.py runs/faults --truncations=50 --flips=50 \\
    --fillings=20

It trains a small net on the digits, and evaluates it, undisturbed and killed
half way. Then, each time from a fresh copy of what was killed, it truncates
files at a random place, flips random bytes, or fills the disk, and gives the
same command again. That must either end with what the undisturbed one left,
equal to the bit, or with code 2 and one line that names the file; and what was
whole stays whole. tests/endurance/faults_kinds.py says what is broken.

Checkpoints and records are truncated and flipped as often as is asked, other
files a fifth as often. The disk is a tmpfs of its own, which root may mount, or
who may make a namespace (unshare -rm); elsewhere a limit on the length of files
takes its place, and the table says so.

Commands run as forks of a server, in a process each, and --processes of them
as a shell starts them. Kinds are mixed: a signal (SIGTERM, or Ctrl-C) ends with
the table of what was tried so far. Failures go to FOLDER/failures.txt. Exit
code 1 if there is one.
"""

from __future__ import annotations

import argparse
import collections
import functools
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import commands  # noqa: E402
from tests.endurance import faults_kinds  # noqa: E402
from tests.endurance.faults_kinds import Trial, Wrong  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truncations", type=int, default=50)
    parser.add_argument("--flips", type=int, default=50)
    parser.add_argument("--fillings", type=int, default=20)
    parser.add_argument("--processes", type=int, default=10)
    given = parser.parse_args()
    # There a mount goes with this process, however it ends.
    if "IJSAT_UNSHARED" not in os.environ and _may("unshare", "-rm", "true"):
        os.environ["IJSAT_UNSHARED"] = "yes"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])
    # A shell ignores Ctrl-C for what it starts in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = given.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    faults_kinds.prepare(folder)
    print("undisturbed, and killed half way: done", flush=True)

    (folder / "disk").mkdir()
    mounted = given.fillings and _may(
        "mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder / "disk")
    )
    every = list(trials(given, folder, mounted))
    counts = {kind: collections.Counter() for kind, _ in every}
    chance, before = random.Random(given.seed), _memory()
    # Whenever it is stopped, there were some of each kind.
    chance.shuffle(every)
    real = chance.sample(range(len(every)), min(given.processes, len(every)))
    try:
        for place, (kind, trial) in enumerate(every):
            way = faults_kinds.process if place in real else commands.run
            try:
                end, why = trial(way)
            except Wrong as error:
                end, why = Trial("wrong", str(error))
                with open(folder / "failures.txt", "a") as file:
                    file.write(f"{place} {kind}: {why}\n\n")
                for name in ("run", "records", "disk"):
                    if (folder / name).exists():
                        kept = folder / f"wrong{place}" / name
                        shutil.copytree(folder / name, kept)
            counts[kind][end] += 1
            print(f"{place} {kind}: {end}  {why[-300:]}", flush=True)
    except KeyboardInterrupt:
        print(f"stopped after {place} of {len(every)}")
    finally:
        if mounted:
            subprocess.run(["umount", str(folder / "disk")], check=True)
    print(table(counts))
    if given.fillings and not mounted:
        print(
            "Nothing can be mounted here: no disk was filled, a limit on the "
            "length of files took its place, and none for evaluations."
        )
    print(f"memory: {before:.0f} MB at first, {_memory():.0f} MB at the end")
    return any(found["wrong"] for found in counts.values())


def trials(
    given: argparse.Namespace, folder: pathlib.Path, mounted: bool
) -> Iterator[tuple[str, Callable]]:
    """(kind, function of the way to run a command), one a trial."""
    for what, name, part in (
        (faults_kinds.checkpoints, "checkpoints", 1),
        (faults_kinds.records, "records", 1),
        (faults_kinds.settings, "settings.cfg", 5),
        (faults_kinds.log, "log.csv, curve.csv", 5),
        (faults_kinds.networks, "networks", 5),
    ):
        for damage, times in (
            (truncated, given.truncations),
            (flipped, given.flips),
        ):
            kind = f"{name} {damage.__name__}"
            for place in range(times // part):
                chance = random.Random(f"{given.seed} {kind} {place}")
                yield kind, functools.partial(what, folder, chance, damage)
    count = given.fillings
    for place in range(count):
        share = (place + 0.5) / count
        if mounted:
            for script in ("train", "eval"):
                yield (
                    f"full disk, {script}",
                    functools.partial(
                        faults_kinds.full_disk, folder, script, share
                    ),
                )
        else:
            yield (
                "files limited, train",
                lambda _, share=share: faults_kinds.limited(folder, share),
            )


def truncated(path: pathlib.Path, chance: random.Random) -> None:
    """Cuts a file off at a random place."""
    os.truncate(path, chance.randrange(path.stat().st_size))


def flipped(path: pathlib.Path, chance: random.Random) -> None:
    """Changes 1 to 8 random bytes of a file."""
    content = bytearray(path.read_bytes())
    count = min(chance.randint(1, 8), len(content))
    for place in chance.sample(range(len(content)), count):
        content[place] ^= chance.randint(1, 255)
    path.write_bytes(content)


def table(counts: dict[str, collections.Counter]) -> str:
    """What came of all trials, as Markdown."""
    lines = [
        "| Kind | Times | Resumed | Refused with a line | Wrong |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, found in counts.items():
        numbers = [found[end] for end in ("resumed", "refused", "wrong")]
        lines.append(
            f"| {kind} | {sum(numbers)} | {' | '.join(map(str, numbers))} |"
        )
    return "\n".join(lines)


def _may(*command: str) -> bool:
    try:
        return not subprocess.run(command, capture_output=True).returncode
    except OSError:
        return False


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    sys.exit(main())
