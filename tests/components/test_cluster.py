"""The control plane: private first, encrypted, logged, and administered by name."""

from __future__ import annotations

import pytest

from tests.support.stacks import NO_HUB, SOME_ROLE, record

CLUSTER, COMPONENT = "aws:eks/cluster:Cluster", "eks:index:Cluster"
ENTRY, ASSOCIATION = (
    "aws:eks/accessEntry:AccessEntry",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
)


def test_the_api_answers_inside_the_vpc_always_and_outside_only_to_listed_networks():
    listed = (
        record("cluster.api.public_access_cidrs=[198.51.100.0/24]").one(CLUSTER).inputs["vpcConfig"]
    )
    assert (
        listed["endpointPrivateAccess"],
        listed["endpointPublicAccess"],
        listed["publicAccessCidrs"],
    ) == (True, True, ["198.51.100.0/24"])


def test_without_a_listed_network_there_is_no_public_endpoint():
    closed = record("cluster.api.public_access_cidrs=[]").one(CLUSTER).inputs["vpcConfig"]
    assert closed["endpointPrivateAccess"] is True and closed["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in closed, "EKS reads an empty list as 0.0.0.0/0"


def test_secrets_are_encrypted_with_a_rotated_key_that_destroy_leaves_alone():
    recording = record()
    assert recording.one(CLUSTER).inputs["encryptionConfig"] == {
        "provider": {"keyArn": "${cluster-key.arn}"},
        "resources": ["secrets"],
    }
    key = recording.one("aws:kms/key:Key", "cluster-key")
    assert key.inputs["enableKeyRotation"] is True and key.inputs["deletionWindowInDays"] == 30
    assert key.protect and key.retain_on_delete
    assert (
        recording.one("aws:kms/alias:Alias", "cluster-key-alias").inputs["targetKeyId"]
        == "${cluster-key.keyId}"
    )


def test_the_control_plane_makes_nothing_but_itself():
    recording = record()
    component = recording.one(COMPONENT)
    children = {child.type for child in recording.resources if child.parent == component.urn}
    assert children == {CLUSTER, "pulumi:providers:kubernetes"}
    assert (
        component.inputs["skipDefaultNodeGroup"] is True
        and component.inputs["bootstrapSelfManagedAddons"] is False
    )


def test_it_lives_in_the_private_subnets_under_the_stacks_name_and_never_pays_for_extended_support():
    inputs = record().one(CLUSTER).inputs
    assert inputs["vpcConfig"]["subnetIds"] == [
        f"${{network-private-{letter}.id}}" for letter in "abc"
    ]
    assert (
        inputs["name"] == "jhub-dev"
        and inputs["version"] == "1.35"
        and inputs["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    )
    assert inputs["upgradePolicy"] == {"supportType": "STANDARD"}
    assert inputs["accessConfig"]["authenticationMode"] == "API", (
        "the aws-auth map is a second list of administrators that nobody reviews"
    )


@pytest.mark.real
def test_logs_are_kept_as_long_as_the_stack_says_in_the_group_that_eks_writes_to():
    recording = record("cluster.logs=[audit]", "cluster.log_retention_days=365")
    group = recording.one("aws:cloudwatch/logGroup:LogGroup", "cluster-logs").inputs
    assert group["name"] == "/aws/eks/jhub-dev/cluster", "EKS writes to no other name"
    assert group["retentionInDays"] == 365 and recording.one(CLUSTER).inputs[
        "enabledClusterLogTypes"
    ] == ["audit"]


@pytest.mark.parametrize("protected", [True, False])
def test_the_cluster_inside_the_component_is_protected_where_the_stack_says_so(protected):
    cluster = record(f"cluster.protected={str(protected).lower()}").one(CLUSTER)
    assert (cluster.protect, cluster.retain_on_delete) == (protected, protected)


def test_administrators_get_an_entry_and_the_administrators_policy():
    recording = record(f"cluster.administrators=[{SOME_ROLE}]")
    (association,) = recording.resources.of(ASSOCIATION)
    (entry,) = [item for item in recording.resources.of(ENTRY) if item.name.startswith("cluster-")]
    assert entry.inputs["principalArn"] == association.inputs["principalArn"] == SOME_ROLE
    assert (
        association.inputs["policyArn"]
        == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    )
    assert association.inputs["accessScope"] == {"type": "cluster"}
    assert (ENTRY, entry.name) in recording.needs(association), (
        "EKS refuses a policy for a principal without an entry"
    )


def test_administrators_of_one_name_in_two_accounts_or_as_role_and_user_are_different():
    principals = [
        f"arn:aws:iam::{account}:{kind}/ops"
        for account in ("123456789012", "210987654321")
        for kind in ("role", "user")
    ]
    recording = record(f"cluster.administrators=[{', '.join(principals)}]")
    assert sorted(
        item.inputs["principalArn"] for item in recording.resources.of(ASSOCIATION)
    ) == sorted(principals)


def test_names_of_what_aws_owns_follow_the_regions_partition():
    zones = "network.zones=[us-gov-west-1a, us-gov-west-1b]"
    recording = record("region=us-gov-west-1", zones, NO_HUB)
    attached = {
        item.inputs["policyArn"]
        for item in recording.resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    assert attached and all(
        arn.startswith(("arn:aws-us-gov:", "${autoscaler-policy")) for arn in attached
    )
    documents = (
        recording.one("aws:kms/key:Key", "cluster-key").inputs["policy"]
        + recording.one("aws:iam/policy:Policy").inputs["policy"]
    )
    assert "arn:aws-us-gov:" in documents and "arn:aws:" not in documents
