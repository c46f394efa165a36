"""What of a stack is still in its account: by tags, and by describe calls for what has none or
is listed for hours after it went. Reads only.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.backups import AwsBackup
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.backups.points import EFS_VAULT
from jupyterhub_aws.operate.live.account import Account, code_of, translate_aws_errors
from jupyterhub_aws.operate.teardown.kinds import UnmanagedResource

#: Tags by which something belongs to a cluster, no matter what made it: the stack's own;
#: Kubernetes's and the EBS driver's (docs/tagging.md); the AWS
#: Load Balancer Controller's; EKS's; the VPC CNI's.
_VALUE_IS_CLUSTER = (
    "stack",
    "elbv2.k8s.aws/cluster",
    "eks:cluster-name",
    "cluster.k8s.amazonaws.com/name",
)
#: As many as the tag index gives at once (Resource Groups Tagging API, GetResources).
_PAGE = 100
_ENDS = ("terminated", "shutting-down", "deleted", "deleting", "failed", "PendingDeletion")
#: Services whose ARNs name the resource and not its type.
_NO_TYPE: Mapping[str, str] = {"s3": "bucket", "sns": "topic"}
_GONE = re.compile(
    r"NotFound|NoSuch|ResourceNotFoundException|FileSystemNotFound|AccessPointNotFound"
)


def scan(
    command: str, account: Account, stack: StackConfig, progress: Callable[[str], None]
) -> list[UnmanagedResource]:
    """Everything that is there, by kind and name. Raises ConfigError where AWS refuses a call."""
    found: dict[str, UnmanagedResource] = {}
    with translate_aws_errors(command):
        for item in _by_tags(account, stack, _vault(stack)):
            found.setdefault(item.arn, item)
            progress(f"{len(found)} by their tags")
        for item in _without_tags(account, stack):
            found[item.arn] = item
        there = [
            *looked_at(account, list(found.values()), progress),
            *_copies(account, stack, found, progress),
        ]
    return sorted(there, key=lambda item: (item.kind, item.name, item.id))


def _copies(
    account: Account,
    stack: StackConfig,
    known: Mapping[str, UnmanagedResource],
    progress: Callable[[str], None],
) -> list[UnmanagedResource]:
    """What is there of the stack in the region of its copies: their vault, its key, and the
    copies.
    """
    region = copies_region(stack)
    if not region:
        return []
    elsewhere = replace(account, region=region, clients={})
    progress(f"copies in {elsewhere.region}")
    found = {
        item.arn: item
        for item in _by_tags(elsewhere, stack, resolve(stack).backups.copy_vault_name)
        if item.arn not in known
    }
    return looked_at(elsewhere, list(found.values()), progress)


def copies_region(stack: StackConfig) -> str:
    """The other region that a stack's backups are copied to; empty without one."""
    return resolve(stack).backups.copy_region or ""


def _vault(stack: StackConfig) -> str:
    """Where the stack's recovery points lie: its own vault, or that of EFS's own plan."""
    return resolve(stack).backups.vault_name if isinstance(stack.backups, AwsBackup) else EFS_VAULT


def _by_tags(account: Account, stack: StackConfig, vault: str) -> Iterator[UnmanagedResource]:
    filters = [{"Key": key, "Values": [stack.name]} for key in _VALUE_IS_CLUSTER]
    filters += [{"Key": f"kubernetes.io/cluster/{stack.name}", "Values": ["owned"]}]
    for wanted in filters:
        call = ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList")
        for item in account.all(*call, TagFilters=[wanted], ResourcesPerPage=_PAGE):
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []}
            found = _found(item["ResourceARN"], tags)
            is_point = found.kind == "backup:recovery-point"
            yield replace(found, about={"Vault": vault}) if is_point else found


def _found(
    arn: str, tags: Mapping[str, str], about: Mapping[str, Any] | None = None
) -> UnmanagedResource:
    """An ARN taken apart (AWS reference, "Amazon Resource Names"): service, type and id,
    whatever is between them.
    """
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    by_slash = "/" in rest.partition(":")[0] or ":" not in rest
    kind, _, identity = rest.partition("/" if by_slash else ":")
    if service in _NO_TYPE:
        kind, identity = _NO_TYPE[service], rest
    # loadbalancer/net/NAME/ID, and loadbalancer/NAME of the old kind.
    if service == "elasticloadbalancing":
        identity = identity.removeprefix("net/").removeprefix("app/").partition("/")[0]
    kind, id_ = f"{service}:{kind}", identity.removesuffix(":*") or rest
    return UnmanagedResource(arn=arn, kind=kind, id=id_, tags=tags, about=about or {})


def _without_tags(account: Account, stack: StackConfig) -> Iterator[UnmanagedResource]:
    partition, where = partition_of(account.region), f"{account.region}:{account.id}"
    mine = [{"Name": "tag:cluster.k8s.amazonaws.com/name", "Values": [stack.name]}]
    for item in account.all(
        "ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=mine
    ):
        tags = {tag["Key"]: tag["Value"] for tag in item.get("TagSet") or []}
        arn = f"arn:{partition}:ec2:{where}:network-interface/{item['NetworkInterfaceId']}"
        yield _found(arn, tags, item)
    with contextlib.suppress(account.client("eks").exceptions.ResourceNotFoundException):
        cluster = account.client("eks").describe_cluster(name=stack.name)["cluster"]
        yield _found(cluster["arn"], cluster.get("tags") or {}, cluster)
    grown = [{"Name": f"tag:k8s.io/cluster-autoscaler/{stack.name}", "Values": ["owned"]}]
    for item in account.all(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=grown
    ):
        arn, name = item["AutoScalingGroupARN"], item["AutoScalingGroupName"]
        tags = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
        kind = "autoscaling:group"
        yield UnmanagedResource(arn=arn, kind=kind, id=name, tags=tags, about=item)
    for prefix in (f"/aws/eks/{stack.name}/", f"/aws/containerinsights/{stack.name}/"):
        for item in account.all(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        ):
            arn = f"arn:{partition}:logs:{where}:log-group:{item['logGroupName']}"
            yield _found(arn, {}, item)
    for name, hub in sorted(stack.hubs.items()):
        identifier = f"{HubNames(stack=stack.name, hub=name).physical}-database"
        if hub.database.kind == "postgres":
            for item in account.all(
                "rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=identifier
            ):
                yield _found(item["DBSnapshotArn"], {}, item)
        if isinstance(hub.entry, LoadBalancerEntry) and hub.entry.route53_zone is not None:
            yield from records(account, hub.entry.route53_zone, hub.entry.hostname)


def records(account: Account, zone: str, hostname: str) -> Iterator[UnmanagedResource]:
    """The records of a name that lead somewhere. The hub's balancer is gone, and its address may go
    to another AWS customer.
    """
    listed = account.client("route53").list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=hostname, MaxItems="5"
    )
    for item in listed["ResourceRecordSets"]:
        if item["Name"].rstrip(".") == hostname and item["Type"] in ("A", "AAAA", "CNAME"):
            about = {"Zone": zone, "Type": item["Type"]}
            arn, id_ = f"route53:{zone}:{hostname}:{item['Type']}", f"{hostname} {item['Type']}"
            yield UnmanagedResource(arn=arn, kind="route53:record", id=id_, tags={}, about=about)


#: EC2's kinds: how many are listed at once by their ids. A filter leaves out what is gone, where
#: ids themselves would be an error.
_LISTED: Mapping[str, tuple[str, str, str, str]] = {
    "ec2:volume": ("describe_volumes", "Volumes", "volume-id", "VolumeId"),
    "ec2:snapshot": ("describe_snapshots", "Snapshots", "snapshot-id", "SnapshotId"),
    "ec2:instance": ("describe_instances", "Reservations", "instance-id", "InstanceId"),
    "ec2:network-interface": (
        "describe_network_interfaces",
        "NetworkInterfaces",
        "network-interface-id",
        "NetworkInterfaceId",
    ),
    "ec2:natgateway": ("describe_nat_gateways", "NatGateways", "nat-gateway-id", "NatGatewayId"),
    "ec2:elastic-ip": ("describe_addresses", "Addresses", "allocation-id", "AllocationId"),
    "ec2:vpc-endpoint": (
        "describe_vpc_endpoints",
        "VpcEndpoints",
        "vpc-endpoint-id",
        "VpcEndpointId",
    ),
    "ec2:vpc": ("describe_vpcs", "Vpcs", "vpc-id", "VpcId"),
    "ec2:subnet": ("describe_subnets", "Subnets", "subnet-id", "SubnetId"),
    "ec2:security-group": ("describe_security_groups", "SecurityGroups", "group-id", "GroupId"),
}
#: The EC2 API reference's limit of values in one filter.
_AT_ONCE = 200
#: The others, of which a stack has few: service, operation, key of the answer, parameter.
_SINGLE: Mapping[str, tuple[str, str, str, str]] = {
    "elasticfilesystem:file-system": (
        "efs",
        "describe_file_systems",
        "FileSystems",
        "FileSystemId",
    ),
    "elasticfilesystem:access-point": (
        "efs",
        "describe_access_points",
        "AccessPoints",
        "AccessPointId",
    ),
    "rds:db": ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "kms:key": ("kms", "describe_key", "KeyMetadata", "KeyId"),
    "eks:cluster": ("eks", "describe_cluster", "cluster", "name"),
}


def looked_at(
    account: Account, found: Sequence[UnmanagedResource], progress: Callable[[str], None]
) -> list[UnmanagedResource]:
    """The same with what AWS says of each now, without those that are gone or going: the tag index
    lists resources for hours after they are deleted.
    """
    by_kind: dict[str, list[UnmanagedResource]] = {}
    for item in found:
        by_kind.setdefault(item.kind, []).append(item)
    there: list[UnmanagedResource] = []
    for kind, items in by_kind.items():
        progress(f"looking at {len(items)} of {kind}")
        about = _about(account, kind, items)
        if about is None:  # nothing of this kind lingers in the index, or costs anything
            there += items
            continue
        there += [
            replace(item, about={**item.about, **said}, tags=item.tags or _tags(said))
            for item in items
            if (said := about.get(item.id)) is not None and _state(said) not in _ENDS
        ]
    return there


def _about(
    account: Account, kind: str, items: Sequence[UnmanagedResource]
) -> Mapping[str, Mapping[str, Any]] | None:
    """What is said of each, by id; None for a kind that is not looked at."""
    if kind in _LISTED:
        return {
            identity: said
            for start in range(0, len(items), _AT_ONCE)
            for identity, said in _listed(account, kind, items[start : start + _AT_ONCE])
        }
    if kind == "elasticloadbalancing:loadbalancer":
        return {
            item.id: said
            for item in items
            if (said := _described(partial(_balancer, account, item))) is not None
        }
    if kind in _SINGLE:
        return {
            item.id: said
            for item in items
            if (said := _described(partial(_single, account, kind, item))) is not None
        }
    return None


def _listed(
    account: Account, kind: str, items: Sequence[UnmanagedResource]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    operation, key, name, identity = _LISTED[kind]
    for said in account.all(
        "ec2", operation, key, Filters=[{"Name": name, "Values": [item.id for item in items]}]
    ):
        for one in said["Instances"] if key == "Reservations" else [said]:
            yield one[identity], one


def _single(account: Account, kind: str, found: UnmanagedResource) -> Mapping[str, Any] | None:
    service, operation, key, parameter = _SINGLE[kind]
    answer = getattr(account.client(service), operation)(**{parameter: found.id})[key]
    return next(iter(answer), None) if isinstance(answer, list) else answer


def _described(look: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """The answer, None where AWS knows of no such resource."""
    from botocore.exceptions import ClientError

    try:
        return look()
    except ClientError as error:
        if _GONE.search(code_of(error)):
            return None
        raise


def _balancer(account: Account, found: UnmanagedResource) -> Mapping[str, Any] | None:
    if any(f"/{kind}/" in found.arn for kind in ("net", "app", "gwy")):
        return next(
            iter(
                account.client("elbv2").describe_load_balancers(LoadBalancerArns=[found.arn])[
                    "LoadBalancers"
                ]
            ),
            None,
        )
    return next(
        iter(
            account.client("elb").describe_load_balancers(LoadBalancerNames=[found.id])[
                "LoadBalancerDescriptions"
            ]
        ),
        None,
    )


def _state(about: Mapping[str, Any]) -> str:
    state = about.get("State") or about.get("LifeCycleState") or about.get("KeyState") or ""
    if isinstance(state, Mapping):
        return str(state.get("Name") or state.get("Code") or "")
    return str(state)


def _tags(about: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(tag["Key"]): str(tag["Value"])
        for tag in about.get("Tags") or []
        if isinstance(tag, Mapping) and "Key" in tag
    }
