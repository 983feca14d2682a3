"""The plan of the study: its runs, in order; README.md gives the reasons."""

from __future__ import annotations

from typing import NamedTuple

PRESET = "ijsat_tf/flows/presets/glow_cifar10_small.keras"
# The latent radius that `make calibration` chose on held-out images; None
# before the calibration. The step of every radius is a quarter of the radius.
CALIBRATED: float | None = 0.002
# The paper's radius, as section 6.1 prints it.
PRINTED = 0.02
DOSES = (0.005, 0.02)
SEEDS = (0, 1)


class Evaluation(NamedTuple):
    """An evaluation: attacks or corruptions of some of the test images.

    Attributes:
        name: Folder of the records.
        flags: Flags of eval/main.py.
        checkpoints: Evaluated checkpoints, "last" or "best" or both; the best
            epoch is evaluated only where it is not the last one.
        digits: Number of binary digits that are kept of each float, after the
            first one.
    """

    name: str
    flags: tuple[str, ...]
    checkpoints: tuple[str, ...] = ("last",)
    digits: int = 8


class Run(NamedTuple):
    """A run of the study: a network to evaluate, or files for other runs.

    Attributes:
        name: Folder of the run, ROW-SEED.
        flags: Flags of train/main.py.
        evaluations: Evaluations; a generator or a set of images has none.
        needs: Names of the runs whose files the flags name.
        made: Pattern of a file in the folder that shows the end of training.
    """

    name: str
    flags: tuple[str, ...]
    evaluations: tuple[Evaluation, ...] = ()
    needs: tuple[str, ...] = ()
    made: str = "classifier.keras"

    @property
    def waits_for_calibration(self) -> bool:
        """Whether training or an evaluation needs the calibrated radius."""
        given = (self, *self.evaluations)
        return any("--eta=None" in each.flags for each in given)


def latent(radius: float | None) -> tuple[str, ...]:
    """The flags for a latent radius and its step."""
    return f"--eta={radius}", f"--eta_step={radius and radius / 4}"


def _evaluation(name: str, attacks: str, *flags: str) -> Evaluation:
    return Evaluation(
        name, (f"--attacks={attacks}", "--batch_size=500", *flags)
    )


_FIRST = "--examples=1000"
ALL = _evaluation("all", "pgd20")._replace(checkpoints=("last", "best"))
FIXED = _evaluation(
    "fixed",
    "pgd20,autoattack,jsa50,om_pgd50,elastic_100,jpeg_100,l2_100",
    _FIRST,
    *latent(CALIBRATED),
)
LARGE = _evaluation("large", "jsa50,om_pgd50", _FIRST, *latent(PRINTED))
JSA = _evaluation("jsa", "jsa50", _FIRST, *latent(CALIBRATED))
CLEAN = _evaluation("clean", "")
# Fewer digits, or the 75 sets would take as much space as all other records.
CORRUPTED = _evaluation("corrupted", "", _FIRST, "--corruptions=all")._replace(
    digits=4
)
# `FIXED` has JSA-50 of the last epoch already.
MAIN = ALL, FIXED, LARGE, JSA._replace(checkpoints=("best",))
OVERFITTING = ALL, JSA._replace(checkpoints=("last", "best"))

# Rows as named in train/configs; first the rows of the paper's ablation.
CORE = {
    "at": "AT",
    "at_jsa": "AT [JSA]",
    "at_jsa_mixup": "AT [JSA] + mixup",
    "ijsat": "IJSAT",
}
ONE_SEED = "trades trades_jsa mart mart_jsa standard iat at_16 at_32".split()
ACCURACY = "standard", "mixup", "ijsat"
CORRUPTIONS = "at_l2", "rlat", "ijsat"
# These rows are trained on 10,000 images, and so have a table of their own.
MANIFOLD = {
    "dmat": "DMAT",
    "at_jsa_gan": "AT [JSA-GAN]",
    "dmat_jsa": "DMAT + JSA",
    "at_jsa_10000": "AT [JSA]",
}
DOSE = {
    **CORE,
    **{
        f"{row}_{dose}": f"{CORE[row]}, {dose}"
        for dose in DOSES
        for row in list(CORE)[1:]
    },
}


def _flagfile(name: str) -> str:
    return f"--flagfile=train/configs/{name}.cfg"


def _jsa(radius: float | None) -> tuple[str, ...]:
    return f"--flow={PRESET}", *latent(radius)


def _row(
    row: str,
    seed: int = 0,
    suffix: str = "",
    radius: float | None = None,
    flags: tuple[str, ...] = (),
    evaluations: tuple[Evaluation, ...] = MAIN,
    needs: tuple[str, ...] = (),
) -> Run:
    given = _flagfile(f"cifar10_{row}"), "--flagfile=reproduction/small.cfg"
    if row == "ijsat" or row.endswith(("jsa", "jsa_mixup")):
        given += _jsa(radius or CALIBRATED)
    return Run(
        f"{row}{suffix}-{seed}",
        (*given, f"--seed={seed}", *flags),
        evaluations,
        needs,
    )


def _of_table_2(row: str, half: str, *more: Evaluation) -> Run:
    # The learning rates drop at the same shares of the steps as in the
    # flagfiles. The paper names no best epoch for these rows, so that no image
    # is held out.
    drops = ("--drop_shares=0.3,0.6,0.8",) * (half == "accuracy")
    given = (
        _flagfile(f"cifar10_{half}_{row}"),
        "--flagfile=reproduction/small.cfg",
        "--held_out=0",
        *(drops or ("--drop_shares=0.34,0.67",)),
        *(_jsa(CALIBRATED) if row == "ijsat" else ()),
    )
    return Run(f"{half}_{row}-0", given, (CLEAN, *more))


def _of_manifolds(root: str) -> list[Run]:
    sngan = f"--gan={root}/sngan/sngan.keras"
    few = ("--train_examples=10000",)
    # The calibration is for the latents of the flow, not for a GAN's latents.
    given = sngan, f"--data_dir={root}/om", *latent(PRINTED), *few
    return [
        Run(
            "sngan",
            (_flagfile("cifar10_sngan_small"), "--precision=float32"),
            made="sngan.keras",
        ),
        Run(
            "om",
            (
                _flagfile("cifar10_project"),
                "--train_examples=11000",
                "--test_examples=1000",
                sngan,
                f"--features={root}/standard-0/classifier.keras",
            ),
            needs=("sngan", "standard-0"),
            made="om_cifar10/*/dataset_info.json",
        ),
        *(
            _row(row, flags=given, needs=("sngan", "om"))
            for row in ("dmat", "at_jsa_gan")
        ),
        _row("dmat_jsa", flags=few),
        _row("at_jsa", suffix="_10000", flags=few),
    ]


def plan(root: str) -> list[Run]:
    """All runs of the study, in order.

    Args:
        root: Folder of the runs' folders.
    """
    long = ("--train_examples=5000", "--epochs=60")
    return [
        *(_row(row, seed) for seed in SEEDS for row in CORE),
        *(
            _row(row, suffix=f"_{dose}", radius=dose)
            for dose in DOSES
            for row in list(CORE)[1:]
        ),
        *(
            _row(row, seed, "_long", 0.005, long, OVERFITTING)
            for seed in SEEDS
            for row in CORE
        ),
        *(_row(row) for row in ONE_SEED),
        *(_of_table_2(row, "accuracy") for row in ACCURACY),
        *(_of_table_2(row, "corruptions", CORRUPTED) for row in CORRUPTIONS),
        *_of_manifolds(root),
    ]
