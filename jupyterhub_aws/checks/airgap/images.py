"""Every image and chart is inside: in the stack's registry, in a folder, on the nodes, or EKS's
own in the region.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jupyterhub_aws.checks.airgap.user_data import texts
from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, chart_name
from jupyterhub_aws.config.bundle import normalized
from jupyterhub_aws.config.chart import CHART, effective
from jupyterhub_aws.config.endpoints import addon_account
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.registry import OnNodes

_RELEASE = "kubernetes:helm.sh/v3:Release"
#: Hosts of registries, as they stand in front of an image in a script.
_REGISTRIES = (
    "docker.io/",
    "quay.io/",
    "registry.k8s.io/",
    "ghcr.io/",
    "gcr.io/",
    "nvcr.io/",
    "public.ecr.aws/",
    "mcr.microsoft.com/",
)


def images(view: View) -> Iterator[Finding]:
    """Values of releases at any depth, the chart's own included; manifests; settings of add-ons;
    what nodes run when they start.
    """
    for release in view.resources.of(_RELEASE):
        values = release.inputs.get("values", {})
        whole = effective(values) if chart_name(release) == CHART else values
        yield from _judged(view, release, whole, ("values",))
        yield from _free_choice(release, whole)
    for resource in view.resources:
        if resource.type.startswith("kubernetes:") and resource.type != _RELEASE:
            yield from _judged(view, resource, dict(resource.inputs), ())
    for addon in view.resources.of("aws:eks/addon:Addon"):
        yield from _judged(
            view, addon, _parsed(addon.inputs.get("configurationValues")), ("configurationValues",)
        )
    for resource, text in texts(view.resources):
        for host in _REGISTRIES:
            if host in text:
                yield fault(
                    "images",
                    resource,
                    f"pulls from {host.rstrip('/')} in its user data",
                    "put the image into the bundle",
                )


def _judged(view: View, resource: Resource, values: Any, at: tuple[str, ...]) -> Iterator[Finding]:
    for use in images_in(values):
        if not _inside(view, use.reference):
            path = dotted((*at, *use.path))
            yield fault(
                "images",
                resource,
                f"names {use.reference} at {path}",
                "put it into the registry (`jhub bundle`), and name it there",
                "registry",
            )


def _inside(view: View, reference: str) -> bool:
    if isinstance(view.stack.registry, OnNodes):
        return (
            True  # whatever it is called, nobody is asked for it: the pull policy is judged instead
        )
    registry = view.stack.own_registry
    region = view.stack.region
    own_of_eks = f"{addon_account(region)}.dkr.ecr.{region}.amazonaws.com/"
    return registry is not None and (
        reference.startswith(f"{registry}/") or normalized(reference).startswith(own_of_eks)
    )


def _free_choice(release: Resource, values: Any) -> Iterator[Finding]:
    """Where people may type an image's name, no plan knows which."""
    for index, profile in enumerate(values.get("singleuser", {}).get("profileList") or []):
        for option, offered in (profile.get("profile_options") or {}).items():
            if (offered.get("unlisted_choice") or {}).get("enabled"):
                where = f"values.singleuser.profileList[{index}].profile_options.{option}"
                yield fault(
                    "images",
                    release,
                    f"lets people type the name of an image ({where})",
                    "list the choices",
                )


def pull_policies(view: View) -> Iterator[Finding]:
    """Images on nodes are never asked for."""
    if not isinstance(view.stack.registry, OnNodes):
        return
    for release in view.resources.of(_RELEASE):
        for use in images_in(
            effective(release.inputs.get("values", {}))
            if chart_name(release) == CHART
            else release.inputs.get("values", {})
        ):
            image: Any = (
                effective(release.inputs.get("values", {}))
                if chart_name(release) == CHART
                else release.inputs.get("values", {})
            )
            for key in use.path:
                image = image[key]
            if isinstance(image, dict) and image.get("pullPolicy") != "Never":
                what = (
                    f"would ask a registry for {use.reference} at {dotted(('values', *use.path))}"
                    f" (pullPolicy {image.get('pullPolicy')})"
                )
                yield fault("images", release, what, "set pullPolicy to Never")


def charts(view: View) -> Iterator[Finding]:
    """Charts come from the stack's registry or from a folder, not from their makers."""
    registry = view.stack.own_registry
    for release in view.resources.of(_RELEASE):
        chart, repository = (
            str(release.inputs["chart"]),
            (release.inputs.get("repositoryOpts") or {}).get("repo"),
        )
        inside = (registry is not None and chart.startswith(f"oci://{registry}/")) or (
            "://" not in chart and repository is None
        )
        if not inside:
            yield fault(
                "charts",
                release,
                f"takes its chart from {repository or chart}",
                "push it (`jhub bundle`), or give registry.charts",
                "registry.charts",
            )


def _parsed(text: object) -> Any:
    try:
        return json.loads(str(text)) if text else {}
    except ValueError:
        return {}
