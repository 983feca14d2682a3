"""Type aliases, and `Value`, the base of every ball, space, attack and method.

A value is a frozen dataclass. Values of equal settings are equal, a value is
printed as the call that makes it, and Keras can serialise it with the networks
inside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

Tensor = tf.Tensor | np.ndarray
Tensors = Tensor | list[Tensor]
Seed = int | tf.Tensor
LogitsFn = Callable[[tf.Tensor], tf.Tensor]
Class = TypeVar("Class", bound=type)


def value(cls: Class) -> Class:
    """Makes a class a frozen dataclass that Keras can save by its name."""
    cls = dataclasses.dataclass(frozen=True, repr=False)(cls)
    # The package keeps names apart: a user's class may have the name of one of
    # this library, and an attack the name of the space that it searches.
    package = ".".join(cls.__module__.split(".")[:2])
    return keras.saving.register_keras_serializable(package)(cls)


@dataclasses.dataclass(frozen=True, repr=False)
class Value:
    """Settings without state; subclasses declare fields and use `@value`."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if isinstance(getattr(self, field.name), list):
                # Lists cannot be hashed, and Keras reads tuples as lists.
                settings = tuple(getattr(self, field.name))
                object.__setattr__(self, field.name, settings)

    def __repr__(self) -> str:
        shown = []
        for field in dataclasses.fields(self):
            setting = getattr(self, field.name)
            if not shown and field.default is dataclasses.MISSING:
                shown.append(repr(setting))
            elif setting != field.default:
                shown.append(f"{field.name}={setting!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def get_config(self) -> dict[str, Any]:
        """The settings; Keras serialises values and networks among them."""
        # Settings stay unserialised: otherwise they would be copied, and two
        # attacks would no longer share their flow after loading.
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Value:
        """Makes the value whose `get_config` returned `config`."""
        return cls(
            **{name: restored(setting) for name, setting in config.items()}
        )

    def networks(self) -> list[keras.layers.Layer]:
        """The Keras networks inside this value, each network once."""
        found: dict[int, keras.layers.Layer] = {}
        for field in dataclasses.fields(self):
            for item in _flatten(getattr(self, field.name)):
                found.setdefault(id(item), item)
        return list(found.values())


def restored(setting: Any) -> Any:
    """Returns a setting of `get_config` as an object.

    Args:
        setting: Setting, either as Keras serialises settings or as an object;
            the `get_config` of a value holds objects until Keras saves them.
    """
    if isinstance(setting, (Value, keras.layers.Layer)):
        return setting
    if isinstance(setting, (list, tuple)):
        return type(setting)(restored(item) for item in setting)
    return keras.saving.deserialize_keras_object(setting)


def _flatten(setting: Any) -> Iterator[keras.layers.Layer]:
    if isinstance(setting, keras.layers.Layer):
        yield setting
    elif isinstance(setting, Value):
        yield from setting.networks()
    elif isinstance(setting, (list, tuple)):
        for item in setting:
            yield from _flatten(item)
