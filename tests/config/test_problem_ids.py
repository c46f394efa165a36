"""Each problem and finding has an id that stays, its wording is in one page, and a test asserts
it.
"""

from __future__ import annotations

from tests.support.problems_page import (
    ID,
    PAGE,
    findings,
    page,
    problems,
    sources,
    without_id,
)
from tests.support.stack_files import ROOT


def test_the_page_of_problems_is_what_the_source_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.support.problems_page"


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
