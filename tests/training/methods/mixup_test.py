import numpy as np
import pytest
import tensorflow as tf

from ijsat_tf import mixup
from ijsat_tf.training import methods
from tests import reference

SEED = tf.constant([1, 2])
PAIRS = np.array([1, 0, 3, 2, 5, 4])


@pytest.mark.parametrize("alpha", ["batch", "sample"])
def test_loss_by_numpy(batch, classifier, alpha):
    """a CE(y_i) + (1 - a) CE(y_j) with hard labels, as in the original."""
    method = methods.Mixup(alpha=alpha)
    weights = mixup.alphas(6, 1.0, SEED, alpha).numpy().astype("float64")
    assert len(set(weights)) == (1 if alpha == "batch" else 6)
    shaped = weights[:, None, None, None]
    images = batch.images.numpy()
    images = shaped * images + (1 - shaped) * images[PAIRS]
    mixture = method.mixture(batch, SEED)
    np.testing.assert_allclose(mixture.images, images, rtol=1e-6)
    (logits,) = reference.trained(classifier, mixture.images)
    labels = batch.labels.numpy()
    expected = weights * reference.cross_entropy(labels, logits)
    expected += (1 - weights) * reference.cross_entropy(labels[PAIRS], logits)
    crafted = method.craft(classifier, mixture, SEED)
    losses, _, seen = method.loss(classifier, mixture, crafted)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(seen, logits, rtol=1e-5, atol=1e-6)


def test_tau_zero_mixes_nothing(batch):
    assert methods.Mixup(tau=0).mixture(batch, SEED) is batch
