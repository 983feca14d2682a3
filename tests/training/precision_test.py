"""bfloat16 where the machine has it."""

import importlib

import pytest
import tensorflow as tf

import ijsat_tf as ij


def gpus(monkeypatch, *capabilities):
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: [*capabilities]
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": gpu} if gpu else {},
    )


@pytest.mark.parametrize("name", ["float32", "mixed_bfloat16", "float64"])
def test_a_name_stays(name):
    assert ij.training.precision(name) == name


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ([(9, 0)], "mixed_bfloat16"),
        ([(8, 0), (8, 6)], "mixed_bfloat16"),
        ([(8, 0), (7, 5)], "float32"),
        ([None], "float32"),
    ],
)
def test_gpus(monkeypatch, capabilities, expected):
    gpus(monkeypatch, *capabilities)
    assert ij.training.precision("auto") == expected


@pytest.mark.parametrize(
    ("text", "fast"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n", True),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("flags : fpu avx2\nmodel name : bf16\n", False),
        ("", False),
    ],
)
def test_processors(monkeypatch, tmp_path, text, fast):
    gpus(monkeypatch)
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    module = importlib.import_module("ijsat_tf.training.precision")
    assert module._cpu_is_fast(str(path)) == fast
    assert not module._cpu_is_fast(str(tmp_path / "nothing"))
    assert ij.training.precision("auto") in ("float32", "mixed_bfloat16")
