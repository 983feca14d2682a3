import csv
import re
import shutil
import signal

import keras
import numpy as np
import pytest

import ijsat_tf as ij
from tests.commands import run, stopped

TINY = [
    "--dataset=digits",
    "--augment=none",
    "--train_examples=64",
    "--batch_size=16",
    "--epochs=1",
    "--drops=",
]
FLOW = [
    "--method=flow",
    "--flow_levels=2",
    "--flow_steps=1",
    "--flow_hidden=8",
    "--learning_rate=0.001",
]
NET = ["--model=small_cnn", "--width=4", "--attack_steps=2", "--epsilon=3/20"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    flow = run("train", *TINY, *FLOW, f"--workdir={folder / 'flow'}")
    assert flow.code == 0, flow.output
    ijsat = run(
        "train",
        *TINY,
        *NET,
        "--method=ijsat",
        f"--flow={folder / 'flow' / 'flow.keras'}",
        f"--workdir={folder / 'ijsat'}",
    )
    assert ijsat.code == 0, ijsat.output
    return folder


def test_what_a_run_leaves(runs):
    for method, models in {
        "flow": ["flow.keras"],
        "ijsat": ["classifier.keras", "model.keras"],
    }.items():
        folder = runs / method
        for name in [
            *models,
            "settings.cfg",
            "log.csv",
            "checkpoints/step-000000004.weights.h5",
        ]:
            assert (folder / name).stat().st_size > 0, name
        assert list((folder / "events").rglob("events.out.*"))
    model = keras.saving.load_model(runs / "ijsat" / "model.keras")
    attack = model.method.attack
    assert attack.pixels == ij.spaces.Linf(0.15, step=0.0375)
    assert attack.steps == 2 and attack.flow.bins == 17
    assert "--epsilon=0.15" in (runs / "ijsat/settings.cfg").read_text()


def test_a_network_that_is_worse_than_a_guess_is_named(tmp_path):
    arguments = [*TINY, "--method=standard", "--model=small_cnn", "--width=4"]
    rate = "--learning_rate=10"
    outcome = run("train", *arguments, rate, f"--workdir={tmp_path}")
    assert outcome.code == 0, outcome.output
    last = outcome.output.strip().splitlines()[-1]
    assert last.startswith("warning: the loss is above 2.30, the loss of a ")


WATCHED = ["--held_out=40", "--robust_every=1", "--robust_attack=pgd2"]


def log(folder):
    """The rows of a run's log, without times."""
    with open(folder / "log.csv") as file:
        return [
            {name: row[name] for name in row if "second" not in name}
            for row in csv.DictReader(file)
        ]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("method", "number", "step"),
    [("ijsat", signal.SIGKILL, 4), ("at", signal.SIGTERM, 1)],
)
def test_a_stopped_run_ends_as_the_uninterrupted_one(
    method, number, step, runs, tmp_path
):
    arguments = [
        *TINY,
        *NET,
        *WATCHED,
        f"--method={method}",
        f"--flow={runs / 'flow' / 'flow.keras'}",
        "--epochs=3",
    ]
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    outcome = run("train", *arguments, f"--workdir={whole}")
    assert outcome.code == 0 and "resuming" not in outcome.output
    again = [*arguments, f"--workdir={halves}", "--checkpoint_every=0"]
    file = halves / "checkpoints" / f"step-{step:09d}.weights.h5"
    outcome = stopped(number, file, "train", *again)
    if number == signal.SIGTERM:
        last = outcome.output.strip().splitlines()[-1]
        assert last.startswith(f"SIGTERM: saved in {halves}/checkpoints after")
        assert last.endswith("; the same command goes on")
    assert not (halves / "classifier.keras").exists()
    outcome = run("train", *again)
    assert outcome.code == 0, outcome.output
    assert f"resuming {halves} after epoch" in outcome.output

    for name in ("classifier.keras", "best.keras"):
        weights = [
            keras.saving.load_model(folder / name).get_weights()
            for folder in (whole, halves)
        ]
        for one, other in zip(*weights):
            np.testing.assert_array_equal(one, other)
    assert log(whole) == log(halves) and len(log(whole)) == 3
    curves = [(folder / "curve.csv").read_text() for folder in (whole, halves)]
    assert curves[0] == curves[1] and len(curves[0].splitlines()) == 4
    assert (halves / "curve.png").stat().st_size > 1000


@pytest.mark.sampled
@pytest.mark.parametrize(
    "flags",
    [
        ["--method=standard"],
        ["--method=trades", "--beta=1"],
        ["--method=mart", "--attack=jsa"],
        ["--method=iat", "--mix=manifold"],
        ["--method=iat", "--attack=jsa", "--clean=0"],
        ["--method=dmat"],
    ],
    ids=lambda flags: " ".join(flags),
)
def test_every_method_runs(flags, runs, tmp_path):
    outcome = run(
        "train",
        *TINY,
        *NET,
        *flags,
        f"--flow={runs / 'flow' / 'flow.keras'}",
        f"--workdir={tmp_path / 'run'}",
    )
    assert outcome.code == 0, outcome.output
    keras.saving.load_model(tmp_path / "run" / "model.keras")


def test_no_run_starts_over_what_cannot_be_read(runs, tmp_path):
    folder = tmp_path / "ijsat"
    shutil.copytree(runs / "ijsat", folder)
    again = f"--flagfile={folder / 'settings.cfg'}", f"--workdir={folder}"
    checkpoint = folder / "checkpoints" / "step-000000004.weights.h5"
    content = checkpoint.read_bytes()[:1000]
    checkpoint.write_bytes(content)
    assert "None of the checkpoints" in run("train", *again).error
    assert checkpoint.read_bytes() == content
    assert (folder / "model.keras").exists()
    shutil.rmtree(checkpoint.parent)
    (folder / "checkpoint.weights.h5").touch()
    assert "of an earlier version" in run("train", *again).error


def test_a_divergence_is_one_line(tmp_path):
    result = run(
        "train",
        *TINY,
        *NET,
        "--method=at",
        "--learning_rate=1e30",
        "--checkpoint_every=0",
        f"--workdir={tmp_path}",
    )
    # Weights of 1e30 are finite, and whether the loss of the second step or
    # its gradient overflows first differs from machine to machine.
    assert re.search(
        "^main.py: (The loss is not finite; .*This was after step 1; all "
        "variables are finite|The model is not finite, .*This was after step "
        "2; the first such variable is )",
        result.error,
    )
    # What was good stays.
    (found,) = (tmp_path / "checkpoints").glob("*.weights.h5")
    assert found.name == "step-000000001.weights.h5"


def test_evaluation(runs):
    picture = runs / "jsa.png"
    result = run(
        "eval",
        "--dataset=digits",
        "--examples=40",
        f"--runs={runs / 'ijsat'}",
        f"--flow={runs / 'flow' / 'flow.keras'}",
        "--attacks=fgsm,pgd3,jsa2",
        f"--picture={picture}",
    )
    assert result.code == 0, result.output
    header, _, row = [
        line for line in result.output.splitlines() if line.startswith("|")
    ]
    cells = [cell.strip() for cell in header.strip("|").split("|")]
    assert cells == ["Method", "standard", "fgsm", "pgd3", "jsa2", "Avg"]
    numbers = [float(cell) for cell in row.strip("|").split("|")[1:]]
    assert numbers[-1] == pytest.approx(np.mean(numbers[:-1]), abs=0.01)
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train", ["--method=tradez", "--workdir={tmp}"], "--method"),
        ("train", ["--method=at"], "--workdir"),
        ("train", ["--workdir={tmp}", "--nonsense=1"], "nonsense"),
        (
            "train",
            ["--method=at", "--workdir={tmp}", "--epsilon=-8/255"],
            "such as 8/255",
        ),
        (
            "train",
            ["--method=at", "--workdir={tmp}", "--epsilon=__import__('os')"],
            "such as 8/255",
        ),
        (
            "train",
            ["--method=at", "--workdir={tmp}/x", "--dataset=digitz"],
            "digitz",
        ),
        (
            "train",
            [
                "--method=at",
                "--workdir={tmp}/x",
                "--dataset=cifar10",
                "--data_dir={tmp}",
            ],
            "cifar10",
        ),
        (
            "train",
            [*TINY, *NET, "--method=ijsat", "--workdir={tmp}/x"],
            "needs a flow",
        ),
        (
            "train",
            [
                *TINY,
                *NET,
                "--method=ijsat",
                "--workdir={tmp}/x",
                "--flow={runs}/ijsat/settings.cfg",
            ],
            "cannot be read as a flow",
        ),
        (
            "train",
            [*TINY, *NET, "--method=at", "--workdir={runs}/ijsat"],
            "holds a run with other settings",
        ),
        (
            "train",
            [
                *[flag for flag in TINY if "examples" not in flag],
                *NET,
                "--method=ijsat",
                "--flow={runs}/flow/flow.keras",
                "--workdir={runs}/ijsat",
            ],
            "differs in train_examples (now",
        ),
        (
            "train",
            [*TINY, *NET, "--method=at", "--workdir={runs}"],
            "is not empty",
        ),
        (
            "train",
            [
                *TINY,
                *NET,
                "--method=ijsat",
                "--flow={runs}/ijsat/classifier.keras",
                "--workdir={tmp}/x",
            ],
            "cannot be read as a flow",
        ),
        (
            "train",
            [
                *TINY,
                *NET,
                "--method=ijsat",
                "--image_size=16",
                "--flow={runs}/flow/flow.keras",
                "--workdir={tmp}/x",
            ],
            "(B, 8, 8, 1)",
        ),
        (
            "train",
            [*TINY, *NET, "--method=dmat", "--workdir={tmp}/x"],
            "needs a flow",
        ),
        (
            "train",
            [*TINY, *FLOW, "--held_out=9", "--workdir={tmp}/x"],
            "--held_out is for classifiers",
        ),
        (
            "train",
            [
                *[*TINY, *FLOW, "--workdir={tmp}/x"],
                "--pretrained={runs}/ijsat/classifier.keras",
            ],
            "--pretrained is for classifiers",
        ),
        (
            "train",
            [
                *[*TINY, *NET, "--method=at", "--width=8"],
                *["--pretrained={runs}/ijsat/classifier.keras"],
                "--workdir={tmp}/x",
            ],
            "of the architecture that --model=small_cnn, --width=8",
        ),
        (
            "train",
            [
                *[*TINY, *NET, "--method=at", "--normalize"],
                *["--pretrained={runs}/ijsat/classifier.keras"],
                "--workdir={tmp}/x",
            ],
            "expected the layer normalize, received the layer ",
        ),
        (
            "train",
            [
                *[*TINY, *NET, "--method=at", "--workdir={tmp}/x"],
                "--pretrained={runs}/ijsat/settings.cfg",
            ],
            "cannot be read as a classifier",
        ),
        (
            "train",
            [
                *TINY,
                *NET,
                "--method=at",
                "--held_out=1437",
                "--workdir={tmp}/x",
            ],
            "some of the set's 1437 images must be left",
        ),
        (
            "train",
            [
                *TINY,
                *NET,
                *["--method=at", "--held_out=9", "--robust_attack=pgs"],
                "--workdir={tmp}/x",
            ],
            "Unknown attack",
        ),
        (
            "train",
            [*TINY, *NET, "--method=iat", "--clean=2", "--workdir={tmp}/x"],
            "`clean`",
        ),
        (
            "train",
            [*TINY, *NET, "--method=at", "--workdir={tmp}", "--seed=-1"],
            "seed",
        ),
        (
            "eval",
            ["--dataset=digits", "--runs={runs}/ijsat,{tmp}/ijsat"],
            "needs a flow",
        ),
        (
            "eval",
            [
                "--dataset=digits",
                "--runs={runs}/ijsat,{tmp}/ijsat",
                "--attacks=pgd2",
            ],
            "different names",
        ),
        (
            "eval",
            [
                "--dataset=digits",
                "--runs={runs}/ijsat",
                "--attacks=pgd2",
                "--picture={tmp}/x.png",
            ],
            "needs a flow",
        ),
        (
            "train",
            [*TINY, *NET, "--method=at", "--workdir={tmp}/x", "--drops=a"],
            "--drops",
        ),
        (
            "eval",
            ["--dataset=digits", "--runs={tmp}", "--attacks=pgd2"],
            "No classifier",
        ),
        (
            "eval",
            ["--dataset=digits", "--runs={runs}/ijsat", "--attacks=pdg2"],
            "Unknown attack",
        ),
        (
            "eval",
            ["--dataset=digits", "--runs={runs}/ijsat", "--attacks=jsa5"],
            "needs a flow",
        ),
    ],
)
def test_bad_input(script, arguments, message, runs, tmp_path):
    before = sorted((path, path.stat().st_mtime_ns) for path in runs.rglob("*"))
    filled = [each.format(tmp=tmp_path, runs=runs) for each in arguments]
    assert message in run(script, *filled).error
    assert before == sorted(
        (path, path.stat().st_mtime_ns) for path in runs.rglob("*")
    )
    assert not list(tmp_path.iterdir())


def test_a_run_goes_on_with_its_own_flow_alone(runs, tmp_path):
    arguments = [*TINY, *NET, "--method=ijsat", f"--workdir={tmp_path}"]
    flow = tmp_path.parent / f"{tmp_path.name}.keras"
    shutil.copy(runs / "flow" / "flow.keras", flow)
    first = run("train", *arguments, f"--flow={flow}")
    assert first.code == 0, first.output
    again = run("train", *arguments, f"--flow={runs / 'flow' / 'flow.keras'}")
    assert again.code == 0, again.output  # The same flow from another place.
    other = keras.saving.load_model(flow)
    other.trainable_weights[0].assign_add(
        0.1 * np.ones(other.trainable_weights[0].shape)
    )
    other.save(flow)
    refused = run("train", *arguments, f"--flow={flow}")
    assert "other settings, which differs in flow, sha256 (" in refused.error


def test_training_goes_on_from_a_network(runs, tmp_path):
    path = runs / "ijsat" / "classifier.keras"
    arguments = [
        *[*TINY, *NET, "--method=at", "--learning_rate=0", "--momentum=0"],
        *[f"--pretrained={path}", f"--workdir={tmp_path}"],
    ]
    outcome = run("train", *arguments)
    assert outcome.code == 0, outcome.output
    before = keras.saving.load_model(path)
    after = keras.saving.load_model(tmp_path / "classifier.keras")
    assert before.trainable_weights
    for old, new in zip(before.trainable_weights, after.trainable_weights):
        np.testing.assert_array_equal(old, new)
    other = run("train", *arguments[:-2], f"--workdir={tmp_path}")
    assert "differs in pretrained" in other.error


@pytest.mark.variant
def test_xla_is_no_setting_of_a_run(tmp_path):
    given = *TINY, *NET, "--method=at", f"--workdir={tmp_path}"
    compiled = run("train", *given, "--jit_compile")
    assert compiled.code == 0, compiled.output
    plain = run("train", *given)
    assert plain.code == 0, plain.output
    assert "resuming" in plain.output


@pytest.mark.variant
def test_the_best_undefended_epoch_is_the_most_accurate(tmp_path):
    result = run(
        "train",
        *TINY,
        *NET,
        *WATCHED,
        "--method=standard",
        "--epochs=6",
        "--epsilon=1/2",
        f"--workdir={tmp_path / 'run'}",
    )
    assert result.code == 0, result.output
    curve = np.genfromtxt(
        tmp_path / "run" / "curve.csv", delimiter=",", names=True
    )
    source = ij.data.load("digits", "train").hold_out(40)[1]
    best = keras.saving.load_model(tmp_path / "run" / "best.keras")
    classes = best.predict(source.scaled(), verbose=0).argmax(1)
    assert np.mean(classes == source.labels) == pytest.approx(
        curve["clean_accuracy"].max()
    )
