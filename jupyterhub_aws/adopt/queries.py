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
        return next(
            (
                item
                for item in self.of("file_systems")
                if item["FileSystemId"] == self.file_system_id
            ),
            None,
        )

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
            if (
                route.get("DestinationCidrBlock") == "0.0.0.0/0"
                and route.get("State", "active") == "active"
            ):
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


# --- What one query is: a row of the table below.


Parameters = Mapping[str, Any]


def _once(_live: Live) -> Sequence[Parameters]:
    return ({},)


def _everything(_live: Live, _thing: AwsResource) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Query:
    """One row. `calls` are the parameters of each call, `key` is where the answer's resources are
    (empty: the answer itself), `keep` drops what is others'.

    `absent` are AWS's codes that mean that there is nothing; `page` asks for larger pages than
    AWS's default, which IAM counts in hundreds.
    """

    topic: str
    service: str
    operation: str
    key: str = ""
    calls: Callable[[Live], Sequence[Parameters]] = _once
    keep: Callable[[Live, AwsResource], bool] = _everything
    absent: tuple[str, ...] = ()
    page: int | None = None


# --- What a scan queries beside a cluster: its keys, its backups and its monitoring. All of it by
# the stack's own names.


#: The error codes for a missing resource: of most services, and of SNS, whose model and wire
#: differ.
_NONE = ("ResourceNotFoundException", "NotFoundException", "NotFound")


def _named(key: str, form: str) -> Callable[[Live, AwsResource], bool]:
    return lambda live, resource: str(resource.get(key)) == form.format(live.name)


def _alias(live: Live, resource: AwsResource) -> bool:
    return str(resource["AliasName"]).startswith(f"alias/{live.name}-")


def _partition(live: Live) -> str:
    return str(live.cluster.get("arn", "arn:aws:")).split(":")[1]


def _topic(live: Live) -> Sequence[Parameters]:
    return (
        {"TopicArn": f"arn:{_partition(live)}:sns:{live.region}:{live.account}:{live.name}-alarms"},
    )


def _log_groups(live: Live) -> Sequence[Parameters]:
    prefixes = (
        f"/aws/eks/{live.name}/",
        f"/{live.name}/",
        f"/aws/containerinsights/{live.name}/",
        f"/aws/events/{live.name}-",
    )
    return [{"logGroupNamePrefix": prefix} for prefix in prefixes]


def _filters(live: Live) -> Sequence[Parameters]:
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
    ]
    used += [item.get("TargetKeyId") for item in live.of("aliases")]
    own = f"arn:{_partition(live)}:kms:{live.region}:{live.account}:key/"
    return [
        {"KeyId": item} for item in sorted({str(item).removeprefix(own) for item in used if item})
    ]


def _each_beside(topic: str, **parameters: str) -> Callable[[Live], Sequence[Parameters]]:
    """One call for each resource of an earlier topic; `parameters` are the attributes that name it."""
    return lambda live: [
        {key: item[value] for key, value in parameters.items()} for item in live.of(topic)
    ]


FIRST_BESIDE: tuple[Query, ...] = (
    Query(topic="aliases", service="kms", operation="list_aliases", key="Aliases", keep=_alias),
    Query(
        topic="vaults",
        service="backup",
        operation="list_backup_vaults",
        key="BackupVaultList",
        keep=_named("BackupVaultName", "{}-backups"),
    ),
    Query(
        topic="plans",
        service="backup",
        operation="list_backup_plans",
        key="BackupPlansList",
        keep=_named("BackupPlanName", "{}-backups"),
    ),
    Query(
        topic="topics",
        service="sns",
        operation="get_topic_attributes",
        key="Attributes",
        calls=_topic,
        absent=_NONE,
    ),
    Query(
        topic="subscriptions",
        service="sns",
        operation="list_subscriptions_by_topic",
        key="Subscriptions",
        calls=_topic,
        absent=_NONE,
    ),
    Query(
        topic="alarms",
        service="cloudwatch",
        operation="describe_alarms",
        key="MetricAlarms",
        calls=lambda live: ({"AlarmNamePrefix": f"{live.name}-", "AlarmTypes": ["MetricAlarm"]},),
    ),
    Query(
        topic="log_groups",
        service="logs",
        operation="describe_log_groups",
        key="logGroups",
        calls=_log_groups,
    ),
    Query(
        topic="log_filters",
        service="logs",
        operation="describe_metric_filters",
        key="metricFilters",
        calls=_filters,
        absent=_NONE,
    ),
    Query(
        topic="log_policies",
        service="logs",
        operation="describe_resource_policies",
        key="resourcePolicies",
        keep=_named("policyName", "{}-failed-launches"),
    ),
    Query(
        topic="event_rules",
        service="events",
        operation="list_rules",
        key="Rules",
        calls=lambda live: ({"NamePrefix": f"{live.name}-failed-launches"},),
    ),
    Query(
        topic="event_targets",
        service="events",
        operation="list_targets_by_rule",
        key="Targets",
        calls=lambda live: ({"Rule": f"{live.name}-failed-launches"},),
        absent=_NONE,
    ),
)
SECOND_BESIDE: tuple[Query, ...] = (
    Query(
        topic="keys",
        service="kms",
        operation="describe_key",
        key="KeyMetadata",
        calls=_keys,
        absent=_NONE,
    ),
    Query(
        topic="vault_policies",
        service="backup",
        operation="get_backup_vault_access_policy",
        calls=_each_beside("vaults", BackupVaultName="BackupVaultName"),
        absent=_NONE,
    ),
    Query(
        topic="plan_rules",
        service="backup",
        operation="get_backup_plan",
        calls=_each_beside("plans", BackupPlanId="BackupPlanId"),
        absent=_NONE,
    ),
    Query(
        topic="selections",
        service="backup",
        operation="list_backup_selections",
        key="BackupSelectionsList",
        calls=_each_beside("plans", BackupPlanId="BackupPlanId"),
        keep=_named("SelectionName", "{}-by-tag"),
    ),
)
THIRD_BESIDE: tuple[Query, ...] = (
    Query(
        topic="selected",
        service="backup",
        operation="get_backup_selection",
        calls=_each_beside("selections", BackupPlanId="BackupPlanId", SelectionId="SelectionId"),
        absent=_NONE,
    ),
)


#: The description that EFS gives the network interface of a mount target (EFS user guide, "Creating
#: mount targets").
_MOUNT_TARGET = re.compile(r"\b(fs-[0-9a-f]{8,17})\b")
_ADMINISTRATOR = "cluster-access-policy/AmazonEKSClusterAdminPolicy"


def _in_vpc(name: str = "vpc-id") -> Callable[[Live], Sequence[Parameters]]:
    return lambda live: ({"Filters": [{"Name": name, "Values": [live.vpc_id]}]},)


def _of_cluster(live: Live) -> Sequence[Parameters]:
    return ({"clusterName": live.name},)


def _administrators(live: Live) -> Sequence[Parameters]:
    partition = str(live.cluster.get("arn", "arn:aws:")).split(":")[1]
    return (
        {
            "clusterName": live.name,
            "associatedPolicyArn": f"arn:{partition}:eks::aws:{_ADMINISTRATOR}",
        },
    )


def _each(topic: str, parameter: str, **fixed: str) -> Callable[[Live], Sequence[Parameters]]:
    """One call for each name that an earlier ask found; `fixed` parameters are attributes of the
    scan.
    """
    return lambda live: [
        {**{key: getattr(live, value) for key, value in fixed.items()}, parameter: item["value"]}
        for item in live.of(topic)
    ]


def _group_tags(live: Live) -> Sequence[Parameters]:
    # Auto Scaling API, DescribeAutoScalingGroups: values of one filter are alternatives. EKS,
    # eksctl, kops and the autoscaler all set one of these.
    keys = [
        f"kubernetes.io/cluster/{live.name}",
        f"k8s.io/cluster-autoscaler/{live.name}",
        f"k8s.io/cluster/{live.name}",
    ]
    return ({"Filters": [{"Name": "tag-key", "Values": keys}]},)


def _mount_target_interfaces(live: Live) -> Sequence[Parameters]:
    return (
        {
            "Filters": [
                {"Name": "vpc-id", "Values": [live.vpc_id]},
                {"Name": "description", "Values": ["EFS mount target for *"]},
            ]
        },
    )


def mounted_here(live: Live) -> list[str]:
    """The file systems with a mount target in the VPC, by the network interfaces that EFS keeps
    there.
    """
    found = {
        match[1]
        for item in live.of("mount_interfaces")
        if (match := _MOUNT_TARGET.search(str(item.get("Description", ""))))
    }
    return sorted(found)


def _each_file_system(live: Live) -> Sequence[Parameters]:
    return [{"FileSystemId": item} for item in mounted_here(live)]


def _templates(live: Live) -> Sequence[Parameters]:
    ids = sorted(set(template_ids(live)))
    return ({"LaunchTemplateIds": ids},) if ids else ()


def _template_versions(live: Live) -> Sequence[Parameters]:
    return [
        {"LaunchTemplateId": item, "Versions": ["$Latest"]}
        for item in sorted(set(template_ids(live)))
    ]


def template_ids(live: Live) -> list[str]:
    """The launch templates of the cluster's groups."""
    found = [group.get("launchTemplate", {}).get("id") for group in live.of("node_groups")]
    for group in live.of("groups"):
        mixed = (
            group.get("MixedInstancesPolicy", {})
            .get("LaunchTemplate", {})
            .get("LaunchTemplateSpecification", {})
        )
        found += [
            group.get("LaunchTemplate", {}).get("LaunchTemplateId"),
            mixed.get("LaunchTemplateId"),
        ]
    managed = {
        name for group in live.of("node_groups") for name in auto_scaling_names(group)
    }  # theirs are copies that EKS makes
    copies = {
        group.get("MixedInstancesPolicy", {})
        .get("LaunchTemplate", {})
        .get("LaunchTemplateSpecification", {})
        .get("LaunchTemplateId")
        for group in live.of("groups")
        if group["AutoScalingGroupName"] in managed
    }
    return [item for item in found if item and item not in copies]


def auto_scaling_names(node_group: AwsResource) -> list[str]:
    """The Auto Scaling groups behind a managed node group."""
    return [
        str(item["name"]) for item in node_group.get("resources", {}).get("autoScalingGroups", ())
    ]


def _ours(live: Live, resource: AwsResource) -> bool:
    """Whether a role, policy or the like bears the cluster's name, or is the role of its control
    plane or nodes.
    """
    name = str(resource["Arn"]).rpartition("/")[2]
    used = {
        str(live.cluster.get("roleArn", "")),
        *(str(group.get("nodeRole", "")) for group in live.of("node_groups")),
    }
    return name.startswith(f"{live.name}-") or str(resource.get("Arn")) in used


def _databases(live: Live, resource: AwsResource) -> bool:
    return str(resource.get("DBSubnetGroup", {}).get("VpcId", "")) == live.vpc_id


def _same_vpc(live: Live, resource: AwsResource) -> bool:
    return str(resource.get("VpcId", "")) == live.vpc_id


def _volumes(live: Live) -> Sequence[Parameters]:
    # The tags of the EBS CSI driver (its docs, tagging.md) and of kops, and those of the program
    # itself.
    claims = [{"Name": "tag:kubernetes.io/created-for/pvc/name", "Values": ["hub-db-dir"]}]
    own = [{"Name": "tag:Name", "Values": [f"{live.name}-*-database"]}]
    return ({"Filters": claims}, {"Filters": own})


def _listeners(live: Live) -> Sequence[Parameters]:
    return [
        {"LoadBalancerArn": item["LoadBalancerArn"]}
        for item in live.of("balancers")
        if str(item["LoadBalancerName"]).startswith(f"{live.name}-")
    ]


def _balancer(live: Live, resource: AwsResource) -> bool:
    return _same_vpc(live, resource)


def _addresses(live: Live) -> Sequence[Parameters]:
    ids = [
        address["AllocationId"]
        for gateway in live.of("nats")
        for address in gateway.get("NatGatewayAddresses", ())
        if address.get("AllocationId")
    ]
    return ({"AllocationIds": ids},) if ids else ()


def _private_subnets(live: Live) -> Sequence[Parameters]:
    """The cluster's own: prefixes for pods are reserved in no other subnet, and a shared VPC may
    have hundreds of subnets.
    """
    own = live.cluster.get("resourcesVpcConfig", {}).get("subnetIds", ())
    return [
        {"SubnetId": item["SubnetId"]} for item in live.of("subnets") if item["SubnetId"] in own
    ]


def _vpc_attributes(live: Live) -> Sequence[Parameters]:
    return [
        {"VpcId": live.vpc_id, "Attribute": name}
        for name in ("enableDnsSupport", "enableDnsHostnames")
    ]


def _of_this_cluster(live: Live, resource: AwsResource) -> bool:
    """Volumes are marked by claim; which cluster made it, only a tag says (the driver's,
    `KubernetesCluster`, or kops's).
    """
    tags = tags_of(resource)
    owned = {key.rpartition("/")[2] for key in tags if key.startswith("kubernetes.io/cluster/")}
    return (
        tags.get("stack") == live.name
        or live.name in owned
        or tags.get("KubernetesCluster") == live.name
    )


#: Rounds: each asks what the one before it made known, all rows of a round at once.
ROUNDS: tuple[tuple[Query, ...], ...] = (
    (
        Query(
            topic="vpcs",
            service="ec2",
            operation="describe_vpcs",
            key="Vpcs",
            calls=lambda live: ({"VpcIds": [live.vpc_id]},),
        ),
        Query(
            topic="vpc_attributes",
            service="ec2",
            operation="describe_vpc_attribute",
            calls=_vpc_attributes,
        ),
        Query(
            topic="subnets",
            service="ec2",
            operation="describe_subnets",
            key="Subnets",
            calls=_in_vpc(),
        ),
        Query(
            topic="route_tables",
            service="ec2",
            operation="describe_route_tables",
            key="RouteTables",
            calls=_in_vpc(),
        ),
        Query(
            topic="internet_gateways",
            service="ec2",
            operation="describe_internet_gateways",
            key="InternetGateways",
            calls=_in_vpc("attachment.vpc-id"),
        ),
        Query(
            topic="nats",
            service="ec2",
            operation="describe_nat_gateways",
            key="NatGateways",
            calls=lambda live: (
                {
                    "Filter": [
                        {"Name": "vpc-id", "Values": [live.vpc_id]},
                        {"Name": "state", "Values": ["available", "pending"]},
                    ]
                },
            ),
        ),
        Query(
            topic="endpoints",
            service="ec2",
            operation="describe_vpc_endpoints",
            key="VpcEndpoints",
            calls=_in_vpc(),
        ),
        Query(
            topic="security_groups",
            service="ec2",
            operation="describe_security_groups",
            key="SecurityGroups",
            calls=_in_vpc(),
        ),
        Query(
            topic="flow_logs",
            service="ec2",
            operation="describe_flow_logs",
            key="FlowLogs",
            calls=lambda live: ({"Filter": _in_vpc("resource-id")(live)[0]["Filters"]},),
        ),
        Query(
            topic="mount_interfaces",
            service="ec2",
            operation="describe_network_interfaces",
            key="NetworkInterfaces",
            calls=_mount_target_interfaces,
        ),
        Query(
            topic="volumes",
            service="ec2",
            operation="describe_volumes",
            key="Volumes",
            calls=_volumes,
            keep=_of_this_cluster,
        ),
        Query(
            topic="file_systems",
            service="efs",
            operation="describe_file_systems",
            key="FileSystems",
        ),
        Query(
            topic="access_points",
            service="efs",
            operation="describe_access_points",
            key="AccessPoints",
        ),
        Query(
            topic="node_group_names",
            service="eks",
            operation="list_nodegroups",
            key="nodegroups",
            calls=_of_cluster,
        ),
        Query(
            topic="addon_names",
            service="eks",
            operation="list_addons",
            key="addons",
            calls=_of_cluster,
        ),
        Query(
            topic="access_entries",
            service="eks",
            operation="list_access_entries",
            key="accessEntries",
            calls=_of_cluster,
        ),
        Query(
            topic="administrators",
            service="eks",
            operation="list_access_entries",
            key="accessEntries",
            calls=_administrators,
        ),
        Query(
            topic="pod_identities",
            service="eks",
            operation="list_pod_identity_associations",
            key="associations",
            calls=_of_cluster,
        ),
        Query(
            topic="groups",
            service="autoscaling",
            operation="describe_auto_scaling_groups",
            key="AutoScalingGroups",
            calls=_group_tags,
        ),
        Query(
            topic="databases",
            service="rds",
            operation="describe_db_instances",
            key="DBInstances",
            keep=_databases,
        ),
        Query(
            topic="balancers",
            service="elbv2",
            operation="describe_load_balancers",
            key="LoadBalancers",
            keep=_balancer,
        ),
        Query(
            topic="target_groups",
            service="elbv2",
            operation="describe_target_groups",
            key="TargetGroups",
            keep=_same_vpc,
        ),
        *FIRST_BESIDE,
    ),
    (
        Query(
            topic="rules",
            service="ec2",
            operation="describe_security_group_rules",
            key="SecurityGroupRules",
            calls=lambda live: _rules(live),
        ),
        Query(
            topic="addresses",
            service="ec2",
            operation="describe_addresses",
            key="Addresses",
            calls=_addresses,
        ),
        Query(
            topic="reservations",
            service="ec2",
            operation="get_subnet_cidr_reservations",
            key="SubnetIpv4CidrReservations",
            calls=_private_subnets,
        ),
        Query(
            topic="mount_targets",
            service="efs",
            operation="describe_mount_targets",
            key="MountTargets",
            calls=_each_file_system,
        ),
        Query(
            topic="backup_policies",
            service="efs",
            operation="describe_backup_policy",
            calls=_each_file_system,
            absent=("PolicyNotFound",),
        ),
        Query(
            topic="file_system_policies",
            service="efs",
            operation="describe_file_system_policy",
            calls=_each_file_system,
            absent=("PolicyNotFound",),
        ),
        Query(
            topic="node_groups",
            service="eks",
            operation="describe_nodegroup",
            key="nodegroup",
            calls=_each("node_group_names", "nodegroupName", clusterName="name"),
        ),
        Query(
            topic="addons",
            service="eks",
            operation="describe_addon",
            key="addon",
            calls=_each("addon_names", "addonName", clusterName="name"),
        ),
        Query(
            topic="listeners",
            service="elbv2",
            operation="describe_listeners",
            key="Listeners",
            calls=_listeners,
        ),
        Query(
            topic="instance_profiles",
            service="iam",
            operation="list_instance_profiles",
            page=1000,
            key="InstanceProfiles",
            keep=lambda live, resource: str(resource["InstanceProfileName"]).startswith(
                f"{live.name}-"
            ),
        ),
        *SECOND_BESIDE,
    ),
    (
        Query(
            topic="templates",
            service="ec2",
            operation="describe_launch_templates",
            key="LaunchTemplates",
            calls=_templates,
        ),
        Query(
            topic="template_versions",
            service="ec2",
            operation="describe_launch_template_versions",
            key="LaunchTemplateVersions",
            calls=_template_versions,
        ),
        Query(
            topic="roles",
            service="iam",
            operation="get_account_authorization_details",
            page=1000,
            key="RoleDetailList",
            calls=lambda _live: ({"Filter": ["Role"]},),
            keep=_ours,
        ),
        Query(
            topic="policies",
            service="iam",
            operation="get_account_authorization_details",
            page=1000,
            key="Policies",
            calls=lambda _live: ({"Filter": ["LocalManagedPolicy"]},),
            keep=_ours,
        ),
        *THIRD_BESIDE,
    ),
)


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
