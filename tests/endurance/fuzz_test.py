"""What tests/endurance/fuzz.py takes for a broken promise."""

import json
import random

import pytest

from tests.commands import Outcome, call
from tests.endurance import fuzz, fuzz_lines

SAID = "I0000 00:00 1 port.cc:1] oneDNN\n"


@pytest.mark.parametrize(
    ("code", "output", "expected"),
    [
        (0, SAID + "out: at on 360 test images\n", None),
        (0, SAID, "it says nothing"),
        (2, SAID + "main.py: flag --epsilon=x: expected a number\n", None),
        (2, "main.py: a.keras cannot be read\n", None),
        (2, "main.py: File exists: 'runs/bad'\n", None),
        (2, "main.py: it failed\n", "it names no flag, file or argument"),
        (2, "main.py: flag --epsilon\nmore\n", "no line of its own: more"),
        (2, f"main.py: --epsilon {'x' * 900}\n", "no line of its own"),
        (2, "Traceback\nmain.py: flag --epsilon\n", "code 2 with a traceback"),
        (1, "main.py: flag --epsilon\n", "code 1"),
        (-9, "", "it hangs"),
    ],
)
def test_how_a_line_may_end(code, output, expected):
    arguments = ["--epsilon=x", "--flow=a.keras", "--curves=runs/bad/a.png"]
    found = fuzz.unclear(Outcome(code, output), "train", arguments)
    assert found is expected or found.startswith(expected)


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("old.npz", 0, "old.npz has changed"),
        ("log.csv", 0, None),
        ("log.csv", 2, "log.csv has changed"),
        (".new.png", 0, ".new.png was left behind"),
        ("new.png", 0, None),
        ("new.npz", 0, "new.npz is no archive"),
    ],
)
def test_what_a_line_may_write(name, code, expected, tmp_path):
    for there in ("old.npz", "log.csv"):
        (tmp_path / there).write_bytes(b"as it was")
    before = fuzz.digests(tmp_path)
    assert fuzz.damaged(tmp_path, before, code) is None
    (tmp_path / name).write_bytes(b"written")
    assert fuzz.damaged(tmp_path, before, code) == expected


def test_lines_belong_to_the_seed():
    known = {
        "epsilon": {"kind": "fraction"},
        "epochs": {"kind": "int"},
        "augment": {"kind": "string enum", "values": ["none", "crop_flip"]},
        "levels": {"kind": "comma separated list of strings"},
        "flow": {"kind": "string"},
    }
    for main in fuzz_lines.MAINS:
        drawn = [
            [fuzz_lines.draw(main, known, chance) for _ in range(30)]
            for chance in (random.Random(0), random.Random(0))
        ]
        assert drawn[0] == drawn[1]
        assert len({*map(tuple, drawn[0])}) > 10


@pytest.mark.parametrize("main", fuzz_lines.MAINS)
def test_every_flag_has_values_to_draw(main, tmp_path):
    listed = tmp_path / "flags.json"
    done = call(fuzz_lines.flags_of, fuzz_lines.MAINS[main], listed)
    assert done.code == 0, done.output
    for name, flag in json.loads(listed.read_text()).items():
        fuzz_lines.value(name, flag, random.Random(0))
