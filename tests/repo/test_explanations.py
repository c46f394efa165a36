"""The pages that explain: what they name exists, and each claim has what holds it."""

from __future__ import annotations

import re

import pytest

from tests.support.stack_files import ROOT

DOCS = ROOT / "docs"
PAGES = ("security.md", "proven.md")
#: A file or a folder of this repository, in code.
PATH = re.compile(
    r"`((?:tests|components|config|jupyterhub_aws|examples|scripts|policy)/[\w./-]+)`"
)
CODE = re.compile(r"`([^`]+)`")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("jupyterhub_aws/checks", "config", "jupyterhub_aws/cli")
    for path in (ROOT / folder).rglob("*.py")
}


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str, *, header: str) -> list[list[str]]:
    """The cells of every row of the tables whose header has this column."""
    found: list[list[str]] = []
    columns: list[str] = []
    for line in text(page).splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
        elif header in columns and not set(line) <= set("|- "):
            found.append(cells)
    return found


def is_check(identifier: str) -> bool:
    """Whether some check gives findings of this id, or some problem has it."""
    if identifier.startswith("airgap-"):
        name = identifier.removeprefix("airgap-")
        return any(
            f'"{name}"' in source or f'"{identifier}"' in source
            for path, source in SOURCES.items()
            if "/airgap/" in path
        )
    return any(f'"{identifier}"' in source for source in SOURCES.values())


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_the_page_exists(page: str) -> None:
    named = PATH.findall(text(page))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_check_of_the_security_page_exists() -> None:
    named = {
        code for cells in rows("security.md", header="check") for code in CODE.findall(cells[1])
    } | {
        code
        for clause in re.findall(r"checks? ((?:`[^`]+`(?:, | and )?)+)", text("security.md"))
        for code in CODE.findall(clause)
    }
    assert len(named) > 30
    assert (
        sorted(name for name in named if not is_check(name) and not PATH.match(f"`{name}`")) == []
    )


def test_every_default_has_a_check() -> None:
    for cells in rows("security.md", header="check"):
        assert CODE.findall(cells[1]), cells


def test_what_a_user_cannot_do_is_held_by_a_check_or_a_test() -> None:
    found = rows("security.md", header="held by")
    assert len(found) > 10
    for cells in found:
        held = CODE.findall(cells[-1])
        assert (
            "Not prevented" in cells[-1]
            or any(PATH.match(f"`{name}`") or is_check(name) for name in held)
            or "possible" in cells[1]
        ), cells


def test_every_capability_names_its_tests_and_what_could_go_wrong() -> None:
    found = rows("proven.md", header="capability")
    assert len(found) > 25
    for cells in found:
        assert len(cells) == 4, cells
        assert [path for path in PATH.findall(cells[2]) if path.startswith("tests/")], cells
        assert cells[3], cells


def test_no_test_of_a_real_engine_or_a_real_hub_is_left_out() -> None:
    """A new file of these tiers proves something: the page says what."""
    known = set(PATH.findall(text("proven.md")))
    support = {"tests/engine/test_stand_in.py"}
    left = (
        {
            path.relative_to(ROOT).as_posix()
            for folder in ("engine", "real")
            for path in (ROOT / "tests" / folder).glob("test_*.py")
        }
        - known
        - support
    )
    assert sorted(left) == [], "name them in a row of docs/proven.md"
