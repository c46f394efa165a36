"""The proof, rule by rule, with what each rule says when it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.checks.airgap import egress, endpoints, external_hosts, pods
from jupyterhub_aws.checks.airgap.view import View, view_of
from jupyterhub_aws.checks.finding import Finding, skip, verdict
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
    AWS resources in it, or the objects in the cluster.
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
        holds="every security group lists its sources and destinations; none lists the internet",
        judge=egress.egress_rules,
        about="aws",
    ),
    Law(
        check="nodes",
        holds="every instance starts in a security group with listed egress",
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
        holds="the Kubernetes API, load balancers and databases are reachable inside only",
        judge=egress.external_ingress,
        about="aws",
    ),
    Law(
        check="endpoints",
        holds=(
            "every AWS API that is called from inside has an endpoint that admits its callers only"
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
        holds="no input of any resource names an external host",
        judge=external_hosts.hosts,
        about="names",
    ),
    Law(
        check="images",
        holds="every image comes from an internal registry",
        judge=external_hosts.images,
        about="inside",
    ),
    Law(
        check="pull",
        holds="no image is pulled that is not inside",
        judge=external_hosts.pull_policies,
        about="inside",
    ),
    Law(
        check="charts",
        holds="every chart comes from an internal source",
        judge=external_hosts.charts,
        about="inside",
    ),
    Law(
        check="pods",
        holds="hub, proxy and servers reach listed destinations only",
        judge=pods.egress,
        about="inside",
    ),
    Law(
        check="told",
        holds="servers are configured with package mirrors and proxy, where there are any",
        judge=pods.told,
        about="inside",
    ),
)


def proof(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every rule over all resources of an isolated stack; no findings for another one."""
    view = view_of(stack, resources)
    if view is None:
        return []
    judged = [law for law in LAWS if judges(law, view)]
    found = [
        finding
        for law in judged
        for finding in verdict(
            f"airgap-{law.check}", law.judge(view), otherwise=f"isolated: {law.holds}"
        )
    ]
    return [*found, *_owners_part(view)]


def judges(law: Law, view: View) -> bool:
    """Whether a rule says something about this stack: not about a network that it does not
    make, and not about the other part of a split stack.
    """
    if law.about == "vpc":
        return isinstance(view.network, AirgapNetworkSection)
    if law.about == "aws":
        return not isinstance(view.network, UnmanagedNetworkSection)
    return law.about == "names" or view.stack.parts != "cloud"


def _owners_part(view: View) -> Iterator[Finding]:
    """A network that the stack does not make has to be proven by its owner."""
    if isinstance(view.network, AirgapNetworkSection):
        return
    what = (
        f"VPC {view.network.vpc_id}"
        if isinstance(view.network, ExistingNetworkSection)
        else "the cluster's network"
    )
    yield skip(
        "airgap-owner",
        (
            f"whether {what} has egress (gateways, routes, addresses, names) has to be proven by"
            " its owner: the stack does not make it"
        ),
        "ask its owner for routes and gateways; with mode: airgap the stack makes and proves them",
        path="network",
    )
