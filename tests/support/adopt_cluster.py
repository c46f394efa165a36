"""The control plane, who may do what in it, its security groups, and its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.adopt_builder import Builder, Makers, flag, tagged
from tests.support.cloud import ACCOUNT, REGION


class ClusterMakers(Builder):
    """The control plane, who may do what in it, its security groups, and its nodes."""

    def _cluster_makers(self) -> Makers:
        return {
            "aws:cloudwatch/logGroup:LogGroup": self._logs,
            "aws:eks/cluster:Cluster": self._cluster,
            "aws:ec2/securityGroup:SecurityGroup": self._group,
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
                lambda _name, given: self._rule(given, self._ec2.authorize_security_group_ingress)
            ),
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
                lambda _name, given: self._rule(given, self._ec2.authorize_security_group_egress)
            ),
            "aws:eks/addon:Addon": lambda _name, given: self._ignore(
                self.lacking.addons.setdefault(given["clusterName"], []).append(given["addonName"])
            ),
            "aws:eks/accessEntry:AccessEntry": lambda _name, given: self._ignore(
                self.lacking.entries.setdefault(given["clusterName"], []).append(
                    given["principalArn"]
                )
            ),
            "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
                lambda _name, given: self._ignore(
                    self.lacking.identities.setdefault(given["clusterName"], []).append(
                        (given["namespace"], given["serviceAccount"])
                    )
                )
            ),
            "aws:ec2/launchTemplate:LaunchTemplate": self._template,
            "aws:eks/nodeGroup:NodeGroup": self._node_group,
            "aws:autoscaling/group:Group": self._scaling,
        }

    def _logs(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        self._client("logs").create_log_group(logGroupName=given["name"])
        self._client("logs").put_retention_policy(
            logGroupName=given["name"], retentionInDays=given["retentionInDays"]
        )
        return {
            "name": given["name"],
            "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{given['name']}",
        }

    def _cluster(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        name = given["name"]
        group = self._ec2.create_security_group(
            GroupName=f"eks-cluster-sg-{name}", Description="EKS", VpcId=self._any_vpc()
        )["GroupId"]
        self._client("eks").create_cluster(
            name=name,
            roleArn=given["roleArn"],
            resourcesVpcConfig={"subnetIds": given["vpcConfig"]["subnetIds"]},
        )
        public = given["vpcConfig"].get("publicAccessCidrs") or []
        self.lacking.clusters[name] = {
            "name": name,
            "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}",
            "version": given["version"],
            "roleArn": given["roleArn"],
            "endpoint": "https://example.eks.amazonaws.com",
            "status": "ACTIVE",
            "resourcesVpcConfig": {
                "subnetIds": given["vpcConfig"]["subnetIds"],
                "clusterSecurityGroupId": group,
                "vpcId": self._any_vpc(),
                "endpointPrivateAccess": True,
                "endpointPublicAccess": bool(public),
                **({"publicAccessCidrs": public} if public else {}),
            },
            "kubernetesNetworkConfig": given["kubernetesNetworkConfig"],
            "logging": {
                "clusterLogging": [{"types": given["enabledClusterLogTypes"], "enabled": True}]
            },
            "encryptionConfig": [
                {
                    "resources": ["secrets"],
                    "provider": {"keyArn": given["encryptionConfig"]["provider"]["keyArn"]},
                }
            ],
            "accessConfig": {"authenticationMode": "API"},
            "tags": given["tags"],
        }
        return {"name": name, "vpcConfig.clusterSecurityGroupId": group}

    def _any_vpc(self) -> str:
        return self.made["aws:ec2/vpc:Vpc", "network-vpc", "id"]

    def _group(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_security_group(
            GroupName=given["name"],
            Description=given["description"],
            VpcId=given["vpcId"],
            TagSpecifications=tagged("security-group", given),
        )
        self._ec2.revoke_security_group_egress(
            GroupId=made["GroupId"],
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        )
        return {"id": made["GroupId"]}

    def _rule(self, given: dict[str, Any], authorize: Callable[..., Any]) -> None:
        rule: dict[str, Any] = {
            "IpProtocol": given["ipProtocol"],
            "FromPort": given["fromPort"],
            "ToPort": given["toPort"],
        }
        if "cidrIpv4" in given:
            rule["IpRanges"] = [
                {"CidrIp": given["cidrIpv4"], "Description": given.get("description", "")}
            ]
        else:
            rule["UserIdGroupPairs"] = [
                {
                    "GroupId": given["referencedSecurityGroupId"],
                    "Description": given.get("description", ""),
                }
            ]
        authorize(
            GroupId=given["securityGroupId"],
            IpPermissions=[rule],
            TagSpecifications=tagged("security-group-rule", given),
        )

    def _template(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        disks = [
            {
                "DeviceName": item["deviceName"],
                "Ebs": {
                    key[0].upper() + key[1:]: flag(value) for key, value in item["ebs"].items()
                },
            }
            for item in given["blockDeviceMappings"]
        ]
        made = self._ec2.create_launch_template(
            LaunchTemplateName=given["name"],
            LaunchTemplateData={"BlockDeviceMappings": disks},
            TagSpecifications=tagged("launch-template", given),
        )
        return {"id": made["LaunchTemplate"]["LaunchTemplateId"], "name": given["name"]}

    def _node_group(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        self._client("eks").create_nodegroup(
            clusterName=given["clusterName"],
            nodegroupName=given["nodeGroupName"],
            nodeRole=given["nodeRoleArn"],
            subnets=given["subnetIds"],
            instanceTypes=given["instanceTypes"],
            scalingConfig={key: int(value) for key, value in given["scalingConfig"].items()},
            amiType=given["amiType"],
            capacityType=given["capacityType"],
            releaseVersion=given["releaseVersion"],
            launchTemplate={"id": given["launchTemplate"]["id"]},
            tags=given["tags"],
        )
        return {}

    def _scaling(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        policy = given["mixedInstancesPolicy"]
        overrides = [
            {"InstanceType": item["instanceType"]} for item in policy["launchTemplate"]["overrides"]
        ]
        spread = policy["instancesDistribution"]
        distribution: dict[str, Any] = {
            "OnDemandPercentageAboveBaseCapacity": int(
                spread["onDemandPercentageAboveBaseCapacity"]
            )
        }
        if "spotMaxPrice" in spread:
            distribution["SpotMaxPrice"] = spread["spotMaxPrice"]
        template = policy["launchTemplate"]["launchTemplateSpecification"]["launchTemplateId"]
        self._client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=given["name"],
            MinSize=int(given["minSize"]),
            MaxSize=int(given["maxSize"]),
            VPCZoneIdentifier=",".join(given["vpcZoneIdentifiers"]),
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {
                        "LaunchTemplateId": template,
                        "Version": "$Latest",
                    },
                    "Overrides": overrides,
                },
                "InstancesDistribution": distribution,
            },
            Tags=[
                {
                    "ResourceId": given["name"],
                    "ResourceType": "auto-scaling-group",
                    "Key": tag["key"],
                    "Value": tag["value"],
                    "PropagateAtLaunch": tag["propagateAtLaunch"],
                }
                for tag in given["tags"]
            ],
        )
        return {"name": given["name"]}
