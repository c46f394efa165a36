"""EKS add-ons: all pinned, all our own, each with the identity that it needs and in the right
moment of the cluster's life.
"""

from __future__ import annotations

import json

import pytest

from jupyterhub_aws.config.versions import pin
from tests.support.stacks import record

ADDON, ROLE, ATTACHMENT = (
    "aws:eks/addon:Addon",
    "aws:iam/role:Role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
)
OWN_POLICY = "aws:iam/rolePolicy:RolePolicy"
BEFORE_NODES = {"vpc-cni", "kube-proxy", "eks-pod-identity-agent"}
AFTER_NODES = {
    "coredns",
    "eks-node-monitoring-agent",
    "aws-ebs-csi-driver",
    "amazon-cloudwatch-observability",
}
CORE = {"hub.jupyter.org/node-purpose": "core", "jupyterhub-aws/pool": "core"}
#: Add-on: service account, the managed policy of its role (None: one of our own). Everything else
#: runs without credentials.
IDENTITIES = {
    "amazon-cloudwatch-observability": ("cloudwatch-agent", None),
    "vpc-cni": ("aws-node", "AmazonEKS_CNI_Policy"),
    "aws-ebs-csi-driver": ("ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicyV2"),
    "aws-efs-csi-driver": ("efs-csi-controller-sa", "service-role/AmazonEFSCSIDriverPolicy"),
}


def _addons(recording):
    return {addon.inputs["addonName"]: addon for addon in recording.resources.of(ADDON)}


@pytest.mark.parametrize(("homes", "more"), [("efs", {"aws-efs-csi-driver"}), ("ebs", set())])
def test_a_stack_has_these_addons_and_the_efs_driver_only_with_homes_on_efs(homes, more):
    assert set(_addons(record(f"homes={{kind: {homes}}}"))) == BEFORE_NODES | AFTER_NODES | more


@pytest.mark.real
@pytest.mark.parametrize("minor", ["1.35", "1.36"])
def test_each_addon_has_the_version_pinned_for_the_clusters_minor(minor):
    recording = record(f'cluster.version="{minor}"')
    for name, addon in _addons(recording).items():
        assert addon.inputs["addonVersion"] == pin("addon", name, minor).version
        assert addon.inputs["clusterName"] == "jhub-dev"


def test_addons_that_nodes_need_wait_for_no_node_and_all_others_wait_for_the_core_pool():
    recording = record()
    for name, addon in _addons(recording).items():
        waits = any(kind == "aws:eks/nodeGroup:NodeGroup" for kind, _ in recording.needs(addon))
        assert waits is (name not in BEFORE_NODES), (
            f"{name}: without a CNI no node gets ready, and without a node no controller"
        )


def test_service_accounts_get_their_role_through_the_addon_and_no_other_has_one():
    recording = record()
    for name, addon in _addons(recording).items():
        associations = addon.inputs.get("podIdentityAssociations", [])
        if name not in IDENTITIES:
            assert associations == []
            continue
        account, policy = IDENTITIES[name]
        (association,) = associations
        (role,) = recording.resources.referred(association["roleArn"], ROLE)
        attached = [
            item.inputs["policyArn"]
            for item in recording.resources.of(ATTACHMENT)
            if item.inputs["role"] == role.inputs["name"]
        ]
        own = [
            item
            for item in recording.resources.of(OWN_POLICY)
            if item.inputs["role"] == role.inputs["name"]
        ]
        assert association["serviceAccount"] == account and attached == (
            [] if policy is None else [f"arn:aws:iam::aws:policy/{policy}"]
        )
        assert len(own) == (policy is None)
        (attachment,) = [
            item
            for item in recording.resources.of(ATTACHMENT, OWN_POLICY)
            if item.inputs["role"] == role.inputs["name"]
        ]
        assert json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"] == {
            "Service": "pods.eks.amazonaws.com"
        }
        assert (attachment.type, attachment.name) in recording.needs(addon), (
            "a driver that starts before its rights are there fails for minutes"
        )


def test_the_cni_enforces_network_policies_and_hands_out_prefixes():
    configuration = json.loads(_addons(record())["vpc-cni"].inputs["configurationValues"])
    assert configuration["enableNetworkPolicy"] == "true", (
        "otherwise every network policy in the cluster is decoration"
    )
    assert configuration["env"]["ENABLE_PREFIX_DELEGATION"] == "true", (
        "a node has not addresses enough for its pods one by one"
    )


def test_controllers_run_on_the_core_pool():
    addons = _addons(record())
    assert json.loads(addons["coredns"].inputs["configurationValues"])["nodeSelector"] == CORE
    for driver in ("aws-ebs-csi-driver", "aws-efs-csi-driver"):
        assert json.loads(addons[driver].inputs["configurationValues"]) == {
            "controller": {"nodeSelector": CORE}
        }, "the node part has to run everywhere"
    group = record().one("aws:eks/nodeGroup:NodeGroup").inputs
    assert CORE.items() <= group["labels"].items() and "taints" not in group


def test_a_later_up_overwrites_manual_changes():
    for addon in record().resources.of(ADDON):
        assert (
            addon.inputs["resolveConflictsOnCreate"]
            == addon.inputs["resolveConflictsOnUpdate"]
            == "OVERWRITE"
        )


def test_configurations_are_written_with_sorted_keys():
    for addon in record().resources.of(ADDON):
        text = addon.inputs.get("configurationValues")
        assert text is None or text == json.dumps(json.loads(text), sort_keys=True), (
            "another order would show as a change"
        )
