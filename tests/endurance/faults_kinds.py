"""The kinds of damage that faults.py tries, and what must come of each.

Every trial begins with a fresh copy of a run, or of an evaluation, that was
killed half way, breaks something in it, gives the same command again, and
compares what is then there with what an undisturbed one left, to the bit.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tests import commands

_DATA = ["--dataset=digits", "--batch_size=16"]
_TRAIN = [
    *_DATA,
    *(
        "--method=standard",
        "--augment=none",
        "--train_examples=64",
        "--epochs=3",
    ),
    *("--model=small_cnn", "--width=4", "--drops="),
    *("--epsilon=3/20", "--held_out=40", "--robust_every=1"),
    *("--robust_attack=fgsm", "--checkpoint_every=0", "--keep=3"),
]
_EVALUATE = [*_DATA, "--examples=64", "--attacks=fgsm,pgd2"]
_FLAGS = {"train": "workdir", "eval": "records"}
_NETWORKS = ("classifier.keras", "model.keras", "best.keras")
# Bytes that are enough, beside what is there, to go on to the end.
_ROOMS = {"train": 200_000, "eval": 24_000}
# A run takes about as many from its middle to its end.
_SECONDS = 8


class Trial(NamedTuple):
    """What came of one: resumed, refused or wrong, and what was said."""

    end: str
    why: str = ""


class Wrong(Exception):
    """What is not as promised."""


Way = Callable[..., commands.Outcome]


def process(script: str, *arguments: str) -> commands.Outcome:
    """A command as a shell starts it."""
    done = subprocess.run(
        [sys.executable, commands.ROOT / script / "main.py", *arguments],
        cwd=commands.ROOT,
        env={**os.environ, "PYTHONPATH": str(commands.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return commands.Outcome(done.returncode, done.stdout)


def prepare(folder: pathlib.Path) -> None:
    """Makes what is whole, and what was killed half way, of both commands."""
    # Trials work at this place too: settings name it.
    place = folder / "run"
    for script, seen in (
        ("train", "checkpoints/step-000000006.weights.h5"),
        ("eval", "run/pgd2.npz"),
    ):
        outcome = _again(script, commands.run, folder, place)
        _expect(outcome.code == 0, outcome.output)
        _copied(place, folder / "calm" / script)
        shutil.rmtree(place)

        def kill(*command: str, file: pathlib.Path = place / seen):
            commands.stopped(signal.SIGKILL, file, *command)

        _again(script, kill, folder, place)
        _copied(place, folder / "half" / script)
        shutil.rmtree(place)


def checkpoints(folder, chance, damage, way: Way) -> Trial:
    """One, two or all three checkpoints, their weights or their facts."""
    run = _copied(folder / "half/train", folder / "run")
    found = sorted((run / "checkpoints").glob("step-*.weights.h5"))
    weights = {path: path.read_bytes() for path in found}
    facts = {path: _read(_facts(path)) for path in found}
    count = chance.choice([1, 1, 1, 2, len(found)])
    newest = chance.random() < 0.5
    chosen = found[-count:] if newest else chance.sample(found, count)
    for path in chosen:
        damage(chance.choice([path, _facts(path)]), chance)
    before = _digests(run)
    broken = {
        path
        for path in chosen
        if path.read_bytes() != weights[path]
        or _read(_facts(path)) != facts[path]
    }
    outcome = _again("train", way, folder, run)
    whole = [path for path in found if path not in broken]
    for path in broken:
        if not whole or path > whole[-1]:
            _expect(f"{path} cannot be used" in outcome.output, f"no {path}")
    if not whole:
        return _refused(outcome, "None of the checkpoints", run, before)
    return _resumed(outcome, folder, run)


def settings(folder, chance, damage, way: Way) -> Trial:
    """settings.cfg, given as a flagfile or not."""
    run = _copied(folder / "half/train", folder / "run")
    file = run / "settings.cfg"
    damage(file, chance)
    before = _digests(run)
    if chance.random() < 0.5:
        outcome = _again("train", way, folder, run)
    else:
        outcome = way("train", f"--flagfile={file}", f"--workdir={run}")
    if outcome.code == 0:
        return _resumed(outcome, folder, run)
    return _refused(outcome, "", run, before)


def log(folder, chance, damage, way: Way) -> Trial:
    """log.csv or curve.csv; a digit that is another one cannot be noticed,
    and stays."""
    run = _copied(folder / "half/train", folder / "run")
    file = run / chance.choice(["log.csv", "curve.csv"])
    damage(file, chance)
    before, rows = _digests(run), _shape(file)
    outcome = _again("train", way, folder, run)
    if outcome.code == 0:
        _resumed(outcome, folder, run, logs=False)
        if not _shape(folder / "calm/train" / file.name) == _shape(file):
            _expect(file.name in outcome.output, f"{file}: {rows} silently")
        return Trial("resumed")
    return _refused(outcome, file.name, run, before)


def networks(folder, chance, damage, way: Way) -> Trial:
    """The networks of a finished run, evaluated, and trained to the end
    again."""
    run = _copied(folder / "calm/train", folder / "run")
    file = run / chance.choice(_NETWORKS)
    damage(file, chance)
    before = _digests(run)
    shutil.rmtree(folder / "records", ignore_errors=True)
    asked = "best" if file.stem == "best" else "last"
    outcome = way(
        "eval",
        *_EVALUATE,
        f"--runs=run={run}",
        f"--checkpoint={asked}",
        f"--records={folder / 'records'}",
    )
    found = None
    if outcome.code:
        found = _refused(outcome, file.name, run, before)
    elif asked == "last":
        _evaluated(folder, folder / "records")
    if asked == "last":
        _resumed(_again("train", way, folder, run), folder, run)
    return found or Trial("resumed")


def records(folder, chance, damage, way: Way) -> Trial:
    """The record of a column, complete or not."""
    place = _copied(folder / "half/eval", folder / "records")
    file = chance.choice(sorted((place / "run").glob("*.npz")))
    damage(file, chance)
    before = _digests(place)
    outcome = _again("eval", way, folder, place)
    if outcome.code:
        return _refused(outcome, str(file), place, before)
    _evaluated(folder, place)
    return Trial("resumed")


def full_disk(folder, script: str, share: float, way: Way) -> Trial:
    """A disk on which others leave less and less room: for a share of what is
    left to write, from the start; or, of shares above a half, for nothing from
    some moment on.
    """
    disk = folder / "disk"
    for path in disk.iterdir():
        path.unlink() if path.is_file() else shutil.rmtree(path)
    place = _copied(folder / "half" / script, disk / script)
    state = os.statvfs(disk)
    free = state.f_bavail * state.f_frsize
    filler, done = disk / "filler", threading.Event()
    if share < 0.5:
        with open(filler, "wb") as file:
            size = free - int(2 * share * _ROOMS[script])
            os.posix_fallocate(file.fileno(), 0, size)
    else:
        after = (2 * share - 1) * _SECONDS
        other = threading.Thread(target=_fill, args=(filler, after, done))
        other.start()
    outcome = _again(script, way, folder, place)
    if share >= 0.5:
        done.set()
        other.join()
    filler.unlink(missing_ok=True)
    return _after_writing(outcome, script, folder, place)


def _fill(filler: pathlib.Path, after: float, done: threading.Event) -> None:
    """Takes all the room there is after so many seconds, and what others leave
    later."""
    if done.wait(after):
        return
    with open(filler, "wb", buffering=0) as file:
        while not done.wait(0.001):
            with contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass


def limited(folder, share: float) -> Trial:
    """Files that cannot be longer than a share of a checkpoint, where no disk
    can be filled."""
    place = _copied(folder / "half/train", folder / "run")
    size = next((place / "checkpoints").glob("*.h5")).stat().st_size
    # What the command prints is a file too.
    limit = int(size / 2 * (1 + share))

    def way(script: str, *arguments: str) -> commands.Outcome:
        return commands.call(_limited, limit, script, arguments)

    outcome = _again("train", way, folder, place)
    return _after_writing(outcome, "train", folder, place)


def _limited(limit: int, script: str, arguments: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    commands.main(script, arguments)


def _after_writing(outcome, script: str, folder, place) -> Trial:
    """A command that met a full disk ends in a line; nothing is broken, and
    with room it goes on."""
    if script == "train":
        _whole(place)
    left = [str(path) for path in place.rglob(".*")]
    _expect(not left or outcome.code == 0, f"left behind: {left}")
    found = Trial("resumed")
    if outcome.code:
        found = Trial("refused", _line(outcome, str(place)))
        again = _again(script, commands.run, folder, place)
        _expect(again.code == 0, f"does not go on: {again.output[-500:]}")
    if script == "train":
        _resumed(commands.Outcome(0, ""), folder, place)
    else:
        _evaluated(folder, place)
    return found


def _again(script: str, way: Way, folder, place) -> commands.Outcome:
    arguments = _TRAIN
    if script == "eval":
        arguments = *_EVALUATE, f"--runs=run={folder / 'calm/train'}"
    return way(script, *arguments, f"--{_FLAGS[script]}={place}")


def _copied(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(target, ignore_errors=True)
    return pathlib.Path(shutil.copytree(source, target))


def _resumed(outcome, folder, run: pathlib.Path, logs: bool = True) -> Trial:
    """A run that went on has what an undisturbed one has."""
    _expect(outcome.code == 0, f"code {outcome.code}: {outcome.output[-500:]}")
    calm = folder / "calm/train"
    for name in _NETWORKS:
        _expect(_weights(run / name) == _weights(calm / name), f"other {name}")
    found = [
        {path.name: path.read_bytes() for path in place.glob("checkpoints/*")}
        for place in (run, calm)
    ]
    # All facts but the settings' are those of the undisturbed run.
    _expect(found[0] == found[1], "other checkpoints")
    for name in ("log.csv", "curve.csv") if logs else ():
        _expect(_rows(run / name) == _rows(calm / name), f"other {name}")
    return Trial("resumed")


def _evaluated(folder, place: pathlib.Path) -> None:
    calm = folder / "calm/eval"
    names = {path.relative_to(calm) for path in calm.rglob("*.npz")}
    for name in names:
        one, other = _arrays(calm / name), _arrays(place / name)
        _expect(one == other, f"other {name}")


def _refused(outcome, named: str, place, before: dict[str, str]) -> Trial:
    """A command that refuses says so in a line, and changes nothing."""
    line = _line(outcome, named)
    after = _digests(place)
    changed = {n for n in before if after.get(n) != before[n]}
    _expect(not changed, f"refused, but changed {changed}")
    return Trial("refused", line)


def _line(outcome: commands.Outcome, named: str) -> str:
    """The line of an error, which names something."""
    _expect(outcome.code == 2, f"{outcome.code}: {outcome.output[-500:]}")
    line = outcome.output.strip().splitlines()[-1]
    fine = line.startswith("main.py: ") and named in line
    fine = fine and "Traceback" not in outcome.output
    _expect(fine, f"no line of {named}: {outcome.output[-2000:]}")
    return line


def _whole(run: pathlib.Path) -> None:
    """All checkpoints are whole, and there is one."""
    found = list((run / "checkpoints").glob("step-*.weights.h5"))
    _expect(found, "no checkpoint is left")
    for path in found:
        facts = _read(_facts(path))
        expected = facts.pop("digest", None)
        content = path.read_bytes() + json.dumps(facts, sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        _expect(digest == expected, f"broken: {path}")


def _facts(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(path.name.replace(".weights.h5", ".json"))


def _read(path: pathlib.Path) -> dict:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return {}


def _digests(place: pathlib.Path) -> dict[str, str]:
    return {
        str(path.relative_to(place)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in place.rglob("*")
        if path.is_file()
    }


def _weights(path: pathlib.Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


def _arrays(path: pathlib.Path) -> dict[str, bytes]:
    with np.load(path, allow_pickle=False) as arrays:
        return {n: arrays[n].tobytes() for n in arrays if n != "seconds"}


def _rows(path: pathlib.Path) -> list[dict[str, str]]:
    """The rows of a log, without times."""
    with open(path, newline="") as file:
        return [
            {name: row[name] for name in row if "second" not in name}
            for row in csv.DictReader(file)
        ]


def _shape(path: pathlib.Path) -> list[int]:
    with open(path, errors="replace") as file:
        return [len(line.split(",")) for line in file]


def _expect(condition, what: str) -> None:
    if not condition:
        raise Wrong(what)
