"""The inventory of a stack's external dependencies: every image and chart, from the values that
it renders and the versions table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.hub_values.pods import used_images
from jupyterhub_aws.components.hub.values.hub import upstream_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.chart import CHART
from jupyterhub_aws.config.images import images_in
from jupyterhub_aws.config.specs import StackSpec
from jupyterhub_aws.config.specs.autoscaler import NAME as AUTOSCALER
from jupyterhub_aws.config.specs.dask_gateway import NAME as DASK
from jupyterhub_aws.config.specs.dask_gateway import images_of_dask
from jupyterhub_aws.config.versions import pin


@dataclass(frozen=True, kw_only=True)
class ExternalArtifact:
    """One image or chart under its publisher's name, and what needs it. `repository` and `version`
    are a chart's.
    """

    reference: str
    needed_by: tuple[str, ...]
    repository: str = ""
    version: str = ""


def releases(spec: StackSpec) -> Mapping[str, Mapping[str, Any]]:
    """The values of every release besides the hubs' by its chart, images under their publishers'
    names. None in a cluster that exists already.
    """
    return (
        {}
        if spec.autoscaler is None
        else {AUTOSCALER: spec.autoscaler.values, **spec.node_agents.values}
    )


def needed_images(spec: StackSpec) -> tuple[ExternalArtifact, ...]:
    """Every image that a pod of the stack uses, by name; without those that are pushed to the
    stack's own registry by other means than a bundle (`image_repositories`).
    """
    found: dict[str, set[str]] = {}
    own = spec.images.registry
    for reference, who in _uses(spec):
        if own is not None and reference.startswith(f"{own}/"):
            continue
        found.setdefault(reference, set()).add(who)
    return tuple(
        ExternalArtifact(reference=reference, needed_by=tuple(sorted(found[reference])))
        for reference in sorted(found)
    )


def _uses(spec: StackSpec) -> Iterator[tuple[str, str]]:
    for chart, values in releases(spec).items():
        for use in images_in(values):
            yield use.reference, chart
    if hubs := _with_dask(spec):
        for reference in images_of_dask(spec.stack.cluster.version):
            yield from ((reference, f"{DASK} of hub {name}") for name in hubs)
    for name, hub in spec.hubs.items():
        for path, reference in used_images(upstream_values(hub, UNKNOWN)):
            yield reference, f"hub {name}: {'.'.join(map(str, path))}"


def _with_dask(spec: StackSpec) -> list[str]:
    """The hubs beside which a program adds Dask Gateway: by the name of the service that it has."""
    return [name for name, hub in spec.hubs.items() if DASK in hub.options.services]


def needed_charts(spec: StackSpec) -> tuple[ExternalArtifact, ...]:
    """Every chart of the stack, by name."""
    hubs = tuple(f"hub {name}" for name in spec.hubs)
    who = {chart: (chart,) for chart in releases(spec)} | ({CHART: hubs} if hubs else {})
    if dask := _with_dask(spec):
        who[DASK] = tuple(f"hub {name}" for name in dask)
    pinned = {name: pin("chart", name, spec.stack.cluster.version) for name in sorted(who)}
    return tuple(
        ExternalArtifact(
            reference=name, needed_by=who[name], repository=str(row.repository), version=row.version
        )
        for name, row in pinned.items()
    )
