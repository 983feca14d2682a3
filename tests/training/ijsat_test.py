import keras

import ijsat_tf as ij
from tests import tiny
from tests.conformance import catalogue


def test_it_is_an_adversarial_model_with_ijsat(flow):
    attack = catalogue.ATTACKS["JointSpaceAttack"](flow)
    model = ij.training.IJSAT(tiny.make_classifier(), attack, 0.3, seed=4)
    assert isinstance(model, keras.Model)
    assert model.method == ij.training.methods.IJSAT(attack, tau=0.3)
    assert model.seed == 4
    assert model.generators == [flow]
