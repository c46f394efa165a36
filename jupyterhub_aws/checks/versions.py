"""Whether what the stack pins is supported on the day of the plan, and whether anybody has seen
it work together.
"""

from __future__ import annotations

import datetime

from jupyterhub_aws.checks.finding import Finding, Status, verdict
from jupyterhub_aws.checks.resources import Resources, chart_name
from jupyterhub_aws.checks.standing import FAILING, REMIND_DAYS, hub_rows
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import Pin, kubernetes_versions, pin, pins


def support(stack: StackConfig, as_of: datetime.date) -> list[Finding]:
    """The Kubernetes minor is in standard support on that day, and for a while after it."""
    if not isinstance(stack.cluster, EksCluster):  # its owner's, and perhaps not AWS's at all
        return [
            Finding(
                id="support",
                status="skip",
                message="how long the cluster's version is supported is its owner's to know",
                path="cluster.version",
            )
        ]
    version = kubernetes_versions()[stack.cluster.version]
    left = (version.standard_support_until - as_of).days
    day, newer = (
        version.standard_support_until,
        f"set cluster.version to a newer minor: {', '.join(sorted(kubernetes_versions()))}",
    )

    def found(status: Status, message: str, fix: str | None = newer) -> list[Finding]:
        return [
            Finding(
                id="support",
                status=status,
                message=f"Kubernetes {version.minor} {message}",
                path="cluster.version",
                fix=fix,
            )
        ]

    if left < 0:
        return found(
            "fail",
            f"left standard support on {day}: AWS upgrades it by itself (upgrade policy STANDARD)",
        )
    if left < REMIND_DAYS:
        return found("warn", f"leaves standard support in {left} days ({day})")
    return found("pass", f"is in standard support until {day}", None)


def verified(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every pinned version that the program uses was seen by its source for this very Kubernetes
    minor.
    """
    doubtful = [found for found in used(stack, resources) if not found.verified]
    return verdict(
        "verified-versions",
        (
            Finding(
                id="verified-versions",
                status="warn",
                message=(
                    f"{found.kind} {found.name} {found.version} is not confirmed for Kubernetes"
                    f" {stack.cluster.version}: `pulumi up` may refuse it"
                ),
                fix=(
                    "with AWS credentials: jhub versions refresh asks AWS, and writes the version"
                    " that it offers"
                ),
            )
            for found in doubtful
        ),
        otherwise="every pinned version was seen by its source with this Kubernetes minor",
    )


def secure(stack: StackConfig, resources: Resources) -> list[Finding]:
    """No hub lacks a known security release that concerns it."""
    charts = [
        found for found in used(stack, resources) if (found.kind, found.name) == ("chart", CHART)
    ]
    return verdict(
        "security-releases",
        (
            Finding(
                id="security-releases",
                status="fail",
                message=f"{row.part} {row.in_use}: {row.says}",
                path="hubs",
                fix=row.fix,
            )
            for found in dict.fromkeys(charts)
            for row in hub_rows(stack, found.version)
            if row.standing in FAILING
        ),
        otherwise="no known security release that concerns this stack is missing",
    )


def used(stack: StackConfig, resources: Resources) -> list[Pin]:
    """The pins of everything that was registered: add-ons, charts with their images, node
    images.
    """
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
