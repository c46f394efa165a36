"""Each problem and finding has an id that stays, its wording is in one page, and a test asserts
it.
"""

from __future__ import annotations

import re

import pytest

from tests.support.problems_page import (
    DOCS,
    ID,
    WORDINGS,
    data,
    findings,
    pages,
    problems,
    sources,
    without_id,
)
from tests.support.stack_files import ROOT

WRITE = "python -m tests.support.problems_page"


def test_the_wordings_are_what_the_source_says() -> None:
    assert WORDINGS.read_text(encoding="utf-8") == data(), WRITE


def test_the_pages_of_problems_and_findings_are_what_the_wordings_say() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: {WRITE}"
    there = {*(DOCS / "problems").glob("*.md"), DOCS / "problems.md", DOCS / "findings.md"}
    assert there == set(pages()), WRITE


def test_a_constant_of_another_module_is_read_there() -> None:
    (wording,) = {item.what for item in problems() if item.id == "aws-access.too-long"}
    assert "IAM takes 10240" in wording


def test_every_problem_has_an_id() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{line}" for path in sources() for line in without_id(path)
    ] == []
    assert len({item.id for item in problems()}) > 500
    assert all(ID.fullmatch(item.id) for item in problems())


def test_no_finding_has_the_id_of_a_problem() -> None:
    """A problem's id has a dot, a finding's none: each says which of the two it is."""
    assert len({item.id for item in findings()}) > 60
    assert [item.id for item in findings() if "." in item.id] == []


#: An id as a test writes it: in a message (`[pools.max-below-min]`), as text, or as what a case
#: expects.
_ASSERTED = re.compile(r"""(?:(?<=[\["'])|(?<=- ))([a-z0-9.-]+)(?=\\?\]|["']|: )""")


@pytest.mark.parametrize("kind", [problems, findings], ids=["problems", "findings"])
def test_every_id_is_asserted(kind) -> None:
    asserted = {
        which
        for path in (ROOT / "tests").rglob("*")
        if path.suffix in (".py", ".yaml") and path.name != "test_problem_ids.py"
        for which in _ASSERTED.findall(path.read_text(encoding="utf-8"))
    }
    assert sorted({item.id for item in kind()} - asserted) == []
