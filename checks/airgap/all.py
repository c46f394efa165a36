"""The proof, rule by rule, with what each rule says when it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checks.airgap import doors, endpoints, hosts, images, pods, ways_out
from checks.airgap.view import View, view_of
from checks.finding import Finding, verdict
from checks.resources import Resources
from config.stack import StackConfig


@dataclass(frozen=True, kw_only=True)
class Law:
    """One rule: its id, what holds when nothing breaks it, and whether it is about what is inside the cluster."""

    check: str
    holds: str
    judge: Callable[[View], Iterator[Finding]]
    inside: bool = False


LAWS: tuple[Law, ...] = (
    Law(check="gateways", holds="no gateway, no NAT, no public address, no IPv6", judge=ways_out.gateways),
    Law(check="routes", holds="every route leads to a declared neighbour; there is no default route", judge=ways_out.routes),
    Law(check="neighbours", holds="no attachment and no peering but the declared ones", judge=ways_out.neighbours),
    Law(check="rules", holds="every security group names whom it lets in and out; none names the world", judge=ways_out.egress_rules),
    Law(check="nodes", holds="every machine starts in a group whose way out is listed", judge=endpoints.node_groups_are_narrow),
    Law(check="names", holds="the resolver answers for AWS's endpoints and declared names only", judge=ways_out.names),
    Law(check="doors", holds="the Kubernetes API, balancers and databases answer inside only", judge=doors.doors),
    Law(check="endpoints", holds="every AWS API that something inside calls has an endpoint that admits its callers only", judge=endpoints.endpoints),
    Law(check="hosts", holds="no input of any resource names a host outside", judge=hosts.hosts),
    Law(check="images", holds="every image comes from inside", judge=images.images, inside=True),
    Law(check="pull", holds="no image is asked for that is not inside", judge=images.pull_policies, inside=True),
    Law(check="charts", holds="every chart comes from inside", judge=images.charts, inside=True),
    Law(check="pods", holds="hub, proxy and servers reach nobody but those that are listed", judge=pods.egress, inside=True),
    Law(check="told", holds="servers are told of package mirrors and proxy, where there are any", judge=pods.told, inside=True),
)


def proof(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every rule over everything that a closed stack registers; nothing about an open one."""
    view = view_of(stack, resources)
    if view is None:
        return []
    laws = [law for law in LAWS if not (law.inside and stack.parts == "cloud")]
    return [finding for law in laws for finding in verdict(f"airgap-{law.check}", law.judge(view), otherwise=f"closed: {law.holds}")]
