"""What a stack costs, as trials asked: in its own region, and when a change raises it (G9, G10)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.in_process import Done, in_process
from tests.support.regional_prices import regional_prices

pytestmark = pytest.mark.real

CASES = Path(__file__).parent / "cases"
BASE = (CASES / "plan-base.yaml").read_text(encoding="utf-8")
PROGRAM = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with regional_prices(tmp_path_factory.mktemp("prices")):
        yield


def _planned(folder: Path, text: str, *arguments: str) -> Done:
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(PROGRAM / name, folder)
    (folder / "Pulumi.trial.yaml").write_text(text, encoding="utf-8")
    return in_process(
        ["plan", "trial", "--as-of", "2026-11-23", *arguments], folder, {"COLUMNS": "200"}
    )


@cache
def _elsewhere(region: str) -> str:
    return BASE.replace("us-east-1", region)


@pytest.mark.parametrize("region", ["eu-central-1", "ap-northeast-1"])
def test_the_first_line_of_the_bill_says_what_is_not_at_the_regions_prices(
    tmp_path: Path, region: str
) -> None:
    lines = _planned(tmp_path, _elsewhere(region)).stdout.splitlines()
    (first,) = [
        index for index, line in enumerate(lines) if line.startswith("At the prices of us-east-1")
    ]
    assert (
        lines[first].rstrip()
        == f"At the prices of us-east-1 (≈), because those of {region} are not known here: network"
        " load balancer. scripts/refresh_prices.py brings them from AWS's public list, --prices FILE"
        " has yours."
    )
    assert lines[first + 1].startswith("per month, US dollars")
    assert any(line.startswith(f"Prices of {region}, 2026-01-15;") for line in lines)


def test_the_page_says_it_before_the_pictures_too(tmp_path: Path) -> None:
    done = _planned(tmp_path, _elsewhere("eu-central-1"), "--html", "page.html")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    cost = page[page.index('<section id="cost">') :]
    assert (
        0
        < cost.index("because those of eu-central-1 are not known here")
        < cost.index("at prices of eu-central-1, 2026-01-15")
        < cost.index("<figure>")
    )
    assert "made up for tests" in cost


def test_us_east_1_has_no_such_line(tmp_path: Path) -> None:
    said = _planned(tmp_path, BASE).stdout
    assert "because those of" not in said and "Prices of us-east-1, 2026-07-20;" in said


@pytest.mark.parametrize(("region", "code"), [("us-east-1", 0), ("ap-northeast-1", 2)])
def test_a_maximum_price_is_measured_by_the_regions_own_prices(
    tmp_path: Path, region: str, code: int
) -> None:
    """r6i.2xlarge costs 0.504 an hour in us-east-1 and 0.6048 in the other table: 0.027 is above
    a twentieth of the one and below that of the other.
    """
    done = _planned(tmp_path, _elsewhere(region).replace("max_price: '0.40'", "max_price: '0.027'"))
    assert done.returncode == code, done.stdout + done.stderr
    assert (
        code == 0
        or 'pools.user.max_price: is under a twentieth of the on-demand price (got "0.027", on demand 0.6048)'
        in done.stderr
    )


def test_doubling_a_pool_is_said_first_and_shuts_the_gate(tmp_path: Path) -> None:
    """G9: `max: 8 → 20` was «No user impact», with the gate open."""
    text, limits = (
        BASE.replace("max: 5", "max: 8"),
        "  jupyterhub-aws:gate:\n    cost: {maximum: 9000}\n",
    )
    plans = {
        "old": text,
        "new": text.replace("max: 8", "max: 20"),
        "bound": text + limits,
        "less": text.replace("max: 8", "max: 7"),
    }
    for name, content in plans.items():
        assert _planned(tmp_path, content, "--json", f"{name}.json").returncode == 0

    def gate(old: str, new: str) -> Done:
        return in_process(
            ["gate", str(tmp_path / f"{old}.json"), str(tmp_path / f"{new}.json")],
            tmp_path,
            {"COLUMNS": "200"},
        )

    shut = gate("old", "new")
    assert shut.returncode == 1 and "acknowledge trial costs-more stack::cost " in shut.stdout
    assert (
        shut.stdout.splitlines()[1].startswith("It can cost ")
        and "No user impact." not in shut.stdout
    )
    assert "gate.cost.maximum is 9,000" in gate("bound", "new").stdout
    assert gate("less", "bound").returncode == 1, (
        "the older side's policy counts, and it has no limit"
    )
    assert gate("bound", "less").returncode == 0 and gate("old", "less").returncode == 0


def test_what_has_another_regions_price_is_marked_in_line_and_sum(tmp_path: Path) -> None:
    """A table without the balancer: its line, the sums and no other line."""
    lines = _planned(tmp_path, _elsewhere("eu-central-1"), "--resources").stdout.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("per month"))
    end = next(at for at, line in enumerate(lines) if line.startswith("Prices of"))
    marked = [line.split("  ")[0] for line in lines[start:end] if "≈" in line]
    assert marked == ["network load balancer", "total"]
    balancer = next(line for line in lines if line.startswith("network load balancer"))
    assert balancer.split()[3:] == ["≈", "16.43"] * 3


def test_what_costs_nothing_has_no_mark(tmp_path: Path) -> None:
    lines = _planned(tmp_path, _elsewhere("eu-west-3"), "--resources").stdout.splitlines()
    core = next(line for line in lines if line.startswith("core nodes"))
    assert core.split()[2:] == ["≈", "163.17", "0.00", "≈", "163.17"]
    control = next(line for line in lines if line.startswith("EKS control plane"))
    assert "≈" not in control, "the same price in every commercial region"
    assert any(line.split()[-4:-2] == ["≈", "0.029"] for line in lines), "the hours too"


@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_command_for_spot_prices_can_be_copied(tmp_path: Path, columns: str) -> None:
    """A shell reads one command, however narrow the terminal was."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(PROGRAM / name, tmp_path)
    (tmp_path / "Pulumi.trial.yaml").write_text(BASE, encoding="utf-8")
    done = in_process(["plan", "trial", "--resources"], tmp_path, {"COLUMNS": columns})
    lines = done.stdout.split("What spot costs now:\n")[1].splitlines()
    told = next(at for at, line in enumerate(lines) if not line.endswith("\\"))
    assert all(len(line) <= 80 for line in lines[: told + 1])
    script = "aws() { printf '%s\\n' \"$@\"; }\n" + "\n".join(lines[: told + 1])
    words = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert words[:4] == ["ec2", "describe-spot-price-history", "--region", "us-east-1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", words[words.index("--start-time") + 1])
    assert words[-2:] == ["--output", "text"]


def test_the_page_marks_them_and_has_the_command(tmp_path: Path) -> None:
    done = _planned(tmp_path, _elsewhere("eu-central-1"), "--html", "page.html")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    cost = page[page.index('<section id="cost">') :]
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td class="num">(≈ )?', cost)
    assert [what for what, mark in rows if mark] == ["network load balancer"]
    assert len(re.findall(r"<b>≈ \$", cost)) == 2, "the totals of the pictures"
    assert len(re.findall(r'<td class="num">≈ ', cost[cost.index("<tfoot>") :])) >= 3
    assert "aws ec2 describe-spot-price-history --region eu-central-1" in cost
    assert "Only your account knows discounts, credits, Savings Plans" in cost


def test_prices_of_ones_own_in_one_region(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[regions.eu-central-1]\nnetwork_load_balancer_hour = "0.1"\n'
        '[regions.eu-west-3]\nnetwork_load_balancer_hour = "0.2"\n'
    )
    prices = ("--prices", str(tmp_path / "own.toml"))
    said = _planned(tmp_path, _elsewhere("eu-central-1"), *prices).stdout
    assert "≈" not in said and "73.00" in said
    assert "Prices of eu-central-1, 2026-01-15, 1 of them from own.toml;" in said
