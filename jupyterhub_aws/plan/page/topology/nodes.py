"""The nodes in the picture: the core group with the hubs that run on it, and the pools of
people's servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from jupyterhub_aws.checks.groups import UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.checks.user_pods import hub_of
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.plan.page.text import natural, shape
from jupyterhub_aws.plan.page.topology.owners import Owners, host
from jupyterhub_aws.plan.page.topology.places import Places
from jupyterhub_aws.plan.page.topology.shape import Element, Row

_CORE = "aws:eks/nodeGroup:NodeGroup"


def core(places: Places, owners: Owners) -> Row:
    """The managed groups, hubs inside the first of them; hubs alone where the groups are not of
    this stack.
    """
    hubs = tuple(
        Element(
            kind="hub",
            title=f"hub {hub_of(release)}",
            lines=(host(release) or f"namespace {release.inputs.get('namespace')}",),
            urn=release.urn,
        )
        for release in sorted(owners.releases, key=lambda item: natural(hub_of(item)))
    )
    groups = places.resources.of(_CORE)
    if not groups:
        return (
            (
                Element(
                    kind="core",
                    title="Hubs",
                    lines=("on the core nodes of the cluster",),
                    zones=places.of(None),
                    parts=hubs,
                ),
            )
            if hubs
            else ()
        )
    return tuple(
        _core(group, places, hubs if index == 0 else ()) for index, group in enumerate(groups)
    )


def _core(group: Resource, places: Places, hubs: Row) -> Element:
    size = group.inputs["scalingConfig"]
    types = group.inputs["instanceTypes"]
    lines = (
        f"{_count(size['minSize'], size['maxSize'])} always on, on demand",
        " or ".join(types),
        "hubs, autoscaler, add-ons",
    )
    return Element(
        kind="core",
        title="Core nodes",
        lines=lines,
        urn=group.urn,
        zones=places.of(group.inputs.get("subnetIds")),
        parts=hubs,
    )


def pools(stack: StackConfig, places: Places) -> tuple[Row, ...]:
    """One row for each pool, by name: a box where its groups are, and inside it what each group
    buys.
    """
    groups = sorted(
        (node for node in user_nodes(stack, places.resources) if node.group is not None),
        key=lambda node: natural(node.pool),
    )
    return tuple(
        tuple(_boxes(pool, list(found), places))
        for pool, found in groupby(groups, key=lambda node: node.pool)
    )


def _boxes(pool: str, nodes: list[UserNodes], places: Places) -> Iterator[Element]:
    def where(node: UserNodes) -> tuple[int, ...]:
        return places.of(_group(node).inputs.get("vpcZoneIdentifiers"))

    for zones, group in groupby(sorted(nodes, key=where), key=where):
        here = sorted(group, key=lambda node: (not node.spot, node.name))
        kind = "gpu" if here[0].gpus else "pool"
        lines = (shape(here[0].types[0]), ", ".join(item.name for item in here[0].types))
        yield Element(
            kind=kind,
            title=f"Pool {pool}",
            lines=lines,
            zones=zones,
            urn=_group(here[0]).parent,
            parts=tuple(map(_market, here)),
        )


def _group(node: UserNodes) -> Resource:
    assert node.group is not None  # noqa: S101 -- nodes that are there already are in no picture of what is made
    return node.group


def _market(node: UserNodes) -> Element:
    inputs = _group(node).inputs
    limit = inputs["mixedInstancesPolicy"]["instancesDistribution"].get("spotMaxPrice")
    size = _count(inputs["minSize"], inputs["maxSize"])
    line = f"{size}, at most ${limit}/h" if limit else size
    return Element(
        kind="market",
        title="spot" if node.spot else "on demand",
        lines=(line,),
        urn=_group(node).urn,
    )


def _count(least: int, most: int) -> str:
    return f"{most} nodes" if least == most else f"{least}–{most} nodes"
