"""Network policies of the pods of a hub: the chart's own with all of its wide rules off, and narrow
rules of this library. Pure.

The chart's own words for "private" and "not private" are too coarse here: the second lets servers
reach the credential addresses of EKS (169.254.170.23) and every range that is private but not in
RFC 1918; the first lets the hub reach everything in the VPC. The rules that the chart always writes
remain: hub and proxy to each other and to servers, servers to hub and proxy, each on its port.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from jupyterhub_aws.config.cluster import Cluster, EksCluster
from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.egress import ProxyEgress
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.network import AnyNetwork, OpenNetworkSection, UnmanagedNetworkSection
from jupyterhub_aws.config.sign_in import (
    CognitoSignIn,
    GitHubSignIn,
    LdapSignIn,
    LtiSignIn,
    OidcSignIn,
)
from jupyterhub_aws.config.sign_in_common import PublicProvider
from jupyterhub_aws.config.values import port_of

_HTTPS, _POSTGRES, _DNS = 443, 5432, 53
#: kube-apiserver's default port, which kubeadm and kops keep; EKS answers on 443.
_API_PORTS = (_HTTPS, 6443)
#: All ranges that are not internet hosts: RFC 1918, RFC 6598 (shared address space, which VPCs
#: use for pods), and link-local
#: addresses, among them instance metadata (169.254.169.254) and the credentials of Pod Identity
#: (169.254.170.23).
_LINK_LOCAL = "169.254.0.0/16"
NOT_INTERNET = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", _LINK_LOCAL)
NO_WIDE_RULE = {
    "cloudMetadataServer": False,
    "dnsPortsCloudMetadataServer": False,
    "dnsPortsPrivateIPs": False,
    "dnsPortsKubeSystemNamespace": True,
    "nonPrivateIPs": False,
    "privateIPs": False,
}
Rule = dict[str, Any]


#: EKS user guide, "How EKS Pod Identity works": the agent of each node answers on this address,
#: port 80. Only servers that have a role may reach it.
AGENT_ADDRESS, AGENT_PORT = "169.254.170.23", 80
POD_IDENTITY_RULE: Rule = {
    "to": [{"ipBlock": {"cidr": f"{AGENT_ADDRESS}/32"}}],
    "ports": [{"protocol": "TCP", "port": AGENT_PORT}],
}


@dataclass(frozen=True, kw_only=True)
class HubEgress:
    """Rules of NetworkPolicies (`egress` of the chart's `networkPolicy`) for the pods of a hub:
    the hub itself, its proxy, and users' servers. `servers_in_aws`: what servers with a role in
    AWS may reach besides.
    """

    hub: tuple[Rule, ...]
    proxy: tuple[Rule, ...]
    servers: tuple[Rule, ...]
    servers_in_aws: tuple[Rule, ...]

    @property
    def api(self) -> Rule:
        """That of the Kubernetes API, which the hub has after the one of names."""
        return self.hub[1]


def hub_egress(hub: Hub, network: AnyNetwork, cluster: Cluster) -> HubEgress:
    """The egress rules of a hub's pods in a network and a cluster."""
    dns = _rule([cluster.service_cidr], [_DNS], protocols=("UDP", "TCP"))
    return HubEgress(
        hub=(dns, *_hub_may(hub, network, cluster)),
        proxy=(dns,),
        servers=(dns, *_servers_may(network, cluster)),
        servers_in_aws=(POD_IDENTITY_RULE, *_to_s3(network, cluster)),
    )


def _hub_may(hub: Hub, network: AnyNetwork, cluster: Cluster) -> Iterator[Rule]:
    """The Kubernetes API, the database, and the identity provider. The API is reached by the
    address of its service, or by its own.
    """
    ranges = list(network.ranges)
    ports = _API_PORTS[:1] if isinstance(cluster, EksCluster) else _API_PORTS
    yield _rule([cluster.service_cidr, *ranges], list(ports))
    if isinstance(hub.database, PostgresDatabase):
        yield _rule(ranges, [_POSTGRES])
    asked = _sign_in_ports(hub)
    if isinstance(network, OpenNetworkSection) or not network.closed:
        if (
            asked
        ):  # a directory may have any address, internal or external, except the metadata service's
            yield {"to": [_block("0.0.0.0/0", [_LINK_LOCAL])], "ports": _ports(asked, ("TCP",))}
        return
    if isinstance(network.egress, ProxyEgress):
        asked = sorted({*asked, port_of(network.egress.url)})
    if asked:
        yield _rule(ranges, asked)
    yield from (
        _rule(list(beside.cidrs), list(beside.ports))
        for _, beside in sorted(network.peer_networks.items())
        if beside.ports
    )


def _sign_in_ports(hub: Hub) -> list[int]:
    sign_in = hub.sign_in
    if isinstance(sign_in, LdapSignIn):
        return [sign_in.server_port]
    if isinstance(sign_in, GitHubSignIn):
        return [_HTTPS]
    if isinstance(sign_in, OidcSignIn):
        return sorted({port_of(sign_in.token_url), port_of(sign_in.userinfo_url)})
    if isinstance(sign_in, LtiSignIn):
        return [port_of(sign_in.jwks_url)]
    return [_HTTPS] if isinstance(sign_in, (CognitoSignIn, PublicProvider)) else []


def _servers_may(network: AnyNetwork, cluster: Cluster) -> Iterator[Rule]:
    """The internet where there is egress, and the peer networks that the stack opens to users'
    servers. Never other pods, databases, homes or credentials.
    """
    own = [*network.ranges, cluster.service_cidr]
    if isinstance(network, OpenNetworkSection) or not network.closed:
        yield {"to": [_block("0.0.0.0/0", _outside_of_all([*NOT_INTERNET, *own]))]}
    if isinstance(network, OpenNetworkSection):
        return
    for _, beside in sorted(network.peer_networks.items()):
        if beside.servers and beside.ports:
            yield _rule(list(beside.cidrs), list(beside.ports))
    if (
        network.closed
        and not isinstance(network, UnmanagedNetworkSection)
        and network.additional_endpoints
    ):
        yield _rule(list(network.ranges), [_HTTPS])


def _to_s3(network: AnyNetwork, cluster: Cluster) -> Iterator[Rule]:
    """The public addresses of S3, in a network without the internet: the route to its gateway is
    the only one there, and the nodes' security group lets nothing but S3's prefix list through.
    """
    if isinstance(network, OpenNetworkSection) or not network.closed:
        return
    peers = [cidr for _, peer in sorted(network.peer_networks.items()) for cidr in peer.cidrs]
    inside = _outside_of_all([*NOT_INTERNET, *network.ranges, cluster.service_cidr, *peers])
    yield {"to": [_block("0.0.0.0/0", inside)], "ports": _ports([_HTTPS], ("TCP",))}


def _outside_of_all(ranges: list[str]) -> list[str]:
    """The ranges without those that lie inside another: a policy's `except` needs each only
    once.
    """
    networks = sorted({IPv4Network(cidr) for cidr in ranges})
    return [
        str(one)
        for one in networks
        if not any(one != other and one.subnet_of(other) for other in networks)
    ]


def _rule(cidrs: list[str], ports: list[int], protocols: tuple[str, ...] = ("TCP",)) -> Rule:
    return {
        "to": [_block(cidr) for cidr in dict.fromkeys(cidrs)],
        "ports": _ports(ports, protocols),
    }


def _ports(ports: list[int], protocols: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": port} for port in ports for protocol in protocols]


def _block(cidr: str, outside: list[str] | None = None) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, **({"except": outside} if outside else {})}}
