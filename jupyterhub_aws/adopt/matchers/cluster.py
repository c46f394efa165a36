"""The control plane, add-ons, access, and the groups of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.matchers.matcher import Asked, ImportCandidate, Matcher, one, with_tags
from jupyterhub_aws.adopt.queries import Live

CONTROL_PLANE = "aws:eks/cluster:Cluster"


def _control_plane(asked: Asked) -> ImportCandidate | None:
    live = asked.live
    if asked.text("name") != live.name:
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


def _addon(asked: Asked) -> ImportCandidate | None:
    addon = one(asked.live.of("addons"), addonName=asked.text("addonName"))
    if addon is None or asked.text("clusterName") != asked.live.name:
        return None
    view = {
        "addonName": addon["addonName"],
        "clusterName": asked.live.name,
        "addonVersion": addon.get("addonVersion"),
    }
    return ImportCandidate(
        id=f"{asked.live.name}:{addon['addonName']}", view=with_tags(addon, view)
    )


def _listed(live: Live, topic: str, principal: str | None) -> bool:
    return any(item["value"] == principal for item in live.of(topic))


def _access_entry(asked: Asked) -> ImportCandidate | None:
    principal = asked.text("principalArn")
    if not _listed(asked.live, "access_entries", principal):
        return None
    return ImportCandidate(
        id=f"{asked.live.name}:{principal}",
        outputs={"principalArn": str(principal)},
        view={"principalArn": principal, "clusterName": asked.live.name},
    )


def _administrator(asked: Asked) -> ImportCandidate | None:
    principal, policy = asked.text("principalArn"), asked.text("policyArn")
    if not _listed(asked.live, "administrators", principal) or not str(policy).endswith(
        "/AmazonEKSClusterAdminPolicy"
    ):
        return None
    return ImportCandidate(
        id=f"{asked.live.name}#{principal}#{policy}",
        view={"principalArn": principal, "policyArn": policy, "clusterName": asked.live.name},
    )


def _pod_identity(asked: Asked) -> ImportCandidate | None:
    item = one(
        asked.live.of("pod_identities"),
        namespace=asked.text("namespace"),
        serviceAccount=asked.text("serviceAccount"),
    )
    if item is None:
        return None
    view = {
        "clusterName": asked.live.name,
        "namespace": item["namespace"],
        "serviceAccount": item["serviceAccount"],
    }
    return ImportCandidate(id=f"{asked.live.name},{item['associationId']}", view=view)


def _node_group(asked: Asked) -> ImportCandidate | None:
    group = one(asked.live.of("node_groups"), nodegroupName=asked.text("nodeGroupName"))
    if group is None:
        return None
    scaling = group.get("scalingConfig", {})
    view: dict[str, Any] = {
        "nodeGroupName": group["nodegroupName"],
        "clusterName": asked.live.name,
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
        id=f"{asked.live.name}:{group['nodegroupName']}",
        outputs=outputs,
        view=with_tags(group, view),
    )


def _template(asked: Asked) -> ImportCandidate | None:
    template = one(asked.live.of("templates"), LaunchTemplateName=asked.text("name"))
    if template is None:
        return None
    identity = template["LaunchTemplateId"]
    # Its content is in versions, and whatever differs there becomes another version, in place.
    return ImportCandidate(
        id=identity,
        outputs={"id": identity, "name": template["LaunchTemplateName"]},
        view=with_tags(template, {"name": template["LaunchTemplateName"]}),
    )


def _group(asked: Asked) -> ImportCandidate | None:
    group = one(asked.live.of("groups"), AutoScalingGroupName=asked.text("name"))
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
