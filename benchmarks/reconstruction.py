"""Measures the error of images on a generator's manifold (section 6.4.1).

python benchmarks/reconstruction.py --gan=runs/cifar10/sngan/sngan.keras \\
    --flow=runs/cifar10/flow/flow.keras \\
    --features=runs/cifar10/standard/classifier.keras --picture=manifold.png

Test images are projected to the GAN's latents (Eq. 12), and encoded and decoded
by the flow, whose manifold is exact. The errors are means over the images, in
grey levels of 255; d is the perceptual distance in the classifier's features,
and correct is the share of the images that this classifier still gets right.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from absl import flags  # noqa: E402

import ijsat_tf as ij  # noqa: E402
from ijsat_tf import commandline  # noqa: E402

FLAGS = flags.FLAGS
flags.DEFINE_string("gan", None, "path of an sngan.keras", required=True)
flags.DEFINE_string("flow", None, "path of a flow.keras", required=True)
flags.DEFINE_string(
    "features", None, "path of a classifier.keras", required=True
)
flags.DEFINE_list(
    "feature_layers", None, "names of its layers; None for stage1 and so on"
)
commandline.define_data()
flags.DEFINE_integer("examples", 500, "first so many test images", 1)
flags.DEFINE_integer("steps", 100, "of Adam", 1)
flags.DEFINE_string("picture", None, "file to draw ten images into")

BATCH = 100


def main(_: list[str]) -> None:
    gan = commandline.load(FLAGS.gan, "GAN", "decode")
    network = commandline.load(FLAGS.features, "classifier")
    for model in (gan, network):
        commandline.in_float32(model)
    flow = commandline.load(FLAGS.flow, "flow", "with_dtype")
    flow = flow.with_dtype("float32")
    distance = ij.models.PerceptualDistance(network, FLAGS.feature_layers)
    projection = ij.generators.Projection(gan, distance, FLAGS.steps)
    source = ij.data.load(*commandline.split("test")).take(FLAGS.examples)
    images = source.scaled()

    found = {"by the GAN": [], "by the flow": []}
    progress = keras.utils.Progbar(len(images), unit_name="image")
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        found["by the GAN"].append(projection(part).images)
        found["by the flow"].append(flow.decode(flow.encode(part)))
        progress.add(len(part))
    rows = {"original": images}
    # Rounding may put values of the flow just outside of [0, 1].
    rows |= {
        name: np.clip(np.concatenate(parts), 0, 1)
        for name, parts in found.items()
    }
    print("| | mean error | largest | d | correct |")
    print("| --- | --- | --- | --- | --- |")
    for name, made in rows.items():
        error = 255 * np.abs(made - images).reshape(len(images), -1)
        apart = np.concatenate(
            [
                distance(made[start : start + BATCH], images[start:][:BATCH])
                for start in range(0, len(images), BATCH)
            ]
        )
        correct = (
            network.predict(made, verbose=0).argmax(1) == source.labels
        ).mean()
        print(
            f"| {name} | {error.mean():.4g} | {error.max(1).mean():.4g} "
            f"| {apart.mean():.4g} | {100 * correct:.1f} % |"
        )
    if FLAGS.picture:
        rows = {name: made[:10] for name, made in rows.items()}
        ij.evaluation.image_rows(rows, FLAGS.picture)
        print(f"picture: {FLAGS.picture}")


if __name__ == "__main__":
    commandline.run(main)
