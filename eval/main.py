"""Attacks trained classifiers and prints the table of their accuracies.

python eval/main.py --flagfile=eval/configs/digits.cfg \\
    --runs=runs/digits/at,runs/digits/ijsat --flow=runs/digits/flow/flow.keras
"""

from __future__ import annotations

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_list("runs", None, "folders of runs, one row each", required=True)
flags.DEFINE_list(
    "attacks",
    ["fgsm", "pgd20", "om_pgd50", "jsa50"],
    "columns: fgsm, pgd, mia, om_pgd or jsa, with a number of steps",
)
flags.DEFINE_string("flow", None, "path of a trained flow.keras")
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer("examples", None, "first so many test images", 1)
flags.DEFINE_integer("batch_size", 128, "images a step", 1)
flags.DEFINE_string("picture", None, "file to draw ten JSA samples into")


def main(_: list[str]) -> None:
    pixels = ij.spaces.Linf(*commandline.budget("epsilon"))
    latent = ij.spaces.Linf(*commandline.budget("eta"))
    flow = None
    if FLAGS.flow:
        # Numbers are made with the exact inverse, whatever crafting used.
        flow = commandline.load(FLAGS.flow, "flow", "with_dtype")
        flow = flow.with_dtype("float32")
    levels = commandline.numbers("levels")
    names = FLAGS.attacks + (["jsa50"] if FLAGS.picture else [])
    attacks = {
        name: ij.attacks.by_name(name, pixels, latent, flow, levels)
        for name in names
    }
    models = load(FLAGS.runs)
    if FLAGS.picture:
        pathlib.Path(FLAGS.picture).parent.mkdir(parents=True, exist_ok=True)
    source = ij.data.load(*commandline.split("test"))
    if FLAGS.examples:
        source = source.take(FLAGS.examples)
    images, labels = source.scaled(), source.labels

    columns = {name: attacks[name] for name in FLAGS.attacks}
    records = {}
    for run, model in models.items():
        print(f"{run}: {len(labels)} test images of {FLAGS.dataset}")
        records[run] = ij.evaluation.evaluate(
            model, (images, labels), columns, FLAGS.batch_size, FLAGS.seed
        )
    print(ij.evaluation.table(records))
    if FLAGS.picture:
        # One image of each of the first ten classes, against the last run.
        first = [
            list(labels).index(label) for label in sorted(set(labels))[:10]
        ]
        result = attacks["jsa50"](
            list(models.values())[-1],
            images[first],
            labels[first],
            seed=FLAGS.seed,
        )
        ij.evaluation.adversarial_panel(
            images[first], result.images, FLAGS.picture
        )
        print(f"picture: {FLAGS.picture}")


def load(runs: list[str]) -> dict[str, keras.Model]:
    """The classifiers of runs, by the names of their folders."""
    folders = [pathlib.Path(run) for run in runs]
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        raise ValueError(
            "--runs must name folders of different names, which are the "
            f"rows of the table; received {', '.join(names)}"
        )
    return {
        folder.name: commandline.load(
            str(folder / "classifier.keras"), "classifier"
        )
        for folder in folders
    }


if __name__ == "__main__":
    commandline.run(main)
