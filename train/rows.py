"""The method that --method names, with the settings of the other flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.training import methods

_BALLS = {"linf": ij.spaces.Linf, "l2": ij.spaces.L2, "l1": ij.spaces.L1}


def method(
    generator: Any, source: ij.data.Source | None = None
) -> methods.Method:
    """The method that the flags describe.

    Args:
        generator: Generator of attacks on the manifold, or None.
        source: Training images, which cutout alone needs; default None.

    Raises:
        ValueError: for a method without the generator that it needs.
    """
    if FLAGS.method in _ON_MANIFOLD and generator is None:
        raise ValueError(
            f"--method={FLAGS.method} needs a generator: train a generator "
            "with --method=flow or --method=vaegan, and name its file by "
            "--flow or --gan"
        )
    if FLAGS.method == "cutout":
        # The normalisation inside the classifier makes this fill 0.
        return methods.Cutout(FLAGS.cutout, source.channels()[0])
    return _METHODS[FLAGS.method](generator)


def attack(
    name: str, generator: Any, steps: int | None = None
) -> ij.attacks.Attack:
    """An attack with the budgets of the flags.

    Args:
        name: Name of the attack, as `ijsat_tf.attacks.by_name` takes it.
        generator: Generator of attacks on the manifold, or None.
        steps: Number of steps; None, the default, stands for the number in
            the name.
    """
    return ij.attacks.by_name(
        name,
        pixels=_BALLS[FLAGS.norm](*commandline.budget("epsilon")),
        latent=ij.spaces.Linf(*commandline.budget("eta")),
        flow=generator,
        levels=commandline.numbers("levels"),
        steps=steps,
    )


def _inner(generator: Any, default: str = "pgd") -> ij.attacks.Attack:
    return attack(FLAGS.attack or default, generator, FLAGS.attack_steps)


def _dmat(generator: Any) -> methods.Method:
    latent = attack(FLAGS.latent_attack, generator, FLAGS.attack_steps)
    return methods.DMAT(_inner(generator), latent)


def _la(generator: Any) -> methods.Method:
    radius, step = commandline.budget("eta")
    return methods.AdversarialLA(generator, radius, step, FLAGS.attack_steps)


_ON_MANIFOLD = ("randomized_la", "adversarial_la", "on_manifold")
_METHODS: dict[str, Callable[[Any], methods.Method]] = {
    "standard": lambda _: methods.Standard(),
    "mixup": lambda _: methods.Mixup(FLAGS.tau, FLAGS.alpha),
    "manifold_mixup": lambda _: methods.ManifoldMixup(
        FLAGS.tau, alpha=FLAGS.alpha
    ),
    "at": lambda generator: methods.AT(_inner(generator)),
    "trades": lambda generator: methods.TRADES(_inner(generator), FLAGS.beta),
    "mart": lambda generator: methods.MART(_inner(generator), FLAGS.beta),
    "iat": lambda generator: methods.IAT(
        _inner(generator), FLAGS.tau, FLAGS.mix, FLAGS.clean, alpha=FLAGS.alpha
    ),
    "dmat": _dmat,
    "ijsat": lambda generator: methods.IJSAT(
        _inner(generator, "jsa"), FLAGS.tau, FLAGS.alpha
    ),
    "randomized_la": lambda generator: methods.RandomizedLA(
        generator, FLAGS.eta
    ),
    "adversarial_la": _la,
    "on_manifold": lambda generator: methods.VAEGAN(
        generator, FLAGS.eta, FLAGS.attack_steps
    ),
    "advprop": lambda generator: methods.AdvProp(_inner(generator)),
    "rlat": lambda _: methods.RLAT(FLAGS.epsilon),
    "fast_pat": lambda _: methods.FastPAT(FLAGS.bound, FLAGS.attack_steps),
}
