"""Writes tests/golden/written/: files as the commands wrote them once.

python -m tests.golden.make_written

Run from the repository's root. Later versions must load, resume and read
these files: tests/conformance/written_test.py. Everything is tiny and of the
digits: a flow, a run of IJSAT in the middle of an epoch with all that a run
ends with, the records of its evaluation, and an AutoAttack that was
interrupted.
"""

import contextlib
import pathlib
import shutil
import signal
import tempfile

import keras
import numpy as np

import ijsat_tf as ij
from ijsat_tf.attacks.autoattack import stage
from tests.commands import run, stopped

FOLDER = pathlib.Path(__file__).parent / "written"
RADIUS = 0.1
TINY = (
    "--dataset=digits",
    "--augment=none",
    "--train_examples=64",
    "--batch_size=16",
    "--drops=",
    "--precision=float32",
)
FLOW = (
    "--method=flow",
    "--flow_levels=2",
    "--flow_steps=1",
    "--flow_hidden=8",
    "--epochs=1",
)
IJSAT = (
    "--method=ijsat",
    "--model=small_cnn",
    "--width=4",
    "--attack_steps=2",
    "--epsilon=3/20",
    "--held_out=20",
    "--robust_attack=jsa2",
    "--robust_every=1",
    "--epochs=2",
    "--checkpoint_every=0",
    "--keep=1",
)
EVALUATION = (
    "--dataset=digits",
    "--attacks=fgsm,pgd3,om_pgd2,jsa2,apgd2,worst_of1",
    "--epsilon=3/20",
    "--examples=20",
    "--batch_size=20",
)


def ijsat(folder: pathlib.Path, flow: pathlib.Path) -> tuple[str, ...]:
    """The arguments of the run of IJSAT."""
    return *TINY, *IJSAT, f"--workdir={folder}", f"--flow={flow}"


def evaluation(folder: pathlib.Path, flow: pathlib.Path) -> tuple[str, ...]:
    """The arguments of its evaluation."""
    return *EVALUATION, f"--runs={folder}", f"--flow={flow}"


def autoattack() -> ij.attacks.AutoAttack:
    """Two stages, of which the first one is in the file."""
    return ij.attacks.AutoAttack(
        ij.spaces.Linf(RADIUS), version="custom", attacks=("apgd-ce", "square")
    )


def images() -> tuple[np.ndarray, np.ndarray]:
    """What AutoAttack attacks."""
    source = ij.data.load("digits", "test").take(20)
    return source.scaled(), source.labels


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        _succeeds("train", *TINY, *FLOW, f"--workdir={place / 'flow'}")
        flow = FOLDER / "flow.keras"
        shutil.copy(place / "flow" / "flow.keras", flow)
        half, whole = place / "half", place / "ijsat"
        first = half / "checkpoints" / "step-000000005.weights.h5"
        stopped(signal.SIGTERM, first, "train", *ijsat(half, flow))
        _succeeds("train", *ijsat(whole, flow))
        _succeeds("eval", *evaluation(whole, flow))
        unneeded = shutil.ignore_patterns("events", "checkpoints", "*.png")
        shutil.copytree(whole, FOLDER / "ijsat", ignore=unneeded)
        unneeded = shutil.ignore_patterns("events", "*.png")
        shutil.copytree(half, FOLDER / "half", ignore=unneeded)
    for name in "half", "ijsat":
        _forget_places(FOLDER / name / "settings.cfg")
    net = keras.saving.load_model(FOLDER / "ijsat" / "classifier.keras")
    x, y = images()
    verdict = autoattack().run(net, x, y, verbose=False)
    interrupt(net, x, y)
    model = keras.saving.load_model(FOLDER / "ijsat" / "model.keras")
    loaded = keras.saving.load_model(flow)
    np.savez_compressed(
        FOLDER / "expected.npz",
        alive=np.stack(list(verdict.alive.values())),
        logits=net.predict(x, verbose=0),
        losses=model.evaluate(x, y, verbose=0),
        log_prob=loaded.log_prob(x).numpy(),
    )


def interrupt(net: keras.Model, x: np.ndarray, y: np.ndarray) -> None:
    """Leaves the state of an AutoAttack that a signal ended in Square."""
    real, calls = stage._call, []

    def broken(attack: object, *given: object) -> object:
        calls.append(attack)
        if isinstance(attack, ij.attacks.Square):
            raise KeyboardInterrupt
        return real(attack, *given)

    stage._SECONDS, stage._call = -1, broken
    with contextlib.suppress(KeyboardInterrupt):
        autoattack().run(
            net, x, y, state=FOLDER / "autoattack.npz", verbose=False
        )
    assert len(calls) > 1


def _forget_places(settings: pathlib.Path) -> None:
    """Takes the folders of this machine out of settings."""
    lines = settings.read_text().splitlines()
    places = "--workdir=", "--flow="
    kept = [line for line in lines if not line.startswith(places)]
    settings.write_text("\n".join(kept) + "\n")


def _succeeds(*arguments: str) -> None:
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.output


if __name__ == "__main__":
    main()
