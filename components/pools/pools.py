"""The nodes of a cluster: core nodes, the groups of every user pool with what they share, and
the add-ons that run on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pulumi
import pulumi_aws as aws
from pulumi_aws import eks, iam, kms

from jupyterhub_aws.components.addons import AddonsArgs, ControllerAddons
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, checked, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.components.pools.args import (
    AnyCore,
    AnyPool,
    CoreNodes,
    NodePoolsOutputs,
    paths_of_pools,
    pools_section,
)
from jupyterhub_aws.components.pools.groups import (
    CorePool,
    CorePoolArgs,
    NodeParts,
    UserGroup,
    UserGroupArgs,
    node_role,
)
from jupyterhub_aws.config.infrastructure_rules import pool_problems
from jupyterhub_aws.config.pools import AnyUserPool
from jupyterhub_aws.config.pools import CorePoolSection as CoreSection
from jupyterhub_aws.config.specs.node_groups import NodePoolsSpec, node_pools_spec

#: What Auto Scaling does with the key of its nodes' volumes (EC2 Auto Scaling user guide, "Required
#: AWS KMS key policy for use with encrypted volumes").
_KEY_OPERATIONS = [
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "DescribeKey",
    "CreateGrant",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class NodePoolsArgs:
    """What node pools are made from. The options are those of `pools` in docs/reference.md, under
    the same rules.

    Attributes:
        cluster: The outputs of a cluster, or those of an EKS cluster of your own; with the outputs
            of its network.
        pools: The pools of users' servers by names of your choice: `{"memory":
            SpotFirst(instance_types=["r5n.2xlarge"], max_size=10)}`.
        core: The nodes of hubs and controllers, which every cluster needs once. None: they exist
            already, labelled as docs/operations.md says.
        per_zone: Each pool has a group in each zone. For homes on EBS volumes, which cannot follow
            a server to another zone.
        addons: Whether CoreDNS, node monitoring and the storage drivers are installed. False:
            something else does.
        efs_driver: Whether the driver of EFS is among them.
        volume_key: ARN of a KMS key for the nodes' root volumes; None: the account's aws/ebs key.
        paused: There are no nodes while it is paused.
        physical_name: The prefix of names in AWS; without it the cluster's name. At most 24
            characters.
        tags: Tags of every resource, instance and volume.
        account: The AWS account; without it the one of the provider.

    """

    cluster: ClusterOutputs
    pools: Mapping[str, AnyPool] = field(
        default_factory=dict, metadata={"section": Mapping[str, AnyUserPool]}
    )
    core: AnyCore | None = field(
        default_factory=CoreNodes, metadata={"section": CoreSection | None}
    )
    per_zone: bool = False
    addons: bool = True
    efs_driver: bool = True
    volume_key: str | None = None
    paused: bool = False
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> NodePoolsSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("NodePools", name)
        cluster = given.handle("cluster", self.cluster, ClusterOutputs)
        given.tags(self.tags)
        physical = given.physical_name(
            self.physical_name, default=None if cluster is None else cluster.name
        )
        section = pools_section(given, self.pools, self.core)
        zones: Sequence[str] = ()
        region = ""
        if cluster is not None:
            given.check_cluster(cluster)
            zones, region = cluster.network_spec.zones, cluster.region
        for option in ("per_zone", "addons", "efs_driver", "paused"):
            given.check_value(bool, getattr(self, option), option)
        given.check_input("account", self.account)
        given.check_key("volume_key", self.volume_key, region)
        if section is not None:
            given.add(pool_problems(section, region=region, zones=zones))
        given.done(renamed=paths_of_pools(self.pools))
        assert section is not None and cluster is not None  # noqa: S101 -- else there was a problem
        return node_pools_spec(
            section,
            cluster=cluster.name,
            version=cluster.version,
            zones=zones,
            per_zone=self.per_zone,
            paused=self.paused,
            prefix=physical,
        )


class NodePools(Component):
    """Core nodes, and groups of nodes for users' servers that a cluster autoscaler grows from zero.

    `outputs` is what autoscaler, hubs and monitoring take. Raises ArgumentError with every problem
    of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:NodePools"
    outputs: NodePoolsOutputs

    def __init__(
        self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(NodePools, name, args, NodePoolsArgs).resolved(name)
        super().__init__(name, opts)
        self._args, self._cluster = args, args.cluster
        network = self._cluster.vpc
        self._parts = NodeParts(
            cluster=self._cluster,
            network=network,
            prefix=spec.prefix,
            volume_key=args.volume_key,
            tags=args.tags,
            before_nodes=[
                *network.ready,
                *self._cluster.ready,
                *([] if args.volume_key is None else [self._volume_key(args.volume_key)]),
            ],
        )
        core = (
            None
            if spec.core is None
            else CorePool(
                f"{name}-core", CorePoolArgs(parts=self._parts, spec=spec.core), self.child()
            )
        )
        groups, user_role = self._user_groups()
        before: list[pulumi.Resource] = (
            list(self._parts.before_nodes) if core is None else core.ready
        )
        addons = self._addons(before)
        self.outputs = NodePoolsOutputs(
            spec=spec,
            core_group_name=None if core is None else core.autoscaling_group_name,
            group_names={suffix: group.group_name for suffix, group in groups.items()},
            core_node_role=None if core is None else core.role_name,
            user_node_role=user_role,
            nodes=before,
            ready=before if addons is None else addons.ready,
        )
        self.register_outputs(
            {
                "core": "" if core is None else core.group_name,
                "groups": dict(self.outputs.group_names),
                "scheduling": spec.scheduling,
            }
        )

    def _user_groups(self) -> tuple[dict[str, UserGroup], pulumi.Output[str] | None]:
        """The groups by suffix, and the name of their nodes' role.

        A role of their own: EKS makes the access entry of a managed group's role by itself, and
        refuses a second one.
        """
        if not self._spec.groups:
            return {}, None
        physical, tags = (
            f"{self._spec.prefix}-user-node",
            named(self._args.tags, f"{self._spec.prefix}-user-node"),
        )
        role, granted = node_role(self, f"{self._name}-user", self._parts, physical=physical)
        profile = iam.InstanceProfile(
            f"{self._name}-user-node", name=physical, role=role.name, tags=tags, opts=self.child()
        )
        entry = eks.AccessEntry(
            f"{self._name}-user-node",
            cluster_name=self._cluster.name_output,
            principal_arn=role.arn,
            type="EC2_LINUX",
            tags=tags,
            opts=self.child(),
        )
        after = [*granted, entry, *self._parts.before_nodes]
        groups = {
            spec.suffix: UserGroup(
                f"{self._name}-{spec.suffix}",
                UserGroupArgs(
                    parts=self._parts, spec=spec, profile_arn=profile.arn, depends_on=after
                ),
                self.child(),
            )
            for spec in self._spec.groups
        }
        return groups, role.name

    def _addons(self, before: Sequence[pulumi.Resource]) -> ControllerAddons | None:
        args = self._args
        if not args.addons:
            return None
        addons = AddonsArgs(
            cluster=self._cluster,
            prefix=self._spec.prefix,
            tags=args.tags,
            efs_driver=args.efs_driver,
            depends_on=before,
            paused=args.paused,
        )
        return ControllerAddons(f"{self._name}-addons", addons, self.child())

    def _volume_key(self, key: str) -> kms.Grant:
        """Auto Scaling starts the nodes, so its service role has to use the key of their
        volumes.
        """
        partition = partition_of(self._cluster.region)
        account = (
            aws.get_caller_identity_output().account_id
            if self._args.account is None
            else self._args.account
        )
        return kms.Grant(
            f"{self._name}-volume-key",
            name=f"{self._spec.prefix}-node-volumes",
            key_id=key,
            grantee_principal=pulumi.Output.from_input(account).apply(
                lambda known: (
                    f"arn:{partition}:iam::{known}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
                )
            ),
            operations=_KEY_OPERATIONS,
            opts=self.child(),
        )
