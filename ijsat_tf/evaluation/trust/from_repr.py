"""Attacks read back from their `repr` in a record."""

from __future__ import annotations

import ast
import re
from types import ModuleType
from typing import Any

from ijsat_tf import attacks, spaces
from ijsat_tf.attacks import Attack, WorstOf
from ijsat_tf.types import Value


def attack_from_repr(text: str) -> Attack | None:
    """Returns the attack of a `repr`, to ask for its settings.

    A value's `repr` is the call that makes the value. The function makes only
    values of this library, and runs no other code, whatever the text says.
    Everything else is taken for a network and replaced by a stand-in, so the
    attack cannot be called.

    Args:
        text: Text of the attack, `Record.attack`.

    Returns:
        The attack, or None for "standard" and for attacks that are not part of
        this library.
    """
    # Keras prints networks in <>, which is not Python; other networks print a
    # call.
    text = re.sub(r"<[^<>]*>", "network", text)
    try:
        made = _made(ast.parse(text, mode="eval").body, attacks)
    except (SyntaxError, TypeError, ValueError):
        return None
    return made if isinstance(made, Attack) else None


class _Network:
    """A stand-in for a generator or a distance.

    The stand-in has the attributes that attacks ask for before they run.
    """

    def decode(self, latents: Any) -> Any:
        raise NotImplementedError

    prepare = decode


_NETWORK = _Network()


def _made(node: ast.expr, library: ModuleType) -> Any:
    if isinstance(node, ast.Name):
        return _NETWORK
    if isinstance(node, ast.Call):
        kind = getattr(library, getattr(node.func, "id", ""), None)
        if not (isinstance(kind, type) and issubclass(kind, Value)):
            return _NETWORK
        # The arguments of an attack are spaces, which may have the name of an
        # attack; the arguments of `WorstOf` are attacks.
        inside = attacks if issubclass(kind, WorstOf) else spaces
        return kind(
            *(_made(each, inside) for each in node.args),
            **{each.arg: _made(each.value, inside) for each in node.keywords},
        )
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_made(each, library) for each in node.elts)
    return ast.literal_eval(node)
