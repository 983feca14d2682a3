"""Sets of images that lie on a generator's manifold, with their latents."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any

import numpy as np

from ijsat_tf import checks
from ijsat_tf.data.source import Source
from ijsat_tf.data.store import metadata_of, require_storable, store
from ijsat_tf.generators import projected_parts
from ijsat_tf.generators.projection import Projection
from ijsat_tf.runtime.progress import Progress
from ijsat_tf.storage import fingerprints
from ijsat_tf.types import Value

_DESCRIPTION = """Images projected onto the manifold of a generator G.

train: projected images G(z), with z; test: natural images, with the z of their
projections; test_projected: projected images G(z), with z."""


def project_dataset(
    name: str,
    train: Source,
    test: Source,
    projection: Projection,
    data_dir: str | os.PathLike,
    batch_size: int = 128,
    seed: int = 0,
    verbose: bool = True,
) -> pathlib.Path:
    """Projects a data set onto a generator's manifold, and stores the result.

    The paper's OM-CIFAR10 is made in this way from CIFAR-10 and an SNGAN
    (A.2). All splits of a set must have the same features, so the three splits
    are

        train            projected images G(z), with z
        test             natural images, with the z of their projections
        test_projected   projected images G(z), with z

    and an attack with the latents of `test` starts from the projections.
    Images have 256 grey levels.

    Each batch becomes a file in `data_dir/NAME.parts` as soon as it is
    projected: a killed run loses at most one batch, and the same call again
    continues the run, to the same set as without the interruption. When all
    parts are there, the set is written and the parts are deleted. The set's
    metadata say by which generator, distance and settings it was made. A call
    that finds the set finished does nothing.

    Args:
        name: Name of the set, e.g. "om_cifar10", for `ijsat_tf.data.load`.
        train: Natural images to train on.
        test: Natural images to test on.
        projection: Projection to apply, e.g. `Projection(generator, distance)`.
        data_dir: Folder of data sets to write into.
        batch_size: Number of images per batch, default 128.
        seed: Random seed of the projection's candidates, default 0.
        verbose: Whether to show a progress bar, default True.

    Returns:
        The folder of the set.

    Raises:
        ValueError: before any projection: for sources that are not alike, a
            name that is taken, or a folder of parts of another call. Later:
            for images that are not of the generator's shape.
    """
    size = checks.at_least_one("batch_size", batch_size)
    natural = {
        split: source._replace(latents=None)
        for split, source in (("train", train), ("test", test))
    }
    request = _request(projection, natural, size, seed)
    folder = pathlib.Path(data_dir) / f"{name}.parts"
    if request.items() <= metadata_of(name, data_dir).items():
        projected_parts.delete(folder)
        return pathlib.Path(data_dir) / name
    require_storable(name, natural, data_dir)
    projected_parts.claim(folder, request)
    projected, objectives = {}, {}
    for split, source in natural.items():
        batches = {
            folder / f"{split}-{first:08}.npz": slice(first, first + size)
            for first in range(0, len(source.images), size)
        }
        _project(source, batches, projection, seed, split if verbose else None)
        images, latents, objective = projected_parts.joined(batches)
        objectives[split] = float(np.mean(objective))
        projected[split] = source._replace(
            images=images, bins=256, latents=latents
        )
    store(
        name,
        {
            "train": projected["train"],
            "test": natural["test"]._replace(latents=projected["test"].latents),
            "test_projected": projected["test"],
        },
        data_dir,
        _DESCRIPTION,
        {**request, "mean_objective": objectives},
    )
    projected_parts.delete(folder)
    return pathlib.Path(data_dir) / name


def _request(
    projection: Projection,
    natural: dict[str, Source],
    batch_size: int,
    seed: int,
) -> dict[str, Any]:
    """The settings that decide the set, of types that JSON can hold."""
    generator, distance = projection.generator, projection.distance
    request = {
        "generator": type(generator).__name__,
        "generator_fingerprint": fingerprints.of_model(
            generator, generator.decode(projection.candidate(0))
        ),
        "distance": "none",
        "l1": float(projection.l1),
        "steps": int(projection.steps),
        "learning_rate": float(projection.learning_rate),
        "candidates": int(projection.candidates),
        "batch_size": batch_size,
        "seed": int(seed),
    }
    if distance is not None:
        networks = [distance]
        if isinstance(distance, Value):
            networks = distance.networks()
            layers = getattr(distance, "layers", None)
            request["distance_layers"] = layers and list(layers)
        request["distance"] = type(distance).__name__
        request["distance_fingerprint"] = fingerprints.of_networks(*networks)
    for split, source in natural.items():
        fingerprint = fingerprints.of_arrays(source.images, source.labels)
        request[f"{split}_fingerprint"] = fingerprint
    return request


def _project(
    source: Source,
    batches: dict[pathlib.Path, slice],
    projection: Projection,
    seed: int,
    shown: str | None,
) -> None:
    """Projects the batches {file: rows} whose file does not exist yet."""
    left = {
        path: source.images[rows]
        for path, rows in batches.items()
        if not path.exists()
    }
    count, total = sum(map(len, left.values())), len(source.images)
    if shown and 0 < count < total:
        print(f"{shown}: {total - count} of {total} images are on disk")
    progress = Progress(count, shown or "", shown=bool(shown))
    done, timed, seconds = 0, 0, 0.0
    for number, (path, levels) in enumerate(left.items()):
        began = time.perf_counter()
        images = source._replace(images=levels).scaled()
        projected_parts.write(projection(images, seed), path)
        done += len(levels)
        # The first batch traces the graph, so its time is not counted.
        if number:
            timed += len(levels)
            seconds += time.perf_counter() - began
        known = {"images_per_second": timed / seconds} if timed else {}
        progress.update(done, **known)
