"""What the hub and users' servers may reach, as the chart's network policies will say it; and that
they are told of mirrors and proxy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.hub_values.policies import (
    AUTOHTTPS,
    PROXY,
    SERVERS,
    WHO,
    ReleaseLocation,
    chart_policies,
    malformed,
)
from jupyterhub_aws.checks.network_policies import (
    EVERYWHERE,
    NAMESPACE_LABEL,
    Policy,
    Ranges,
)
from jupyterhub_aws.checks.network_policies import (
    policy as policy_of,
)
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.egress import ProxyEgress
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.specs.network_policies import AGENT_ADDRESS, AGENT_PORT, NOT_INTERNET
from jupyterhub_aws.config.specs.server_access import ACCESS_LABEL
from jupyterhub_aws.config.specs.services import service_specs
from jupyterhub_aws.config.tree import at

_HTTPS, _DNS = 443, 53
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_PRIVATE = Ranges.of(*NOT_INTERNET)
#: The chart's own peer for questions about names.
_DNS_PODS = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "kube-system"}}}


def egress(view: View) -> Iterator[Finding]:
    """Network policies are on; no pod reaches external addresses; users' servers reach only
    what the stack opens to them.
    """
    for release in hub_releases(view.resources):
        values, hub = effective(release.inputs.get("values", {})), hub_of(release)
        for part, who in WHO.items():
            if part != AUTOHTTPS and at(values, *part, "networkPolicy", "enabled") is not True:
                what = (
                    f"has no network policy for {who}"
                    f" (values.{'.'.join(part)}.networkPolicy.enabled)"
                )
                fix = "switch it on"
                yield fault("pods", release, what, fix)
        wrong = list(malformed(values))
        for item in wrong:
            yield fault("pods", release, f"{dotted(('values', *item.path))} {item.what}", item.fix)
        if not wrong:
            location = ReleaseLocation(release=f"hub-{hub}", namespace=f"hub-{hub}")
            services = _services(view, hub, location)
            yield from _reached(view, release, chart_policies(values, location), services)


def _inside(view: View) -> Ranges:
    """The addresses of services, of the network and of its peer networks."""
    return Ranges.of(
        view.stack.cluster.service_cidr,
        *view.network.ranges,
        *(cidr for item in view.network.peer_networks.values() for cidr in item.cidrs),
    )


def registered_policies(view: View) -> Iterator[Finding]:
    """Policies that the program registers beside the chart's open nothing but ranges that are
    inside, and to servers with a role in AWS the address of its credentials and S3.

    S3's gateway has public addresses. They are reached by its route alone, and nodes may send to
    S3's prefix list alone: the rules `routes` and `rules` prove that. So a policy may open 443 to
    every address that is not private.
    """
    inside = _inside(view)
    for found in view.resources.own.of(_POLICY):
        spec = found.inputs.get("spec") or {}
        wanted = [item.get("key") for item in at(spec, "podSelector", "matchExpressions") or ()]
        for way in policy_of(spec, "").ways:
            if way.direction != "egress":
                continue
            allowed = inside
            if ACCESS_LABEL in wanted and way.first == way.last == _HTTPS:
                allowed = inside | (EVERYWHERE - _PRIVATE)
            if ACCESS_LABEL in wanted and way.first == way.last == AGENT_PORT:
                allowed = inside | Ranges.of(f"{AGENT_ADDRESS}/32")
            if way.peer is None or (
                way.addresses is not None and (further := way.addresses - allowed)
            ):
                reached = "any destination" if way.peer is None else ", ".join(further.cidrs[:4])
                what = f"lets pods reach {reached} on {way.ports_in_words}"
                yield fault("pod-policies", found, what, "name ranges that are inside")


#: Who reaches which pods on which port.
_Served = Collection[tuple[str, object, int | None]]


def _services(view: View, hub: str, location: ReleaseLocation) -> _Served:
    """The pods of the hub's services, which are in the cluster."""
    options = view.stack.hubs.get(hub)
    specs = service_specs(
        {} if options is None else options.services,
        namespace=location.namespace,
        release=location.release,
    )
    return [
        (WHO[part], spec.peer, spec.port)
        for spec in specs
        for part in (PROXY, SERVERS)
        if spec.to_pods is not None and (part == PROXY or spec.options.from_servers)
    ]


def _reached(
    view: View, release: Resource, policies: Iterable[Policy], services: _Served
) -> Iterator[Finding]:
    """What values open. Servers: peer networks that the stack opens to them, on their ports,
    endpoints, services of the hub, and the cluster's names. Hub and proxy: what is in the network or one of its peer
    networks.
    """
    names = (view.stack.cluster.service_cidr, _DNS)
    open_to_servers = {
        names,
        *(
            (cidr, port)
            for item in view.network.peer_networks.values()
            if item.servers
            for cidr in item.cidrs
            for port in item.ports
        ),
    }
    if getattr(view.network, "additional_endpoints", ()):
        open_to_servers |= {(cidr, _HTTPS) for cidr in view.network.ranges}
    inside = _inside(view)
    for policy in policies:
        for way in policy.ways:
            if way.direction == "ingress" or way.origin is None:
                continue
            single = way.first if way.first == way.last else None
            allowed = (
                Ranges.of(*(cidr for cidr, port in open_to_servers if port == single))
                if policy.who == WHO[SERVERS]
                else inside
            )
            where = dotted(("values", *way.origin))
            fix = "open a peer network's port to servers in the stack file"
            if way.peer is None:
                what = f"lets {policy.who} reach any destination ({where} has no peer)"
                fix = "name a range"
                yield fault("pods", release, what, fix)
            elif way.addresses is None:
                dns = way.peer == _DNS_PODS and single == _DNS
                if not dns and (policy.who, way.peer, single) not in services:
                    what = (
                        f"lets {policy.who} reach {way.peer_in_words} on {way.ports_in_words}"
                        f" ({where})"
                    )
                    fix = "name ranges and ports"
                    yield fault("pods", release, what, fix)
            elif single is None:
                what = (
                    f"lets {policy.who} reach {way.peer_in_words} on {way.ports_in_words} ({where})"
                )
                fix = "name ports"
                yield fault("pods", release, what, fix)
            elif further := way.addresses - allowed:
                reached = ", ".join(further.cidrs[:4])
                what = f"lets {policy.who} reach {reached} on {way.ports_in_words} ({where})"
                yield fault("pods", release, what, fix, "network.peer_networks")


def told(view: View) -> Iterator[Finding]:
    """Where the stack gives mirrors or a proxy, servers are configured with them."""
    for release in hub_releases(view.resources):
        values = effective(release.inputs.get("values", {}))
        hub = view.stack.hubs.get(hub_of(release))
        environment = at(values, "singleuser", "extraEnv") or {}
        files = {
            str(item.get("mountPath")): str(item.get("stringData", ""))
            for item in (at(values, "singleuser", "extraFiles") or {}).values()
        }
        for tool, address in ({} if hub is None else hub.package_mirrors.given()).items():
            if address not in " ".join([*map(str, environment.values()), *files.values()]):
                what = f"does not configure servers with the mirror for {tool} ({address})"
                fix = "let the stack write singleuser.extraEnv and extraFiles"
                yield fault("mirrors", release, what, fix)
        if isinstance(view.network.egress, ProxyEgress):
            for where, told_of in (
                ("singleuser", environment),
                ("hub", at(values, "hub", "extraEnv") or {}),
            ):
                yield from _proxy(view, release, where, told_of, view.network.egress.url)


def _proxy(
    view: View, release: Resource, where: str, environment: Mapping[str, Any], url: str
) -> Iterator[Finding]:
    if environment.get("HTTPS_PROXY") != url:
        what = f"does not configure {where} with the proxy (values.{where}.extraEnv.HTTPS_PROXY)"
        fix = "let the stack write it"
        yield fault("proxy", release, what, fix, "network.egress")
    listed = str(environment.get("NO_PROXY", "")).split(",")
    for needed in (*view.network.ranges, view.stack.cluster.service_cidr, "hub", ".svc"):
        if needed not in listed:
            what = f"would send internal traffic to the proxy: NO_PROXY of {where} lacks {needed}"
            yield fault("proxy", release, what, "let the stack write it", "network.egress")
