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
    UNNAMED,
    data_formats,
    exit_codes,
    with_json,
)
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

WRITE = "python -m tests.support.command_pages"


def test_the_page_of_exit_codes_is_what_the_commands_say() -> None:
    assert EXITS.read_text(encoding="utf-8") == exit_codes(), WRITE


@pytest.mark.real
def test_the_page_of_data_formats_is_what_the_commands_print() -> None:
    assert FORMATS.read_text(encoding="utf-8") == data_formats(), WRITE


def test_every_command_with_data_is_on_the_page() -> None:
    assert {*EXAMPLES, *LIVE, *UNNAMED} == set(with_json())


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
    assert json.loads(done.stdout) and done.stderr == ""
