"""Which images, charts and versions are others: what will be pulled that was not before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.mask import masked_text
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.checks.resources import Resource, chart_of
from jupyterhub_aws.checks.user_pods import hub_releases, user_pods

RELEASE, ADDON = "kubernetes:helm.sh/v3:Release", "aws:eks/addon:Addon"
_DEPTH = 12


def images(old: Side, new: Side) -> list[dict[str, Any]]:
    """What differs, sorted: where it is used, and what it was and will be (None: it was not, or
    will not be, there).
    """
    before, after = dict(_of(old)), dict(_of(new))
    return [
        {"where": masked_text(key), "old": _masked(before.get(key)), "new": _masked(after.get(key))}
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _masked(text: str | None) -> str | None:
    return None if text is None else masked_text(text)


def _of(side: Side) -> Iterator[tuple[str, str]]:
    for release in side.resources.of(RELEASE):
        yield (
            f"{release.name}: chart",
            f"{chart_of({'chart': '', **release.inputs})} {release.inputs.get('version', '')}".strip(),
        )
        yield from _maps(release.name, release.inputs.get("values"), "", _DEPTH)
    for release in hub_releases(side.resources):
        with contextlib.suppress(
            ArithmeticError, AttributeError, LookupError, TypeError, ValueError
        ):  # said to be unknown where effects are told
            yield from [
                (f"{release.name}: servers, {pod.display_name}", pod.image)
                for pod in user_pods(release)
            ]
    for addon in side.resources.of(ADDON):
        yield (
            f"{addon.name}: add-on",
            f"{addon.inputs.get('addonName', '')} {addon.inputs.get('addonVersion', '')}".strip(),
        )
    for other in side.resources:
        yield from _nodes(other)


def _maps(name: str, value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping) or depth == 0:
        return
    for key, item in value.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(item, Mapping) and {"tag", "name"} & set(item) and "tag" in item:
            yield (
                f"{name}: {here}",
                ":".join(str(item[part]) for part in ("name", "tag") if item.get(part)),
            )
        elif isinstance(item, Mapping) and "repository" in item:
            yield (
                f"{name}: {here}",
                ":".join(str(item[part]) for part in ("repository", "tag") if item.get(part)),
            )
        else:
            yield from _maps(name, item, here, depth - 1)


def _nodes(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.type == "aws:ec2/launchTemplate:LaunchTemplate" and resource.inputs.get("imageId"):
        yield f"{resource.name}: nodes", str(resource.inputs["imageId"])
    if resource.type == "aws:eks/nodeGroup:NodeGroup" and resource.inputs.get("releaseVersion"):
        yield f"{resource.name}: nodes", str(resource.inputs["releaseVersion"])
    if resource.type == "aws:eks/cluster:Cluster" and resource.inputs.get("version"):
        yield f"{resource.name}: Kubernetes", str(resource.inputs["version"])
