"""Medians of interleaved repetitions, each candidate in its own process."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

Candidates = dict[str, Callable[[], object]]


class Group:
    """Candidates that live in a process of their own.

    In their own process, libraries set up threads as suits them, and the
    memory of the candidates can be measured.

    Args:
        build: Function of a module that makes the candidates.
        *arguments: Arguments of `build`.
    """

    def __init__(self, build: Callable[..., Candidates], *arguments: Any):
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(end, build, arguments), daemon=True
        )
        self._process.start()
        end.close()
        self.names = self._pipe.recv()

    def seconds(self, name: str) -> float:
        """The seconds of one call."""
        self._pipe.send(name)
        return self._pipe.recv()

    def close(self) -> float:
        """Ends the process; returns its peak memory in GiB."""
        self._pipe.send(None)
        memory = self._pipe.recv()
        self._process.join()
        return memory


def interleaved(
    groups: Iterable[Group], repetitions: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Times candidates in turn, so that changes of the machine affect all.

    Args:
        groups: Groups of candidates.
        repetitions: Number of calls of each candidate, after a first call
            that is timed separately.

    Returns:
        Medians in seconds, and the seconds of the first calls.
    """
    runs = [(name, group) for group in groups for name in group.names]
    first, seconds = {}, {name: [] for name, _ in runs}
    for name, group in runs:
        first[name] = group.seconds(name)
        print(f"  {name}: first call {first[name]:.1f} s", flush=True)
    for _ in range(repetitions):
        for name, group in runs:
            seconds[name].append(group.seconds(name))
    return {n: statistics.median(s) for n, s in seconds.items()}, first


def timed(run: Callable[[], object]) -> float:
    """The seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _serve(pipe, build: Callable[..., Candidates], arguments: tuple) -> None:
    candidates = build(*arguments)
    pipe.send(list(candidates))
    while (name := pipe.recv()) is not None:
        pipe.send(timed(candidates[name]))
    pipe.send(peak_memory())


def peak_memory() -> float:
    """The largest memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def machine() -> str:
    """The machine's CPU, cores, GPUs and libraries in one line."""
    processor = platform.processor() or platform.machine()
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.split(": ")[1]
                break
    except OSError:
        pass
    return (
        f"Machine: {processor}, {os.cpu_count()} cores, "
        f"{len(tf.config.list_physical_devices('GPU'))} GPUs; TensorFlow "
        f"{tf.__version__}, Keras {keras.__version__}."
    )


def write(title: str, lines: list[str], path: str | None) -> None:
    """Writes a page that begins with the command that made it.

    Args:
        title: Title of the page.
        lines: Lines of the page.
        path: Path of the file; None writes nothing.
    """
    if path is None:
        return
    script = "/".join(pathlib.Path(sys.argv[0]).absolute().parts[-2:])
    command = " ".join(["python", script, *sys.argv[1:]])
    text = "\n".join([f"# {title}", "", f"`{command}` printed:", "", *lines])
    pathlib.Path(path).write_text(text.rstrip() + "\n")
