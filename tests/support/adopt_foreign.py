"""Clusters that other tools made, on moto's server, with the names and tags that those tools
give: eksctl, and Nebari with a file system by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support.adopt_lacking import Lacking, client_of
from tests.support.adopt_storage import mounted
from tests.support.cloud import ACCOUNT, REGION, Cloud


@dataclass(frozen=True)
class Foreign:
    """What was made: ids by what they are."""

    lacking: Lacking
    vpc: str
    subnets: dict[str, str]
    file_system: str
    access_point: str


def eksctl(
    account: Cloud, name: str = "pangeo", *, mode: str = "API_AND_CONFIG_MAP", point: bool = True
) -> Foreign:
    """A cluster of `eksctl create cluster`: 192.168.0.0/16 in /19 pieces, a role named by
    CloudFormation, node groups named by somebody.
    """
    tags = {
        "alpha.eksctl.io/cluster-name": name,
        "alpha.eksctl.io/eksctl-version": "0.210.0",
        "aws-usage": "hub",
    }
    vpc, subnets = _network(
        account, "192.168.0.0/16", tags, public=("a", "b"), private=("a", "b"), step=32, length=19
    )
    role = f"eksctl-{name}-cluster-ServiceRole-1A2B3C4D"
    lacking = _cluster(account, name, vpc, subnets, {"role": role, "mode": mode, "tags": tags})
    eks = client_of(account.url, "eks")
    common = {
        "clusterName": name,
        "nodeRole": _role(account, f"eksctl-{name}-nodegroup-NodeInstanceRole-9Z"),
        "subnets": [subnets["private-a"]],
    }
    for group, types, most in (
        ("hub", ["m5.large"], 2),
        ("Users-r5", ["r5.2xlarge", "r5n.2xlarge"], 20),
    ):
        sizes = {"minSize": 0, "maxSize": most, "desiredSize": 1}
        eks.create_nodegroup(
            nodegroupName=group, instanceTypes=types, scalingConfig=sizes, tags=tags, **common
        )
    file_system = _file_system(account, "console-77", subnets)
    made = _point(account, file_system) if point else ""
    return Foreign(lacking, vpc, subnets, file_system, made)


def nebari(account: Cloud, name: str = "nebari-prod") -> Foreign:
    """A cluster of Nebari's Terraform: its own role names, three public subnets with nodes in
    them, a file system by hand beside.
    """
    tags = {"Owner": "terraform", "Environment": "prod", "Project": "nebari"}
    vpc, subnets = _network(
        account, "10.10.0.0/16", tags, public=("a", "b", "c"), private=(), step=16, length=20
    )
    lacking = _cluster(
        account,
        name,
        vpc,
        subnets,
        {"role": f"{name}-eks-cluster-role", "mode": "CONFIG_MAP", "tags": tags},
    )
    eks = client_of(account.url, "eks")
    for group, types in (
        ("general", ["m5.2xlarge"]),
        ("user", ["m5.xlarge"]),
        ("worker", ["g4dn.xlarge"]),
    ):
        eks.create_nodegroup(
            clusterName=name,
            nodegroupName=group,
            instanceTypes=types,
            nodeRole=_role(account, f"{name}-eks-node-group-role"),
            subnets=sorted(subnets.values()),
            scalingConfig={"minSize": 0, "maxSize": 5, "desiredSize": 0},
            tags=tags,
        )
    return Foreign(lacking, vpc, subnets, _file_system(account, "by-hand", subnets), "")


def _network(
    account: Cloud, cidr: str, tags: dict[str, str], **shape: Any
) -> tuple[str, dict[str, str]]:
    ec2 = client_of(account.url, "ec2")
    vpc = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=_tags("vpc", tags))["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    outside = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=outside, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    base, subnets = cidr.rpartition(".")[0].rpartition(".")[0], {}
    for index, (kind, zone) in enumerate(
        [
            *(("public", zone) for zone in shape["public"]),
            *(("private", zone) for zone in shape["private"]),
        ]
    ):
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{base}.{index * shape['step']}.0/{shape['length']}",
            AvailabilityZone=f"{REGION}{zone}",
            TagSpecifications=_tags("subnet", tags),
        )["Subnet"]["SubnetId"]
        subnets[f"{kind}-{zone}"] = made
        if kind == "public":
            ec2.associate_route_table(RouteTableId=outside, SubnetId=made)
    if shape["private"]:
        nat = ec2.create_nat_gateway(
            AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"],
            SubnetId=subnets["public-a"],
        )["NatGateway"]["NatGatewayId"]
        inside = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=inside, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        for zone in shape["private"]:
            ec2.associate_route_table(RouteTableId=inside, SubnetId=subnets[f"private-{zone}"])
    return vpc, subnets


def _cluster(
    account: Cloud, name: str, vpc: str, subnets: dict[str, str], given: dict[str, Any]
) -> Lacking:
    arn = _role(account, given["role"])
    client_of(account.url, "eks").create_cluster(
        name=name, roleArn=arn, resourcesVpcConfig={"subnetIds": sorted(subnets.values())}
    )
    group = client_of(account.url, "ec2").create_security_group(
        GroupName=f"eks-cluster-sg-{name}-1", Description="EKS created security group", VpcId=vpc
    )["GroupId"]
    lacking = Lacking(addons={name: ["vpc-cni", "coredns", "kube-proxy"]}, entries={name: []})
    lacking.clusters[name] = {
        "name": name,
        "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}",
        "version": "1.35",
        "roleArn": arn,
        "endpoint": "https://example.eks.amazonaws.com",
        "status": "ACTIVE",
        "resourcesVpcConfig": {
            "subnetIds": sorted(subnets.values()),
            "clusterSecurityGroupId": group,
            "vpcId": vpc,
            "endpointPrivateAccess": False,
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": "10.100.0.0/16"},
        "logging": {"clusterLogging": [{"types": ["api"], "enabled": False}]},
        "accessConfig": {"authenticationMode": given["mode"]},
        "tags": given["tags"],
    }
    return lacking


def _role(account: Cloud, name: str) -> str:
    iam = client_of(account.url, "iam")
    known = {role["RoleName"]: role["Arn"] for role in iam.list_roles()["Roles"]}
    if name in known:
        return str(known[name])
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "eks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    return str(
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    )


def _file_system(account: Cloud, token: str, subnets: dict[str, str]) -> str:
    made = str(
        client_of(account.url, "efs").create_file_system(CreationToken=token, Encrypted=True)[
            "FileSystemId"
        ]
    )
    zones: dict[str, str] = {
        name.rpartition("-")[2]: subnet for name, subnet in sorted(subnets.items())
    }
    for subnet in zones.values():
        mounted(account, made, subnet)
    return made


def _point(account: Cloud, file_system: str) -> str:
    return str(
        client_of(account.url, "efs").create_access_point(
            ClientToken="homes",
            FileSystemId=file_system,
            PosixUser={"Uid": 1000, "Gid": 100},
            RootDirectory={"Path": "/home"},
        )["AccessPointId"]
    )


def _tags(kind: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "ResourceType": kind,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
    ]


def merged(*several: Foreign | Lacking) -> Lacking:
    """What moto lacks of several clusters in one account."""
    found = Lacking()
    for item in several:
        lacking = item.lacking if isinstance(item, Foreign) else item
        for name, known in vars(found).items():
            known.update(getattr(lacking, name))
    return found
