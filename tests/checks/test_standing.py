"""How versions stand on a day, and which security releases concern a stack."""

from __future__ import annotations

import datetime

import pytest

from jupyterhub_aws.checks import versions
from jupyterhub_aws.checks.versions import hub_rows, kubernetes, standing
from jupyterhub_aws.config.chart import chart_version
from jupyterhub_aws.config.versions import advisories, calendar
from tests.checks.doctored import dev, stack_of

DAY = datetime.date(2026, 11, 28)


@pytest.mark.parametrize(
    ("minor", "day", "status"),
    [
        ("1.35", "2026-11-28", "newer"),
        ("1.35", "2027-01-26", "newer"),
        ("1.35", "2027-01-27", "ending"),
        ("1.35", "2027-03-27", "ending"),
        ("1.35", "2027-03-28", "ended"),
        ("1.36", "2026-11-28", "current"),
        ("1.34", "2026-11-28", "ending"),
        ("1.33", "2026-11-28", "ended"),
        ("1.99", "2026-11-28", "unverified"),
    ],
)
def test_the_support_of_a_minor_version_follows_the_date(minor: str, day: str, status: str) -> None:
    assert kubernetes(minor, datetime.date.fromisoformat(day)).standing == status


def test_an_existing_cluster_is_not_upgraded_by_aws() -> None:
    assert "six times" in kubernetes("1.33", DAY, upgraded=False).says
    assert "by itself" in kubernetes("1.33", DAY).says
    assert "there is no fix" in kubernetes("1.31", DAY, upgraded=False).says


@pytest.mark.parametrize(
    ("chart", "missing"),
    [
        ("4.3.3", {"CVE-2026-40864", "GHSA-p43p-whwx-q52h"}),
        ("4.3.5", {"GHSA-p43p-whwx-q52h"}),
        ("4.4.0", set()),
    ],
)
def test_an_old_chart_lacks_the_releases_after_it(chart: str, missing: set[str]) -> None:
    row = next(iter(hub_rows(stack_of(), chart)))
    assert row.standing == ("insecure" if missing else "current")
    assert {item.id for item in advisories() if item.id in row.says} == missing


def test_a_release_that_concerns_few_concerns_whose_values_say_so() -> None:
    _, plain = hub_rows(stack_of(), "4.4.0")
    assert plain.standing == "newer" and "GHSA-c4gm-pwx9-9w8j" in plain.says, (
        "it is said, and does not fail"
    )
    sharing = "hubs.main.helm_values={hub: {loadRoles: {user: {scopes: [self, 'shares!user']}}}}"
    _, shared = hub_rows(stack_of(sharing), "4.4.0")
    assert shared.standing == "insecure" and "fixed in 5.5.1" in shared.says


def test_the_check_fails_for_a_hub_that_lacks_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.status for finding in versions.secure(*dev())] == ["pass"]
    real = versions.used
    from dataclasses import replace

    monkeypatch.setattr(
        versions,
        "used",
        lambda *both: [
            replace(pin, version="4.3.3") if pin.name == "jupyterhub" else pin
            for pin in real(*both)
        ],
    )
    (finding,) = versions.secure(*dev())
    assert finding.status == "fail" and "CVE-2026-40864" in finding.message and finding.fix


def test_every_part_of_a_stack_has_a_row_and_old_images_are_said() -> None:
    stack, resources = dev()
    used = versions.used(stack, resources)
    rows = standing(stack, used, DAY)
    assert rows[0].part == "Kubernetes" and {row.part for row in rows} >= {
        f"{pin.kind} {pin.name}" for pin in used
    }
    assert [row.in_use for row in rows if row.part == "JupyterHub"] == [
        "5.5.0"
    ] and chart_version() == "4.4.0"
    assert {row.standing for row in rows if row.part.startswith("ami ")} == {"current"}
    later = standing(stack, used, datetime.date(2027, 1, 1))
    assert [row.says for row in later if row.part == "ami al2023-x86_64-standard"] == [
        "its image is 93 days old: nodes lack the patches since then"
    ]


def test_the_calendar_is_in_order_and_holds_what_is_built() -> None:
    assert list(calendar()) == ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36"]
