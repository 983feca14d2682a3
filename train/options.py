"""The flags of a training run."""

from __future__ import annotations

from absl import flags

from ijsat_tf import commandline

FLAGS = flags.FLAGS

# The generators, each with its learning rate at the start and the loss that is
# logged step by step.
GENERATORS = {
    "flow": (0.001, "bits_per_dim"),
    "sngan": (0.0002, "generator_loss"),
    "vaegan": (0.005, "reconstruction"),
}
CLASSIFIERS = (
    "standard mixup manifold_mixup cutout at trades mart iat dmat ijsat "
    "randomized_la adversarial_la on_manifold advprop rlat fast_pat"
).split()

flags.DEFINE_enum(
    "method",
    None,
    [*GENERATORS, "project", *CLASSIFIERS],
    "Generator to train, or method to train a classifier by; project writes "
    "images that are projected onto the manifold of a GAN.",
    required=True,
)
flags.DEFINE_string("workdir", None, "Folder of this run.", required=True)
commandline.define_data()
commandline.define_budgets()
flags.DEFINE_integer(
    "train_examples",
    None,
    "Number of training images, from the first one; None takes all.",
    1,
)
flags.DEFINE_integer(
    "held_out",
    0,
    "Number of training images, up to the last one, that are held out to "
    "choose the best epoch.",
    0,
)
flags.DEFINE_enum(
    "augment",
    "crop_flip",
    ["crop_flip", "flip", "none"],
    "Augmentation: random crops and mirror images, mirror images alone, or "
    "none.",
)
flags.DEFINE_integer(
    "epochs", 120, "Number of passes over the training images.", 1
)
flags.DEFINE_integer(
    "batch_size", 128, "Number of images per step, on all devices together.", 1
)
commandline.define_strategy()
flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_bfloat16"],
    "Precision of convolutions, while weights stay float32; auto is "
    "mixed_bfloat16 where the machine multiplies bfloat16, else float32.",
)
flags.DEFINE_bool(
    "jit_compile",
    False,
    "Whether XLA compiles the train step, which takes minutes at the start and "
    "needs a single device.",
)

flags.DEFINE_enum(
    "model",
    "resnet18",
    ["resnet18", "preact_resnet18", "resnet50", "small_cnn"],
    "Architecture of the classifier.",
)
flags.DEFINE_enum(
    "stem", "cifar", ["cifar", "imagenet"], "First layers of a ResNet."
)
flags.DEFINE_integer(
    "width", 64, "Number of channels in the classifier's first stage.", 1
)
flags.DEFINE_bool(
    "normalize",
    False,
    "Whether the classifier's first layer subtracts the mean of the training "
    "images and divides by their standard deviation, per channel.",
)
flags.DEFINE_string(
    "pretrained",
    None,
    "Path of a classifier.keras whose weights a classifier starts from; None "
    "starts from random weights.",
)
commandline.define_fraction(
    "learning_rate",
    None,
    "Learning rate at the start; None is 0.1 for a classifier, 0.001 for a "
    "flow, 0.0002 for an SNGAN and 0.005 for a VAE-GAN.",
)
commandline.define_fraction("momentum", 0.9, "Momentum of SGD.")
flags.DEFINE_bool("nesterov", False, "Whether SGD uses Nesterov momentum.")
commandline.define_fraction(
    "l2", 2e-4, "Weight decay of SGD, as an L2 term of the gradient."
)
flags.DEFINE_list(
    "drops", ["75", "90", "100"], "Epochs at whose start the rate drops."
)
commandline.define_fraction(
    "drop_factor", 0.1, "Factor of the learning rate at each drop."
)
flags.DEFINE_list(
    "drop_shares",
    None,
    "Shares of all steps at which the learning rate drops, instead of the "
    "epochs of --drops.",
)
flags.DEFINE_enum(
    "schedule",
    "drops",
    ["drops", "cyclic"],
    "Schedule of the learning rate; cyclic is the schedule of DMAT on "
    "OM-ImageNet, for 20 epochs, or 40 with --method=standard.",
)

flags.DEFINE_enum(
    "attack",
    None,
    ["fgsm", "pgd", "jsa", "om_pgd"],
    "Attack of the method; None is jsa for ijsat, and pgd for other methods.",
)
flags.DEFINE_enum(
    "norm", "linf", ["linf", "l2", "l1"], "Norm of the radius in pixels."
)
flags.DEFINE_enum(
    "latent_attack", "om_pgd", ["om_pgd", "jsa"], "Second attack of dmat."
)
flags.DEFINE_integer(
    "attack_steps", 10, "Number of steps of the attack, K in the paper.", 1
)
commandline.define_fraction(
    "beta", 6.0, "Weight of the divergence in trades and mart."
)
commandline.define_fraction(
    "tau", 0.1, "Parameter of mixup's distribution Beta(tau, tau)."
)
flags.DEFINE_enum(
    "alpha",
    "sample",
    ["sample", "batch"],
    "What mixup draws a weight alpha for: each sample, or each batch.",
)
flags.DEFINE_enum(
    "mix",
    "input",
    ["input", "manifold"],
    "What iat mixes after the attack: images, or outputs of a layer.",
)
commandline.define_fraction("clean", 0.5, "Weight of the clean loss in iat.")
flags.DEFINE_integer("cutout", 16, "Side of cutout's squares, in pixels.", 1)
commandline.define_fraction(
    "bound", 0.5, "Largest perceptual distance in fast_pat."
)
commandline.define_flow()
flags.DEFINE_string(
    "gan",
    None,
    "Path of a generator instead of --flow: an sngan.keras, whose latents come "
    "with the images, or a vaegan.keras.",
)

flags.DEFINE_string(
    "robust_attack",
    "pgd50",
    "Attack on the held-out images, by which the best epoch is chosen.",
)
flags.DEFINE_integer(
    "robust_every",
    5,
    "Epochs from one attack on held-out images to the next.",
    1,
)
flags.DEFINE_integer(
    "log_every", 100, "Steps from one loss in TensorBoard to the next.", 1
)
commandline.define_fraction(
    "checkpoint_every",
    15,
    "Minutes from one checkpoint to the next within an epoch, besides the "
    "checkpoint at its end; 0 saves after each step.",
)
flags.DEFINE_integer("keep", 3, "Number of checkpoints that are kept.", 1)

flags.DEFINE_integer("flow_levels", 4, "Number of levels of a flow.", 1)
flags.DEFINE_integer("flow_steps", 8, "Number of flow steps per level.", 1)
flags.DEFINE_integer(
    "flow_hidden", 512, "Number of hidden channels in a flow's couplings.", 1
)
flags.DEFINE_integer(
    "warmup_steps", 100, "Steps in which a flow's learning rate rises.", 0
)

flags.DEFINE_integer("latent_size", 128, "Size of the latent of a GAN.", 1)
flags.DEFINE_integer(
    "gan_width", 256, "Number of channels in the generator of a GAN.", 1
)
flags.DEFINE_integer(
    "discriminator_width",
    128,
    "Number of channels in the discriminator of an SNGAN.",
    1,
)
flags.DEFINE_integer(
    "critic_steps",
    5,
    "Number of steps of an SNGAN's discriminator per step of its generator.",
    1,
)

flags.DEFINE_integer(
    "test_examples",
    None,
    "Number of test images to project, from the first one; None takes all.",
    1,
)
flags.DEFINE_integer(
    "projection_steps", 100, "Number of steps of Adam per projected image.", 1
)
flags.DEFINE_string(
    "features",
    None,
    "Path of a classifier.keras, whose features a projection compares; None "
    "compares pixels alone.",
)
flags.DEFINE_list(
    "feature_layers",
    None,
    "Names of the layers of --features; None is stage1, stage2 and so on.",
)
flags.DEFINE_string(
    "vgg16",
    None,
    "Path of an .npz of PyTorch's VGG16, for LPIPS instead of --features.",
)
flags.DEFINE_string(
    "lpips", None, "Path of an .npz of the weights of LPIPS, for --vgg16."
)


def learning_rate() -> float:
    """The learning rate at the start."""
    if FLAGS.learning_rate is not None:
        return FLAGS.learning_rate
    return GENERATORS.get(FLAGS.method, (0.1,))[0]
