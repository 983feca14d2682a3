"""Attacks trained classifiers and prints the table of their accuracies.

python eval/main.py --flagfile=eval/configs/digits.cfg \\
    --runs=runs/digits/at,runs/digits/ijsat --flow=runs/digits/flow/flow.keras
"""

from __future__ import annotations

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

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
flags.DEFINE_string("dataset", "cifar10", "digits, or a set of TFDS by name")
flags.DEFINE_string("data_dir", None, "folder of TFDS; None downloads")
flags.DEFINE_integer("examples", None, "first so many test images", 1)
flags.DEFINE_integer("batch_size", 128, "images a step", 1)
flags.DEFINE_integer("seed", 0, "of the attacks' random starts", 0)
commandline.define_fraction("epsilon", "8/255", "radius in pixels")
commandline.define_fraction("epsilon_step", "2/255", "its step")
commandline.define_fraction("eta", 0.02, "radius in latents")
commandline.define_fraction("eta_step", 0.005, "its step")
flags.DEFINE_string("picture", None, "file to draw ten JSA samples into")


def main(_: list[str]) -> None:
    pixels = ij.spaces.Linf(FLAGS.epsilon, FLAGS.epsilon_step)
    latent = ij.spaces.Linf(FLAGS.eta, FLAGS.eta_step)
    flow = None
    if FLAGS.flow:
        # Numbers are made with the exact inverse, whatever crafting used.
        flow = commandline.load(FLAGS.flow, "flow").with_dtype("float32")
    attacks = {
        name: ij.attacks.by_name(name, pixels, latent, flow)
        for name in FLAGS.attacks
    }
    models = {
        pathlib.Path(run).name: commandline.load(
            str(pathlib.Path(run) / "classifier.keras"), "classifier"
        )
        for run in FLAGS.runs
    }
    source = ij.data.load(FLAGS.dataset, "test", FLAGS.data_dir)
    if FLAGS.examples:
        source = source.take(FLAGS.examples)
    images, labels = source.scaled(), source.labels

    records = {}
    for run, model in models.items():
        print(f"{run}: {len(labels)} test images of {FLAGS.dataset}")
        records[run] = ij.evaluation.evaluate(
            model, (images, labels), attacks, FLAGS.batch_size, FLAGS.seed
        )
    print(ij.evaluation.table(records))
    if FLAGS.picture:
        draw(list(models.values())[-1], flow, pixels, latent, images, labels)


def draw(model, flow, pixels, latent, images, labels) -> None:
    """One JSA sample of each of the first ten classes, for the last run."""
    attack = ij.attacks.by_name("jsa50", pixels, latent, flow)
    first = [list(labels).index(label) for label in sorted(set(labels))[:10]]
    result = attack(model, images[first], labels[first], seed=FLAGS.seed)
    ij.evaluation.adversarial_panel(images[first], result.images, FLAGS.picture)
    print(f"picture: {FLAGS.picture}")


if __name__ == "__main__":
    commandline.run(main)
