import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf import mixup, seeds
from tests import reference, tiny
from tests.conformance import catalogue

methods = ij.training.methods


def test_ijsat_loss_by_numpy(flow, images, labels):
    """Algorithm 1 from the same alpha, pairs and adversarial images."""
    attack = catalogue.ATTACKS["JointSpaceAttack"](flow)
    model = ij.training.IJSAT(tiny.make_classifier(), attack, tau=1.0, seed=7)
    model.compile(optimizer=ij.training.SGD(0.0, momentum=0.0))

    seed = seeds.derive(7, "train", 0)
    alpha = mixup.alphas(6, 1.0, seeds.derive(seed, "mix")).numpy()
    one_hot = np.eye(3)[labels]
    pairs = np.array([1, 0, 3, 2, 5, 4])
    weight = alpha[:, None, None, None]
    mixed = weight * images + (1 - weight) * images[pairs]
    soft = alpha[:, None] * one_hot + (1 - alpha[:, None]) * one_hot[pairs]
    adversarial = attack(
        model.classifier,
        mixed.astype("float32"),
        soft.astype("float32"),
        seed=seeds.derive(seed, "craft"),
    ).images
    weights = model.classifier.get_weights()
    logits = model.classifier(adversarial, training=True).numpy()
    model.classifier.set_weights(weights)  # BatchNorm's have moved.
    # Eq. 6 as it is printed, with two hard labels.
    expected = alpha * reference.cross_entropy(one_hot, logits)
    expected += (1 - alpha) * reference.cross_entropy(one_hot[pairs], logits)

    loss = model.train_on_batch(images, labels, return_dict=True)["loss"]
    np.testing.assert_allclose(loss, expected.mean(), rtol=1e-4)


def test_the_update_is_that_of_plain_keras(images, labels):
    model = catalogue.make_model(methods.Standard())
    keras.utils.set_random_seed(0)
    plain = tiny.make_classifier()
    plain.set_weights(model.classifier.get_weights())
    plain.compile(
        ij.training.SGD(0.05, momentum=0.9, l2=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    for _ in range(3):
        ours = model.train_on_batch(images, labels)
        theirs = plain.train_on_batch(images, labels)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for one, other in zip(model.classifier.weights, plain.weights):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_regularizers_of_the_classifier_count(images, labels):
    net = keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(3, kernel_regularizer="l2", use_bias=False),
        ]
    )
    before = net.get_weights()[0]
    model = ij.training.AdversarialModel(net, methods.Standard())
    model.compile(optimizer=ij.training.SGD(1.0, momentum=0.0))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, net(images))
        )
        loss += 0.01 * tf.reduce_sum(net.weights[0] ** 2)
    gradient = tape.gradient(loss, net.trainable_variables)[0]
    model.train_on_batch(images, labels)
    np.testing.assert_allclose(
        net.get_weights()[0], before - gradient, atol=1e-6
    )


@pytest.fixture
def set_floatx():
    """Sets the type that Keras computes in, for one test."""
    before = keras.config.floatx(), keras.config.dtype_policy()

    def set_both(floatx, policy=None):
        keras.config.set_floatx(floatx)
        # Once it was asked for, Keras' policy no longer follows.
        keras.config.set_dtype_policy(policy or floatx)

    yield set_both
    set_both(*before)


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_training_with_regularizers_is_that_of_plain_keras(
    floatx, set_floatx, images, labels
):
    set_floatx(floatx)
    net = keras.Sequential(
        [
            keras.Input(tiny.SHAPE),
            keras.layers.Flatten(activity_regularizer="l2"),
            keras.layers.Dense(3, kernel_regularizer="l2"),
        ]
    )
    plain = keras.models.clone_model(net)
    plain.set_weights(net.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile("sgd", loss, metrics=["accuracy"])
    model = ij.training.AdversarialModel(net, methods.Standard())
    model.compile("sgd", metrics=["accuracy"])
    images = images.astype(floatx)
    for _ in range(2):
        np.testing.assert_allclose(
            model.train_on_batch(images, labels),
            plain.train_on_batch(images, labels),
            rtol=1e-6,
        )
    np.testing.assert_allclose(
        model.evaluate(images, labels, verbose=0),
        plain.evaluate(images, labels, verbose=0),
        rtol=1e-6,
    )
    for one, other in zip(net.weights, plain.weights):
        assert one.dtype == floatx
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", ["TRADES", "MART", "IAT", "Mixup"])
def test_methods_train_in_float64(name, set_floatx, labels):
    set_floatx("float64")
    net = keras.Sequential(
        [
            keras.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(3, kernel_regularizer="l2"),
        ]
    )
    model = catalogue.make_model(catalogue.METHODS[name](None), net)
    weights = net.get_weights()
    model.fit(tiny.random_images(), labels, verbose=0)
    assert np.abs(net.get_weights()[0] - weights[0]).max() > 0


def test_it_is_the_classifier_on_clean_images(flow, images, labels):
    model = catalogue.make_model(catalogue.METHODS["IJSAT"](flow))
    logits = model.classifier(images, training=False).numpy()
    np.testing.assert_array_equal(model(images, training=False), logits)
    np.testing.assert_allclose(model.predict(images, verbose=0), logits)
    loss, accuracy = model.evaluate(images, labels, verbose=0)
    np.testing.assert_allclose(
        loss,
        reference.cross_entropy(np.eye(3)[labels], logits).mean(),
        rtol=1e-5,
    )
    assert accuracy == pytest.approx((logits.argmax(1) == labels).mean())


def test_metrics_see_the_heavier_class(images):
    """Soft labels whose heavier class is always 0."""

    @ij.types.value
    class Known(methods.Standard):
        def loss(self, classifier, batch, crafted):
            losses, labels, _ = super().loss(classifier, batch, crafted)
            return losses, labels, tf.one_hot([0, 0, 0, 1, 1, 1], 3)

    model = catalogue.make_model(Known())
    soft = np.tile([[0.6, 0.4, 0.0]], (6, 1)).astype("float32")
    logs = model.train_on_batch(images, soft, return_dict=True)
    assert logs["accuracy"] == pytest.approx(0.5)


def test_latents_that_come_with_the_data(flow, images, labels):
    latents = [latent.numpy() + 0.1 for latent in flow.encode(images)]
    seen = {}

    @ij.types.value
    class Recording(methods.Standard):
        def craft(self, classifier, batch, seed):
            seen["latents"] = batch.latents
            return batch.images

    model = ij.training.AdversarialModel(tiny.make_classifier(), Recording())
    model.compile(optimizer="sgd", run_eagerly=True, metrics=["accuracy"])
    model.fit({"image": images, "latent": latents}, labels, verbose=0)
    assert [tuple(each.shape) for each in seen["latents"]] == [
        each.shape for each in latents
    ]
    with pytest.raises(ValueError, match="'image' and 'latent'"):
        model.fit({"picture": images}, labels, verbose=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x * 255, y), r"\[0, 1\]"),
        (lambda x, y: ((x * 255).astype("uint8"), y), "floats"),
        (lambda x, y: (x * np.nan, y), "NaN"),
        (lambda x, y: (x, y + 3), "classes from 0 to 2"),
        (lambda x, y: (x, y - 1), "classes from 0 to 2"),
        (lambda x, y: (x, np.eye(4)[y]), "3 classes"),
        (lambda x, y: (x, None), "`y` must be labels"),
        (lambda x, y: (x[..., 0], y), r"\(B, H, W, C\)"),
    ],
)
def test_bad_batches(change, message, images, labels):
    model = catalogue.make_model(methods.Standard())
    before = model.classifier.get_weights()
    x, y = change(images, labels)
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, batch_size=6, verbose=0)
    for one, other in zip(before, model.classifier.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_what_fit_and_compile_refuse(images, labels):
    model = catalogue.make_model(methods.Standard())
    with pytest.raises(ValueError, match="sample_weight"):
        model.fit(images, labels, sample_weight=np.ones(6), verbose=0)
    with pytest.raises(ValueError, match="the train step defines"):
        model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(ValueError, match="gradient_accumulation_steps"):
        model.compile(keras.optimizers.SGD(gradient_accumulation_steps=2))
    with pytest.raises(ValueError, match="`method` must be"):
        ij.training.AdversarialModel(tiny.make_classifier(), "AT")
    with tiny.two_replicas().scope():
        other = ij.training.AdversarialModel(
            tiny.make_classifier(), methods.Standard()
        )
        for option in ({"steps_per_execution": 2}, {"jit_compile": True}):
            with pytest.raises(ValueError, match="issues/19246"):
                other.compile(optimizer="sgd", **option)
        with pytest.raises(ValueError, match="clips each replica"):
            other.compile(keras.optimizers.SGD(global_clipnorm=1.0))


def test_a_loss_that_is_not_finite_stops_the_run(images, labels):
    model = catalogue.make_model(methods.Standard())
    kernel = model.classifier.layers[-1].kernel
    kernel.assign(np.inf * np.ones(kernel.shape))
    before = model.classifier.layers[0].get_weights()
    with pytest.raises(ValueError, match="The loss is not finite"):
        model.fit(images, labels, verbose=0)
    np.testing.assert_array_equal(
        before[0], model.classifier.layers[0].get_weights()[0]
    )


def test_keras_own_callbacks(images, labels, tmp_path):
    model = catalogue.make_model(methods.Standard())
    best = tmp_path / "best.keras"
    model.fit(
        images,
        labels,
        validation_data=(images, labels),
        epochs=3,
        verbose=0,
        callbacks=[
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
            keras.callbacks.ModelCheckpoint(best, "loss", save_best_only=True),
            keras.callbacks.EarlyStopping("loss", patience=3),
        ],
    )
    loaded = keras.saving.load_model(best)
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0), model(images), atol=1e-4
    )


def test_a_subclassed_classifier(images, labels):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.dense = keras.layers.Dense(3)

        def call(self, images):
            return self.dense(self.flatten(images))

    net = Own()
    net(images)
    for name in ("AT", "TRADES", "IAT"):
        model = catalogue.make_model(catalogue.METHODS[name](None), net)
        before = net.dense.kernel.numpy()
        model.fit(images, labels, verbose=0)
        assert np.abs(net.dense.kernel.numpy() - before).max() > 0


@pytest.mark.sampled
@pytest.mark.parametrize("used", ["fit", "predict", "call"])
def test_export_is_that_of_the_classifier(used, images, labels, tmp_path):
    model = catalogue.make_model(methods.Standard())
    if used == "fit":
        model.fit(images, labels, verbose=0)
    elif used == "predict":
        model.predict(images, verbose=0)
    else:
        model(images)
    model.export(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)  # Holds the variables.
    serve = loaded.serve
    for batch in (images, images[:1]):
        expected = model(batch, training=False)
        np.testing.assert_allclose(serve(batch), expected, rtol=1e-4)


def test_export_of_a_subclassed_classifier(images, labels, tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.dense = keras.layers.Dense(3)

        def call(self, images):
            return self.dense(self.flatten(images))

    net = Own()
    net(images)
    model = catalogue.make_model(methods.Standard(), net)
    model.fit(images, labels, verbose=0)
    model.export(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)  # Holds the variables.
    found = loaded.serve(images)
    np.testing.assert_allclose(found, net(images), rtol=1e-4)


def test_a_model_is_made_again_from_its_config(flow):
    """With the same method, and a classifier of the same layers."""
    model = catalogue.make_model(catalogue.METHODS["IJSAT"](flow), seed=3)
    again = ij.training.AdversarialModel.from_config(model.get_config())
    assert again.method == model.method and again.seed == 3
    assert again.method.networks() == [flow]
    mine, its = model.classifier.weights, again.classifier.weights
    assert not {*map(id, mine)} & {*map(id, its)}
    assert [weight.shape for weight in its] == [weight.shape for weight in mine]


def test_a_softmax_draws_a_warning():
    net = keras.Sequential(
        [
            keras.layers.Input(tiny.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    with pytest.warns(UserWarning, match="needs logits"):
        ij.training.AdversarialModel(net, methods.Standard())
    ij.training.AdversarialModel(ij.models.logits(net), methods.Standard())


def test_a_method_of_ones_own_is_saved(images, labels, tmp_path):
    @ij.types.value
    class TRADES(methods.AT):  # The name of one of ours.
        scale: float = 1.0

        def loss(self, classifier, batch, crafted):
            each, labels, logits = super().loss(classifier, batch, crafted)
            return self.scale * each, labels, logits

    own = catalogue.make_model(TRADES(ij.attacks.PGD(catalogue.BALL), 0.5))
    ours = catalogue.make_model(catalogue.METHODS["TRADES"](None))
    for model in (own, ours):
        model.fit(images, labels, verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert type(loaded.method) is type(model.method)
        assert loaded.method == model.method


def test_a_loss_that_is_a_single_number(images, labels):
    @ij.types.value
    class Mean(methods.Standard):
        def loss(self, classifier, batch, crafted):
            each, labels, logits = super().loss(classifier, batch, crafted)
            return tf.reduce_mean(each), labels, logits

    with pytest.raises(ValueError, match="one number per sample"):
        catalogue.make_model(Mean()).fit(images, labels, verbose=0)


def unknown(images, labels, of_labels=None):
    """A dataset whose images have sides that TensorFlow does not know."""

    def generate():
        yield images, labels

    signature = (
        tf.TensorSpec(None, tf.float32),
        tf.TensorSpec(of_labels, tf.int64),
    )
    return tf.data.Dataset.from_generator(generate, output_signature=signature)


@pytest.mark.variant
def test_images_of_unknown_rank_are_those_of_the_network(flow, images, labels):
    seen = []
    for data in (
        unknown(images, labels, [None]),
        tf.data.Dataset.from_tensors((images, labels)),
    ):
        classifier = tiny.make_classifier()
        classifier.set_weights(
            [np.full(w.shape, 0.1) for w in classifier.get_weights()]
        )
        model = ij.training.IJSAT(
            classifier, catalogue.ATTACKS["JointSpaceAttack"](flow)
        )
        model.compile(keras.optimizers.SGD(0.1))
        seen.append(model.fit(data, verbose=0).history["loss"])
    np.testing.assert_allclose(*seen, rtol=1e-5)


def test_unknown_sides_that_do_not_fit_are_told(images, labels):
    model = ij.training.AdversarialModel(
        tiny.make_classifier(), methods.AT(catalogue.ATTACKS["PGD"](None))
    )
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"must have shape \(B, 8, 8, 2\)"):
        model.fit(unknown(images[:, 1:], labels, [None]), verbose=0)
    with pytest.raises(ValueError, match="The rank of `labels` must be known"):
        model.fit(unknown(images, labels), verbose=0)


@pytest.mark.variant
def test_a_flow_fits_images_of_unknown_sides(images, labels):
    flow = tiny.make_flow()
    flow.compile("adam")
    data = unknown(images, labels).map(lambda images, _: images)
    assert np.isfinite(flow.fit(data, verbose=0).history["bits_per_dim"])


def test_an_unbuilt_sequential_takes_any_number_of_images(images, labels):
    classifier = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model = ij.training.AdversarialModel(
        classifier, methods.AT(catalogue.ATTACKS["PGD"](None))
    )
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    assert model.built and classifier.input_shape == (None, *images.shape[1:])
