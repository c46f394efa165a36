"""JupyterHub on AWS as a Pulumi library: a platform from a stack file, or its components by themselves.

What `__all__` names is the public interface, which a version number promises (docs/upgrading-the-library.md). Everything else is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyterhub_aws.version import __version__

if TYPE_CHECKING:
    from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
    from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
    from jupyterhub_aws.components.autoscaler.autoscaler import ClusterAutoscaler, ClusterAutoscalerArgs
    from jupyterhub_aws.components.autoscaler.policy import AutoscalerPolicy, AutoscalerPolicyArgs
    from jupyterhub_aws.components.backups.backups import Backups, BackupsArgs, BackupsOutputs
    from jupyterhub_aws.components.base import ArgumentError
    from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
    from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
    from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs, EfsHomesOutputs
    from jupyterhub_aws.components.hub.args import JupyterHubArgs
    from jupyterhub_aws.components.hub.hub import JupyterHub
    from jupyterhub_aws.components.iam import pod_identity_trust
    from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
    from jupyterhub_aws.components.network.network import Network, NetworkArgs
    from jupyterhub_aws.components.network.outputs import NetworkOutputs
    from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
    from jupyterhub_aws.components.platform import JupyterHubPlatform, JupyterHubPlatformArgs
    from jupyterhub_aws.components.pools.args import CoreNodes, ExistingNodes, OnDemand, Spot, SpotFirst
    from jupyterhub_aws.components.pools.outputs import NodePoolsOutputs, existing_node_pools
    from jupyterhub_aws.components.pools.pools import NodePools, NodePoolsArgs
    from jupyterhub_aws.components.stack_config import from_stack_file
    from jupyterhub_aws.config.backups import CopyTo, Daily, VaultLock, Weekly
    from jupyterhub_aws.config.homes import AdoptedHomes
    from jupyterhub_aws.config.specs.alarms import MonitoredHub
    from jupyterhub_aws.config.specs.images import Images

__all__ = [
    "AdoptedHomes",
    "AirgapNetwork",
    "AirgapNetworkArgs",
    "ArgumentError",
    "AutoscalerPolicy",
    "AutoscalerPolicyArgs",
    "Backups",
    "BackupsArgs",
    "BackupsOutputs",
    "Cluster",
    "ClusterArgs",
    "ClusterAutoscaler",
    "ClusterAutoscalerArgs",
    "ClusterOutputs",
    "CopyTo",
    "CoreNodes",
    "Daily",
    "EfsHomes",
    "EfsHomesArgs",
    "EfsHomesOutputs",
    "ExistingNetwork",
    "ExistingNetworkArgs",
    "ExistingNodes",
    "Images",
    "JupyterHub",
    "JupyterHubArgs",
    "JupyterHubPlatform",
    "JupyterHubPlatformArgs",
    "MonitoredHub",
    "Monitoring",
    "MonitoringArgs",
    "Network",
    "NetworkArgs",
    "NetworkOutputs",
    "NodeAgents",
    "NodeAgentsArgs",
    "NodePools",
    "NodePoolsArgs",
    "NodePoolsOutputs",
    "OnDemand",
    "Spot",
    "SpotFirst",
    "VaultLock",
    "Weekly",
    "__version__",
    "existing_node_pools",
    "from_stack_file",
    "pod_identity_trust",
]

#: Where each public name is. They are loaded when they are asked for: `jhub` and the checks need no SDK.
_PLACES = {
    "AdoptedHomes": "config.homes",
    "AirgapNetwork": "components.airgap.network",
    "AirgapNetworkArgs": "components.airgap.network",
    "ArgumentError": "components.base",
    "AutoscalerPolicy": "components.autoscaler.policy",
    "AutoscalerPolicyArgs": "components.autoscaler.policy",
    "Backups": "components.backups.backups",
    "BackupsArgs": "components.backups.backups",
    "BackupsOutputs": "components.backups.backups",
    "Cluster": "components.cluster.cluster",
    "ClusterArgs": "components.cluster.cluster",
    "ClusterAutoscaler": "components.autoscaler.autoscaler",
    "ClusterAutoscalerArgs": "components.autoscaler.autoscaler",
    "ClusterOutputs": "components.cluster.outputs",
    "CopyTo": "config.backups",
    "CoreNodes": "components.pools.args",
    "Daily": "config.backups",
    "EfsHomes": "components.homes.efs",
    "EfsHomesArgs": "components.homes.efs",
    "EfsHomesOutputs": "components.homes.efs",
    "ExistingNetwork": "components.airgap.existing",
    "ExistingNetworkArgs": "components.airgap.existing",
    "ExistingNodes": "components.pools.args",
    "Images": "config.specs.images",
    "JupyterHub": "components.hub.hub",
    "JupyterHubArgs": "components.hub.args",
    "JupyterHubPlatform": "components.platform",
    "JupyterHubPlatformArgs": "components.platform",
    "MonitoredHub": "config.specs.alarms",
    "Monitoring": "components.monitoring.monitoring",
    "MonitoringArgs": "components.monitoring.monitoring",
    "Network": "components.network.network",
    "NetworkArgs": "components.network.network",
    "NetworkOutputs": "components.network.outputs",
    "NodeAgents": "components.node_agents",
    "NodeAgentsArgs": "components.node_agents",
    "NodePools": "components.pools.pools",
    "NodePoolsArgs": "components.pools.pools",
    "NodePoolsOutputs": "components.pools.outputs",
    "OnDemand": "components.pools.args",
    "Spot": "components.pools.args",
    "SpotFirst": "components.pools.args",
    "VaultLock": "config.backups",
    "Weekly": "config.backups",
    "existing_node_pools": "components.pools.outputs",
    "from_stack_file": "components.stack_config",
    "pod_identity_trust": "components.iam",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
