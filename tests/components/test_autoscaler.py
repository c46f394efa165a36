"""The cluster autoscaler: the pinned release, its identity before its pod, and settings that fit how people work."""

from __future__ import annotations

import pytest

from jupyterhub_aws.config.versions import pin
from tests.support.stacks import NO_HUB, record

RELEASE, POLICY, ROLE = "kubernetes:helm.sh/v3:Release", "aws:iam/policy:Policy", "aws:iam/role:Role"
ATTACHMENT, IDENTITY = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:eks/podIdentityAssociation:PodIdentityAssociation"


def _release(*settings):
    return record(*settings).one(RELEASE, "autoscaler-release").inputs


@pytest.mark.parametrize("minor", ["1.35", "1.36"])
def test_the_image_is_the_one_pinned_for_the_clusters_minor(minor):
    release, image = _release(f'cluster.version="{minor}"'), pin("image", "cluster-autoscaler", minor)
    assert release["values"]["image"] == {"repository": image.repository, "tag": image.version}
    assert image.version.startswith(f"v{minor}."), "the autoscaler simulates the scheduler of its own minor"
    assert release["chart"] == "cluster-autoscaler" and release["version"] == pin("chart", "cluster-autoscaler", minor).version


def test_its_identity_is_there_before_its_pod_and_under_the_service_account_that_the_chart_makes():
    recording = record()
    release, identity = recording.one(RELEASE, "autoscaler-release"), recording.one(IDENTITY)
    account = release.inputs["values"]["rbac"]["serviceAccount"]
    assert account == {"create": True, "name": identity.inputs["serviceAccount"]}
    assert (release.inputs["namespace"], release.inputs["name"]) == (identity.inputs["namespace"], "cluster-autoscaler")
    assert (ROLE, "autoscaler-identity-role") in {(found.type, found.name) for found in recording.resources.referred(identity.inputs["roleArn"], ROLE)}
    attachment = recording.one(ATTACHMENT, "autoscaler-identity-role")
    assert [found.type for found in recording.resources.referred(attachment.inputs["policyArn"], POLICY)] == [POLICY]
    assert {(IDENTITY, identity.name), (ATTACHMENT, attachment.name), (POLICY, "autoscaler-policy-document")} <= recording.needs(release)


def test_it_runs_on_the_core_pool_as_nobody_and_writes_nothing():
    values = _release()["values"]
    assert values["nodeSelector"] == {"hub.jupyter.org/node-purpose": "core", "jupyterhub-aws/pool": "core"}, "on a user node it would remove itself"
    assert values["securityContext"]["runAsNonRoot"] is True
    assert values["containerSecurityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize(("homes", "balance"), [("efs", False), ("ebs", True)])
def test_groups_are_balanced_only_where_they_differ_in_nothing_but_their_zone(homes, balance):
    arguments = _release(f"homes={{kind: {homes}}}")["values"]["extraArgs"]
    assert arguments["balance-similar-node-groups"] is balance, "twins of two markets are no equals"


def test_it_gives_up_on_a_node_later_where_nodes_have_gpus():
    without = _release("pools.gpu={capacity: spot, instance_types: [m7i.large], size: {max: 1}}", NO_HUB)["values"]["extraArgs"]
    assert (without["max-node-provision-time"], _release()["values"]["extraArgs"]["max-node-provision-time"]) == ("300s", "480s")


def test_one_system_pod_or_an_empty_directory_does_not_keep_a_node_for_ever():
    arguments = _release()["values"]["extraArgs"]
    assert arguments["skip-nodes-with-system-pods"] is False and arguments["skip-nodes-with-local-storage"] is False
    assert arguments["expander"] == "priority,least-waste"


def test_a_stack_without_user_pools_has_an_autoscaler_with_only_the_catch_all():
    recording = record("pools={core: {instance_types: [m7i.large]}}", NO_HUB)
    assert recording.one(RELEASE, "autoscaler-release").inputs["values"]["expanderPriorities"] == {"1": [".*"]}
    assert recording.resources.of("aws:autoscaling/group:Group") == [] and recording.outputs["scheduling"] == {}
