"""Projected batches as files, kept until the whole set is written."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ijsat_tf import checks
from ijsat_tf.generators.projection import Projected
from ijsat_tf.storage import resumable
from ijsat_tf.storage.files import replaced

_REQUEST = "request.json"


def claim(folder: pathlib.Path, request: dict[str, Any]) -> None:
    """Creates a folder for the parts of one request, or reopens it.

    Args:
        folder: Folder of the parts.
        request: Settings that decide the content of the parts, of types that
            JSON can hold.

    Raises:
        ValueError: for a folder with other files.
    """
    way_out = "Choose another `name` or `data_dir`, or delete that folder."
    if any(folder.glob("*.npz")) and (folder / _REQUEST).exists():
        found = _request(folder / _REQUEST)
        resumable.require_same(
            found,
            request,
            f"{folder} holds parts of another projection",
            way_out,
        )
        return
    checks.require(
        # A call that failed before its first part leaves only its request.
        not folder.exists()
        or all(path.name.endswith(_REQUEST) for path in folder.iterdir()),
        f"{folder} must be empty, or hold only parts of this projection. "
        f"{way_out}",
    )
    with replaced(folder / _REQUEST) as aside:
        aside.write_text(json.dumps(request, indent=1), "utf-8")


def _request(path: pathlib.Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    checks.require(
        isinstance(found, dict),
        f"{path} is damaged: delete {path.parent}, or choose another `name` "
        "or `data_dir`.",
    )
    return found


def write(found: Projected, path: pathlib.Path) -> None:
    """Writes a projected batch, its images as 256 grey levels."""
    if isinstance(found.latents, list):
        latents = {f"latent{n}": part for n, part in enumerate(found.latents)}
    else:
        latents = {"latent": found.latents}
    levels = np.rint(255 * np.clip(found.images, 0, 1)).astype(np.uint8)
    with replaced(path) as aside, open(aside, "wb") as file:
        np.savez(file, images=levels, objective=found.objective, **latents)


def joined(
    paths: Iterable[pathlib.Path],
) -> tuple[np.ndarray, np.ndarray | list[np.ndarray], np.ndarray]:
    """Reads images (N, H, W, C), uint8, latents and objectives (N,).

    The batches are joined in the order of the paths.

    Raises:
        ValueError: for a file that is damaged.
    """
    parts = [_read(path) for path in paths]
    whole = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }
    images, objective = whole.pop("images"), whole.pop("objective")
    if "latent" in whole:
        return images, whole["latent"], objective
    latents = [whole[f"latent{n}"] for n in range(len(whole))]
    return images, latents, objective


def delete(folder: pathlib.Path) -> None:
    """Deletes the parts in a folder, and the folder if nothing else is left."""
    if not (folder / _REQUEST).exists():
        return
    for path in (*folder.glob("*.npz"), *folder.glob(".*.npz")):
        path.unlink()
    (folder / _REQUEST).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:
        # NumPy passes on all errors of its readers: zip, zlib, header errors.
        raise ValueError(
            f"{path} is damaged; delete this file, and call again to project "
            "its images again."
        ) from error
