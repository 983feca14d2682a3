"""The composition of stages against the classifier that was cut."""

import gc
import json
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import ijsat_tf as ij
from ijsat_tf.models import (
    Classifier,
    preact_resnet18,
    resnet18,
    resnet50,
    small_cnn,
    stages,
)
from tests import tiny
from tests.models import reference

SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).random((4, *SHAPE), np.float32)
NETWORKS = {
    "resnet18": resnet18,
    "preact_resnet18": preact_resnet18,
    "resnet50": resnet50,
    "small_cnn": small_cnn,
}
ENDS = ["stem", "stage1", "stage2", "stage3", "stage4", "logits"]


def _make(name="resnet18", **settings):
    settings = {"width": 2, "image_shape": SHAPE, **settings}
    if name == "resnet50":
        settings["stem"] = "cifar"
    model = NETWORKS[name](3, **settings)
    reference.randomize(model)
    return model


def _compose(parts, x=IMAGES, **settings):
    for part in parts:
        x = part(x, **settings)
    return x


def _assert_composition(parts, model, images=IMAGES):
    """In inference, and in training mode with what it leaves behind."""
    model_before = model.get_weights()
    np.testing.assert_array_equal(
        _compose(parts, images, training=False), model(images, training=False)
    )
    expected = model(images, training=True)
    moved = model.get_weights()
    model.set_weights(model_before)
    np.testing.assert_array_equal(
        _compose(parts, images, training=True), expected
    )
    for one, other in zip(model.get_weights(), moved, strict=True):
        np.testing.assert_array_equal(one, other)
    weights = [weight for part in parts for weight in part.weights]
    assert [*map(id, weights)] == [*map(id, model.weights)]


@pytest.mark.sampled
@pytest.mark.parametrize("name", NETWORKS)
def test_stages_of_our_classifiers_compose_to_them(name):
    model = _make(name)
    ends = ENDS[name == "small_cnn" :]
    assert [part.name for part in model.stages] == ends
    assert [*map(id, model.stages)] == [*map(id, stages(model))]
    _assert_composition(model.stages, model)


def test_gradients_are_of_the_classifier():
    model = _make()

    def gradients(call):
        images = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(call(images) ** 2)
        return tape.gradient(loss, [images, *model.trainable_weights])

    for one, other in zip(
        gradients(lambda images: _compose(model.stages, images)),
        gradients(model),
    ):
        np.testing.assert_array_equal(one, other)


def test_cuts_are_made_once_and_go_with_their_model():
    model = _make("small_cnn")
    first = stages(model, ["stage1", "stage3"])
    assert [part.name for part in first] == ["stage1", "stage3", "logits"]
    again = stages(model, ("stage1", "stage3"))
    assert [*map(id, again)] == [*map(id, first)]
    assert stages(model, ["stage1"])[0] is not first[0]
    # The list is the caller's own.
    again.clear()
    assert len(stages(model, ["stage1", "stage3"])) == 3

    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_the_classifier_stays_as_it_was(tmp_path):
    model = _make()
    expected = model(IMAGES).numpy()

    def state():
        return (
            model.to_json(),
            [*map(id, model.layers)],
            [*map(id, model.weights)],
            [id(layer.output) for layer in model.layers],
        )

    before = state()
    model.save_weights(tmp_path / "before.weights.h5")
    _compose(stages(model, ["stage1_block1", "stage2", "stage4"]))
    _compose(model.stages)
    assert state() == before
    np.testing.assert_array_equal(model(IMAGES), expected)

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    copy = keras.models.clone_model(model)
    assert not np.allclose(copy(IMAGES), expected)
    copy.load_weights(tmp_path / "before.weights.h5")
    part = keras.Model(model.input, model.get_layer("stage2").output)
    for other in (again, copy):
        np.testing.assert_array_equal(other(IMAGES), expected)
        np.testing.assert_array_equal(_compose(other.stages[:3]), part(IMAGES))


def test_a_plain_model_has_the_same_stages_and_needs_nothing_of_ours(
    tmp_path,
):
    model = _make()
    plain = keras.Model(model.input, model.output)
    plain.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert "ijsat_tf" not in json.dumps(again.get_config())
    assert not isinstance(again, Classifier)
    for each in (plain, again):
        assert [part.name for part in stages(each)] == ENDS
        _assert_composition(stages(each), each)
    # The weights of one are in a file for the other, and the other way round.
    plain.save_weights(tmp_path / "plain.weights.h5")
    copy = keras.models.clone_model(model)
    copy.load_weights(tmp_path / "plain.weights.h5")
    copy.save_weights(tmp_path / "ours.weights.h5")
    again = keras.models.clone_model(plain)
    again.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_array_equal(again(IMAGES), plain(IMAGES))


def test_a_foreign_functional_model_is_cut_at_named_layers():
    model = keras.applications.MobileNetV2(
        weights=None, input_shape=(32, 32, 3), classes=4, alpha=0.35
    )
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    names = ["block_2_add", "block_6_project_BN", "out_relu"]
    parts = stages(model, names)
    assert [part.name for part in parts] == [*names, "predictions"]
    _assert_composition(parts, model, images)


@pytest.mark.parametrize("inputs", [True, False])
def test_a_sequential_model_is_cut(inputs):
    model = tiny.make_classifier()
    if not inputs:
        model = keras.Sequential(model.layers)
        model.build((None, *tiny.SHAPE))
    names = [model.layers[1].name, model.layers[3].name]
    parts = stages(model, names)
    _assert_composition(parts, model, tiny.random_images())
    # A model that has grown has other stages.
    model.add(layers.Dense(2))
    grown = stages(model, names)
    assert [len(each.weights) for each in grown] == [6, 0, 4]
    _assert_composition(grown, model, tiny.random_images())


def test_shared_layers_operations_and_nested_models():
    twice = layers.Conv2D(3, 3, padding="same", name="twice")
    nested = keras.Sequential([layers.BatchNormalization(), layers.ReLU()])
    nested.name = "nested"
    inputs = keras.Input(SHAPE, name="images")
    x = keras.ops.abs(nested(twice(inputs)))
    operation = x._keras_history.operation.name
    outputs = layers.Dense(3)(layers.Flatten()(twice(x)))
    model = keras.Model({"images": inputs}, outputs)
    parts = stages(model, ["nested", operation])
    np.testing.assert_array_equal(
        _compose(parts), model({"images": IMAGES}, training=False)
    )
    assert parts[0].layers[1] is parts[2].layers[1] is twice


def test_stages_keep_the_precision_of_the_classifier():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = _make()
    finally:
        keras.config.set_dtype_policy(policy)
    outputs = [_compose(model.stages[:count]) for count in (1, 3, 6)]
    assert [each.dtype for each in outputs] == ["bfloat16"] * 2 + ["float32"]
    np.testing.assert_array_equal(outputs[-1], model(IMAGES))


def test_a_cut_may_be_made_inside_of_a_graph():
    model = _make("small_cnn")
    run = tf.function(lambda images: _compose(model.stages, images))
    np.testing.assert_allclose(run(IMAGES), model(IMAGES), atol=1e-5)
    np.testing.assert_allclose(_compose(model.stages), model(IMAGES), atol=1e-5)


def test_a_cut_may_be_made_inside_of_a_replica():
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two logical CPU devices")
    strategy = tiny.two_replicas()
    with strategy.scope():
        model = _make("small_cnn")

    @tf.function
    def run(images):
        return strategy.run(
            lambda: (_compose(model.stages, images), model(images))
        )

    composed, expected = map(strategy.experimental_local_results, run(IMAGES))
    np.testing.assert_allclose(composed, expected, atol=1e-5)


def test_the_classifier_of_a_trained_model_has_stages(tmp_path):
    model = ij.training.AdversarialModel(
        _make("small_cnn"), ij.training.methods.Standard()
    )
    model.compile(optimizer=ij.training.SGD(0.1), metrics=["accuracy"])
    model.train_on_batch(IMAGES, np.array([0, 1, 2, 0]))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, again):
        np.testing.assert_allclose(
            _compose(each.classifier.stages), model(IMAGES), atol=1e-6
        )


class _Subclassed(keras.Model):
    def call(self, images):
        return images


def _two_inputs():
    inputs = [keras.Input(SHAPE), keras.Input(SHAPE)]
    return keras.Model(inputs, layers.Add()(inputs))


def _foreign():
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, layers.Flatten(name="flat")(inputs))


def _called_twice():
    layer = layers.Conv2D(3, 3, name="twice")
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, layers.Flatten()(layer(layer(inputs))))


@pytest.mark.parametrize(
    ("make", "names", "message"),
    [
        (_Subclassed, None, "functional or sequential.*: _Subclassed"),
        (keras.Sequential, None, "call the model on a batch of images first"),
        (list, None, "`model` must be a built functional.*: list"),
        (_two_inputs, ["add"], "make a model from.*2 inputs, 1 outputs"),
        (_foreign, None, "`layers` must be given.*'stage1'.*of flat, "),
        (_make, "stage1", "`layers` must be None or names.*: 'stage1'"),
        (_make, 1, "`layers` must be None or names.*: 1"),
        (_make, [], r"at least one.*: \[\]"),
        (_make, [3], r"`layers` must be None or names.*: \[3\]"),
        (_make, ["stage_2"], "similar names are .*'stage2'.*: 'stage_2'"),
        (_make, ["#"], "similar names are .*'pool'.*: '#'"),
        (_make, ["images"], "between its input and its last.*: 'images'"),
        (_make, ["logits"], "between its input and its last.*: 'logits'"),
        (_make, ["stage2_1_relu"], "branches meet.*'stage2_1_relu', which"),
        (_make, ["stage2_block1_skip_norm"], "addition of a residual block"),
        (_make, ["stage2", "stage1"], "from the images.*'stage2', 'stage1'"),
        (_make, ["stage1", "stage1"], "layer once.*'stage1', 'stage1'"),
        (_called_twice, ["twice"], "calls once.*'twice', called 2 times"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_a_way_out(make, names, message):
    with pytest.raises(ValueError, match=message):
        stages(make(), names)
