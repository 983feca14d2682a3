"""What signals do within the context, and how a process ends by one."""

import signal
import subprocess
import sys
import threading

import pytest

import ijsat_tf as ij
from ijsat_tf.training.callbacks import interruption


@pytest.fixture
def heeded():
    """Shells start what runs in the background deaf to SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_second_signal_acts_as_ever(heeded):
    before = signal.getsignal(signal.SIGINT)
    with ij.training.Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_signals_that_are_ignored_stay_so():
    """As those of a job that a shell starts in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ij.training.Interruption() as interruption:
            signal.raise_signal(signal.SIGINT)
            assert interruption.signal is None
            signal.raise_signal(signal.SIGTERM)
            assert interruption.signal == signal.SIGTERM
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_has_no_signals():
    def enter():
        with ij.training.Interruption():
            found.append(signal.getsignal(signal.SIGTERM))

    found = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def test_a_signal_is_named_on_the_terminal(heeded, capfd):
    with ij.training.Interruption():
        signal.raise_signal(signal.SIGTERM)
    assert capfd.readouterr().err.strip().startswith("SIGTERM: stopping")


def test_handlers_come_back_after_an_error(heeded):
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(RuntimeError), ij.training.Interruption():
        assert [signal.getsignal(number) for number in numbers] != before
        raise RuntimeError
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_ends_by_its_signal(number):
    """Although it ignored the signal before."""
    path = interruption.__file__
    script = (
        "import runpy, signal\n"
        f"signal.signal({int(number)}, signal.SIG_IGN)\n"
        f"names = runpy.run_path({path!r})\n"
        f"names['Interrupted']({int(number)}, 'stopped').die()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=60)
    assert done.returncode == -number


def test_an_interruption_is_no_ordinary_error():
    """A program's `except Exception` lets it through."""
    error = ij.training.Interrupted(signal.SIGTERM, "saved after step 7")
    assert not isinstance(error, Exception)
    assert (str(error), error.signal) == ("saved after step 7", 15)
