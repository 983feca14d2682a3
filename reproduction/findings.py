"""The paper's claims in words, each with the paper's numbers and ours."""

from __future__ import annotations

from typing import NamedTuple

import claims
import numpy as np
from claims import Claim, Scores, Verdict

from ijsat_tf.evaluation.corruption import CELLS
from ijsat_tf.evaluation.paper import as_printed


class Finding(NamedTuple):
    """A claim of the paper in words.

    Attributes:
        sections: Sections of `claims.SECTIONS` that test the claim.
        says: What the paper says.
        differs: Why the study may find something else.
    """

    sections: tuple[str, ...]
    says: str
    differs: str


FINDINGS = {
    "Training with JSA in place of PGD": Finding(
        ("JSA over PGD",),
        "The paper trains one network with JSA and another one with PGD, all "
        "else alike. The network that was trained with JSA is more robust "
        "under the attack that training used and under attacks that training "
        "never saw (section 6.4.2, Table 4).",
        "Ten epochs do not suffice for a small network to fit its attacked "
        "training images. Such a network may lose more by a stronger attack "
        "than a large network, and gain less.",
    ),
    "IJSAT against adversarial training": Finding(
        ("IJSAT over AT",),
        "The paper says that IJSAT is much more robust than adversarial "
        "training (AT) under all six attacks of Table 1.",
        "IJSAT trains on mixed images with mixed labels, which are harder than "
        "single images. A small network may need more than ten epochs for "
        "them.",
    ),
    "Robust Mixup against mixup after the attack": Finding(
        ("Robust Mixup over mixup after the attack",),
        "The paper says that mixing attacked images does not make a network "
        "more robust, while attacking mixed images (Robust Mixup) raises both "
        "the standard accuracy and the robustness (section 6.4.3, Table 4).",
        "The paper's differences are below one point for most columns, which "
        "1,000 test images can hardly show.",
    ),
    "Larger latent radii in training": Finding(
        tuple(section for section in claims.SECTIONS if "Dose" in section),
        "The paper has no such rows. The study asks what a latent radius above "
        "the calibrated one changes, since the paper prints two radii.",
        "The attacks of the evaluation keep the calibrated radius, so these "
        "rows are trained for a stronger attack than the attack that they "
        "meet.",
    ),
    "Robust overfitting": Finding(
        ("No robust overfitting",),
        "Fig. 2 of the paper shows that the robust accuracy of AT falls after "
        "the first drop of the learning rate, at epoch 75 of 120, and that the "
        "robust accuracy of IJSAT does not.",
        "A small network cannot fit 49,000 training images, so the study "
        "trains on 5,000 images for 60 epochs, where AT can overfit.",
    ),
    "JSA with TRADES and MART": Finding(
        ("JSA helps TRADES and MART",),
        "The paper says that TRADES and MART are more robust with JSA than "
        "with PGD (section 6.6, Table 5).",
        "The paper's differences under PGD-20 and AutoAttack are about one "
        "point or less, which 1,000 test images can hardly show.",
    ),
    "A larger pixel radius": Finding(
        ("A larger radius does not explain it",),
        "The paper trains AT with pixel radii of 16/255 and 32/255, to show "
        "that JSA does not help only because JSA changes an image more. These "
        "networks lose much standard accuracy (section 6.4.2, Table 4).",
        "A small network loses standard accuracy at smaller radii already.",
    ),
    "Data augmentation": Finding(
        ("Better standard accuracy as data augmentation",),
        "The paper says that IJSAT without a change of pixels has a better "
        "standard accuracy than other augmentations, and that IJSAT with a "
        "radius of 1/255 is the best for corrupted images (Table 2).",
        "Augmentation helps a network that would fit its training images "
        "otherwise. Ten epochs of a small network are far from that.",
    ),
    "The manifold of a flow and of a GAN": Finding(
        ("Exact manifold over that of a GAN, 10,000 images",),
        "The paper says that the latents of a flow, which are exact, train a "
        "better network than the latents of a GAN (section 6.4.1, Tables 4 "
        "and 6).",
        "The study's GAN is small, and 10,000 images train these rows.",
    ),
}

_HEAD = """\
Each section says what the paper found, what the study found, and why the two
may differ. A difference is in percentage points, the better row of the paper
less the other row. [The protocol](../README.md#verdicts) explains the words
of the verdicts: *held*, *not held*, *not decidable* and *not tried*. The
intervals are for other test images, not for other seeds.

Four things differ from the paper in every row. The network is a ResNet-18 of
width 16 in place of 64. Training takes 10 epochs, or 60 on 5,000 images, in
place of 120. Attacks take 5 steps in training in place of 10. The latent
radius is calibrated. So a verdict is on the claim at this scale, and not on
the paper's own experiment."""

_RADIUS = """\
## The latent radius

The paper prints a latent radius of 0.02 in section 6.1 and of 0.002 in
section 6.4.2. A radius in latents means nothing by itself, because another
flow spreads the same images over other latents. So the study chooses the
radius by its effect: the calibrated radius is the largest one of six at which
JSA and on-manifold PGD weaken AT no more than in the paper's tables. [The
protocol](../README.md#the-latent-radius) has the table. With this flow 0.002
passes. The radius 0.02 is far too strong: on-manifold PGD then leaves AT less
than three quarters of its standard accuracy, where the paper's tables imply
more than nine tenths. [The doses](dose.md) say what larger radii do in
training. [Flows](../../docs/flows.md) says how to calibrate the radius for a
flow of your own."""


def to_markdown(scores: Scores, pictures: list[str]) -> str:
    """All findings, as sections of a page.

    Args:
        scores: Function from row, seed, evaluation and columns to scores, as
            `claims.verdict` takes it.
        pictures: Names of the pictures of the curves.
    """
    parts = [_HEAD]
    for heading, finding in FINDINGS.items():
        parts += [f"## {heading}", f"**The paper.** {finding.says}"]
        for section in finding.sections:
            lines = [
                f"- {sentence(claim, claims.verdict(claim, scores))}"
                for claim in claims.SECTIONS[section]
            ]
            title = f"**The study.** {section}:"
            parts += [title, "\n".join(lines)]
        parts += [f"**Why the two may differ.** {finding.differs}"]
        if heading == "Robust overfitting":
            parts += [f"![Accuracy by epoch.]({name}.png)" for name in pictures]
    return "\n\n".join([*parts, _RADIUS])


def sentence(claim: Claim, verdict: Verdict) -> str:
    """The verdict on a claim, with the numbers of the study and of the paper.

    Args:
        claim: Claim, one of `claims.SECTIONS`.
        verdict: Verdict of the study.
    """
    rows = f"`{claim.better}` over `{claim.worse}`"
    text = f"{rows}, {claim.text}: **{verdict.word}**."
    if verdict.seeds:
        low, high = verdict.interval
        seeds = len(verdict.seeds)
        text += (
            f" The difference is {verdict.difference:+.2f} points, with a 95 % "
            f"interval from {low:+.2f} to {high:+.2f}, on {verdict.images:,} "
            f"images and {seeds} seed{'s' * (seeds > 1)}."
        )
    found = printed(claim)
    if found:
        number, better, worse = found
        text += (
            f" The paper's difference is {better - worse:+.2f} points "
            f"({better:.2f} over {worse:.2f}, Table {number})."
        )
    return text


def printed(claim: Claim) -> tuple[int, float, float] | None:
    """The paper's numbers for a claim, None where no table has both rows.

    Args:
        claim: Claim, one of `claims.SECTIONS`.

    Returns:
        The number of the table, and the means of the claim's columns in the
        better and in the worse row, in percent.
    """
    wanted = CELLS if claim.columns == ("*",) else claim.columns
    for number, tables in as_printed.TABLES.items():
        for table in tables:
            places = [
                place
                for place, column in enumerate(table.columns)
                if column.records and set(column.records) <= set(wanted)
            ]
            covered = sum(len(table.columns[place].records) for place in places)
            rows = {row.name: row.cells for row in table.rows}
            # The study has such rows with fewer training images too.
            names = [
                name.removesuffix("_10000")
                for name in (claim.better, claim.worse)
            ]
            there = set(names) <= set(rows) and covered == len(wanted)
            if there and as_printed.DATA[number] == "cifar10":
                better, worse = (
                    np.mean([as_printed.number(rows[name][p]) for p in places])
                    for name in names
                )
                return number, float(better), float(worse)
    return None
