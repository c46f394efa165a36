"""The cluster autoscaler: the pinned release, its identity before its pod, and settings that fit
how people work.
"""

from __future__ import annotations

import json

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from jupyterhub_aws.components.autoscaler import (
    AutoscalerPolicy,
    AutoscalerPolicyArgs,
    ClusterAutoscaler,
    ClusterAutoscalerArgs,
)
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.config.versions import pin
from tests.support.programs import (
    cluster_by_hand,
    pools_by_hand,
    problems_of_program,
    record_program,
)
from tests.support.stacks import NO_HUB, record

RELEASE, POLICY, ROLE = (
    "kubernetes:helm.sh/v3:Release",
    "aws:iam/policy:Policy",
    "aws:iam/role:Role",
)
_PRIVATE = Images(registry="registry.corp.example")
ATTACHMENT, IDENTITY = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
)


def _release(*settings):
    return record(*settings).one(RELEASE, "autoscaler-release").inputs


@pytest.mark.parametrize("minor", ["1.35", "1.36"])
def test_the_image_is_the_one_pinned_for_the_clusters_minor(minor):
    release, image = (
        _release(f'cluster.version="{minor}"'),
        pin("image", "cluster-autoscaler", minor),
    )
    assert release["values"]["image"] == {"repository": image.repository, "tag": image.version}
    assert image.version.startswith(f"v{minor}."), (
        "the autoscaler simulates the scheduler of its own minor"
    )
    assert (
        release["chart"] == "cluster-autoscaler"
        and release["version"] == pin("chart", "cluster-autoscaler", minor).version
    )


def test_its_identity_is_there_before_its_pod_and_under_the_service_account_that_the_chart_makes():
    recording = record()
    release, identity = recording.one(RELEASE, "autoscaler-release"), recording.one(IDENTITY)
    account = release.inputs["values"]["rbac"]["serviceAccount"]
    assert account == {"create": True, "name": identity.inputs["serviceAccount"]}
    assert (release.inputs["namespace"], release.inputs["name"]) == (
        identity.inputs["namespace"],
        "cluster-autoscaler",
    )
    assert (ROLE, "autoscaler-identity-role") in {
        (found.type, found.name)
        for found in recording.resources.referred(identity.inputs["roleArn"], ROLE)
    }
    attachment = recording.one(ATTACHMENT, "autoscaler-identity-role")
    assert [
        found.type for found in recording.resources.referred(attachment.inputs["policyArn"], POLICY)
    ] == [POLICY]
    assert {
        (IDENTITY, identity.name),
        (ATTACHMENT, attachment.name),
        (POLICY, "autoscaler-policy-document"),
    } <= recording.needs(release)


def test_it_runs_on_the_core_pool_without_rights_and_writes_nothing():
    values = _release()["values"]
    assert values["nodeSelector"] == {
        "hub.jupyter.org/node-purpose": "core",
        "jupyterhub-aws/pool": "core",
    }, "on a user node it would remove itself"
    assert values["securityContext"]["runAsNonRoot"] is True
    assert values["containerSecurityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(("homes", "balance"), [("efs", False), ("ebs", True)])
def test_groups_are_balanced_only_where_they_differ_in_nothing_but_their_zone(homes, balance):
    arguments = _release(f"homes={{kind: {homes}}}")["values"]["extraArgs"]
    assert arguments["balance-similar-node-groups"] is balance, "twins of two markets are no equals"


def test_it_gives_up_on_a_node_later_where_nodes_have_gpus():
    without = _release(
        "pools.gpu={capacity: spot, instance_types: [m7i.large], size: {max: 1}}", NO_HUB
    )["values"]["extraArgs"]
    assert (
        without["max-node-provision-time"],
        _release()["values"]["extraArgs"]["max-node-provision-time"],
    ) == ("300s", "480s")


def test_one_system_pod_or_an_empty_directory_does_not_keep_a_node_for_ever():
    arguments = _release()["values"]["extraArgs"]
    assert (
        arguments["skip-nodes-with-system-pods"] is False
        and arguments["skip-nodes-with-local-storage"] is False
    )
    assert arguments["expander"] == "priority,least-waste"


@pytest.mark.real
def test_a_stack_without_user_pools_has_an_autoscaler_with_only_the_catch_all():
    recording = record("pools={core: {instance_types: [m7i.large]}}", NO_HUB)
    assert recording.one(RELEASE, "autoscaler-release").inputs["values"]["expanderPriorities"] == {
        "1": [".*"]
    }
    assert (
        recording.resources.of("aws:autoscaling/group:Group") == []
        and recording.outputs["scheduling"] == {}
    )


@pytest.mark.real
def test_it_works_alone_beside_an_existing_cluster():
    def program():
        ClusterAutoscaler(
            "scaler",
            ClusterAutoscalerArgs(
                cluster=cluster_by_hand(),
                pools=pools_by_hand("r5n.2xlarge", "g4dn.12xlarge"),
                paused=True,
            ),
        )

    recording = record_program(program)
    release = recording.one(RELEASE, "scaler-release")
    values = release.inputs["values"]
    assert (
        values["autoDiscovery"] == {"clusterName": "theirs"}
        and values["awsRegion"] == "us-east-1"
        and values["replicaCount"] == 0
    )
    assert values["extraArgs"]["max-node-provision-time"] == "480s", "GPU nodes take longer"
    assert [len(values["expanderPriorities"][rank]) for rank in ("50", "20", "1")] == [2, 2, 1]
    provider = recording.one("pulumi:providers:kubernetes")
    assert release.provider == provider.urn and "https://theirs.example.org" in str(
        provider.inputs["kubeconfig"]
    )
    policy = json.loads(recording.one(POLICY).inputs["policy"])
    assert (
        policy["Statement"][1]["Condition"]["StringEquals"][
            "aws:ResourceTag/k8s.io/cluster-autoscaler/theirs"
        ]
        == "owned"
    )
    assert {
        (IDENTITY, "scaler-identity-association"),
        (ATTACHMENT, "scaler-identity-role"),
    } <= recording.needs(release)
    (made,) = recording.resources.of("jupyterhub-aws:index:ClusterAutoscaler")
    assert recording.component_outputs[made.urn].keys() == {"policy_arn", "release", "role_arn"}


def test_two_of_them_go_into_two_clusters_by_the_providers_of_each():
    def program():
        own = kubernetes.Provider("own", kubeconfig="{}")
        for name, opts in (("east", None), ("west", pulumi.ResourceOptions(providers=[own]))):
            pools = pools_by_hand("r5n.2xlarge", cluster=name, prefix=f"{name}-nodes")
            ClusterAutoscaler(
                name,
                ClusterAutoscalerArgs(cluster=cluster_by_hand(name), pools=pools, images=_PRIVATE),
                opts,
            )

    recording = record_program(program)
    where = {name: recording.one(RELEASE, f"{name}-release") for name in ("east", "west")}
    assert [str(item.provider).rpartition("::")[2] for item in where.values()] == [
        "east-kubernetes",
        "own",
    ]
    assert all(
        item.inputs["chart"] == "oci://registry.corp.example/charts/cluster-autoscaler"
        for item in where.values()
    )
    assert all(
        item.inputs["values"]["image"]["repository"].startswith("registry.corp.example/")
        for item in where.values()
    )
    policies = [
        json.loads(item.inputs["policy"])["Statement"][1]["Resource"]
        for item in recording.resources.of(POLICY)
    ]
    assert [arn.rpartition("/")[2] for arn in policies] == [
        "east-nodes-*",
        "west-nodes-*",
    ], "the groups have the pools' own prefix"
    assert all(
        f"^{name}-nodes-p0-spot-" in str(item.inputs["values"]["expanderPriorities"]["50"])
        for name, item in where.items()
    )
    names = [
        item.inputs["name"] for kind in (POLICY, ROLE) for item in recording.resources.of(kind)
    ]
    assert sorted(names) == [
        "east-cluster-autoscaler",
        "east-cluster-autoscaler",
        "west-cluster-autoscaler",
        "west-cluster-autoscaler",
    ]


def test_the_policy_alone_is_for_an_autoscaler_that_something_else_installs():
    args = AutoscalerPolicyArgs(
        cluster_name="Their_Cluster", region="us-gov-west-1", account="123456789012"
    )
    recording = record_program(lambda: AutoscalerPolicy("policy", args))
    policy = recording.one(POLICY)
    assert policy.inputs["name"] == "Their_Cluster-cluster-autoscaler"
    arn = "arn:aws-us-gov:autoscaling:us-gov-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/Their_Cluster-*"
    assert json.loads(policy.inputs["policy"])["Statement"][1]["Resource"] == arn


@pytest.mark.parametrize(
    ("make", "paths"),
    [
        (
            lambda: ClusterAutoscaler("a", ClusterAutoscalerArgs(cluster="eks", pools=["memory"])),
            ["cluster", "pools"],
        ),
        (
            lambda: ClusterAutoscaler(
                "a",
                ClusterAutoscalerArgs(
                    cluster=cluster_by_hand(),
                    pools=pools_by_hand(),
                    images="quay.io",
                    tags={"": "x"},
                ),
            ),
            ["images", "tags.''"],
        ),
        (
            lambda: ClusterAutoscaler(
                "a",
                ClusterAutoscalerArgs(
                    cluster=cluster_by_hand(), pools=pools_by_hand(), paused="no", depends_on=["x"]
                ),
            ),
            ["depends_on[0]", "paused"],
        ),
        (
            lambda: ClusterAutoscaler(
                "a",
                ClusterAutoscalerArgs(
                    cluster=cluster_by_hand("Named_By_Others", version="1.05"),
                    pools=pools_by_hand(),
                ),
            ),
            ["cluster.version", "physical_name"],
        ),
        (
            lambda: AutoscalerPolicy(
                "a", AutoscalerPolicyArgs(cluster_name="-", region="here", tags=5)
            ),
            ["cluster_name", "region", "tags"],
        ),
        (
            lambda: AutoscalerPolicy(
                "a",
                AutoscalerPolicyArgs(cluster_name="a" * 101, region="us-east-1", physical_name="A"),
            ),
            ["cluster_name", "physical_name"],
        ),
    ],
)
def test_wrong_arguments_are_told_with_their_paths_all_at_once(make, paths):
    lines = problems_of_program(make)
    assert [line.split(": ")[1] for line in lines] == paths, lines
