"""What a stack may say about its network. Each mode is a type of its own, and `closed` says
whether it has no egress to the internet.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jupyterhub_aws.config.egress import (
    ClosedEgress,
    Egress,
    HostPattern,
    InternetEgress,
    NoEgress,
    PeerNetwork,
    RoutedPeerNetwork,
)
from jupyterhub_aws.config.endpoints import endpoint_services, source
from jupyterhub_aws.config.errors import closest, refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import Cidr, ShortName, VpcId, Zone, aws_id

_REPLACES = "Replaces the network and everything in it. Never change it on a stack in use."
_PRIVATE = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
#: VPC sizes: AWS takes /16 to /28; below /20 three zones have no room for pods and the /28 prefixes
#: of the CNI.
_LARGEST, _SMALLEST = 16, 20
_SERVICE = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _vpc_cidr(value: str) -> str:
    network = IPv4Network(value)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        fix = "choose one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"
        raise refuse("network.cidr-public", f"is not a private range (got {value})", fix)
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        around = IPv4Network((network.network_address, _LARGEST), strict=False)
        what = f"must be between /{_LARGEST} and /{_SMALLEST} (got /{network.prefixlen})"
        raise refuse("network.cidr-size", what, f"write {around}")
    return value


def _nat(value: object) -> object:
    if value == "none":
        raise refuse(
            "network.no-nat",
            "cannot be none in an open network: nodes would never reach the cluster and never join",
            "choose single or per_zone, or write mode: airgap for a network without egress",
        )
    return value


def _service(value: str) -> str:
    if value.startswith("com.amazonaws."):
        fix = (
            "write its last part,"
            f" {value.removeprefix('com.amazonaws.').partition('.')[2] or 'ssm'}"
        )
        raise refuse("endpoints.full-name", f"is a service's whole name (got {shown(value)})", fix)
    if not _SERVICE.fullmatch(value):
        what = f"is not the short name of an AWS service (got {shown(value)})"
        fix = "write it as in com.amazonaws.REGION.NAME, such as athena"
        raise refuse("endpoints.malformed", what, fix)
    if value not in endpoint_services():
        meant = closest(value, endpoint_services())
        fix = (
            f"did you mean {meant}?"
            if meant
            else f"write the NAME of com.amazonaws.REGION.NAME, such as athena (list: {source()})"
        )
        what = f"is no AWS service that has a VPC endpoint (got {shown(value)})"
        raise refuse("endpoints.unknown", what, fix)
    return value


def _bucket(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        fix = "write the bare name, without s3:// and without a path"
        raise refuse("endpoints.bucket", f"is not the name of a bucket (got {shown(value)})", fix)
    return value


#: The short name of an AWS service that has a VPC endpoint.
EndpointService = Annotated[str, AfterValidator(_service)]
Zones = Annotated[tuple[Zone, ...], Field(min_length=2, max_length=3)]


class FlowLogs(Model):
    """Records of connections in the VPC, written to CloudWatch Logs."""

    retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = option(
        30,
        help="Retention of the records.",
        unit="days",
        changing="In place: older records are deleted.",
    )
    traffic: Literal["ALL", "ACCEPT", "REJECT"] = option(
        "REJECT",
        help="Which connections are recorded.",
        changing="Replaces the flow log (not its records).",
    )


class _OwnVpc(Model):
    """Options of every VPC that the stack makes."""

    cidr: Annotated[Cidr, AfterValidator(_vpc_cidr)] = option(
        "10.0.0.0/16",
        help="The VPC's range. Each zone gets a quarter for nodes and pods.",
        changing=_REPLACES,
    )
    zones: Zones = option(
        help="Two or three availability zones of the region. More zones find more spot capacity.",
        changing=(
            "Adding a third zone at the end is in place. Removing or reordering replaces subnets"
            " that nodes use."
        ),
    )
    flow_logs: FlowLogs | None = option(
        None, help="Record connections. Off unless this section exists.", changing="In place."
    )

    @property
    def ranges(self) -> tuple[str, ...]:
        """The ranges of nodes and pods."""
        return (self.cidr,)


class OpenNetworkSection(_OwnVpc):
    """A VPC of its own with egress: public subnets for load balancers and NAT, large private
    ones for nodes and pods.
    """

    mode: Literal["open"] = tag(
        "open", help="`open`: private subnets reach the internet through NAT.", changing=_REPLACES
    )
    nat: Annotated[Literal["single", "per_zone"], BeforeValidator(_nat)] = option(
        "single",
        help=(
            "`single`: one NAT gateway (cheaper; without its zone no node reaches the internet)."
            " `per_zone`: one in each."
        ),
        changing="In place; open connections to the internet break once.",
    )

    @property
    def closed(self) -> bool:
        """False: it has egress."""
        return False


class _Endpoints(Model):
    """The endpoints of AWS services in a network without egress."""

    additional_endpoints: tuple[EndpointService, ...] = option(
        (),
        help=(
            "AWS services that users call from their servers, besides those that the stack itself"
            " needs: athena, sagemaker.api."
        ),
        changing="In place.",
    )
    buckets: tuple[Annotated[str, AfterValidator(_bucket)], ...] = option(
        (),
        help=(
            "S3 buckets of your account that may be reached through the endpoint, besides those of"
            " the stack itself."
        ),
        changing="In place, at once.",
    )
    internal_hosts: tuple[HostPattern, ...] = option(
        (),
        help=(
            "Host names that are internal: directory, sign-in, package mirrors. `*.corp.example`"
            " covers all below it. Any other host name in the stack fails the plan."
        ),
        changing="No resource changes: the proof of isolation uses it.",
        max_length=100,
    )


class AirgapNetworkSection(_OwnVpc, _Endpoints):
    """A VPC of its own without egress: isolated subnets, and a private endpoint for each AWS API
    that is called from inside.
    """

    mode: Literal["airgap"] = tag(
        "airgap",
        help="`airgap`: no traffic to the internet, and none from it.",
        changing=_REPLACES,
    )
    endpoint_zones: Literal["one", "all"] = option(
        "all",
        help=(
            "Zones in which each endpoint has an address: `one` costs a third, and its zone's"
            " failure stops new nodes."
        ),
        changing="In place.",
    )
    egress: ClosedEgress = option(
        NoEgress(kind="none"),
        help="Whether there is egress through a corporate HTTP proxy.",
        changing="See its options.",
    )
    peer_networks: dict[ShortName, RoutedPeerNetwork] = option(
        {},
        help=(
            "Peer networks, which are reached without the internet: those of users, the directory"
            " and the proxy."
        ),
        changing="In place.",
        max_length=20,
    )

    @property
    def closed(self) -> bool:
        """True: it has no egress."""
        return True


class Subnet(Model):
    """A subnet of yours for nodes and pods."""

    id: Annotated[str, aws_id("subnet")] = option(help="Its id.", changing=_REPLACES)
    cidr: Cidr = option(
        help="Its range, compared with AWS's answer at every preview.", changing=_REPLACES
    )


class ExistingNetworkSection(_Endpoints):
    """An existing VPC and subnets, in which the stack makes nothing but endpoints. Their
    requirements are checked at every preview.
    """

    mode: Literal["existing"] = tag(
        "existing", help="`existing`: a VPC that the stack did not create.", changing=_REPLACES
    )
    vpc_id: VpcId = option(help="Its id.", changing=_REPLACES)
    cidr: Cidr = option(
        help="Its range, or the one of its ranges that holds the subnets.", changing=_REPLACES
    )
    private_subnets: Annotated[dict[Zone, Subnet], Field(min_length=2, max_length=6)] = option(
        help="One subnet for nodes and pods in each zone, by the zone's name.",
        changing="As with zones of a VPC that the stack makes.",
    )
    public_subnets: dict[Zone, Subnet] = option(
        {},
        help="Subnets for balancers that face the internet, by zone.",
        changing="Replaces such balancers.",
    )
    egress: Egress = option(help="Egress of the private subnets.", changing="See its options.")
    manage_endpoints: bool = option(
        True,
        help=(
            "With egress `none` or `proxy`: the stack makes the endpoints. `false`: they exist"
            " already (those of a central VPC, for example)."
        ),
        changing="In place.",
    )
    route_tables: tuple[Annotated[str, aws_id("rtb")], ...] = option(
        (),
        help="Route tables of the private subnets, for the S3 endpoint.",
        changing="In place.",
        max_length=6,
    )
    peer_networks: dict[ShortName, PeerNetwork] = option(
        {},
        help="Peer networks that nodes may reach. You make their routes.",
        changing="In place.",
        max_length=20,
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones, in the order of their names."""
        return tuple(sorted(self.private_subnets))

    @property
    def ranges(self) -> tuple[str, ...]:
        """The ranges of nodes and pods."""
        return (self.cidr,)

    @property
    def closed(self) -> bool:
        """Whether its section declares no egress to the internet."""
        return not isinstance(self.egress, InternetEgress)

    @property
    def makes_endpoints(self) -> bool:
        """Whether the stack makes the endpoints of AWS's services."""
        return self.closed and self.manage_endpoints

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [
            subnet.id for subnet in (*self.private_subnets.values(), *self.public_subnets.values())
        ]
        twice = sorted({item for item in ids if ids.count(item) > 1})
        if twice:
            fix = "give each zone a subnet of its own; nodes and balancers do not share one"
            raise refuse("network.subnet-twice", f"names {twice[0]} twice", fix)
        outside = [
            subnet
            for subnet in self.private_subnets.values()
            if not IPv4Network(subnet.cidr).subnet_of(IPv4Network(self.cidr))
        ]
        if outside:
            what = f"private_subnets: {outside[0].cidr} is not inside cidr {self.cidr}"
            fix = "correct one of them; cidr is the VPC's range that holds the subnets"
            raise refuse("network.subnet-outside-cidr", what, fix)
        if self.makes_endpoints and not self.route_tables:
            what = (
                "route_tables is empty, so there would be no route to the S3 endpoint: no image"
                " could be pulled"
            )
            raise refuse("network.no-route-tables", what, "list the private subnets' route tables")
        return self


class UnmanagedNetworkSection(Model):
    """The network of an existing cluster, in AWS or not. The stack makes nothing in it; the
    options describe what pods need to know.
    """

    mode: Literal["unmanaged"] = tag(
        "unmanaged",
        help="`unmanaged`: with `cluster.kind: existing`.",
        changing="Nothing by itself.",
    )
    ranges: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=10)] = option(
        help="Ranges of nodes and pods.", changing="In place."
    )
    egress: Egress = option(help="Egress of nodes and pods.", changing="See its options.")
    internal_hosts: tuple[HostPattern, ...] = option(
        (),
        help="Host names that are internal. Any other fails the plan of an isolated network.",
        changing="Nothing.",
    )
    peer_networks: dict[ShortName, PeerNetwork] = option(
        {}, help="Peer networks that users' servers may reach.", changing="In place.", max_length=20
    )

    @property
    def zones(self) -> tuple[str, ...]:
        """No zones: this program does not know them."""
        return ()

    @property
    def closed(self) -> bool:
        """Whether its section declares no egress to the internet."""
        return not isinstance(self.egress, InternetEgress)


#: A network in AWS, in which the stack makes a cluster.
Vpc = OpenNetworkSection | AirgapNetworkSection | ExistingNetworkSection
AnyNetwork = Vpc | UnmanagedNetworkSection
#: Discriminated by `mode`: components dispatch with `match`.
Network = Annotated[AnyNetwork, Field(discriminator="mode")]
