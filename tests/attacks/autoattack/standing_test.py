"""Who is alive and who is left, by hand, and the state file of both."""

import numpy as np
import pytest

from ijsat_tf.attacks.autoattack import standing
from ijsat_tf.attacks.autoattack.standing import ALIVE, Standing
from tests import tiny

SETTINGS = {"attack": "FAB(Linf(0.1))", "seed": "[1, 0]"}


def begun():
    """A run with nothing done: the second of six images is wrong."""
    fell = np.array([ALIVE, 0, ALIVE, ALIVE, ALIVE, ALIVE])
    return Standing(SETTINGS, tiny.random_images(), fell)


def later():
    """The same run in its second stage, with two images found."""
    start = begun()
    images, fell = start.images.copy(), start.fell.copy()
    images[[2, 4]] = 1 - images[[2, 4]]
    fell[2], fell[4] = 1, 2
    return Standing(SETTINGS, images, fell, stage=2, attacked=3)


def test_alive_are_those_that_no_stage_has_found():
    now = Standing({}, None, np.array([-1, 0, 1, 2, 3, -1]))
    for stage, expected in enumerate(
        [[0, 2, 3, 4, 5], [0, 3, 4, 5], [0, 4, 5], [0, 5], [0, 5]]
    ):
        np.testing.assert_array_equal(
            np.flatnonzero(now.alive(stage)), expected
        )


def test_left_are_the_rows_that_the_stage_has_not_attacked():
    np.testing.assert_array_equal(begun().left, [0, 2, 3, 4, 5])
    # At its beginning the stage had 0, 3, 4 and 5, of which it found 4.
    np.testing.assert_array_equal(later().left, [5])
    np.testing.assert_array_equal(
        later()._replace(attacked=0).left, [0, 3, 4, 5]
    )
    np.testing.assert_array_equal(later()._replace(attacked=4).left, [])


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / "deep" / "state.npz"
    for now in (later(), begun()):
        standing.save(now, path)
        found = standing.load(path, begun())
        assert found.settings == SETTINGS
        assert (found.stage, found.attacked) == (now.stage, now.attacked)
        np.testing.assert_array_equal(found.fell, now.fell)
        np.testing.assert_array_equal(found.images, now.images)


def test_reading_leaves_the_beginning_as_it_was(tmp_path):
    standing.save(later(), tmp_path / "state.npz")
    start = begun()
    standing.load(tmp_path / "state.npz", start)
    np.testing.assert_array_equal(start.images, begun().images)
    np.testing.assert_array_equal(start.fell, begun().fell)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_state_of_another_run_is_refused(tmp_path, name):
    path = tmp_path / "state.npz"
    standing.save(later(), path)
    other = begun()._replace(settings={**SETTINGS, name: "other"})
    with pytest.raises(ValueError, match=rf"differs in {name} \(now"):
        standing.load(path, other)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    standing.save(later(), path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cannot be read as a state"):
            standing.load(path, begun())
    with pytest.raises(FileNotFoundError):
        standing.load(tmp_path / "none.npz", begun())


@pytest.mark.parametrize("name", ["fell", "progress", "adversarial"])
def test_arrays_that_do_not_fit_are_refused(tmp_path, name):
    path = tmp_path / "state.npz"
    standing.save(later(), path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays[name] = np.concatenate([arrays[name], arrays[name][:1]])
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="cannot be read as a state"):
        standing.load(path, begun())
