"""The settings of a training run, as flags."""

from __future__ import annotations

import pathlib

from absl import flags

from ijsat_tf import commandline

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "method",
    None,
    ["flow", "standard", "at", "ijsat"],
    "what to train: the flow, or a classifier by a method",
    required=True,
)
flags.DEFINE_string("workdir", None, "folder of this run", required=True)
flags.DEFINE_string("dataset", "cifar10", "digits, or a set of TFDS by name")
flags.DEFINE_string("data_dir", None, "folder of TFDS; None downloads")
flags.DEFINE_integer(
    "train_examples", None, "first so many images; None for all", 1
)
flags.DEFINE_enum("augment", "crop_flip", ["crop_flip", "none"], "augmentation")
flags.DEFINE_integer("seed", 0, "of everything random", 0)
flags.DEFINE_integer("epochs", 120, "passes over the images", 1)
flags.DEFINE_integer("batch_size", 128, "images a step, on all devices", 1)
flags.DEFINE_enum(
    "strategy", "auto", ["auto", "none", "mirrored"], "devices to use"
)
flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "mixed_bfloat16"],
    "of convolutions; weights stay float32",
)

flags.DEFINE_enum(
    "model", "resnet18", ["resnet18", "small_cnn"], "the classifier"
)
flags.DEFINE_integer("width", 64, "channels of its first stage", 1)
commandline.define_fraction("learning_rate", 0.1, "at the start")
commandline.define_fraction("momentum", 0.9, "of SGD")
commandline.define_fraction("l2", 2e-4, "coupled weight decay")
flags.DEFINE_list(
    "drops", ["75", "90", "100"], "epochs whose start divides the rate by 10"
)

flags.DEFINE_enum(
    "attack",
    None,
    ["pgd", "jsa", "om_pgd"],
    "of at and ijsat; None for pgd and jsa",
)
flags.DEFINE_integer("attack_steps", 10, "K", 1)
commandline.define_fraction("epsilon", "8/255", "radius in pixels")
commandline.define_fraction("epsilon_step", "2/255", "its step")
commandline.define_fraction("eta", 0.02, "radius in latents")
commandline.define_fraction("eta_step", 0.005, "its step")
flags.DEFINE_list("levels", None, "levels that jsa may change; None for all")
commandline.define_fraction("tau", 0.1, "mixup's alpha ~ Beta(tau, tau)")
flags.DEFINE_enum(
    "alpha", "sample", ["sample", "batch"], "one alpha for each of these"
)
flags.DEFINE_string("flow", None, "path of a trained flow.keras")

flags.DEFINE_integer("flow_levels", 4, "of Glow", 1)
flags.DEFINE_integer("flow_steps", 8, "flow steps a level", 1)
flags.DEFINE_integer("flow_hidden", 512, "width of the coupling nets", 1)
flags.DEFINE_integer("warmup_steps", 100, "of the flow's learning rate", 0)

# What may differ when a run is resumed.
_FREE = ("workdir", "data_dir", "flow", "strategy")
_SETTINGS = "settings.cfg"


def numbers(name: str) -> tuple[int, ...] | None:
    """A list flag as ints."""
    given = FLAGS[name].value
    if given is None:
        return None
    try:
        return tuple(int(number) for number in given)
    except ValueError:
        raise ValueError(
            f"--{name} must be whole numbers, separated by commas; "
            f"received {','.join(given)}"
        ) from None


def claim(workdir: str) -> pathlib.Path:
    """Makes the folder of this run and writes its settings there.

    Raises:
        ValueError: when the folder holds a run with other settings.
    """
    folder = pathlib.Path(workdir)
    lines = _resolved()
    settings = folder / _SETTINGS
    if settings.exists():
        before = settings.read_text().splitlines()
        changed = [
            line.removeprefix("--")
            for line in lines
            if line not in before and not _is_free(line)
        ]
        if changed:
            raise ValueError(
                f"{folder} holds a run with other settings than "
                f"{', '.join(changed)}; choose another --workdir, or use "
                f"--flagfile={settings} to resume that run"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise ValueError(
            f"{folder} is not empty and holds no run (no {_SETTINGS}); "
            "choose another --workdir"
        )
    folder.mkdir(parents=True, exist_ok=True)
    settings.write_text("\n".join(lines) + "\n")
    return folder


def _resolved() -> list[str]:
    return [
        flag.serialize()
        for flag in sorted(
            FLAGS.flags_by_module_dict()[__name__]
            + FLAGS.flags_by_module_dict().get("ijsat_tf.commandline", []),
            key=lambda flag: flag.name,
        )
        if flag.value is not None
    ]


def _is_free(line: str) -> bool:
    return line.removeprefix("--").split("=")[0] in _FREE
