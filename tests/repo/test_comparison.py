"""The comparison with other projects: each claim has a source with a date, "not found" says where
it was looked for, and the page is made from the file.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from pathlib import Path

import pytest

from scripts import comparison

READ = comparison.comparison()
PAGE = comparison.PAGE.read_text(encoding="utf-8")


def test_the_page_is_made_from_the_file() -> None:
    assert comparison.page(PAGE, READ) == PAGE, "run: make docs"


def test_the_day_of_the_comparison_is_on_top() -> None:
    assert f"**Compared on {READ.compared}**" in PAGE.partition("## ")[0]


def test_every_source_has_a_date_before_the_comparison() -> None:
    for source in READ.sources.values():
        form = r"20\d\d-\d\d" if source.is_package else r"20\d\d-\d\d-\d\d"
        assert re.fullmatch(form, source.date), source
        first = source.date if len(source.date) == 10 else f"{source.date}-01"
        assert datetime.date.fromisoformat(first) <= READ.compared, source
        assert source.is_package or re.fullmatch(r"[0-9a-f]{7,40}", source.version), source


@pytest.mark.parametrize("claim", READ.claims, ids=lambda one: f"{one.topic}-{one.project}")
def test_every_claim_has_a_source(claim: comparison.Claim) -> None:
    assert claim.evidence or claim.absent
    for found in (*claim.evidence, *claim.absent):
        assert found.source in READ.sources
        # Words by which a source is found again, not a text of another project.
        assert 4 <= len(found.words) <= 70
    assert claim.project in READ.projects
    assert claim.topic in {topic["id"] for topic in READ.topics}


@pytest.mark.parametrize("claim", READ.claims, ids=lambda one: f"{one.topic}-{one.project}")
def test_what_was_not_found_says_where_and_when(claim: comparison.Claim) -> None:
    sentences = re.findall(r"[^.]*[Nn]ot found[^.]*", claim.says)
    assert bool(sentences) == bool(claim.absent), "say `not found in …`, and what was sought"
    if not sentences:
        return
    dates = {READ.sources[missing.source].date for missing in claim.absent}
    named = {
        f"{datetime.date(int(date[:4]), int(date[5:7]), 1):%B %Y}" if len(date) == 7 else date
        for date in dates
    }
    assert any(date in claim.says for date in named), named


def test_a_project_is_never_said_to_lack_something() -> None:
    for claim in READ.claims:
        assert not re.search(r"\b(lacks?|has no|have no|does not have|cannot)\b", claim.says), claim


def test_no_project_is_named_without_what_it_is_whose_it_is_and_where_it_is_better() -> None:
    for project in READ.projects:
        topics = {claim.topic for claim in READ.claims if claim.project == project}
        assert {"what", "governance", "better"} <= topics, project


def test_no_source_is_listed_that_no_claim_uses() -> None:
    used = {found.source for claim in READ.claims for found in (*claim.evidence, *claim.absent)}
    assert used == set(READ.sources)


def test_our_own_limits_are_said() -> None:
    ours = " ".join(topic["ours"] for topic in READ.topics)
    assert "not yet run on AWS" in ours
    assert "never run on AWS" in PAGE


def test_a_source_that_says_something_else_is_found(tmp_path: Path) -> None:
    place = tmp_path / "box"
    place.mkdir()
    (place / "README").write_text("It has wheels.", encoding="utf-8")
    source = comparison.Source(
        id="box", repository="example/box", version="package box 1", date="2026-10"
    )
    claim = comparison.Claim(
        topic="what",
        project="box",
        says="",
        evidence=(comparison.Evidence(source="box", file="README", words="wheels"),),
        absent=(comparison.Absence(source="box", words="wings"),),
        elsewhere="",
    )
    read = dataclasses.replace(READ, sources={"box": source}, claims=[claim])
    assert list(comparison.contradicted(read, tmp_path)) == []
    (place / "README").write_text("It has Wings.", encoding="utf-8")
    assert len(list(comparison.contradicted(read, tmp_path))) == 2
