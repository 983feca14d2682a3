"""Draws random command lines of the mains, and looks whether each one keeps
what commands promise.

python tests/endurance/fuzz.py runs/fuzz --runs=500 --seed=0

Flags are those that a main defines; their values, legal and not, are in
fuzz_lines.py, the sound and broken files that they name in fuzz_inputs.py.
Each line runs in a folder of its own with a copy of
these files. It must end with code 0, or with code 2 and one line that names a
flag, a file or an argument; it may show no traceback, may change no file that
was there, unless that is of the run it was asked to go on with, and may leave
none that is half written. --processes of the lines also run as processes of
their own, which must end alike.

A line that takes more than --seconds of CPU time counts as long, one
that is not done after ten times that as hung. Sizes of networks and numbers
of steps are small or illegal, as large ones would only be that: long.

Failures are written to FOLDER/failures.txt, with what reproduces them, and
their folders are kept. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import commands  # noqa: E402
from tests.endurance import (  # noqa: E402
    fuzz_inputs,
    fuzz_lines,
)

LONGEST = 600
# A line of TensorFlow's.
LOG = re.compile("[IWEF][0-9]{4} |WARNING: All log")
# What a line may write into, beside new files.
OUTPUTS = ("--output=", "--html=", "--picture=", "--curves=")
LOGS = ("log.csv", "curve.csv", "curve.png", "settings.cfg", "checks.json")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=500, help="of each main")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mains", default=",".join(fuzz_lines.MAINS))
    parser.add_argument("--processes", type=int, default=20, help="of them all")
    parser.add_argument("--seconds", type=int, default=180)
    given = parser.parse_args()
    mains = given.mains.split(",")
    folder = given.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    offline(folder)
    fuzz_inputs.make(folder / "inputs")

    before = repository()
    failures, every = folder / "failures.txt", []
    for main in mains:
        script = fuzz_lines.MAINS[main]
        listed = folder / f"{main}.json"
        outcome = commands.call(fuzz_lines.flags_of, script, listed)
        if outcome.code:
            raise SystemExit(outcome.output)
        known = json.loads(listed.read_text())
        chance = random.Random(f"{given.seed} {main}")
        drawn = [
            fuzz_lines.draw(main, known, chance) for _ in range(given.runs)
        ]
        every += [(main, place, line) for place, line in enumerate(drawn)]
    chance = random.Random(given.seed)
    real = chance.sample(every, min(given.processes, len(every)))
    counts = collections.Counter()
    for main, place, arguments in every:
        ways = [forked] + [process] * ((main, place, arguments) in real)
        for way in ways:
            name = f"{main}-{place}-{way.__name__}"
            kind, why = one(folder, name, main, arguments, way, given.seconds)
            counts[main, kind] += 1
            print(f"{name}: {kind}  {why}", flush=True)
            if kind not in ("code 0", "code 2"):
                script = ROOT / fuzz_lines.MAINS[main]
                shown = shlex.join(["python", str(script), *arguments])
                with open(failures, "a", errors="surrogateescape") as file:
                    file.write(
                        f"{kind}: {why}\ncd {folder / name} && {shown}\n\n"
                    )
    for main in mains:
        found = [
            f"{n} {kind}" for (of, kind), n in counts.items() if of == main
        ]
        print(f"{main}: {', '.join(sorted(found))}")
    changed = repository() != before
    if changed:
        print(f"the repository has changed: {repository()}")
    return changed or any(kind == "failure" for _, kind in counts)


def offline(folder: pathlib.Path) -> None:
    """Lets downloads fail at once, and none land outside of the folder."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = os.environ[name.upper()] = "http://127.0.0.1:9"
    os.environ["TFDS_DATA_DIR"] = str(folder / "downloads")


def repository() -> str:
    """Its files that are changed or new, but for caches."""
    command = ["git", "status", "--porcelain", "--ignored"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return "\n".join(
        line
        for line in found.stdout.splitlines()
        if "__pycache__" not in line and not line[3:].startswith(".")
    )


def one(
    folder: pathlib.Path,
    name: str,
    main: str,
    arguments: list[str],
    way,
    seconds,
) -> tuple[str, str]:
    """What came of one line: "code 0", "code 2", "long" or "failure", and the
    reason or the last line."""
    place = folder / name
    shutil.copytree(folder / "inputs", place / "inputs")
    before = digests(place)
    outcome = way(fuzz_lines.MAINS[main], arguments, place, seconds)
    if outcome.code == -signal.SIGXCPU:
        return "long", f"more than {seconds} s of CPU time"
    # A file that is to be written is replaced, as by any command.
    asked = [
        str(pathlib.Path(argument.partition("=")[2]))
        for argument in arguments
        if argument.startswith(OUTPUTS)
    ]
    wrong = unclear(outcome, main, arguments) or damaged(
        place, before, outcome.code, asked
    )
    (place / "output.txt").write_text(outcome.output, errors="backslashreplace")
    if wrong:
        return "failure", wrong
    shutil.rmtree(place)
    return f"code {outcome.code}", last(outcome)


def forked(script, arguments, place, seconds) -> commands.Outcome:
    """In a fork of a server that has imported the library."""
    return commands.call(
        _limited, script, arguments, place, seconds, seconds=10 * seconds
    )


def process(script, arguments, place, seconds) -> commands.Outcome:
    """As a shell starts it."""
    with open(place / "output.txt", "w+b") as output:
        begun = subprocess.Popen(
            [sys.executable, ROOT / script, *arguments],
            cwd=place,
            stdout=output,
            stderr=output,
            preexec_fn=lambda: _limit(seconds),
        )
        try:
            code = begun.wait(10 * seconds)
        except subprocess.TimeoutExpired:
            begun.kill()
            code = begun.wait()
        output.seek(0)
        return commands.Outcome(code, output.read().decode(errors="replace"))


def _limited(script, arguments, place, seconds) -> None:
    _limit(seconds)
    commands.main(script, arguments, place)


def _limit(seconds: int) -> None:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    limit = int(used) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))


def last(outcome: commands.Outcome) -> str:
    return (outcome.output.strip().splitlines() or [""])[-1]


def unclear(
    outcome: commands.Outcome, main: str, arguments: list[str]
) -> str | None:
    """Why an end is not as promised, or None."""
    if outcome.code == -signal.SIGKILL:
        return "it hangs"
    if outcome.code not in (0, 2):
        return f"code {outcome.code}: {last(outcome)}"
    if "Traceback" in outcome.output:
        return f"code {outcome.code} with a traceback: {last(outcome)}"
    if outcome.code == 0 and not any(
        line and not LOG.match(line) for line in outcome.output.splitlines()
    ):
        return "it says nothing"
    if outcome.code == 2:
        script = pathlib.Path(fuzz_lines.MAINS[main]).name
        line = last(outcome)
        if not line.startswith(f"{script}: ") or len(line) > LONGEST + len(
            max(arguments, key=len)
        ):
            return f"no line of its own: {line}"
        words = {
            word
            for each in arguments
            for word in re.split("[-=,]+", each)
            if len(word) > 2
        }
        # Of a file in a folder that cannot be, the folder is named.
        words |= {
            str(folder)
            for word in words
            for folder in pathlib.PurePath(word).parents
            if len(str(folder)) > 2
        }
        if not any(
            mark in line
            for mark in ("--", "flag", "learning rate", "attack", "`", *words)
        ):
            return f"it names no flag, file or argument: {line}"
    return None


def digests(place: pathlib.Path) -> dict[str, str]:
    """Of each file below a folder, its time and content."""
    return {
        str(path.relative_to(place)): f"{path.stat().st_mtime_ns} "
        + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file()
    }


def damaged(
    place: pathlib.Path,
    before: dict[str, str],
    code: int,
    asked: Sequence[str] = (),
) -> str | None:
    """What a line did to files that it was not asked to write, or None."""
    after = digests(place)
    for path, content in before.items():
        known = pathlib.Path(path).name in LOGS or path in asked
        free = code == 0 and known
        if after.get(path) != content and not free:
            return f"{path} has changed"
    for path in {*after} - {*before} - {"output.txt"}:
        file = place / path
        if file.name.startswith("."):
            return f"{path} was left behind"
        if not file.stat().st_size and "events" not in path:
            return f"{path} is empty"
        if file.suffix in (".keras", ".npz"):
            if not zipfile.is_zipfile(file):
                return f"{path} is no archive"
            if zipfile.ZipFile(file).testzip():
                return f"{path} is damaged"
    return None


if __name__ == "__main__":
    sys.exit(main())
