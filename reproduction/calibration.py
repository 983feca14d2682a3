"""Chooses the latent radius by its effect on AT, on held-out images.

python reproduction/calibration.py

The paper prints two radii, 0.02 and 0.002, and its tables say how much
accuracy its attacks took from AT. This command trains the plan's AT, attacks
the 1,000 held-out training images with several radii, and names the largest
radius that takes no more accuracy than in the paper. No test image is used.
"""

from __future__ import annotations

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import kept  # noqa: E402
import places  # noqa: E402
import plan  # noqa: E402
from absl import flags  # noqa: E402
from kept import Columns, Kept  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.evaluation.formats import grid  # noqa: E402
from ijsat_tf.spaces import Linf  # noqa: E402
from ijsat_tf.training import Interrupted  # noqa: E402

FLAGS = flags.FLAGS

RUN = "at-0"
FILE = "calibration.npz"
RADII = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02)
# The shares of AT's accuracy that the paper's attacks leave: OM-PGD-50 of the
# standard accuracy, from the averages of Table 5, and JSA-50 of the accuracy
# under PGD-20, 45.71 of 49.85.
ON_MANIFOLD, JOINT = 0.938, 0.917


def main(_: list[str]) -> None:
    work = places.work()
    with work.locked(RUN, wait=True) as lock:
        try:
            work.train(work.runs[RUN], lock)
        except Interrupted as interrupted:
            print(interrupted, flush=True)
            interrupted.die()
        records = evaluated(work.root / RUN, work.root / "calibration")
    found = {("calibration", "last"): records}
    kept.save(Kept("", "", "", found, {}), work.output / FILE)
    print(to_markdown(records))


def evaluated(run: pathlib.Path, folder: pathlib.Path) -> Columns:
    """The records of the held-out images.

    Args:
        run: Folder of the trained AT.
        folder: Folder of the records, from which a killed evaluation resumes.
    """
    classifier = commandline.load(str(run / "classifier.keras"), "classifier")
    commandline.in_float32(classifier)
    flow = commandline.load(plan.PRESET, "flow", "with_dtype")
    train = ij.data.load("cifar10", "train", data_dir=FLAGS.data_dir)
    _, source = train.hold_out(1000)
    return ij.evaluation.evaluate(
        classifier,
        (source.inputs(), source.labels),
        attacks(flow.with_dtype("float32")),
        batch_size=500,
        folder=folder,
        origin=source.origin,
    )


def attacks(flow: ij.flows.Glow) -> dict[str, ij.attacks.Attack]:
    """The attacks by the names of their columns.

    Args:
        flow: Flow whose latents are moved.
    """
    pixels = Linf(8 / 255, step=2 / 255)
    found = {"pgd20": ij.attacks.by_name("pgd20", pixels)}
    for radius in RADII:
        for name in "om_pgd50", "jsa50":
            found[f"{name}_{radius}"] = ij.attacks.by_name(
                name, pixels, Linf(radius, step=radius / 4), flow
            )
    return found


def ratios(records: Columns) -> dict[float, tuple[float, float]]:
    """The shares of accuracy that the attacks leave at each radius.

    The first share is OM-PGD-50 over the standard accuracy, the second one
    JSA-50 over PGD-20.

    Args:
        records: Records of `evaluated`.
    """
    share = {name: each.correct.mean() for name, each in records.items()}
    return {
        radius: (
            share[f"om_pgd50_{radius}"] / share["standard"],
            share[f"jsa50_{radius}"] / share["pgd20"],
        )
        for radius in RADII
    }


def meets(left: tuple[float, float]) -> bool:
    """Whether both attacks leave at least the shares of the paper's attacks.

    Args:
        left: Shares that OM-PGD-50 and JSA-50 leave.
    """
    return left[0] >= ON_MANIFOLD and left[1] >= JOINT


def calibrated(records: Columns) -> float | None:
    """The largest radius that meets both conditions, or None.

    Args:
        records: Records of `evaluated`.
    """
    found = [each for each, left in ratios(records).items() if meets(left)]
    return max(found, default=None)


def to_markdown(records: Columns) -> str:
    """The table of all radii, and the chosen radius.

    Args:
        records: Records of `evaluated`.
    """
    share = {name: 100 * each.correct.mean() for name, each in records.items()}
    head = "radius", "OM-PGD-50", "of standard", "JSA-50", "of PGD-20", "both"
    lines = [list(head)]
    for radius, left in ratios(records).items():
        columns = f"om_pgd50_{radius}", f"jsa50_{radius}"
        cells = [
            text
            for column, one in zip(columns, left)
            for text in (f"{share[column]:.1f}", f"{one:.3f}")
        ]
        lines.append([str(radius), *cells, "yes" if meets(left) else "no"])
    radius = calibrated(records)
    chosen = f"The calibrated radius is {radius}."
    if radius is None:
        chosen = (
            "No radius meets both conditions. The smallest one, "
            f"{min(RADII)}, is the nearest to the paper's effect."
        )
    return (
        f"Of {records['standard'].samples:,} held-out training images AT has "
        f"{share['standard']:.1f} % right, and {share['pgd20']:.1f} % under "
        f"PGD-20. OM-PGD-50 must leave {ON_MANIFOLD} of the first number, and "
        f"JSA-50 {JOINT} of the second one.\n\n{grid(lines)}\n\n{chosen}"
    )


if __name__ == "__main__":
    places.define()
    commandline.run(main)
