"""Clean accuracy on corrupted test images, one set in memory at a time."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import keras
from absl import flags

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.data import Source
from ijsat_tf.evaluation import Record, records
from ijsat_tf.evaluation.corruption import CELLS
from ijsat_tf.evaluation.evaluator import Evaluation
from ijsat_tf.storage import fingerprints

FLAGS = flags.FLAGS

flags.DEFINE_list(
    "corruptions",
    [],
    "Corruptions of the test images, such as fog and snow; all is all fifteen.",
)
flags.DEFINE_list("severities", list("12345"), "Severities of the corruptions.")
flags.DEFINE_string(
    "corrupted_data",
    None,
    "Folder of the published CIFAR-10-C or CIFAR-100-C, or tfds for "
    "cifar10_corrupted of TensorFlow Datasets; None makes the corruptions "
    "here, which need a table of their own.",
)

Rows = dict[str, dict[str, Record]]


def exact_origin(source: Source) -> Source:
    """The same images, with an origin that identifies them exactly.

    Then the origin of corrupted images is known without making them again.
    """
    exactly = fingerprints.of_arrays(source.images, source.labels)
    return source._replace(origin=f"{source.origin}, images {exactly}")


def chosen() -> list[str]:
    """The columns of --corruptions and --severities."""
    known = list(ij.data.CORRUPTIONS)
    names = known if FLAGS.corruptions == ["all"] else FLAGS.corruptions
    severities = commandline.numbers("severities")
    for flag, given, legal in (
        ("corruptions", names, known),
        ("severities", severities, range(1, 6)),
    ):
        wrong = [each for each in given if each not in legal]
        if wrong:
            raise ValueError(
                f"--{flag} must be among {', '.join(map(str, legal))}; "
                f"received {wrong[0]}"
            )
    columns = [f"{name}_{part}" for name in names for part in severities]
    for column in columns:
        if column in FLAGS.attacks:
            raise ValueError(
                f"{column} is both a corruption and an attack, and there is "
                f"one record of that name; call the attack "
                f"{column.replace('_', '')}, or evaluate it by itself"
            )
    return [column for column in CELLS if column in columns]


def on_disk(
    source: Source,
    standard: Mapping[str, Record],
    places: Mapping[str, pathlib.Path],
) -> Rows:
    """The complete records on disk, after a check of all records there.

    Args:
        source: Clean test images, with an `exact_origin`.
        standard: Records of the clean images, {run: record}.
        places: Folders of the records, {run: folder}.
    """
    rows: Rows = {run: {} for run in standard}
    for column in chosen():
        origin = _of(column, source.take(1)).origin
        for run, clean in standard.items():
            path = places[run] / f"{column}.npz"
            if path.exists():
                found = records.load(path)
                expected = clean._replace(data=found.data, origin=origin)
                records.require_same(found, expected, path)
                # Published images are read anew, as they may have changed.
                if found.complete and not FLAGS.corrupted_data:
                    rows[run][column] = found
    return rows


def evaluated(
    source: Source,
    models: Mapping[str, keras.Model],
    places: Mapping[str, pathlib.Path],
    rows: Rows,
) -> Rows:
    """The records of all sets, after evaluating sets that are not on disk.

    Args:
        source: Clean test images, with an `exact_origin`.
        models: Classifiers, {run: classifier}.
        places: Folders of the records, {run: folder}.
        rows: Records that `on_disk` found.
    """
    for column in chosen():
        left = [run for run in models if column not in rows[run]]
        if left:
            images = _of(column, source)
        for run in left:
            rows[run] |= Evaluation(
                models[run],
                (images.scaled(), images.labels),
                {},
                FLAGS.batch_size,
                FLAGS.seed,
                places[run],
                images.origin,
                clean=column,
            ).run(name=run)
    return rows


def _of(column: str, source: Source) -> Source:
    """The corrupted images, published or made from the clean images."""
    name, severity = CELLS[column]
    if not FLAGS.corrupted_data:
        return ij.data.corrupted(source, name, severity, FLAGS.seed)
    folder = FLAGS.corrupted_data
    return ij.data.load_corrupted(
        None if folder == "tfds" else folder,
        name,
        severity,
        source.classes,
        len(source.images),
        FLAGS.data_dir,
    )
