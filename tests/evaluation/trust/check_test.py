"""Checks as they are written and read again."""

import json

import pytest

from ijsat_tf.evaluation import Check
from ijsat_tf.evaluation.trust.check import listed, load_checks, save_checks

FOUND = [
    Check("it is sound", True, "90 % ± 1 %"),
    Check("it is new", False, "no"),
    Check("it is blue", None, "nobody looked"),
]


def test_lists_are_markdown():
    checks = [Check("a", True, "b"), Check("c", None, "d")]
    assert listed({"at": checks, "ijsat": checks[:1]}) == (
        "Checks of at:\n\n- passed: a (b)\n- not applicable: c (d)\n\n"
        "Checks of ijsat:\n\n- passed: a (b)"
    )


def test_a_check_is_a_line():
    assert list(map(str, FOUND)) == [
        "passed: it is sound (90 % ± 1 %)",
        "failed: it is new (no)",
        "not applicable: it is blue (nobody looked)",
    ]


def test_what_is_saved_is_read_and_replaces_what_was(tmp_path):
    path = tmp_path / "records" / "checks.json"
    save_checks(path, "model", FOUND[:1])
    save_checks(path, "model", FOUND)
    assert load_checks(path, ["other", "model"]) == FOUND
    assert json.loads(path.read_text("utf-8")) == {
        "model": "model",
        "checks": [
            {"name": name, "passed": passed, "detail": detail}
            for name, passed, detail in FOUND
        ],
    }
    assert list(path.parent.iterdir()) == [path]


def test_checks_of_another_model_and_no_file_are_no_checks(tmp_path):
    path = tmp_path / "checks.json"
    assert load_checks(path, ["model"]) == []
    save_checks(path, "model", FOUND)
    assert load_checks(path, ["other"]) == load_checks(path, []) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"checks": []}',
        '{"model": [], "checks": []}',
        '{"model": "a", "checks": [{"name": "a", "passed": 0, "detail": ""}]}',
        '{"model": "a", "checks": [1]}',
        '{"model": "a", "checks": [{"name": "a", "passed": true}]}',
        '{"model": "a", "checks": [{"name": "a", "passed": "yes", '
        '"detail": "b"}]}',
        '{"model": "a", "checks": [{"name": 1, "passed": true, '
        '"detail": "b"}]}',
    ],
)
def test_what_holds_no_checks_is_told(text, tmp_path):
    path = tmp_path / "checks.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="checks.json holds no checks"):
        load_checks(path, ["a"])
