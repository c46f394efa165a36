"""What an isolated network forbids: everything that would wait for an answer from the internet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from jupyterhub_aws.config.cluster import AnyCluster
from jupyterhub_aws.config.egress import HUB_NAMES, ProxyEgress, is_proxy_variable, matches
from jupyterhub_aws.config.endpoints import not_offered, wanted_services
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.errors import Problem, Rules, dotted
from jupyterhub_aws.config.homes import Homes, NfsHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.hub_rules import Hubs
from jupyterhub_aws.config.monitoring import AnyWatch, CloudWatchWatch
from jupyterhub_aws.config.network import (
    AirgapNetworkSection,
    AnyNetwork,
    ExistingNetworkSection,
    OpenNetworkSection,
)
from jupyterhub_aws.config.registry import AnyRegistry, UpstreamRegistry
from jupyterhub_aws.config.runner import RunnerSection
from jupyterhub_aws.config.sign_in import (
    CognitoSignIn,
    GitHubSignIn,
    LdapSignIn,
    LtiSignIn,
    OidcSignIn,
)
from jupyterhub_aws.config.sign_in_common import PublicProvider
from jupyterhub_aws.config.tree import leaves
from jupyterhub_aws.config.values import host_of


def own_registry(network: AnyNetwork, registry: AnyRegistry) -> Iterator[Problem]:
    """Images and charts come from a private registry."""
    if network.closed and isinstance(registry, UpstreamRegistry):
        what = "is upstream, but nothing in this network reaches quay.io or any other registry"
        yield Problem(
            id="isolated.registry",
            path="registry.kind",
            what=what,
            fix=(
                "write ecr with your account, or private with your own registry; `jhub bundle`"
                " fills it"
            ),
        )


def balancers_inside(network: AnyNetwork, hubs: Hubs) -> Iterator[Problem]:
    """Load balancers have no public address; one with a public address is in public subnets."""
    for name, hub in hubs.items():
        if not isinstance(hub.entry, LoadBalancerEntry) or hub.entry.internal:
            continue
        if network.closed:
            what = "is false, but no balancer of this network can face the internet"
            yield Problem(
                id="isolated.balancer-public",
                path=f"hubs.{name}.entry.internal",
                what=what,
                fix="write internal: true",
            )
        elif isinstance(network, ExistingNetworkSection) and not network.public_subnets:
            what = (
                "is false, but network.public_subnets names no subnet for a balancer that faces the"
                " internet"
            )
            yield Problem(
                id="isolated.no-public-subnets",
                path=f"hubs.{name}.entry.internal",
                what=what,
                fix="write internal: true, or list public_subnets",
            )


def sign_in_inside(network: AnyNetwork, homes: Homes, hubs: Hubs) -> Iterator[Problem]:
    """All hosts that hub and servers call are internal, and the stack declares them."""
    if isinstance(network, OpenNetworkSection) or not network.closed:
        return
    for name, hub in hubs.items():
        if isinstance(hub.sign_in, GitHubSignIn):
            what = "is github, and github.com is not in this network"
            yield Problem(
                id="isolated.sign-in-github",
                path=f"hubs.{name}.sign_in.kind",
                what=what,
                fix="write ldap, or oidc with a provider inside",
            )
        if isinstance(hub.sign_in, CognitoSignIn):
            what = "is cognito, whose sign-in page is on the internet: no endpoint leads to it"
            yield Problem(
                id="isolated.sign-in-cognito",
                path=f"hubs.{name}.sign_in.kind",
                what=what,
                fix="write ldap, or oidc with a provider inside",
            )
        if isinstance(hub.sign_in, PublicProvider):
            hosts = ", ".join(dict.fromkeys((*hub.sign_in.browser_hosts, *hub.sign_in.hub_hosts)))
            yield Problem(
                id="isolated.sign-in-public",
                path=f"hubs.{name}.sign_in.kind",
                what=f"is {hub.sign_in.kind}, and {hosts} is not in this network",
                fix="write ldap, or oidc or lti13 with a provider inside",
            )
        for option, host in _hosts(hub):
            yield from _inside(f"hubs.{name}.{option}", host, network)
    if isinstance(homes, NfsHomes):
        yield from _inside("homes.server", homes.server, network)
    if isinstance(network.egress, ProxyEgress):
        yield from _inside("network.egress.url", host_of(network.egress.url), network)


def _hosts(hub: Hub) -> Iterator[tuple[str, str]]:
    if isinstance(hub.sign_in, OidcSignIn):
        for option in ("authorize_url", "token_url", "userinfo_url", "logout_url"):
            address = getattr(hub.sign_in, option)
            if address is not None:
                yield f"sign_in.{option}", host_of(address)
    if isinstance(hub.sign_in, LtiSignIn):
        for option in ("authorize_url", "jwks_url"):
            yield f"sign_in.{option}", host_of(getattr(hub.sign_in, option))
    if isinstance(hub.sign_in, LdapSignIn):
        yield "sign_in.server", hub.sign_in.server
    for tool, address in hub.package_mirrors.given().items():
        yield f"package_mirrors.{tool}", host_of(address)


def _inside(path: str, host: str, network: Any) -> Iterator[Problem]:
    ranges = [
        *network.ranges,
        *(cidr for peer in network.peer_networks.values() for cidr in peer.cidrs),
    ]
    try:
        address = IPv4Address(host)
    except ValueError:
        if not matches(host, network.internal_hosts):
            yield Problem(
                id="isolated.unknown-host",
                path=path,
                what=f"names {host}, which this network does not know as internal",
                fix="add it to network.internal_hosts, if it is",
            )
        return
    if not any(address in IPv4Network(cidr) for cidr in ranges):
        yield Problem(
            id="isolated.unreachable-host",
            path=path,
            what=f"names {host}, which is neither in the network nor in one of its peer networks",
            fix="add its range under network.peer_networks",
        )


def endpoints_offered(
    region: str, network: AnyNetwork, homes: Homes, runner: RunnerSection | None, watch: AnyWatch
) -> Iterator[Problem]:
    """The region has an endpoint for each AWS API that something in the stack calls."""
    if (
        not isinstance(network, (AirgapNetworkSection, ExistingNetworkSection))
        or not network.closed
    ):
        return
    for index, service in enumerate(network.additional_endpoints):
        if reason := not_offered(region, service):
            path = f"network.additional_endpoints[{index}]"
            yield Problem(
                id="isolated.endpoint-not-offered",
                path=path,
                what=f"is not offered in {region} ({reason})",
                fix="remove it, or choose another region",
            )
    for service, who in wanted_services(
        homes.kind, runner=runner is not None, watched=isinstance(watch, CloudWatchWatch)
    ).items():
        if reason := not_offered(region, service):
            what = f"offers no endpoint of {service}, which {who} needs ({reason})"
            yield Problem(
                id="isolated.endpoint-missing",
                path="aws:region",
                what=what,
                fix="choose another region: without it nothing here would start",
            )


def no_letsencrypt(network: AnyNetwork, hubs: Hubs) -> Iterator[Problem]:
    """No external service can validate a host name."""
    for name, hub in hubs.items():
        https = (
            hub.helm_values.get("proxy", {}).get("https", {})
            if isinstance(hub.helm_values.get("proxy", {}), dict)
            else {}
        )
        if (
            network.closed
            and isinstance(https, dict)
            and (https.get("type") == "letsencrypt" or "letsencrypt" in https)
        ):
            path = dotted(("hubs", name, "helm_values", "proxy", "https"))
            fix = "use entry.tls.kind: certificate with a certificate of your own authority"
            yield Problem(
                id="isolated.letsencrypt",
                path=path,
                what="asks Let's Encrypt, which cannot reach this network, nor it Let's Encrypt",
                fix=fix,
            )


def whole_proxy(network: AnyNetwork, cluster: AnyCluster, hubs: Hubs) -> Iterator[Problem]:
    """Every pod with proxy variables also needs NO_PROXY: else the hub asks the proxy for its
    own servers.
    """
    inside = [*network.ranges, cluster.service_cidr, *HUB_NAMES]
    for name, hub in hubs.items():
        environments: list[tuple[str, Mapping[str, Any]]] = []
        environments += [
            (f"hubs.{name}.profiles.{profile}.environment", spec.environment)
            for profile, spec in hub.profiles.items()
        ]
        environments += [
            (dotted(("hubs", name, "helm_values", *path)), env)
            for path, env in _environments(hub.helm_values)
        ]
        for path, environment in environments:
            if not any(map(is_proxy_variable, environment)):
                continue
            text = str(environment.get("NO_PROXY", environment.get("no_proxy", "")))
            missing = [item for item in inside if item not in re.split(r"[, ]+", text)]
            if missing:
                what = (
                    f"sets a proxy without NO_PROXY for {', '.join(missing)}: server and hub would"
                    " ask the proxy for each other"
                )
                yield Problem(
                    id="isolated.no-proxy",
                    path=path,
                    what=what,
                    fix="use network.egress, which writes both, or complete NO_PROXY",
                )


def _environments(
    values: Mapping[str, Any],
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Every map of environment variables among Helm values that names a proxy."""
    seen: dict[tuple[str | int, ...], dict[str, Any]] = {}
    for path, value in leaves(values):
        if len(path) > 1 and (
            is_proxy_variable(str(path[-1])) or str(path[-1]).upper() == "NO_PROXY"
        ):
            seen.setdefault(path[:-1], {})[str(path[-1])] = value
    yield from seen.items()


def runner_is_inside(network: AnyNetwork, runner: RunnerSection | None) -> Iterator[Problem]:
    """A runner is only for a network in which no other machine reaches the API."""
    if runner is not None and (
        not network.closed
        or not isinstance(network, (AirgapNetworkSection, ExistingNetworkSection))
    ):
        what = "is for an isolated network in AWS: this one's API is reached without it"
        yield Problem(id="isolated.runner", path="runner", what=what, fix="remove the section")


RULES: Rules = (
    (("network", "registry"), own_registry),
    (("network", "hubs"), balancers_inside),
    (("network", "homes", "hubs"), sign_in_inside),
    (("region", "network", "homes", "runner", "monitoring"), endpoints_offered),
    (("network", "hubs"), no_letsencrypt),
    (("network", "cluster", "hubs"), whole_proxy),
    (("network", "runner"), runner_is_inside),
)
