"""What surrounds the nodes in the picture: ways in, databases, homes, the control plane,
endpoints.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.plan.page.topology.owners import Owners, host
from jupyterhub_aws.plan.page.topology.places import NAT, Places
from jupyterhub_aws.plan.page.topology.shape import Element, Row

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_LISTENER = "aws:lb/listener:Listener"
_SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
_FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"


def entries(places: Places, owners: Owners, *, public: bool) -> Row:
    """In each zone the balancers that have an address there, those in public or those in private
    subnets.
    """
    found: dict[int, list[Resource]] = defaultdict(list)
    for balancer in places.resources.of(BALANCER):
        in_public = any(
            places.is_public(subnet)
            for subnet in places.resources.referred(
                balancer.inputs.get("subnets"), "aws:ec2/subnet:Subnet"
            )
        )
        if in_public is public:
            for zone in places.of(balancer.inputs.get("subnets")):
                found[zone].append(balancer)
    return tuple(_entry(zone, found[zone], places.resources, owners) for zone in sorted(found))


def _entry(zone: int, balancers: list[Resource], resources: Resources, owners: Owners) -> Element:
    ports = sorted({port for balancer in balancers for port in _ports(balancer, resources)})
    if len(balancers) == 1:
        release = owners.hub(balancers[0])
        name = (host(release) if release is not None else "") or str(
            balancers[0].inputs.get("name", balancers[0].name)
        )
        title, lines = "Load balancer", (name, *ports)
    else:
        title, lines = f"{len(balancers)} balancers", ("one for each hub", *ports)
    return Element(kind="entry", title=title, lines=lines, urn=balancers[0].urn, zones=(zone,))


def _ports(balancer: Resource, resources: Resources) -> list[str]:
    """What a balancer listens to: `TLS 443`."""
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
            kind="nat",
            title="NAT",
            lines=("gateway",),
            urn=nat.urn,
            zones=places.of(nat.inputs.get("subnetId"))[:1],
        )
        for nat in places.resources.of(NAT)
    )


def databases(places: Places, owners: Owners) -> Row:
    """In each zone the volumes of hubs, and each PostgreSQL where it may stand."""
    volumes = sorted(
        places.resources.of("aws:ebs/volume:Volume"),
        key=lambda item: places.column(str(item.inputs.get("availabilityZone"))),
    )
    boxes = []
    for zone, found in groupby(
        volumes, key=lambda item: places.column(str(item.inputs.get("availabilityZone")))
    ):
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
        boxes.append(
            Element(kind="database", title=title, lines=lines, urn=here[0].urn, zones=(zone,))
        )
    return (
        *boxes,
        *(
            _postgres(item, places, owners)
            for item in places.resources.of("aws:rds/instance:Instance")
        ),
    )


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
        kind="database",
        title=f"PostgreSQL of hub {owners.name(item)}",
        lines=(line,),
        urn=item.urn,
        zones=places.of(subnets),
    )


def mounts(places: Places) -> Row:
    """The doors of file systems, one for each zone."""
    return tuple(
        Element(
            kind="mount",
            title="mount target",
            urn=item.urn,
            zones=places.of(item.inputs.get("subnetId"))[:1],
        )
        for item in sorted(
            places.resources.of("aws:efs/mountTarget:MountTarget"),
            key=lambda item: places.of(item.inputs.get("subnetId")),
        )
    )


def homes(places: Places) -> Row:
    """Where home directories live."""
    resources = places.resources
    boxes = [_file_system(item, resources) for item in resources.of(_FILE_SYSTEM)]
    for item in resources.of("kubernetes:storage.k8s.io/v1:StorageClass"):
        lines = (
            (
                "made when a person's first server starts, in that server's zone; encrypted, kept"
                " when the person goes"
            ),
        )
        boxes.append(
            Element(
                kind="homes", title="Homes: one EBS volume per person", lines=lines, urn=item.urn
            )
        )
    for item in resources.of("kubernetes:core/v1:PersistentVolume"):
        nfs = item.inputs.get("spec", {}).get("nfs")
        if nfs:
            boxes.append(
                Element(
                    kind="homes",
                    title="Homes: an NFS server of yours",
                    lines=(f"{nfs['server']}:{nfs['path']}",),
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
            kind="market",
            title=str(point.inputs.get("rootDirectory", {}).get("path", "/")),
            lines=(_person(point),),
            urn=point.urn,
        )
        for point in points
    )
    lines = (
        (
            f"{item.inputs.get('throughputMode')} throughput,"
            f" {'encrypted' if item.inputs.get('encrypted') else 'not encrypted'}, reachable from"
            " every zone"
        ),
    )
    return Element(
        kind="homes",
        title="Homes: shared file system (EFS)",
        lines=lines,
        urn=item.urn,
        parts=parts,
    )


def _person(point: Resource) -> str:
    user = point.inputs.get("posixUser", {})
    return f"as {user.get('uid')}:{user.get('gid')}" if user else "access point"


def endpoints(places: Places) -> Row:
    """The private doors to AWS services."""
    return tuple(_endpoint(item) for item in places.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint"))


def _endpoint(item: Resource) -> Element:
    """One door, named by what follows the region in the service's name: `ecr.api`."""
    name = ".".join(str(item.inputs.get("serviceName", item.name)).split(".")[3:])
    return Element(
        kind="endpoint",
        title=name or item.name,
        lines=(str(item.inputs.get("vpcEndpointType", "")),),
        urn=item.urn,
    )


def control(resources: Resources) -> tuple[Element | None, Element | None]:
    """The control plane, and who reaches it from outside."""
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
    plane = Element(kind="control", title="EKS control plane", lines=lines, urn=found[0].urn)
    return plane, (
        Element(
            kind="outside",
            title="Operators",
            lines=(f"kubectl and pulumi from {', '.join(ranges)}",),
        )
        if ranges
        else None
    )
