"""Attacks trained classifiers and prints a table of their accuracies.

python eval/main.py --flagfile=eval/configs/digits.cfg \\
    --runs=runs/digits/at,runs/digits/ijsat --flow=runs/digits/flow/flow.keras

With --corruptions=all, or names of corruptions, the command evaluates on
corrupted images too. It writes a record of every sample and attack into
RUN/records/CHECKPOINT/. The same command again continues what was interrupted,
and prints complete results at once.

All devices of --strategy share each batch, and the numbers are those of one
device. For several machines run the same command on each, with folders that
all machines see; the first machine writes and prints.
"""

from __future__ import annotations

import environment  # noqa: F401

# isort: split
import pathlib
from typing import Any

import corruptions
import inputs
import keras
import output
import tensorflow as tf
from absl import flags

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.evaluation.evaluator import Evaluation
from ijsat_tf.evaluation.figures.saving import require_format
from ijsat_tf.evaluation.trust.check import CHECKS_FILE, listed, save_checks
from ijsat_tf.runtime.workers import is_chief, needing_all
from ijsat_tf.samples import images_and_latents

FLAGS = flags.FLAGS

flags.DEFINE_list(
    "runs",
    None,
    "Folders of runs, each a row of the table; NAME=FOLDER names the row.",
    required=True,
)
flags.DEFINE_enum(
    "checkpoint",
    "last",
    ["last", "best"],
    "Classifier of each run: classifier.keras (last) or best.keras (best).",
)
flags.DEFINE_string(
    "records",
    None,
    "Folder that holds a folder of records for each run; None is RUN/records.",
)
flags.DEFINE_bool(
    "table_only",
    False,
    "Whether to print the records on disk, and attack none.",
)
flags.DEFINE_list(
    "attacks",
    ["fgsm", "pgd20", "om_pgd50", "jsa50"],
    "Columns of the table: fgsm, pgd, mia, om_pgd, jsa with a number of steps, "
    "autoattack, elastic, jpeg, l2, fog, snow, gabor, stadv, recolor and more, "
    "or all columns of table1, table3, table7 or pat.",
)
flags.DEFINE_list(
    "union",
    None,
    "Columns of --attacks whose worst for each image is the column Union; None "
    "is pat_narrow where --attacks has pat, and no column otherwise.",
)
commandline.define_flow()
flags.DEFINE_string(
    "gan",
    None,
    "Path of a GAN instead of --flow, whose latents come with the images.",
)
commandline.define_data()
commandline.define_strategy()
commandline.define_budgets()
flags.DEFINE_integer(
    "examples",
    None,
    "Number of test images, from the first one; None takes all.",
    1,
)
flags.DEFINE_integer("batch_size", 128, "Number of images per batch.", 1)
flags.DEFINE_bool(
    "checks",
    False,
    "Whether to print checks of the records and, without --table_only, of the "
    "networks, which tell where the numbers may mislead.",
)
flags.DEFINE_string(
    "compare",
    None,
    "Column, such as pgd20, in which the last line compares the last run with "
    "the first run.",
)
flags.DEFINE_string("picture", None, "Path of a picture of ten JSA samples.")
flags.DEFINE_string("curves", None, "Path of a picture of the runs' curve.csv.")


def main(_: list[str]) -> None:
    strategy = ij.training.strategy(
        "none" if FLAGS.table_only else FLAGS.strategy
    )
    with needing_all(strategy), strategy.scope():
        table()


def chief() -> bool:
    """Whether this process writes and prints."""
    return is_chief(tf.distribute.get_strategy())


def say(text: str) -> None:
    """Prints a text, of several workers only on the chief."""
    if chief():
        print(text)


def table() -> None:
    """Attacks the runs, unless --table_only, and prints the table."""
    if FLAGS.union is None:
        FLAGS.union = ["pat_narrow"] * ("pat" in FLAGS.attacks)
    FLAGS.attacks = ij.attacks.expand(FLAGS.attacks)
    FLAGS.union = ij.attacks.expand(FLAGS.union)
    corruptions.chosen()
    if FLAGS.compare not in (None, "standard", *FLAGS.attacks):
        raise ValueError(
            "--compare must be standard or one of --attacks, "
            f"{', '.join(FLAGS.attacks)}; received {FLAGS.compare}"
        )
    if not set(FLAGS.union) <= set(FLAGS.attacks):
        raise ValueError(
            f"--union must be among --attacks, {', '.join(FLAGS.attacks)}; "
            f"received {', '.join(FLAGS.union)}"
        )
    for path in filter(None, (FLAGS.picture, FLAGS.curves)):
        require_format(path)
    flow = None if FLAGS.table_only else inputs.generator()
    attacks = {} if FLAGS.table_only else searches(flow)
    runs = inputs.folders(FLAGS.runs)
    if FLAGS.compare and len(runs) < 2:
        raise ValueError("--compare needs two --runs or more; received one")
    places = {run: records_of(run, folder) for run, folder in runs.items()}
    if not FLAGS.table_only:
        say(output.text(attacked(attacks, flow, runs, places)))
    elif chief():
        text = output.from_disk(places)
        curves(runs)
        print(text)


def attacked(
    attacks: dict[str, ij.attacks.Attack],
    flow: Any,
    runs: dict[str, pathlib.Path],
    places: dict[str, pathlib.Path],
) -> dict[str, dict[str, ij.evaluation.Record]]:
    """The rows of the tables, after computing records that are missing.

    Args:
        attacks: Attacks, {name: attack}.
        flow: Flow or GAN of the attacks on the manifold, or None.
        runs: Folders of the runs, {run: folder}.
        places: Folders of the records, {run: folder}.
    """
    models = {
        run: inputs.classifier(folder, FLAGS.checkpoint)
        for run, folder in runs.items()
    }
    source = ij.data.load(*commandline.split("test"))
    for run, model in models.items():
        inputs.fits(run, model.input_shape[1:], source, model.output_shape[-1])
    if FLAGS.examples:
        source = source.take(FLAGS.examples)
    if not FLAGS.gan:
        # A flow has latents of its own.
        source = source._replace(latents=None)
    if FLAGS.flow and not FLAGS.checks and chief():
        # With --checks this warning is among the checks.
        commandline.warn(ij.flows.familiarity(flow, source.first(200).scaled()))
    images, labels = source.inputs(), source.labels
    columns = {name: attacks[name] for name in FLAGS.attacks}
    # All evaluations are checked before the first one writes.
    evaluations = {
        run: Evaluation(
            model,
            (images, labels),
            columns,
            FLAGS.batch_size,
            FLAGS.seed,
            places[run],
            source.origin,
        )
        for run, model in models.items()
    }
    source = corruptions.exact_origin(source)
    standard = {
        run: each.records["standard"] for run, each in evaluations.items()
    }
    corrupted = corruptions.on_disk(source, standard, places)
    curves(runs)
    if FLAGS.picture and chief():
        pathlib.Path(FLAGS.picture).parent.mkdir(parents=True, exist_ok=True)
    rows = {}
    for run, evaluation in evaluations.items():
        say(f"{run}: {len(labels)} test images of {FLAGS.dataset}")
        rows[run] = evaluation.run(name=run)
        say(f"records: {places[run]}")
    corrupted = corruptions.evaluated(source, models, places, corrupted)
    rows = {run: found | corrupted[run] for run, found in rows.items()}
    if FLAGS.checks:
        ball = ij.spaces.Linf(*commandline.budget("epsilon"))
        found = {}
        for run, model in models.items():
            asked = ij.evaluation.model_checks(
                model, (images, labels), ball, flow, FLAGS.seed
            )
            if chief():
                place = places[run] / CHECKS_FILE
                save_checks(place, standard[run].model, asked)
            found[run] = ij.evaluation.record_checks(rows[run], attacks) + asked
        say(listed(found) + "\n")
    if FLAGS.picture:
        picture(attacks["jsa50"], list(models.values())[-1], images, labels)
    return rows


def picture(
    attack: ij.attacks.Attack, model: keras.Model, images: Any, labels: Any
) -> None:
    """Draws ten images, one of each class first, before and after an attack."""
    first = inputs.one_of_each(labels, 10)
    shown, latents = images_and_latents(
        keras.tree.map_structure(lambda part: part[first], images)
    )
    result = attack(
        model, shown, labels[first], seed=FLAGS.seed, latents=latents
    )
    if chief():
        ij.evaluation.adversarial_panel(shown, result.images, FLAGS.picture)
        print(f"picture: {FLAGS.picture}")


def searches(flow: Any) -> dict[str, ij.attacks.Attack]:
    """The attacks of the columns and the attack of the picture."""
    pixels = ij.spaces.Linf(*commandline.budget("epsilon"))
    latent = ij.spaces.Linf(*commandline.budget("eta"))
    levels = commandline.numbers("levels")
    names = FLAGS.attacks + (["jsa50"] if FLAGS.picture else [])
    return {
        name: ij.attacks.by_name(
            name, pixels, latent, flow, levels, FLAGS.dataset
        )
        for name in names
    }


def records_of(run: str, folder: pathlib.Path) -> pathlib.Path:
    """The folder of the records of a run."""
    if FLAGS.records:
        return pathlib.Path(FLAGS.records) / run
    return folder / "records" / FLAGS.checkpoint


def curves(runs: dict[str, pathlib.Path]) -> None:
    """Draws the curves of the runs if --curves names a file."""
    if FLAGS.curves and chief():
        logs = {run: folder / "curve.csv" for run, folder in runs.items()}
        pathlib.Path(FLAGS.curves).parent.mkdir(parents=True, exist_ok=True)
        ij.evaluation.robust_curves(logs, FLAGS.curves)
        print(f"curves: {FLAGS.curves}")


if __name__ == "__main__":
    commandline.run(main)
