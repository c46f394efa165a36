"""The proof, rule by rule, with what each rule says when it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.checks.airgap import egress, endpoints, external_hosts, pods
from jupyterhub_aws.checks.airgap.view import View, view_of
from jupyterhub_aws.checks.finding import Finding, verdict
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.network import (
    AirgapNetworkSection,
    ExistingNetworkSection,
    UnmanagedNetworkSection,
)
from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True)
class Law:
    """One rule: its id, what holds when nothing breaks it, and what it is about: the VPC itself,
    what stands in it in AWS, or the inside of the cluster.
    """

    check: str
    holds: str
    judge: Callable[[View], Iterator[Finding]]
    about: Literal["vpc", "aws", "names", "inside"]


LAWS: tuple[Law, ...] = (
    Law(
        check="gateways",
        holds="no gateway, no NAT, no public address, no IPv6",
        judge=egress.gateways,
        about="vpc",
    ),
    Law(
        check="routes",
        holds="every route leads to a declared peer network; there is no default route",
        judge=egress.routes,
        about="vpc",
    ),
    Law(
        check="peer-networks",
        holds="no attachment and no peering but the declared ones",
        judge=egress.peer_networks,
        about="vpc",
    ),
    Law(
        check="rules",
        holds="every security group names whom it lets in and out; none names the world",
        judge=egress.egress_rules,
        about="aws",
    ),
    Law(
        check="nodes",
        holds="every machine starts in a group whose way out is listed",
        judge=endpoints.node_groups_are_narrow,
        about="aws",
    ),
    Law(
        check="names",
        holds="the resolver answers for AWS's endpoints and declared names only",
        judge=egress.names,
        about="vpc",
    ),
    Law(
        check="doors",
        holds="the Kubernetes API, balancers and databases answer inside only",
        judge=egress.doors,
        about="aws",
    ),
    Law(
        check="endpoints",
        holds=(
            "every AWS API that something inside calls has an endpoint that admits its callers only"
        ),
        judge=endpoints.endpoints,
        about="aws",
    ),
    Law(
        check="data",
        holds="nodes reach homes and databases, each on its one port",
        judge=endpoints.data_is_reached,
        about="aws",
    ),
    Law(
        check="hosts",
        holds="no input of any resource names a host outside",
        judge=external_hosts.hosts,
        about="names",
    ),
    Law(
        check="images",
        holds="every image comes from inside",
        judge=external_hosts.images,
        about="inside",
    ),
    Law(
        check="pull",
        holds="no image is asked for that is not inside",
        judge=external_hosts.pull_policies,
        about="inside",
    ),
    Law(
        check="charts",
        holds="every chart comes from inside",
        judge=external_hosts.charts,
        about="inside",
    ),
    Law(
        check="pods",
        holds="hub, proxy and servers reach nobody but those that are listed",
        judge=pods.egress,
        about="inside",
    ),
    Law(
        check="told",
        holds="servers are told of package mirrors and proxy, where there are any",
        judge=pods.told,
        about="inside",
    ),
)


def proof(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every rule over everything that a closed stack registers; nothing about an open one."""
    view = view_of(stack, resources)
    if view is None:
        return []
    judged = [law for law in LAWS if judges(law, view)]
    found = [
        finding
        for law in judged
        for finding in verdict(
            f"airgap-{law.check}", law.judge(view), otherwise=f"closed: {law.holds}"
        )
    ]
    return [*found, *_owners_part(view)]


def judges(law: Law, view: View) -> bool:
    """Whether a rule says something about this stack: nothing about a network that it does not
    make, nothing about a half that it is not.
    """
    if law.about == "vpc":
        return isinstance(view.network, AirgapNetworkSection)
    if law.about == "aws":
        return not isinstance(view.network, UnmanagedNetworkSection)
    return law.about == "names" or view.stack.parts != "cloud"


def _owners_part(view: View) -> Iterator[Finding]:
    """What somebody else made is somebody else's to prove."""
    if isinstance(view.network, AirgapNetworkSection):
        return
    what = (
        f"VPC {view.network.vpc_id}"
        if isinstance(view.network, ExistingNetworkSection)
        else "the cluster's network"
    )
    yield Finding(
        id="airgap-owner",
        status="skip",
        message=(
            f"whether {what} has a way out (gateways, routes, addresses, names) is its owner's to"
            " prove: the stack does not make it"
        ),
        path="network",
        fix="ask for its routes and gateways; with mode: airgap the stack makes and proves them",
    )
