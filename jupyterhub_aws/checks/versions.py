"""Whether what the stack pins is supported on the day of the plan, and whether the combination is
tested it work together.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from jupyterhub_aws.checks.finding import Finding, fail, passed, skip, verdict, warn
from jupyterhub_aws.checks.resources import Resources, chart_name
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import (
    Advisory,
    Pin,
    ReleaseKind,
    calendar,
    kubernetes_versions,
    newest,
    numbers,
    open_in,
    pin,
    pins,
    releases,
)

# --- The support status of each version that a stack uses on a day: insecure, past its end, near
# it, old, or current. Pure.


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
    """One part: its version in use, the newest known, until when it is supported (None: not
    published), and its status.
    """

    part: str
    in_use: str
    newest: str | None
    standing: Standing
    says: str
    until: datetime.date | None = None
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
    """Those that affect a stack: all that affect every stack, and those with a word that a hub's
    own Helm values contain. Without a stack: the first.
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
    for one in dict.fromkeys(used):
        if (one.kind, one.name) == ("chart", CHART):
            found += hub_rows(stack, one.version)
        else:
            found.append(_pinned(one, stack.cluster.version, as_of))
    return found


def kubernetes(minor: str, as_of: datetime.date, *, upgraded: bool = True) -> VersionRow:
    """The minor itself. `upgraded`: AWS upgrades a cluster of upgrade policy STANDARD by itself
    when standard support ends.
    """
    version, latest = calendar().get(minor), list(calendar())[-1]
    row = partial(VersionRow, part="Kubernetes", in_use=minor, newest=latest)
    if version is None:
        return row(standing="unverified", says="its dates are not known here")
    until = version.standard_support_until
    left, fix = (until - as_of).days, f"jhub upgrade plan STACK --to {_next(minor)}"
    if left < 0:
        then = (
            "AWS upgrades it by itself"
            if upgraded
            else "on EKS it costs six times as much"
            if as_of <= version.extended_support_until
            else "there is no fix"
        )
        says = f"standard support is over: {then}"
        return row(standing="ended", says=says, until=until, fix=fix)
    if left < REMIND_DAYS:
        says = f"leaves standard support in {left} days"
        return row(standing="ending", says=says, until=until, fix=fix)
    if minor != latest:
        return row(standing="newer", says=f"{latest} is there", until=until, fix=fix)
    return row(standing="current", says="in standard support", until=until)


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
        fix = "it comes with the chart: take a newer version of this program"
        yield _software(stack, "software", HUB, app, fix)


def _software(
    stack: StackConfig | None, kind: ReleaseKind, name: str, version: str, fix: str
) -> VersionRow:
    part, latest = (f"{kind} {name}" if kind == "chart" else name), newest(kind, name, None)
    row = partial(VersionRow, part=part, in_use=version, newest=latest)
    missing = open_in(kind, name, version)
    if serious := concerning(stack, missing):
        says = "; ".join(f"{item.id}: {item.what}, fixed in {item.fixed_in}" for item in serious)
        return row(standing="insecure", says=says, fix=fix)
    others = "".join(
        f"; {item.id} ({item.what}) concerns only hubs with helm_values that contain"
        f" {' or '.join(item.concerns)}"
        for item in missing
    )
    if latest is not None and numbers(latest) > numbers(version):
        return row(standing="newer", says=f"{latest} is there{others}", fix=fix)
    return row(standing="current", says="the newest known")


def _pinned(pin: Pin, minor: str, as_of: datetime.date) -> VersionRow:
    part, latest = f"{pin.kind} {pin.name}", newest(pin.kind, pin.name, minor)
    row = partial(VersionRow, part=part, in_use=pin.version, newest=latest)
    refresh = "jhub versions refresh"
    if latest is not None and numbers(latest) > numbers(pin.version):
        return row(standing="newer", says=f"{latest} is there", fix=refresh)
    if pin.kind == "ami" and (age := _age(pin.version, as_of)) > _IMAGE_DAYS:
        says = f"its image is {age} days old: nodes lack the patches since then"
        return row(standing="newer", says=says, fix=refresh)
    if not pin.verified:
        says = f"was not seen with Kubernetes {minor} ({pin.source})"
        return row(standing="unverified", says=says, fix=refresh)
    return row(standing="current", says="the newest known")


def _age(release: str, as_of: datetime.date) -> int:
    """Days since an image's release, which ends in its date: 1.35.8-20260930."""
    return (as_of - datetime.date.fromisoformat(release.rpartition("-")[2])).days


def support(stack: StackConfig, as_of: datetime.date) -> list[Finding]:
    """The Kubernetes minor is in standard support on that day, and for a while after it."""
    if not isinstance(stack.cluster, EksCluster):  # its owner's, and perhaps not AWS's at all
        message = "how long the cluster's version is supported is its owner's to know"
        return [skip("support", message, path="cluster.version")]
    version = kubernetes_versions()[stack.cluster.version]
    what, day = f"Kubernetes {version.minor}", version.standard_support_until
    newer = [
        minor for minor in sorted(kubernetes_versions()) if numbers(minor) > numbers(version.minor)
    ]
    fix = f"set cluster.version to a newer minor: {', '.join(newer) or 'this release knows none'}"
    left = (day - as_of).days
    if left < 0:
        message = (
            f"{what} left standard support on {day}: AWS upgrades it by itself (upgrade policy"
            " STANDARD)"
        )
        return [fail("support", message, fix, path="cluster.version")]
    if left < REMIND_DAYS:
        message = f"{what} leaves standard support in {left} days ({day})"
        return [warn("support", message, fix, path="cluster.version")]
    message = f"{what} is in standard support until {day}"
    return [passed("support", message, path="cluster.version")]


def verified(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every pinned version that the program uses was seen by its source for this very Kubernetes
    minor.
    """
    fix = (
        "with AWS credentials: jhub versions refresh asks AWS, and writes the version that it"
        " offers"
    )
    doubtful = (
        warn(
            "verified-versions",
            f"{found.kind} {found.name} {found.version} is not confirmed for Kubernetes"
            f" {stack.cluster.version}: `pulumi up` may refuse it",
            fix,
        )
        for found in used(stack, resources)
        if not found.verified
    )
    holds = "every pinned version was seen by its source with this Kubernetes minor"
    return verdict("verified-versions", doubtful, otherwise=holds)


def secure(stack: StackConfig, resources: Resources) -> list[Finding]:
    """No hub lacks a known security release that concerns it."""
    insecure = (
        fail("security-releases", f"{row.part} {row.in_use}: {row.says}", row.fix, path="hubs")
        for found in dict.fromkeys(used(stack, resources))
        if (found.kind, found.name) == ("chart", CHART)
        for row in hub_rows(stack, found.version)
        if row.standing in FAILING
    )
    holds = "no known security release that concerns this stack is missing"
    return verdict("security-releases", insecure, otherwise=holds)


def used(stack: StackConfig, resources: Resources) -> list[Pin]:
    """The pins of all registered resources: add-ons, charts with their images, node images."""
    minor = stack.cluster.version
    found = [
        pin("addon", str(addon.inputs["addonName"]), minor)
        for addon in resources.of("aws:eks/addon:Addon")
    ]
    for release in resources.of("kubernetes:helm.sh/v3:Release"):
        name = chart_name(release)
        found.append(pin("chart", name, minor))
        found += [
            image
            for image in pins()
            if (image.kind, image.name) == ("image", name) and image.kubernetes in (None, minor)
        ]
    images = sorted(
        {str(group.inputs["amiType"]) for group in resources.of("aws:eks/nodeGroup:NodeGroup")}
        | _template_images(resources)
    )
    return found + [pin("ami", _ami_name(image), minor) for image in images]


def _template_images(resources: Resources) -> set[str]:
    """AMI types by the path of their parameter (…/amazon-linux-2023/x86_64/nvidia/…)."""
    found = set()
    for template in resources.of("aws:ec2/launchTemplate:LaunchTemplate"):
        parts = str(template.inputs.get("imageId", "")).split("/")
        if "amazon-linux-2023" in parts:
            start = parts.index("amazon-linux-2023")
            found.add(f"AL2023_{parts[start + 1]}_{parts[start + 2]}")
    return found


def _ami_name(ami_type: str) -> str:
    """`AL2023_x86_64_STANDARD` as the versions table names it: `al2023-x86_64-standard`."""
    head, _, variant = ami_type.lower().rpartition("_")
    return f"{head.replace('al2023_', 'al2023-').replace('arm_64', 'arm64')}-{variant}"
