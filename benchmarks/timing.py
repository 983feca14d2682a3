"""Medians of interleaved repetitions."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable


def interleaved(
    candidates: dict[str, Callable[[], object]], repetitions: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Times candidates in turn, so that all see the machine's moods.

    Args:
        candidates: {name: what to time}.
        repetitions: of each, after a first call that is kept apart.

    Returns:
        Medians in seconds, and the seconds of the first calls.
    """
    first, seconds = {}, {name: [] for name in candidates}
    for name, run in candidates.items():
        first[name] = timed(run)
        print(f"  {name}: first call {first[name]:.1f} s", flush=True)
    for _ in range(repetitions):
        for name, run in candidates.items():
            seconds[name].append(timed(run))
    return {n: statistics.median(s) for n, s in seconds.items()}, first


def timed(run: Callable[[], object]) -> float:
    """The seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_memory() -> float:
    """The largest memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
