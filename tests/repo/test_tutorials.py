"""Each tutorial is followed from an empty folder, by its text alone: its commands run, print what
the page says, and end as it says.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.guides import (
    DOCS,
    PICTURES,
    TUTORIALS,
    Block,
    blocks,
    commands,
    follow,
    matches,
    picture,
    renewed,
    spliced,
    unrun,
)

NAMES = [path.stem for path in TUTORIALS]
AGAIN = "write them anew: python -m tests.support.guides"


def test_there_are_four() -> None:
    assert NAMES == ["class", "first-hub", "hospital", "take-over"]


#: Those that take seconds are followed by the slow tests.
_SLOW = ("class", "hospital")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.real] if path.stem in _SLOW else [])
        for path in TUTORIALS
    ],
    ids=NAMES,
)
def test_a_reader_who_follows_it_succeeds(path: Path, tmp_path: Path) -> None:
    done = follow(path, tmp_path)
    assert not done.faults, f"{AGAIN}\n" + "\n".join(done.faults)
    assert len(done.ran) >= 4 and "jhub init" in " ".join(done.ran)
    # An amount in the text is one that a command printed.
    text = path.read_text(encoding="utf-8")
    amounts = re.findall(r"\$(\d[\d,]*\.\d+)", text)
    assert amounts or path.stem == "take-over"
    assert not [amount for amount in amounts if amount not in done.printed], AGAIN


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_it_says_what_one_gets_what_it_takes_and_what_is_not_proven(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.partition("\n\n")[2].startswith("At the end you have ")
    assert "| time |" in text and "| cost |" in text
    titles = re.findall(r"(?m)^## (.*)$", text)
    assert "What was not proven" in titles
    assert any(re.match("How to (undo it|go back)|7. Pause it, or take it down", t) for t in titles)


@pytest.mark.real
@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_a_picture_shows_what_the_terminal_shows(file: Path, tmp_path: Path) -> None:
    page, command = PICTURES[file]
    drawn = picture(page, command, tmp_path)
    assert file.read_text(encoding="utf-8") == drawn, AGAIN
    assert file.stat().st_size < 40_000
    loaded = re.findall(
        r"""(?:href|src)=["'][^"']*|url\((?!#)[^)]*|@import[^;]*|xmlns=["'][^"']*""", drawn
    )
    assert set(loaded) == {'xmlns="http://www.w3.org/2000/svg'}, "nothing is loaded"
    used = re.search(rf"!\[[^\]]{{20,}}\]\(\.\./images/{file.name}\)", page.read_text("utf-8"))
    assert used, "no page shows it, or without a text for who does not see it"


def test_what_a_page_leaves_out_is_any_number_of_lines_and_nothing_else() -> None:
    assert matches(("a", "…", "d"), ["a", "b", "c", "d"]) and matches(("a", "…", "d"), ["a", "d"])
    assert not matches(("a", "…", "d"), ["a", "b", "c"]) and not matches(("a",), ["a", "b"])
    assert matches((), []) and not matches((), ["a"])
    assert renewed(("total 1", "…", "end 1"), ["total 2", "b", "end 2"]) == [
        "total 2",
        "…",
        "end 2",
    ]


def test_what_is_not_run_has_to_exist() -> None:
    assert unrun("jhub pause dev --notice 15m    # later\njhub who dev && jhub nodes dev\n") == []
    assert unrun("jhub versions dev\naws s3 ls | grep x\n") == []
    assert unrun("jhub paus dev\n") == ["no such command: jhub paus"]
    assert "--notise" in unrun("jhub pause dev --notise 15m\n")[0]
    assert unrun("rm -rf /\n") == ["rm: not a command that a page names"]


def test_a_section_takes_the_place_of_its_own_and_no_other() -> None:
    file = "config:\n  a:x:\n    one: 1\n\n  # of y\n  a:y: 2\n"
    assert spliced(file, "config:\n  a:x:\n    two: 2\n  a:z: 3\n") == (
        "config:\n  a:x:\n    two: 2\n\n  # of y\n  a:y: 2\n\n  a:z: 3\n"
    )


def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ jhub init hub --yes\n…\n$ cd hub\n$ jhub plan dev --set paused=maybe\n…\n```\n"
        "And:\n\n```yaml\nconfig: {}\n```\n\n```sh\njhub pause dev --soon\n```\n",
        encoding="utf-8",
    )
    (tmp_path / "here").mkdir()
    faults = " ".join(follow(page, tmp_path / "here").faults)
    assert "jhub plan dev --set paused=maybe: ended with 2" in faults
    assert "no sentence says what to do" in faults and "--soon" in faults
    found = blocks(page.read_text("utf-8"))
    assert isinstance(found[0], Block) and len(commands(found[0].text)) == 3


def test_no_link_leads_to_the_page_that_was_merged_into_the_first_one() -> None:
    name = "getting" + "-started"
    pages = [
        *DOCS.rglob("*.md"),
        *(DOCS.parent / "examples").rglob("*.md"),
        DOCS.parent / "README.md",
    ]
    assert not [page for page in pages if f"{name}.md" in page.read_text(encoding="utf-8")]
