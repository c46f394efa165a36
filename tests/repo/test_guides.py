"""Pages by task: the titles say what a newcomer asks for, pieces of stack files are valid, commands
that need AWS exist, and the others are run and print what the page says.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.guides import (
    DOCS,
    GUIDES,
    WHO,
    blocks,
    follow,
    fragment,
    unrun,
    who_example,
)
from tests.support.stack_files import ROOT

#: How a newcomer asks, and the page that answers with those words in its title.
ASKED = {
    "users read a bucket": "aws-access",
    "kernel dies": "kernels-and-memory",
    "add an admin": "administrators",
    "pod pending": "pending",
    "change home size": "home-size",
    "pause over summer": "pause",
    "certificate expires": "certificates",
    "move to kubernetes 1.36": "upgrading-kubernetes",
    "who is using gpus": "gpus",
}
#: Of the site, and of GitHub where it differs by more than a hyphen.
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def titles(page: Path) -> list[str]:
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    return re.findall(r"(?m)^#{1,4} (.*)$", text)


def anchors(page: Path) -> set[str]:
    """As GitHub and the site make them."""
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles(page)]
    made = {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in plain}
    return made | set(re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("words", "page"), ASKED.items(), ids=list(ASKED.values()))
def test_a_title_has_the_words_of_a_newcomer(words: str, page: str) -> None:
    title = titles(DOCS / f"{page}.md")[0].lower()
    missing = [word for word in words.split() if word not in re.findall(r"[\w.]+", title)]
    assert not missing, title


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_pieces_of_a_stack_file_are_valid_and_commands_exist(path: Path) -> None:
    found = blocks(path.read_text(encoding="utf-8"))
    faults = [fragment(block.text) for block in found if block.kind == "yaml"]
    faults += [fault for block in found if block.kind == "sh" for fault in unrun(block.text)]
    assert not [fault for fault in faults if fault]
    assert not {block.kind for block in found} - {"yaml", "sh", "console", "text"}


@pytest.mark.real
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_commands_print_what_the_page_says(path: Path, tmp_path: Path) -> None:
    done = follow(path, tmp_path)
    assert not done.faults, "write them anew: python -m tests.support.guides\n" + "\n".join(
        done.faults
    )


def test_the_table_of_servers_is_what_the_command_prints() -> None:
    assert f"```text\n{who_example()}```" in WHO.read_text(encoding="utf-8")


def test_the_texts_of_a_server_that_ended_are_those_of_the_hub() -> None:
    page = (DOCS / "kernels-and-memory.md").read_text(encoding="utf-8")
    files = ROOT / "components" / "hub" / "files"
    program = re.sub(r'"\n\s+"', "", (files / "jupyterhub_aws_spawner.py").read_text("utf-8"))
    said = re.findall(r'"Your last server is gone\. ([^"]+?)( …)?"', page)
    assert len(said) == 3
    assert all(text in program for text, _ in said) and "Your last server is\n" not in page
    assert "The server of %s ended by itself: %s" in program
    assert "The server of ada ended by itself: It needed more memory than it may have, and" in page
    people = re.sub(r'"\n\s+"', "", (files / "jupyterhub_aws_people.py").read_text("utf-8"))
    assert "No kind of server is open to you" in people
    assert "No kind of server is open to you" in (DOCS / "troubleshooting.md").read_text("utf-8")


def test_lines_of_code_fit_beside_the_navigation() -> None:
    pages = [*GUIDES, *sorted(DOCS.glob("tutorials/*.md"))]
    lines = [
        (page.stem, line)
        for page in pages
        for block in blocks(page.read_text(encoding="utf-8"))
        for line in block.text.splitlines()
        if block.kind in ("yaml", "sh") and len(line) > 80
    ]
    assert all("kubespawner_override" in line for _, line in lines), lines


def test_a_wrong_piece_is_found() -> None:
    assert "server_idle" in fragment("hubs: {main: {culling: {server_idle: 1}}}")
    assert fragment("homes: {kind: ebs, size_gib: 20}") == ""


@pytest.mark.parametrize(
    "page",
    [
        path
        for glob in ("*.md", "tutorials/*.md", "runbooks/*.md")
        for path in sorted(DOCS.glob(glob))
    ],
    ids=lambda p: p.stem,
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    for target, anchor in _LINK.findall(text):
        if target.startswith(("http", "mailto")):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize(
    "page",
    [*GUIDES, *sorted(DOCS.glob("tutorials/*.md")), DOCS / "troubleshooting.md"],
    ids=lambda path: path.stem,
)
def test_a_page_has_one_title_then_an_answer_and_no_empty_head_of_a_table(page: Path) -> None:
    text = re.sub(r"(?ms)^```(\w+)\n.*?^```$", r"(\1)", page.read_text(encoding="utf-8"))
    assert len(re.findall(r"(?m)^# ", text)) == 1 and text.startswith("# ")
    first = text.partition("\n\n")[2]
    assert not first.startswith(("#", "|", ">")), "the first paragraph answers"
    heads = re.findall(r"(?m)^(\|.*)\n\|[-| ]+\|$", text)
    assert all(cell.strip() for head in heads for cell in head.strip("|").split("|"))


@pytest.mark.parametrize("word", ["Pending", "ImagePullBackOff", "OOMKilled", "503", "403"])
def test_troubleshooting_leads_from_a_symptom_to_a_page(word: str) -> None:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and word in line]
    assert rows and all("](" in row for row in rows)
