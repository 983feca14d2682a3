"""Writes autoattack_digits.npz: the official AutoAttack's verdicts.

python -m tests.golden.make_autoattack

Run from the repository's root, with PyTorch and the package `autoattack` of
https://github.com/fra31/auto-attack, commit a392200, installed. It trains a
small classifier adversarially, and runs each stage alone, from three seeds,
on the first 100 test digits. Square in the L2 ball is left out: there that
commit fails under PyTorch 2.
"""

import keras
import numpy as np
import torch
from autoattack import AutoAttack

import ijsat_tf as ij
from benchmarks.torch_twin import twin
from tests.golden import digits

SEEDS = (0, 1, 2)


def trained() -> keras.Model:
    """Adversarially trained for some seconds."""
    keras.utils.set_random_seed(0)
    net, source = digits.make_net(), ij.data.load("digits", "train")
    attack = ij.attacks.PGD(ij.spaces.Linf(0.1, step=0.025), steps=7)
    method = ij.training.methods.AT(attack)
    model = ij.training.AdversarialModel(net, method)
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    batches = ij.data.batches(source, 64, seed=0)
    model.fit(batches, epochs=20, steps_per_epoch=22, verbose=2)
    return net


def main() -> None:
    net, source = trained(), ij.data.load("digits", "test").take(100)
    images = np.round(source.scaled() * 16).astype("uint8")
    x = torch.tensor(images / 16, dtype=torch.float32).permute(0, 3, 1, 2)
    x, y = x.contiguous(), torch.tensor(source.labels, dtype=torch.int64)
    model = twin(net)
    clean = model(x).detach().numpy()
    np.testing.assert_allclose(clean, net(images / 16), atol=1e-4)
    found = {"alive.clean": clean.argmax(1) == source.labels}
    for norm, radius in digits.BALLS.items():
        for stage in digits.STAGES:
            if (norm, stage) == ("L2", "square"):
                continue
            key = f"alive.{norm}.{stage}"
            found[key] = np.stack(
                [alive(model, x, y, norm, radius, stage, n) for n in SEEDS]
            )
            print(key, found[key].sum(1), flush=True)
    weights = {f"weight{n}": w for n, w in enumerate(net.get_weights())}
    np.savez_compressed(
        digits.PATH, images=images, labels=source.labels, **found, **weights
    )


def alive(model, x, y, norm, radius, stage, seed) -> np.ndarray:
    """The official verdict of one stage alone, (100,) bool."""
    official = AutoAttack(
        model,
        norm=norm,
        eps=radius,
        seed=seed,
        version="custom",
        attacks_to_run=[stage],
        device="cpu",
        verbose=False,
    )
    # As in the version "standard".
    official.apgd.n_restarts = official.fab.n_restarts = 1
    attacked = official.run_standard_evaluation(x, y, bs=100)
    return (model(attacked).argmax(1) == y).numpy()


if __name__ == "__main__":
    main()
