"""A paused stack: no nodes run, all data is retained. The options say what else is removed while
it is paused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.errors import Problem, Rules, refuse, shown
from jupyterhub_aws.config.homes import EfsHomesSection, Homes
from jupyterhub_aws.config.hub_rules import Hubs
from jupyterhub_aws.config.maintenance import paused_page_has_a_balancer
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.network import (
    AirgapNetworkSection,
    AnyNetwork,
    ExistingNetworkSection,
    OpenNetworkSection,
)

_TAG = re.compile(r"[^=\s][^=]*=[^=]*")


def boolean(value: object) -> object:
    """A scalar at top level arrives as text once the engine has rewritten the file (facts of the
    engine: `true` becomes "true").
    """
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _tag(value: str) -> str:
    if not _TAG.fullmatch(value):
        fix = "write a tag that these machines have, such as k8s.io/role/master=1"
        raise refuse("pause.tag", f"is not of the form KEY=VALUE (got {shown(value)})", fix)
    return value


#: `paused`, a scalar at top level.
Paused = Annotated[bool, BeforeValidator(boolean)]
Tag = Annotated[
    str, AfterValidator(_tag), Field(json_schema_extra={"examples": ["k8s.io/role/master=1"]})
]
Dropped = Literal["nat", "endpoints", "balancers"]


class PausedInstances(Model):
    """The instances of an existing cluster, by a tag for each kind. Only instances with the tag
    are ever stopped or started.
    """

    control_plane: Tag = option(
        help="Tag of the control plane's instances, as KEY=VALUE: stopped last, started first.",
        changing="For the next pause.",
    )
    nodes: Tag = option(
        help="Tag of the nodes' instances, as KEY=VALUE: stopped first, started last.",
        changing="For the next pause.",
    )


class Pause(Model):
    """What a pause does besides stopping servers and nodes."""

    drop: tuple[Dropped, ...] = option(
        (),
        help=(
            "What is deleted while paused and created again afterwards: `nat` (its addresses are"
            " retained), `endpoints` (all but those that the runner needs), `balancers` (only with"
            " names in `route53_zone`, which then point to the new ones)."
        ),
        changing="For the next pause; while paused at once.",
        max_length=3,
    )
    stop_databases: bool = option(
        True,
        help=(
            "Stop RDS instances. AWS starts a stopped instance after seven days: `jhub pause` stops"
            " it again."
        ),
        changing="For the next pause.",
    )
    instances: PausedInstances | None = option(
        None,
        help=(
            "With `cluster.kind: existing`: the EC2 instances to stop and start. None: `jhub pause`"
            " stops servers only."
        ),
        changing="For the next pause.",
    )


def dropped_exists(network: AnyNetwork, pause: Pause) -> Iterator[Problem]:
    """Only what the stack makes can be dropped."""
    if "nat" in pause.drop and not isinstance(network, OpenNetworkSection):
        yield Problem(
            id="pause.nat",
            path="pause.drop",
            what=f"names nat, but network.mode is {network.mode}",
            fix="remove nat: this stack makes no NAT gateway",
        )
    makes = isinstance(network, AirgapNetworkSection) or (
        isinstance(network, ExistingNetworkSection) and network.makes_endpoints
    )
    if "endpoints" in pause.drop and not makes:
        yield Problem(
            id="pause.endpoints",
            path="pause.drop",
            what="names endpoints, but this stack makes none",
            fix="remove endpoints",
        )
    twice = next((item for item in pause.drop if pause.drop.count(item) > 1), None)
    if twice is not None:
        yield Problem(
            id="pause.drop-twice",
            path="pause.drop",
            what=f"names {twice} twice",
            fix="name it once",
        )


def addresses_stay(hubs: Hubs, pause: Pause) -> Iterator[Problem]:
    """A load balancer that is created again has another DNS name: only a record of the stack is
    updated.
    """
    if "balancers" not in pause.drop:
        return
    for name, hub in hubs.items():
        entry = hub.entry
        if isinstance(entry, LoadBalancerEntry) and (
            entry.route53_zone is None or not entry.record
        ):
            yield Problem(
                id="pause.balancer-address",
                path="pause.drop",
                what=(
                    f"names balancers, but the record of {entry.hostname} (hubs.{name}) is not"
                    " managed by the stack: it would point nowhere after a pause"
                ),
                fix=f"set hubs.{name}.entry.route53_zone, or remove balancers from drop",
            )


def paused_pages_are_shown(network: AnyNetwork, hubs: Hubs) -> Iterator[Problem]:
    """A maintenance page for paused times needs an entry that can have one."""
    pages = {name: (hub.entry, hub.maintenance_page) for name, hub in hubs.items()}
    yield from paused_page_has_a_balancer(network, pages)


def instances_of_existing_cluster(
    region: str, cluster: AnyCluster, pause: Pause
) -> Iterator[Problem]:
    """The stack's own nodes are in groups; instances of an existing cluster are found by tag in
    a region.
    """
    if pause.instances is None:
        return
    if isinstance(cluster, EksCluster):
        yield Problem(
            id="pause.instances",
            path="pause.instances",
            what="is for an existing cluster, but the stack makes this one",
            fix="remove it",
        )
    elif not region:
        yield Problem(
            id="region.missing",
            path="aws:region",
            what="is missing, and pause.instances are found in a region",
            fix="add it, such as us-east-1",
        )
    if pause.instances.control_plane == pause.instances.nodes:
        yield Problem(
            id="pause.same-tag",
            path="pause.instances.nodes",
            what="is the same tag as control_plane",
            fix="name a tag that only the nodes have",
        )


def nothing_waits_for_nodes(paused: bool, homes: Homes) -> Iterator[Problem]:
    """A job changes the owner of adopted homes, and a paused stack has no node for it."""
    if (
        paused
        and isinstance(homes, EfsHomesSection)
        and homes.adopted is not None
        and homes.adopted.pending
    ):
        yield Problem(
            id="pause.job-waits",
            path="paused",
            what="is true, but homes.adopted.ownership is pending, and its job needs a node",
            fix="finish that first, then pause",
        )


RULES: Rules = (
    (("network", "pause"), dropped_exists),
    (("hubs", "pause"), addresses_stay),
    (("network", "hubs"), paused_pages_are_shown),
    (("region", "cluster", "pause"), instances_of_existing_cluster),
    (("paused", "homes"), nothing_waits_for_nodes),
)
