"""The files that the fuzz names on command lines, sound and broken."""

from __future__ import annotations

import os
import pathlib
import shutil

import keras
import numpy as np

import ijsat_tf as ij
from tests import commands

SHAPE = (8, 8, 1)
TINY = [
    "--dataset=digits",
    "--augment=none",
    "--train_examples=48",
    "--batch_size=16",
    "--epochs=1",
    "--drops=",
    "--model=small_cnn",
    "--width=4",
    "--attack_steps=1",
    "--epsilon=0.1",
    "--precision=float32",
]


def make(folder: pathlib.Path) -> None:
    """Makes them all, by the commands themselves where these make some."""
    folder.mkdir(parents=True)
    _done(commands.call(_networks, folder))
    run = folder / "runs" / "at"
    watched = "--held_out=16", "--robust_every=1", "--robust_attack=pgd1"
    _done(
        commands.run(
            "train", *TINY, *watched, "--method=at", f"--workdir={run}"
        )
    )
    shutil.rmtree(run / "events")
    _done(
        commands.run(
            "eval",
            "--dataset=digits",
            "--examples=8",
            "--batch_size=4",
            "--attacks=fgsm,pgd1",
            "--epsilon=0.1",
            f"--runs={run}",
        )
    )
    _break(folder)


def _done(outcome: commands.Outcome) -> None:
    if outcome.code:
        raise SystemExit(outcome.output)


def _networks(folder: pathlib.Path) -> None:
    """Generators that never trained, and a set with latents."""
    images = ij.data.load("digits", "train").take(48)
    flow = ij.flows.Glow(SHAPE, levels=2, steps=1, hidden=4, bins=17)
    flow.initialize(images.scaled())
    for name, model in {
        "flow": flow,
        "sngan": ij.generators.SNGAN(SHAPE, 2, 4, 4),
        "vaegan": ij.generators.VAEGAN(SHAPE, 2, 4),
        "other_flow": _initialized(ij.flows.Glow((4, 4, 3), 1, 1, 4)),
        "plain": keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
        "few_classes": ij.models.small_cnn(3, width=4, image_shape=SHAPE),
    }.items():
        model.save(folder / f"{name}.keras")
    latents = np.zeros((len(images.labels), 2), np.float32)
    images = images._replace(latents=latents)
    splits = {"train": images, "test": images.take(16)}
    ij.data.store("om_digits", splits, folder / "sets")


def _initialized(flow: ij.flows.Glow) -> ij.flows.Glow:
    flow.initialize(np.random.default_rng(0).random((8, *flow.image_shape)))
    return flow


def _break(folder: pathlib.Path) -> None:
    """Copies of sound files, damaged; and files that never were sound."""
    runs, bad = folder / "runs", folder / "bad"
    sound = runs / "at"
    bad.mkdir()
    (bad / "empty").touch()
    (bad / "text.keras").write_text("not a model")
    (bad / "bytes.cfg").write_bytes(bytes(range(256)))
    (bad / "unknown.cfg").write_text("--nothing=1\n")
    (bad / "loop.cfg").write_text("--flagfile=inputs/bad/loop.cfg\n")
    shutil.copy(folder / "flow.keras", bad / "truncated.keras")
    _cut(bad / "truncated.keras")
    np.savez(bad / "foreign.npz", numbers=np.arange(3))
    shutil.copy(bad / "foreign.npz", bad / "truncated.npz")
    _cut(bad / "truncated.npz")
    (folder / "ü ñ").mkdir()
    shutil.copy(folder / "flow.keras", folder / "ü ñ" / "flow.keras")
    for name in ("ijsat", "trades", "mart", "iat", "dmat", "standard"):
        shutil.copytree(sound, runs / name)
    _cut(runs / "trades" / "classifier.keras")
    _cut(runs / "mart" / "records" / "last" / "pgd1.npz")
    _cut(runs / "iat" / "curve.csv")
    (runs / "dmat" / "curve.csv").write_bytes(bytes(range(256)))
    (runs / "dmat" / "log.csv").write_bytes(bytes(range(256)))
    (runs / "dmat" / "settings.cfg").write_bytes(bytes(range(256)))
    (runs / "dmat" / "records" / "last" / "checks.json").write_text('{"')
    shutil.rmtree(runs / "standard" / "records")
    (runs / "standard" / "curve.csv").unlink()
    for path in (runs / "standard" / "checkpoints").glob("*.h5"):
        _cut(path)
    pictures = folder / "pictures"
    pictures.mkdir()
    shutil.copy(sound / "curve.png", pictures / "curve.png")
    shutil.copy(sound / "curve.png", pictures / "cut.png")
    _cut(pictures / "cut.png")


def _cut(path: pathlib.Path) -> None:
    os.truncate(path, path.stat().st_size // 2)
