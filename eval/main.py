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

import os
import pathlib
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import corruptions  # noqa: E402
import inputs  # noqa: E402
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.evaluation import records  # noqa: E402
from ijsat_tf.evaluation.corruption import is_corrupted  # noqa: E402
from ijsat_tf.evaluation.evaluator import Evaluation  # noqa: E402
from ijsat_tf.evaluation.figures.saving import require_format  # noqa: E402
from ijsat_tf.evaluation.trust.check import (  # noqa: E402
    CHECKS_FILE,
    listed,
    load_checks,
    save_checks,
)
from ijsat_tf.runtime.workers import is_chief, needing_all  # noqa: E402
from ijsat_tf.samples import images_and_latents  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_list("runs", None, "folders of runs, one row each", required=True)
flags.DEFINE_enum(
    "checkpoint",
    "last",
    ["last", "best"],
    "classifier.keras or best.keras of a run",
)
flags.DEFINE_string(
    "records", None, "folder of a folder for each run; None for RUN/records"
)
flags.DEFINE_bool("table_only", False, "attack nothing: what is on disk")
flags.DEFINE_list(
    "attacks",
    ["fgsm", "pgd20", "om_pgd50", "jsa50"],
    "columns: fgsm, pgd, mia, om_pgd, jsa with a number of steps, autoattack, "
    "elastic, jpeg, l2, fog, snow, gabor and more, or all of table1, table3 or "
    "table7",
)
flags.DEFINE_string("flow", None, "path of a trained flow.keras")
flags.DEFINE_string(
    "gan", None, "in its place, of a GAN whose latents come with the images"
)
commandline.define_data()
commandline.define_strategy()
commandline.define_budgets()
flags.DEFINE_integer("examples", None, "first so many test images", 1)
flags.DEFINE_integer("batch_size", 128, "images a step", 1)
flags.DEFINE_bool(
    "checks",
    False,
    "print what speaks against the numbers: checks of the records and, unless "
    "--table_only, of the networks",
)
flags.DEFINE_string("picture", None, "file to draw ten JSA samples into")
flags.DEFINE_string("curves", None, "file to draw the runs' curve.csv into")


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
    FLAGS.attacks = ij.attacks.expand(FLAGS.attacks)
    corruptions.chosen()
    for path in filter(None, (FLAGS.picture, FLAGS.curves)):
        require_format(path)
    flow = None if FLAGS.table_only else generator()
    attacks = {} if FLAGS.table_only else searches(flow)
    runs = inputs.folders(FLAGS.runs)
    places = {run: records_of(run, folder) for run, folder in runs.items()}
    if not FLAGS.table_only:
        say(tables(attacked(attacks, flow, runs, places)))
    elif chief():
        text = from_disk(places)
        curves(runs)
        print(text)


def tables(rows: corruptions.Rows) -> str:
    """The tables of the attacks and of the corruptions, if there are any."""
    clean = {
        run: {
            column: record
            for column, record in found.items()
            if not is_corrupted(column, record)
        }
        for run, found in rows.items()
    }
    parts = []
    if any(clean.values()):
        parts.append(ij.evaluation.table(clean))
    if any(len(clean[run]) < len(rows[run]) for run in rows):
        parts.append(ij.evaluation.corruption_table(rows))
    return "\n\n".join(parts)


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
        rows[run] = evaluation.run()
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
        # Ten images, one of each class first, against the last run.
        first = inputs.one_of_each(labels, 10)
        shown, latents = images_and_latents(
            keras.tree.map_structure(lambda part: part[first], images)
        )
        result = attacks["jsa50"](
            list(models.values())[-1],
            shown,
            labels[first],
            seed=FLAGS.seed,
            latents=latents,
        )
        if chief():
            ij.evaluation.adversarial_panel(shown, result.images, FLAGS.picture)
            print(f"picture: {FLAGS.picture}")
    return rows


def from_disk(places: dict[str, pathlib.Path]) -> str:
    """The table of the records on disk, its columns ordered as --attacks."""
    if FLAGS.picture:
        raise ValueError("--picture attacks: leave out --table_only")
    if FLAGS.curves and not any(place.exists() for place in places.values()):
        return "no records yet, and so no table"
    if FLAGS.checks:
        found = {run: of_files(place) for run, place in places.items()}
        print(listed(found) + "\n")
    rows = {}
    for run, place in places.items():
        found = ij.evaluation.read(place)
        order = ["standard", *FLAGS.attacks, *found]
        rows[run] = {name: found[name] for name in order if name in found}
    return tables(rows)


def of_files(place: pathlib.Path) -> list[ij.evaluation.Check]:
    """The checks of a folder of records.

    These are checks of all records, incomplete ones too, and the checks of
    the network that an evaluation saved there.

    Args:
        place: Folder of the records.
    """
    found = {
        path.stem: records.load(path)
        for path in sorted(place.glob("[!.]*.npz"))
    }
    models = {record.model for record in found.values()}
    asked = load_checks(place / CHECKS_FILE, models)
    return ij.evaluation.record_checks(found) + asked


def generator() -> Any:
    """The generator of --flow or --gan, or None."""
    if FLAGS.flow and FLAGS.gan:
        raise ValueError("--flow and --gan are two generators: give one")
    if FLAGS.gan:
        return inputs.gan(FLAGS.gan)
    return inputs.flow(FLAGS.flow) if FLAGS.flow else None


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
