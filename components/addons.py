"""EKS add-ons: which ones a stack gets and how each is configured, and the two components that
install them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import eks, iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import managed_policy, pod_identity_trust
from jupyterhub_aws.config.specs.node_groups import CORE_LABELS
from jupyterhub_aws.config.versions import pin

# --- What each EKS add-on needs: its configuration, its service account and the policy of its role.
# Pure data.


@dataclass(frozen=True, kw_only=True)
class AddonSpec:
    """One add-on. `policy` is the managed policy of the role that its `service_account` gets by
    Pod Identity.
    """

    name: str
    configuration: Mapping[str, Any] | None = None
    service_account: str | None = None
    policy: str | None = None

    @property
    def configuration_json(self) -> str | None:
        """The configuration as EKS takes it, keys sorted so that the same one never shows as a
        change.
        """
        return (
            None if self.configuration is None else json.dumps(self.configuration, sort_keys=True)
        )


_ON_CORE = {"nodeSelector": dict(CORE_LABELS)}

#: Before the first node: without a CNI it never gets Ready, and without the agent the CNI gets no
#: credentials.
NODE_ADDONS = (
    AddonSpec(
        name="vpc-cni",
        configuration={
            "enableNetworkPolicy": "true",  # without it the chart's network policies are decoration
            # Addresses come as /28 prefixes: a node fills from few of them, and the subnets'
            # reservations keep them whole.
            "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
        },
        service_account="aws-node",
        policy="AmazonEKS_CNI_Policy",
    ),
    AddonSpec(name="kube-proxy"),
    AddonSpec(name="eks-pod-identity-agent"),
)

_EBS = AddonSpec(
    name="aws-ebs-csi-driver",
    configuration={"controller": _ON_CORE},
    service_account="ebs-csi-controller-sa",
    policy="AmazonEBSCSIDriverPolicyV2",
)
_EFS = AddonSpec(
    name="aws-efs-csi-driver",
    configuration={"controller": _ON_CORE},
    service_account="efs-csi-controller-sa",
    policy="service-role/AmazonEFSCSIDriverPolicy",
)


def controller_addons(*, efs_driver: bool) -> tuple[AddonSpec, ...]:
    """After the core pool: their controllers need a node. The driver of EFS is installed only
    where homes are in EFS.
    """
    return (
        AddonSpec(name="coredns", configuration=_ON_CORE),
        AddonSpec(name="eks-node-monitoring-agent"),
        _EBS,
        *((_EFS,) if efs_driver else ()),
    )


# --- EKS add-ons, each pinned and our own: those that nodes need before they join, and those that
# need a node.


_NEED_PODS = ["addonVersion", "configurationValues"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AddonsArgs:
    """`cluster` chooses the pinned versions, `prefix` is that of physical names. `efs_driver`:
    whether the driver of EFS is among the controllers.

    `paused`: there is no node, so a changed version is installed only after resuming.
    """

    cluster: ClusterOutputs
    prefix: str
    tags: Mapping[str, str]
    efs_driver: bool = True
    depends_on: Sequence[pulumi.Resource] = ()
    paused: bool = False


class _Addons(Component):
    """The add-ons of one stage of the cluster's creation; `ready` depends on all of them."""

    def __init__(
        self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._args, self._cluster = args, args.cluster
        self.ready: list[pulumi.Resource] = [self._addon(spec) for spec in self._specs()]
        self.versions = {
            spec.name: pin("addon", spec.name, args.cluster.version).version
            for spec in self._specs()
        }
        self.register_outputs({"versions": self.versions})

    def _specs(self) -> Sequence[AddonSpec]:
        raise NotImplementedError

    def _addon(self, spec: AddonSpec) -> eks.Addon:
        associations, granted = self._identity(spec)
        return eks.Addon(
            f"{self._name}-{spec.name}",
            cluster_name=self._cluster.name_output,
            addon_name=spec.name,
            addon_version=pin("addon", spec.name, self._cluster.version).version,
            configuration_values=spec.configuration_json,
            pod_identity_associations=associations,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=named(self._args.tags, f"{self._args.prefix}-{spec.name}"),
            # EKS calls an add-on updated once its pods run: without nodes the update would wait
            # twenty minutes and fail.
            opts=self.child(
                depends_on=[*self._args.depends_on, *granted],
                ignore_changes=_NEED_PODS if self._args.paused else None,
            ),
        )

    def _identity(
        self, spec: AddonSpec
    ) -> tuple[list[eks.AddonPodIdentityAssociationArgs] | None, list[pulumi.Resource]]:
        """The role of the add-on's service account. Created through the add-on itself, so that
        it exists before its pods.
        """
        if spec.service_account is None or spec.policy is None:
            return None, []
        physical = f"{self._args.prefix}-{spec.name}"
        role = iam.Role(
            f"{self._name}-{spec.name}",
            name=physical,
            assume_role_policy=pod_identity_trust(),
            tags=named(self._args.tags, physical),
            opts=self.child(),
        )
        attached = iam.RolePolicyAttachment(
            f"{self._name}-{spec.name}",
            role=role.name,
            policy_arn=managed_policy(self._cluster.region, spec.policy),
            opts=self.child(),
        )
        return [
            eks.AddonPodIdentityAssociationArgs(
                role_arn=role.arn, service_account=spec.service_account
            )
        ], [attached]


class NodeAddons(_Addons):
    """vpc-cni with network policies and prefixes, kube-proxy, and the Pod Identity agent: before
    the first node.
    """

    token: ClassVar[str] = "jupyterhub-aws:addons:NodeAddons"

    def _specs(self) -> Sequence[AddonSpec]:
        return NODE_ADDONS


class ControllerAddons(_Addons):
    """coredns, node monitoring and the storage drivers: after the core pool."""

    token: ClassVar[str] = "jupyterhub-aws:addons:ControllerAddons"

    def _specs(self) -> Sequence[AddonSpec]:
        return controller_addons(efs_driver=self._args.efs_driver)


# --- The CSI drivers by which pods reach storage, as volumes and storage classes name them.


EBS_DRIVER = "ebs.csi.aws.com"
EFS_DRIVER = "efs.csi.aws.com"

#: The EBS driver's policy lets it attach, detach, grow and delete only volumes with this tag: AWS
#: managed policy AmazonEBSCSIDriverPolicyV2,
#: statement ManageManagedVolumes. The driver sets it on volumes it creates (its docs/tagging.md);
#: on all others it is ours to set.
EBS_DRIVER_TAG = {"ebs.csi.aws.com/cluster": "true"}
