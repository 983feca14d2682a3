"""The method that --method names, as the other flags describe it."""

from __future__ import annotations

from collections.abc import Callable

import keras
from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline
from ijsat_tf.training import methods

_BALLS = {"linf": ij.spaces.Linf, "l2": ij.spaces.L2}


def method(generator: keras.Model | None) -> methods.Method:
    """The method that the flags describe.

    Args:
        generator: of attacks on the manifold, or None.
    """
    return _METHODS[FLAGS.method](generator)


def attack(name: str, generator: keras.Model | None) -> ij.attacks.Attack:
    """An attack of the flags' budgets.

    Args:
        name: as `ijsat_tf.attacks.by_name` takes it.
        generator: of attacks on the manifold, or None.
    """
    return ij.attacks.by_name(
        name,
        pixels=_BALLS[FLAGS.norm](*commandline.budget("epsilon")),
        latent=ij.spaces.Linf(*commandline.budget("eta")),
        flow=generator,
        levels=commandline.numbers("levels"),
    )


def _inner(
    generator: keras.Model | None, default: str = "pgd"
) -> ij.attacks.Attack:
    name = FLAGS.attack or default
    steps = "" if name == "fgsm" else FLAGS.attack_steps
    return attack(f"{name}{steps}", generator)


def _dmat(generator: keras.Model | None) -> methods.Method:
    latent = attack(f"{FLAGS.latent_attack}{FLAGS.attack_steps}", generator)
    return methods.DMAT(_inner(generator), latent)


_METHODS: dict[str, Callable[[keras.Model | None], methods.Method]] = {
    "standard": lambda _: methods.Standard(),
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
}
