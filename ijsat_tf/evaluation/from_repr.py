"""Attacks read back from the text that a record has of them."""

from __future__ import annotations

import ast
import re
from types import ModuleType
from typing import Any

from ijsat_tf import attacks, spaces
from ijsat_tf.attacks import Attack, WorstOf
from ijsat_tf.types import Value


def attack_from_repr(text: str) -> Attack | None:
    """The attack that a text is the `repr` of, to ask for its settings.

    A value's `repr` is the call that makes it. Values of this library are
    made, and nothing else is run, whatever the text says: what is no such
    value must be a network, in whose place is a stand-in. So the attack
    cannot be called.

    Args:
        text: `Record.attack`.

    Returns:
        The attack, or None for "standard" and for what is not known here.
    """
    # Keras prints networks like this; others print a call.
    text = re.sub(r"<[^<>]*>", "network", text)
    try:
        made = _made(ast.parse(text, mode="eval").body, attacks)
    except (SyntaxError, TypeError, ValueError):
        return None
    return made if isinstance(made, Attack) else None


class _Network:
    """What attacks ask of a generator or of a distance before they run."""

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
        # An attack searches a space, which may have its name.
        inside = attacks if issubclass(kind, WorstOf) else spaces
        return kind(
            *(_made(each, inside) for each in node.args),
            **{each.arg: _made(each.value, inside) for each in node.keywords},
        )
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_made(each, library) for each in node.elts)
    return ast.literal_eval(node)
