"""What hub and people's servers may reach, as the chart's network policies will say it; and that they are told of mirrors and proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from checks.airgap.view import View, fault
from checks.finding import Finding
from checks.hub_values.fault import at
from checks.resources import Resource
from checks.user_pods import hub_of, hub_releases
from config.chart import effective
from config.neighbours import ProxyEgress

#: Where a pod's policy stands, and who it is.
_PODS = {("hub",): "the hub", ("proxy", "chp"): "the proxy", ("singleuser",): "people's servers"}
_HTTPS, _DNS = 443, 53


def egress(view: View) -> Iterator[Finding]:
    """Network policies are on; nobody reaches addresses outside; people's servers reach only what the stack opens to them."""
    for release in hub_releases(view.resources):
        values = effective(release.inputs.get("values", {}))
        for way, who in _PODS.items():
            policy: Mapping[str, Any] = at(values, *way, "networkPolicy") or {}
            path = ".".join(("values", *way, "networkPolicy"))
            if policy.get("enabled") is not True:
                yield fault("pods", release, f"has no network policy for {who} ({path}.enabled)", "switch it on")
            rules = policy.get("egressAllowRules") or {}
            if rules.get("nonPrivateIPs") is not False:
                yield fault("pods", release, f"lets {who} reach any public address ({path}.egressAllowRules.nonPrivateIPs)", "set it to false")
            if rules.get("cloudMetadataServer") is not False:
                yield fault("pods", release, f"lets {who} reach the node's credentials ({path}.egressAllowRules.cloudMetadataServer)", "set it to false")
        if (at(values, "singleuser", "networkPolicy", "egressAllowRules") or {}).get("privateIPs") is not False:
            yield fault("pods", release, "lets people's servers reach every private address (values.singleuser.networkPolicy…privateIPs)", "set it to false")
        yield from _own_rules(view, release, values)


def _own_rules(view: View, release: Resource, values: Mapping[str, Any]) -> Iterator[Finding]:
    """The policy's own egress rules name ranges and ports. Servers: neighbours that the stack opens to them, on their ports, endpoints,
    and the cluster's names. Hub and proxy: what is in the network or one of its neighbours.
    """
    names = (view.stack.cluster.service_cidr, _DNS)
    open_to_servers = {names, *((cidr, port) for item in view.network.neighbours.values() if item.servers for cidr in item.cidrs for port in item.ports)}
    if getattr(view.network, "further_endpoints", ()):
        open_to_servers |= {(cidr, _HTTPS) for cidr in view.network.ranges}
    inside = [view.stack.cluster.service_cidr, *view.network.ranges, *(cidr for item in view.network.neighbours.values() for cidr in item.cidrs)]
    for way, who in _PODS.items():
        servers = way == ("singleuser",)
        for index, rule in enumerate(at(values, *way, "networkPolicy", "egress") or []):
            path = f"{'.'.join(way)}.networkPolicy.egress[{index}]"
            peers = [at(peer, "ipBlock", "cidr") for peer in rule.get("to") or []]
            ports = [port.get("port") for port in rule.get("ports") or []]
            if not peers:
                yield fault("pods", release, f"lets {who} reach everybody (values.{path} names nobody)", "name a range")
            if not ports:
                yield fault("pods", release, f"lets {who} reach every port (values.{path})", "name ports")
            for cidr in peers:
                for port in ports:
                    if cidr is not None and not ((cidr, port) in open_to_servers if servers else _within(cidr, inside)):
                        what = f"lets {who} reach {cidr} on port {port} (values.{path})"
                        yield fault("pods", release, what, "open a neighbour's port to servers in the stack file", "network.neighbours")


def _within(cidr: str, ranges: list[str]) -> bool:
    return any(IPv4Network(cidr).subnet_of(IPv4Network(one)) for one in ranges)


def told(view: View) -> Iterator[Finding]:
    """Where the stack gives mirrors or a proxy, servers are told of them."""
    for release in hub_releases(view.resources):
        values = effective(release.inputs.get("values", {}))
        hub = view.stack.hubs.get(hub_of(release))
        environment = at(values, "singleuser", "extraEnv") or {}
        files = {str(item.get("mountPath")): str(item.get("stringData", "")) for item in (at(values, "singleuser", "extraFiles") or {}).values()}
        for tool, address in ({} if hub is None else hub.package_mirrors.given()).items():
            if address not in " ".join([*map(str, environment.values()), *files.values()]):
                what = f"does not tell servers of the mirror for {tool} ({address})"
                yield fault("mirrors", release, what, "let the stack write singleuser.extraEnv and extraFiles")
        if isinstance(view.network.egress, ProxyEgress):
            for where, told_of in (("singleuser", environment), ("hub", at(values, "hub", "extraEnv") or {})):
                yield from _proxy(view, release, where, told_of, view.network.egress.url)


def _proxy(view: View, release: Resource, where: str, environment: Mapping[str, Any], url: str) -> Iterator[Finding]:
    if environment.get("HTTPS_PROXY") != url:
        yield fault("proxy", release, f"does not tell {where} of the proxy (values.{where}.extraEnv.HTTPS_PROXY)", "let the stack write it", "network.egress")
    listed = str(environment.get("NO_PROXY", "")).split(",")
    for needed in (*view.network.ranges, view.stack.cluster.service_cidr, "hub", ".svc"):
        if needed not in listed:
            what = f"would send what is inside to the proxy: NO_PROXY of {where} lacks {needed}"
            yield fault("proxy", release, what, "let the stack write it", "network.egress")
