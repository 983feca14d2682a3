"""Runs what is missing of docs/results/protocol.md, and writes its pages.

python eval/results.py --hours=8

Each run of `eval/protocol.py` trains in ROOT/NAME, by train/main.py, and is
attacked by eval/main.py. What it gave is then kept in OUTPUT/runs/NAME, with
--full in OUTPUT/full/NAME: settings, log, curve and records. A run that is kept
is not run again, so that the work can be spread over days and machines; one
that was interrupted goes on. Pages are computed anew from all that is kept.
"""

from __future__ import annotations

import os
import pathlib
import queue
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import pages  # noqa: E402
import protocol  # noqa: E402
from absl import flags  # noqa: E402

from ijsat_tf import commandline, files  # noqa: E402
from ijsat_tf.evaluation import records  # noqa: E402
from ijsat_tf.training.callbacks.curves import read_curve  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "root", None, "folder of the runs; None for runs/results, or runs/full"
)
flags.DEFINE_string("output", "docs/results", "folder of what is kept")
flags.DEFINE_string("data_dir", None, "where CIFAR-10 lies; None downloads it")
flags.DEFINE_list("only", None, "names of runs; None for all")
commandline.define_fraction("hours", 24, "after which no run is begun")
flags.DEFINE_integer(
    "workers",
    1,
    "runs at a time, each on its share of the processor's cores: on few cores "
    "two runs on one core each take less time than one after the other on both",
    1,
)
flags.DEFINE_bool(
    "full", False, "the rows of docs/results/full.md, for a GPU, and no others"
)
flags.DEFINE_bool("pages_only", False, "run nothing")
flags.DEFINE_list(
    "texts", None, "files in Markdown with places for tables, to fill in"
)

_SCRIPTS = pathlib.Path(__file__).resolve().parents[1]


def main(_: list[str]) -> None:
    output = pathlib.Path(FLAGS.output)
    FLAGS.root = FLAGS.root or f"runs/{'full' if FLAGS.full else 'results'}"
    small = protocol.plan(FLAGS.root)
    plan = protocol.full() if FLAGS.full else small
    names = [run.name for run in plan]
    for name in FLAGS.only or ():
        if name not in names:
            raise ValueError(
                f"--only must be among {', '.join(names)}; received {name}"
            )
    if not FLAGS.pages_only:
        if not (output / "protocol.md").exists():
            raise ValueError(
                f"--output={output} holds no protocol.md: run this in the "
                "root of the repository, or copy docs/results first"
            )
        missing = [
            run
            for run in plan
            if run.name in (FLAGS.only or names) and not is_kept(run)
        ]
        Work(plan).complete(missing)
    pages.write(
        output, small, [pathlib.Path(text) for text in FLAGS.texts or ()]
    )
    drawn = not FLAGS.pages_only and not FLAGS.full
    if drawn and any(output.glob("runs/[!.]*")):
        draw(output)


def draw(output: pathlib.Path) -> None:
    """Figures of the classifiers that are on this machine, and the page of
    all runs."""
    root, figures = pathlib.Path(FLAGS.root), output / "figures"
    runs = [root / f"{row}-0" for row in protocol.ABLATION]
    there = [str(run) for run in runs if (run / "classifier.keras").exists()]
    if there:
        given = (
            "--dataset=cifar10",
            f"--figures={','.join(protocol.FIGURES)}",
            "--formats=png",
            f"--runs={','.join(there)}",
            f"--flow={protocol.PRESET}",
            f"--output={figures}",
        )
        command("eval/figures.py", given, root / "figures")
    page = [f"--html={output / 'report.html'}", f"--runs={output / 'runs'}"]
    if any(figures.glob("*.png")):
        page.append(f"--figures={figures}")
    command("eval/report.py", page, root / "report")


def kept(run: protocol.Run) -> pathlib.Path:
    """The folder of what a run gave."""
    scale = "full" if FLAGS.full else "runs"
    return pathlib.Path(FLAGS.output) / scale / run.name


def is_kept(run: protocol.Run) -> bool:
    """Whether all of a run is kept, which is nothing of a generator."""
    return all((kept(run) / each.name).exists() for each in run.evaluations)


class Work:
    """Runs, several at a time.

    Args:
        plan: of all runs.
    """

    def __init__(self, plan: list[protocol.Run]):
        self.runs = {run.name: run for run in plan}
        # Two rows may need the same run first.
        self.locks = {run.name: threading.Lock() for run in plan}
        self.deadline = time.monotonic() + 3600 * FLAGS.hours
        self.failures: list[Exception] = []

    def complete(self, missing: list[protocol.Run]) -> None:
        """Trains, evaluates and keeps runs, in order.

        Raises:
            ValueError: when a command of one failed; the others end first.
        """
        left: queue.SimpleQueue[protocol.Run] = queue.SimpleQueue()
        for run in missing:
            left.put(run)
        workers = [
            threading.Thread(target=self._take, args=(left, own))
            for own in shares(FLAGS.workers)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self.failures:
            raise self.failures[0]

    def _take(
        self, left: queue.SimpleQueue[protocol.Run], cores: list[int]
    ) -> None:
        while not self.failures:
            try:
                run = left.get_nowait()
            except queue.Empty:
                return
            if time.monotonic() > self.deadline:
                print(f"not begun: {run.name}", flush=True)
                continue
            try:
                self._complete(run, cores)
            except (OSError, ValueError) as failure:
                self.failures.append(failure)

    def _complete(self, run: protocol.Run, cores: list[int]) -> None:
        for need in run.needs:
            self._complete(self.runs[need], cores)
        folder = pathlib.Path(FLAGS.root) / run.name
        with self.locks[run.name]:
            if not any(folder.glob(run.made)):
                workdir = f"--workdir={folder}"
                command("train/main.py", [*run.flags, workdir], folder, cores)
            if is_kept(run):
                return
            for each, checkpoint in evaluated(run, folder):
                given = (
                    f"--runs={folder}",
                    f"--checkpoint={checkpoint}",
                    f"--flow={protocol.PRESET}",
                    f"--records={folder / each.name / checkpoint}",
                )
                command("eval/main.py", [*each.flags, *given], folder, cores)
            keep(run, folder)


def shares(workers: int) -> list[list[int]]:
    """The cores of each worker."""
    if not hasattr(os, "sched_getaffinity"):
        return [[]] * workers
    cores = sorted(os.sched_getaffinity(0))
    return [cores[each::workers] or cores for each in range(workers)]


def command(
    script: str,
    given: Sequence[str],
    folder: pathlib.Path,
    cores: Sequence[int] = (),
) -> None:
    """Runs a script, its output in FOLDER.txt, on some cores alone.

    Raises:
        ValueError: when it fails.
    """
    # Flags of a row come last, and may name a set of its own.
    data = [f"--data_dir={FLAGS.data_dir}"] * bool(FLAGS.data_dir)
    data = [] if script == "eval/report.py" else data
    line = [sys.executable, script, *data, *given]
    print(shlex.join(["python", script, *given]), flush=True)
    output = folder.with_suffix(".txt")
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output, "ab") as file:
        process = subprocess.Popen(
            line, cwd=_SCRIPTS, stdout=file, stderr=subprocess.STDOUT
        )
        if cores:
            os.sched_setaffinity(process.pid, cores)
        code = process.wait()
    if code:
        raise ValueError(f"{script} ended with code {code}: see {output}")


def evaluated(
    run: protocol.Run, folder: pathlib.Path
) -> list[tuple[protocol.Evaluation, str]]:
    """The evaluations of a run, of the last epoch and, where that is
    another, of the best one."""
    found = [(each, "last") for each in run.evaluations]
    if best_epoch(folder) is not None:
        found += [(each, "best") for each in run.evaluations if each.best]
    return found


def best_epoch(folder: pathlib.Path) -> int | None:
    """Of a run, None where it is the last one, or was not looked for."""
    if not (folder / "curve.csv").exists():
        return None
    points = read_curve(folder / "curve.csv")
    settings = files.read_text(folder / "settings.cfg").splitlines()
    undefended = "--method=standard" in settings
    # As train/main.py chooses it: the first one of the greatest.
    best = max(
        points,
        key=lambda point: (
            point.clean_accuracy if undefended else point.robust_accuracy
        ),
    )
    return None if best == points[-1] else best.epoch


def keep(run: protocol.Run, folder: pathlib.Path) -> None:
    """Copies what is to be kept, all of it or nothing."""
    aside = kept(run).with_name(f".{run.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in ("log.csv", "curve.csv"):
        if (folder / name).exists():
            shutil.copy(folder / name, aside)
    lines = files.read_text(folder / "settings.cfg").splitlines()
    # Of no meaning on another machine.
    lines = [line for line in lines if not line.startswith("--data_dir=")]
    (aside / "settings.cfg").write_text("\n".join(lines) + "\n")
    for each, checkpoint in evaluated(run, folder):
        for path in (folder / each.name / checkpoint / run.name).glob("*.npz"):
            # The tables know these columns without their number of steps.
            name = path.name.replace("_100.npz", ".npz")
            place = aside / each.name / checkpoint / name
            short = shortened(records.load(path), each.digits)
            records.save(short, place)
    shutil.rmtree(kept(run), ignore_errors=True)  # Of a run without records.
    os.replace(aside, kept(run))
    print(f"kept: {kept(run)}", flush=True)


def shortened(record: records.Record, digits: int) -> records.Record:
    """A record whose floats end after some binary digits, towards zero, so
    that its file is small and no budget is passed."""
    mask = np.uint32(2**32 - 2 ** (23 - digits))

    def short(values: np.ndarray) -> np.ndarray:
        if values.dtype != np.float32:
            return values
        return (values.view(np.uint32) & mask).view(np.float32)

    return record._replace(
        **{
            name: short(value)
            for name, value in record._asdict().items()
            if isinstance(value, np.ndarray)
        },
        budget={space: short(used) for space, used in record.budget.items()},
    )


if __name__ == "__main__":
    commandline.run(main)
