"""Prints how many images the original advex-uar attacks leave right.

    PYTHONPATH=. python tests/oracles/make_unseen.py [names]

IJSAT_ORACLES names a folder with a clone of
https://github.com/ddkang/advex-uar named advex-uar, and IJSAT_SHARED the
folder of the small pretrained classifiers. The package was written for a GPU;
here every tensor stays on the CPU, and nothing else is changed. Attacks lead
away from the label, and all 200 images are one batch.
"""

import json
import math
import os
import pathlib
import sys
import types

import numpy as np
import torch

from tests.oracles.unseen import ATTACKS, SEEDS, STEPS, load_images, weights


class OnCPU(torch.overrides.TorchFunctionMode):
    """Makes what is asked for on the GPU on the CPU."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("device") == "cuda":
            kwargs["device"] = "cpu"
        return function(*args, **kwargs)


class Net(torch.nn.Module):
    """cifar_cnn_a_mix, behind the normalisation that the package expects."""

    def __init__(self):
        super().__init__()
        self.weight = {k: torch.tensor(v) for k, v in weights().items()}

    def forward(self, images):
        def per_channel(*numbers):
            return torch.tensor(numbers).view(1, 3, 1, 1)

        images = images * per_channel(0.229, 0.224, 0.225)
        images = images + per_channel(0.485, 0.456, 0.406)
        images = images - per_channel(0.4914, 0.4822, 0.4465)
        images = images / per_channel(0.2023, 0.1994, 0.2010)
        functional = torch.nn.functional
        for name in ("0", "2"):
            images = functional.conv2d(
                images,
                self.weight[f"{name}.weight"],
                self.weight[f"{name}.bias"],
                stride=2,
                padding=1,
            ).relu()
        hidden = functional.linear(
            images.flatten(1), self.weight["5.weight"], self.weight["5.bias"]
        ).relu()
        return functional.linear(
            hidden, self.weight["7.weight"], self.weight["7.bias"]
        )


def main():
    folder = pathlib.Path(os.environ["IJSAT_ORACLES"]) / "advex-uar"
    sys.path.insert(0, str(folder))
    # Imported there, but not used.
    sys.modules.setdefault("torchvision", types.ModuleType("torchvision"))
    torch.Tensor.cuda = lambda self, *args, **kwargs: self
    torch.nn.Module.cuda = lambda self, *args, **kwargs: self
    torch.set_num_threads(1)
    from advex_uar import attacks

    images, labels = load_images()
    images = torch.tensor(np.transpose(images, (0, 3, 1, 2)).copy())
    labels = torch.tensor(labels)
    with OnCPU():
        wrapper = attacks.PGDAttack(1, 1.0, 1.0, 32)
        given = wrapper.transform(images * 255.0)
        net = Net()
        correct = int((net(given).argmax(1) == labels).sum())
        print(f"clean: {correct} of {len(labels)}", flush=True)
        for name in sys.argv[1:] or ATTACKS:
            row = ATTACKS[name]
            step = row.step or row.budget / math.sqrt(STEPS)
            attack = getattr(attacks, row.original)(
                STEPS, row.budget, step, 32, **row.its_settings
            )
            found = []
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                np.random.seed(seed)
                moved = attack(net, given, labels, avoid_target=True)
                predicted = net(moved.detach()).argmax(1)
                found.append(int((predicted == labels).sum()))
            print(f"{json.dumps(name)}: {found},", flush=True)


if __name__ == "__main__":
    main()
