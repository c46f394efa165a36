"""The EKS control plane: key, logs, role, cluster, administrators. Nodes and add-ons are other components' business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import pulumi_eks
from pulumi_aws import cloudwatch, eks, iam, kms

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.documents import envelope_policy, key_policy
from jupyterhub_aws.components.iam import service_trust
from jupyterhub_aws.components.partition import managed_policy, partition_of
from jupyterhub_aws.config import cluster as cluster_config

_ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"
#: A deleted key can be restored for this long; what it encrypted is lost afterwards. 30 is the most that KMS allows.
_KEY_DELETION_DAYS = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterArgs:
    """`cluster` is the stack's section, `stack_name` the cluster's name in EKS, `account` the AWS account id."""

    cluster: cluster_config.EksCluster
    stack_name: str
    region: str
    account: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    tags: Mapping[str, str]


class Cluster(Component):
    """A control plane without nodes.

    `pulumi_eks.Cluster` makes the cluster and nothing else here: its default nodes, security groups, add-ons and OIDC
    provider are all off, because what it makes inside can be neither tagged nor adopted piece by piece. It exposes
    scalars only. `resource` is what add-ons and nodes depend on.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Cluster"
    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    created: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        key = self._key()
        logs = self._log_group()
        role, granted = self._service_role(key)
        control_plane = self._control_plane(key, role, [logs, *granted])
        self.resource = control_plane
        self.name = control_plane.eks_cluster.name
        self.endpoint = control_plane.eks_cluster.endpoint
        self.certificate_authority = control_plane.eks_cluster.certificate_authority.data
        self.security_group_id = control_plane.eks_cluster.vpc_config.cluster_security_group_id
        self.kubeconfig = control_plane.kubeconfig_json
        self.created = control_plane.eks_cluster.created_at
        self._administrators()
        self.register_outputs({"name": self.name, "endpoint": self.endpoint, "kubeconfig": self.kubeconfig})

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._args.stack_name}-{suffix}")

    def _key(self) -> kms.Key:
        partition = partition_of(self._args.region)
        key = kms.Key(
            f"{self._name}-key",
            description=f"Kubernetes secrets of {self._args.stack_name}",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_DELETION_DAYS,
            policy=pulumi.Output.from_input(self._args.account).apply(lambda account: key_policy(partition, account)),
            tags=self._tags("secrets"),
            opts=self.kept(),
        )
        kms.Alias(f"{self._name}-key-alias", name=f"alias/{self._args.stack_name}-secrets", target_key_id=key.key_id, opts=self.child())
        return key

    def _log_group(self) -> cloudwatch.LogGroup:
        # EKS makes this group by itself, for ever, when the first line arrives before we have made it.
        return cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/eks/{self._args.stack_name}/cluster",
            retention_in_days=self._args.cluster.log_retention_days,
            tags=self._tags("control-plane-logs"),
            opts=self.child(),
        )

    def _service_role(self, key: kms.Key) -> tuple[iam.Role, list[pulumi.Resource]]:
        role = iam.Role(
            f"{self._name}-role",
            name=f"{self._args.stack_name}-cluster",
            assume_role_policy=service_trust("eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession")),
            tags=self._tags("cluster"),
            opts=self.child(),
        )
        attached = iam.RolePolicyAttachment(
            f"{self._name}-role-eks", role=role.name, policy_arn=managed_policy(self._args.region, "AmazonEKSClusterPolicy"), opts=self.child()
        )
        envelope = iam.RolePolicy(
            f"{self._name}-role-key", name="envelope-encryption", role=role.name, policy=key.arn.apply(envelope_policy), opts=self.child()
        )
        return role, [attached, envelope]

    def _control_plane(self, key: kms.Key, role: iam.Role, before: list[pulumi.Resource]) -> pulumi_eks.Cluster:
        section = self._args.cluster
        return pulumi_eks.Cluster(
            f"{self._name}-control-plane",
            name=self._args.stack_name,
            version=section.version,
            vpc_id=self._args.vpc_id,
            private_subnet_ids=self._args.subnet_ids,
            service_role=role,
            encryption_config_key_arn=key.arn,
            authentication_mode=pulumi_eks.AuthenticationMode.API,
            endpoint_private_access=True,
            # Public or not is components/cluster/endpoint.py's to say: told here, the component asks the API for minutes at every `up`.
            endpoint_public_access=None if section.api.public_access_cidrs else False,
            kubernetes_service_ip_address_range=section.service_cidr,
            enabled_cluster_log_types=list(section.logs),
            upgrade_policy={"support_type": "STANDARD"},  # the default is EXTENDED: six times the price, silently
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_oidc_provider=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,  # "default" here: the component makes no add-on of its own
            kube_proxy_addon_options={"enabled": False},
            coredns_addon_options={"enabled": False},
            cluster_tags=self._tags("cluster") | {"Name": self._args.stack_name},
            opts=self.child(depends_on=before),
        )

    def _administrators(self) -> None:
        for principal in self._args.cluster.administrators:
            # Account, role or user, name: by less than all three, two people could share a name.
            account, _, path = principal.partition("iam::")[2].partition(":")
            suffix = f"{account}-{path.partition('/')[0]}-{path.rpartition('/')[2]}"
            entry = eks.AccessEntry(
                f"{self._name}-administrator-{suffix}",
                cluster_name=self.name,
                principal_arn=principal,
                tags=self._tags("administrator"),
                opts=self.child(),
            )
            eks.AccessPolicyAssociation(
                f"{self._name}-administrator-{suffix}",
                cluster_name=self.name,
                principal_arn=entry.principal_arn,
                policy_arn=f"arn:{partition_of(self._args.region)}:eks::aws:cluster-access-policy/{_ADMINISTRATOR}",
                access_scope={"type": "cluster"},
                opts=self.child(),
            )
