"""Runs the missing runs of the plan, in the order of the plan.

python reproduction/study.py --hours=8

Each run of reproduction/plan.py is trained in ROOT/RUN by train/main.py,
evaluated by eval/main.py, and kept as OUTPUT/RUN.npz. A run that is kept is not
run again, and a run that was interrupted or killed is resumed, so that the work
can be spread over days and machines. Several processes share the work: each
process takes the first run that no other process holds.

taskset -c 0 make study & taskset -c 1 make study
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import places  # noqa: E402
from absl import flags  # noqa: E402
from plan import Run  # noqa: E402
from work import Work  # noqa: E402

from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.training import Interrupted  # noqa: E402

FLAGS = flags.FLAGS

places.define()
flags.DEFINE_list("only", None, "Names of runs; None is all runs.")
commandline.define_fraction("hours", 24, "Hours after which no run is begun.")


def main(_: list[str]) -> None:
    work = places.work()
    for name in FLAGS.only or ():
        if name not in work.runs:
            raise ValueError(
                f"--only must be names of {', '.join(work.runs)}; "
                f"received {name}"
            )
    deadline = time.monotonic() + 3600 * FLAGS.hours
    wanted = FLAGS.only or work.runs
    chosen = [run for run in work.runs.values() if run.name in wanted]
    try:
        # A run that was held may be free by now, as its process was killed.
        while share(work, chosen, deadline):
            pass
    except Interrupted as interrupted:
        print(interrupted, flush=True)
        interrupted.die()


def share(work: Work, chosen: list[Run], deadline: float) -> bool:
    """Completes the runs that no other process holds.

    Args:
        work: Runs of the plan and their folders.
        chosen: Runs to complete, in order.
        deadline: Second of the monotonic clock after which no run is begun.

    Returns:
        Whether to call this function again: other processes held some runs,
        and this one completed a run meanwhile.
    """
    held, late, completed = [], [], False
    for run in chosen:
        if work.place(run).exists():
            continue
        if time.monotonic() > deadline:
            late.append(run.name)
            continue
        with work.locked(run.name) as lock:
            if lock is None:
                held.append(run.name)
            elif not work.place(run).exists():
                work.complete(run, lock)
                completed = True
    if late:
        print(f"not begun: {', '.join(late)}", flush=True)
    if held and not completed:
        print(f"held by other processes: {', '.join(held)}", flush=True)
    return bool(held) and completed


if __name__ == "__main__":
    commandline.run(main)
