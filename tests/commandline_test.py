"""The command line against a command in a process of its own."""

import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver

from ijsat_tf import commandline
from ijsat_tf.flows import presets

COMMAND = """
import json, sys
import tensorflow as tf
from absl import logging
from ijsat_tf import commandline

epsilon = commandline.define_fraction("epsilon", "8/255", "Radius.")

def main(arguments):
    if epsilon.value > 1:
        raise ValueError("`epsilon` must be\\n  at most 1.")
    if epsilon.value == 1:
        raise FileNotFoundError(2, "No such file", "flow.keras")
    if epsilon.value == 0.25:
        message = "{{node Write}} run/events; No space left on device\\n\\tx"
        raise tf.errors.ResourceExhaustedError(None, None, message)
    logging.info("a step of reading")
    logging.warning("a warning")
    print(epsilon.value)

for arguments in json.loads(sys.argv.pop()):
    sys.argv[1:] = arguments
    try:
        commandline.run(main)
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            print(f"code {end.code}", file=stream, flush=True)
"""
RIGHT = {(): 8 / 255, ("--epsilon=4/255",): 4 / 255, ("--epsilon=0",): 0.0}
WRONG = {
    ("--epsilon=2",): "`epsilon` must be at most 1.",
    ("--epsilon=1",): "[Errno 2] No such file: 'flow.keras'",
    ("--epsilon=1/4",): "run/events; No space left on device",
    ("--epsilon=abc",): "flag --epsilon=abc: expected a number or a fraction",
    ("--epsilom=1",): "Unknown command line flag 'epsilom'",
    ("epsilon=1",): "unknown arguments epsilon=1: flags start with --",
    ("--flagfile=/nowhere",): "/nowhere",
    (f"--flagfile={sys.executable}",): "--flagfile must name a UTF-8 text file",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the command prints and says for each of the arguments."""
    script = tmp_path_factory.mktemp("command") / "tool.py"
    script.write_text(COMMAND)
    ended = subprocess.run(
        [sys.executable, script, json.dumps([*RIGHT, *WRONG])],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return ended.stdout, ended.stderr


def test_right_arguments_print_and_end_without_a_code(outputs):
    printed = outputs[0].splitlines()
    for number, expected in enumerate(RIGHT.values()):
        assert float(printed[2 * number]) == expected
        assert printed[2 * number + 1] == "code None"


def test_warnings_of_libraries_are_shown_and_their_steps_are_not(outputs):
    assert outputs[1].count("a warning") == len(RIGHT)
    assert "a step of reading" not in outputs[1]


def test_wrong_arguments_end_in_code_2_and_one_line(outputs):
    # TensorFlow may have its say before the first command ends.
    *ended, rest = outputs[1].split("code None\n")[-1].split("code 2\n")
    assert rest == ""
    for text, message in zip(ended, WRONG.values(), strict=True):
        assert text.startswith("tool.py: ") and message in text
        assert text.count("\n") == 1


@pytest.fixture
def parsed():
    """The value of a fraction given on a command line."""
    with flagsaver.flagsaver():
        holder = commandline.define_fraction("fraction_of_test", None, "")

        def parse(text):
            flags.FLAGS["fraction_of_test"].parse(text)
            return flags.FLAGS["fraction_of_test"].value

        yield parse
        assert holder.name == "fraction_of_test"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("8/255", 8 / 255),
        ("0.02", 0.02),
        ("1e-3", 1e-3),
        ("0", 0.0),
        (" 1/2 ", 0.5),
        (0.25, 0.25),
    ],
)
def test_fractions(parsed, text, expected):
    value = parsed(text)
    assert value == expected and isinstance(value, float)


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-8/255",
        "abc",
        "1/0",
        "",
        "nan",
        "inf",
        "1e400",
        "1e999999999",
        "1/1e-999999999",
        "1/inf2",
        "nan/1",
        "1/nan",
        "1/2/3",
        "2**3",
        '__import__("os")',
    ],
)
def test_what_is_no_fraction_is_refused(parsed, text):
    with pytest.raises(flags.IllegalFlagValueError, match="8/255"):
        parsed(text)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.save(path)
    return model, path


def test_load_gives_the_saved_model(saved):
    model, path = saved
    read = commandline.load(str(path), "classifier")
    inputs = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(read(inputs), model(inputs))


def test_load_of_a_missing_file(tmp_path):
    path = str(tmp_path / "none.keras")
    with pytest.raises(ValueError, match=f"No flow at {path}: train a flow"):
        commandline.load(path, "flow")


def test_a_flow_may_be_named_as_a_preset():
    (name,) = presets.names()
    path = str(presets.path(name))
    assert commandline.located(name, "flow") == path
    assert commandline.located(path, "flow") == path
    assert commandline.located(name, "classifier") == name
    with pytest.raises(ValueError, match=f"No flow at other: .*: {name}"):
        commandline.load("other", "flow")


def test_the_default_radius_is_too_large_for_a_preset_flow(capsys):
    (name,) = presets.names()
    with flagsaver.flagsaver():
        commandline.define_flow()
        commandline.define_budgets()
        FLAGS = flags.FLAGS
        for flow, radius, warned in [
            (None, None, False),
            (name, None, True),
            (name, 0.002, False),
        ]:
            FLAGS["flow"].value = flow
            if radius:
                FLAGS.eta = radius
            found, step = commandline.budget("eta")
            assert step == found / 4
            assert ("use --eta=0.002" in capsys.readouterr().out) == warned


def _truncated(path, whole):
    path.write_bytes(whole[: len(whole) // 2])


def _empty(path, _):
    path.write_bytes(b"")


def _text(path, _):
    path.write_text("not a model")


def _other_archive(path, _):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "not a model")


@pytest.mark.parametrize("write", [_truncated, _empty, _text, _other_archive])
def test_load_of_a_foreign_file(saved, tmp_path, write):
    path = tmp_path / "flow.keras"
    write(path, saved[1].read_bytes())
    with pytest.raises(ValueError, match="cannot be read as a flow: .*saved"):
        commandline.load(str(path), "flow")


def test_load_of_a_changed_weight(saved, tmp_path):
    path = tmp_path / "flow.keras"
    content = bytearray(saved[1].read_bytes())
    with zipfile.ZipFile(saved[1]) as archive:
        weights = archive.read("model.weights.h5")
        value = saved[0].get_weights()[0].tobytes()
        place = bytes(content).index(weights) + weights.index(value)
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Bad CRC-32 for .*weights"):
        commandline.load(str(path), "flow")
