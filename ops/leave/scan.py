"""What of a stack is still in its account: by tags, and by describe calls for what has none or is listed for hours after it went. Reads only."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.hub.names import HubNames
from config.entry import LoadBalancerEntry
from config.stack import StackConfig
from ops.leave.kinds import Found
from ops.live.account import Account, kindly
from ops.live.aws_errors import code_of

#: Tags by which something belongs to a cluster, whoever made it: the stack's own; Kubernetes's and the EBS driver's (docs/tagging.md); the AWS
#: Load Balancer Controller's; EKS's; the VPC CNI's.
_VALUE_IS_CLUSTER = ("stack", "elbv2.k8s.aws/cluster", "eks:cluster-name", "cluster.k8s.amazonaws.com/name")
_ENDS = ("terminated", "shutting-down", "deleted", "deleting", "failed", "PendingDeletion")
_GONE = re.compile(r"NotFound|NoSuch|ResourceNotFoundException|FileSystemNotFound|AccessPointNotFound")


def scan(command: str, account: Account, stack: StackConfig, progress: Callable[[str], None]) -> list[Found]:
    """Everything that is there, by kind and name. Raises ConfigError where AWS refuses a call."""
    found: dict[str, Found] = {}
    with kindly(command):
        for item in _by_tags(account, stack):
            found.setdefault(item.arn, item)
            progress(f"{len(found)} by their tags")
        for item in _without_tags(account, stack):
            found[item.arn] = item
        looked = [looked_at(account, raw, number, progress) for number, raw in enumerate(found.values())]
    return sorted((item for item in looked if item is not None), key=lambda item: (item.kind, item.name, item.id))


def _by_tags(account: Account, stack: StackConfig) -> Iterator[Found]:
    filters = [{"Key": key, "Values": [stack.name]} for key in _VALUE_IS_CLUSTER]
    filters += [{"Key": f"kubernetes.io/cluster/{stack.name}", "Values": ["owned"]}]
    for wanted in filters:
        for item in account.all("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=[wanted]):
            yield _found(item["ResourceARN"], {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []})


def _found(arn: str, tags: Mapping[str, str], about: Mapping[str, Any] | None = None) -> Found:
    """An ARN taken apart (AWS reference, "Amazon Resource Names"): service, type and id, whatever stands between them."""
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    kind, _, identity = rest.partition("/") if "/" in rest.partition(":")[0] or ":" not in rest else rest.partition(":")
    if service == "s3":
        kind, identity = "bucket", rest
    if service == "elasticloadbalancing":  # loadbalancer/net/NAME/ID, and loadbalancer/NAME of the old kind
        identity = identity.removeprefix("net/").removeprefix("app/").partition("/")[0]
    return Found(arn=arn, kind=f"{service}:{kind}", id=identity.removesuffix(":*") or rest, tags=tags, about=about or {})


def _without_tags(account: Account, stack: StackConfig) -> Iterator[Found]:
    where = f"{account.region}:{account.id}"
    mine = [{"Name": "tag:cluster.k8s.amazonaws.com/name", "Values": [stack.name]}]
    for item in account.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=mine):
        tags = {tag["Key"]: tag["Value"] for tag in item.get("TagSet") or []}
        yield _found(f"arn:aws:ec2:{where}:network-interface/{item['NetworkInterfaceId']}", tags, item)
    with contextlib.suppress(account.client("eks").exceptions.ResourceNotFoundException):
        cluster = account.client("eks").describe_cluster(name=stack.name)["cluster"]
        yield _found(cluster["arn"], cluster.get("tags") or {}, cluster)
    grown = [{"Name": f"tag:k8s.io/cluster-autoscaler/{stack.name}", "Values": ["owned"]}]
    for item in account.all("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=grown):
        name = item["AutoScalingGroupName"]
        yield Found(arn=item["AutoScalingGroupARN"], kind="autoscaling:group", id=name, tags={tag["Key"]: tag["Value"] for tag in item["Tags"]}, about=item)
    for prefix in (f"/aws/eks/{stack.name}/", f"/aws/containerinsights/{stack.name}/"):
        for item in account.all("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            yield _found(f"arn:aws:logs:{where}:log-group:{item['logGroupName']}", {}, item)
    for name, hub in sorted(stack.hubs.items()):
        identifier = f"{HubNames(stack=stack.name, hub=name).physical}-database"
        if hub.database.kind == "postgres":
            for item in account.all("rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=identifier):
                yield _found(item["DBSnapshotArn"], {}, item)
        if isinstance(hub.entry, LoadBalancerEntry) and hub.entry.route53_zone is not None:
            yield from records(account, hub.entry.route53_zone, hub.entry.hostname)


def records(account: Account, zone: str, hostname: str) -> Iterator[Found]:
    """The records of a name that lead somewhere. The hub's balancer is gone, and its address may become somebody else's."""
    listed = account.client("route53").list_resource_record_sets(HostedZoneId=zone, StartRecordName=hostname, MaxItems="5")
    for item in listed["ResourceRecordSets"]:
        if item["Name"].rstrip(".") == hostname and item["Type"] in ("A", "AAAA", "CNAME"):
            about = {"Zone": zone, "Type": item["Type"]}
            yield Found(arn=f"route53:{zone}:{hostname}:{item['Type']}", kind="route53:record", id=f"{hostname} {item['Type']}", tags={}, about=about)


def _one(service: str, operation: str, key: str, argument: Callable[[Found], Mapping[str, Any]]) -> Callable[[Account, Found], Mapping[str, Any] | None]:
    """A describe call of one thing: what it says, None where there is nothing."""

    def look(account: Account, found: Found) -> Mapping[str, Any] | None:
        answer = getattr(account.client(service), operation)(**argument(found))[key]
        return answer[0] if isinstance(answer, list) and answer else answer or None

    return look


def _machine(account: Account, found: Found) -> Mapping[str, Any] | None:
    groups = account.client("ec2").describe_instances(InstanceIds=[found.id])["Reservations"]
    return next((item for group in groups for item in group["Instances"]), None)


#: How each kind that costs money, or that the tag index still names for hours after it went, is looked at.
_LOOKS: Mapping[str, Callable[[Account, Found], Mapping[str, Any] | None]] = {
    "ec2:volume": _one("ec2", "describe_volumes", "Volumes", lambda item: {"VolumeIds": [item.id]}),
    "ec2:snapshot": _one("ec2", "describe_snapshots", "Snapshots", lambda item: {"SnapshotIds": [item.id]}),
    "ec2:instance": _machine,
    "ec2:network-interface": _one("ec2", "describe_network_interfaces", "NetworkInterfaces", lambda item: {"NetworkInterfaceIds": [item.id]}),
    "ec2:natgateway": _one("ec2", "describe_nat_gateways", "NatGateways", lambda item: {"NatGatewayIds": [item.id]}),
    "ec2:elastic-ip": _one("ec2", "describe_addresses", "Addresses", lambda item: {"AllocationIds": [item.id]}),
    "ec2:vpc-endpoint": _one("ec2", "describe_vpc_endpoints", "VpcEndpoints", lambda item: {"VpcEndpointIds": [item.id]}),
    "ec2:vpc": _one("ec2", "describe_vpcs", "Vpcs", lambda item: {"VpcIds": [item.id]}),
    "ec2:subnet": _one("ec2", "describe_subnets", "Subnets", lambda item: {"SubnetIds": [item.id]}),
    "ec2:security-group": _one("ec2", "describe_security_groups", "SecurityGroups", lambda item: {"GroupIds": [item.id]}),
    "elasticfilesystem:file-system": _one("efs", "describe_file_systems", "FileSystems", lambda item: {"FileSystemId": item.id}),
    "elasticfilesystem:access-point": _one("efs", "describe_access_points", "AccessPoints", lambda item: {"AccessPointId": item.id}),
    "rds:db": _one("rds", "describe_db_instances", "DBInstances", lambda item: {"DBInstanceIdentifier": item.id}),
    "kms:key": _one("kms", "describe_key", "KeyMetadata", lambda item: {"KeyId": item.id}),
    "eks:cluster": _one("eks", "describe_cluster", "cluster", lambda item: {"name": item.id}),
}


def looked_at(account: Account, found: Found, number: int, progress: Callable[[str], None]) -> Found | None:
    """The same with what AWS says of it; None where it is gone or going."""
    from botocore.exceptions import ClientError

    look = _balancer if found.kind == "elasticloadbalancing:loadbalancer" else _LOOKS.get(found.kind)
    if look is None:
        return found
    progress(f"looking at {number + 1}: {found.name}")
    try:
        about = look(account, found)
    except ClientError as error:
        if _GONE.search(code_of(error)):
            return None
        raise
    if about is None or _state(about) in _ENDS:
        return None
    return replace(found, about={**found.about, **about}, tags=found.tags or _tags(about))


def _balancer(account: Account, found: Found) -> Mapping[str, Any] | None:
    if any(f"/{kind}/" in found.arn for kind in ("net", "app", "gwy")):
        return next(iter(account.client("elbv2").describe_load_balancers(LoadBalancerArns=[found.arn])["LoadBalancers"]), None)
    return next(iter(account.client("elb").describe_load_balancers(LoadBalancerNames=[found.id])["LoadBalancerDescriptions"]), None)


def _state(about: Mapping[str, Any]) -> str:
    state = about.get("State") or about.get("LifeCycleState") or about.get("KeyState") or ""
    return str(state.get("Name") or state.get("Code") or "") if isinstance(state, Mapping) else str(state)


def _tags(about: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in about.get("Tags") or [] if isinstance(tag, Mapping) and "Key" in tag}
