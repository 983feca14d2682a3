"""The work on a run: training, evaluation, and a file of the results.

A lock keeps other processes from working on the same run.
"""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import shlex
import sys
from collections.abc import Iterator
from typing import NamedTuple

import children
import kept
import plan
from plan import Evaluation, Run

from ijsat_tf.evaluation import records
from ijsat_tf.storage import files
from ijsat_tf.training.callbacks.learning_curve import read_curve

# Flags with paths, which are not kept, because other machines have other paths.
_PLACES = "--data_dir=", "--workdir="


class Work(NamedTuple):
    """The runs of the plan, and the folders in which they are made and kept.

    Attributes:
        runs: All runs of the plan by their names.
        root: Folder of the runs. Beside the folder of each run lie its lock,
            the output of its commands, and the hours that they took.
        output: Folder of the files that are kept.
        data_dir: Folder of the sets of images; None downloads the images.
    """

    runs: dict[str, Run]
    root: pathlib.Path
    output: pathlib.Path
    data_dir: str | None = None

    def place(self, run: Run) -> pathlib.Path:
        """The path of the file with the results of a run."""
        return self.output / f"{run.name}.npz"

    def is_trained(self, run: Run) -> bool:
        """Whether the folder has the file that shows the end of training."""
        return any((self.root / run.name).glob(run.made))

    @contextlib.contextmanager
    def locked(self, name: str, wait: bool = False) -> Iterator[int | None]:
        """A context with the lock of a run.

        The lock is free again when the processes that hold it end.

        Args:
            name: Name of the run that one process at a time may work on.
            wait: Whether to wait for another process that holds the lock.

        Returns:
            Descriptor of the lock, None where another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / f"{name}.lock", "ab") as file:
            lock: int | None = file.fileno()
            try:
                how = fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
                fcntl.flock(file, how)
            except BlockingIOError:
                lock = None
            yield lock

    def complete(self, run: Run, lock: int) -> None:
        """Trains and evaluates a run, and keeps its results.

        Args:
            run: Run to complete.
            lock: Descriptor of the run's lock, which this process holds.

        Raises:
            ValueError: where the run waits for the calibration, or where a
                command fails.
        """
        if run.waits_for_calibration:
            raise ValueError(
                f"{run.name} needs the calibrated latent radius: run `make "
                "calibration`, write the radius into reproduction/plan.py "
                "and the table into reproduction/README.md, and commit both"
            )
        self.train(run, lock)
        folder = self.root / run.name
        for each, checkpoint in evaluated(run, folder):
            flags = (
                *each.flags,
                f"--runs={folder}",
                f"--checkpoint={checkpoint}",
                f"--flow={plan.PRESET}",
                f"--records={folder / each.name / checkpoint}",
            )
            self._command("evaluate", "eval/main.py", flags, run, lock)
        kept.save(self.found(run), self.place(run))
        print(f"kept: {self.place(run)}", flush=True)

    def train(self, run: Run, lock: int) -> None:
        """Trains a run, after the runs that it needs.

        Args:
            run: Run to train.
            lock: Descriptor of the run's lock, which this process holds.
        """
        for need in map(self.runs.__getitem__, run.needs):
            if not self.is_trained(need):
                with self.locked(need.name, wait=True) as other:
                    self.train(need, other)
        if not self.is_trained(run):
            flags = *run.flags, f"--workdir={self.root / run.name}"
            self._command("train", "train/main.py", flags, run, lock)

    def found(self, run: Run) -> kept.Kept:
        """The content of the file to keep of a complete run."""
        folder = self.root / run.name
        texts = [
            files.read_text(path) if path.exists() else ""
            for path in map(folder.joinpath, ("log.csv", "curve.csv"))
        ]
        settings = files.read_text(folder / "settings.cfg").splitlines(True)
        found = {}
        for each, checkpoint in evaluated(run, folder):
            columns = records.read(folder / each.name / checkpoint / run.name)
            found[each.name, checkpoint] = {
                # The tables call these columns without the number of steps.
                name.removesuffix("_100"): kept.shortened(record, each.digits)
                for name, record in columns.items()
            }
        return kept.Kept(
            "".join(line for line in settings if not line.startswith(_PLACES)),
            *texts,
            found,
            {what: self._spent(run, what) for what in ("train", "evaluate")},
        )

    def _command(
        self,
        what: str,
        script: str,
        flags: tuple[str, ...],
        run: Run,
        lock: int,
    ) -> None:
        # The flags of a row come last, as they may name another --data_dir.
        data = [f"--data_dir={self.data_dir}"] * (self.data_dir is not None)
        print(shlex.join(["python", script, *flags]), flush=True)
        children.run(
            [sys.executable, script, *data, *flags],
            self.root / f"{run.name}.txt",
            lock,
            self._hours(run, what),
        )

    def _hours(self, run: Run, what: str) -> pathlib.Path:
        return self.root / f"{run.name}.{what}.hours"

    def _spent(self, run: Run, what: str) -> float:
        path = self._hours(run, what)
        lines = files.read_text(path).split() if path.exists() else []
        return sum(map(float, lines))


def evaluated(run: Run, folder: pathlib.Path) -> list[tuple[Evaluation, str]]:
    """The evaluations of a run, each with one of its checkpoints.

    The checkpoint "best" is left out where the best epoch is the last one.

    Args:
        run: Run of the plan.
        folder: Folder of the run.
    """
    best = best_epoch(folder) is not None
    return [
        (each, checkpoint)
        for each in run.evaluations
        for checkpoint in each.checkpoints
        if checkpoint == "last" or best
    ]


def best_epoch(folder: pathlib.Path) -> int | None:
    """The best epoch of a run, or None.

    None stands for a best epoch that is the last one, and for a run without
    held-out images.

    Args:
        folder: Folder of the run.
    """
    if not (folder / "curve.csv").exists():
        return None
    points = read_curve(folder / "curve.csv")
    settings = files.read_text(folder / "settings.cfg").splitlines()
    undefended = "--method=standard" in settings
    # train/main.py, too, chooses the first of several greatest accuracies.
    best = max(
        points,
        key=lambda point: (
            point.clean_accuracy if undefended else point.robust_accuracy
        ),
    )
    return None if best == points[-1] else best.epoch
