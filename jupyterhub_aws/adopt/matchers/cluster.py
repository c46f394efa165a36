"""The control plane, add-ons, access, and the groups of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    ImportCandidate,
    MatchContext,
    Matcher,
    Row,
    called,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import AwsResource, Live, auto_scaling_names

CONTROL_PLANE = "aws:eks/cluster:Cluster"


def _control_plane(context: MatchContext) -> ImportCandidate | None:
    live = context.live
    if context.text("name") != live.name:
        return None
    cluster, network = live.cluster, live.cluster.get("resourcesVpcConfig", {})
    addresses = cluster.get("kubernetesNetworkConfig", {})
    mode = cluster.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
    vpc = {key: network.get(key) for key in ("endpointPrivateAccess", "endpointPublicAccess")}
    vpc["subnetIds"] = sorted(network.get("subnetIds", ()))
    if network.get("endpointPublicAccess"):
        vpc["publicAccessCidrs"] = sorted(network.get("publicAccessCidrs", ()))
    view: dict[str, Any] = {
        "name": live.name,
        "version": cluster.get("version"),
        "roleArn": cluster.get("roleArn"),
        "accessConfig": {"authenticationMode": mode},
        "enabledClusterLogTypes": sorted(live.log_types),
        "kubernetesNetworkConfig": {
            key: addresses.get(key) for key in ("ipFamily", "serviceIpv4Cidr")
        },
        "vpcConfig": vpc,
        "encryptionConfig": (
            {"provider": {"keyArn": live.key_arn}, "resources": ["secrets"]}
            if live.key_arn
            else None
        ),
    }
    outputs = {
        "id": live.name,
        "name": live.name,
        "arn": str(cluster.get("arn", "")),
        "endpoint": str(cluster.get("endpoint", "")),
        "vpcConfig.clusterSecurityGroupId": str(network.get("clusterSecurityGroupId", "")),
    }
    return ImportCandidate(id=live.name, outputs=outputs, view=with_tags(cluster, view))


def _listed(live: Live, topic: str, principal: str | None) -> bool:
    return any(item["value"] == principal for item in live.of(topic))


def _access_entry(context: MatchContext) -> ImportCandidate | None:
    principal = context.text("principalArn")
    if not _listed(context.live, "access_entries", principal):
        return None
    return ImportCandidate(
        id=f"{context.live.name}:{principal}",
        outputs={"principalArn": str(principal)},
        view={"principalArn": principal, "clusterName": context.live.name},
    )


def _administrator(context: MatchContext) -> ImportCandidate | None:
    principal, policy = context.text("principalArn"), context.text("policyArn")
    if not _listed(context.live, "administrators", principal) or not str(policy).endswith(
        "/AmazonEKSClusterAdminPolicy"
    ):
        return None
    return ImportCandidate(
        id=f"{context.live.name}#{principal}#{policy}",
        view={"principalArn": principal, "policyArn": policy, "clusterName": context.live.name},
    )


def _node_group(context: MatchContext) -> ImportCandidate | None:
    group = one(context.live.of("node_groups"), nodegroupName=context.text("nodeGroupName"))
    if group is None:
        return None
    scaling = group.get("scalingConfig", {})
    view: dict[str, Any] = {
        "nodeGroupName": group["nodegroupName"],
        "clusterName": context.live.name,
        "nodeRoleArn": group.get("nodeRole"),
        **{key: group.get(key) for key in ("amiType", "capacityType", "releaseVersion")},
        "subnetIds": sorted(group.get("subnets", ())),
        "instanceTypes": list(group.get("instanceTypes", ())),
        "scalingConfig": {key: scaling.get(key) for key in ("minSize", "maxSize", "desiredSize")},
        "launchTemplate": {"id": group.get("launchTemplate", {}).get("id")},
    }
    names = auto_scaling_names(group)
    return ImportCandidate(
        id=f"{context.live.name}:{group['nodegroupName']}",
        outputs={"resources[0].autoscalingGroups[0].name": names[0]} if names else {},
        view=with_tags(group, view),
    )


def _group_tags(group: AwsResource) -> list[dict[str, Any]]:
    return [
        {
            "key": item["Key"],
            "value": item.get("Value", ""),
            "propagateAtLaunch": item.get("PropagateAtLaunch", False),
        }
        for item in group.get("Tags", ())
    ]


CLUSTER: Mapping[str, Matcher | Row] = {
    CONTROL_PLANE: Matcher(topics=(), find=_control_plane),
    "aws:eks/addon:Addon": Row(
        topics=("addon_names", "addons"),
        place={"addonName": "addonName", "clusterName": "clusterName"},
        id="{clusterName}:{addonName}",
        view={"addonVersion": "addonVersion"},
        tagged=True,
    ),
    "aws:eks/accessEntry:AccessEntry": Matcher(topics=("access_entries",), find=_access_entry),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Matcher(
        topics=("administrators",), find=_administrator
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Row(
        topics=("pod_identities",),
        place={"namespace": "namespace", "serviceAccount": "serviceAccount"},
        id="{clusterName},{associationId}",
        view={"clusterName": "clusterName"},
    ),
    "aws:eks/nodeGroup:NodeGroup": Matcher(
        topics=("node_group_names", "node_groups"), find=_node_group
    ),
    # Its content is in versions, and whatever differs there becomes another version, in place.
    "aws:ec2/launchTemplate:LaunchTemplate": Row(
        topics=("templates",),
        place={"LaunchTemplateName": "name"},
        id="{LaunchTemplateId}",
        outputs={"id": "LaunchTemplateId", "name": "LaunchTemplateName"},
        tagged=True,
    ),
    "aws:autoscaling/group:Group": Row(
        topics=("groups",),
        place={"AutoScalingGroupName": "name"},
        id="{AutoScalingGroupName}",
        view={
            **called("minSize", "maxSize"),
            "vpcZoneIdentifiers": lambda group: sorted(
                filter(None, str(group.get("VPCZoneIdentifier", "")).split(","))
            ),
            "suspendedProcesses": lambda group: sorted(
                item["ProcessName"] for item in group.get("SuspendedProcesses", ())
            ),
            "tags": _group_tags,
        },
        outputs={
            "id": "AutoScalingGroupName",
            "name": "AutoScalingGroupName",
            "arn": "AutoScalingGroupARN",
        },
    ),
}
