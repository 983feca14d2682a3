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
study of one seed, and the paper found the opposite. This page looks for an
error of our own that could cause such a difference.

AT is adversarial training with PGD, which changes pixels. IJSAT mixes two
images and attacks the mixture with JSA, which changes the latent of a flow and
pixels. PGD-K and JSA-K take K steps. An image is *right* if the network
classifies it correctly, and a loss is the mean cross entropy in nats.
[The protocol](../README.md) has all settings.

Each section says how an error would show. The first three sections use the
networks of AT and IJSAT after their last epoch, and the first
{diagnosis.IMAGES} training images without augmentation. The attacks have the
radii and the step sizes of the training. `make diagnosis` computes the numbers
that the study itself does not have."""

_SEEN = """\
## What was seen

No error was found by these checks.

- **Steps.** For both attacks and both networks, the mean loss rises with the
  number of steps, and hardly rises after 20 steps. The mean loss under JSA is
  above the mean loss under PGD at every number of steps. Five steps reach about
  four fifths of the rise of 50 steps.
- **Mixtures.** At all four bounds the draws of alpha agree with
  Beta(0.1, 0.1). An attack on mixtures raises the loss more than an attack
  before mixing, for both networks.
- **BatchNorm.** An attack that is crafted in inference mode raises the loss in
  training mode by about nine tenths of what an attack that is crafted in
  training mode reaches there, for both networks.
- **Equal accuracy.** After equal numbers of epochs IJSAT has fewer held-out
  images right than AT, in every line of the table. At equal accuracy in
  training IJSAT has more held-out images right. The learning rate alone may
  explain this, because AT is at its highest rate there, and IJSAT is at its
  lowest.
- **More epochs and steps.** After two more epochs IJSAT is still less robust
  than AT under PGD-20, with five steps and with ten. Each change of the
  difference is smaller than half of the width of its intervals, so these runs
  do not show whether the difference shrinks. Ten steps raise the accuracy of
  both networks under PGD-20, and lower their standard accuracy.

Several explanations remain, and these checks prove none of them. IJSAT's task
is harder, and a small network may need many more epochs to gain from a harder
task. One seed may be chance. Mixing alone or JSA alone may be the cause; the
runs that would tell are in the study's plan."""

_LABELS = {"at": "AT", "ijsat": "IJSAT"}
_ATTACKS = {"PGD-K": "pgd", "JSA-K": "jsa"}
_MORE = {
    "": "10 epochs, 5 steps",
    "_more": "2 more epochs, 5 steps",
    "_more_k10": "2 more epochs, 10 steps",
}
_COLUMNS = (
    *tables.LAST[:2],
    tables.LAST[1]._replace(heading="PGD-20, first images", images=1000),
    tables.LAST[2],
)

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
        "With a wrong sign the loss would fall. With a step that is far too "
        "large or too small, the loss would stop rising early, or would still "
        f"rise at {most} steps. JSA may change pixels as much as PGD, and "
        "latents too, so JSA should raise the loss more than PGD with the same "
        "K. A small error would not show here. The table has the loss, and in "
        f"brackets the share of right images.\n\n{grid(lines)}\n\n"
        "The rise is the loss under attack less the clean loss. The study "
        "trains with five steps, and section 6.1 of the paper says ten. The "
        f"next table has their rise as a share of the rise of {most} steps."
        f"\n\n{grid(shares)}"
    )


def _mixing(found: Found) -> str:
    cases = ["mixture", "attacked, then mixed", "mixed, then attacked"]
    lines = [["images", *_LABELS.values()]]
    for case in cases:
        cells = [f"{found['mixing', r, case, 'loss']:.3f}" for r in _LABELS]
        lines.append([case, *cells])
    bounds = [case for check, _, case, what in found if check == "alpha"]
    draws = [["smaller weight above", "drawn", "expected"]]
    for bound in dict.fromkeys(bounds):
        shares = [
            f"{100 * found['alpha', '', bound, what]:.2f} %"
            for what in ("drawn", "expected")
        ]
        draws.append([bound, *shares])
    return (
        "A mixture gives one image the weight alpha, and another image the "
        "weight 1 - alpha. The study draws alpha from Beta(0.1, 0.1). (The "
        "paper prints Beta(-tau, tau), which is no distribution.) An error in "
        "the draws would give the images other weights. The training's code "
        f"drew {diagnosis.DRAWS:,} values of alpha for the next table. Its "
        "columns are the share of mixtures whose smaller weight is above a "
        f"bound, and the share under Beta(0.1, 0.1).\n\n{grid(draws)}\n\n"
        "Robust Mixup attacks a mixture with the mixture's label. This attack "
        "should raise the mixture's loss (Eq. 6) more than attacks on the "
        "single images before mixing. An attack with a wrong image or label "
        "would probably raise the loss less. The next table has the loss of "
        f"mixtures under JSA-5.\n\n{grid(lines)}"
    )


def _normalization(found: Found) -> str:
    modes = "inference", "training"
    lines = [["crafted in", "seen in", *_LABELS.values()]]
    for crafted in ("clean", *modes):
        for seen in modes:
            losses = [
                found["normalization", row, f"{crafted}, {seen}", "loss"]
                for row in _LABELS
            ]
            lines.append(
                ["not attacked" if crafted == "clean" else crafted, seen]
                + [f"{loss:.3f}" for loss in losses]
            )
    return (
        "The library crafts images in inference mode, and the train step sees "
        "the images in training mode. If an attack lost its effect by this "
        "change, the networks would train on weak attacks, and IJSAT might on "
        "weaker ones than AT. The table has the loss under PGD-5 on single "
        f"images for both networks, in batches of {diagnosis.BATCH}."
        f"\n\n{grid(lines)}"
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
            f"\n\nIJSAT ends with {reached:.1f} % in training and "
            f"{held_out:.1f} % of the held-out images. AT passes "
            f"{reached:.1f} % in training between two lines of the table. By "
            f"linear interpolation, AT has {at:.1f} % of the held-out images "
            "right there."
        )
    return (
        "A network that has learned less may be less robust without any error "
        "of ours. The columns *training* have the percentage of attacked "
        "training images that are right, over the epoch. AT's images are "
        "attacked by PGD-5. IJSAT's images are mixtures that are attacked by "
        "JSA-5, and a mixture is right if the network names the class with the "
        "larger weight. So IJSAT's task is harder, and the two columns are not "
        "quite the same measure. The columns *held out* have the percentage of "
        "the 1,000 held-out images that are right under PGD-20 after the epoch."
        f"\n\n{grid(lines)}{text}"
    )


def _more(results: Results) -> str:
    head = ["IJSAT over AT, PGD-20", "difference", "95 % interval"]
    lines, labels = [head], {}
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
        "If IJSAT needs more epochs than AT, or an attack of more steps, then "
        "the difference should shrink with more epochs or with more steps. "
        "Each network of ten epochs is trained for two more epochs, once with "
        "an attack of five steps and once with ten. The learning rate starts "
        "again at its highest value, and drops at the study's shares of the "
        "two epochs. Two more epochs are a weak test, since the paper trains "
        "for 120. The first table has the percentage of test images that are "
        "right after the last epoch.\n\n"
        f"{tables.accuracies(results, labels, _COLUMNS)}\n\n"
        "The next table has the accuracy of IJSAT less the accuracy of AT, "
        "under PGD-20 on all test images, in percentage points. The interval "
        "says how the difference may change with other test images, and "
        f"nothing about other seeds.\n\n{grid(lines)}"
        f"{missing}\n\nThe runs of two more epochs took these machine-hours."
        "\n\n"
        f"{tables.hours(results, runs)}"
    )
