"""JSA and PGD in PyTorch, written to be as fast as possible, to compare with.

The weights are those of our networks. Tensors have their channels last,
ActNorm and the inverse of the 1x1 convolution are one matrix that is formed
once, BatchNorm is folded into the convolutions, and no gradients of weights
are computed in attacks.
"""

from __future__ import annotations

import concurrent.futures
import os

import keras
import numpy as np
import torch
import torch.nn.functional as F

import ijsat_tf as ij


class Network:
    """A Keras network whose weights are PyTorch tensors of one type."""

    def __init__(self, dtype: torch.dtype):
        self.dtype = dtype

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array, "float32")).to(self.dtype)

    def kernel(self, array: np.ndarray) -> torch.Tensor:
        found = self.tensor(np.transpose(array, (3, 2, 0, 1)))
        return found.contiguous(memory_format=torch.channels_last)


class Decoder(Network):
    """G of `ijsat_tf.flows.Glow`, in float32 with coupling nets in `dtype`."""

    def __init__(self, flow: ij.flows.Glow, dtype: torch.dtype):
        super().__init__(dtype)
        self.scale = flow.bins / (flow.bins - 1)
        self.levels = []
        for level in flow.level_layers:
            steps = []
            for norm, mix, coupling in zip(*[iter(level.layers)] * 3):
                eye = np.eye(norm.shift.shape[0], dtype="float32")[None, None]
                inverse = np.asarray(mix.bijector.forward(eye))[0, 0]
                matrix = inverse * np.exp(norm.log_scale.numpy())
                kernel = torch.tensor(matrix.T[..., None, None].copy())
                net = [
                    (self.kernel(conv.kernel), self.tensor(conv.bias))
                    for conv in coupling.net.layers
                ]
                steps.append((kernel, torch.tensor(norm.shift.numpy()), net))
            self.levels.append(steps)

    def net(self, x: torch.Tensor, net: list) -> torch.Tensor:
        (first, one), (second, two), (third, three) = net
        x = F.relu(F.conv2d(x.to(self.dtype), first, one, padding=1))
        x = F.relu(F.conv2d(x, second, two))
        return F.conv2d(x, third, three, padding=1).float()

    def __call__(self, latents: list[torch.Tensor]) -> torch.Tensor:
        x = latents[-1]
        for number in range(len(self.levels) - 1, -1, -1):
            if number < len(self.levels) - 1:
                x = torch.cat([x, latents[number]], 1)
            for kernel, shift, net in reversed(self.levels[number]):
                known, other = x.chunk(2, 1)
                move, scale = self.net(known, net).chunk(2, 1)
                other = other / (0.2 + 0.8 * torch.sigmoid(scale + 2)) - move
                x = F.conv2d(torch.cat([known, other], 1), kernel, shift)
            x = depth_to_space(x)
        return (x + 0.5) * self.scale


class Encoder(Decoder):
    """G^-1 of `ijsat_tf.flows.Glow`, with the tensors of `Decoder`."""

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        with torch.no_grad():
            x, latents = images / self.scale - 0.5, []
            for number, steps in enumerate(self.levels):
                x = space_to_depth(x)
                for kernel, shift, net in steps:
                    inverse = torch.linalg.inv(kernel[..., 0, 0])
                    x = F.conv2d(
                        x - shift[:, None, None], inverse[..., None, None]
                    )
                    known, other = x.chunk(2, 1)
                    move, scale = self.net(known, net).chunk(2, 1)
                    other = (other + move) * (
                        0.2 + 0.8 * torch.sigmoid(scale + 2)
                    )
                    x = torch.cat([known, other], 1)
                if number < len(self.levels) - 1:
                    x, latent = x.chunk(2, 1)
                    latents.append(latent.contiguous())
            return [*latents, x]


def space_to_depth(x: torch.Tensor) -> torch.Tensor:
    rows, channels, height, width = x.shape
    x = x.reshape(rows, channels, height // 2, 2, width // 2, 2)
    x = x.permute(0, 3, 5, 1, 2, 4)
    x = x.reshape(rows, 4 * channels, height // 2, width // 2)
    return x.contiguous(memory_format=torch.channels_last)


def depth_to_space(x: torch.Tensor) -> torch.Tensor:
    """Moves channels to pixels in TensorFlow's order, not `pixel_shuffle`'s."""
    rows, channels, height, width = x.shape
    x = x.reshape(rows, 2, 2, channels // 4, height, width)
    x = x.permute(0, 4, 1, 5, 2, 3)
    x = x.reshape(rows, 2 * height, 2 * width, channels // 4)
    return x.permute(0, 3, 1, 2)


class ResNet18(Network):
    """`ijsat_tf.models.resnet18` with its BatchNorm folded."""

    def __init__(self, model: keras.Model, dtype: torch.dtype):
        super().__init__(dtype)
        self.pairs = {}
        for layer in model.layers:
            if layer.name.endswith("_convolution"):
                name = layer.name.removesuffix("_convolution")
                norm = model.get_layer(f"{name}_norm")
                gamma, beta, mean, variance = norm.get_weights()
                factor = gamma / np.sqrt(variance + norm.epsilon)
                self.pairs[name] = (
                    self.kernel(layer.kernel.numpy() * factor),
                    self.tensor(beta - mean * factor),
                )
        kernel, bias = model.get_layer("logits").get_weights()
        self.logits = torch.tensor(kernel.T.copy()), torch.tensor(bias)

    def convolution(
        self, x: torch.Tensor, name: str, stride: int = 1
    ) -> torch.Tensor:
        kernel, bias = self.pairs[name]
        return F.conv2d(x, kernel, bias, stride, kernel.shape[-1] // 2)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.convolution(x.to(self.dtype), "stem"))
        for stage in (1, 2, 3, 4):
            for place, name in enumerate(
                (f"stage{stage}_block1", f"stage{stage}")
            ):
                stride = 2 if stage > 1 and place == 0 else 1
                skip = x
                if f"{name}_skip" in self.pairs:
                    skip = self.convolution(x, f"{name}_skip", stride)
                x = F.relu(self.convolution(x, f"{name}_1", stride))
                x = F.relu(self.convolution(x, f"{name}_2") + skip)
        return F.linear(x.float().mean((2, 3)), *self.logits)


class Attack:
    """JSA, or PGD without a decoder, with the paper's budgets.

    Args:
        classifier: Classifier from images to logits.
        decoder: Decoder G, or None, the default.
        steps: Number of steps K, default 10.
        compiled: Whether `torch.compile` makes the gradients, default False.
    """

    def __init__(self, classifier, decoder=None, steps=10, compiled=False):
        self.classifier, self.decoder = classifier, decoder
        self.steps = steps
        self.gradients = (
            torch.compile(self._gradients) if compiled else self._gradients
        )

    def __call__(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        latents: list[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        delta = uniform(images, 8 / 255)
        shifts = [uniform(latent, 0.02) for latent in latents or []]
        for _ in range(self.steps):
            slopes = self.gradients(images, labels, latents, delta, shifts)
            delta = (delta + 2 / 255 * slopes[0].sign()).clamp(
                -8 / 255, 8 / 255
            )
            if self.decoder is None:
                delta = (images + delta).clamp(0, 1) - images
            shifts = [
                (shift + 0.005 * slope.sign()).clamp(-0.02, 0.02)
                for shift, slope in zip(shifts, slopes[1:])
            ]
        with torch.no_grad():
            return self._moved(images, latents, delta, shifts).clamp(0, 1)

    def _moved(self, images, latents, delta, shifts):
        if self.decoder is None:
            return images + delta
        moved = [z + shift for z, shift in zip(latents, shifts)]
        return self.decoder(moved) + delta

    def _gradients(self, images, labels, latents, delta, shifts):
        delta = delta.detach().requires_grad_()
        shifts = [shift.detach().requires_grad_() for shift in shifts]
        with torch.enable_grad():
            moved = self._moved(images, latents, delta, shifts)
            # Our clip to [0, 1] passes gradients straight through, too.
            moved = moved + (moved.clamp(0, 1) - moved).detach()
            loss = F.cross_entropy(
                self.classifier(moved), labels, reduction="sum"
            )
        return torch.autograd.grad(loss, [delta, *shifts])


class InThreads:
    """JSA with a thread per core, each on a part of the batch.

    Args:
        classifier: Classifier from images to logits.
        decoder: Decoder G.
        encoder: Encoder G^-1.
        steps: Number of steps K, default 10.
    """

    def __init__(self, classifier, decoder, encoder, steps=10):
        self.attack = Attack(classifier, decoder, steps)
        self.encoder, self.cores = encoder, os.cpu_count()
        self.threads = concurrent.futures.ThreadPoolExecutor(self.cores)

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> list:
        before = torch.get_num_threads()
        parts = images.chunk(self.cores), labels.chunk(self.cores)
        found = list(self.threads.map(self._part, *parts))
        torch.set_num_threads(before)
        return found

    def _part(self, images, labels):
        torch.set_num_threads(1)
        return self.attack(images, labels, self.encoder(images))


class Trainer:
    """A train step of IJSAT: mixup, attack, SGD with coupled L2.

    Args:
        model: Model `ijsat_tf.models.resnet18` with the weights at the start.
        decoder: Decoder G.
        dtype: Type of the convolutions; weights stay float32.
        steps: Number of steps K, default 10.
    """

    def __init__(self, model, decoder, dtype, steps=10):
        self.model, self.decoder = model, decoder
        self.dtype, self.steps = dtype, steps
        layout = torch.channels_last
        self.weights = {}
        for layer in model.layers:
            for weight in layer.weights:
                value = np.asarray(weight)
                if value.ndim == 4:
                    value = np.transpose(value, (3, 2, 0, 1))
                value = torch.tensor(np.ascontiguousarray(value))
                if value.ndim == 4:
                    value = value.contiguous(memory_format=layout)
                value.requires_grad_(weight.trainable)
                self.weights[f"{layer.name}/{weight.name}"] = value
        learned = [w for w in self.weights.values() if w.requires_grad]
        self.optimizer = torch.optim.SGD(
            learned, 0.1, momentum=0.9, weight_decay=2e-4
        )

    def __call__(self, images, labels, encode):
        alpha = torch.distributions.Beta(0.1, 0.1).sample((len(images),))
        partners = torch.arange(len(images)) ^ 1
        weight = alpha[:, None, None, None]
        mixed = weight * images + (1 - weight) * images[partners]
        soft = F.one_hot(labels, 10).float()
        soft = alpha[:, None] * soft + (1 - alpha[:, None]) * soft[partners]
        attack = Attack(self.folded(), self.decoder, self.steps)
        attacked = attack(mixed, soft, encode(mixed))
        loss = F.cross_entropy(self.forward(attacked), soft)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def folded(self) -> ResNet18:
        """The classifier for the attack, with the present weights."""
        net = ResNet18.__new__(ResNet18)
        net.dtype, net.pairs = self.dtype, {}
        with torch.no_grad():
            for name in self.weights:
                if name.endswith("_convolution/kernel"):
                    name = name.removesuffix("_convolution/kernel")
                    norm = [
                        self.weights[f"{name}_norm/{part}"]
                        for part in (
                            "gamma",
                            "beta",
                            "moving_mean",
                            "moving_variance",
                        )
                    ]
                    gamma, beta, mean, variance = norm
                    factor = gamma / (variance + 1e-5).sqrt()
                    kernel = self.weights[f"{name}_convolution/kernel"]
                    kernel = kernel * factor[:, None, None, None]
                    net.pairs[name] = (
                        kernel.to(self.dtype),
                        (beta - mean * factor).to(self.dtype),
                    )
            net.logits = (
                self.weights["logits/kernel"].T.contiguous(),
                self.weights["logits/bias"],
            )
        return net

    def pair(self, x, name, stride=1):
        kernel = self.weights[f"{name}_convolution/kernel"].to(self.dtype)
        x = F.conv2d(x, kernel, None, stride, kernel.shape[-1] // 2)
        gamma, beta, mean, variance = (
            self.weights[f"{name}_norm/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return F.batch_norm(x, mean, variance, gamma, beta, True, 0.1, 1e-5)

    def forward(self, x):
        x = F.relu(self.pair(x.to(self.dtype), "stem"))
        for stage in (1, 2, 3, 4):
            for place, name in enumerate(
                (f"stage{stage}_block1", f"stage{stage}")
            ):
                stride = 2 if stage > 1 and place == 0 else 1
                skip = x
                if f"{name}_skip_convolution/kernel" in self.weights:
                    skip = self.pair(x, f"{name}_skip", stride)
                x = F.relu(self.pair(x, f"{name}_1", stride))
                x = F.relu(self.pair(x, f"{name}_2") + skip)
        kernel, bias = (self.weights[f"logits/{n}"] for n in ("kernel", "bias"))
        return F.linear(x.float().mean((2, 3)), kernel.T, bias)


def uniform(like: torch.Tensor, radius: float) -> torch.Tensor:
    return (2 * torch.rand_like(like) - 1) * radius


def to_torch(array: np.ndarray) -> torch.Tensor:
    """The PyTorch tensor, channels last, of images or latents (B, H, W, C)."""
    found = torch.tensor(np.transpose(np.asarray(array), (0, 3, 1, 2)))
    return found.contiguous(memory_format=torch.channels_last)
