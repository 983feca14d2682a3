"""The folder of a training run, and the settings that it keeps."""

from __future__ import annotations

import hashlib
import pathlib

import options
from options import FLAGS, GENERATORS

from ijsat_tf import commandline
from ijsat_tf.storage import files, resumable

# Flags that may differ when a run is resumed.
_FREE = (
    "workdir",
    "data_dir",
    *(_FILES := ("flow", "gan", "pretrained", "features", "vgg16", "lpips")),
    "strategy",
    "jit_compile",
    "log_every",
    "checkpoint_every",
    "keep",
)
_SETTINGS = "settings.cfg"
_WHY_EPOCHS = (
    " More --epochs go on with a run, but not where the learning rate "
    "follows from their number: with --drop_shares, of a flow and of an SNGAN."
)


def claim(workdir: str) -> pathlib.Path:
    """Makes the folder of this run and writes its settings there.

    A lock keeps other processes out of the folder until this one ends.

    Args:
        workdir: Path of the folder.

    Raises:
        ValueError: when the folder holds a run with other settings, or when
            another process trains there.
    """
    folder = pathlib.Path(workdir)
    lines = _resolved()
    settings = folder / _SETTINGS
    if settings.exists():
        before = _by_name(files.read_text(settings).splitlines())
        now = _by_name(lines)
        epochs = before.get("epochs"), now.get("epochs")
        resumable.require_same(
            before,
            now,
            f"{folder} holds a run with other settings",
            "Choose another --workdir, or resume that run by "
            f"--flagfile={settings}." + _WHY_EPOCHS * (epochs[0] != epochs[1]),
            [
                name
                for name in sorted({**before, **now})
                if not _is_free(name) or name == "epochs" and _fewer(*epochs)
            ],
        )
    elif folder.exists() and any(folder.iterdir()):
        raise ValueError(
            f"{folder} is not empty and holds no run (no {_SETTINGS}); "
            "choose another --workdir"
        )
    if (folder / "checkpoint.weights.h5").exists():
        raise ValueError(
            f"{folder} holds a run of an earlier version, whose single "
            "checkpoint.weights.h5 has no checksum: finish it with that "
            "version, or choose another --workdir"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not files.lock(folder):
        raise ValueError(
            f"another process trains in {folder}: wait until that one ends, "
            "or choose another --workdir"
        )
    with files.replaced(settings) as aside:
        aside.write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def fingerprint() -> str:
    """The SHA-256 of the settings that must not change when a run resumes."""
    lines = [
        line for line in _resolved() if not any(map(_is_free, _by_name([line])))
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _resolved() -> list[str]:
    # The content of a file identifies a generator, not its path.
    digests = []
    for name in _FILES if FLAGS.method not in GENERATORS else ():
        if FLAGS[name].value:
            path = commandline.located(FLAGS[name].value, name)
            content = pathlib.Path(path).read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            digests.append(f"# {name}, sha256={digest}")
    return digests + [
        flag.serialize()
        for flag in sorted(
            FLAGS.flags_by_module_dict()[options.__name__]
            + FLAGS.flags_by_module_dict().get("ijsat_tf.commandline", []),
            key=lambda flag: flag.name,
        )
        if flag.value is not None
    ]


def _by_name(lines: list[str]) -> dict[str, str]:
    """The lines of a settings file as {name: value}."""
    found = {}
    for line in lines:
        name, equals, setting = line.lstrip("-# ").partition("=")
        if not equals and name not in FLAGS:
            name, setting = name.removeprefix("no"), "false"
        found[name] = setting or "true" * (not equals)
    return found


def _is_free(name: str) -> bool:
    return name in _FREE or (name == "epochs" and not _epochs_set_the_rate())


def _epochs_set_the_rate() -> bool:
    """Whether the learning rate of a step depends on --epochs."""
    if FLAGS.method in GENERATORS:
        return FLAGS.method != "vaegan"
    return FLAGS.schedule == "drops" and FLAGS.drop_shares is not None


def _fewer(before: str | None, now: str | None) -> bool:
    """Whether a run of so many epochs has more epochs than are asked for."""
    return (before or "").isdigit() and int(before) > int(now)
