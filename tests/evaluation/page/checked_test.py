"""Tables of checks, against the checks themselves."""

from ijsat_tf.evaluation import Check, Run, record_checks, to_html
from ijsat_tf.evaluation.page.checked import all_checks, checks_table, failed
from tests.evaluation.page.elements_test import page_of
from tests.evaluation.page.parsed import parse, tables
from tests.evaluation.synthetic import row

SEEN = "standard pgd20 autoattack jsa50 elastic jpeg l2".split()


def test_checks_of_records_and_of_models():
    asked = Check("it is sound", False, "not at all")
    runs = [Run(name, row(SEEN, name)) for name in ("at", "ijsat")]
    runs[0] = runs[0]._replace(checks=(asked,))
    columns, lines = tables(parse(to_html(runs)))["checked"]
    assert columns == ["Check", "at", "ijsat"]
    told = [record_checks(run.records) for run in runs]
    assert [[cell.text for cell in line] for line in lines[:-1]] == [
        [each[0].name, *(f"{one.verdict} {one.detail}" for one in each)]
        for each in zip(*told)
    ]
    assert [cell.text for cell in lines[-1]] == [
        "it is sound",
        "failed not at all",
        "not asked",
    ]


def test_runs_without_records_are_left_out():
    asked = Check("it is sound", True, "very")
    runs = [Run("flow", {}, checks=(asked,)), Run("at", row(SEEN, "at"))]
    assert list(all_checks(runs)) == ["at"]
    assert all_checks(runs)["at"] == record_checks(runs[1].records)


def test_verdicts_have_their_looks():
    found = {
        "at": [Check(str(said), said, "so") for said in (True, False, None)]
    }
    rows = tables(page_of(checks_table(found)))["checked"].rows
    assert [(line[1].text, line[1].attributes["class"]) for line in rows] == [
        ("passed so", "setting"),
        ("failed so", "setting failed"),
        ("not applicable so", "setting none"),
    ]


def test_what_failed_is_counted():
    def warned(*verdicts):
        checks = [Check("a", verdict, "b") for verdict in verdicts]
        return [
            page_of(*warning).text
            for warning in failed({"at": checks, "ijsat": checks[:1]})
        ]

    assert warned(True, None, True) == []
    assert warned(None, False, True) == ["at failed 1 check ."]
    assert warned(False, False) == [
        "at failed 2 checks .",
        "ijsat failed 1 check .",
    ]
