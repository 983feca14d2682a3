"""Values against the calls and the plain tuples that they stand for."""

import json

import keras
import pytest

from ijsat_tf import types


@types.value
class Disc(types.Value):
    radius: float
    step: float | None = None
    centre: tuple[float, ...] = ()


@types.value
class Search(types.Value):
    network: keras.layers.Layer
    discs: tuple[Disc, ...]
    second: keras.layers.Layer | None = None
    steps: int = 10


def _saved_and_read(value):
    config = keras.saving.serialize_keras_object(value)
    return keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))


@pytest.mark.parametrize(
    "call",
    [
        "Disc(0.1)",
        "Disc(0.1, step=0.05)",
        "Disc(Disc(1), centre=(0.0, 2.0))",
        "Search('f', discs=())",
        "Search('f', discs=(Disc(1), Disc(2, step=3)), steps=5)",
    ],
)
def test_a_value_prints_as_the_call_that_makes_it(call):
    names = {"Disc": Disc, "Search": Search}
    assert repr(eval(call, names)) == call


def test_settings_equal_to_their_default_are_not_printed():
    assert repr(Disc(0.1, step=None, centre=[])) == "Disc(0.1)"


def test_values_are_equal_by_their_settings():
    same = {Disc(0.1, step=0.2), Disc(step=0.2, radius=0.1)}
    assert same == {Disc(0.1, 0.2)}
    assert len(same | {Disc(0.1), Disc(0.2, step=0.2)}) == 3


def test_values_of_two_classes_differ():
    @types.value
    class Ball(Disc):
        pass

    assert Disc(0.1) != Ball(0.1)


def test_a_value_is_frozen():
    with pytest.raises(AttributeError):
        Disc(0.1).radius = 0.2


def test_lists_become_tuples_and_can_be_hashed():
    disc = Disc(0.1, centre=[1.0, 2.0])
    assert disc.centre == (1.0, 2.0)
    assert disc == Disc(0.1, centre=(1.0, 2.0))
    assert hash(disc) == hash(Disc(0.1, centre=(1.0, 2.0)))


def test_a_value_survives_json_with_the_values_inside_it():
    value = Search(None, [Disc(0.1), Disc(0.2, centre=[1.0])], steps=3)
    read = _saved_and_read(value)
    assert read == value
    assert read.discs[1].centre == (1.0,)


def test_networks_survive_json_as_networks_of_the_same_settings():
    dense = keras.layers.Dense(3, name="dense")
    read = _saved_and_read(Search(dense, (Disc(dense, step=1.0),)))
    assert read.network.get_config() == dense.get_config()
    assert isinstance(read.discs[0].radius, keras.layers.Dense)
    assert read.discs[0].step == 1.0


def test_a_value_is_made_again_from_its_live_settings():
    """Networks are shared: a value refers to them, and owns none."""
    dense = keras.layers.Dense(3)
    for value in (
        Search(dense, (Disc(dense, step=1.0), Disc(0.2, centre=[1.0]))),
        Search(None, [], steps=3),
    ):
        again = Search.from_config(value.get_config())
        assert again == value and again.networks() == value.networks()


def test_networks_are_found_at_any_depth_each_once():
    first, second, third = (keras.layers.Dense(1) for _ in range(3))
    value = Search(
        first,
        (Disc(second), Disc(first, step=third), Disc(0.1)),
        second=second,
    )
    assert value.networks() == [first, second, third]
    assert Disc(0.1).networks() == []
