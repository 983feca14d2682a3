"""What docs/results/protocol.md runs, in its order."""

from __future__ import annotations

from typing import NamedTuple

PRESET = "ijsat_tf/flows/presets/glow_cifar10_small.keras"


class Evaluation(NamedTuple):
    """Columns on some of the test images.

    Attributes:
        name: of the folder of its records.
        flags: of eval/main.py.
        best: whether the best epoch is evaluated too, beside the last one.
        digits: binary ones of each float that is kept, after the first.
    """

    name: str
    flags: tuple[str, ...]
    best: bool = True
    digits: int = 10


class Run(NamedTuple):
    """A classifier to train and evaluate, or what others need first.

    Attributes:
        name: of its folder.
        flags: of train/main.py.
        evaluations: none for a generator or a set of images.
        needs: names of the runs whose files the flags name.
        made: pattern of a file in its folder that shows that it is trained.
    """

    name: str
    flags: tuple[str, ...]
    evaluations: tuple[Evaluation, ...] = ()
    needs: tuple[str, ...] = ()
    made: str = "classifier.keras"


WIDE = Evaluation(
    "wide",
    ("--examples=2000", "--attacks=pgd20,jsa50", "--batch_size=500"),
)
TABLE = Evaluation(
    "records",
    (
        "--examples=500",
        "--attacks=pgd20,autoattack,jsa50,elastic_100,jpeg_100,l2_100",
        "--batch_size=500",
    ),
    best=False,
)
CLEAN = Evaluation("records", ("--attacks=", "--batch_size=500"), best=False)
CORRUPTED = Evaluation(
    "corrupted",
    (
        "--examples=1000",
        "--attacks=",
        "--corruptions=all",
        "--batch_size=500",
    ),
    best=False,
    digits=4,  # Of 75 sets, or they would weigh as much as all other rows.
)

# As in train/configs: the rows that the paper's ablation is about first.
ABLATION = {
    "at": "AT",
    "at_jsa": "AT [JSA]",
    "at_jsa_mixup": "AT [JSA] + mixup",
    "ijsat": "IJSAT",
}
OTHERS = {
    "standard": "Normal training",
    "iat": "IAT",
    "trades": "TRADES",
    "mart": "MART",
    "trades_jsa": "TRADES + JSA",
    "mart_jsa": "MART + JSA",
    "at_16": "AT, 16/255",
    "at_32": "AT, 32/255",
}
GAN = {
    "dmat": "DMAT",
    "at_jsa_gan": "AT [JSA-GAN]",
    "dmat_jsa": "DMAT + JSA",
}
# Added when the rows of 0.02 had been seen, and not of the paper's tables.
ADDED = {
    "at_jsa_eta": "AT [JSA], eta 0.005",
    "ijsat_eta": "IJSAT, eta 0.005",
}
LABELS = {**ABLATION, **OTHERS, **GAN, **ADDED}
README = {**ABLATION, **ADDED}
FIGURES = "joint_space_attack", "samples", "levels", "flow_samples"
_BFLOAT16 = "--precision=mixed_bfloat16"


def _flagfile(name: str) -> str:
    return f"--flagfile=train/configs/{name}.cfg"


def _flow(needed: bool) -> tuple[str, ...]:
    return (f"--flow={PRESET}",) * needed


def _row(
    row: str,
    seed: int = 0,
    suffix: str = "",
    flags: tuple[str, ...] = (),
    evaluations: tuple[Evaluation, ...] = (WIDE, TABLE),
    needs: tuple[str, ...] = (),
    scale: str = "small",
) -> Run:
    given = (_flagfile(f"cifar10_{row}"), _flagfile(f"{scale}_results"))
    jsa = row == "ijsat" or "jsa" in row and row != "at_jsa_gan"
    return Run(
        f"{row}{suffix}-{seed}",
        (*given, f"--seed={seed}", *_flow(jsa), *flags),
        evaluations,
        needs,
    )


def _of_table_2(row: str, half: str, *more: Evaluation) -> Run:
    return Run(
        f"{half}_{row}-0",
        (
            _flagfile(f"cifar10_{half}_{row}"),
            _flagfile(f"small_{half}"),
            "--attack_steps=5",
            _BFLOAT16,
            *_flow(row == "ijsat"),
        ),
        (CLEAN, *more),
    )


def _on_manifold(row: str, root: str) -> Run:
    gan = (f"--gan={root}/sngan/sngan.keras", f"--data_dir={root}/om")
    return _row(row, flags=gan, needs=("sngan", "om"))


def plan(root: str) -> list[Run]:
    """All runs, in order.

    Args:
        root: the folder of their folders.
    """
    long = ("--train_examples=5000", "--epochs=60")
    sngan = Run(
        "sngan",
        (_flagfile("cifar10_sngan_small"), _BFLOAT16),
        made="sngan.keras",
    )
    projected = Run(
        "om",
        (
            _flagfile("cifar10_project"),
            "--train_examples=11000",
            "--test_examples=1000",
            f"--gan={root}/sngan/sngan.keras",
            f"--features={root}/standard-0/classifier.keras",
        ),
        needs=("sngan", "standard-0"),
        made="om_cifar10/*/dataset_info.json",
    )
    return [
        *(_row(row, seed) for seed in (0, 1) for row in ABLATION),
        *(_row(row) for row in OTHERS),
        *(
            _of_table_2(row, "accuracy")
            for row in ("standard", "mixup", "ijsat")
        ),
        *(
            _of_table_2(row, "corruptions", CORRUPTED)
            for row in ("standard", "at_l2", "ijsat")
        ),
        *(
            _row(row, suffix="_long", flags=long, evaluations=(WIDE,))
            for row in ABLATION
        ),
        sngan,
        projected,
        *(_on_manifold(row, root) for row in ("dmat", "at_jsa_gan")),
        _row("dmat_jsa"),
        *(
            _row(row, suffix="_eta", flags=("--eta=0.005",))
            for row in ("at_jsa", "ijsat")
        ),
    ]


def full() -> list[Run]:
    """The rows of the paper's ablation at full width and on all images, of as
    many epochs as a quarter of an hour of a GPU has room for."""
    few = ("--epochs=3", "--robust_every=3")
    return [_row(row, flags=few, scale="full") for row in ABLATION]
