"""EKS add-ons, each pinned and our own: those that nodes need before they join, and those that
need a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import eks, iam

from jupyterhub_aws.components.addons.catalogue import NODE_ADDONS, AddonSpec, controller_addons
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.components.partition import managed_policy
from jupyterhub_aws.config.versions import pin

_NEED_PODS = ["addonVersion", "configurationValues"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AddonsArgs:
    """`cluster` chooses the pinned versions, `prefix` is that of physical names. `efs_driver`:
    whether the driver of EFS is among the controllers.

    `paused`: there is no node, so a changed version waits until there is one again.
    """

    cluster: ClusterOutputs
    prefix: str
    tags: Mapping[str, str]
    efs_driver: bool = True
    depends_on: Sequence[pulumi.Resource] = ()
    paused: bool = False


class _Addons(Component):
    """Add-ons of one moment in the cluster's life; `ready` is what waits for all of them."""

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
            # EKS calls an add-on updated once its pods run: without nodes that would be waited for,
            # for twenty minutes, in vain.
            opts=self.child(
                depends_on=[*self._args.depends_on, *granted],
                ignore_changes=_NEED_PODS if self._args.paused else None,
            ),
        )

    def _identity(
        self, spec: AddonSpec
    ) -> tuple[list[eks.AddonPodIdentityAssociationArgs] | None, list[pulumi.Resource]]:
        """The role of the add-on's service account. Through the add-on itself, so that it is
        there before its pods.
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
