"""The flags in docs/commands.md are those of the commands."""

import re

import flags_table
import pytest

from tests.commands import call


def _print(script):
    print(flags_table.table(script))


@pytest.fixture(scope="module", params=flags_table.SCRIPTS)
def made(request):
    outcome = call(_print, request.param)
    assert outcome.code == 0, outcome.output
    start = outcome.output.index("| flag |")
    return request.param, outcome.output[start:].rstrip("\n")


def test_the_page_has_the_flags_of_the_script(made):
    page = flags_table.PAGE.read_text("utf-8")
    assert flags_table.replaced(page, *made) == page, (
        "run python docs/flags_table.py"
    )
    assert page.count(made[1]) == 1


def test_every_flag_is_told_in_one_sentence_that_says_first_what_it_is(made):
    _, _, *rows = made[1].splitlines()
    assert len(rows) > 20
    for row in rows:
        _, flag, default, meaning, _ = row.split(" | ".strip())
        meaning = meaning.split(" Values: ")[0].strip()
        assert re.fullmatch(r" `--\w+` ", flag)
        assert default.strip()
        assert re.match("[A-Z]", meaning) and meaning.endswith("."), row
        assert not re.search(r"\. [A-Z]|^Of ", meaning), row


def test_a_table_takes_the_place_of_the_former_one():
    page = "# Page\n\n## Flags of a.py\n\n| old |\n| --- |\n\n## Next\n"
    new = "| new |\n| --- |\n| row |"
    assert flags_table.replaced(page, "a.py", new) == (
        f"# Page\n\n## Flags of a.py\n\n{new}\n\n## Next\n"
    )
    assert flags_table.replaced(page, "b.py", new) == page
