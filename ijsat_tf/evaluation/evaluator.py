"""Evaluation: the accuracy of a model under each attack."""

from __future__ import annotations

import functools
import numbers
import os
import pathlib
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ijsat_tf import checks, losses, seeds
from ijsat_tf.attacks import Attack, AutoAttack, as_logits, require_untargeted
from ijsat_tf.evaluation import records
from ijsat_tf.evaluation.records import Record
from ijsat_tf.models.as_logits import first_logits
from ijsat_tf.runtime import workers
from ijsat_tf.runtime.compiled import compiled
from ijsat_tf.runtime.progress import Progress
from ijsat_tf.runtime.side_by_side import side_by_side
from ijsat_tf.samples import gather
from ijsat_tf.storage import fingerprints
from ijsat_tf.types import LogitsFn

_CLEAN = "standard"


def evaluate(
    model: Callable,
    data: Any,
    attacks: Mapping[str, Attack],
    batch_size: int = 128,
    seed: int = 0,
    folder: str | os.PathLike | None = None,
    verbose: bool = True,
    origin: str = "unknown",
    clean: str = "standard",
) -> dict[str, Record]:
    """Attacks every sample with every attack, and records the results.

    With a folder, each column is a file in the folder, written after every
    batch. A killed evaluation loses one batch at most. The same call again
    continues the evaluation, and the numbers are the same as without the
    interruption.

    In the scope of a strategy (`tf.distribute`) its replicas share each batch,
    and the numbers are those of one device. With several workers, each worker
    makes the same call and gets all records; only the chief writes files and
    shows progress. All workers read the folder at the beginning, so the folder
    must lie on a file system that all workers see.

    Args:
        model: Function or Keras model from images in [0, 1] to logits.
        data: Tuple (x, y), or a finite `tf.data.Dataset` of such batches: x
            images (N, H, W, C) in [0, 1], or {"image": ..., "latent": ...}
            where latents come with the data, and y labels (N,) or (N, K).
        attacks: Attacks {column: attack}. The column of the clean images is
            added before the columns of the attacks.
        batch_size: Number of images per batch, default 128; the last batch
            may be smaller.
        seed: Random seed of the attacks' starts, default 0.
        folder: Folder of the files `<column>.npz`; None, the default, for no
            files.
        verbose: Whether to show a progress bar, default True.
        origin: Origin of the images, as `Source.origin` tells it; default
            "unknown".
        clean: Name of the column of the clean images, default "standard"; for
            the images of a corruption e.g. "fog_3".

    Returns:
        The `Record` of each column, in a dict.

    Raises:
        ValueError: before any attack, and with no file changed: for images,
            labels or attacks that do not fit; for columns that cannot be
            names of files; for files in the folder that are truncated, no
            records, or of another evaluation (other weights, data, attack,
            seed or batch size); and for workers that find different files.
        OSError: before any attack, for a folder that cannot be written.
    """
    return Evaluation(
        model, data, attacks, batch_size, seed, folder, origin, clean
    ).run(verbose)


class Evaluation:
    """An evaluation with checked arguments; `run` carries it out.

    A run takes long, so a command can check several evaluations before the
    first run.

    The class takes the arguments of `evaluate` except `verbose`, and raises the
    same errors. `run` makes the folder.
    """

    def __init__(
        self,
        model: Callable,
        data: Any,
        attacks: Mapping[str, Attack],
        batch_size: int = 128,
        seed: int = 0,
        folder: str | os.PathLike | None = None,
        origin: str = "unknown",
        clean: str = _CLEAN,
    ):
        self.model = model
        self.folder = None if folder is None else pathlib.Path(folder)
        self.clean = clean
        _check(attacks, seed, clean, self.folder is not None)
        self.attacks = dict(attacks)
        self.samples = gather(data)
        images, labels, latents = self.samples
        # This call makes the model's variables: the compiled graphs below are
        # shared, and later traces cannot make variables.
        logits = checks.finite_outputs(as_logits(model)(images[:1]))
        checks.one_hot(labels, logits.shape[-1])
        integer = labels.dtype.is_integer
        new = Record(
            attack=_CLEAN,
            model=fingerprints.of_model(model, logits),
            data=fingerprints.of_arrays(
                images,
                tf.cast(labels, tf.int64 if integer else tf.float32),
                *([] if latents is None else tf.nest.flatten(latents)),
            ),
            networks="none",
            seed=int(seed),
            batch_size=checks.at_least_one("batch_size", batch_size),
            samples=images.shape[0],
            versions=records.versions(),
            origin=origin,
        )
        self.records = {clean: self._begun(clean, new)}
        for column, attack in self.attacks.items():
            networks = attack.networks()
            own = new._replace(attack=_name(attack))
            if networks:
                own = own._replace(networks=fingerprints.of_networks(*networks))
            self.records[column] = self._begun(column, own)

    def run(self, verbose: bool = True, name: str = "") -> dict[str, Record]:
        """Evaluates what is left, and returns the records {column: `Record`}.

        Args:
            verbose: Whether to show a progress bar per column, default True.
            name: Name of the model, which the progress bars show before the
                column; default "", for no name.

        Returns:
            The `Record` of each column, in a dict.

        Raises:
            ValueError: for workers with different evaluations.
            OSError: for a folder that cannot be written.
        """
        strategy = tf.distribute.get_strategy()
        # Workers with different evaluations would wait for each other forever.
        # Also, no worker writes before all workers have read.
        workers.require_equal(
            strategy,
            self._standing(),
            "All workers must be given the same evaluation, and a `folder` on "
            "a file system that all of them see.",
        )
        chief = workers.is_chief(strategy)
        left = [
            column
            for column, record in self.records.items()
            if not record.complete
        ]
        if left and chief and self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Attacks take hours, so a folder that cannot be written must fail
            # before them.
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        for column in left:
            try:
                shown = f"{name}, {column}" if name else column
                self._complete(column, shown, verbose and chief, chief)
            except Exception:
                if verbose and chief:
                    # The progress bar has not ended its line, on which the
                    # error would be printed.
                    print(flush=True)
                raise
        return dict(self.records)

    def _standing(self) -> str:
        return ", ".join(
            f"{column}: {each.done} of {each.samples} images {each.data} by "
            f"{each.attack} in batches of {each.batch_size}, seed {each.seed}"
            for column, each in self.records.items()
        )

    def _begun(self, column: str, new: Record) -> Record:
        if self.folder is None or not self._path(column).exists():
            return new
        found = records.load(self._path(column))
        records.require_same(found, new, self._path(column))
        return found

    def _path(self, column: str) -> pathlib.Path:
        return self.folder / f"{column}.npz"

    def _complete(
        self, column: str, name: str, verbose: bool, write: bool
    ) -> None:
        record = self.records[column]
        rows, first = record.samples, record.done
        if verbose and first:
            print(f"{name}: {first} of {rows} images are on disk")
        progress = Progress(rows - first, name, verbose)
        for start in range(first, rows, record.batch_size):
            stop = min(rows, start + record.batch_size)
            began = time.perf_counter()
            columns, budget = self._batch(column, start, stop, verbose)
            share = (time.perf_counter() - began) / (stop - start)
            # The first batch traces the graph, so its time is not the speed.
            share = share if start > first else np.nan
            columns["seconds"] = np.full(stop - start, share, np.float32)
            record = self.records[column] = record.extended(columns, budget)
            if write and self.folder is not None:
                records.save(record, self._path(column))
            speed = record.images_per_second
            known = {"images_per_second": speed} if speed > 0 else {}
            progress.update(stop - first, **known)

    def _batch(
        self, column: str, start: int, stop: int, verbose: bool
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        images, labels, latents = self.samples.rows(start, stop)
        clean, budget = images, {}
        overflowed = tf.zeros([len(images)], tf.bool)
        if column != self.clean:
            attack = self.attacks[column]
            if isinstance(attack, AutoAttack):
                # One batch can take an hour, so each stage shows progress.
                attack = functools.partial(attack, verbose=verbose)
            result = attack(
                self.model,
                images,
                labels,
                seed=seeds.derive(self.records[column].seed, "evaluate", start),
                latents=latents,
            )
            images, budget = result.images, result.budget
            overflowed = result.overflowed
        columns = _judged(self.model, clean, images, labels)
        columns["overflowed"] = overflowed
        return tf.nest.map_structure(np.asarray, (columns, budget))


def _check(
    attacks: Mapping[str, Attack], seed: int, clean: str, named: bool
) -> None:
    checks.require(
        isinstance(attacks, Mapping)
        and all(isinstance(column, str) for column in attacks),
        "`attacks` must be a dict from names of columns to attacks, such as "
        "{'pgd20': PGD(Linf(8 / 255))}.",
        repr(attacks),
    )
    for column, attack in attacks.items():
        require_untargeted(attack, f"The attack {column!r}")
    checks.require(
        isinstance(seed, numbers.Integral), "`seed` must be an int.", repr(seed)
    )
    seeds.derive(int(seed))
    checks.require(
        clean not in attacks,
        f"`attacks` must not be called {clean!r}, the column of clean "
        "images; choose another name.",
    )
    for column in (clean, *attacks) if named else []:
        checks.require(
            re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*", column),
            "The names of `attacks` become names of files: letters, digits "
            "and _.+-, with no dot at the start.",
            repr(column),
        )


def _name(attack: Attack) -> str:
    # Numbered names and memory addresses differ between processes.
    return re.sub(r" name=[^,<>]*, built=\w+| at 0x[0-9a-f]+", "", repr(attack))


@compiled(rows=("clean", "images", "labels"))
def _judged(
    model: Callable, clean: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
) -> dict[str, tf.Tensor]:
    logits_of = as_logits(model)
    labels = checks.one_hot(labels, first_logits(logits_of, images).shape[-1])
    return side_by_side(
        functools.partial(_numbers, logits_of), (clean, images, labels)
    )


def _numbers(
    logits_of: LogitsFn, clean: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
) -> dict[str, tf.Tensor]:
    change = _rows(images - tf.cast(clean, images.dtype))
    clipped = (change != 0) & ((_rows(images) == 0) | (_rows(images) == 1))
    logits = checks.finite_outputs(logits_of(images))
    label = tf.argmax(labels, axis=1)
    own = tf.one_hot(label, logits.shape[-1], True, False)
    others = tf.reduce_max(tf.where(own, -np.inf, logits), axis=1)
    return {
        "correct": tf.argmax(logits, axis=1) == label,
        "margin": tf.reduce_max(tf.where(own, logits, -np.inf), 1) - others,
        "loss": losses.cross_entropy(labels, logits),
        "linf": tf.reduce_max(tf.abs(change), axis=1),
        "l2": tf.norm(change, axis=1),
        "clipped": tf.reduce_mean(tf.cast(clipped, tf.float32), axis=1),
    }


def _rows(images: tf.Tensor) -> tf.Tensor:
    return tf.reshape(images, [tf.shape(images)[0], -1])
