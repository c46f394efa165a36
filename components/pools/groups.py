"""One Auto Scaling group of a user pool, with the launch template of its nodes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pulumi
from pulumi_aws import autoscaling, ec2, eks, iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import managed_policy, service_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.pools import Disk
from jupyterhub_aws.config.specs.node_groups import CoreGroupSpec, NodeGroupSpec

if TYPE_CHECKING:
    from pulumi_aws.ec2 import (
        LaunchTemplateBlockDeviceMappingArgsDict,
        LaunchTemplateMetadataOptionsArgsDict,
        LaunchTemplateTagSpecificationArgsDict,
    )


# --- What all nodes of a cluster share: their subnets, and their IAM permissions. Pods have roles
# of their own.


#: EKS user guide, "Amazon EKS node IAM role". The CNI's policy is not here: it has a role by Pod
#: Identity.
_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeParts:
    """`prefix` is that of physical names, `volume_key` the KMS key of root volumes.

    `before_nodes` is what a node needs to join: addresses for pods, their credentials, and routes
    to the internet or to private endpoints.
    """

    cluster: ClusterOutputs
    network: NetworkOutputs
    prefix: str
    volume_key: str | None
    tags: Mapping[str, str]
    before_nodes: Sequence[pulumi.Resource]


def node_role(
    parent: Component, name: str, parts: NodeParts, *, physical: str
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role for nodes with that physical name, as children of `parent`, and the policy
    attachments that nodes need before they start.
    """
    role = iam.Role(
        f"{name}-node",
        name=physical,
        assume_role_policy=service_trust("ec2.amazonaws.com"),
        tags=named(parts.tags, physical),
        opts=parent.child(),
    )
    attached: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{name}-node-{policy}",
            role=role.name,
            policy_arn=managed_policy(parts.cluster.region, policy),
            opts=parent.child(),
        )
        for policy in _POLICIES
    ]
    return role, attached


# --- What launch templates are made of: IMDSv2, an encrypted root volume, tags on what is launched,
# and its user data. Pure.


_BOUNDARY = "==JUPYTERHUB-AWS=="


def metadata_options() -> LaunchTemplateMetadataOptionsArgsDict:
    """IMDSv2 only, and out of reach for pods: their packets have one hop more (EKS best
    practices, "Restrict access to the instance profile").
    """
    return {
        "http_endpoint": "enabled",
        "http_tokens": "required",
        "http_put_response_hop_limit": 1,
        "instance_metadata_tags": "disabled",
    }


def root_volume(disk: Disk, key_arn: str | None) -> list[LaunchTemplateBlockDeviceMappingArgsDict]:
    """The root volume: gp3, encrypted, deleted with its node."""
    return [
        {
            "device_name": "/dev/xvda",
            "ebs": {
                "volume_type": "gp3",
                "volume_size": disk.size_gib,
                "iops": disk.iops,
                "throughput": disk.throughput,
                "encrypted": "true",
                "kms_key_id": key_arn,
                "delete_on_termination": "true",
            },
        }
    ]


def tag_specifications(tags: Mapping[str, str]) -> list[LaunchTemplateTagSpecificationArgsDict]:
    """Tags of what the template launches; provider default tags and template tags do not reach
    it.
    """
    return [
        {"resource_type": kind, "tags": dict(tags)}
        for kind in ("instance", "volume", "network-interface")
    ]


def node_config(
    group: NodeGroupSpec, *, endpoint: str, certificate_authority: str, service_cidr: str
) -> dict[str, Any]:
    """Nodeadm's NodeConfig (awslabs/amazon-eks-ami, nodeadm/doc/api.md). With all four values of
    the cluster in it, the node does not call the EKS API.
    """
    return {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            "cluster": {
                "name": group.cluster,
                "apiServerEndpoint": endpoint,
                "certificateAuthority": certificate_authority,
                "cidr": service_cidr,
            },
            "kubelet": {
                "config": {"maxPods": group.section.max_pods},
                "flags": kubelet_flags(group),
            },
        },
    }


def with_environment(config: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The NodeConfig with variables for every service of the node, containerd and kubelet among
    them (nodeadm/doc/api.md, EnvironmentOptions).
    """
    if not environment:
        return config
    return {
        **config,
        "spec": {**config["spec"], "instance": {"environment": {"default": dict(environment)}}},
    }


def managed_user_data(environment: Mapping[str, str]) -> str | None:
    """What EKS merges into the user data that it writes for managed nodes: the proxy, where
    there is one.
    """
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {}}
    return user_data(with_environment(config, environment)) if environment else None


def kubelet_flags(group: NodeGroupSpec) -> list[str]:
    """Labels and taints that the node registers with, in a fixed order."""
    return [
        "--node-labels="
        + ",".join(f"{key}={value}" for key, value in sorted(group.labels.items())),
        "--register-with-taints=" + ",".join(taint.text for taint in group.taints),
    ]


def user_data(config: Mapping[str, Any]) -> str:
    """The NodeConfig as EC2 takes user data: a MIME document in base64."""
    lines = [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: application/node.eks.aws",
        "",
        json.dumps(config, indent=2),
        "",
        f"--{_BOUNDARY}--",
        "",
    ]
    return base64.b64encode("\n".join(lines).encode()).decode()


@dataclass(frozen=True, kw_only=True, eq=False)
class UserGroupArgs:
    """`spec` is what this group is, `parts` what all nodes of the cluster share, `profile_arn`
    its nodes' instance profile.
    """

    spec: NodeGroupSpec
    parts: NodeParts
    profile_arn: pulumi.Input[str]
    depends_on: Sequence[pulumi.Resource]


class UserGroup(Component):
    """One pool in one market. The autoscaler sets its size, and no change of the program ends a
    node: a new version of the template applies to new nodes only.
    """

    token: ClassVar[str] = "jupyterhub-aws:pools:UserGroup"
    group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: UserGroupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args, self._spec, self._parts = args, args.spec, args.parts
        self.group_name = self._autoscaling_group(self._template()).name
        self.register_outputs({"group_name": self.group_name})

    def _template(self) -> ec2.LaunchTemplate:
        spec, parts = self._spec, self._parts
        tags = named(parts.tags, spec.stem)
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=spec.stem,
            description=f"Nodes of the pool {spec.pool.name} ({spec.market})",
            update_default_version=True,
            image_id=spec.image,
            instance_type=spec.pool.types[0].name,
            iam_instance_profile={"arn": self._args.profile_arn},
            vpc_security_group_ids=[parts.cluster.node_group_id],
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(spec.disk, parts.volume_key),
            tag_specifications=tag_specifications(
                {**tags, f"kubernetes.io/cluster/{spec.cluster}": "owned"}
            ),
            user_data=self._user_data(),
            tags=tags,
            opts=self.child(),
        )

    def _user_data(self) -> pulumi.Output[str]:
        spec, cluster = self._spec, self._parts.cluster
        cidr, environment = cluster.service_cidr, cluster.proxy_environment
        return pulumi.Output.all(cluster.endpoint, cluster.certificate_authority).apply(
            lambda known: user_data(
                with_environment(
                    node_config(
                        spec,
                        endpoint=str(known[0]),
                        certificate_authority=str(known[1]),
                        service_cidr=cidr,
                    ),
                    environment,
                )
            )
        )

    def _autoscaling_group(self, template: ec2.LaunchTemplate) -> autoscaling.Group:
        spec, network = self._spec, self._parts.network
        return autoscaling.Group(
            f"{self._name}-group",
            name=spec.group_name,
            min_size=spec.min_size,
            max_size=spec.max_size,
            vpc_zone_identifiers=(
                network.private_subnet_ids
                if spec.zone is None
                else [network.private_subnets[spec.zone]]
            ),
            mixed_instances_policy=_instances(spec, template),
            enabled_metrics=[
                autoscaling.Metric.GROUP_DESIRED_CAPACITY,
                autoscaling.Metric.GROUP_IN_SERVICE_INSTANCES,
            ],  # for the alarm of a stuck group; free
            suspended_processes=spec.suspended_processes,
            # it would end a node on a mere hint; the termination handler waits for the notice
            capacity_rebalance=False,
            health_check_type="EC2",
            # a group at zero, or a spot market without capacity, must not block an `up`
            wait_for_capacity_timeout="0",
            tags=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in sorted(spec.tags(self._parts.tags).items())
            ],
            opts=self.child(depends_on=list(self._args.depends_on)),
        )


def _instances(
    spec: NodeGroupSpec, template: ec2.LaunchTemplate
) -> autoscaling.GroupMixedInstancesPolicyArgsDict:
    """One market only: in a mixed group the autoscaler could not tell which market has no
    capacity.
    """
    spot = spec.market == "spot"
    distribution: autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgsDict = {
        "on_demand_base_capacity": 0,
        "on_demand_percentage_above_base_capacity": 0 if spot else 100,
    }
    if spot:
        distribution["spot_allocation_strategy"] = "price-capacity-optimized"
        if spec.pool.max_price is not None:
            distribution["spot_max_price"] = spec.pool.max_price
    else:
        distribution["on_demand_allocation_strategy"] = "prioritized"
    return {
        "instances_distribution": distribution,
        "launch_template": {
            "launch_template_specification": {
                "launch_template_id": template.id,
                "version": template.latest_version.apply(str),
            },
            "overrides": [{"instance_type": kind.name} for kind in spec.pool.types],
        },
    }


# --- The core nodes: a managed node group of fixed size, on demand, for hub, proxy, autoscaler and
# add-ons.


_ROLLED_OUT = ["version", "releaseVersion", "launchTemplate"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CorePoolArgs:
    """`spec` is what this group is, `parts` what all nodes of the cluster share."""

    spec: CoreGroupSpec
    parts: NodeParts


class CorePool(Component):
    """Labelled, not tainted: controllers of add-ons run here too. `ready` resolves when its
    nodes have joined.
    """

    token: ClassVar[str] = "jupyterhub-aws:pools:CorePool"
    group_name: pulumi.Output[str]
    role_name: pulumi.Output[str]
    autoscaling_group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: CorePoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args, self._spec = args, args.spec
        spec, parts = args.spec, args.parts
        tags = named(parts.tags, spec.stem)
        role, granted = node_role(self, name, parts, physical=f"{spec.stem}-node")
        template = self._template(tags)
        least, most, desired = spec.sizes
        group = eks.NodeGroup(
            f"{name}-group",
            cluster_name=parts.cluster.name_output,
            node_group_name=spec.group_name,
            node_role_arn=role.arn,
            subnet_ids=[parts.network.private_subnets[zone] for zone in spec.zones],
            capacity_type="ON_DEMAND",
            ami_type=spec.ami_type,
            version=spec.version,
            release_version=spec.release,
            instance_types=list(spec.section.instance_types),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={"min_size": least, "max_size": most, "desired_size": desired},
            update_config={"max_unavailable": 1},
            node_repair_config={"enabled": True},
            labels=spec.labels,
            tags=tags,
            # A new version or template is rolled out by nodes, which a paused stack must not start:
            # it waits until it is resumed.
            opts=self.child(
                depends_on=[*parts.before_nodes, *granted],
                ignore_changes=_ROLLED_OUT if spec.paused else None,
            ),
        )
        self.ready: list[pulumi.Resource] = [group]
        self.group_name, self.role_name = group.node_group_name, role.name
        #: The Auto Scaling group that EKS made: balancers take their targets from it.
        self.autoscaling_group_name = group.resources[0].autoscaling_groups[0].name
        self.register_outputs({"group_name": self.group_name})

    def _template(self, tags: dict[str, str]) -> ec2.LaunchTemplate:
        spec, cluster = self._spec, self._args.parts.cluster
        return ec2.LaunchTemplate(
            f"{self._name}-template",
            name=spec.stem,
            description="Nodes of the core pool",
            update_default_version=True,
            metadata_options=metadata_options(),
            block_device_mappings=root_volume(spec.section.disk, self._args.parts.volume_key),
            # None: EKS gives nodes the cluster's group.
            vpc_security_group_ids=(
                None if cluster.node_security_group_id is None else [cluster.node_security_group_id]
            ),
            user_data=managed_user_data(cluster.proxy_environment),
            tag_specifications=tag_specifications(tags),
            tags=tags,
            opts=self.child(),
        )
