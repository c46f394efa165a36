"""What each EKS add-on needs: its configuration, its service account and the policy of its role.
Pure data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.specs.node_groups import CORE_LABELS


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
    """After the core pool: their controllers need a node. The driver of EFS comes only where
    homes live there.
    """
    return (
        AddonSpec(name="coredns", configuration=_ON_CORE),
        AddonSpec(name="eks-node-monitoring-agent"),
        _EBS,
        *((_EFS,) if efs_driver else ()),
    )
