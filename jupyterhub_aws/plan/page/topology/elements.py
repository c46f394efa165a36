"""What the picture is made of, before anything has a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.tree import at


@dataclass(frozen=True)
class Element:
    """One box. `zones` are the columns that it spans; `parts` are smaller boxes inside it; `world`:
    the whole internet may reach it, which a line of it says too.
    """

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    _: KW_ONLY
    urn: str | None = None
    zones: tuple[int, ...] = ()
    parts: tuple[Element, ...] = ()
    world: bool = False

    @property
    def words(self) -> str:
        """The box in one line of text."""
        inside = "; ".join(part.words for part in self.parts)
        return ": ".join(filter(None, (self.title, ", ".join(self.lines)))) + (
            f" ({inside})" if inside else ""
        )


Row = tuple[Element, ...]
#: What a box says that is open to the world: colour alone says nothing to some readers.
OPEN = "⚠ open to the world"


def marked_open(element: Element, *, when: bool) -> Element:
    """The box as one that the whole internet may reach."""
    if not when:
        return element
    return replace(element, lines=(*element.lines, OPEN), world=True)


#: The only column where the stack has no subnets.
NO_ZONE = "the network that is there"


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The whole picture: rows of boxes by place, from the outside in."""

    region: str
    vpc: Element
    zones: tuple[str, ...]
    public: tuple[str, ...]
    private: tuple[str, ...]
    users: Element
    sign_in: Element | None = None
    operators: Element | None = None
    control: Element | None = None
    gateway: Element | None = None
    nats: Row = ()
    exits: tuple[tuple[int, int], ...] = ()
    entries: Row = ()
    entries_inside: Row = ()
    core: Row = ()
    databases: Row = ()
    pools: tuple[Row, ...] = ()
    mounts: Row = ()
    homes: Row = ()
    endpoints: Row = ()
    numbers: dict[str, int] = field(default_factory=dict)
    steps: tuple[str, ...] = ()

    @property
    def known_zones(self) -> tuple[str, ...]:
        """The zones; none where the subnets are not the stack's."""
        return () if self.zones == (NO_ZONE,) else self.zones

    @property
    def place(self) -> str:
        """Where all of it is: a region of AWS, or a cluster that is perhaps not in AWS."""
        return f"AWS {self.region}" if self.region else "Existing cluster"


# --- Which hub a resource belongs to: the one with which it shares the nearest component.


class Owners:
    """The hubs of a stack, and what is theirs."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.releases = hub_releases(resources)

    def hub(self, resource: Resource) -> Resource | None:
        """The release that shares a component with a resource; None where several do, or none."""
        cloud = self._cloud(resource)
        # Of the cloud part of a hub the release belongs to a component of its own, perhaps in
        # another stack.
        if cloud is not None:
            return next((release for release in self.releases if hub_of(release) == cloud), None)
        for ancestor in self._above(resource):
            found = [release for release in self.releases if ancestor in self._above(release)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _cloud(self, resource: Resource) -> str | None:
        """The hub with a cloud part that a resource belongs to."""
        for ancestor in self._above(resource):
            component = self._resources.by_urn[ancestor]
            if component.type == "jupyterhub-aws:hub:HubCloud":
                return component.name.removeprefix("hub-").removesuffix("-cloud")
        return None

    def _above(self, resource: Resource) -> Iterator[str]:
        urn = resource.parent
        while urn is not None and urn in self._resources.by_urn:
            yield urn
            urn = self._resources.by_urn[urn].parent

    def name(self, resource: Resource) -> str:
        """The name of the hub that a resource belongs to, or its own."""
        release = self.hub(resource)
        return self._cloud(resource) or resource.name if release is None else hub_of(release)


def host(release: Resource) -> str:
    """The address that users of a hub type, without scheme; empty where there is none."""
    url = at(release.inputs.get("values", {}), "hub", "config", "JupyterHub", "public_url")
    return str(url).partition("://")[2].strip("/") if url else ""


# --- The network as it was recorded: zones, subnets, what is public, and the egress.


SUBNET = "aws:ec2/subnet:Subnet"
_TABLE = "aws:ec2/routeTable:RouteTable"
_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
_ROUTE = "aws:ec2/route:Route"
NAT = "aws:ec2/natGateway:NatGateway"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"


def _zone(subnet: Resource) -> str:
    return str(subnet.inputs.get("availabilityZone", ""))


class Places:
    """Which zone an element is in. Zones are columns, in the order of their names; without subnets
    there is one column.
    """

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.subnets = resources.of(SUBNET)
        zones = sorted({_zone(subnet) for subnet in self.subnets})
        self.zones: tuple[str, ...] = tuple(zones) or (NO_ZONE,)

    def of(self, value: object) -> tuple[int, ...]:
        """The columns of the subnets that a value mentions; all of them where it names none of
        ours.
        """
        found = {self.column(_zone(subnet)) for subnet in self.resources.referred(value, SUBNET)}
        return tuple(sorted(found)) or tuple(range(len(self.zones)))

    def column(self, zone: str) -> int:
        """The column of a zone."""
        return self.zones.index(zone) if zone in self.zones else 0

    @cached_property
    def _tables(self) -> dict[str, str]:
        """The route table of each subnet, by names."""
        found = {}
        for association in self.resources.of(_ASSOCIATION):
            for subnet in self.resources.referred(association.inputs.get("subnetId"), SUBNET):
                tables = association.inputs.get("routeTableId")
                for table in self.resources.referred(tables, _TABLE):
                    found[subnet.name] = table.name
        return found

    def _routes(self, subnet: Resource) -> Iterator[Resource]:
        table = self._tables.get(subnet.name)
        for route in self.resources.of(_ROUTE):
            tables = self.resources.referred(route.inputs.get("routeTableId"), _TABLE)
            if table in {found.name for found in tables}:
                yield route

    def is_public(self, subnet: Resource) -> bool:
        """Whether a subnet has a route to an internet gateway."""
        return any(
            self.resources.referred(route.inputs.get("gatewayId"), GATEWAY)
            for route in self._routes(subnet)
        )

    def labels(self, *, public: bool) -> tuple[str, ...]:
        """What each zone has of public or private subnets; empty where no zone has any."""
        found: dict[int, list[str]] = {}
        for subnet in self.subnets:
            if self.is_public(subnet) is public:
                cidr = str(subnet.inputs.get("cidrBlock", ""))
                found.setdefault(self.column(_zone(subnet)), []).append(cidr)
        columns = range(len(self.zones)) if found else ()
        return tuple(", ".join(sorted(found.get(index, []))) for index in columns)

    def exits(self) -> tuple[tuple[int, int], ...]:
        """For each zone whose private subnets reach a NAT gateway: the zone, and the gateway's."""
        found = set()
        for subnet in self.subnets:
            for route in self._routes(subnet):
                for nat in self.resources.referred(route.inputs.get("natGatewayId"), NAT):
                    found.add((self.column(_zone(subnet)), self.of(nat.inputs.get("subnetId"))[0]))
        return tuple(sorted(found))
