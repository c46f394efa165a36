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


@dataclass(frozen=True)
class Law:
    """One rule: its id, what it is about (the VPC itself, AWS resources in it, or the objects in
    the cluster), and what holds when nothing breaks it.
    """

    check: str
    about: Literal["vpc", "aws", "names", "inside"]
    judge: Callable[[View], Iterator[Finding]]
    holds: str


LAWS: tuple[Law, ...] = (
    Law("gateways", "vpc", egress.gateways, "no gateway, no NAT, no public address, no IPv6"),
    Law(
        "routes",
        "vpc",
        egress.routes,
        "every route leads to a declared peer network; there is no default route",
    ),
    Law(
        "peer-networks",
        "vpc",
        egress.peer_networks,
        "no attachment and no peering but the declared ones",
    ),
    Law(
        "rules",
        "aws",
        egress.egress_rules,
        "every security group lists its sources and destinations; none lists the internet",
    ),
    Law(
        "nodes",
        "aws",
        endpoints.node_groups_are_narrow,
        "every instance starts in a security group with listed egress",
    ),
    Law(
        "names",
        "vpc",
        egress.names,
        "the resolver answers for AWS's endpoints and declared names only",
    ),
    Law(
        "doors",
        "aws",
        egress.external_ingress,
        "the Kubernetes API, load balancers and databases are reachable inside only",
    ),
    Law(
        "endpoints",
        "aws",
        endpoints.endpoints,
        "every AWS API that is called from inside has an endpoint that admits its callers only",
    ),
    Law(
        "data",
        "aws",
        endpoints.data_is_reached,
        "nodes reach homes and databases, each on its one port",
    ),
    Law("hosts", "names", external_hosts.hosts, "no input of any resource names an external host"),
    Law("images", "inside", external_hosts.images, "every image comes from an internal registry"),
    Law("pull", "inside", external_hosts.pull_policies, "no image is pulled that is not inside"),
    Law("charts", "inside", external_hosts.charts, "every chart comes from an internal source"),
    Law("pods", "inside", pods.egress, "hub, proxy and servers reach listed destinations only"),
    Law(
        "pod-policies",
        "inside",
        pods.registered_policies,
        "further network policies open what is inside, and S3 by its gateway to servers with a role",
    ),
    Law(
        "told",
        "inside",
        pods.told,
        "servers are configured with package mirrors and proxy, where there are any",
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
    message = (
        f"whether {what} has egress (gateways, routes, addresses, names) has to be proven by its"
        " owner: the stack does not make it"
    )
    fix = "ask its owner for routes and gateways; with mode: airgap the stack makes and proves them"
    yield skip("airgap-owner", message, fix, path="network")
