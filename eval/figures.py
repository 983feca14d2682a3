"""Draws the paper's figures from trained models.

python eval/figures.py --flagfile=eval/configs/digits.cfg --output=figures \\
    --runs=runs/digits/standard,runs/digits/at,runs/digits/ijsat \\
    --flow=runs/digits/flow/flow.keras --gan=runs/digits/sngan/sngan.keras

The command writes FOLDER/NAME.png and NAME.pdf for each of --figures, names or
numbers of the paper: samples (1), curves (2 and 7), pipeline (3),
joint_space_attack (4 and 10), heat_maps (5 and 9), projections (6), levels
(8), interpolations and flow_samples. The default, all, leaves out figures
whose models or curves are not there. A figure that attacks one classifier
attacks the classifier of the last run. Images are test images, one of each
class first.
"""

from __future__ import annotations

import environment  # noqa: F401

# isort: split
import logging
import pathlib

from absl import flags
from drawings import FIGURES
from shown import Missing

from ijsat_tf import commandline

FLAGS = flags.FLAGS

flags.DEFINE_list(
    "figures", ["all"], "Names of the figures, or their numbers in the paper."
)
flags.DEFINE_string(
    "output", None, "Folder to write the figures into.", required=True
)
flags.DEFINE_list(
    "formats", ["png", "pdf"], "Formats of the files: png, pdf, svg."
)
flags.DEFINE_list(
    "runs",
    [],
    "Folders of runs, or .keras files of classifiers; NAME=FOLDER names the "
    "run in the figures.",
)
flags.DEFINE_enum(
    "checkpoint",
    "last",
    ["last", "best"],
    "Classifier of each run: classifier.keras (last) or best.keras (best).",
)
commandline.define_flow()
flags.DEFINE_string("gan", None, "Path of a trained GAN, such as sngan.keras.")
flags.DEFINE_string(
    "features",
    None,
    "Path of a classifier.keras, in whose features the projection compares "
    "images; None compares pixels alone.",
)
flags.DEFINE_list(
    "feature_layers",
    None,
    "Names of the layers of --features; None is stage1 and so on.",
)
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer("images", 10, "Number of images, one per column.", 2)
flags.DEFINE_integer(
    "image", 1, "Number, from 1, of the image in figures of one image.", 1
)
flags.DEFINE_integer("steps", 10, "Number of steps of PGD, OM-PGD and JSA.", 1)
flags.DEFINE_list(
    "etas", ["0.02", "0.04", "0.1"], "Latent radii of the figure levels."
)
flags.DEFINE_list(
    "attacks",
    ["pgd20", "jsa50", "elastic", "jpeg", "l2"],
    "Columns of heat_maps: names of attacks, as eval/main.py takes them.",
)
commandline.define_fraction("temperature", 1, "Temperature of flow_samples.")


def main(_: list[str]) -> None:
    for kind in FLAGS.formats or [""]:
        if kind not in ("png", "pdf", "svg"):
            raise ValueError(
                f"--formats must be among png, pdf and svg; received {kind!r}"
            )
    # The log of the letters that a PDF embeds helps nobody.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    folder = pathlib.Path(FLAGS.output)
    # Errors in the flags must show before a file is written.
    for name in chosen():
        paths = [folder / f"{name}.{kind}" for kind in FLAGS.formats]
        FIGURES[name].draw(paths)
        print(f"{name}: {', '.join(map(str, paths))}")


def chosen() -> list[str]:
    """The names of the figures to draw, whose inputs are there."""
    every = FLAGS.figures == ["all"]
    found = []
    for name in FIGURES if every else map(named, FLAGS.figures):
        try:
            for need in FIGURES[name].needs:
                need()
            found.append(name)
        except Missing as missing:
            if not every:
                raise ValueError(f"--figures={name}: {missing}") from missing
            print(f"{name} is left out: {missing}")
    if not found:
        raise ValueError("No figure can be drawn: give --runs or --flow")
    return list(dict.fromkeys(found))


def named(given: str) -> str:
    """The name of a figure, given that name or a number such as 1 or fig1."""
    for name, figure in FIGURES.items():
        if given == name or given.removeprefix("fig") in figure.numbers:
            return name
    raise ValueError(
        f"--figures must be all, or among {', '.join(FIGURES)}, or numbers "
        f"of the paper, 1 to 10; received {given}"
    )


if __name__ == "__main__":
    commandline.run(main)
