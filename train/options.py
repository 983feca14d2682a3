"""The settings of a training run, as flags."""

from __future__ import annotations

import hashlib
import pathlib

from absl import flags

from ijsat_tf import commandline
from ijsat_tf.storage import files, resumable

FLAGS = flags.FLAGS

# The generators, each with its learning rate at the start and the loss that is
# logged step by step.
GENERATORS = {
    "flow": (0.001, "bits_per_dim"),
    "sngan": (0.0002, "generator_loss"),
    "vaegan": (0.005, "reconstruction"),
}
CLASSIFIERS = [
    "standard",
    "mixup",
    "manifold_mixup",
    "cutout",
    "at",
    "trades",
    "mart",
    "iat",
    "dmat",
    "ijsat",
    "randomized_la",
    "adversarial_la",
    "on_manifold",
    "advprop",
    "rlat",
    "fast_pat",
]

flags.DEFINE_enum(
    "method",
    None,
    [*GENERATORS, "project", *CLASSIFIERS],
    "what to do: train a generator, project images onto a GAN's manifold, or "
    "train a classifier by a method",
    required=True,
)
flags.DEFINE_string("workdir", None, "folder of this run", required=True)
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer(
    "train_examples", None, "first so many images; None for all", 1
)
flags.DEFINE_integer(
    "held_out", 0, "last so many images; they say which epoch was best", 0
)
flags.DEFINE_enum(
    "augment",
    "crop_flip",
    ["crop_flip", "flip", "none"],
    "random crops and mirror images, mirror images alone, or neither",
)
flags.DEFINE_integer("epochs", 120, "passes over the images", 1)
flags.DEFINE_integer("batch_size", 128, "images a step, on all devices", 1)
commandline.define_strategy()
flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_bfloat16"],
    "of convolutions, weights stay float32; auto for mixed_bfloat16 where "
    "the machine multiplies bfloat16",
)
flags.DEFINE_bool(
    "jit_compile",
    False,
    "whether XLA compiles the step, of one device: minutes at the start, for "
    "fewer and larger kernels",
)

flags.DEFINE_enum(
    "model",
    "resnet18",
    ["resnet18", "preact_resnet18", "resnet50", "small_cnn"],
    "the classifier",
)
flags.DEFINE_enum(
    "stem", "cifar", ["cifar", "imagenet"], "first layers of the ResNets"
)
flags.DEFINE_integer("width", 64, "channels of its first stage", 1)
flags.DEFINE_bool(
    "normalize",
    False,
    "whether its first layer subtracts the training images' mean and divides "
    "by their deviation, channel by channel",
)
commandline.define_fraction(
    "learning_rate",
    None,
    "at the start; None for 0.1, of a flow for 0.001, of an SNGAN for 0.0002, "
    "of a VAE-GAN for 0.005",
)
commandline.define_fraction("momentum", 0.9, "of SGD")
flags.DEFINE_bool("nesterov", False, "whether the momentum is Nesterov's")
commandline.define_fraction("l2", 2e-4, "coupled weight decay")
flags.DEFINE_list(
    "drops", ["75", "90", "100"], "epochs whose start lowers the rate"
)
commandline.define_fraction("drop_factor", 0.1, "of the rate at each of these")
flags.DEFINE_list(
    "drop_shares", None, "shares of all steps at which it drops, for --drops"
)
flags.DEFINE_enum(
    "schedule",
    "drops",
    ["drops", "cyclic"],
    "of the rate; cyclic is DMAT's on OM-ImageNet, of 20 epochs, or 40 of "
    "--method=standard",
)

flags.DEFINE_enum(
    "attack",
    None,
    ["fgsm", "pgd", "jsa", "om_pgd"],
    "of the method; None for jsa with ijsat, for pgd with others",
)
flags.DEFINE_enum("norm", "linf", ["linf", "l2"], "of the radius in pixels")
flags.DEFINE_enum(
    "latent_attack", "om_pgd", ["om_pgd", "jsa"], "the second one of dmat"
)
flags.DEFINE_integer("attack_steps", 10, "K", 1)
commandline.define_fraction("beta", 6.0, "weight in trades and mart")
commandline.define_fraction("tau", 0.1, "mixup's alpha ~ Beta(tau, tau)")
flags.DEFINE_enum(
    "alpha", "sample", ["sample", "batch"], "one alpha for each of these"
)
flags.DEFINE_enum(
    "mix", "input", ["input", "manifold"], "what iat mixes after attacking"
)
commandline.define_fraction("clean", 0.5, "weight of iat's clean images")
flags.DEFINE_integer("cutout", 16, "side of cutout's squares in pixels", 1)
commandline.define_fraction("bound", 0.5, "of fast_pat's distance")
flags.DEFINE_string("flow", None, "path of a trained flow.keras")
flags.DEFINE_string(
    "gan",
    None,
    "in its place, path of a sngan.keras whose latents come with the images, "
    "or of a vaegan.keras",
)

flags.DEFINE_string(
    "robust_attack", "pgd50", "of the held-out images, to find the best epoch"
)
flags.DEFINE_integer("robust_every", 5, "epochs from one to the next", 1)
flags.DEFINE_integer("log_every", 100, "steps a loss for TensorBoard", 1)
commandline.define_fraction(
    "checkpoint_every",
    15,
    "minutes from one checkpoint to the next within an epoch, beside the one "
    "at its end; 0 for each step",
)
flags.DEFINE_integer("keep", 3, "how many of the last checkpoints", 1)

flags.DEFINE_integer("flow_levels", 4, "of Glow", 1)
flags.DEFINE_integer("flow_steps", 8, "flow steps a level", 1)
flags.DEFINE_integer("flow_hidden", 512, "width of the coupling nets", 1)
flags.DEFINE_integer("warmup_steps", 100, "of the flow's learning rate", 0)

flags.DEFINE_integer("latent_size", 128, "of a GAN", 1)
flags.DEFINE_integer("gan_width", 256, "channels of its generator", 1)
flags.DEFINE_integer("discriminator_width", 128, "of an SNGAN", 1)
flags.DEFINE_integer("critic_steps", 5, "for one of its generator", 1)

flags.DEFINE_integer(
    "test_examples", None, "first so many to project; None for all", 1
)
flags.DEFINE_integer("projection_steps", 100, "of Adam, to project images", 1)
flags.DEFINE_string(
    "features",
    None,
    "path of the classifier.keras whose features projection compares; None "
    "compares pixels alone",
)
flags.DEFINE_list(
    "feature_layers", None, "names of its layers; None for stage1 and so on"
)
flags.DEFINE_string(
    "vgg16",
    None,
    "in its place, path of an .npz of PyTorch's VGG16, for LPIPS",
)
flags.DEFINE_string("lpips", None, "path of an .npz of LPIPS' weights for it")

# Flags that may differ when a run is resumed.
_FREE = (
    "workdir",
    "data_dir",
    *(_FILES := ("flow", "gan", "features", "vgg16", "lpips")),
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


def learning_rate() -> float:
    """The learning rate at the start."""
    if FLAGS.learning_rate is not None:
        return FLAGS.learning_rate
    return GENERATORS.get(FLAGS.method, (0.1,))[0]


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
            content = pathlib.Path(FLAGS[name].value).read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            digests.append(f"# {name}, sha256={digest}")
    return digests + [
        flag.serialize()
        for flag in sorted(
            FLAGS.flags_by_module_dict()[__name__]
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
