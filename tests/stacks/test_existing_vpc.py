"""examples/existing-vpc, recorded: the library in a VPC and a cluster that plain `pulumi_aws`
makes.
"""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from jupyterhub_aws.config.project import Program
from jupyterhub_aws.plan.evaluate import PlannedProgram, Recording, evaluate
from tests.support.stack_files import ROOT
from tests.support.stacks import node_config, quiet_sdks, tags_of, without_gc

FOLDER = ROOT / "examples" / "existing-vpc"
GROUP, TEMPLATE, RELEASE = (
    "aws:autoscaling/group:Group",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "kubernetes:helm.sh/v3:Release",
)
ENDPOINT = "${research.endpoint}"


@cache
def recorded_example() -> Recording:
    where = PlannedProgram(
        project="existing-vpc",
        stack="research",
        folder=FOLDER,
        program=Program(folder=FOLDER, file=FOLDER / "__main__.py"),
    )
    with quiet_sdks(), without_gc():
        return evaluate(
            {"aws:region": "us-east-1"}, secret=("existing-vpc:client-secret",), where=where
        )


def of(kind: str) -> dict[str, dict[str, object]]:
    return {
        item.name: dict(item.inputs) for item in recorded_example().resources if item.type == kind
    }


@pytest.mark.real
def test_the_library_makes_no_network_and_no_cluster():
    ours = [item for item in recorded_example().resources if item.parent is not None]
    assert not {item.type for item in ours} & {
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:eks/cluster:Cluster",
        "eks:index:Cluster",
    }
    assert len(ours) > 40


def test_nodes_are_in_their_subnets_their_group_and_their_cluster():
    groups = {item.name: item for item in recorded_example().resources if item.type == GROUP}
    assert set(groups) == {"pools-memory-spot-group", "pools-memory-on-demand-group"}
    for group in groups.values():
        assert group.inputs["vpcZoneIdentifiers"] == [
            "${private-us-east-1a.id}",
            "${private-us-east-1b.id}",
        ]
        assert tags_of(group)["k8s.io/cluster-autoscaler/research"] == "owned"
    (template,) = [
        item for item in recorded_example().resources if item.name == "pools-memory-spot-template"
    ]
    assert template.inputs["vpcSecurityGroupIds"] == [
        "${research.vpcConfig.clusterSecurityGroupId}"
    ]
    assert node_config(template)["spec"]["cluster"]["apiServerEndpoint"] == ENDPOINT


def test_homes_let_in_their_nodes():
    rule = of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")["homes-from-nodes"]
    assert rule["referencedSecurityGroupId"] == "${research.vpcConfig.clusterSecurityGroupId}"


def test_everything_in_the_cluster_has_its_one_provider():
    recording = recorded_example()
    (provider,) = [
        item for item in recording.resources if item.type == "pulumi:providers:kubernetes"
    ]
    config = json.loads(str(provider.inputs["kubeconfig"]))
    assert config["clusters"][0]["cluster"]["server"] == ENDPOINT
    inside = [item for item in recording.resources if item.type.startswith("kubernetes:")]
    assert inside and {item.provider for item in inside} == {provider.urn}


def test_readme_and_program_name_the_same_addons():
    made = {
        str(inputs["addonName"])
        for name, inputs in of("aws:eks/addon:Addon").items()
        if not name.startswith("pools-")
    }
    assert made == {"vpc-cni", "kube-proxy", "eks-pod-identity-agent"}
    assert made <= set(
        re.findall(r"`([a-z-]+)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    )
