"""The control plane, add-ons, access, and the groups of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import (
    ImportCandidate,
    MatchContext,
    Matcher,
    one,
    with_tags,
)
from jupyterhub_aws.adopt.queries import Live

CONTROL_PLANE = "aws:eks/cluster:Cluster"


def _control_plane(context: MatchContext) -> ImportCandidate | None:
    live = context.live
    if context.text("name") != live.name:
        return None
    cluster, network = live.cluster, live.cluster.get("resourcesVpcConfig", {})
    on = [
        kind
        for item in cluster.get("logging", {}).get("clusterLogging", ())
        if item.get("enabled")
        for kind in item.get("types", ())
    ]
    view: dict[str, Any] = {
        "name": live.name,
        "version": cluster.get("version"),
        "roleArn": cluster.get("roleArn"),
        "accessConfig": {
            "authenticationMode": (
                cluster.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
            )
        },
        "enabledClusterLogTypes": sorted(on),
        "kubernetesNetworkConfig": {
            key: cluster.get("kubernetesNetworkConfig", {}).get(key)
            for key in ("ipFamily", "serviceIpv4Cidr")
        },
        "vpcConfig": {
            key: network.get(key) for key in ("endpointPrivateAccess", "endpointPublicAccess")
        },
    }
    view["vpcConfig"]["subnetIds"] = sorted(network.get("subnetIds", ()))
    if network.get("endpointPublicAccess"):
        view["vpcConfig"]["publicAccessCidrs"] = sorted(network.get("publicAccessCidrs", ()))
    view["encryptionConfig"] = (
        {"provider": {"keyArn": live.key_arn}, "resources": ["secrets"]} if live.key_arn else None
    )
    outputs = {
        "id": live.name,
        "name": live.name,
        "arn": str(cluster.get("arn", "")),
        "endpoint": str(cluster.get("endpoint", "")),
    }
    outputs["vpcConfig.clusterSecurityGroupId"] = str(network.get("clusterSecurityGroupId", ""))
    return ImportCandidate(id=live.name, outputs=outputs, view=with_tags(cluster, view))


def _addon(context: MatchContext) -> ImportCandidate | None:
    addon = one(context.live.of("addons"), addonName=context.text("addonName"))
    if addon is None or context.text("clusterName") != context.live.name:
        return None
    view = {
        "addonName": addon["addonName"],
        "clusterName": context.live.name,
        "addonVersion": addon.get("addonVersion"),
    }
    return ImportCandidate(
        id=f"{context.live.name}:{addon['addonName']}", view=with_tags(addon, view)
    )


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


def _pod_identity(context: MatchContext) -> ImportCandidate | None:
    item = one(
        context.live.of("pod_identities"),
        namespace=context.text("namespace"),
        serviceAccount=context.text("serviceAccount"),
    )
    if item is None:
        return None
    view = {
        "clusterName": context.live.name,
        "namespace": item["namespace"],
        "serviceAccount": item["serviceAccount"],
    }
    return ImportCandidate(id=f"{context.live.name},{item['associationId']}", view=view)


def _node_group(context: MatchContext) -> ImportCandidate | None:
    group = one(context.live.of("node_groups"), nodegroupName=context.text("nodeGroupName"))
    if group is None:
        return None
    scaling = group.get("scalingConfig", {})
    view: dict[str, Any] = {
        "nodeGroupName": group["nodegroupName"],
        "clusterName": context.live.name,
        "nodeRoleArn": group.get("nodeRole"),
        "amiType": group.get("amiType"),
        "capacityType": group.get("capacityType"),
        "subnetIds": sorted(group.get("subnets", ())),
        "instanceTypes": list(group.get("instanceTypes", ())),
        "scalingConfig": {key: scaling.get(key) for key in ("minSize", "maxSize", "desiredSize")},
        "releaseVersion": group.get("releaseVersion"),
        "launchTemplate": {"id": group.get("launchTemplate", {}).get("id")},
    }
    names = [item["name"] for item in group.get("resources", {}).get("autoScalingGroups", ())]
    outputs = {"resources[0].autoscalingGroups[0].name": names[0]} if names else {}
    return ImportCandidate(
        id=f"{context.live.name}:{group['nodegroupName']}",
        outputs=outputs,
        view=with_tags(group, view),
    )


def _template(context: MatchContext) -> ImportCandidate | None:
    template = one(context.live.of("templates"), LaunchTemplateName=context.text("name"))
    if template is None:
        return None
    identity = template["LaunchTemplateId"]
    # Its content is in versions, and whatever differs there becomes another version, in place.
    return ImportCandidate(
        id=identity,
        outputs={"id": identity, "name": template["LaunchTemplateName"]},
        view=with_tags(template, {"name": template["LaunchTemplateName"]}),
    )


def _group(context: MatchContext) -> ImportCandidate | None:
    group = one(context.live.of("groups"), AutoScalingGroupName=context.text("name"))
    if group is None:
        return None
    name = group["AutoScalingGroupName"]
    view = {
        "name": name,
        "minSize": group.get("MinSize"),
        "maxSize": group.get("MaxSize"),
        "vpcZoneIdentifiers": sorted(
            item for item in str(group.get("VPCZoneIdentifier", "")).split(",") if item
        ),
        "suspendedProcesses": sorted(
            item["ProcessName"] for item in group.get("SuspendedProcesses", ())
        ),
        "tags": [
            {
                "key": item["Key"],
                "value": item.get("Value", ""),
                "propagateAtLaunch": item.get("PropagateAtLaunch", False),
            }
            for item in group.get("Tags", ())
        ],
    }
    return ImportCandidate(
        id=name,
        outputs={"id": name, "name": name, "arn": str(group.get("AutoScalingGroupARN", ""))},
        view=view,
    )


CLUSTER: Mapping[str, Matcher] = {
    CONTROL_PLANE: Matcher(topics=(), find=_control_plane),
    "aws:eks/addon:Addon": Matcher(topics=("addon_names", "addons"), find=_addon),
    "aws:eks/accessEntry:AccessEntry": Matcher(topics=("access_entries",), find=_access_entry),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Matcher(
        topics=("administrators",), find=_administrator
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Matcher(
        topics=("pod_identities",), find=_pod_identity
    ),
    "aws:eks/nodeGroup:NodeGroup": Matcher(
        topics=("node_group_names", "node_groups"), find=_node_group
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Matcher(topics=("templates",), find=_template),
    "aws:autoscaling/group:Group": Matcher(topics=("groups",), find=_group),
}
