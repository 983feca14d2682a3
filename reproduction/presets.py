"""Puts networks of the study into the library, each with a card beside it.

python reproduction/presets.py

The command takes the last epoch of the rows in ROWS, seed 0, where ROOT has the
trained network and OUTPUT the records, from which the card is computed.
"""

from __future__ import annotations

import os
import pathlib
import shlex

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import kept  # noqa: E402
import keras  # noqa: E402
import places  # noqa: E402
import tables  # noqa: E402
from absl import flags  # noqa: E402
from plan import Run  # noqa: E402
from tables import Results  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402
from ijsat_tf.storage import files  # noqa: E402
from ijsat_tf.storage.fingerprints import of_networks  # noqa: E402

FLAGS = flags.FLAGS

ROWS = {"standard": "normal training", "at": "AT", "ijsat": "IJSAT"}


def main(_: list[str]) -> None:
    work = places.work()
    results = Results(kept.read(work.output))
    for row in ROWS:
        run = work.runs[f"{row}-0"]
        trained = work.root / run.name / "classifier.keras"
        if run.name in results.kept and trained.exists():
            name = f"resnet18_cifar10_{row}_small"
            path = pathlib.Path(FLAGS.presets) / f"{name}.keras"
            classifier = commandline.load(str(trained), "classifier")
            commandline.in_float32(classifier)
            if not (path.exists() and same(path, classifier)):
                ij.training.Checkpoint(path).save(classifier)
            with files.replaced(path.with_suffix(".md")) as aside:
                text = card(results, row, run, name)
                aside.write_text(text, encoding="utf-8")
            print(f"preset: {path}")


def same(path: pathlib.Path, classifier: keras.Model) -> bool:
    """Whether a file has this network; files hold the time of their writing.

    Args:
        path: Path of a Keras file.
        classifier: Network to compare with.
    """
    found = commandline.load(str(path), "classifier")
    return of_networks(found) == of_networks(classifier)


def card(results: Results, row: str, run: Run, name: str) -> str:
    """The card of a network: data, training, accuracies and caveats.

    Args:
        results: Results of all runs that are kept.
        row: Row of the study, a key of `ROWS`.
        run: Run of this row that trained the network.
        name: Name of the preset.
    """
    flags = *run.flags, f"--workdir=runs/study/{run.name}"
    command = shlex.join(["python", "train/main.py", *flags])
    return f"""\
# {name}

A ResNet-18 of width 16 for images (32, 32, 3) in [0, 1] of CIFAR-10's ten
classes, trained by {ROWS[row]}.

```python
import ijsat_tf as ij

classifier = ij.models.from_preset("{name}")
```

- **Data**: The first 49,000 training images of the original CIFAR-10, with
  crops and flips.
- **Training**: 10 epochs in float32.
  [The protocol](../../../reproduction/README.md) gives the reasons for each
  setting.

      {command}

## What was measured

`make study` measured these accuracies in percent: on all 10,000 test images
as they are and under PGD-20, on the first 1,000 test images under JSA-50,
OM-PGD-50 and AutoAttack. The pixel radius is 8/255, and
[the protocol](../../../reproduction/README.md) says how the latent radius was
calibrated.

{tables.accuracies(results, {row: ROWS[row]})}

## Caveats

- The network is small, and 10 epochs are a twelfth of the paper's. The network
  is for examples and comparisons, not for a leaderboard.
- The licence is that of the library. CIFAR-10 is by A. Krizhevsky, V. Nair and
  G. Hinton.
"""


if __name__ == "__main__":
    places.define()
    flags.DEFINE_string(
        "presets", "ijsat_tf/models/presets", "folder of the presets"
    )
    commandline.run(main)
