"""The compiled network that --method trains, a generator or a classifier."""

from __future__ import annotations

import itertools

import keras
import options
import rows
from options import FLAGS

import ijsat_tf as ij
from ijsat_tf import commandline


def build(
    source: ij.data.Source, steps: int
) -> tuple[keras.Model, keras.Model | None]:
    """The compiled network of --method, and the generator of its attacks.

    Args:
        source: Training images.
        steps: Number of steps per epoch.
    """
    if FLAGS.method in options.GENERATORS:
        makers = {"flow": flow, "sngan": sngan, "vaegan": vaegan}
        return makers[FLAGS.method](source, steps), None
    found = attacked = generator(source)
    if source.latents is not None and found and FLAGS.augment != "none":
        attacked = ij.generators.Augmented(found)
    return classifier(source, steps, attacked), found


def generator(source: ij.data.Source) -> keras.Model | None:
    """The generator of --flow or --gan, after a check with an image."""
    if FLAGS.flow and FLAGS.gan:
        raise ValueError(
            "--flow and --gan both name a generator: give only one of them"
        )
    first = source.take(1)
    if FLAGS.flow:
        found = commandline.load(FLAGS.flow, "flow", "with_dtype")
        found = found.with_dtype(FLAGS.precision)
        found.encode(first.scaled())
        commandline.warn(
            ij.flows.familiarity(found, source.first(200).scaled())
        )
        return found
    if not FLAGS.gan:
        return None
    found = commandline.load(FLAGS.gan, "GAN", "decode")
    if first.latents is None:
        if not hasattr(found, "encode"):
            raise ValueError(
                f"--gan={FLAGS.gan} cannot encode images, and {FLAGS.dataset} "
                "has no latents: make a data set with latents by "
                "--method=project, or give a --flow"
            )
        found.encode(first.scaled())
        return found
    found.decode(first.latents)
    return found


def flow(source: ij.data.Source, steps: int) -> keras.Model:
    """A compiled Glow."""
    model = ij.flows.Glow(
        source.images.shape[1:],
        levels=FLAGS.flow_levels,
        steps=FLAGS.flow_steps,
        hidden=FLAGS.flow_hidden,
        bins=source.bins,
        seed=FLAGS.seed,
    )
    decay = keras.optimizers.schedules.CosineDecay(
        options.learning_rate(), FLAGS.epochs * steps
    )
    schedule = ij.flows.WarmUp(decay, FLAGS.warmup_steps)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule), jit_compile=FLAGS.jit_compile
    )
    return model


def sngan(source: ij.data.Source, steps: int) -> keras.Model:
    """A compiled SNGAN."""
    model = ij.generators.SNGAN(
        source.images.shape[1:],
        FLAGS.latent_size,
        FLAGS.gan_width,
        FLAGS.discriminator_width,
        FLAGS.critic_steps,
        bins=source.bins,
        seed=FLAGS.seed,
    )
    decay = keras.optimizers.schedules.PolynomialDecay(
        options.learning_rate(), FLAGS.epochs * steps, 0.0
    )
    model.compile(
        keras.optimizers.Adam(decay, beta_1=0.0, beta_2=0.9),
        jit_compile=FLAGS.jit_compile,
    )
    return model


def vaegan(source: ij.data.Source, steps: int) -> keras.Model:
    """A compiled VAE-GAN."""
    model = ij.generators.VAEGAN(
        source.images.shape[1:],
        FLAGS.latent_size,
        FLAGS.gan_width,
        seed=FLAGS.seed,
    )
    decay = keras.optimizers.schedules.ExponentialDecay(
        options.learning_rate(), steps, 0.9, staircase=True
    )
    model.compile(keras.optimizers.Adam(decay), jit_compile=FLAGS.jit_compile)
    return model


def classifier(
    source: ij.data.Source, steps: int, generator: keras.Model | None
) -> keras.Model:
    """A compiled model that trains a classifier by the method.

    Args:
        source: Training images.
        steps: Number of steps per epoch.
        generator: Generator of attacks on the manifold, or None.
    """
    settings = {} if FLAGS.model == "small_cnn" else {"stem": FLAGS.stem}
    if FLAGS.normalize:
        settings["normalization"] = source.channels()
    net = getattr(ij.models, FLAGS.model)(
        source.classes,
        width=FLAGS.width,
        image_shape=source.images.shape[1:],
        **settings,
    )
    if FLAGS.pretrained:
        start_from(net, FLAGS.pretrained)
    if FLAGS.method == "advprop":
        net = ij.models.with_auxiliary_norm(net)
    model = ij.training.AdversarialModel(
        net, rows.method(generator, source), FLAGS.seed
    )
    optimizer = ij.training.SGD(
        schedule(steps), FLAGS.momentum, FLAGS.l2, nesterov=FLAGS.nesterov
    )
    model.compile(
        optimizer=optimizer,
        metrics=["accuracy"],
        jit_compile=FLAGS.jit_compile,
    )
    return model


def start_from(net: keras.Model, path: str) -> None:
    """Gives a classifier the weights of another one with the same layers.

    Args:
        net: Classifier, whose weights change.
        path: Path of a Keras file, of the other classifier or of an
            `AdversarialModel` of it.

    Raises:
        ValueError: for a file that cannot be read, or that holds weights of
            other layers or shapes.
    """
    found = commandline.load(path, "classifier")
    found = getattr(found, "classifier", found)  # of an AdversarialModel
    for expected, received in itertools.zip_longest(_parts(net), _parts(found)):
        if received != expected:
            raise ValueError(
                f"--pretrained={path} must hold a classifier of the "
                f"architecture that --model={FLAGS.model}, "
                f"--width={FLAGS.width}, --stem and --normalize describe; "
                f"expected the {expected or 'end'}, "
                f"received the {received or 'end'}"
            )
    net.set_weights(found.get_weights())


def _parts(net: keras.Model) -> list[str]:
    weights = [
        f"weight {each.path} {tuple(each.shape)}" for each in net.weights
    ]
    return [f"layer {layer.name}" for layer in net.layers] + weights


def schedule(
    steps: int,
) -> keras.optimizers.schedules.LearningRateSchedule | float:
    """The learning rate of the classifier.

    Args:
        steps: Number of steps per epoch.
    """
    rate = options.learning_rate()
    if FLAGS.schedule == "cyclic":
        more = FLAGS.method == "standard"
        return ij.training.PiecewiseLinear(
            steps,
            (0, 1, 6, 12, 15, 20) + (30, 40) * more,
            (0, 0.4, 0.04, 0.004, 0.0004, 0.0001) + (0.0001, 0.00001) * more,
        )
    if FLAGS.drop_shares is not None:
        shares = commandline.numbers("drop_shares", float)
        return ij.training.share_drops(
            rate, steps * FLAGS.epochs, shares, FLAGS.drop_factor
        )
    drops = commandline.numbers("drops")
    return ij.training.step_drops(rate, steps, drops, FLAGS.drop_factor)
