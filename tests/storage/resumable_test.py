"""The comparison of stored settings with those of the present work."""

import pytest

from ijsat_tf.storage.resumable import require_same


def test_equal_settings_pass():
    require_same({"seed": 1, "old": 2}, {"seed": 1}, "It", "Go.", ["seed"])
    require_same({"seed": 1}, {"seed": 1}, "It is another", "Go.")


def test_the_message_says_what_was_expected_and_what_was_there():
    with pytest.raises(ValueError) as caught:
        require_same({"seed": 1, "b": 3}, {"seed": 2, "a": 4}, "It", "Go.")
    assert str(caught.value) == (
        "It, which differs in seed (now 2, stored 1), a (now 4, "
        "stored nothing), b (now nothing, stored 3). Go."
    )
