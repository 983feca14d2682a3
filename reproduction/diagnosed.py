"""The page on the search for an error of our own, from kept numbers."""

from __future__ import annotations

import csv
import io
import pathlib

import claims
import diagnosis
import numpy as np
import tables
from claims import Claim
from diagnosis import Measure
from tables import Results

from ijsat_tf.evaluation.formats import grid
from ijsat_tf.storage import files

_HEAD = f"""\
At the calibrated radius IJSAT is less robust than AT under PGD-20 in this
study, and the paper found the opposite. This page looks for an error of our
own that could cause such a difference. Each section says how an error would
show. The first three sections attack the study's networks of seed 0 on the
first {diagnosis.IMAGES} training images, by the study's own attacks.
`make diagnosis` makes all numbers of this page that the study has not made."""

_SEEN = """\
## What was seen

No error was found by these checks. The mean loss rises with the number of
steps, for both attacks and both networks, and the mean loss under JSA is above
that under PGD at every number of steps. The draws of alpha follow the
distribution. An attack on mixtures gains more than an attack before mixing. In
training mode, images that were crafted in inference mode have a smaller loss
than images that were crafted in training mode, for both networks. IJSAT fits
fewer of its training images than AT in every epoch of the table. At equal
accuracy in training IJSAT is more robust on the held-out images; there AT is at
its highest learning rate, and IJSAT at its lowest. After two more epochs IJSAT
is still less robust than AT under PGD-20, with five steps of the attack and
with ten. Ten steps give both networks a higher accuracy under PGD-20 than five
steps, and the difference between the networks is not smaller. One explanation
that remains is a network that has learned too little for a stronger attack.
These checks do not prove it."""

_LABELS = {"at": "AT", "ijsat": "IJSAT"}
_ATTACKS = {"PGD-K": "pgd", "JSA-K": "jsa"}
_MORE = {
    "": "10 epochs, 5 steps",
    "_more": "2 more epochs, 5 steps",
    "_more_k10": "2 more epochs, 10 steps",
}

Found = dict[tuple[str, str, str, str], float]


def read(path: pathlib.Path) -> list[Measure]:
    """Reads the numbers that `diagnosis.save` wrote.

    Args:
        path: File to read.
    """
    lines = csv.DictReader(io.StringIO(files.read_text(path)))
    return [
        Measure(**{**line, "value": float(line["value"])}) for line in lines
    ]


def to_markdown(measures: list[Measure], results: Results) -> str:
    """The page: each check, what an error would look like, and the numbers.

    Args:
        measures: Numbers of `diagnosis.measures`.
        results: Results of all runs that are kept.
    """
    found = {each[:-1]: each.value for each in measures}
    sections = {
        "The attack's loss against its steps": _steps(found),
        "Mixtures": _mixing(found),
        "The mode of BatchNorm": _normalization(found),
        "Equal accuracy on attacked training images": _curves(results),
        "More epochs, and more steps": _more(results),
    }
    parts = [_HEAD]
    for heading, text in sections.items():
        parts += [f"## {heading}", text]
    return "\n\n".join([*parts, _SEEN])


def _steps(found: Found) -> str:
    cases = [
        ("clean", "clean", "clean"),
        *((f"{k}", f"pgd{k}", f"jsa{k}") for k in diagnosis.STEPS),
    ]
    head = ["K", *(f"{a}, {n}" for n in _LABELS.values() for a in _ATTACKS)]
    lines = [head]
    for label, *columns in cases:
        cells = [
            f"{found['steps', row, column, 'loss']:.3f} "
            f"({100 * found['steps', row, column, 'right']:.1f} %)"
            for row in diagnosis.ROWS
            for column in columns
        ]
        lines.append([label, *cells])

    most = diagnosis.STEPS[-1]

    def share(row: str, attack: str, steps: int) -> float:
        clean, some, whole = (
            found["steps", row, case, "loss"]
            for case in ("clean", f"{attack}{steps}", f"{attack}{most}")
        )
        return 100 * (some - clean) / (whole - clean)

    shares = [["share of the rise", *head[1:]]]
    for steps in diagnosis.MORE.values():
        cells = [
            f"{share(row, attack, steps):.0f} %"
            for row in _LABELS
            for attack in _ATTACKS.values()
        ]
        shares.append([f"K = {steps}", *cells])
    return (
        "A wrong step or a wrong sign in an attack would show as a loss that "
        "stops rising with the number of steps K, or as a JSA that is weaker "
        "than PGD with the same K. The table has the mean loss in nats, and in "
        f"brackets the share of right images.\n\n{grid(lines)}\n\n"
        f"The next table has the share of the rise of {most} steps that fewer "
        f"steps reach.\n\n{grid(shares)}"
    )


def _mixing(found: Found) -> str:
    cases = ["mixture", "attacked, then mixed", "mixed, then attacked"]
    lines = [["images", *_LABELS.values()]]
    for case in cases:
        cells = [f"{found['mixing', r, case, 'loss']:.3f}" for r in _LABELS]
        lines.append([case, *cells])
    bounds = [case for check, _, case, what in found if check == "alpha"]
    draws = [["lighter image weighs more than", "drawn", "expected"]]
    for bound in dict.fromkeys(bounds):
        shares = [
            f"{100 * found['alpha', '', bound, what]:.2f} %"
            for what in ("drawn", "expected")
        ]
        draws.append([bound, *shares])
    return (
        "A wrong distribution of alpha would mix other images than the paper's "
        "Beta(0.1, 0.1). The table has the share of mixtures whose lighter "
        "image weighs more than a bound, of 49,000 draws of the training, and "
        f"the share that the distribution implies.\n\n{grid(draws)}\n\n"
        "An attack on another image or label than the mixture's would gain "
        "less than an attack before mixing. The table has the mean of the "
        f"mixture's loss (Eq. 6) under JSA-5 in nats.\n\n{grid(lines)}"
    )


def _normalization(found: Found) -> str:
    modes = "inference", "training"
    lines = [["crafted in", "seen in", *_LABELS.values()]]
    for crafted in modes:
        for seen in modes:
            case = f"{crafted}, {seen}"
            lines.append(
                [crafted, seen]
                + [
                    f"{found['normalization', row, case, 'loss']:.3f}"
                    for row in _LABELS
                ]
            )
    return (
        "The library crafts in inference mode, and the train step sees the "
        "crafted images in training mode. If a crafted image lost its effect "
        "in the other mode, and did so for IJSAT alone, that would be a fault "
        "of IJSAT's step. The table has the mean loss under PGD-5 in nats, in "
        f"batches of {diagnosis.BATCH}.\n\n{grid(lines)}"
    )


def _curves(results: Results) -> str:
    lines, rows = [["epochs"]], {}
    for row, label in _LABELS.items():
        run = results.kept.get(f"{row}-0")
        if run is None:
            return tables.NOTHING
        logs = csv.DictReader(io.StringIO(run.log))
        train = {int(e["epoch"]) + 1: 100 * float(e["accuracy"]) for e in logs}
        points = csv.DictReader(io.StringIO(run.curve))
        rows[row] = {
            epoch: (train[epoch], 100 * float(each["robust_accuracy"]))
            for each in points
            if (epoch := int(each["epoch"])) in train
        }
        lines[0] += [f"{label}, training", f"{label}, held out"]
    for epoch in rows["at"]:
        cells = [
            f"{number:.1f}"
            for row in _LABELS
            for number in rows[row].get(epoch, (np.nan, np.nan))
        ]
        lines.append([str(epoch), *cells])
    last = max(rows["ijsat"])
    reached, held_out = rows["ijsat"][last]
    below, above = (
        [rows["at"][e] for e in rows["at"] if test(rows["at"][e][0])]
        for test in (lambda x: x <= reached, lambda x: x > reached)
    )
    text = ""
    if below and above:
        (low, first), (high, second) = below[-1], above[0]
        share = (reached - low) / (high - low)
        at = first + share * (second - first)
        text = (
            f"\n\nIJSAT ends with {reached:.1f} % of its attacked mixtures "
            f"right, and with {held_out:.1f} % of the held-out images right "
            f"under PGD-20. Where AT has that accuracy in training, between "
            f"two epochs of the table, AT has {at:.1f} %."
        )
    return (
        "A network that has learned less is less robust, without any error. "
        "The table has the share of attacked training images that are right "
        "during an epoch, of IJSAT of attacked mixtures and their heavier "
        "class, and after the epoch the share of the 1,000 held-out images "
        f"that are right under PGD-20.\n\n{grid(lines)}{text}"
    )


def _more(results: Results) -> str:
    lines, labels = [["IJSAT over AT, PGD-20", "difference", "95 %"]], {}
    for suffix, text in _MORE.items():
        labels |= {f"{r}{suffix}": f"{n}, {text}" for r, n in _LABELS.items()}
        claim = Claim("", f"ijsat{suffix}", f"at{suffix}", ("pgd20",), "all")
        verdict = claims.verdict(claim, results.scores)
        if verdict.seeds:
            low, high = verdict.interval
            difference = f"{verdict.difference:+.2f}"
            lines.append([text, difference, f"{low:+.2f} to {high:+.2f}"])
    runs = diagnosis.runs()
    left = [f"`{run.name}`" for run in runs if run.name not in results.kept]
    missing = f"\n\nNot run yet: {', '.join(left)}." if left else ""
    return (
        "If IJSAT needs more than ten epochs, or more than five steps of its "
        "attack, then the difference should shrink with more of them. Both "
        "networks train on for two epochs, by the study's schedule from its "
        "highest rate, with attacks of five steps and of ten. The first table "
        "has the accuracy of the last epoch in percent, of all test images as "
        "they are and under PGD-20, and of the first 1,000 under JSA-50.\n\n"
        f"{tables.accuracies(results, labels, tables.LAST)}\n\n{grid(lines)}"
        f"{missing}\n\nThe runs of this section took these hours.\n\n"
        f"{tables.hours(results, runs)}"
    )
