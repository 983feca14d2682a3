import keras
import numpy as np
import pytest
import tensorflow as tf

import ijsat_tf as ij
from ijsat_tf.attacks import PGD
from ijsat_tf.spaces import Linf
from tests.conformance import catalogue

methods = ij.training.methods


def test_standard_changes_nothing(batch, classifier):
    method = methods.Standard()
    seed = tf.constant([1, 2])
    assert method.mixture(batch, seed) is batch
    assert method.craft(classifier, batch, seed) is batch.images
    losses, labels, logits = method.loss(classifier, batch, batch.images)
    assert labels is batch.labels
    expected = keras.losses.categorical_crossentropy(
        batch.labels, logits, from_logits=True
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda attack: methods.AT(None), "attack` of AT must be"),
        (lambda attack: methods.IJSAT("pgd"), "attack` of IJSAT must be"),
        (lambda attack: methods.TRADES(None), "attack` of TRADES must be"),
        (lambda attack: methods.MART(6.0), "attack` of MART must be"),
        (lambda attack: methods.IAT(None), "attack` of IAT must be"),
        (lambda attack: methods.DMAT(attack, None), "attack` of DMAT must be"),
        (lambda attack: methods.DMAT(None, attack), "attack` of DMAT must be"),
        (lambda _: methods.AT(PGD(Linf(0.1), targeted=True)), "untargeted"),
        (lambda attack: methods.IJSAT(attack, tau=-1), "`tau`"),
        (lambda attack: methods.IJSAT(attack, alpha="pixel"), "`alpha`"),
        (lambda _: methods.Mixup(tau=-1), "`tau`"),
        (lambda _: methods.Mixup(alpha="pixel"), "`alpha`"),
        (lambda _: methods.ManifoldMixup(tau="2"), "`tau`"),
        (lambda _: methods.ManifoldMixup(layers="stage1"), "`layers`"),
        (lambda _: methods.ManifoldMixup(alpha=0.5), "`alpha`"),
        (lambda _: methods.ManifoldMixup(cross_entropy="ce"), "`cross_entr"),
        (lambda _: methods.Cutout(0), "`length`"),
        (lambda _: methods.Cutout(2.5), "`length`"),
        (lambda _: methods.Cutout(fill=125), "`fill`"),
        (lambda _: methods.Cutout(fill=(0.5, "0.5")), "`fill`"),
        (lambda attack: methods.TRADES(attack, beta=-1.0), "`beta`"),
        (lambda attack: methods.MART(attack, beta="6"), "`beta`"),
        (lambda attack: methods.IAT(attack, tau=-0.1), "`tau`"),
        (lambda attack: methods.IAT(attack, mix="output"), "`mix`"),
        (lambda attack: methods.IAT(attack, clean=1.5), "`clean`"),
        (lambda attack: methods.IAT(attack, layers="stage1"), "`layers`"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make(catalogue.ATTACKS["PGD"](None))


def test_repr_reprints_the_call():
    attack = catalogue.ATTACKS["PGD"](None)
    shown = "PGD(Linf(0.05, step=0.02), steps=3)"
    assert repr(methods.IJSAT(attack, tau=0.5)) == f"IJSAT({shown}, tau=0.5)"
    assert repr(methods.TRADES(attack, 1.0)) == f"TRADES({shown}, beta=1.0)"
    assert repr(methods.IAT(attack, mix="manifold")) == (
        f"IAT({shown}, mix='manifold')"
    )
    assert repr(methods.Standard()) == "Standard()"
    assert repr(methods.Mixup(1.0)) == "Mixup()"
    assert repr(methods.ManifoldMixup(layers=["a"])) == (
        "ManifoldMixup(layers=('a',))"
    )
    assert repr(methods.Cutout(8, 0.5)) == "Cutout(length=8, fill=0.5)"
