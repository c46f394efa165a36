"""Support dates and verified versions, on days of our choice."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from jupyterhub_aws.checks import versions
from jupyterhub_aws.checks.all import run_checks
from jupyterhub_aws.config.versions import Pin
from tests.checks.doctored import dev, doctored


@pytest.mark.parametrize(
    ("day", "status", "says"),
    [
        ("2026-11-23", "pass", "is in standard support until 2027-03-27"),
        ("2027-01-26", "pass", "2027-03-27"),
        ("2027-01-27", "warn", "leaves standard support in 59 days"),
        ("2027-03-27", "warn", "in 0 days"),
        ("2027-03-28", "fail", "left standard support on 2027-03-27"),
    ],
)
def test_support_is_judged_by_the_day(day: str, status: str, says: str) -> None:
    (finding,) = versions.support(dev()[0], datetime.date.fromisoformat(day))
    assert (finding.status, finding.path) == (status, "cluster.version")
    assert says in finding.message
    assert (finding.fix is None) == (status == "pass")


def test_only_newer_minors_are_named_as_newer() -> None:
    (finding,) = versions.support(dev()[0], datetime.date(2027, 3, 28))
    assert finding.fix == "set cluster.version to a newer minor: 1.36"
    (newest,) = versions.support(dev("cluster.version='1.36'")[0], datetime.date(2030, 1, 1))
    assert newest.fix == "set cluster.version to a newer minor: this release knows none"


def test_a_version_that_is_not_confirmed_with_this_minor_is_a_warning() -> None:
    findings = versions.verified(*dev())
    assert [(finding.status, "aws-efs-csi-driver" in finding.message) for finding in findings] == [
        ("warn", True)
    ]


UNSEEN = [("addon", "coredns"), ("chart", "cluster-autoscaler"), ("image", "cluster-autoscaler"), ("ami", "al2023-x86_64-nvidia")]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), UNSEEN)
def test_every_kind_of_version_is_watched(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    real, rows = versions.pin, versions.pins()

    def seen(row: Pin) -> Pin:
        return replace(row, verified=(row.kind, row.name) != (kind, name))

    monkeypatch.setattr(versions, "pin", lambda k, n, minor: seen(real(k, n, minor)))
    monkeypatch.setattr(versions, "pins", lambda: tuple(map(seen, rows)))
    findings = versions.verified(*dev())
    assert findings
    assert {finding.status for finding in findings} == {"warn"}
    says = (
        f"{kind} {name} {real(kind, name, '1.35').version} is not confirmed for Kubernetes 1.35:"
        " `pulumi up` may refuse it"
    )
    assert all(finding.message == says for finding in findings)
    assert all("jhub versions refresh" in (finding.fix or "") for finding in findings)


def test_a_stack_without_doubtful_versions_passes() -> None:
    stack, resources = dev('homes={"kind": "ebs"}')
    assert [finding.status for finding in versions.verified(stack, resources)] == ["pass"]


def test_images_are_looked_up_by_architecture() -> None:
    stack, resources = dev('pools.memory.instance_types=["r7g.2xlarge"]')
    assert any(
        "al2023-arm64-standard" in finding.message
        for finding in versions.verified(stack, resources)
    )


def test_an_addon_without_a_row_is_not_passed_over() -> None:
    _, resources = doctored(
        dev()[1], "aws:eks/addon:Addon", lambda inputs: inputs.update(addonName="unheard-of")
    )
    with pytest.raises(KeyError, match="unheard-of"):
        versions.verified(dev()[0], resources)


def test_all_checks_together_let_dev_pass() -> None:
    findings = run_checks(*dev(), datetime.date(2026, 11, 23))
    assert not [finding for finding in findings if finding.status == "fail"]
    assert {finding.id for finding in findings} >= {
        "support", "open-ingress", "encryption", "instance-metadata", "secrets", "protected", "tags", "documentation-values",
        "instance-types", "autoscaler-priorities", "addresses", "verified-versions",
    }  # fmt: skip
