"""The network policies that the chart renders of a hub's values, and the pods that they are about.

A reading of chart 4.4.0's templates (jupyterhub/zero-to-jupyterhub-k8s: templates/*/netpol.yaml,
_helpers-netpol.tpl, */deployment.yaml); compared with what the real chart rendered
(tests/fixtures/network_policies.json).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError
from typing import Any

from jupyterhub_aws.checks.hub_values.fault import ValueFault, Values
from jupyterhub_aws.checks.network_policies import (
    LAST_PORT,
    NAMESPACE_LABEL,
    Direction,
    Policy,
    PolicyPod,
    policy,
)
from jupyterhub_aws.config.errors import shown
from jupyterhub_aws.config.tree import KeyPath, at

Part = tuple[str, ...]
HUB: Part = ("hub",)
PROXY: Part = ("proxy", "chp")
AUTOHTTPS: Part = ("proxy", "traefik")
SERVERS: Part = ("singleuser",)
#: The owner of the policy at each place in the values, in words.
WHO: Mapping[Part, str] = {
    HUB: "the hub",
    PROXY: "the proxy",
    AUTOHTTPS: "the proxy's HTTPS",
    SERVERS: "users' servers",
}
HUB_PORT, PROXY_API, PROXY_HTTP, PROXY_HTTPS, SERVER_PORT, DNS = 8081, 8001, 8000, 8443, 8888, 53
_COMPONENT: Mapping[Part, str] = {
    HUB: "hub",
    PROXY: "proxy",
    AUTOHTTPS: "autohttps",
    SERVERS: "singleuser-server",
}
_ACCESS = "hub.jupyter.org/network-access-"
#: templates/hub/deployment.yaml, templates/proxy/deployment.yaml: what each pod may speak to by its
#: labels.
_GIVEN: Mapping[Part, tuple[str, ...]] = {
    HUB: ("proxy-api", "proxy-http", "singleuser"),
    PROXY: ("hub", "singleuser"),
    AUTOHTTPS: ("proxy-http",),
    SERVERS: (),
}
_LABELS: Mapping[Part, Part] = {
    HUB: ("hub", "labels"),
    PROXY: ("proxy", "labels"),
    AUTOHTTPS: ("proxy", "traefik", "labels"),
    SERVERS: ("singleuser", "extraLabels"),
}
#: Where each always sends traffic, independent of the values: to which part, on which ports.
_FIXED: Mapping[Part, tuple[tuple[Part, tuple[int, ...]], ...]] = {
    HUB: ((PROXY, (PROXY_API,)), (SERVERS, (SERVER_PORT,))),
    PROXY: ((HUB, (HUB_PORT,)), (SERVERS, (SERVER_PORT,))),
    AUTOHTTPS: ((PROXY, (PROXY_HTTP,)),),
    SERVERS: ((HUB, (HUB_PORT,)), (PROXY, (PROXY_HTTP,)), (AUTOHTTPS, (8080, PROXY_HTTPS))),
}
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


@dataclass(frozen=True, kw_only=True)
class ReleaseLocation:
    """Where a release is: its name and its namespace."""

    release: str
    namespace: str


def chart_policies(values: Values, place: ReleaseLocation) -> Iterator[Policy]:
    """The policies that the chart makes of values merged with its defaults: one for each part
    with its policy enabled.
    """
    for part, who in WHO.items():
        settings: Mapping[str, Any] = at(values, *part, "networkPolicy") or {}
        if not settings.get("enabled") or (part == AUTOHTTPS and not _https(values, "letsencrypt")):
            continue
        egress = list(_egress(part, settings, values, place))
        ingress = list(_ingress(part, settings, values))
        spec = {
            "podSelector": {"matchLabels": _matched(part, place)},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [rule for rule, _ in egress],
            "ingress": [rule for rule, _ in ingress],
        }
        origins: Mapping[Direction, list[KeyPath | None]] = {
            "egress": [origin for _, origin in egress],
            "ingress": [origin for _, origin in ingress],
        }
        yield policy(spec, place.namespace, who, origins)


def closed_by_default(namespace: str) -> Policy:
    """The policy that the stack adds to each hub's namespace: a pod without another policy
    has no connections (components/hub/hub.py).
    """
    return policy({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, namespace)


def _https(values: Values, *kinds: str) -> bool:
    https = at(values, "proxy", "https")
    return bool(at(https, "enabled")) and at(https, "type") in kinds


def _matched(part: Part, place: ReleaseLocation) -> dict[str, str]:
    return {"app": "jupyterhub", "component": _COMPONENT[part], "release": place.release}


def pod(part: Part, values: Values, place: ReleaseLocation, address: str) -> PolicyPod:
    """A pod of a part, as policies see it."""
    own = {str(key): str(value) for key, value in (at(values, *_LABELS[part]) or {}).items()}
    labels = {
        **_matched(part, place),
        **{f"{_ACCESS}{name}": "true" for name in _GIVEN[part]},
        **own,
    }
    return PolicyPod(
        namespace=place.namespace, labels=labels, address=address, ports=_ports(part, values)
    )


def _ports(part: Part, values: Values) -> dict[str, int]:
    if part == PROXY:
        https = {"https": PROXY_HTTPS} if _https(values, "secret", "manual") else {}
        return {"http": PROXY_HTTP, "api": PROXY_API, **https}
    return {HUB: {"http": HUB_PORT}, SERVERS: {"notebook-port": SERVER_PORT}}.get(
        part, {"http": 8080, "https": PROXY_HTTPS}
    )


def _egress(
    part: Part, settings: Mapping[str, Any], values: Values, place: ReleaseLocation
) -> Iterator[tuple[Mapping[str, Any], KeyPath | None]]:
    for target, ports in _FIXED[part]:
        to = [{"podSelector": {"matchLabels": _matched(target, place)}}]
        yield {"to": to, "ports": [{"port": port} for port in ports]}, None
    allowed: Mapping[str, Any] = settings.get("egressAllowRules") or {}
    metadata = f"{at(values, 'singleuser', 'cloudMetadata', 'ip')}/32"
    dns = {
        "dnsPortsCloudMetadataServer": [_block(metadata)],
        "dnsPortsKubeSystemNamespace": [
            {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "kube-system"}}}
        ],
        "dnsPortsPrivateIPs": [_block(cidr) for cidr in _PRIVATE],
    }
    wide = {
        "nonPrivateIPs": [_block("0.0.0.0/0", [*_PRIVATE, metadata])],
        "privateIPs": [_block(cidr) for cidr in _PRIVATE],
        "cloudMetadataServer": [_block(metadata)],
    }
    both = [{"port": DNS, "protocol": "UDP"}, {"port": DNS, "protocol": "TCP"}]
    for name, peers in dns.items():
        if allowed.get(name):
            yield {"to": peers, "ports": both}, (*part, "networkPolicy", "egressAllowRules", name)
    for name, peers in wide.items():
        if allowed.get(name):
            yield {"to": peers}, (*part, "networkPolicy", "egressAllowRules", name)
    for index, rule in enumerate(settings.get("egress") or ()):
        yield rule, (*part, "networkPolicy", "egress", index)


def _ingress(
    part: Part, settings: Mapping[str, Any], values: Values
) -> Iterator[tuple[Mapping[str, Any], KeyPath | None]]:
    if settings.get("allowedIngressPorts"):
        open_ports = [{"port": port} for port in settings["allowedIngressPorts"]]
        yield {"ports": open_ports}, (*part, "networkPolicy", "allowedIngressPorts")
    by_label = {
        HUB: (("hub", ("http",)),),
        PROXY: (
            ("proxy-http", ("http", "https") if _https(values, "secret", "manual") else ("http",)),
            ("proxy-api", ("api",)),
        ),
        AUTOHTTPS: (("proxy-http", ("http", "https")),),
        SERVERS: (("singleuser", ("notebook-port",)),),
    }
    accepts = settings.get("interNamespaceAccessLabels") == "accept"
    for name, ports in by_label[part]:
        labelled = {"matchLabels": {f"{_ACCESS}{name}": "true"}}
        numbers = [{"port": port} for port in ports]
        yield {"from": [{"podSelector": labelled}], "ports": numbers}, None
        if accepts:  # of all namespaces, and every pod of a namespace with the label
            everywhere = [
                {"podSelector": labelled, "namespaceSelector": {}},
                {"namespaceSelector": labelled},
            ]
            yield (
                {"from": everywhere, "ports": numbers},
                (*part, "networkPolicy", "interNamespaceAccessLabels"),
            )
    for index, rule in enumerate(settings.get("ingress") or ()):
        yield rule, (*part, "networkPolicy", "ingress", index)


def _block(cidr: str, outside: list[str] | None = None) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, **({"except": outside} if outside else {})}}


# --- Rules of network policies that a hub's values bring, in the form that the Kubernetes API takes
# (validation of networking.k8s.io/v1).


#: What a message shows as a right rule.
EXAMPLE = "{to: [{ipBlock: {cidr: 10.20.0.5/32}}], ports: [{protocol: TCP, port: 443}]}"
_KEYS = {"egress": ("to", "ports"), "ingress": ("from", "ports")}
_PEER_KEYS = ("ipBlock", "namespaceSelector", "podSelector")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def malformed(values: Values) -> Iterator[ValueFault]:
    """Rules that Kubernetes would refuse, or with unknown fields that it would drop: the rest
    may then allow every peer (API validation of v1).
    """
    for part in WHO:
        for direction in ("egress", "ingress"):
            for index, rule in enumerate(at(values, *part, "networkPolicy", direction) or ()):
                problem = _rule_problem(rule, direction)
                if problem is not None:
                    path = (*part, "networkPolicy", direction, index)
                    what = f"is no rule of a NetworkPolicy: {problem}"
                    fix = f"write it like {EXAMPLE}"
                    yield ValueFault("helm-values.network-policy", path, what, fix)


def _rule_problem(rule: object, direction: str) -> str | None:
    allowed = _KEYS[direction]
    if not isinstance(rule, Mapping):
        return f"it is not a map (got {shown(rule)})"
    for key in rule:
        if key not in allowed:
            return (
                f"{direction} rules have {' and '.join(allowed)} only, and Kubernetes would drop"
                f" {shown(key)}: the rest would allow every peer"
            )
    for key in allowed:
        if not isinstance(rule.get(key) or [], (list, tuple)):
            return f"{key} is not a list"
    problems = (_peer_problem(peer) for peer in rule.get(allowed[0]) or ())
    of_ports = map(_port_problem, rule.get("ports") or ())
    return next(filter(None, (*problems, *of_ports)), None)


def _peer_problem(peer: object) -> str | None:
    if not isinstance(peer, Mapping) or not peer:
        return f"a peer is empty (got {shown(peer)})"
    unknown = [
        key
        for key, value in peer.items()
        if key not in _PEER_KEYS or not isinstance(value, Mapping)
    ]
    if unknown:
        keys = ", ".join(_PEER_KEYS)
        return f"a peer has {keys} only, and each is a map (got {shown(unknown[0])})"
    block = peer.get("ipBlock")
    if block is None:
        return next(filter(None, map(_selector_problem, peer.values())), None)
    return "ipBlock is used alone" if len(peer) > 1 else _block_problem(block)


def _block_problem(block: Mapping[str, Any]) -> str | None:
    cidr, but = _network(block.get("cidr")), block.get("except") or ()
    if cidr is None or not set(block) <= {"cidr", "except"} or not isinstance(but, (list, tuple)):
        return (
            "ipBlock has cidr, a range such as 10.20.0.0/16, and except, a list (got"
            f" {shown(block)})"
        )
    for item in but:
        inner = _network(item)
        if (
            inner is None
            or inner.version != cidr.version
            or inner == cidr
            or not inner.subnet_of(cidr)  # type: ignore[arg-type]  # of one version
        ):
            return f"except must lie inside {cidr} (got {shown(item)})"
    return None


def _selector_problem(selector: Mapping[str, Any]) -> str | None:
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    if (
        not set(selector) <= {"matchLabels", "matchExpressions"}
        or not isinstance(labels, Mapping)
        or not isinstance(expressions, (list, tuple))
    ):
        return f"a selector has matchLabels and matchExpressions only (got {shown(selector)})"
    if any(not isinstance(value, str) for value in labels.values()):
        return "the values of labels are quoted text"
    for item in expressions:
        operator, values = (
            (item.get("operator"), item.get("values") or ())
            if isinstance(item, Mapping)
            else (None, ())
        )
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist") or bool(values) != (
            operator in ("In", "NotIn")
        ):
            return (
                "an expression is {key, operator: In|NotIn, values} or {key, operator:"
                f" Exists|DoesNotExist}} (got {shown(item)})"
            )
    return None


def _network(cidr: object) -> IPv4Network | IPv6Network | None:
    if not isinstance(cidr, str) or "/" not in cidr:
        return None
    try:
        return (IPv6Network if ":" in cidr else IPv4Network)(cidr, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _port_problem(port: object) -> str | None:
    if not isinstance(port, Mapping) or not set(port) <= {"port", "protocol", "endPort"}:
        return f"a port has port, protocol and endPort only (got {shown(port)})"
    number, last = port.get("port"), port.get("endPort")
    if port.get("protocol", "TCP") not in _PROTOCOLS:
        return f"protocol is TCP, UDP or SCTP (got {shown(port.get('protocol'))})"
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, str, type(None)))
        or (isinstance(number, str) and (not number or number.isdigit()))
    ):
        return f"port is a number without quotes, or a port's name (got {shown(number)})"
    if isinstance(number, int) and not 0 < number <= LAST_PORT:
        return f"port is from 1 to {LAST_PORT} (got {shown(number)})"
    if last is not None and not (
        isinstance(number, int) and isinstance(last, int) and number <= last <= LAST_PORT
    ):
        return f"endPort is not below port, which is a number (got {shown(last)})"
    return None
