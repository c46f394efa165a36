"""What a scan queries from AWS, as a table: one row is one paginated call, or one for each of a few
resources. Describe, Get and List, nothing else.

Whatever can be filtered is filtered by AWS (by VPC, by the cluster's tag, by name), so that a scan
of a large account stays a scan of one cluster. Calls for each of some resources are bounded by the
cluster itself: its groups, its add-ons, the file systems with a mount target in its VPC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# --- What a scan saw of an account: AWS resources by topic, as the API describes them, and what it
# could not read.

AwsResource = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, order=True)
class AccessGap:
    """A topic that the caller may not read, or that AWS did not answer for, and why."""

    topic: str
    operation: str
    why: str


@dataclass
class Live:
    """A cluster and the resources around it. `found` holds lists of AWS resources by topic
    (jupyterhub_aws/adopt/queries.py), `cluster` is EKS's own description.
    """

    account: str
    region: str
    cluster: AwsResource
    found: dict[str, list[AwsResource]] = field(default_factory=dict)
    access_gaps: list[AccessGap] = field(default_factory=list)
    file_system_id: str | None = None

    @property
    def name(self) -> str:
        """The cluster's name."""
        return str(self.cluster["name"])

    @property
    def partition(self) -> str:
        """AWS's partition: aws, aws-cn or aws-us-gov."""
        return str(self.cluster.get("arn", "arn:aws:")).split(":")[1]

    @property
    def vpc_id(self) -> str:
        """The VPC that the cluster is in."""
        return str(self.cluster.get("resourcesVpcConfig", {}).get("vpcId", ""))

    @property
    def key_arn(self) -> str:
        """The KMS key of the cluster's secrets; empty where it has none."""
        for part in self.cluster.get("encryptionConfig") or ():
            if part.get("provider", {}).get("keyArn"):
                return str(part["provider"]["keyArn"])
        return ""

    @property
    def log_types(self) -> list[str]:
        """The kinds of control-plane logs that are on."""
        return [
            kind
            for item in self.cluster.get("logging", {}).get("clusterLogging", ())
            if item.get("enabled")
            for kind in item.get("types", ())
        ]

    def of(self, topic: str) -> list[AwsResource]:
        """The resources of a topic; empty where it could not be read."""
        return self.found.get(topic, [])

    def is_unreadable(self, topic: str) -> bool:
        """Whether the topic could not be read, so that nothing follows from its being empty."""
        return any(item.topic == topic for item in self.access_gaps)

    @property
    def count(self) -> int:
        """How many AWS resources were read."""
        return 1 + sum(map(len, self.found.values()))

    @cached_property
    def vpc(self) -> AwsResource | None:
        """The cluster's VPC, as EC2 describes it."""
        return next(iter(self.of("vpcs")), None)

    @property
    def file_system(self) -> AwsResource | None:
        """The file system of homes: the one that was chosen."""
        return self.first("file_systems", FileSystemId=self.file_system_id)

    def first(self, topic: str, **attributes: object) -> AwsResource | None:
        """The first resource of a topic with these attributes."""
        for resource in self.of(topic):
            if all(resource.get(key) == value for key, value in attributes.items()):
                return resource
        return None

    def table_of(self, subnet: str) -> AwsResource | None:
        """The route table of a subnet: its own, or the VPC's main one (VPC user guide, "Route
        table concepts").
        """
        main = None
        for table in self.of("route_tables"):
            for association in table.get("Associations", ()):
                if association.get("SubnetId") == subnet:
                    return table
                main = table if association.get("Main") else main
        return main

    def way_out(self, subnet: str) -> str:
        """How a subnet's default route leads out: `public` (an internet gateway), `nat`
        (anything else), or `none`.
        """
        table = self.table_of(subnet) or {}
        for route in table.get("Routes", ()):
            is_default = route.get("DestinationCidrBlock") == "0.0.0.0/0"
            if is_default and route.get("State", "active") == "active":
                return "public" if str(route.get("GatewayId", "")).startswith("igw-") else "nat"
        return "none"


def tags_of(resource: AwsResource | None) -> dict[str, str]:
    """Tags as a map, in whichever of AWS's spellings they come."""
    tags = (resource or {}).get("Tags", (resource or {}).get("tags"))
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    items: Iterable[Any] = tags or ()
    return {
        str(item.get("Key", item.get("TagKey"))): str(item.get("Value", item.get("TagValue", "")))
        for item in items
    }


# --- What one query is: a row of the tables below.

Parameters = Mapping[str, Any]
Calls = Callable[[Live], Sequence[Parameters]]


def _once(_live: Live) -> Sequence[Parameters]:
    return ({},)


def _everything(_live: Live, _resource: AwsResource) -> bool:
    return True


@dataclass(frozen=True)
class Query:
    """One row: what it finds, the SDK's `service.operation`, where in the answer the resources are
    (empty: the answer itself), and the parameters of each call.

    `keep` drops what is others'. `absent` are AWS's codes that mean that there is nothing; `page`
    asks for larger pages than AWS's default, which IAM counts in hundreds.
    """

    topic: str
    call: str
    key: str = ""
    calls: Calls = _once
    keep: Callable[[Live, AwsResource], bool] = _everything
    absent: tuple[str, ...] = ()
    page: int | None = None

    @property
    def service(self) -> str:
        """The service's name in the SDK."""
        return self.call.partition(".")[0]

    @property
    def operation(self) -> str:
        """The client's method."""
        return self.call.partition(".")[2]


#: The error codes for a missing resource: of most services, and of SNS, whose model and wire
#: differ.
_NONE = ("ResourceNotFoundException", "NotFoundException", "NotFound")


# --- Parameters of calls. `{0.name}` in a text is the cluster's name, and so for all of `Live`.


def _with(**parameters: str) -> Calls:
    """One call with these parameters."""
    return lambda live: ({key: value.format(live) for key, value in parameters.items()},)


def _filtered(filters: Mapping[str, Sequence[str]], under: str = "Filters") -> Calls:
    """One call with EC2's filters; values of one filter are alternatives."""
    return lambda live: (
        {
            under: [
                {"Name": name, "Values": [value.format(live) for value in values]}
                for name, values in filters.items()
            ]
        },
    )


def _each(topic: str, **parameters: str) -> Calls:
    """One call for each resource of an earlier topic; `parameters` are its attributes."""
    return lambda live: [
        {key: item[value] for key, value in parameters.items()} for item in live.of(topic)
    ]


def _each_of_cluster(topic: str, parameter: str) -> Calls:
    """One call for each name that an earlier query found of the cluster's."""
    return lambda live: [
        {"clusterName": live.name, parameter: item["value"]} for item in live.of(topic)
    ]


_OF_CLUSTER = _with(clusterName="{0.name}")
_IN_VPC = _filtered({"vpc-id": ["{0.vpc_id}"]})
_ALARM_TOPIC = _with(TopicArn="arn:{0.partition}:sns:{0.region}:{0.account}:{0.name}-alarms")
_ADMINISTRATORS = _with(
    clusterName="{0.name}",
    associatedPolicyArn=(
        "arn:{0.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    ),
)
#: EKS, eksctl, kops and the autoscaler all set one of these.
_GROUP_TAGS = _filtered(
    {
        "tag-key": [
            "kubernetes.io/cluster/{0.name}",
            "k8s.io/cluster-autoscaler/{0.name}",
            "k8s.io/cluster/{0.name}",
        ]
    }
)
#: The tags of the EBS CSI driver (its docs, tagging.md) and of kops, and those of the program
#: itself.
_CLAIMS = _filtered({"tag:kubernetes.io/created-for/pvc/name": ["hub-db-dir"]})
_OWN_VOLUMES = _filtered({"tag:Name": ["{0.name}-*-database"]})
_LAUNCHES = "{0.name}-failed-launches"
#: The description that EFS gives the network interface of a mount target (EFS user guide, "Creating
#: mount targets").
_MOUNT_TARGET = re.compile(r"\b(fs-[0-9a-f]{8,17})\b")


def _log_groups(live: Live) -> Sequence[Parameters]:
    prefixes = (
        f"/aws/eks/{live.name}/",
        f"/{live.name}/",
        f"/aws/containerinsights/{live.name}/",
        f"/aws/events/{live.name}-",
    )
    return [{"logGroupNamePrefix": prefix} for prefix in prefixes]


def _log_filters(live: Live) -> Sequence[Parameters]:
    # CloudWatch Logs API, DescribeMetricFilters: a prefix goes with the name of a group only. These
    # two are those that the program counts in.
    groups = (
        f"/aws/containerinsights/{live.name}/application",
        f"/aws/events/{live.name}-failed-launches",
    )
    return [{"logGroupName": group, "filterNamePrefix": f"{live.name}-"} for group in groups]


def _keys(live: Live) -> Sequence[Parameters]:
    """The keys in use: of secrets, of the vault, of the topic, and those to which an alias of
    the stack's points. Each once.
    """
    used = [
        live.key_arn,
        *(item.get("EncryptionKeyArn") for item in live.of("vaults")),
        *(item.get("KmsMasterKeyId") for item in live.of("topics")),
        *(item.get("TargetKeyId") for item in live.of("aliases")),
    ]
    own = f"arn:{live.partition}:kms:{live.region}:{live.account}:key/"
    ids = sorted({str(item).removeprefix(own) for item in used if item})
    return [{"KeyId": item} for item in ids]


def mounted_here(live: Live) -> list[str]:
    """The file systems with a mount target in the VPC, by the network interfaces that EFS keeps
    there.
    """
    texts = (str(item.get("Description", "")) for item in live.of("mount_interfaces"))
    return sorted({match[1] for text in texts if (match := _MOUNT_TARGET.search(text))})


def _each_file_system(live: Live) -> Sequence[Parameters]:
    return [{"FileSystemId": item} for item in mounted_here(live)]


def mixed_template_of(group: AwsResource) -> str | None:
    """The launch template of a group of mixed instances."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    found: str | None = mixed.get("LaunchTemplateSpecification", {}).get("LaunchTemplateId")
    return found


def _own_template(group: AwsResource) -> str | None:
    found: str | None = group.get("LaunchTemplate", {}).get("LaunchTemplateId")
    return found


def template_of(group: AwsResource) -> str | None:
    """The launch template of an Auto Scaling group."""
    return mixed_template_of(group) or _own_template(group)


def auto_scaling_names(node_group: AwsResource) -> list[str]:
    """The Auto Scaling groups behind a managed node group."""
    groups = node_group.get("resources", {}).get("autoScalingGroups", ())
    return [str(item["name"]) for item in groups]


def managed_names(live: Live) -> set[str]:
    """The Auto Scaling groups behind all managed node groups."""
    return {name for group in live.of("node_groups") for name in auto_scaling_names(group)}


def _template_ids(live: Live) -> list[str]:
    """The launch templates of the cluster's groups, without the copies that EKS makes of those of
    managed groups.
    """
    groups, managed = live.of("groups"), managed_names(live)
    copies = {mixed_template_of(item) for item in groups if item["AutoScalingGroupName"] in managed}
    found = {
        *(group.get("launchTemplate", {}).get("id") for group in live.of("node_groups")),
        *map(_own_template, groups),
        *map(mixed_template_of, groups),
    }
    return sorted(item for item in found - copies if item)


def _templates(live: Live) -> Sequence[Parameters]:
    ids = _template_ids(live)
    return ({"LaunchTemplateIds": ids},) if ids else ()


def _template_versions(live: Live) -> Sequence[Parameters]:
    return [{"LaunchTemplateId": item, "Versions": ["$Latest"]} for item in _template_ids(live)]


def _listeners(live: Live) -> Sequence[Parameters]:
    return [
        {"LoadBalancerArn": item["LoadBalancerArn"]}
        for item in live.of("balancers")
        if str(item["LoadBalancerName"]).startswith(f"{live.name}-")
    ]


def _addresses(live: Live) -> Sequence[Parameters]:
    ids = [
        address["AllocationId"]
        for gateway in live.of("nats")
        for address in gateway.get("NatGatewayAddresses", ())
        if address.get("AllocationId")
    ]
    return ({"AllocationIds": ids},) if ids else ()


def _own_subnets(live: Live) -> Sequence[Parameters]:
    """The cluster's own: prefixes for pods are reserved in no other subnet, and a shared VPC may
    have hundreds of subnets.
    """
    own = live.cluster.get("resourcesVpcConfig", {}).get("subnetIds", ())
    ids = [item["SubnetId"] for item in live.of("subnets")]
    return [{"SubnetId": item} for item in ids if item in own]


def _rules(live: Live) -> Sequence[Parameters]:
    """Rules of the groups that the program may know: of the cluster, of homes, of a hub. Others'
    groups are others' business.
    """
    own = str(live.cluster.get("resourcesVpcConfig", {}).get("clusterSecurityGroupId", ""))
    ids = [
        item["GroupId"]
        for item in live.of("security_groups")
        if item["GroupId"] == own or str(item["GroupName"]).startswith(f"{live.name}-")
    ]
    return ({"Filters": [{"Name": "group-id", "Values": ids}]},) if ids else ()


# --- Which of the resources that AWS cannot filter are the cluster's.


def _named(key: str, ending: str) -> Callable[[Live, AwsResource], bool]:
    """Those whose name is the cluster's with this ending."""
    return lambda live, resource: str(resource.get(key)) == f"{live.name}-{ending}"


def _begins(key: str, before: str = "") -> Callable[[Live, AwsResource], bool]:
    """Those whose name begins with the cluster's."""
    return lambda live, resource: str(resource[key]).startswith(f"{before}{live.name}-")


def _databases(live: Live, resource: AwsResource) -> bool:
    return _same_vpc(live, resource.get("DBSubnetGroup", {}))


def _same_vpc(live: Live, resource: AwsResource) -> bool:
    return str(resource.get("VpcId", "")) == live.vpc_id


def _of_this_cluster(live: Live, resource: AwsResource) -> bool:
    """Volumes are marked by claim; which cluster made it, only a tag says (the driver's,
    `KubernetesCluster`, or kops's).
    """
    tags = tags_of(resource)
    owners = {key.rpartition("/")[2] for key in tags if key.startswith("kubernetes.io/cluster/")}
    return live.name in owners | {tags.get("stack"), tags.get("KubernetesCluster")}


def _ours(live: Live, resource: AwsResource) -> bool:
    """Whether a role, policy or the like bears the cluster's name, or is the role of its control
    plane or nodes.
    """
    arn = str(resource["Arn"])
    used = {str(group.get("nodeRole", "")) for group in live.of("node_groups")}
    return arn.rpartition("/")[2].startswith(f"{live.name}-") or (
        arn in used | {str(live.cluster.get("roleArn", ""))}
    )


# --- The tables: rounds, of which each asks what the one before it made known, all rows of a round
# at once.

_FIRST = (
    Query("vpcs", "ec2.describe_vpcs", "Vpcs", lambda live: ({"VpcIds": [live.vpc_id]},)),
    Query(
        "vpc_attributes",
        "ec2.describe_vpc_attribute",
        calls=lambda live: [
            {"VpcId": live.vpc_id, "Attribute": name}
            for name in ("enableDnsSupport", "enableDnsHostnames")
        ],
    ),
    Query("subnets", "ec2.describe_subnets", "Subnets", _IN_VPC),
    Query("route_tables", "ec2.describe_route_tables", "RouteTables", _IN_VPC),
    Query(
        "internet_gateways",
        "ec2.describe_internet_gateways",
        "InternetGateways",
        _filtered({"attachment.vpc-id": ["{0.vpc_id}"]}),
    ),
    Query(
        "nats",
        "ec2.describe_nat_gateways",
        "NatGateways",
        _filtered({"vpc-id": ["{0.vpc_id}"], "state": ["available", "pending"]}, under="Filter"),
    ),
    Query("endpoints", "ec2.describe_vpc_endpoints", "VpcEndpoints", _IN_VPC),
    Query("security_groups", "ec2.describe_security_groups", "SecurityGroups", _IN_VPC),
    Query(
        "flow_logs",
        "ec2.describe_flow_logs",
        "FlowLogs",
        _filtered({"resource-id": ["{0.vpc_id}"]}, under="Filter"),
    ),
    Query(
        "mount_interfaces",
        "ec2.describe_network_interfaces",
        "NetworkInterfaces",
        _filtered({"vpc-id": ["{0.vpc_id}"], "description": ["EFS mount target for *"]}),
    ),
    Query(
        "volumes",
        "ec2.describe_volumes",
        "Volumes",
        lambda live: (*_CLAIMS(live), *_OWN_VOLUMES(live)),
        _of_this_cluster,
    ),
    Query("file_systems", "efs.describe_file_systems", "FileSystems"),
    Query("access_points", "efs.describe_access_points", "AccessPoints"),
    Query("node_group_names", "eks.list_nodegroups", "nodegroups", _OF_CLUSTER),
    Query("addon_names", "eks.list_addons", "addons", _OF_CLUSTER),
    Query("access_entries", "eks.list_access_entries", "accessEntries", _OF_CLUSTER),
    Query("administrators", "eks.list_access_entries", "accessEntries", _ADMINISTRATORS),
    Query("pod_identities", "eks.list_pod_identity_associations", "associations", _OF_CLUSTER),
    Query("groups", "autoscaling.describe_auto_scaling_groups", "AutoScalingGroups", _GROUP_TAGS),
    Query("databases", "rds.describe_db_instances", "DBInstances", keep=_databases),
    Query("balancers", "elbv2.describe_load_balancers", "LoadBalancers", keep=_same_vpc),
    Query("target_groups", "elbv2.describe_target_groups", "TargetGroups", keep=_same_vpc),
    # Beside the cluster, by the stack's own names: keys, backups, monitoring.
    Query("aliases", "kms.list_aliases", "Aliases", keep=_begins("AliasName", "alias/")),
    Query(
        "vaults",
        "backup.list_backup_vaults",
        "BackupVaultList",
        keep=_named("BackupVaultName", "backups"),
    ),
    Query(
        "plans",
        "backup.list_backup_plans",
        "BackupPlansList",
        keep=_named("BackupPlanName", "backups"),
    ),
    Query("topics", "sns.get_topic_attributes", "Attributes", _ALARM_TOPIC, absent=_NONE),
    Query(
        "subscriptions",
        "sns.list_subscriptions_by_topic",
        "Subscriptions",
        _ALARM_TOPIC,
        absent=_NONE,
    ),
    Query(
        "alarms",
        "cloudwatch.describe_alarms",
        "MetricAlarms",
        lambda live: ({"AlarmNamePrefix": f"{live.name}-", "AlarmTypes": ["MetricAlarm"]},),
    ),
    Query("log_groups", "logs.describe_log_groups", "logGroups", _log_groups),
    Query(
        "log_filters", "logs.describe_metric_filters", "metricFilters", _log_filters, absent=_NONE
    ),
    Query(
        "log_policies",
        "logs.describe_resource_policies",
        "resourcePolicies",
        keep=_named("policyName", "failed-launches"),
    ),
    Query("event_rules", "events.list_rules", "Rules", _with(NamePrefix=_LAUNCHES)),
    Query(
        "event_targets",
        "events.list_targets_by_rule",
        "Targets",
        _with(Rule=_LAUNCHES),
        absent=_NONE,
    ),
)
_SECOND = (
    Query("rules", "ec2.describe_security_group_rules", "SecurityGroupRules", _rules),
    Query("addresses", "ec2.describe_addresses", "Addresses", _addresses),
    Query(
        "reservations",
        "ec2.get_subnet_cidr_reservations",
        "SubnetIpv4CidrReservations",
        _own_subnets,
    ),
    Query("mount_targets", "efs.describe_mount_targets", "MountTargets", _each_file_system),
    Query(
        "backup_policies",
        "efs.describe_backup_policy",
        calls=_each_file_system,
        absent=("PolicyNotFound",),
    ),
    Query(
        "file_system_policies",
        "efs.describe_file_system_policy",
        calls=_each_file_system,
        absent=("PolicyNotFound",),
    ),
    Query(
        "node_groups",
        "eks.describe_nodegroup",
        "nodegroup",
        _each_of_cluster("node_group_names", "nodegroupName"),
    ),
    Query("addons", "eks.describe_addon", "addon", _each_of_cluster("addon_names", "addonName")),
    Query("listeners", "elbv2.describe_listeners", "Listeners", _listeners),
    Query(
        "instance_profiles",
        "iam.list_instance_profiles",
        "InstanceProfiles",
        keep=_begins("InstanceProfileName"),
        page=1000,
    ),
    Query("keys", "kms.describe_key", "KeyMetadata", _keys, absent=_NONE),
    Query(
        "vault_policies",
        "backup.get_backup_vault_access_policy",
        calls=_each("vaults", BackupVaultName="BackupVaultName"),
        absent=_NONE,
    ),
    Query(
        "plan_rules",
        "backup.get_backup_plan",
        calls=_each("plans", BackupPlanId="BackupPlanId"),
        absent=_NONE,
    ),
    Query(
        "selections",
        "backup.list_backup_selections",
        "BackupSelectionsList",
        _each("plans", BackupPlanId="BackupPlanId"),
        _named("SelectionName", "by-tag"),
    ),
)
_THIRD = (
    Query("templates", "ec2.describe_launch_templates", "LaunchTemplates", _templates),
    Query(
        "template_versions",
        "ec2.describe_launch_template_versions",
        "LaunchTemplateVersions",
        _template_versions,
    ),
    Query(
        "roles",
        "iam.get_account_authorization_details",
        "RoleDetailList",
        lambda _live: ({"Filter": ["Role"]},),
        _ours,
        page=1000,
    ),
    Query(
        "policies",
        "iam.get_account_authorization_details",
        "Policies",
        lambda _live: ({"Filter": ["LocalManagedPolicy"]},),
        _ours,
        page=1000,
    ),
    Query(
        "selected",
        "backup.get_backup_selection",
        calls=_each("selections", BackupPlanId="BackupPlanId", SelectionId="SelectionId"),
        absent=_NONE,
    ),
)
ROUNDS: tuple[tuple[Query, ...], ...] = (_FIRST, _SECOND, _THIRD)
