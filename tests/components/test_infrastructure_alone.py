"""Network, cluster, node pools and their agents, each by itself in a program without a stack
file.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jupyterhub_aws
from jupyterhub_aws import (
    AirgapNetwork,
    AirgapNetworkArgs,
    ArgumentError,
    Cluster,
    ClusterArgs,
    ClusterOutputs,
    CoreNodes,
    EfsHomes,
    EfsHomesArgs,
    ExistingNetwork,
    ExistingNetworkArgs,
    ExistingNodes,
    MonitoredHub,
    Monitoring,
    MonitoringArgs,
    Network,
    NetworkArgs,
    NetworkOutputs,
    NodeAgents,
    NodeAgentsArgs,
    NodePools,
    NodePoolsArgs,
    OnDemand,
    Spot,
    SpotFirst,
    existing_node_pools,
)
from jupyterhub_aws.config.egress import NoEgress, Peering, RoutedPeerNetwork
from jupyterhub_aws.config.network import FlowLogs, Subnet
from jupyterhub_aws.config.pools import SpotPool
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack_file import read
from tests.support.programs import cluster_by_hand, problems_of_program, record_program
from tests.support.stack_files import ROOT
from tests.support.stacks import INNER, node_config, record, recorded_once, tags_of

ZONES = ["us-east-1a", "us-east-1b"]
GROUP, TEMPLATE, NODE_GROUP, ADDON = (
    "aws:autoscaling/group:Group",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:eks/addon:Addon",
)
CONTROL_PLANE, SUBNET, PROVIDER = (
    "aws:eks/cluster:Cluster",
    "aws:ec2/subnet:Subnet",
    "pulumi:providers:kubernetes",
)
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def of(recording: Any, component: str) -> Any:
    """The outputs that the only component of a class registered."""
    (found,) = [
        outputs
        for urn, outputs in recording.component_outputs.items()
        if urn.split("::")[2].endswith(f"jupyterhub-aws:index:{component}")
    ]
    return found


# --- network ---


def test_a_network_is_three_lines():
    recording = record_program(lambda: Network("net", NetworkArgs(zones=ZONES)))
    assert {subnet.inputs["cidrBlock"] for subnet in recording.resources.of(SUBNET)} == {
        "10.0.0.0/18",
        "10.0.64.0/18",
        "10.0.192.0/24",
        "10.0.193.0/24",
    }
    assert recording.one("aws:ec2/vpc:Vpc").inputs["tags"] == {"Name": "net"}
    assert len(recording.resources.of("aws:ec2/natGateway:NatGateway")) == 1
    outputs = of(recording, "Network")
    assert outputs["vpc_id"] == "${net-vpc.id}" and outputs["private_subnet_ids"] == [
        "${net-private-a.id}",
        "${net-private-b.id}",
    ]


def test_every_option_of_a_network_arrives():
    args = NetworkArgs(
        zones=("eu-central-1a", "eu-central-1b", "eu-central-1c"),
        cidr="172.20.0.0/20",
        nat="per_zone",
        flow_logs=FlowLogs(retention_days=90),
        physical_name="net-of-mine",
        tags={"owner": "me"},
    )
    found: list[NetworkOutputs] = []
    recording = record_program(lambda: found.append(Network("net", args).outputs))
    assert len(recording.resources.of("aws:ec2/natGateway:NatGateway")) == 3
    assert recording.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 90
    assert recording.one("aws:ec2/vpc:Vpc").inputs["tags"] == {"Name": "net-of-mine", "owner": "me"}
    (outputs,) = found
    assert (
        outputs.region == "eu-central-1"
        and outputs.zones == args.zones
        and list(outputs.cidrs) == ["172.20.0.0/20"]
        and not outputs.closed
    )


def test_without_nat_its_addresses_stay():
    recording = record_program(
        lambda: Network("net", NetworkArgs(zones=ZONES, nat="per_zone", without_nat=True))
    )
    assert (
        not recording.resources.of("aws:ec2/natGateway:NatGateway")
        and len(recording.resources.of("aws:ec2/eip:Eip")) == 2
    )


def test_two_networks_in_one_program_share_nothing():
    def program() -> None:
        Network("one", NetworkArgs(zones=ZONES))
        Network("two", NetworkArgs(zones=["us-west-2a", "us-west-2b"], cidr="10.1.0.0/16"))

    recording = record_program(program)
    for subnet in recording.resources.of(SUBNET):
        own = subnet.name.partition("-")[0]
        assert subnet.inputs["vpcId"] == f"${{{own}-vpc.id}}"
    (endpoints,) = [
        [
            item.inputs["serviceName"]
            for item in recording.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
        ]
    ]
    assert sorted(endpoints) == ["com.amazonaws.us-east-1.s3", "com.amazonaws.us-west-2.s3"]


def test_every_wrong_argument_of_a_network_is_said_at_once():
    args = NetworkArgs(
        zones=["us-east-1a", "us-west-2b", "us-east-1z"],
        cidr="10.0.0.0/8",
        nat="none",  # type: ignore[arg-type]
        flow_logs={"retention_days": 31},  # type: ignore[arg-type]
        tags={"Name": "mine", "owner": 5},  # type: ignore[dict-item]
    )
    said = problems_of_program(lambda: Network("My Net", args))
    assert [line.split(": ")[1] for line in said] == [
        "cidr",
        "flow_logs.retention_days",
        "nat",
        "physical_name",
        "tags.Name",
        "tags.owner",
    ]
    assert all(line.startswith("Network 'My Net': ") for line in said)
    of_zones = problems_of_program(
        lambda: Network("net", NetworkArgs(zones=["us-east-1a", "us-west-2b", "us-east-1z"]))
    )
    assert [line.split(": ")[1] for line in of_zones] == ["zones[1]", "zones[2]"]
    assert "or change zones[0]" in of_zones[0]


@pytest.mark.parametrize(
    "zones",
    ["us-east-1a", 5, None, {"a": "b"}, ["us-east-1a"], [5, 6], ["us-east-9a", "us-east-9b"]],
)
def test_zones_of_the_wrong_kind_are_a_message_and_no_traceback(zones):
    line, *_ = problems_of_program(lambda: Network("net", NetworkArgs(zones=zones)))
    assert line.startswith("Network 'net': zones")


def test_an_output_in_the_place_of_a_value_is_named():
    def program() -> None:
        vpc = aws.ec2.Vpc("mine", cidr_block="10.0.0.0/16")
        Network("net", NetworkArgs(zones=ZONES, cidr=vpc.cidr_block))  # type: ignore[arg-type]

    with pytest.raises(
        ArgumentError,
        match=r"cidr: is an output, .* \[argument.is-output\]$",
    ):
        record_program(program)


# --- isolated and existing networks ---


def test_an_isolated_network_is_three_lines():
    recording = record_program(lambda: AirgapNetwork("net", AirgapNetworkArgs(zones=ZONES)))
    assert not recording.resources.of(
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/eip:Eip",
    )
    services = {
        item.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1.")
        for item in recording.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    assert {
        "s3",
        "ecr.api",
        "ecr.dkr",
        "ec2",
        "eks-auth",
        "autoscaling",
        "elasticfilesystem",
    } <= services
    assert of(recording, "AirgapNetwork")["vpc_id"] == "${net-vpc.id}"


def test_every_option_of_an_isolated_network_arrives():
    peer = RoutedPeerNetwork(
        cidrs=("10.200.0.0/16",),
        ports=(636,),
        via=Peering(kind="peering", vpc_id="vpc-0123456789abcdef0"),
    )
    found: list[NetworkOutputs] = []

    def program() -> None:
        bucket = aws.s3.Bucket("models")
        args = AirgapNetworkArgs(
            zones=ZONES,
            endpoint_zones="one",
            services={"sts": "for a test", "s3": "layers of images"},
            buckets=[bucket.bucket, "plain-bucket"],
            internal_hosts=["*.corp.example"],
            peer_networks={"corporate": peer},
            account="123456789012",
        )
        found.append(AirgapNetwork("net", args).outputs)

    recording = record_program(program)
    sts, s3 = (
        recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"net-endpoints-{name}")
        for name in ("sts", "s3")
    )
    assert (
        sts.inputs["subnetIds"] == ["${net-private-a.id}"]
        and len(recording.resources.of("aws:ec2/vpcEndpoint:VpcEndpoint")) == 2
    )
    assert "plain-bucket" in s3.inputs["policy"] and "${models.bucket}" in s3.inputs["policy"]
    assert (
        "*.corp.example."
        in recording.one(
            "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList", "net-dns-inside"
        ).inputs["domains"]
    )
    assert {
        route.inputs["destinationCidrBlock"]
        for route in recording.resources.of("aws:ec2/route:Route")
    } == {"10.200.0.0/16"}
    (outputs,) = found
    assert (
        outputs.closed
        and outputs.peer_networks == {"corporate": peer}
        and outputs.endpoints_security_group_id is not None
    )


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"services": {"sts": "why"}}, "services"),
        ({"services": {"s3": "why", "no-service": "why"}}, "services.no-service"),
        ({"services": ["s3"]}, "services"),
        ({"additional_endpoints": ["com.amazonaws.us-east-1.athena"]}, "additional_endpoints[0]"),
        ({"buckets": ["s3://bucket"]}, "buckets[0]"),
        ({"buckets": "bucket"}, "buckets"),
        ({"internal_hosts": ["https://x.example"]}, "internal_hosts[0]"),
        (
            {"peer_networks": {"corporate": {"cidrs": ["10.200.0.0/16"]}}},
            "peer_networks.corporate.via",
        ),
        ({"egress": "http://proxy:1"}, "egress"),
        ({"endpoint_zones": "two"}, "endpoint_zones"),
    ],
)
def test_a_wrong_argument_of_an_isolated_network_has_its_path(wrong, path):
    (line,) = problems_of_program(
        lambda: AirgapNetwork("net", AirgapNetworkArgs(zones=ZONES, **wrong))
    )
    assert line.startswith(f"AirgapNetwork 'net': {path}: ")


SUBNETS = {
    "us-east-1a": Subnet(id="subnet-0123456789abcdef0", cidr="10.64.0.0/18"),
    "us-east-1b": Subnet(id="subnet-0123456789abcdef1", cidr="10.64.64.0/18"),
}


def test_an_existing_network_is_its_ids():
    found: list[NetworkOutputs] = []
    args = ExistingNetworkArgs(
        vpc_id="vpc-0123456789abcdef0", cidr="10.64.0.0/16", private_subnets=SUBNETS
    )
    recording = record_program(lambda: found.append(ExistingNetwork("net", args).outputs))
    assert not [item for item in recording.resources if item.type.startswith("aws:")]
    assert found[0].zones == ("us-east-1a", "us-east-1b") and not found[0].closed


def test_an_existing_network_without_egress_gets_endpoints():
    args = ExistingNetworkArgs(
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.64.0.0/16",
        private_subnets=SUBNETS,
        egress=NoEgress(kind="none"),
        route_tables=["rtb-0123456789abcdef0"],
    )
    recording = record_program(lambda: ExistingNetwork("net", args))
    s3 = recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", "net-endpoints-s3")
    assert s3.inputs["routeTableIds"] == ["rtb-0123456789abcdef0"]


def test_every_wrong_argument_of_an_existing_network_is_said_at_once():
    subnets = {
        "us-east-1a": {"id": "subnet-1", "cidr": "10.64.0.0/18"},
        "us-east-1": {"id": "subnet-0123456789abcdef0", "cidr": "10.64.0.1"},
    }
    args = ExistingNetworkArgs(
        vpc_id="vpc-xyz", cidr="10.64.0.0/16", private_subnets=subnets, route_tables="rtb-1"
    )  # type: ignore[arg-type]
    said = problems_of_program(lambda: ExistingNetwork("net", args))
    assert [line.split(": ")[1] for line in said] == [
        "private_subnets.us-east-1",
        "private_subnets.us-east-1.cidr",
        "private_subnets.us-east-1a.id",
        "route_tables",
        "vpc_id",
    ]


# --- cluster ---


def network_by_hand(**more: Any) -> NetworkOutputs:
    given: dict[str, Any] = {
        "vpc_id": "vpc-0123456789abcdef0",
        "cidrs": ["10.0.0.0/16"],
        "private_subnets": {
            "us-east-1a": "subnet-0aaaaaaaaaaaaaaaa",
            "us-east-1b": "subnet-0bbbbbbbbbbbbbbbb",
        },
    }
    return NetworkOutputs(**{**given, **more})


def test_a_cluster_is_three_lines_and_brings_what_nodes_need():
    recording = record_program(
        lambda: Cluster("eks", ClusterArgs(network=network_by_hand(), version="1.35"))
    )
    control_plane = recording.one(CONTROL_PLANE)
    assert (
        control_plane.inputs["name"] == "eks"
        and control_plane.protect
        and control_plane.retain_on_delete
    )
    assert control_plane.inputs["vpcConfig"]["subnetIds"] == [
        "subnet-0aaaaaaaaaaaaaaaa",
        "subnet-0bbbbbbbbbbbbbbbb",
    ]
    assert (
        "endpointPublicAccess" not in control_plane.inputs["vpcConfig"]
        or control_plane.inputs["vpcConfig"]["endpointPublicAccess"] is False
    )
    assert {addon.inputs["addonName"] for addon in recording.resources.of(ADDON)} == {
        "vpc-cni",
        "kube-proxy",
        "eks-pod-identity-agent",
    }
    assert not [
        item
        for item in recording.resources.of(PROVIDER)
        if item.name != "eks-control-plane-eks-k8s"
    ], "no provider that nobody asked for"
    outputs = of(recording, "Cluster")
    assert (
        outputs["name"] == "eks"
        and outputs["node_security_group_id"] == outputs["security_group_id"]
    )
    assert not recording.resources.of("aws:ec2/securityGroup:SecurityGroup")


def test_every_option_of_a_cluster_arrives():
    admin = "arn:aws:iam::123456789012:role/platform-admin"
    args = ClusterArgs(
        network=network_by_hand(),
        version="1.36",
        administrators=[admin],
        public_access_cidrs=["198.51.100.0/24"],
        service_cidr="10.100.0.0/16",
        logs=["audit"],
        log_retention_days=7,
        protected=False,
        addons=False,
        physical_name="main",
        tags={"owner": "me"},
        account="123456789012",
    )
    recording = record_program(lambda: Cluster("eks", args))
    control_plane = recording.one(CONTROL_PLANE)
    assert (
        control_plane.inputs["version"] == "1.36"
        and control_plane.inputs["enabledClusterLogTypes"] == ["audit"]
        and not control_plane.protect
    )
    assert control_plane.inputs["vpcConfig"]["publicAccessCidrs"] == ["198.51.100.0/24"]
    assert control_plane.inputs["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "10.100.0.0/16"
    assert recording.one("aws:eks/accessEntry:AccessEntry").inputs["principalArn"] == admin
    assert recording.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 7
    assert not recording.resources.of(ADDON)
    assert "arn:aws:iam::123456789012:root" in recording.one("aws:kms/key:Key").inputs["policy"]
    assert control_plane.inputs["tags"] == {"Name": "main", "owner": "me"}


def test_nodes_of_an_isolated_network_get_a_group_that_lists_whom_they_talk_to():
    found: list[ClusterOutputs] = []

    def program() -> None:
        network = AirgapNetwork("net", AirgapNetworkArgs(zones=ZONES))
        found.append(Cluster("eks", ClusterArgs(network=network.outputs, version="1.35")).outputs)

    recording = record_program(program)
    group = recording.one("aws:ec2/securityGroup:SecurityGroup", "eks-nodes-group")
    assert group.inputs["name"] == "eks-nodes" and group.inputs["vpcId"] == "${net-vpc.id}"
    out = {
        rule.name
        for rule in recording.resources.of(
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
        )
    }
    assert out == {
        "eks-nodes-to-nodes",
        "eks-nodes-to-control-plane",
        "eks-nodes-to-endpoints",
        "eks-nodes-to-s3",
    }
    assert found[0].node_security_group_id is not None and len(found[0].ready) > 3


def test_two_clusters_in_one_program_keep_apart():
    """Each has what was said to its own control plane, which a transform of the whole program
    says.
    """

    def program() -> None:
        one = Cluster(
            "one",
            ClusterArgs(
                network=network_by_hand(),
                version="1.35",
                public_access_cidrs=["198.51.100.0/24"],
                protected=False,
            ),
        )
        two = Cluster(
            "two",
            ClusterArgs(
                network=network_by_hand(), version="1.36", public_access_cidrs=["203.0.113.0/24"]
            ),
        )
        three = Cluster(
            "three", ClusterArgs(network=network_by_hand(), version="1.36", protected=False)
        )
        aws.eks.Cluster(
            "by-hand",
            role_arn="arn:aws:iam::123456789012:role/eks",
            vpc_config={"subnet_ids": ["subnet-0aaaaaaaaaaaaaaaa"]},
        )
        pulumi.export("same", one.kubernetes_provider is one.outputs.kubernetes_provider)
        pulumi.export("other", one.kubernetes_provider is two.kubernetes_provider)
        pulumi.export("three", three.outputs.name)

    recording = record_program(program)
    one, two, three = (
        recording.one(CONTROL_PLANE, f"{name}-control-plane-eksCluster")
        for name in ("one", "two", "three")
    )
    assert one.inputs["vpcConfig"]["publicAccessCidrs"] == ["198.51.100.0/24"] and not one.protect
    assert two.inputs["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"] and two.protect
    assert "publicAccessCidrs" not in three.inputs["vpcConfig"] and not three.protect
    assert not recording.one(CONTROL_PLANE, "by-hand").protect
    assert recording.outputs["same"] is True and recording.outputs["other"] is False
    made = {
        item.name: item.parent
        for item in recording.resources.of(PROVIDER)
        if item.name.endswith("-kubernetes")
    }
    assert {name: parent.rpartition("::")[2] for name, parent in made.items()} == {
        "one-kubernetes": "one",
        "two-kubernetes": "two",
    }


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"version": "1.3"}, ["version"]),
        ({"version": "1.20"}, ["version"]),
        ({"version": 1.35}, ["version"]),
        ({"public_access_cidrs": ["0.0.0.0/0"]}, ["public_access_cidrs"]),
        ({"public_access_cidrs": "198.51.100.0/24"}, ["public_access_cidrs"]),
        ({"public_access_cidrs": ["198.51.100.7/24"]}, ["public_access_cidrs[0]"]),
        ({"administrators": ["admin"]}, ["administrators[0]"]),
        ({"administrators": ["arn:aws-cn:iam::123456789012:role/x"]}, ["administrators[0]"]),
        ({"service_cidr": "10.0.0.0/16"}, ["service_cidr"]),
        ({"logs": ["everything"]}, ["logs[0]"]),
        ({"physical_name": "a" * 30}, ["physical_name"]),
        ({"network": "vpc-1"}, ["network"]),
        (
            {
                "network": network_by_hand(
                    private_subnets={"us-east-1a": "subnet-0aaaaaaaaaaaaaaaa"}
                )
            },
            ["network.private_subnets"],
        ),
        (
            {"network": network_by_hand(private_subnets=["subnet-0aaaaaaaaaaaaaaaa"])},
            ["network.private_subnets"],
        ),
        ({"network": network_by_hand(cidrs=["10.0.0.0/16", "all"])}, ["network.cidrs[1]"]),
        (
            {"network": network_by_hand(cidrs="10.0.0.0/16", vpc_id=None)},
            ["network.cidrs", "network.vpc_id"],
        ),
        (
            {
                "network": network_by_hand(egress=NoEgress(kind="none")),
                "public_access_cidrs": ["198.51.100.0/24"],
            },
            ["public_access_cidrs"],
        ),
        ({"version": "nine", "tags": 5, "protected": "yes"}, ["protected", "tags", "version"]),
    ],
)
def test_wrong_arguments_of_a_cluster_have_their_paths(wrong, paths):
    args = ClusterArgs(**{"network": network_by_hand(), "version": "1.35", **wrong})
    said = problems_of_program(lambda: Cluster("eks", args))
    assert [line.split(": ")[1] for line in said] == paths


def test_a_component_in_the_place_of_its_outputs_is_told_so():
    def program() -> None:
        Cluster(
            "eks", ClusterArgs(network=Network("net", NetworkArgs(zones=ZONES)), version="1.35")
        )  # type: ignore[arg-type]

    with pytest.raises(
        ArgumentError,
        match=(
            r"Cluster 'eks': network: must be NetworkOutputs \(got Network\); write .outputs"
            r" behind it \[argument.kind\]"
        ),
    ):
        record_program(program)


# --- handles that were filled in by hand ---


def test_a_cluster_by_hand_has_a_kubeconfig_and_one_provider():
    def program() -> None:
        cluster = cluster_by_hand("theirs")
        kubernetes.core.v1.Namespace(
            "mine", opts=pulumi.ResourceOptions(provider=cluster.kubernetes_provider)
        )
        kubernetes.core.v1.Namespace(
            "ours", opts=pulumi.ResourceOptions(provider=cluster.kubernetes_provider)
        )

    recording = record_program(program)
    provider = recording.one(PROVIDER)
    assert (
        provider.name == "theirs-kubernetes"
        and provider.inputs["clusterIdentifier"] == "theirs"
        and provider.parent is None
    )
    config = json.loads(provider.inputs["kubeconfig"])
    assert config["clusters"][0]["cluster"] == {
        "server": "https://theirs.example.org",
        "certificate-authority-data": "Y2E=",
    }
    assert config["users"][0]["user"]["exec"]["args"] == [
        "eks",
        "get-token",
        "--cluster-name",
        "theirs",
    ]


@pytest.mark.real
def test_a_cluster_outside_of_aws_uses_the_callers_kubeconfig():
    cluster = ClusterOutputs(
        name="kubeadm",
        version="1.35",
        network=resolve(recorded_once(read(ROOT / "Pulumi.dev.yaml"))[0]).network,
    )
    assert cluster.kubeconfig_json is None
    with pytest.raises(
        ArgumentError,
        match=r"ClusterOutputs 'kubeadm': security_group_id: .* \[cluster.output-missing\]",
    ):
        _ = cluster.node_group_id
    with pytest.raises(
        ArgumentError, match=r"ClusterOutputs 'kubeadm': network: .* \[argument.kind\]"
    ):
        _ = cluster.vpc


# --- node pools ---

MEMORY = SpotFirst(instance_types=["r5n.2xlarge"], max_size=10)


def test_node_pools_are_three_lines_and_bring_what_pods_need():
    found: list[Any] = []
    args = NodePoolsArgs(cluster=cluster_by_hand("theirs"), pools={"memory": MEMORY})
    recording = record_program(lambda: found.append(NodePools("pools", args).outputs))
    groups = {
        group.inputs["name"].rpartition("-")[0]: group for group in recording.resources.of(GROUP)
    }
    assert set(groups) == {"theirs-memory-spot", "theirs-memory-on-demand"}
    assert {group.inputs["maxSize"] for group in groups.values()} == {10} and {
        group.inputs["minSize"] for group in groups.values()
    } == {0}
    tags = tags_of(groups["theirs-memory-spot"])
    assert (
        tags["k8s.io/cluster-autoscaler/theirs"] == "owned"
        and tags["kubernetes.io/cluster/theirs"] == "owned"
    )
    (core,) = recording.resources.of(NODE_GROUP)
    assert core.inputs["scalingConfig"]["desiredSize"] == 2 and core.inputs["subnetIds"] == [
        "subnet-0aaaaaaaaaaaaaaaa"
    ]
    assert core.inputs["clusterName"] == "theirs" and core.inputs["instanceTypes"] == [
        "m7i.large",
        "m6i.large",
    ]
    config = node_config(recording.one(TEMPLATE, "pools-memory-spot-template"))
    assert config["spec"]["cluster"] == {
        "name": "theirs",
        "apiServerEndpoint": "https://theirs.example.org",
        "certificateAuthority": "Y2E=",
        "cidr": "172.20.0.0/16",
    }
    assert recording.one(TEMPLATE, "pools-memory-spot-template").inputs["vpcSecurityGroupIds"] == [
        "sg-of-theirs"
    ]
    assert {addon.inputs["addonName"] for addon in recording.resources.of(ADDON)} == {
        "coredns",
        "eks-node-monitoring-agent",
        "aws-ebs-csi-driver",
        "aws-efs-csi-driver",
    }
    (outputs,) = found
    assert (
        set(outputs.group_names) == {"memory-spot", "memory-on-demand"}
        and outputs.spec.scheduling["memory"]["gpus"] == 0
    )
    assert set(of(recording, "NodePools")["groups"]) == {"memory-spot", "memory-on-demand"}
    assert (NODE_GROUP, "pools-core-group") in recording.needs(
        recording.one(ADDON, "pools-addons-coredns")
    ), "its pods need a node"
    assert {resource._name for resource in outputs.ready} == {
        f"pools-addons-{addon.inputs['addonName']}" for addon in recording.resources.of(ADDON)
    }


def test_pools_may_be_classes_sections_and_maps():
    pools = {
        "spot": Spot(
            instance_types=("m6i.xlarge",),
            max_size=3,
            min_size=1,
            labels={"example.org/team": "a"},
            max_price="0.10",
        ),
        "paid": OnDemand(instance_types=["m6i.xlarge"], max_size=1, max_pods=20),
        "section": SpotPool.model_validate_json(
            '{"capacity": "spot", "instance_types": ["r6i.2xlarge"], "size": {"max": 2}}'
        ),
        "map": {
            "capacity": "on_demand",
            "instance_types": ["m6i.xlarge"],
            "size": {"max": 2},
            "disk": {"size_gib": 50},
        },
    }
    recording = record_program(
        lambda: NodePools(
            "pools", NodePoolsArgs(cluster=cluster_by_hand(), pools=pools, core=CoreNodes(size=3))
        )
    )
    sizes = {
        group.name: (group.inputs["minSize"], group.inputs["maxSize"])
        for group in recording.resources.of(GROUP)
    }
    assert sizes == {
        "pools-spot-spot-group": (1, 3),
        "pools-paid-on-demand-group": (0, 1),
        "pools-section-spot-group": (0, 2),
        "pools-map-on-demand-group": (0, 2),
    }
    assert node_config(recording.one(TEMPLATE, "pools-paid-on-demand-template"))["spec"]["kubelet"][
        "config"
    ] == {"maxPods": 20}
    assert (
        recording.one(TEMPLATE, "pools-map-on-demand-template").inputs["blockDeviceMappings"][0][
            "ebs"
        ]["volumeSize"]
        == 50
    )
    assert recording.one(NODE_GROUP).inputs["scalingConfig"]["desiredSize"] == 3
    policy = recording.one(GROUP, "pools-spot-spot-group").inputs["mixedInstancesPolicy"][
        "instancesDistribution"
    ]
    assert policy["spotMaxPrice"] == "0.10"


def test_every_option_of_node_pools_arrives():
    args = NodePoolsArgs(
        cluster=cluster_by_hand(),
        pools={"memory": MEMORY},
        per_zone=True,
        efs_driver=False,
        volume_key=KEY,
        physical_name="other",
        tags={"owner": "me"},
        account="123456789012",
    )
    recording = record_program(lambda: NodePools("pools", args))
    assert {group.name for group in recording.resources.of(GROUP)} == {
        f"pools-memory-{market}-{zone}-group" for market in ("spot", "on-demand") for zone in "ab"
    }
    assert recording.one(GROUP, "pools-memory-spot-b-group").inputs["vpcZoneIdentifiers"] == [
        "subnet-0bbbbbbbbbbbbbbbb"
    ]
    assert "aws-efs-csi-driver" not in {
        addon.inputs["addonName"] for addon in recording.resources.of(ADDON)
    }
    assert recording.one("aws:kms/grant:Grant").inputs["keyId"] == KEY
    assert (
        recording.one("aws:iam/instanceProfile:InstanceProfile").inputs["name"] == "other-user-node"
    )
    assert all(
        tags_of(group)["owner"] == "me"
        and tags_of(group)["k8s.io/cluster-autoscaler/theirs"] == "owned"
        for group in recording.resources.of(GROUP)
    )


def test_nodes_have_the_group_that_a_cluster_names_for_them():
    cluster = cluster_by_hand(node_security_group_id="sg-of-nodes")
    recording = record_program(
        lambda: NodePools("pools", NodePoolsArgs(cluster=cluster, pools={"memory": MEMORY}))
    )
    assert {
        str(template.inputs["vpcSecurityGroupIds"]) for template in recording.resources.of(TEMPLATE)
    } == {"['sg-of-nodes']"}


def test_paused_there_is_no_node():
    recording = record_program(
        lambda: NodePools(
            "pools", NodePoolsArgs(cluster=cluster_by_hand(), pools={"memory": MEMORY}, paused=True)
        )
    )
    assert {group.inputs["maxSize"] for group in recording.resources.of(GROUP)} == {0}
    assert recording.one(NODE_GROUP).inputs["scalingConfig"] == {
        "minSize": 0,
        "maxSize": 1,
        "desiredSize": 0,
    }


def test_a_second_set_of_pools_in_the_same_cluster_brings_neither_core_nodes_nor_addons():
    def program() -> None:
        cluster = cluster_by_hand()
        NodePools("pools", NodePoolsArgs(cluster=cluster, pools={"memory": MEMORY}))
        more = NodePoolsArgs(
            cluster=cluster, pools={"other": MEMORY}, core=None, addons=False, physical_name="more"
        )
        assert NodePools("more", more).outputs.core_group_name is None

    recording = record_program(program)
    assert len(recording.resources.of(NODE_GROUP)) == 1 and len(recording.resources.of(ADDON)) == 4
    names = [role.inputs["name"] for role in recording.resources.of("aws:iam/role:Role")]
    assert len(names) == len(set(names)) and {
        "theirs-user-node",
        "more-user-node",
        "theirs-core-node",
    } <= set(names)


def test_pools_of_two_clusters_keep_apart():
    def program() -> None:
        for name in ("one", "two"):
            NodePools(
                f"{name}-pools",
                NodePoolsArgs(cluster=cluster_by_hand(name), pools={"memory": MEMORY}),
            )

    recording = record_program(program)
    for group in recording.resources.of(GROUP):
        own = group.name.partition("-")[0]
        assert group.inputs["name"].startswith(f"{own}-memory-")
        found = {
            key
            for key in tags_of(group)
            if key.startswith("k8s.io/cluster-autoscaler/") and key.count("/") == 2
        }
        assert found == {"k8s.io/cluster-autoscaler/enabled", f"k8s.io/cluster-autoscaler/{own}"}


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        (
            {"pools": {"memory": SpotFirst(instance_types=["r5n.2xlargee"], max_size=10)}},
            ["pools.memory.instance_types[0]"],
        ),
        (
            {"pools": {"memory": SpotFirst(instance_types="r5n.2xlarge", max_size=10)}},
            ["pools.memory.instance_types"],
        ),
        (
            {"pools": {"memory": SpotFirst(instance_types=["r5n.2xlarge"], max_size=0)}},
            ["pools.memory.max_size"],
        ),
        (
            {"pools": {"memory": SpotFirst(instance_types=["r5n.2xlarge"], max_size="10")}},
            ["pools.memory.max_size"],
        ),
        (
            {
                "pools": {
                    "memory": SpotFirst(instance_types=["r5n.2xlarge"], max_size=1, min_size=2)
                }
            },
            ["pools.memory.max_size"],
        ),
        (
            {
                "pools": {
                    "memory": Spot(instance_types=["r5n.2xlarge"], max_size=1, max_price="0.001")
                }
            },
            ["pools.memory.max_price"],
        ),
        (
            {"pools": {"memory": Spot(instance_types=["r5n.2xlarge"], max_size=1, max_price=0.4)}},
            ["pools.memory.max_price"],
        ),
        ({"pools": {"Big": MEMORY}}, ["pools.Big"]),
        ({"pools": {"core": MEMORY}}, ["pools"]),
        ({"pools": {"memory": ExistingNodes(cores=4, memory_gib=16)}}, ["pools.memory.capacity"]),
        (
            {
                "pools": {
                    "memory": {
                        "capacity": "spot",
                        "instance_types": ["r5n.2xlarge"],
                        "size": {"max": 0},
                    }
                }
            },
            ["pools.memory.size.max"],
        ),
        ({"pools": {"memory": {"instance_types": ["r5n.2xlarge"]}}}, ["pools.memory.capacity"]),
        ({"pools": {"memory": 5}}, ["pools.memory"]),
        ({"pools": [MEMORY]}, ["pools"]),
        ({"pools": {5: MEMORY}}, ["pools.5"]),
        ({"core": CoreNodes(instance_types=["g4dn.xlarge"])}, ["core.instance_types[0]"]),
        ({"core": CoreNodes(zones=["us-east-1c"])}, ["core.zones[0]"]),
        ({"core": CoreNodes(size=0)}, ["core.size"]),
        ({"core": 5}, ["core"]),
        ({"cluster": cluster_by_hand("Theirs")}, ["physical_name"]),
        ({"cluster": "theirs"}, ["cluster"]),
        (
            {"cluster": cluster_by_hand(endpoint=None, version="1.20")},
            ["cluster.endpoint", "cluster.version"],
        ),
        ({"volume_key": "alias/mine"}, ["volume_key"]),
        ({"volume_key": KEY.replace("us-east-1", "us-west-2")}, ["volume_key"]),
        (
            {"per_zone": "yes", "paused": 1, "addons": None, "efs_driver": "no"},
            ["addons", "efs_driver", "paused", "per_zone"],
        ),
        (
            {"tags": {"owner": ""}, "pools": {"memory": SpotFirst(instance_types=[], max_size=1)}},
            ["pools.memory.instance_types", "tags.owner"],
        ),
    ],
)
def test_wrong_arguments_of_node_pools_have_their_paths(wrong, paths):
    args = NodePoolsArgs(**{"cluster": cluster_by_hand(), "pools": {"memory": MEMORY}, **wrong})
    said = problems_of_program(lambda: NodePools("pools", args))
    assert [line.split(": ")[1] for line in said] == paths
    assert all(line.startswith("NodePools 'pools': ") for line in said)


def test_pools_of_nodes_that_exist_are_known_and_checked():
    outputs = existing_node_pools(
        {
            "gpu": ExistingNodes(
                cores=8, memory_gib=64, gpus=1, node_selector={"example.org/gpu": "yes"}
            )
        },
        cluster="theirs",
        version="1.35",
    )
    assert outputs.spec.groups == () and outputs.spec.scheduling["gpu"]["node_selector"] == {
        "example.org/gpu": "yes"
    }
    with pytest.raises(ArgumentError) as caught:
        existing_node_pools(
            {"gpu": ExistingNodes(cores=0, memory_gib=64), "memory": MEMORY},
            cluster="theirs",
            version="1.35",
        )
    assert "pools.gpu.cores: must be at least 1" in str(caught.value)
    with pytest.raises(ArgumentError, match=r"pools\.memory: would be made"):
        existing_node_pools({"memory": MEMORY}, cluster="theirs", version="1.35")


def test_the_pools_of_a_stack_are_what_its_spec_says():
    """The platform hands sections to the component; both decide by one function."""
    stack = recorded_once(read(ROOT / "Pulumi.dev.yaml"))[0]
    sections = NodePoolsArgs(
        cluster=cluster_by_hand(
            stack.name,
            network=network_by_hand(
                private_subnets=dict.fromkeys(stack.network.zones, "subnet-0aaaaaaaaaaaaaaaa")
            ),
        ),
        pools=stack.pools.user,
        core=stack.pools.core,
    )
    assert sections.resolved("pools") == resolve(stack).node_pools


# --- agents ---


def test_agents_come_where_their_nodes_are():
    def program() -> None:
        cluster = cluster_by_hand()
        gpu = SpotFirst(instance_types=["g4dn.xlarge"], max_size=1)
        pools = NodePools(
            "pools", NodePoolsArgs(cluster=cluster, pools={"memory": MEMORY, "gpu": gpu})
        )
        NodeAgents("agents", NodeAgentsArgs(cluster=cluster, pools=pools.outputs))
        plain = existing_node_pools(
            {"memory": ExistingNodes(cores=4, memory_gib=16)}, cluster="plain", version="1.35"
        )
        NodeAgents("plain-agents", NodeAgentsArgs(cluster=cluster_by_hand("plain"), pools=plain))
        none = existing_node_pools({}, cluster="none", version="1.35")
        pulumi.export(
            "none",
            list(
                NodeAgents(
                    "none-agents", NodeAgentsArgs(cluster=cluster_by_hand("none"), pools=none)
                ).releases
            ),
        )

    recording = record_program(program)
    releases = {
        item.name: item.provider.rpartition("::")[2]
        for item in recording.resources.of("kubernetes:helm.sh/v3:Release")
    }
    assert releases == {
        "agents-aws-node-termination-handler": "theirs-kubernetes",
        "agents-nvidia-device-plugin": "theirs-kubernetes",
        "plain-agents-aws-node-termination-handler": "plain-kubernetes",
    }
    assert recording.outputs["none"] == []


def test_agents_use_the_provider_that_they_are_given():
    def program() -> None:
        mine = kubernetes.Provider("mine", context="there")
        pools = existing_node_pools(
            {"memory": ExistingNodes(cores=4, memory_gib=16)}, cluster="theirs", version="1.35"
        )
        NodeAgents(
            "agents",
            NodeAgentsArgs(cluster=cluster_by_hand(), pools=pools),
            pulumi.ResourceOptions(providers=[mine]),
        )

    recording = record_program(program)
    assert [item.name for item in recording.resources.of(PROVIDER)] == ["mine"]
    assert recording.one("kubernetes:helm.sh/v3:Release").provider.endswith("::mine")


def test_wrong_arguments_of_agents_are_said_at_once():
    said = problems_of_program(
        lambda: NodeAgents(
            "agents", NodeAgentsArgs(cluster="x", pools=5, images="mine", depends_on=[5])
        )
    )  # type: ignore[arg-type,list-item]
    assert [line.split(": ")[1] for line in said] == ["cluster", "depends_on[0]", "images", "pools"]


# --- all of them ---


def test_the_example_lines_of_the_design_work():
    def program() -> None:
        network = Network(
            "net", NetworkArgs(cidr="10.0.0.0/16", zones=["us-east-1a", "us-east-1b"], nat="single")
        )
        cluster = Cluster("eks", ClusterArgs(network=network.outputs, version="1.35"))
        pools = NodePools(
            "pools",
            NodePoolsArgs(
                cluster=cluster.outputs,
                pools={"memory": SpotFirst(instance_types=["r5n.2xlarge"], max_size=10)},
            ),
        )
        NodeAgents("agents", NodeAgentsArgs(cluster=cluster.outputs, pools=pools.outputs))

    recording = record_program(program)
    (core,) = recording.resources.of(NODE_GROUP)
    needed = recording.needs(core)
    assert {
        ("aws:ec2/route:Route", "net-private-a-nat"),
        (ADDON, "eks-addons-vpc-cni"),
        (CONTROL_PLANE, "eks-control-plane-eksCluster"),
    } <= needed
    release = recording.one("kubernetes:helm.sh/v3:Release")
    assert release.provider.endswith("::eks-kubernetes")
    assert len(recording.resources) > 60


@pytest.mark.parametrize(
    "component",
    ["Network", "AirgapNetwork", "ExistingNetwork", "Cluster", "NodePools", "NodeAgents"],
)
@pytest.mark.parametrize("args", [{}, None, "zones"])
def test_arguments_that_are_none_of_the_components_are_said(component, args):
    (line,) = problems_of_program(lambda: getattr(jupyterhub_aws, component)("x", args))
    assert line.startswith(
        f"{component} 'x': args: must be {component}Args (got {type(args).__name__})"
    )


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just(object())
    | st.just(MEMORY)
    | st.just(cluster_by_hand()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
_GOOD: dict[str, Any] = {
    "NetworkArgs": {"zones": ZONES},
    "AirgapNetworkArgs": {"zones": ZONES},
    "ExistingNetworkArgs": {
        "vpc_id": "vpc-0123456789abcdef0",
        "cidr": "10.64.0.0/16",
        "private_subnets": SUBNETS,
    },
    "ClusterArgs": {"network": network_by_hand(), "version": "1.35"},
    "NodePoolsArgs": {"cluster": cluster_by_hand(), "pools": {"memory": MEMORY}},
    "NodeAgentsArgs": {
        "cluster": cluster_by_hand(),
        "pools": existing_node_pools({}, cluster="theirs", version="1.35"),
    },
}


@pytest.mark.parametrize("name", _GOOD)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_whatever_an_argument_is_nothing_but_its_problems_is_raised(name, data):
    kind = getattr(jupyterhub_aws, name)
    field = data.draw(st.sampled_from([item.name for item in dataclasses.fields(kind)]))
    args = kind(**{**_GOOD[name], field: data.draw(_JUNK)})
    try:
        args.resolved("x")
    except ArgumentError as error:
        assert error.problems and all(
            problem.path.startswith((field, "physical_name")) for problem in error.problems
        ), error


@settings(deadline=None, max_examples=40)
@given(
    field=st.sampled_from(
        [item.name for item in dataclasses.fields(NetworkOutputs) if item.name not in ("ready",)]
    ),
    junk=_JUNK,
)
def test_whatever_was_filled_in_by_hand_nothing_but_its_problems_is_raised(field, junk):
    args = ClusterArgs(network=network_by_hand(**{field: junk}), version="1.35")
    try:
        args.resolved("x")
    except ArgumentError as error:
        assert error.problems


def test_the_inner_half_names_agents_of_the_outer_halfs_pools():
    releases = {
        item.inputs["name"] for item in record(*INNER).resources.of("kubernetes:helm.sh/v3:Release")
    }
    assert {"aws-node-termination-handler", "nvidia-device-plugin"} <= releases


def test_user_data_of_managed_nodes_tells_of_the_proxy_alone():
    text = base64.b64decode(
        record(
            "stack=airgap", "network.egress={kind: proxy, url: 'http://proxy.corp.example:3128'}"
        )
        .one(TEMPLATE, "pools-core-template")
        .inputs["userData"]
    ).decode()
    assert "proxy.corp.example:3128" in text and "apiServerEndpoint" not in text


# --- what is wrong with arguments that no stack file has ---


def _cluster(**network: Any) -> Any:
    return Cluster("c", ClusterArgs(network=network_by_hand(**network), version="1.35"))


def _pools(pools: Any) -> Any:
    return NodePools("pools", NodePoolsArgs(cluster=cluster_by_hand(), pools=pools))


def _monitoring(hubs: Any, **more: Any) -> Any:
    return Monitoring("m", MonitoringArgs(cluster=cluster_by_hand(), hubs=hubs, **more))


ARGUMENTS: list[tuple[Any, str, str]] = [
    (lambda: Network("", NetworkArgs(zones=ZONES)), "name", "name.not-text"),
    (lambda: Network("n", {"zones": ZONES}), "args", "argument.kind"),  # type: ignore[arg-type]
    (lambda: Network("n", NetworkArgs(zones=ZONES, tags=["a"])), "tags", "argument.not-a-map"),
    (
        lambda: Network("n", NetworkArgs(zones=ZONES, tags={f"k{i}": "x" for i in range(41)})),
        "tags",
        "tags.too-many",
    ),
    (
        lambda: Network("n", NetworkArgs(zones=ZONES, physical_name=5)),
        "physical_name",
        "argument.not-text",
    ),
    (
        lambda: AirgapNetwork("n", AirgapNetworkArgs(zones=ZONES, services={"sts": "why"})),
        "services",
        "endpoints.no-s3",
    ),
    (lambda: _cluster(peer_networks={"a": 1}), "network.peer_networks", "network.peer-networks"),
    (lambda: _cluster(egress="none"), "network.egress", "egress.kind"),
    (lambda: _cluster(cidrs=[]), "network.cidrs", "argument.empty"),
    (lambda: Network("n", NetworkArgs(zones=ZONES, tags={"Name": "x"})), "tags.Name", "tags.key"),
    (lambda: _cluster(vpc_id=None), "network.vpc_id", "argument.missing"),
    (lambda: _cluster(vpc_id=5), "network.vpc_id", "argument.not-text"),
    (lambda: _cluster(private_subnets=["a"]), "network.private_subnets", "argument.not-a-map"),
    (
        lambda: _cluster(private_subnets={"us-east-1a": "subnet-a"}),
        "network.private_subnets",
        "argument.too-few",
    ),
    (lambda: _pools([MEMORY]), "pools", "argument.not-a-map"),
    (lambda: _pools({"core": MEMORY}), "pools", "pools.named-core"),
    (lambda: _monitoring([], depends_on="a"), "depends_on", "argument.not-a-list"),
    (
        lambda: EfsHomes("homes", EfsHomesArgs(cluster=cluster_by_hand(), hubs=["a", "a"])),
        "hubs",
        "homes.hub-twice",
    ),
    (lambda: _monitoring("main"), "hubs", "argument.not-a-list"),
    (
        lambda: _monitoring([MonitoredHub(name="main"), MonitoredHub(name="main")]),
        "hubs[1].name",
        "monitoring.hub-twice",
    ),
]


@pytest.mark.parametrize(
    ("program", "path", "which"), ARGUMENTS, ids=[f"{path}-{which}" for _, path, which in ARGUMENTS]
)
def test_a_wrong_argument_has_its_path_and_id(program, path, which):
    said = problems_of_program(program)
    assert [line for line in said if f": {path}: " in line and line.endswith(f"[{which}]")], said
