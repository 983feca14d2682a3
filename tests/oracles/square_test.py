"""Square against the official one, on 500 images of CIFAR-10.

ALIVE are the numbers of images that its Square alone leaves correctly
classified, https://github.com/fra31/auto-attack at a392200:

    AutoAttack(model, norm=norm, eps=radius, seed=0, version="custom",
               attacks_to_run=["square"]).run_standard_evaluation(x, y, bs=250)

on the pretrained models and images of `pretrained`.
"""

import pytest

from ijsat_tf.attacks import Square
from ijsat_tf.spaces import L2, Linf
from tests.oracles import pretrained

ALIVE = {
    ("cifar_cnn_a_mix", Linf(4 / 255)): 220,
    ("cifar_cnn_a_mix", L2(0.5)): 260,
    ("resnet4b", Linf(4 / 255)): 235,
}


@pytest.mark.parametrize("name, ball", ALIVE)
def test_leaves_as_many_images(name, ball):
    count = pretrained.alive(Square(ball), name)
    assert abs(count - ALIVE[name, ball]) <= 4
