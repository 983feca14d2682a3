"""The paper's claims in words, each with the paper's numbers and ours."""

from __future__ import annotations

from typing import NamedTuple

import claims
import numpy as np
from claims import Claim, Scores, Verdict

from ijsat_tf.evaluation.corruption import CELLS
from ijsat_tf.evaluation.formats import grid
from ijsat_tf.evaluation.paper import as_printed


class Finding(NamedTuple):
    """A claim of the paper in words.

    Attributes:
        sections: Sections of `claims.SECTIONS` that test the claim.
        says: What the paper says.
        differs: Why the study may differ from the paper, and how to read it.
    """

    sections: tuple[str, ...]
    says: str
    differs: str


FINDINGS = {
    "Training with JSA in place of PGD": Finding(
        ("JSA over PGD",),
        "The network that was trained with JSA is more robust than the "
        "network that was trained with PGD: by about 3 points under PGD-20 "
        "and AutoAttack, by 1.39 points under JSA-50, and by about 7 points "
        "in the mean of the unseen attacks (section 6.4.2, Table 4). The "
        "standard accuracy is 1.40 points lower.",
        "Ten epochs may be too few for a small network to fit attacked "
        "training images. A small network may lose more than a large network "
        "when the attack in training gets stronger.",
    ),
    "IJSAT against adversarial training": Finding(
        ("IJSAT over AT",),
        "IJSAT is significantly more robust than adversarial training (AT) "
        "under all six attacks of Table 1 (section 6.3).",
        "IJSAT differs from AT by mixing and by JSA, and these lines do not "
        "tell one from the other. Attacked mixtures may be harder to fit than "
        "attacked images, so a small network may need more than ten epochs. "
        "The standard accuracy supports this: IJSAT is several points below "
        "AT in the study ([Table 1](table1.md)), and 0.99 points in the paper. "
        "But most images are hardly mixed: in 64 % of the mixtures the second "
        "image weighs less than 0.01. Two more epochs did not close the gap "
        "under PGD-20. One seed may be chance. [The search for an error of our "
        "own](diagnosis.md) found no error.",
    ),
    "Robust Mixup against mixup after the attack": Finding(
        ("Robust Mixup over mixup after the attack",),
        "Mixing images after the attack need not make a network more robust. "
        "Attacking mixed images (Robust Mixup) raises the standard accuracy "
        "and the robustness (section 6.4.3). In Table 4 the gain is at most "
        "1.45 points (JPEG); AutoAttack is 0.01 points lower, and L2 is 0.38 "
        "points lower.",
        "All differences of the paper in this list are below one point. The "
        "study may have too few test images to show such differences: 10,000 "
        "for standard accuracy and PGD-20, and 1,000 for the other columns.",
    ),
    "Larger latent radii in training": Finding(
        tuple(section for section in claims.SECTIONS if "Dose" in section),
        "The paper does not compare latent radii. The paper prints 0.02 in "
        "section 6.1 and 0.002 in section 6.4.2. The study asks what a radius "
        "above the calibrated one changes in training.",
        "Of the attacks in this list only JSA-50 changes latents, and JSA-50 "
        "keeps the calibrated radius. The plan has one seed of these rows.",
    ),
    "Robust overfitting": Finding(
        ("No robust overfitting",),
        "Without mixup the robust accuracy falls after the first drop of the "
        "learning rate, at epoch 75 of 120. Mixup after the attack helps "
        "slightly, and the network still overfits. The robust accuracy of "
        "IJSAT does not fall (section 6.4.3, Fig. 2). The study tests a weaker "
        "claim: IJSAT falls less than the other rows.",
        "A small network may be unable to overfit 49,000 images in ten "
        "epochs, so the study trains on 5,000 images for 60 epochs, and JSA "
        "has a latent radius of 0.005 in training. Overfitting on so few "
        "images may not be the overfitting that the paper saw. In the list, "
        "`at_long@best` is the best epoch of `at_long`, and the other names "
        "are last epochs. The fall of a row is its best epoch less its last "
        "epoch, and a positive difference means that the first row falls "
        "less.",
    ),
    "JSA with TRADES and MART": Finding(
        ("JSA helps TRADES and MART",),
        "TRADES and MART are more robust with JSA than without JSA (section "
        "6.6, Table 5).",
        "The paper's differences under PGD-20 and AutoAttack are about one "
        "point or less. The study may have too few test images to show such "
        "differences: 10,000 for PGD-20 and 1,000 for the other columns. The "
        "plan has one seed of these rows.",
    ),
    "A larger pixel radius": Finding(
        ("A larger radius does not explain it",),
        "JSA might help because JSA changes an image more than PGD does. To "
        "test this, the paper trains AT with pixel radii of 16/255 and "
        "32/255. With 16/255 the robustness under Linf attacks is about that "
        "of JSA, and the standard accuracy is 14 points lower. In Table 4, "
        "though, AT with 16/255 is more robust than AT with JSA under JSA-50, "
        "JPEG and L2. With 32/255 the network is worse than with JSA in every "
        "column (section 6.4.2, Table 4).",
        "A small network may lose standard accuracy at smaller radii than a "
        "large network.",
    ),
    "IJSAT as data augmentation": Finding(
        ("Better standard accuracy as data augmentation",),
        "IJSAT with a pixel radius of 0 has the best standard accuracy of all "
        "augmentations in Table 2, and IJSAT with a pixel radius of 1/255 is "
        "the best for corrupted images (section 6.3). The paper quotes the "
        "other rows of Table 2 from other papers. The study compares "
        "IJSAT with two other rows of each half of the table.",
        "Augmentation may help only a network that would otherwise overfit, "
        "and a small network may not overfit in ten epochs. The corrupted "
        "images are made by the study, and are not the files of CIFAR-10-C.",
    ),
    "The manifold of a flow and of a GAN": Finding(
        ("Exact manifold over that of a GAN, 10,000 images",),
        "JSA with a flow, whose latents are exact, trains a more accurate and "
        "more robust network than JSA with a GAN (section 6.4.1, Table 4), "
        "except under L2, where the network with the GAN has 26.09 and the "
        "network with the flow has 22.69. DMAT is more robust with JSA and a "
        "flow under PGD-20, AutoAttack, JSA-50 and Elastic, and less robust "
        "under JPEG and L2 (appendix A.2, Table 6). The lines of DMAT leave "
        "out the last three columns.",
        "The study's GAN is small, and the networks see 10,000 training "
        "images only. The rows with the GAN use the printed radius of 0.02, "
        "and the rows with the flow use the calibrated radius.",
    ),
}

_HEAD = """\
Each section says what the paper found, what the study found, and why the
study may differ from the paper. A line of the study names two rows. The claim
is that the first row is better, and the difference is the first row less the
second row, in percentage points. [The protocol](../README.md#verdicts)
explains the words *held*, *not held*, *not decidable* and *not tried*. An
interval says how the difference may change with other test images. An interval
says nothing about other seeds.

The paper's numbers are those of its tables, and a mean over columns is
computed from the printed cells. In two lines the paper's own difference is
below zero, so the paper's numbers do not support the claim there. In Table 4
the average of AT with 32/255 is printed as 14.26, but the cells of this row
have the mean 24.37. AT under JPEG is 26.71 in Table 1 and 26.76 in Table 4, so
AT's mean of the unseen attacks is 30.21 in one section and 30.22 in another.
A line has no number of the paper where no table of the paper has both rows in
that column.

Most rows differ from the paper in these points. The network is a ResNet-18 of
width 16, not 64. Training takes 10 epochs, or 60 on 5,000 images; the paper
takes 120, and the sources of Table 2 take 150 or 200. An attack of several
steps takes 5 steps in training; section 6.1 says 10, and Table 1 calls its AT
row PGD-5. The flow is small, and its latent radius is the calibrated one (see
[the last section](#the-latent-radius)), except where a section says otherwise.
Most attacks see 1,000 test images. So a verdict is on the claim at this scale,
and not on the paper's own experiment."""

_RADIUS = """\
## The latent radius

A latent radius belongs to one flow. In another flow the same images have other
latents, and the same radius changes the images by another amount. The paper
prints a latent radius of 0.02 in section 6.1 and of 0.002 in section 6.4.2.
The study chooses the radius by its effect on held-out images. The calibrated
radius is the largest of six at which JSA-50 leaves at least the paper's share
of PGD-20's accuracy, 0.917, and OM-PGD-50 leaves at least 0.938 of the
standard accuracy. The paper does not print the second share. The study infers
the share from the averages of Table 5, which do not fit the printed columns.

[The protocol](../README.md#the-latent-radius) has the table. With the study's
flow the calibrated radius is 0.002. With a radius of 0.02 the attacks on AT
are far stronger than in the paper: on the held-out images OM-PGD-50 leaves
0.716 of the standard accuracy, and JSA-50 leaves 0.467 of PGD-20's accuracy.
[The doses](dose.md) have the rows that were trained with larger radii; a row
that was not run is not in that table. [Flows](../../docs/flows.md) says how to
calibrate the radius for a flow of your own."""


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
        parts += [f"**Why the study may differ.** {finding.differs}"]
        if heading == "Robust overfitting":
            parts += [f"![Accuracy by epoch.]({name}.png)" for name in pictures]
    return "\n\n".join([*parts, _RADIUS])


def summary(scores: Scores) -> str:
    """The table of the claims that were tried, a line per section.

    Args:
        scores: Function from row, seed, evaluation and columns to scores, as
            `claims.verdict` takes it.
    """
    words = "held", "not held", "not decidable"
    lines = [["the paper's claim", "seeds", *words]]
    for section, tested in claims.SECTIONS.items():
        found = [(claim, claims.verdict(claim, scores)) for claim in tested]
        seeds = max(len(verdict.seeds) for _, verdict in found)
        if seeds:
            cells = [
                "; ".join(claim.text for claim, v in found if v.word == word)
                for word in words
            ]
            lines.append([section, str(seeds), *cells])
    return grid(lines)


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
                # The difference of the numbers that are shown is shown.
                return number, round(better, 2), round(worse, 2)
    return None
