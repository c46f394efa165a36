"""An EKS cluster without nodes: key, logs, role, control plane, administrators, and what nodes
need before they join.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import pulumi
import pulumi_aws as aws
import pulumi_eks
import pulumi_kubernetes as kubernetes
from pulumi_aws import cloudwatch, eks, iam, kms

from jupyterhub_aws.components.addons import AddonsArgs, NodeAddons
from jupyterhub_aws.components.airgap.node_security import NodeSecurity, NodeSecurityArgs
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, change_below, checked, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import document, managed_policy, partition_of, service_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config import cluster as cluster_config
from jupyterhub_aws.config.infrastructure_rules import cluster_problems
from jupyterhub_aws.config.specs.cluster import ClusterSpec, cluster_spec

# --- Settings of the cluster inside a `pulumi_eks.Cluster` that do not go through the component:
# access to its API, and protection.


CONTROL_PLANE = "aws:eks/cluster:Cluster"


def configure_control_plane(
    component: str, *, public_access_cidrs: Sequence[str], protected: bool
) -> None:
    """Allow these networks to reach the API of the cluster inside the `pulumi_eks.Cluster` of
    this resource name, and protect it. Call before it is created.
    """

    def changed(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        props: Mapping[str, Any] = args.props
        if public_access_cidrs:
            network = props["vpcConfig"]
            opened = (
                network.apply(_opened_to(public_access_cidrs))
                if isinstance(network, pulumi.Output)
                else _opened_to(public_access_cidrs)(network)
            )
            props = {**props, "vpcConfig": opened}
        if not protected:
            return pulumi.ResourceTransformResult(props=dict(props), opts=args.opts)
        options = pulumi.ResourceOptions(protect=True, retain_on_delete=True)
        return pulumi.ResourceTransformResult(
            props=dict(props), opts=pulumi.ResourceOptions.merge(args.opts, options)
        )

    # pulumi-eks 4.4, nodejs/eks/cluster/cluster.ts, createCore: new
    # aws.eks.Cluster(`${name}-eksCluster`, …)
    change_below(CONTROL_PLANE, f"{component}-eksCluster", changed)


def _opened_to(cidrs: Sequence[str]) -> Any:
    return lambda network: {
        **network,
        "endpointPublicAccess": True,
        "publicAccessCidrs": list(cidrs),
    }


# --- IAM documents of the control plane: its key's policy, and the permissions of its service role
# on it.


def key_policy(partition: str, account: str) -> str:
    """The key belongs to the account: its IAM policies decide which principals use it (KMS
    developer guide, "Default key policy").
    """
    return document(
        {
            "Sid": "AccountDecides",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )


def envelope_policy(key_arn: str) -> str:
    """What the service role does with the key that encrypts Kubernetes secrets
    (terraform-aws-eks 21, `cluster_encryption`).
    """
    return document(
        {
            "Sid": "EncryptSecrets",
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"],
            "Resource": [key_arn],
        }
    )


_ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"
#: A deleted key can be restored for this long; what it encrypted is lost afterwards. 30 is the most
#: that KMS allows.
_KEY_DELETION_DAYS = 30

Log = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterArgs:
    """What a cluster is made from. The options are those of `cluster` in docs/reference.md, under
    the same rules.

    Attributes:
        network: The outputs of a network, or of a VPC of your own.
        version: Kubernetes minor version, such as "1.35".
        administrators: ARNs of IAM roles and users that get cluster-admin. The creator of the
            cluster has it already.
        public_access_cidrs: Networks outside the VPC that may reach the Kubernetes API. Empty: it
            answers inside the VPC only.
        public: True allows 0.0.0.0/0 among them.
        service_cidr: The addresses of Kubernetes services; they overlap neither the VPC nor its
            peer networks.
        logs: Control-plane logs that are sent to CloudWatch, and retained for `log_retention_days`.
        protected: Whether the engine refuses to delete the cluster.
        addons: Whether VPC CNI, kube-proxy and the Pod Identity agent are installed. False:
            another tool does.
        paused: The cluster has no nodes while it is paused: changed versions of add-ons wait.
        physical_name: The cluster's name in EKS and the prefix of names in AWS; without it the
            component's resource name. At most 24 characters.
        tags: Tags of every resource.
        account: The AWS account; without it the one of the provider.

    """

    network: NetworkOutputs
    version: str
    administrators: Sequence[str] = ()
    public_access_cidrs: Sequence[str] = ()
    public: bool = False
    service_cidr: str = "172.20.0.0/16"
    logs: Sequence[Log] = ("api", "audit", "authenticator")
    log_retention_days: int = 30
    protected: bool = True
    addons: bool = True
    paused: bool = False
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    account: pulumi.Input[str] | None = None

    def resolved(self, name: str) -> ClusterSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("Cluster", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        network = given.handle("network", self.network, NetworkOutputs)
        values = {
            "kind": "eks",
            "version": self.version,
            "administrators": self.administrators,
            "api": {"public_access_cidrs": self.public_access_cidrs, "public": self.public},
            "service_cidr": self.service_cidr,
            "logs": self.logs,
            "log_retention_days": self.log_retention_days,
            "protected": self.protected,
        }
        section = given.section(cluster_config.EksCluster, values)
        known_network = network is not None and given.check_network(network, zones=2)
        given.check_value(bool, self.addons, "addons")
        given.check_value(bool, self.paused, "paused")
        given.check_input("account", self.account)
        if section is not None and network is not None and known_network:
            known = network.spec
            rules = cluster_problems(
                section,
                region=known.region,
                ranges=known.ranges,
                peers=known.peer_networks,
                closed=known.closed,
            )
            given.add(rules, within="cluster")
        given.done(
            renamed={
                "api.public_access_cidrs": "public_access_cidrs",
                "api.public": "public",
                "api": "public_access_cidrs",
            }
        )
        assert section is not None and network is not None  # noqa: S101 -- else there was a problem
        return cluster_spec(section, name=physical, region=network.spec.region)


class Cluster(Component):
    """A control plane without nodes, and the add-ons that nodes need before they join.

    `pulumi_eks.Cluster` makes the cluster and nothing else here: its default nodes, security
    groups, add-ons and OIDC provider are all off, because its children can be neither tagged nor
    adopted one by one.

    In a network without egress nodes get a security group of their own, which lists every permitted
    destination. `outputs` is what node pools, add-ons and hubs take. Raises ArgumentError with
    every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Cluster"
    outputs: ClusterOutputs

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(Cluster, name, args, ClusterArgs).resolved(name)
        super().__init__(name, opts)
        self._args = args
        key = self._key()
        logs = self._log_group()
        role, granted = self._service_role(key)
        control_plane = self._control_plane(key, role, [logs, *granted])
        made = control_plane.eks_cluster
        self._administrators(made.name)
        outputs = ClusterOutputs(
            name=spec.name,
            version=spec.version,
            network=args.network,
            endpoint=made.endpoint,
            certificate_authority=made.certificate_authority.data,
            security_group_id=made.vpc_config.cluster_security_group_id,
            service_cidr=spec.service_cidr,
            kubeconfig=control_plane.kubeconfig_json,
            created=made.created_at,
            id=made.name,
            access=replace(spec.access, option="public_access_cidrs"),
            owner=self,
        )
        addons = self._addons(outputs)
        nodes = self._node_security(outputs)
        self.outputs = replace(
            outputs,
            node_security_group_id=None if nodes is None else nodes.security_group_id,
            ready=[
                *([] if addons is None else addons.ready),
                *([] if nodes is None else nodes.ready),
            ],
        )
        self.register_outputs(
            {
                "name": outputs.id,
                "endpoint": outputs.endpoint,
                "certificate_authority": outputs.certificate_authority,
                "security_group_id": outputs.security_group_id,
                "node_security_group_id": self.outputs.node_group_id,
                "kubeconfig": outputs.kubeconfig,
            }
        )

    @property
    def kubernetes_provider(self) -> kubernetes.Provider:
        """A provider for objects in this cluster, made at its first use."""
        return self.outputs.kubernetes_provider

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._spec.name}-{suffix}")

    def _key(self) -> kms.Key:
        partition = partition_of(self._spec.region)
        account = (
            self._args.account
            if self._args.account is not None
            else aws.get_caller_identity_output().account_id
        )
        key = kms.Key(
            f"{self._name}-key",
            description=f"Kubernetes secrets of {self._spec.name}",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_DELETION_DAYS,
            policy=pulumi.Output.from_input(account).apply(
                lambda known: key_policy(partition, str(known))
            ),
            tags=self._tags("secrets"),
            opts=self.protected_options(),
        )
        kms.Alias(
            f"{self._name}-key-alias",
            name=f"alias/{self._spec.name}-secrets",
            target_key_id=key.key_id,
            opts=self.child(),
        )
        return key

    def _log_group(self) -> cloudwatch.LogGroup:
        # EKS creates this group by itself, without a retention, when the first line arrives before
        # the group exists.
        return cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/eks/{self._spec.name}/cluster",
            retention_in_days=self._spec.log_retention_days,
            tags=self._tags("control-plane-logs"),
            opts=self.child(),
        )

    def _service_role(self, key: kms.Key) -> tuple[iam.Role, list[pulumi.Resource]]:
        role = iam.Role(
            f"{self._name}-role",
            name=f"{self._spec.name}-cluster",
            assume_role_policy=service_trust(
                "eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession")
            ),
            tags=self._tags("cluster"),
            opts=self.child(),
        )
        attached = iam.RolePolicyAttachment(
            f"{self._name}-role-eks",
            role=role.name,
            policy_arn=managed_policy(self._spec.region, "AmazonEKSClusterPolicy"),
            opts=self.child(),
        )
        envelope = iam.RolePolicy(
            f"{self._name}-role-key",
            name="envelope-encryption",
            role=role.name,
            policy=key.arn.apply(envelope_policy),
            opts=self.child(),
        )
        return role, [attached, envelope]

    def _control_plane(
        self, key: kms.Key, role: iam.Role, before: list[pulumi.Resource]
    ) -> pulumi_eks.Cluster:
        spec, name = self._spec, f"{self._name}-control-plane"
        configure_control_plane(
            name, public_access_cidrs=spec.public_access_cidrs, protected=spec.protected
        )
        return pulumi_eks.Cluster(
            name,
            name=spec.name,
            version=spec.version,
            vpc_id=self._args.network.vpc_id,
            private_subnet_ids=self._args.network.private_subnet_ids,
            service_role=role,
            encryption_config_key_arn=key.arn,
            authentication_mode=pulumi_eks.AuthenticationMode.API,
            endpoint_private_access=True,
            # Public or not is components/cluster/cluster.py's to say: told here, the
            # component asks the API for minutes at every `up`.
            endpoint_public_access=None if spec.public_access_cidrs else False,
            kubernetes_service_ip_address_range=spec.service_cidr,
            enabled_cluster_log_types=list(spec.logs),
            upgrade_policy={
                "support_type": "STANDARD"
            },  # the default is EXTENDED: six times the price, silently
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_oidc_provider=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,  # "default" here: the component makes no add-on of its own
            kube_proxy_addon_options={"enabled": False},
            coredns_addon_options={"enabled": False},
            cluster_tags=self._tags("cluster") | {"Name": spec.name},
            opts=self.child(depends_on=before),
        )

    def _administrators(self, cluster_name: pulumi.Output[str]) -> None:
        for suffix, principal in self._spec.administrators.items():
            entry = eks.AccessEntry(
                f"{self._name}-administrator-{suffix}",
                cluster_name=cluster_name,
                principal_arn=principal,
                tags=self._tags("administrator"),
                opts=self.child(),
            )
            eks.AccessPolicyAssociation(
                f"{self._name}-administrator-{suffix}",
                cluster_name=cluster_name,
                principal_arn=entry.principal_arn,
                policy_arn=f"arn:{partition_of(self._spec.region)}:eks::aws:cluster-access-policy/{_ADMINISTRATOR}",
                access_scope={"type": "cluster"},
                opts=self.child(),
            )

    def _addons(self, cluster: ClusterOutputs) -> NodeAddons | None:
        if not self._args.addons:
            return None
        args = AddonsArgs(
            cluster=cluster, prefix=cluster.name, tags=self._args.tags, paused=self._args.paused
        )
        return NodeAddons(f"{self._name}-addons", args, self.child())

    def _node_security(self, cluster: ClusterOutputs) -> NodeSecurity | None:
        if not self._args.network.closed:
            return None
        return NodeSecurity(
            f"{self._name}-nodes",
            NodeSecurityArgs(cluster=cluster, tags=self._args.tags),
            self.child(),
        )
