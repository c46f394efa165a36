"""What surrounds the nodes in the picture: ways in, databases, homes, the control plane,
endpoints.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import groupby

from jupyterhub_aws.checks.placement import UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.plan.page.text import natural, shape
from jupyterhub_aws.plan.page.topology.elements import (
    NAT,
    SUBNET,
    Element,
    Owners,
    Places,
    Row,
    host,
    marked_open,
)

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_LISTENER = "aws:lb/listener:Listener"
_SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
_FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"


def entries(places: Places, owners: Owners, open_: Collection[str], *, public: bool) -> Row:
    """In each zone the balancers that have an address there, those in public or those in private
    subnets. `open_` are the URNs of what is open to the world.
    """
    found: dict[int, list[Resource]] = defaultdict(list)
    for balancer in places.resources.of(BALANCER):
        names = balancer.inputs.get("subnets")
        subnets = places.resources.referred(names, SUBNET)
        if any(map(places.is_public, subnets)) is public:
            for zone in places.of(names):
                found[zone].append(balancer)
    return tuple(
        marked_open(
            _entry(zone, found[zone], places.resources, owners),
            when=any(_admits_world(item, places.resources, open_) for item in found[zone]),
        )
        for zone in sorted(found)
    )


def _admits_world(balancer: Resource, resources: Resources, open_: Collection[str]) -> bool:
    """Whether a rule of one of its security groups, or a group's own, is open to the world."""
    return any(rule.urn in open_ for rule in rules_of(balancer, resources))


def rules_of(balancer: Resource, resources: Resources) -> list[Resource]:
    """The rules for ingress of a load balancer's security groups, and the groups themselves."""
    groups = resources.referred(balancer.inputs.get("securityGroups"), _GROUP)
    rules = [
        rule
        for rule in resources.of(_INGRESS)
        if any(
            group in groups
            for group in resources.referred(rule.inputs.get("securityGroupId"), _GROUP)
        )
    ]
    return [*groups, *rules]


def _entry(zone: int, balancers: list[Resource], resources: Resources, owners: Owners) -> Element:
    ports = sorted({port for balancer in balancers for port in _ports(balancer, resources)})
    if len(balancers) == 1:
        release = owners.hub(balancers[0])
        name = (host(release) if release is not None else "") or str(
            balancers[0].inputs.get("name", balancers[0].name)
        )
        title, lines = "Load balancer", (name, *ports)
    else:
        title, lines = "Load balancers", (f"{len(balancers)}: one for each hub", *ports)
    return Element("entry", title, lines, urn=balancers[0].urn, zones=(zone,))


def _ports(balancer: Resource, resources: Resources) -> list[str]:
    """What a load balancer listens on: `TLS 443`."""
    listeners = [
        item
        for item in resources.of(_LISTENER)
        if balancer in resources.referred(item.inputs.get("loadBalancerArn"), BALANCER)
    ]
    return [f"{item.inputs.get('protocol')} {item.inputs.get('port')}" for item in listeners]


def nats(places: Places) -> Row:
    """The NAT gateways."""
    return tuple(
        Element(
            "nat", "NAT", ("gateway",), urn=nat.urn, zones=places.of(nat.inputs.get("subnetId"))[:1]
        )
        for nat in places.resources.of(NAT)
    )


def databases(places: Places, owners: Owners) -> Row:
    """In each zone the volumes of hubs, and each PostgreSQL where it may stand."""

    def column(volume: Resource) -> int:
        return places.column(str(volume.inputs.get("availabilityZone")))

    volumes = sorted(places.resources.of("aws:ebs/volume:Volume"), key=column)
    boxes = []
    for zone, found in groupby(volumes, key=column):
        here = list(found)
        lines = tuple(
            f"hub {owners.name(item)}: {item.inputs.get('size')} GiB {item.inputs.get('type')},"
            " SQLite"
            for item in here
        )
        if len(here) > 1:
            lines = (
                "one for each hub, SQLite",
                f"together {sum(int(item.inputs.get('size', 0)) for item in here)} GiB",
            )
        title = "Database volume" if len(here) == 1 else f"{len(here)} database volumes"
        boxes.append(Element("database", title, lines, urn=here[0].urn, zones=(zone,)))
    instances = places.resources.of("aws:rds/instance:Instance")
    return (*boxes, *(_postgres(item, places, owners) for item in instances))


def _postgres(item: Resource, places: Places, owners: Owners) -> Element:
    name = item.inputs.get("dbSubnetGroupName")
    groups = [
        group for group in places.resources.of(_SUBNET_GROUP) if group.inputs.get("name") == name
    ] or places.resources.referred(name, _SUBNET_GROUP)
    subnets = [group.inputs.get("subnetIds") for group in groups]
    standby = (
        ", standby in another zone" if item.inputs.get("multiAz") else ", in one of these zones"
    )
    line = f"{item.inputs.get('instanceClass')}, {item.inputs.get('allocatedStorage')} GiB{standby}"
    return Element(
        "database",
        f"PostgreSQL of hub {owners.name(item)}",
        (line,),
        urn=item.urn,
        zones=places.of(subnets),
    )


def mounts(places: Places) -> Row:
    """The mount targets of file systems, one for each zone."""
    return tuple(
        Element(
            "mount", "mount target", urn=item.urn, zones=places.of(item.inputs.get("subnetId"))[:1]
        )
        for item in sorted(
            places.resources.of("aws:efs/mountTarget:MountTarget"),
            key=lambda item: places.of(item.inputs.get("subnetId")),
        )
    )


def homes(places: Places) -> Row:
    """Where home directories are."""
    resources = places.resources
    boxes = [_file_system(item, resources) for item in resources.of(_FILE_SYSTEM)]
    for item in resources.of("kubernetes:storage.k8s.io/v1:StorageClass"):
        lines = (
            "created when a user's first server starts, in that server's zone; encrypted, kept"
            " when the user is deleted",
        )
        boxes.append(Element("homes", "Homes: one EBS volume per user", lines, urn=item.urn))
    for item in resources.of("kubernetes:core/v1:PersistentVolume"):
        nfs = item.inputs.get("spec", {}).get("nfs")
        if nfs:
            boxes.append(
                Element(
                    "homes",
                    "Homes: an NFS server of yours",
                    (f"{nfs['server']}:{nfs['path']}",),
                    urn=item.urn,
                )
            )
    return tuple(boxes)


def _file_system(item: Resource, resources: Resources) -> Element:
    points = [
        point
        for point in resources.of("aws:efs/accessPoint:AccessPoint")
        if item in resources.referred(point.inputs.get("fileSystemId"), _FILE_SYSTEM)
    ]
    parts = tuple(
        Element(
            "market",
            str(point.inputs.get("rootDirectory", {}).get("path", "/")),
            (_posix_user(point),),
            urn=point.urn,
        )
        for point in points
    )
    mode = item.inputs.get("throughputMode")
    encrypted = "encrypted" if item.inputs.get("encrypted") else "not encrypted"
    lines = (f"{mode} throughput, {encrypted}, reachable from every zone",)
    return Element("homes", "Homes: shared file system (EFS)", lines, urn=item.urn, parts=parts)


def _posix_user(point: Resource) -> str:
    user = point.inputs.get("posixUser", {})
    return f"as {user.get('uid')}:{user.get('gid')}" if user else "access point"


def endpoints(places: Places) -> Row:
    """The private endpoints of AWS services."""
    return tuple(_endpoint(item) for item in places.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint"))


def _endpoint(item: Resource) -> Element:
    """One endpoint, named by what follows the region in the service's name: `ecr.api`."""
    name = ".".join(str(item.inputs.get("serviceName", item.name)).split(".")[3:])
    return Element(
        "endpoint", name or item.name, (str(item.inputs.get("vpcEndpointType", "")),), urn=item.urn
    )


def control(resources: Resources, open_: Collection[str]) -> tuple[Element | None, Element | None]:
    """The control plane, and which clients reach it from outside."""
    found = resources.of("aws:eks/cluster:Cluster")
    if not found:
        return None, None
    inputs = found[0].inputs
    network = inputs.get("vpcConfig", {})
    ranges = (
        tuple(map(str, network.get("publicAccessCidrs", ())))
        if network.get("endpointPublicAccess")
        else ()
    )
    lines = (
        f"Kubernetes {inputs.get('version')}",
        "run by AWS",
        "API inside the VPC" + (" and from the operators" if ranges else " only"),
    )
    plane = Element("control", "EKS control plane", lines, urn=found[0].urn)
    operators = Element("outside", "Operators", (f"kubectl and pulumi from {', '.join(ranges)}",))
    world = found[0].urn in open_
    return marked_open(plane, when=world), operators if ranges else None


# --- The nodes in the picture: the core group with the hubs that run on it, and the pools of
# users' servers.


_CORE = "aws:eks/nodeGroup:NodeGroup"


def core(places: Places, owners: Owners) -> Row:
    """The managed groups, hubs inside the first of them; hubs alone where the groups are not of
    this stack.
    """
    hubs = tuple(
        Element(
            "hub",
            f"hub {hub_of(release)}",
            (host(release) or f"namespace {release.inputs.get('namespace')}",),
            urn=release.urn,
        )
        for release in sorted(owners.releases, key=lambda item: natural(hub_of(item)))
    )
    groups = places.resources.of(_CORE)
    if not groups:
        return (
            (
                Element(
                    "core",
                    "Hubs",
                    ("on the core nodes of the cluster",),
                    zones=places.of(None),
                    parts=hubs,
                ),
            )
            if hubs
            else ()
        )
    return tuple(
        _core(group, places, hubs if index == 0 else ()) for index, group in enumerate(groups)
    )


def _core(group: Resource, places: Places, hubs: Row) -> Element:
    size = group.inputs["scalingConfig"]
    types = group.inputs["instanceTypes"]
    lines = (
        f"{_count(size['minSize'], size['maxSize'])} always on, on demand",
        " or ".join(types),
        "hubs, autoscaler, add-ons",
    )
    return Element(
        "core",
        "Core nodes",
        lines,
        urn=group.urn,
        zones=places.of(group.inputs.get("subnetIds")),
        parts=hubs,
    )


def pools(stack: StackConfig, places: Places) -> tuple[Row, ...]:
    """One row for each pool, by name: a box where its groups are, and inside it what each group
    buys.
    """
    groups = sorted(
        (node for node in user_nodes(stack, places.resources) if node.group is not None),
        key=lambda node: natural(node.pool),
    )
    return tuple(
        tuple(_boxes(pool, list(found), places))
        for pool, found in groupby(groups, key=lambda node: node.pool)
    )


def _boxes(pool: str, nodes: list[UserNodes], places: Places) -> Iterator[Element]:
    def where(node: UserNodes) -> tuple[int, ...]:
        return places.of(_group(node).inputs.get("vpcZoneIdentifiers"))

    for zones, group in groupby(sorted(nodes, key=where), key=where):
        here = sorted(group, key=lambda node: (not node.spot, node.name))
        kind = "gpu" if here[0].gpus else "pool"
        lines = (shape(here[0].types[0]), ", ".join(item.name for item in here[0].types))
        yield Element(
            kind,
            f"Pool {pool}",
            lines,
            zones=zones,
            urn=_group(here[0]).parent,
            parts=tuple(map(_market, here)),
        )


def _group(node: UserNodes) -> Resource:
    assert node.group is not None  # noqa: S101 -- nodes that are there already are in no picture of what is made
    return node.group


def _market(node: UserNodes) -> Element:
    inputs = _group(node).inputs
    limit = inputs["mixedInstancesPolicy"]["instancesDistribution"].get("spotMaxPrice")
    size = _count(inputs["minSize"], inputs["maxSize"])
    line = f"{size}, at most ${limit}/h" if limit else size
    return Element("market", "spot" if node.spot else "on demand", (line,), urn=_group(node).urn)


def _count(least: int, most: int) -> str:
    if least == most:
        return f"{most} node" if most == 1 else f"{most} nodes"
    return f"{least}–{most} nodes"
