"""What a progress bar writes on a screen, and what into a file."""

import sys
import time

import pytest

from ijsat_tf.runtime.progress import Progress, verbosity


@pytest.fixture
def shown(capsys, monkeypatch):
    """Runs ten images, and returns what was written."""

    def run(screen, seconds=0.0, **settings):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: screen, raising=False)
        clock = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(time, "time", lambda: clock[0])
        progress = Progress(10, "at, pgd20", **settings)
        for done in range(1, 11):
            clock[0] += seconds
            progress.update(done, speed=float(done))
        return capsys.readouterr().out

    return run


def test_a_screen_has_one_line_with_the_seconds_left(shown):
    *moves, last = shown(screen=True, seconds=2).split("\r")[1:]
    assert len(moves) == 9 and "\n" not in "".join(moves)
    # The first step is not counted, as it traces.
    left = [f"{2 * (10 - done)}s" for done in range(1, 10)]
    for done, (line, seconds) in enumerate(zip(moves, left), 1):
        assert f"{done}/10" in line and f"{seconds}\x1b[0m" in line, line
        assert f" 2s/image - at, pgd20 - speed: {done}.0000" in line
    assert "20s" in last and last.endswith("speed: 10.0000\n")


def test_a_file_has_one_line_and_no_control_characters(shown):
    text = shown(screen=False, seconds=2)
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert text.startswith("10/10 - 20s - 2s/image - at, pgd20 - speed: 10.0")


def test_a_file_has_a_line_per_minute_of_slow_work(shown):
    lines = shown(screen=False, seconds=25).splitlines()
    done = [line.partition("/10 - ")[0].strip() for line in lines]
    assert done == ["3", "6", "9", "10"]
    assert all(line.isprintable() for line in lines)


def test_nothing_is_shown_unless_asked_for(shown):
    assert shown(screen=True, seconds=2, shown=False) == ""
    assert shown(screen=False, seconds=100, shown=False) == ""


@pytest.mark.parametrize("screen, expected", [(True, 1), (False, 2)])
def test_the_verbosity_of_keras(monkeypatch, screen, expected):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: screen, raising=False)
    assert verbosity() == expected
