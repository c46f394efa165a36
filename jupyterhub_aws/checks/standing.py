"""How each version that a stack uses stands on a day: insecure, past its end, near it, old, or
as it should be. Pure.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.releases import (
    Advisory,
    Kind,
    calendar,
    newest,
    numbers,
    open_in,
    releases,
)
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import Pin

Standing = Literal["insecure", "ended", "ending", "newer", "unverified", "current"]
#: From the gravest on. The first two make `jhub versions` fail.
STANDINGS: tuple[Standing, ...] = ("insecure", "ended", "ending", "newer", "unverified", "current")
FAILING: tuple[Standing, ...] = ("insecure", "ended")
#: From here on a plan reminds: an upgrade of one minor takes a team some weeks (this program's own
#: measure).
REMIND_DAYS = 60
#: EKS publishes images about every week with patches of their system (awslabs/amazon-eks-ami
#: releases); after a quarter this program reminds.
_IMAGE_DAYS = 90
HUB = "JupyterHub"


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """One part: its version in use, the newest known, until when it is supported (None: nobody
    says), and how it stands.
    """

    part: str
    in_use: str
    newest: str | None
    until: datetime.date | None
    standing: Standing
    says: str
    fix: str | None = None

    def as_json(self, as_of: datetime.date) -> dict[str, Any]:
        """The row as data."""
        left = None if self.until is None else (self.until - as_of).days
        until = None if self.until is None else self.until.isoformat()
        return {
            "part": self.part, "in_use": self.in_use, "newest_known": self.newest, "supported_until": until, "days_left": left,
            "status": self.standing, "says": self.says, "fix": self.fix,
        }  # fmt: skip


def concerning(stack: StackConfig | None, advisories: Sequence[Advisory]) -> list[Advisory]:
    """Those that affect a stack: all that affect everybody, and those of whose words a hub's own
    Helm values have one. Without a stack: the first.
    """
    texts = [] if stack is None else [json.dumps(hub.helm_values) for hub in stack.hubs.values()]
    return [
        item
        for item in advisories
        if not item.concerns or any(word in text for word in item.concerns for text in texts)
    ]


def standing(stack: StackConfig, used: Sequence[Pin], as_of: datetime.date) -> list[VersionRow]:
    """A row for each part of a stack, Kubernetes first. `used` are the pins of what the program
    registered.
    """
    found = [
        kubernetes(stack.cluster.version, as_of, upgraded=isinstance(stack.cluster, EksCluster))
    ]
    for pin in dict.fromkeys(used):
        if (pin.kind, pin.name) == ("chart", CHART):
            found += hub_rows(stack, pin.version)
        else:
            found.append(_pinned(pin, stack.cluster.version, as_of))
    return found


def kubernetes(minor: str, as_of: datetime.date, *, upgraded: bool = True) -> VersionRow:
    """The minor itself. `upgraded`: AWS upgrades a cluster of upgrade policy STANDARD by itself
    when standard support ends.
    """
    version, latest = calendar().get(minor), list(calendar())[-1]
    if version is None:
        return VersionRow(
            part="Kubernetes",
            in_use=minor,
            newest=latest,
            until=None,
            standing="unverified",
            says="its dates are not known here",
        )
    until = version.standard_support_until
    left, fix = (until - as_of).days, f"jhub upgrade plan STACK --to {_next(minor)}"
    if left < 0:
        extended = version.extended_support_until
        then = (
            "AWS upgrades it by itself"
            if upgraded
            else "on EKS it costs six times as much"
            if as_of <= extended
            else "nobody mends it"
        )
        return VersionRow(
            part="Kubernetes",
            in_use=minor,
            newest=latest,
            until=until,
            standing="ended",
            says=f"standard support is over: {then}",
            fix=fix,
        )
    if left < REMIND_DAYS:
        return VersionRow(
            part="Kubernetes",
            in_use=minor,
            newest=latest,
            until=until,
            standing="ending",
            says=f"leaves standard support in {left} days",
            fix=fix,
        )
    if minor != latest:
        return VersionRow(
            part="Kubernetes",
            in_use=minor,
            newest=latest,
            until=until,
            standing="newer",
            says=f"{latest} is there",
            fix=fix,
        )
    return VersionRow(
        part="Kubernetes",
        in_use=minor,
        newest=latest,
        until=until,
        standing="current",
        says="in standard support",
    )


def _next(minor: str) -> str:
    later = [other for other in calendar() if numbers(other) > numbers(minor)]
    return later[0] if later else minor


def hub_rows(stack: StackConfig | None, chart: str) -> Iterator[VersionRow]:
    """The chart, and the JupyterHub that it installs."""
    fix = (
        "take a newer version of this program, which pins it; to be first, pin it in"
        " config/data/versions.toml (scripts/refresh_chart.py)"
    )
    yield _software(stack, "chart", CHART, chart, fix)
    app = next((item.app for item in releases("chart", CHART) if item.version == chart), None)
    if app is not None:
        yield _software(
            stack,
            "software",
            HUB,
            app,
            "it comes with the chart: take a newer version of this program",
        )


def _software(
    stack: StackConfig | None, kind: Kind, name: str, version: str, fix: str
) -> VersionRow:
    part, latest = (f"{kind} {name}" if kind == "chart" else name), newest(kind, name, None)
    missing = open_in(kind, name, version)
    if serious := concerning(stack, missing):
        says = "; ".join(f"{item.id}: {item.what}, fixed in {item.fixed_in}" for item in serious)
        return VersionRow(
            part=part,
            in_use=version,
            newest=latest,
            until=None,
            standing="insecure",
            says=says,
            fix=fix,
        )
    others = "".join(
        f"; {item.id} ({item.what}) concerns only hubs whose helm_values say"
        f" {' or '.join(item.concerns)}"
        for item in missing
    )
    if latest is not None and numbers(latest) > numbers(version):
        return VersionRow(
            part=part,
            in_use=version,
            newest=latest,
            until=None,
            standing="newer",
            says=f"{latest} is there{others}",
            fix=fix,
        )
    return VersionRow(
        part=part,
        in_use=version,
        newest=latest,
        until=None,
        standing="current",
        says="the newest known",
    )


def _pinned(pin: Pin, minor: str, as_of: datetime.date) -> VersionRow:
    part, latest = f"{pin.kind} {pin.name}", newest(pin.kind, pin.name, minor)
    if latest is not None and numbers(latest) > numbers(pin.version):
        return VersionRow(
            part=part,
            in_use=pin.version,
            newest=latest,
            until=None,
            standing="newer",
            says=f"{latest} is there",
            fix="jhub versions refresh",
        )
    if pin.kind == "ami" and (age := _age(pin.version, as_of)) > _IMAGE_DAYS:
        says = f"its image is {age} days old: nodes lack the patches since then"
        return VersionRow(
            part=part,
            in_use=pin.version,
            newest=latest,
            until=None,
            standing="newer",
            says=says,
            fix="jhub versions refresh",
        )
    if not pin.verified:
        says = f"was not seen with Kubernetes {minor} ({pin.source})"
        return VersionRow(
            part=part,
            in_use=pin.version,
            newest=latest,
            until=None,
            standing="unverified",
            says=says,
            fix="jhub versions refresh",
        )
    return VersionRow(
        part=part,
        in_use=pin.version,
        newest=latest,
        until=None,
        standing="current",
        says="the newest known",
    )


def _age(release: str, as_of: datetime.date) -> int:
    """Days since an image's release, which ends in its date: 1.35.8-20260930."""
    return (
        as_of
        - datetime.datetime.strptime(release.rpartition("-")[2], "%Y%m%d")
        .replace(tzinfo=datetime.UTC)
        .date()
    ).days
