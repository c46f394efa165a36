"""The pages that explain: what they name exists, and each claim has what holds it."""

from __future__ import annotations

import json
import re

import pytest

from jupyterhub_aws.changes.effect import CLASSES
from tests.support.stack_files import ROOT

DOCS = ROOT / "docs"
PAGES = ("security.md", "proven.md", "architecture.md")
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
    """The cells of every row of the tables with this column."""
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


def test_every_capability_says_what_could_go_wrong_and_names_its_tests() -> None:
    found = rows("proven.md", header="capability")
    said = {cells[0]: cells for cells in found if len(cells) == 3}
    tested = {cells[0]: cells for cells in found if len(cells) == 2}
    assert len(said) > 25
    assert list(said) == list(tested)
    for name, cells in said.items():
        assert all(cells), cells
        assert PATH.findall(tested[name][1]), name


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


def definitions() -> dict[str, str]:
    """The glossary: what each word means."""
    found = rows("glossary.md", header="meaning")
    words = [cells[0] for cells in found]
    assert len(words) == len(set(words)), "a word has one meaning"
    return {cells[0]: cells[1] for cells in found}


def kinds(*titles: str) -> set[str]:
    """The kinds of a section, of the models with these endings of their names."""
    schema = json.loads((ROOT / "config" / "stack.schema.json").read_text(encoding="utf-8"))
    return {
        model["properties"]["kind"]["const"]
        for name, model in schema["$defs"].items()
        if name.removesuffix("Section").endswith(titles)
        and "const" in model.get("properties", {}).get("kind", {})
    }


def test_the_glossary_names_every_kind() -> None:
    words = definitions()
    assert set(CODE.findall(words["sign-in"])) == kinds("SignIn")
    assert set(CODE.findall(words["homes"])) == kinds("Homes")
    assert set(CODE.findall(words["entry"])) == kinds("Entry")
    assert set(CODE.findall(words["class (of an effect)"])) == set(CLASSES)


def test_every_code_word_of_the_glossary_is_in_the_code() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("jupyterhub_aws", "config", "components")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".toml", ".json"}
    )
    foreign = {"--save-plan"}  # of the Pulumi CLI
    missing = {
        part
        for word in CODE.findall(text("glossary.md"))
        for part in re.split(r"[.\s:=]+", word)
        if part and "…" not in part and part != part.upper() and part not in code
    }
    assert missing - foreign == set()
