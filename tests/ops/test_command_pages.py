"""docs/exit-codes.md and docs/data-formats.md say what the commands do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_pages import (
    EXAMPLES,
    EXITS,
    FORMATS,
    LIVE,
    PROBLEMS,
    data_formats,
    exit_codes,
    with_json,
)
from tests.support.data_examples import recorded_example
from tests.support.data_keys import TEXTS, faults
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

WRITE = "python -m tests.support.command_pages"


def test_the_page_of_exit_codes_is_what_the_commands_say() -> None:
    assert EXITS.read_text(encoding="utf-8") == exit_codes(), WRITE


@pytest.mark.real
def test_the_page_of_data_formats_is_what_the_commands_print() -> None:
    assert FORMATS.read_text(encoding="utf-8") == data_formats(), WRITE


def test_every_command_with_data_is_on_the_page() -> None:
    assert {*EXAMPLES, *LIVE} == set(with_json())
    assert {*EXAMPLES, *LIVE, "problems"} == set(TEXTS), "each has its keys"


@pytest.mark.parametrize("name", LIVE)
def test_a_recorded_example_has_the_keys_of_the_page(name: str) -> None:
    data = recorded_example(name)
    if data is not None:
        assert faults(name, data) == []


def test_keys_are_compared_with_data() -> None:
    """What the comparison has to find: a key too many or too few, and another type."""
    key = {"format": "x", "stack": "dev", "hub": "main"}
    revision = {"revision": 1, "status": "deployed", "chart": "c", "updated": "t"}
    assert faults("history", {**key, "revisions": [revision]}) == []
    wrong = {**revision, "revision": True, "more": 1}
    del wrong["chart"]
    assert sorted(faults("history", {**key, "hub": None, "revisions": [wrong]})) == [
        "hub is no string (None)",
        "revisions[].chart is missing",
        "revisions[].more is not described",
        "revisions[].revision is no integer (True)",
    ]


#: A command line for each exit code that can be had offline.
CODES = [
    ("versions dev --as-of 2026-11-23", {0}),
    ("certificate inspect dev", {2}),
    ("homes map dev --users users.txt", {0}),
    ("homes map dev --users two.txt --to {username}", {2}),
    ("plan dev", {0}),
    ("plan dev --set hubs.main.helm_values.hub.nodeSelector.disk=fast", {1}),
    ("plan dev --set pools.core.size=no", {2}),
    ("can dev main s3:GetObject lectures/week1.csv", {1}),
    ("can dev main nothing lectures/week1.csv", {2}),
    ("diff no.json", {2}),
    ("gate no.json", {2}),
    ("bundle verify nowhere", {2}),
    ("adopt config no.yaml --name x", {2}),
    ("migrate dev", {0}),
    ("explain nothing-like-it", {2}),
    ("explain spot-price", {0}),
]


@pytest.mark.real
@pytest.mark.parametrize(("line", "codes"), CODES)
def test_a_command_ends_as_its_help_says(line: str, codes: set[int], tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "users.txt").write_text("ada\n")
    (tmp_path / "two.txt").write_text("ada\nAda\n")
    done = in_process(line.split(), tmp_path)
    assert done.returncode in codes, done.stdout + done.stderr


@pytest.mark.real
@pytest.mark.parametrize("name", EXAMPLES)
def test_data_is_data_and_nothing_else(name: str) -> None:
    done = in_process(EXAMPLES[name].split(), ROOT)
    assert done.stderr == "" and faults(name, json.loads(done.stdout)) == []


#: Command lines that have no answer, with the problem's id.
UNANSWERED = [
    (PROBLEMS, "stack-file.missing"),
    ("plan dev --json --set pools.core.size=no", "option.kind"),
    ("plan dev --json - --html /nowhere/plan.html", "file.not-written"),
    ("plan dev --json --html /nowhere/plan.html", "file.not-written"),
    ("diff tests/fixtures/previews/replace.json --json --html /nowhere/x", "file.not-written"),
    ("who --json prod", "stack-file.missing"),
    ("who --json", "command.missing"),
    ("versions prod --json", "stack-file.missing"),
    ("versions --json --as-of never", "option.date"),
    ("certificate inspect dev --json", "hub.none"),
    ("migrate prod --json", "stack-file.missing"),
    ("diff no.json --json", "file.unreadable"),
    ("bundle verify nowhere --json", "lock.unreadable"),
    ("explain nothing-like-it --json", "explain.unknown"),
    ("values dev --json", "command.option"),
    ("whoo --json", "command.unknown"),
    ("homes mop --json", "command.unknown"),
    ("adopt config no.yaml --name x --json", "adopt.values"),
    ("adopt scan --region nowhere --name x --json", "region.malformed"),
]


@pytest.mark.real
@pytest.mark.parametrize(("line", "id"), UNANSWERED)
def test_problems_are_data_too(line: str, id: str) -> None:
    """One document on standard output, the text on standard error, the same exit code."""
    done = in_process(line.split(), ROOT)
    found = json.loads(done.stdout)
    assert done.returncode == 2 and faults("problems", found) == []
    assert [item["id"] for item in found["problems"]] == [id]
    assert f"[{id}]" in done.stderr


@pytest.mark.parametrize(
    "line", ["plan prod", "plan prod --json FILE", "plan prod --json=FILE", "who -- --json"]
)
def test_nothing_is_printed_where_no_data_was_asked_for(line: str) -> None:
    done = in_process(line.split(), ROOT)
    assert done.returncode == 2 and done.stdout == "" and done.stderr
