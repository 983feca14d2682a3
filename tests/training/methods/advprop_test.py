import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import seeds
from ijsat_tf.training import methods
from tests import reference, tiny
from tests.conformance import catalogue
from tests.models.reference import randomize

SEED = tf.constant([1, 2])


@pytest.fixture
def classifier():
    model = ij.models.with_auxiliary_norm(tiny.make_classifier())
    randomize(model)
    return model


def test_loss_by_numpy(batch, classifier):
    attack = catalogue.ATTACKS["PGD"](None)
    method = methods.AdvProp(attack)
    crafted = method.craft(classifier, batch, SEED)
    expected = attack(
        classifier.auxiliary, batch.images, batch.labels, seed=SEED
    )
    np.testing.assert_array_equal(crafted, expected.images)
    (clean,) = reference.trained(classifier, batch.images)
    (attacked,) = reference.trained(classifier.auxiliary, crafted)
    expected = reference.cross_entropy(batch.labels, clean)
    expected += reference.cross_entropy(batch.labels, attacked)
    each, labels, logits = method.loss(classifier, batch, crafted)
    np.testing.assert_allclose(each, expected / 2, rtol=1e-5)
    assert labels is batch.labels
    np.testing.assert_allclose(logits, clean, rtol=1e-5, atol=1e-6)


def test_one_step_moves_each_set_of_norms_by_its_own_images(images, labels):
    """The gradient is half of each network's own, weights shared or not."""
    net = tiny.make_classifier()
    attack = ij.attacks.FGSM(catalogue.BALL)
    model = ij.training.AdversarialModel(
        ij.models.with_auxiliary_norm(net), methods.AdvProp(attack)
    )
    model.compile(optimizer=ij.training.SGD(0.1, momentum=0.0))
    attacked = attack(net, images, labels).images
    before = net.get_weights()
    parts = []
    for seen in (images, attacked):
        net.set_weights(before)
        with tf.GradientTape() as tape:
            loss = keras.losses.sparse_categorical_crossentropy(
                labels, net(seen, training=True), from_logits=True
            )
            loss = tf.reduce_mean(loss) / 2
        gradients = tape.gradient(loss, net.trainable_variables)
        moving = [weight.numpy() for weight in net.non_trainable_weights]
        parts.append((gradients, moving))
    net.set_weights(before)
    start = [weight.numpy() for weight in net.trainable_variables]
    model.train_on_batch(images, labels)

    auxiliary = model.classifier.auxiliary
    (clean, clean_moving), (other, other_moving) = parts
    for place, variable in enumerate(net.trainable_variables):
        twin = auxiliary.trainable_variables[place]
        steps = [(variable, clean[place]), (twin, other[place])]
        if twin is variable:
            steps = [(variable, clean[place] + other[place])]
        for weight, step in steps:
            np.testing.assert_allclose(
                weight, start[place] - 0.1 * step, rtol=1e-4, atol=1e-6
            )
    for model_, moved in ((net, clean_moving), (auxiliary, other_moving)):
        for one, expected in zip(model_.non_trainable_weights, moved):
            np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-6)


def test_targets_are_drawn_for_each_image(batch, classifier):
    attack = catalogue.ATTACKS["PGD, targeted"](None)
    crafted = methods.AdvProp(attack).craft(classifier, batch, SEED)
    drawn = tf.random.stateless_uniform(
        [6], seeds.derive(SEED, "targets"), maxval=3, dtype=tf.int32
    )
    assert len(set(drawn.numpy())) > 1
    expected = attack(classifier.auxiliary, batch.images, drawn, seed=SEED)
    np.testing.assert_array_equal(crafted, expected.images)


def test_a_saved_model_goes_on_training(images, labels, tmp_path):
    model = catalogue.make_model(catalogue.METHODS["AdvProp"](None))
    model.train_on_batch(images, labels)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, copy):
        each.train_on_batch(images, labels)
    assert len(model.classifier.weights) == 12
    for one, other in zip(model.classifier.weights, copy.classifier.weights):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_what_is_refused():
    attack = catalogue.ATTACKS["PGD"](None)
    with pytest.raises(ValueError, match="with_auxiliary_norm"):
        ij.training.AdversarialModel(
            tiny.make_classifier(), methods.AdvProp(attack)
        )
    with pytest.raises(ValueError, match="`attack` of AdvProp"):
        methods.AdvProp(catalogue.BALL)
