"""The paper's claims as differences between runs, and their verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from plan import DOSES, SEEDS

from ijsat_tf.evaluation.formats import grid
from ijsat_tf.evaluation.statistics import difference_interval

_UNSEEN = ("elastic", "jpeg", "l2")
COLUMNS = ("standard", "pgd20", "autoattack", "jsa50", *_UNSEEN)
_PGD = ("pgd20",), "all"


class Claim(NamedTuple):
    """The claim that one row is better than another.

    Attributes:
        text: Compared quantity, in words.
        better: Row that should be better.
        worse: Row to compare with; "ROW@best" is its best epoch, not its
            last.
        columns: Columns whose share of right images is compared.
        evaluation: Name of the evaluation in the plan.
        fall: Whether the fall from the best epoch to the last one is
            compared; the better row falls less.
    """

    text: str
    better: str
    worse: str
    columns: tuple[str, ...]
    evaluation: str = "fixed"
    fall: bool = False


def _standard(better: str, worse: str, evaluation: str = "all") -> Claim:
    text = "standard accuracy"
    return Claim(text, better, worse, ("standard",), evaluation)


def _robust(better: str, worse: str) -> list[Claim]:
    return [
        Claim("robustness, PGD-20", better, worse, ("pgd20",), "all"),
        Claim("robustness, AutoAttack", better, worse, ("autoattack",)),
        Claim("robustness, JSA-50", better, worse, ("jsa50",)),
    ]


def _unseen(better: str, worse: str) -> Claim:
    text = "unseen attacks, the mean of Elastic, JPEG and L2"
    return Claim(text, better, worse, _UNSEEN)


def _average(better: str, worse: str) -> Claim:
    return Claim("mean of Table 1's columns", better, worse, COLUMNS)


def _core(head: str = "", suffix: str = "") -> dict[str, list[Claim]]:
    jsa, mixup, ijsat = (
        f"{row}{suffix}" for row in ("at_jsa", "at_jsa_mixup", "ijsat")
    )
    return {
        f"{head}JSA over PGD": [*_robust(jsa, "at"), _unseen(jsa, "at")],
        f"{head}IJSAT over AT": [
            *_robust(ijsat, "at"),
            _unseen(ijsat, "at"),
            _average(ijsat, "at"),
        ],
        f"{head}Robust Mixup over mixup after the attack": [
            _standard(ijsat, mixup),
            *_robust(ijsat, mixup),
            _unseen(ijsat, mixup),
            _average(ijsat, mixup),
        ],
    }


def _doses() -> dict[str, list[Claim]]:
    found = {}
    for dose in DOSES:
        head = f"Dose: a latent radius of {dose} in training. "
        found |= _core(head, f"_{dose}")
    return found


SECTIONS = {
    **_core(),
    **_doses(),
    "No robust overfitting": [
        Claim("AT overfits, PGD-20", "at_long@best", "at_long", *_PGD),
        *(
            Claim(
                "falls less from the best epoch to the last, PGD-20",
                "ijsat_long",
                row,
                *_PGD,
                fall=True,
            )
            for row in ("at_long", "at_jsa_long", "at_jsa_mixup_long")
        ),
    ],
    "JSA helps TRADES and MART": [
        claim
        for row in ("trades", "mart")
        for claim in (*_robust(f"{row}_jsa", row), _unseen(f"{row}_jsa", row))
    ],
    "A larger radius does not explain it": [
        claim
        for row in ("at_16", "at_32")
        for claim in (
            _standard("at_jsa", row),
            *_robust("at_jsa", row),
            _average("at_jsa", row),
        )
    ],
    "Better standard accuracy as data augmentation": [
        *(
            _standard("accuracy_ijsat", f"accuracy_{row}", "clean")
            for row in ("standard", "mixup")
        ),
        *(
            Claim(
                "corrupted images",
                "corruptions_ijsat",
                f"corruptions_{row}",
                ("*",),
                "corrupted",
            )
            for row in ("at_l2", "rlat")
        ),
    ],
    "Exact manifold over that of a GAN, 10,000 images": [
        *_robust("at_jsa_10000", "at_jsa_gan"),
        _average("at_jsa_10000", "at_jsa_gan"),
        _standard("dmat_jsa", "dmat"),
        *_robust("dmat_jsa", "dmat"),
    ],
}


class Verdict(NamedTuple):
    """The verdict on a claim.

    Attributes:
        word: Verdict, one of "held", "not held", "not decidable" and "not
            tried".
        difference: Better - worse, in percentage points, a mean over seeds.
        interval: 95 % confidence interval of the difference.
        seeds: Difference of each seed.
        images: Number of images that were paired.
    """

    word: str
    difference: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    seeds: tuple[float, ...] = ()
    images: int = 0


Scores = Callable[[str, int, str, tuple[str, ...]], np.ndarray | None]


def verdict(claim: Claim, scores: Scores) -> Verdict:
    """The verdict of the records on a claim.

    Args:
        claim: Claim, one of `SECTIONS`.
        scores: Function from row, seed, evaluation and columns to the share
            of the columns under which each image was right, or to None where
            such a run is missing.
    """
    pairs = [
        (first, second)
        for seed in SEEDS
        if (first := _scores(claim, claim.worse, seed, scores)) is not None
        and (second := _scores(claim, claim.better, seed, scores)) is not None
    ]
    if not pairs:
        return Verdict("not tried")
    scale = 200 if claim.fall else 100
    seeds = tuple(
        float(scale * (second.mean() - first.mean())) for first, second in pairs
    )
    worse, better = np.mean(pairs, axis=0)
    low, high = (scale * end for end in difference_interval(worse, better))
    word = "not decidable"
    if low > 0 and min(seeds) > 0:
        word = "held"
    elif high < 0 and max(seeds) < 0:
        word = "not held"
    return Verdict(word, float(np.mean(seeds)), (low, high), seeds, len(worse))


def _scores(
    claim: Claim, row: str, seed: int, scores: Scores
) -> np.ndarray | None:
    found = scores(row, seed, claim.evaluation, claim.columns)
    if not claim.fall or found is None:
        return found
    best = scores(f"{row}@best", seed, claim.evaluation, claim.columns)
    # This score is higher where less is lost, and lies in [0, 1] as
    # `difference_interval` needs it.
    return (1 + found - best) / 2


def to_markdown(scores: Scores) -> str:
    """The table of all claims with their verdicts, by section."""
    lines = [
        ["Claim", "of", "over", "difference", "95 %", "seeds", "N", "verdict"]
    ]
    for section, claims in SECTIONS.items():
        lines.append([f"**{section}**", *[""] * 7])
        for claim in claims:
            found = verdict(claim, scores)
            numbers = [""] * 4
            if found.seeds:
                low, high = found.interval
                numbers = [
                    f"{found.difference:+.2f}",
                    f"{low:+.2f} to {high:+.2f}",
                    ", ".join(f"{each:+.2f}" for each in found.seeds),
                    f"{found.images:,}",
                ]
            rows = f"`{claim.better}`", f"`{claim.worse}`"
            lines.append([claim.text, *rows, *numbers, found.word])
    return grid(lines)
