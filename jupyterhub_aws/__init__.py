"""JupyterHub on AWS as a Pulumi library: a platform from a stack file, or its components by
themselves.

What `__all__` names is the public interface, which a version number promises
(docs/upgrading-the-library.md). Everything else is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyterhub_aws.version import __version__

if TYPE_CHECKING:
    from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
    from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
    from jupyterhub_aws.components.autoscaler import (
        AutoscalerPolicy,
        AutoscalerPolicyArgs,
        ClusterAutoscaler,
        ClusterAutoscalerArgs,
    )
    from jupyterhub_aws.components.backups import Backups, BackupsArgs, BackupsOutputs
    from jupyterhub_aws.components.base import ArgumentError
    from jupyterhub_aws.components.buckets import Buckets, BucketsArgs, BucketsOutputs
    from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
    from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
    from jupyterhub_aws.components.dask_gateway import DaskGateway, DaskGatewayArgs
    from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs, EfsHomesOutputs
    from jupyterhub_aws.components.hub.args import JupyterHubArgs
    from jupyterhub_aws.components.hub.hub import JupyterHub
    from jupyterhub_aws.components.iam import pod_identity_trust
    from jupyterhub_aws.components.image_repositories import (
        ImageRepositories,
        ImageRepositoriesArgs,
    )
    from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
    from jupyterhub_aws.components.network.network import Network, NetworkArgs
    from jupyterhub_aws.components.network.outputs import NetworkOutputs
    from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
    from jupyterhub_aws.components.platform import JupyterHubPlatform, JupyterHubPlatformArgs
    from jupyterhub_aws.components.pools.args import (
        CoreNodes,
        ExistingNodes,
        NodePoolsOutputs,
        OnDemand,
        Spot,
        SpotFirst,
        existing_node_pools,
    )
    from jupyterhub_aws.components.pools.pools import NodePools, NodePoolsArgs
    from jupyterhub_aws.components.stack_config import from_stack_file
    from jupyterhub_aws.config.aws_access import AwsAccess, BucketAccess, GroupAccess, Statement
    from jupyterhub_aws.config.backups import CopyTo, Daily, VaultLock, Weekly
    from jupyterhub_aws.config.buckets import (
        ExistingBucket,
        PublicBucket,
        ScratchBucket,
        SharedBucket,
    )
    from jupyterhub_aws.config.bundle import Lock, read_lock
    from jupyterhub_aws.config.database import (
        MemoryDatabase,
        PostgresDatabase,
        SqliteDatabase,
        SqliteOnClass,
        SqliteOnNode,
    )
    from jupyterhub_aws.config.egress import (
        InternetEgress,
        NoEgress,
        Peering,
        PeerNetwork,
        ProxyEgress,
        RoutedPeerNetwork,
        TransitGateway,
    )
    from jupyterhub_aws.config.entry import (
        AcmTls,
        CertificateTls,
        LoadBalancerEntry,
        NodePortEntry,
        NoTls,
        PortForwardEntry,
    )
    from jupyterhub_aws.config.homes import (
        AdoptedHomes,
        EbsHomes,
        EfsAccessPointHomes,
        EphemeralHomes,
        NfsHomes,
        UsageReport,
    )
    from jupyterhub_aws.config.hub import Culling
    from jupyterhub_aws.config.image_repositories import ImageRepository
    from jupyterhub_aws.config.maintenance import MaintenancePage
    from jupyterhub_aws.config.mirrors import PackageMirrors
    from jupyterhub_aws.config.network import FlowLogs, Subnet
    from jupyterhub_aws.config.pages import HubPages
    from jupyterhub_aws.config.pools import Disk, Retiring
    from jupyterhub_aws.config.profiles import ImageChoice, Profile, SizeChoice
    from jupyterhub_aws.config.services import Service, ServicePods, ServiceSignIn
    from jupyterhub_aws.config.sign_in import (
        CilogonSignIn,
        CognitoSignIn,
        EntraSignIn,
        GitHubSignIn,
        GoogleSignIn,
        IdentityProvider,
        LdapLookup,
        LdapSignIn,
        LtiSignIn,
        NativeSignIn,
        OidcSignIn,
        SharedPasswordSignIn,
    )
    from jupyterhub_aws.config.specs.alarms import MonitoredHub
    from jupyterhub_aws.config.specs.dask_gateway import DaskLimits
    from jupyterhub_aws.config.specs.images import Images
    from jupyterhub_aws.config.unlisted_image import UnlistedImage
    from jupyterhub_aws.config.volumes import (
        BucketVolume,
        ClaimVolume,
        ScratchVolume,
        SharedDirectory,
    )

__all__ = [
    "AcmTls",
    "AdoptedHomes",
    "AirgapNetwork",
    "AirgapNetworkArgs",
    "ArgumentError",
    "AutoscalerPolicy",
    "AutoscalerPolicyArgs",
    "AwsAccess",
    "Backups",
    "BackupsArgs",
    "BackupsOutputs",
    "BucketAccess",
    "BucketVolume",
    "Buckets",
    "BucketsArgs",
    "BucketsOutputs",
    "CertificateTls",
    "CilogonSignIn",
    "ClaimVolume",
    "Cluster",
    "ClusterArgs",
    "ClusterAutoscaler",
    "ClusterAutoscalerArgs",
    "ClusterOutputs",
    "CognitoSignIn",
    "CopyTo",
    "CoreNodes",
    "Culling",
    "Daily",
    "DaskGateway",
    "DaskGatewayArgs",
    "DaskLimits",
    "Disk",
    "EbsHomes",
    "EfsAccessPointHomes",
    "EfsHomes",
    "EfsHomesArgs",
    "EfsHomesOutputs",
    "EntraSignIn",
    "EphemeralHomes",
    "ExistingBucket",
    "ExistingNetwork",
    "ExistingNetworkArgs",
    "ExistingNodes",
    "FlowLogs",
    "GitHubSignIn",
    "GoogleSignIn",
    "GroupAccess",
    "HubPages",
    "IdentityProvider",
    "ImageChoice",
    "ImageRepositories",
    "ImageRepositoriesArgs",
    "ImageRepository",
    "Images",
    "InternetEgress",
    "JupyterHub",
    "JupyterHubArgs",
    "JupyterHubPlatform",
    "JupyterHubPlatformArgs",
    "LdapLookup",
    "LdapSignIn",
    "LoadBalancerEntry",
    "Lock",
    "LtiSignIn",
    "MaintenancePage",
    "MemoryDatabase",
    "MonitoredHub",
    "Monitoring",
    "MonitoringArgs",
    "NativeSignIn",
    "Network",
    "NetworkArgs",
    "NetworkOutputs",
    "NfsHomes",
    "NoEgress",
    "NoTls",
    "NodeAgents",
    "NodeAgentsArgs",
    "NodePools",
    "NodePoolsArgs",
    "NodePoolsOutputs",
    "NodePortEntry",
    "OidcSignIn",
    "OnDemand",
    "PackageMirrors",
    "PeerNetwork",
    "Peering",
    "PortForwardEntry",
    "PostgresDatabase",
    "Profile",
    "ProxyEgress",
    "PublicBucket",
    "Retiring",
    "RoutedPeerNetwork",
    "ScratchBucket",
    "ScratchVolume",
    "Service",
    "ServicePods",
    "ServiceSignIn",
    "SharedBucket",
    "SharedDirectory",
    "SharedPasswordSignIn",
    "SizeChoice",
    "Spot",
    "SpotFirst",
    "SqliteDatabase",
    "SqliteOnClass",
    "SqliteOnNode",
    "Statement",
    "Subnet",
    "TransitGateway",
    "UnlistedImage",
    "UsageReport",
    "VaultLock",
    "Weekly",
    "__version__",
    "existing_node_pools",
    "from_stack_file",
    "pod_identity_trust",
    "read_lock",
]

#: Where each public name is. They are loaded when they are asked for: `jhub` and the checks need no
#: SDK.
_PLACES = {
    "AcmTls": "config.entry",
    "AdoptedHomes": "config.homes",
    "AirgapNetwork": "components.airgap.network",
    "AirgapNetworkArgs": "components.airgap.network",
    "ArgumentError": "components.base",
    "AutoscalerPolicy": "components.autoscaler",
    "AutoscalerPolicyArgs": "components.autoscaler",
    "AwsAccess": "config.aws_access",
    "Backups": "components.backups",
    "BackupsArgs": "components.backups",
    "BackupsOutputs": "components.backups",
    "BucketAccess": "config.aws_access",
    "BucketVolume": "config.volumes",
    "Buckets": "components.buckets",
    "BucketsArgs": "components.buckets",
    "BucketsOutputs": "components.buckets",
    "CertificateTls": "config.entry",
    "CilogonSignIn": "config.sign_in",
    "ClaimVolume": "config.volumes",
    "Cluster": "components.cluster.cluster",
    "ClusterArgs": "components.cluster.cluster",
    "ClusterAutoscaler": "components.autoscaler",
    "ClusterAutoscalerArgs": "components.autoscaler",
    "ClusterOutputs": "components.cluster.outputs",
    "CognitoSignIn": "config.sign_in",
    "CopyTo": "config.backups",
    "CoreNodes": "components.pools.args",
    "Culling": "config.hub",
    "Daily": "config.backups",
    "DaskGateway": "components.dask_gateway",
    "DaskGatewayArgs": "components.dask_gateway",
    "DaskLimits": "config.specs.dask_gateway",
    "Disk": "config.pools",
    "EbsHomes": "config.homes",
    "EfsAccessPointHomes": "config.homes",
    "EfsHomes": "components.homes.efs",
    "EfsHomesArgs": "components.homes.efs",
    "EfsHomesOutputs": "components.homes.efs",
    "EntraSignIn": "config.sign_in",
    "EphemeralHomes": "config.homes",
    "ExistingBucket": "config.buckets",
    "ExistingNetwork": "components.airgap.existing",
    "ExistingNetworkArgs": "components.airgap.existing",
    "ExistingNodes": "components.pools.args",
    "FlowLogs": "config.network",
    "GitHubSignIn": "config.sign_in",
    "GoogleSignIn": "config.sign_in",
    "IdentityProvider": "config.sign_in",
    "GroupAccess": "config.aws_access",
    "ImageChoice": "config.profiles",
    "ImageRepositories": "components.image_repositories",
    "ImageRepositoriesArgs": "components.image_repositories",
    "ImageRepository": "config.image_repositories",
    "Images": "config.specs.images",
    "InternetEgress": "config.egress",
    "HubPages": "config.pages",
    "JupyterHub": "components.hub.hub",
    "JupyterHubArgs": "components.hub.args",
    "JupyterHubPlatform": "components.platform",
    "JupyterHubPlatformArgs": "components.platform",
    "LdapLookup": "config.sign_in",
    "LdapSignIn": "config.sign_in",
    "LoadBalancerEntry": "config.entry",
    "Lock": "config.bundle",
    "LtiSignIn": "config.sign_in",
    "MaintenancePage": "config.maintenance",
    "MemoryDatabase": "config.database",
    "MonitoredHub": "config.specs.alarms",
    "Monitoring": "components.monitoring.monitoring",
    "MonitoringArgs": "components.monitoring.monitoring",
    "NativeSignIn": "config.sign_in",
    "Network": "components.network.network",
    "NetworkArgs": "components.network.network",
    "NetworkOutputs": "components.network.outputs",
    "NfsHomes": "config.homes",
    "NoEgress": "config.egress",
    "NoTls": "config.entry",
    "NodeAgents": "components.node_agents",
    "NodeAgentsArgs": "components.node_agents",
    "NodePools": "components.pools.pools",
    "NodePoolsArgs": "components.pools.pools",
    "NodePoolsOutputs": "components.pools.args",
    "NodePortEntry": "config.entry",
    "OidcSignIn": "config.sign_in",
    "OnDemand": "components.pools.args",
    "PackageMirrors": "config.mirrors",
    "PeerNetwork": "config.egress",
    "Peering": "config.egress",
    "PortForwardEntry": "config.entry",
    "PostgresDatabase": "config.database",
    "Profile": "config.profiles",
    "ProxyEgress": "config.egress",
    "PublicBucket": "config.buckets",
    "Retiring": "config.pools",
    "RoutedPeerNetwork": "config.egress",
    "ScratchBucket": "config.buckets",
    "ScratchVolume": "config.volumes",
    "Service": "config.services",
    "ServicePods": "config.services",
    "ServiceSignIn": "config.services",
    "SharedBucket": "config.buckets",
    "SharedDirectory": "config.volumes",
    "SharedPasswordSignIn": "config.sign_in",
    "SizeChoice": "config.profiles",
    "Spot": "components.pools.args",
    "SpotFirst": "components.pools.args",
    "SqliteDatabase": "config.database",
    "SqliteOnClass": "config.database",
    "SqliteOnNode": "config.database",
    "Statement": "config.aws_access",
    "Subnet": "config.network",
    "TransitGateway": "config.egress",
    "UnlistedImage": "config.unlisted_image",
    "UsageReport": "config.homes",
    "VaultLock": "config.backups",
    "Weekly": "config.backups",
    "existing_node_pools": "components.pools.args",
    "from_stack_file": "components.stack_config",
    "pod_identity_trust": "components.iam",
    "read_lock": "config.bundle",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
