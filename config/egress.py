"""Connections of an isolated network: a corporate proxy for egress, and peer networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import AccountId, Cidr, VpcId, aws_id, host_of, is_world

_PATTERN = re.compile(
    r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
_PROXY = re.compile(r"http://[A-Za-z0-9.-]+:[0-9]{1,5}/?")
_PORTS = Annotated[int, Field(ge=1, le=65535)]
_NEW_PODS = "Nodes and servers that start later have it; hub and autoscaler restart."


def _pattern(value: str) -> str:
    if "://" in value or "/" in value or ":" in value:
        fix = f"write {host_of(value) or value.partition('/')[0].partition(':')[0]}"
        raise refuse("egress.address", f"is an address, not a name (got {shown(value)})", fix)
    if value in ("*", "*.*") or not _PATTERN.fullmatch(value):
        what = f"is not a host name in lower case (got {shown(value)})"
        fix = "write ldap.corp.example, or *.corp.example for all below it"
        raise refuse("egress.host-name", what, fix)
    if value.startswith("*.") and "." not in value[2:]:
        what = f"covers a whole top-level domain (got {shown(value)})"
        raise refuse("egress.top-level-domain", what, "name your own domain below it")
    return value


def _proxy(value: str) -> str:
    if "@" in value:
        what = "holds a user name or password, which every pod could read on every node"
        fix = "use a proxy that knows its clients by their addresses"
        raise refuse("egress.proxy-credentials", what, fix)
    if not _PROXY.fullmatch(value):
        what = f"is not a proxy's address with a port (got {shown(value)})"
        raise refuse("egress.proxy-address", what, "write it like http://proxy.corp.example:3128")
    return value.rstrip("/")


def _no_world(value: str) -> str:
    if is_world(value):
        fix = "list your own networks"
        raise refuse("egress.too-wide", f"is as wide as the internet (got {value})", fix)
    return value


def matches(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name is one of these, or below one that begins with `*.`."""
    return any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in patterns
    )


HostPattern = Annotated[
    str,
    AfterValidator(_pattern),
    Field(json_schema_extra={"examples": ["ldap.corp.example", "*.corp.example"]}),
]


class InternetEgress(Model):
    """Egress through a NAT gateway or an equivalent."""

    kind: Literal["internet"] = tag(
        "internet", help="`internet`: nodes and pods reach it.", changing="Nothing by itself."
    )


class NoEgress(Model):
    """No egress: nodes and pods reach internal addresses only."""

    kind: Literal["none"] = tag("none", help="`none`: nothing leaves.", changing=_NEW_PODS)


class ProxyEgress(Model):
    """A corporate HTTP proxy. Nodes, hub, autoscaler and users' servers get its address, and the
    list of internal names that bypass it.
    """

    kind: Literal["proxy"] = tag(
        "proxy", help="`proxy`: HTTP and HTTPS leave through a proxy of yours.", changing=_NEW_PODS
    )
    url: Annotated[str, AfterValidator(_proxy)] = option(
        help="Its address with port, such as http://proxy.corp.example:3128.", changing=_NEW_PODS
    )
    no_proxy: tuple[HostPattern, ...] = option(
        (),
        help=(
            "Further names that need no proxy. The cluster's own ranges and names, AWS's endpoints"
            " and `internal_hosts` are in the list already."
        ),
        changing=_NEW_PODS,
    )


ClosedEgress = Annotated[NoEgress | ProxyEgress, Field(discriminator="kind")]
Egress = Annotated[InternetEgress | NoEgress | ProxyEgress, Field(discriminator="kind")]


class PeerNetwork(Model):
    """A peer network of the cluster's network."""

    cidrs: Annotated[
        tuple[Annotated[Cidr, AfterValidator(_no_world)], ...], Field(min_length=1, max_length=20)
    ] = option(help="Its ranges.", changing="In place, at once.")
    ports: tuple[_PORTS, ...] = option(
        (),
        help=(
            "TCP ports that nodes and the hub may reach there: 636 for LDAPS, 2049 for NFS, 3128"
            " for a proxy."
        ),
        changing="In place, at once.",
    )
    servers: bool = option(
        False, help="Users' servers may reach these ports too.", changing="In place, at once."
    )


class TransitGateway(Model):
    """A transit gateway of your organization: the stack attaches its VPC."""

    kind: Literal["transit_gateway"] = tag(
        "transit_gateway",
        help=(
            "`transit_gateway`: by attachment. Return routes are the responsibility of the"
            " gateway's owner."
        ),
        changing="Cuts connections.",
    )
    id: Annotated[str, aws_id("tgw")] = option(
        help="Its id, such as tgw-0123456789abcdef0.", changing="Cuts connections."
    )


class Peering(Model):
    """Another VPC, by a peering connection that the stack requests."""

    kind: Literal["peering"] = tag(
        "peering", help="`peering`: by VPC peering.", changing="Cuts connections."
    )
    vpc_id: VpcId = option(help="The other VPC.", changing="Cuts connections.")
    owner: AccountId | None = option(
        None,
        help=(
            'Its account, quoted: "123456789012", where it is another one; its owner then has to'
            " accept."
        ),
        changing="Cuts connections.",
    )


class RoutedPeerNetwork(PeerNetwork):
    """A peer network of the stack's VPC, and its connection."""

    via: Annotated[TransitGateway | Peering, Field(discriminator="kind")] = option(
        help="The connection to it.", changing="Cuts connections."
    )


# --- A corporate proxy as environment variables: its address, and all destinations that must bypass
# it. Pure.


_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY")
#: Names without a dot by which a server, the proxy and the hub call each other inside a namespace
#: (chart templates, services).
HUB_NAMES = ("hub", "proxy-api", "proxy-public")
#: Addresses on the node itself that a program in a node or pod may call: loopback, instance
#: metadata, the Pod Identity agent.
_LOCAL = ("localhost", "127.0.0.1", "169.254.169.254", "169.254.170.23")
_CLUSTER = (".svc", ".cluster.local", "kubernetes", "kubernetes.default")


def is_proxy_variable(name: str) -> bool:
    """Whether a variable names a proxy."""
    return name.upper() in (*_VARIABLES, "ALL_PROXY")


def no_proxy(
    egress: ProxyEgress, *, ranges: Sequence[str], internal_hosts: Sequence[str], region: str
) -> str:
    """What needs no proxy: the node itself, the cluster's ranges and names, AWS's endpoints in the
    VPC, and what the stack declares as internal.

    A leading dot means "all below it" to curl, Python, Go and containerd alike; `*.` does not.
    """
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    aws = (
        (
            f".{region}.{suffix}",
            f".{region}.eks.{suffix}",
            f".dkr.ecr.{region}.{suffix}",
            f"s3.{region}.{suffix}",
        )
        if region
        else ()
    )
    names = [pattern.removeprefix("*") for pattern in (*internal_hosts, *egress.no_proxy)]
    return ",".join(dict.fromkeys((*_LOCAL, *ranges, *_CLUSTER, *HUB_NAMES, *aws, *names)))


def proxy_environment(egress: ProxyEgress, exceptions: str) -> dict[str, str]:
    """The variables in both spellings: curl reads the lower case, most others either."""
    both = {**dict.fromkeys(_VARIABLES, egress.url), "NO_PROXY": exceptions}
    return {**both, **{key.lower(): value for key, value in both.items()}}
