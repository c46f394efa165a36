"""What docs/costs.md says is what the program does: its bills, its file of prices, its names and its
commands.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from jupyterhub_aws.checks.cost_lines import LEFT_OUT
from jupyterhub_aws.config.prices import read_prices, rows
from tests.support.in_process import in_process
from tests.support.price_list import WHOLE
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

PAGE = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^( *)```{kind}\n(.*?)^\1```$", PAGE, re.MULTILINE | re.DOTALL)


@cache
def planned(*arguments: str) -> str:
    done = in_process(["plan", "dev", "--as-of", "2026-11-30", *arguments], ROOT, {"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_bills_are_those_of_the_sample() -> None:
    bill, hours, marked = (text for _, text in blocks("text"))
    assert bill in planned() and hours in planned()
    for line in marked.splitlines():
        assert line.replace("≈", " ").split() in [row.split() for row in bill.splitlines()]


def test_the_sum_of_a_course_is_right() -> None:
    found = re.search(r"(\d+) × (\d+) × ([\d.]+) = (\d+) US dollars", PAGE)
    assert found is not None
    users, hours, each, total = map(float, found.groups())
    assert round(users * hours * each) == total and f" {each} " in planned()


def test_the_file_of_prices_is_one(tmp_path: Path) -> None:
    ((_, text),) = blocks("toml")
    file = tmp_path / "prices.toml"
    file.write_text(text)
    found = read_prices(file)
    assert found.own.fixed and found.own.ec2
    assert found.by_region["eu-west-1"].fixed and found.by_region["eu-west-1"].ec2


def test_the_table_has_every_name() -> None:
    names = PAGE[PAGE.index("| name | what |") : PAGE.index("## What only your account knows")]
    told = set(re.findall(r"`([a-z0-9_]+(?::CLASS)?)`", names))
    assert told == {re.sub(r"^rds_hour:.*", "rds_hour:CLASS", name) for name in rows()}


def test_every_service_of_the_list_is_named() -> None:
    (told,) = re.findall(r"The services are ([^.]*)\.", PAGE)
    assert set(re.split(r", | and ", told)) == set(WHOLE)


def test_the_commands_are_there() -> None:
    lines = [line.strip() for _, text in blocks("") for line in text.splitlines()]
    plans = [line.split()[3:] for line in lines if line.startswith("jhub plan dev ")]
    assert plans == [
        ["--set", "pools.gpu.size.max=1"],
        ["--against", "HEAD"],
        ["--prices", "prices.toml"],
    ]
    assert "2,876.76" in planned(*plans[0]), "one GPU node at most"
    options = in_process(["plan", "--help"], ROOT, {}).stdout
    assert all(plan[0] in options for plan in plans)
    scripts = [line for line in lines if "scripts/refresh_prices.py" in line]
    assert len(scripts) == 2 and (ROOT / "scripts" / "refresh_prices.py").exists()


def test_what_is_left_out_is_what_the_plan_leaves_out() -> None:
    page = PAGE[PAGE.index("## What is not in the bill") :]
    for word in ("traffic", "homes", "backups and snapshots", "logs"):
        assert any(word in left for left in LEFT_OUT) and f"| {word} |" in page
