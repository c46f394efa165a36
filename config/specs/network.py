"""What follows from a network section: subnets and their ranges, egress, private endpoints, and
what pods and nodes have to know of it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from jupyterhub_aws.config.egress import (
    Egress,
    InternetEgress,
    PeerNetwork,
    ProxyEgress,
    RoutedPeerNetwork,
    no_proxy,
    proxy_environment,
)
from jupyterhub_aws.config.endpoints import GATEWAYS, reasons, running
from jupyterhub_aws.config.network import (
    AirgapNetworkSection,
    AnyNetwork,
    ExistingNetworkSection,
    FlowLogs,
    OpenNetworkSection,
    UnmanagedNetworkSection,
)
from jupyterhub_aws.config.stack import StackConfig

#: A quarter of the VPC for each zone's nodes and pods; the fourth quarter holds the public subnets;
#: the rest of it is free.
_PRIVATE_BITS = 2
#: A 256th of the VPC for each public subnet: balancer interfaces and NAT (at least 8 free
#: addresses: ELB user guide).
_PUBLIC_BITS = 8
_QUARTERS = 4
INTERNET = InternetEgress(kind="internet")


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """The ranges of one zone.

    `pods` is the upper half of `private`, reserved for the /28 prefixes that the CNI takes, so that
    single addresses of balancers, mount targets and nodes do not fragment it (VPC user guide,
    "Subnet CIDR reservations").
    """

    zone: str
    private: IPv4Network
    pods: IPv4Network
    public: IPv4Network

    @property
    def letter(self) -> str:
        """The zone's last letter, by which resources of a zone are named."""
        return self.zone[-1]


def zone_subnets(cidr: str, zones: Sequence[str]) -> tuple[ZoneSubnets, ...]:
    """Divide a VPC's range: zone N gets the N-th quarter, and the N-th slice of the last quarter as
    public subnet.

    A zone's ranges depend on its place in the list only, so that a zone added at the end changes no
    other. Raises ValueError for more zones than quarters are free.
    """
    vpc = IPv4Network(cidr)
    if len(zones) >= _QUARTERS:
        raise ValueError(f"a plan has room for {_QUARTERS - 1} zones, not {len(zones)}")
    quarters = list(vpc.subnets(prefixlen_diff=_PRIVATE_BITS))
    slices = list(quarters[-1].subnets(prefixlen_diff=_PUBLIC_BITS - _PRIVATE_BITS))
    return tuple(
        ZoneSubnets(
            zone=zone,
            private=quarters[index],
            pods=list(quarters[index].subnets())[1],
            public=slices[index],
        )
        for index, zone in enumerate(zones)
    )


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """What nodes, pods and rules need to know of a network, managed or existing.

    `region` is the AWS region, empty outside of AWS. `ranges` are those of nodes and pods.
    `internal_hosts` are names that are reached without the internet, `peer_networks` networks
    beside this one.
    """

    region: str
    zones: tuple[str, ...] = ()
    ranges: tuple[str, ...]
    egress: Egress = INTERNET
    internal_hosts: tuple[str, ...] = ()
    peer_networks: Mapping[str, PeerNetwork] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the network has no egress to the internet."""
        return not isinstance(self.egress, InternetEgress)

    def proxy_environment(self, service_cidr: str) -> dict[str, str]:
        """The variables that tell a program in a node or pod of the HTTP proxy; empty without a
        proxy. `service_cidr` is the cluster's.
        """
        if not isinstance(self.egress, ProxyEgress):
            return {}
        ranges = [*self.ranges, service_cidr]
        return proxy_environment(
            self.egress,
            no_proxy(
                self.egress, ranges=ranges, internal_hosts=self.internal_hosts, region=self.region
            ),
        )


def network_spec(section: AnyNetwork, region: str) -> NetworkSpec:
    """What follows from a network section of any mode."""
    if isinstance(section, OpenNetworkSection):
        return NetworkSpec(region=region, zones=section.zones, ranges=section.ranges)
    return NetworkSpec(
        region=region,
        zones=section.zones,
        ranges=section.ranges,
        egress=section.egress,
        internal_hosts=section.internal_hosts,
        peer_networks=section.peer_networks,
    )


@dataclass(frozen=True, kw_only=True)
class EndpointsSpec:
    """The private endpoints of AWS services. `reasons` maps each service to why it is needed,
    `zones` are those in which an endpoint has an address.

    Through the endpoint of S3 `buckets` can be reached, and with `system_packages` those of Amazon
    Linux's packages.
    """

    region: str
    reasons: Mapping[str, str]
    zones: tuple[str, ...]
    buckets: tuple[str, ...] = ()
    system_packages: bool = False


@dataclass(frozen=True, kw_only=True)
class OwnVpcSpec:
    """What every VPC that is made here has: private subnets. `name` is the prefix of physical
    names.
    """

    name: str
    network: NetworkSpec
    cidr: str
    subnets: tuple[ZoneSubnets, ...]
    flow_logs: FlowLogs | None


@dataclass(frozen=True, kw_only=True)
class OpenVpcSpec(OwnVpcSpec):
    """A VPC with NAT. `nat_addresses` are the zones in which a NAT gateway's address is kept.

    `nat_gateways` maps each zone to the zone of the gateway that its private subnet uses; it is
    empty while there is none.
    """

    nat_addresses: tuple[str, ...]
    nat_gateways: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class IsolatedVpcSpec(OwnVpcSpec):
    """A VPC without egress. `domains` are the names that its resolver answers, `peer_networks`
    what it has routes to.
    """

    endpoints: EndpointsSpec
    domains: tuple[str, ...]
    peer_networks: Mapping[str, RoutedPeerNetwork]


@dataclass(frozen=True, kw_only=True)
class ExistingVpcSpec:
    """A VPC that exists already. `endpoints` is None where they are not made here."""

    name: str
    network: NetworkSpec
    section: ExistingNetworkSection
    endpoints: EndpointsSpec | None


def open_vpc_spec(
    section: OpenNetworkSection, *, name: str, region: str, without_nat: bool = False
) -> OpenVpcSpec:
    """What follows from a network of mode `open`. `without_nat`: no gateway while the stack is
    paused, their addresses are retained.
    """
    zones = section.zones
    shared = section.nat == "single"
    return OpenVpcSpec(
        name=name,
        network=network_spec(section, region),
        cidr=section.cidr,
        subnets=zone_subnets(section.cidr, zones),
        flow_logs=section.flow_logs,
        nat_addresses=zones[:1] if shared else zones,
        nat_gateways={} if without_nat else {zone: zones[0] if shared else zone for zone in zones},
    )


def isolated_vpc_spec(
    section: AirgapNetworkSection,
    *,
    name: str,
    region: str,
    services: Mapping[str, str],
    system_packages: bool = False,
) -> IsolatedVpcSpec:
    """What follows from a network of mode `airgap`. `services` are those that get an endpoint,
    each with why.
    """
    endpoints = EndpointsSpec(
        region=region,
        reasons=services,
        zones=section.zones[:1] if section.endpoint_zones == "one" else section.zones,
        buckets=section.buckets,
        system_packages=system_packages,
    )
    return IsolatedVpcSpec(
        name=name,
        network=network_spec(section, region),
        cidr=section.cidr,
        subnets=zone_subnets(section.cidr, section.zones),
        flow_logs=section.flow_logs,
        endpoints=endpoints,
        domains=resolvable_domains(region, section.internal_hosts),
        peer_networks=section.peer_networks,
    )


def existing_vpc_spec(
    section: ExistingNetworkSection,
    *,
    name: str,
    region: str,
    services: Mapping[str, str],
    system_packages: bool = False,
) -> ExistingVpcSpec:
    """What follows from a network of mode `existing`. `services` as of an isolated VPC; they are
    used where the endpoints are made here.
    """
    endpoints = EndpointsSpec(
        region=region,
        reasons=services,
        zones=section.zones,
        buckets=section.buckets,
        system_packages=system_packages,
    )
    return ExistingVpcSpec(
        name=name,
        network=network_spec(section, region),
        section=section,
        endpoints=endpoints if section.makes_endpoints else None,
    )


def default_services(further: Sequence[str] = ()) -> dict[str, str]:
    """The AWS services that everything which this library installs calls, each with why, and
    `further` ones: what an isolated VPC has endpoints of.
    """
    return reasons(running("efs", runner=False, watched=True), further)


def resolvable_domains(region: str, internal_hosts: Sequence[str]) -> tuple[str, ...]:
    """What a cluster in an isolated network has to resolve: the region's endpoints, the API
    server, EFS, registries, S3, and internal hosts.
    """
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    aws = [
        f"*.{region}.{suffix}",
        f"*.eks.{suffix}",
        f"s3.{region}.{suffix}",
        f"*.{region}.compute.internal",
        "*.ec2.internal",
        f"*.{region}.api.aws",
    ]
    return tuple(sorted({*aws, *internal_hosts}))


# --- Which private endpoints a stack has: one for each API that its software calls, and while it is
# paused those that are still called.


def endpoint_reasons(stack: StackConfig) -> Mapping[str, str]:
    """The services that get an endpoint, each with why. Empty where the stack's network is not
    isolated.

    Paused with `endpoints` among `pause.drop`: those of the runner, from which the stack is
    resumed, and the gateways, which cost nothing.
    """
    network = stack.network
    if isinstance(network, (OpenNetworkSection, UnmanagedNetworkSection)):
        return {}
    wanted = reasons(
        running(
            stack.homes.kind, runner=stack.runner is not None, watched=stack.alarms is not None
        ),
        network.additional_endpoints,
    )
    if not stack.drops("endpoints"):
        return wanted
    kept = {*GATEWAYS, *(reasons(["runner"]) if stack.runner is not None else ())}
    return {service: why for service, why in wanted.items() if service in kept}
