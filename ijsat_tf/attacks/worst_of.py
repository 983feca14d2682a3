"""Unions of threat models: the worst result of several attacks."""

from __future__ import annotations

import collections
import functools

import tensorflow as tf

from ijsat_tf import checks
from ijsat_tf.attacks.attack import Attack, AttackResult
from ijsat_tf.attacks.outcome import better
from ijsat_tf.rows import pick
from ijsat_tf.types import LogitsFn, Tensors, value


@value
class WorstOf(Attack):
    """The worst of several attacks for each sample.

    Per sample the result is that of a successful attack, else that of the
    attack with the highest loss; of several successes, the success with the
    highest loss. Every attack gets the seed of the call, as if run alone.
    `budget` has one entry for each space of each attack, such as
    "pgd: pixels" (the second PGD is "pgd2"). An entry is 0 for the samples
    whose image another attack found. `overflowed` marks the samples on which a
    generator overflowed and no attack succeeded.

    Args:
        attacks: List of one or more attacks; labels are target classes for
            all of them or for none.

    Raises:
        ValueError: for an empty list, an entry that is not an attack, or
            targeted attacks together with untargeted attacks.

    Source: Maini et al., Adversarial Robustness Against the Union of Multiple
    Perturbation Models, 2020; "Max" in Tramer and Boneh, 2019.
    """

    attacks: tuple[Attack, ...]

    def __post_init__(self):
        super().__post_init__()
        checks.require(
            isinstance(self.attacks, tuple)
            and self.attacks
            and all(isinstance(attack, Attack) for attack in self.attacks),
            "`attacks` must be a list of one or more attacks, such as "
            "[PGD(Linf(8 / 255)), PGD(L2(0.5))].",
            repr(self.attacks),
        )
        checks.require(
            len({attack.labels_are_targets for attack in self.attacks}) == 1,
            "`attacks` must be either all targeted or all untargeted, because "
            "the labels are either target classes or true classes; FAB takes "
            "true classes.",
            repr(self.attacks),
        )

    @property
    def radii(self) -> dict[str, float]:
        return {
            f"{name}: {space}": radius
            for name, part in zip(self.names(), self.attacks)
            for space, radius in part.radii.items()
        }

    @property
    def by_sample(self) -> bool:
        return all(attack.by_sample for attack in self.attacks)

    @property
    def labels_are_targets(self) -> bool:
        return self.attacks[0].labels_are_targets

    def craft(
        self,
        logits_of: LogitsFn,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        latents: Tensors | None = None,
    ) -> AttackResult:
        results = [
            attack.craft(logits_of, images, labels, seed, latents)
            for attack in self.attacks
        ]
        budgets = [
            {f"{name}: {space}": used for space, used in result.budget.items()}
            for name, result in zip(self.names(), results)
        ]
        unused = {
            name: tf.zeros_like(used)
            for budget in budgets
            for name, used in budget.items()
        }

        def worse(best: AttackResult, found: AttackResult) -> AttackResult:
            wins = better(found, best, self.labels_are_targets)
            return pick(wins, found, best)

        worst = functools.reduce(
            worse,
            (
                result._replace(budget={**unused, **budget})
                for result, budget in zip(results, budgets)
            ),
        )
        # Without a success, an attack that overflowed must not be hidden by the
        # others.
        any_failed = functools.reduce(
            tf.logical_or, (result.overflowed for result in results)
        )
        return worst._replace(overflowed=any_failed & ~worst.success)

    def names(self) -> list[str]:
        """The names of the attacks in `budget`, in order."""
        seen: collections.Counter[str] = collections.Counter()
        names = []
        for attack in self.attacks:
            name = type(attack).__name__.lower()
            seen[name] += 1
            names.append(f"{name}{seen[name] if seen[name] > 1 else ''}")
        return names
