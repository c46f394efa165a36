"""Every IAM document of the program: judged by parliament, or by rules of our own where a document says who instead of what."""

from __future__ import annotations

import fnmatch
import json

import pytest

from components.autoscaler.policy import autoscaler_document
from tests.support.policies import documents, findings
from tests.support.stacks import FULL, record, tags_of

STACKS = {"dev": (), "full": FULL, "a volume per person": ("homes={kind: ebs}", "network.flow_logs={}")}
#: Statement and parliament's issue: why it stays.
ACCEPTED: dict[tuple[str, str], str] = {}
#: Key policies: the account itself, so that IAM decides, and a key cannot become one that nobody administers.
ACCOUNT_ROOT = "arn:aws:iam::123456789012:root"
FULL_ACCESS = ("AdministratorAccess", "PowerUserAccess", "*FullAccess")


def _all():
    return [(name, where, document) for name, settings in STACKS.items() for where, document in documents(record(*settings))]


def _listed(value):
    return [value] if isinstance(value, str) else value


def _speaks_of_principals(document):
    return any("Principal" in statement or "NotPrincipal" in statement for statement in document["Statement"])


def test_the_documents_are_found():
    found = {where for _, where, _ in _all()}
    assert len([where for where in found if "assumeRolePolicy" in where]) >= 7
    assert {where.partition(" ")[0] for where in found if "assumeRolePolicy" not in where} == {
        "autoscaler-policy-document",
        "cluster-key",
        "cluster-role-key",
        "homes-efs-policy",
        "network-flow-logs-write",
    }, "a new document: look at it, then name it here"


def test_parliament_finds_nothing_but_what_is_accepted_with_a_reason():
    judged, found = 0, set()
    for _, where, document in _all():
        if not _speaks_of_principals(document):
            judged += 1
            found |= {(where, statement, issue) for statement, issue in findings(document)}
    assert judged > 0
    assert {(where, statement, issue) for where, statement, issue in found if (statement, issue) not in ACCEPTED} == set()
    assert {(statement, issue) for _, statement, issue in found} == set(ACCEPTED), "an accepted finding that is gone leaves the list"


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": "s3:GetObject", "Resource": "*"}, "RESOURCE_STAR"),
        ({"Action": "ec2:DescribeInstnaces", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "iam:PassRole", "Resource": "*"}, "RESOURCE_STAR"),
        ({"Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::123456789012:role/x"}, "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ],
)
def test_parliament_is_awake(statement, issue):
    found = findings({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    assert issue in {name for _, name in found}


def test_every_document_is_of_the_current_version_and_each_statement_is_named_and_allows():
    for _, where, document in _all():
        assert document["Version"] == "2012-10-17", f"{where}: in the old one variables are plain text"
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids) and all(sid.isalnum() for sid in sids)
        assert not [statement for statement in document["Statement"] if {"NotAction", "NotResource", "NotPrincipal"} & set(statement)], where


MOUNT_AND_WRITE = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
SOME_ROLE_ARN = "arn:aws:iam::123456789012:role/some-role"


def _deny_in_clear(statement):
    """Refuses everybody who comes without TLS; a refusal may be as wide as it likes."""
    return statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def _only_through_access_points(statement):
    """Anybody may mount and write, but only inside the VPC and only in the directory that the access point pins. Never as root."""
    condition = statement.get("Condition", {})
    points = _listed(condition.get("StringEquals", {}).get("elasticfilesystem:AccessPointArn", []))
    return (
        statement["Action"] == MOUNT_AND_WRITE
        and set(condition) == {"Bool", "StringEquals"}
        and condition["Bool"] == {"elasticfilesystem:AccessedViaMountTarget": "true"}
        and bool(points)
        and all(":access-point/fsap-" in point for point in points)
    )


def test_nobody_in_the_world_may_assume_a_role_or_use_a_resource():
    for _, where, document in _all():
        for statement in document["Statement"]:
            if _deny_in_clear(statement) or _only_through_access_points(statement):
                continue
            for kind, who in statement.get("Principal", {}).items():
                names = _listed(who)
                if where.startswith("homes-efs-policy"):
                    assert names == [SOME_ROLE_ARN] and _only_through_access_points({**statement, "Action": MOUNT_AND_WRITE}), where
                    continue
                assert kind in ("Service", "AWS") and names, where
                assert not [name for name in names if "*" in name], f"{where}: a wildcard as principal"
                assert all(name.endswith(".amazonaws.com") if kind == "Service" else name == ACCOUNT_ROOT for name in names), where


def test_no_action_is_a_wildcard_but_the_accounts_own_right_to_its_key():
    for _, where, document in _all():
        for statement in document["Statement"]:
            wild = [action for action in _listed(statement["Action"]) if "*" in action]
            own_key = statement.get("Principal") == {"AWS": ACCOUNT_ROOT} and wild == ["kms:*"]
            assert not wild or own_key or _deny_in_clear(statement), f"{where}: {wild}"


def test_trust_policies_hand_out_roles_and_nothing_else():
    for _, where, document in _all():
        if "assumeRolePolicy" in where:
            (statement,) = document["Statement"]
            actions = set(_listed(statement["Action"]))
            service = statement["Principal"]["Service"]
            assert actions == ({"sts:AssumeRole", "sts:TagSession"} if "eks" in service else {"sts:AssumeRole"}), "Pod Identity needs TagSession, others do not"


def test_no_managed_policy_gives_full_access_and_node_roles_have_no_more_than_joining_and_pulling():
    attachments = record(*FULL).resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    names = [item.inputs["policyArn"].rpartition("/")[2] for item in attachments]
    assert not [name for name in names for bad in FULL_ACCESS if fnmatch.fnmatch(name, bad)]
    on_nodes = {item.inputs["policyArn"].rpartition("/")[2] for item in attachments if item.inputs["role"].endswith("-node")}
    assert on_nodes == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}, "what a node may do, every pod on it that reaches IMDS may"
    assert not [role for role in record(*FULL).resources.of("aws:iam/role:Role") if {"managedPolicyArns", "inlinePolicies"} & set(role.inputs)]


def _autoscaler_statements():
    text = record().one("aws:iam/policy:Policy", "autoscaler-policy-document").inputs["policy"]
    return json.loads(text)["Statement"]


def test_whatever_the_autoscaler_changes_is_one_of_its_own_clusters_groups_by_tag_and_by_name():
    changing = [item for item in _autoscaler_statements() if any(not action.split(":")[1].startswith("Describe") for action in _listed(item["Action"]))]
    assert changing
    for statement in changing:
        conditions = statement["Condition"]["StringEquals"]
        wanted = {key.removeprefix("aws:ResourceTag/"): value for key, value in conditions.items() if key.startswith("aws:ResourceTag/")}
        assert wanted == {"k8s.io/cluster-autoscaler/enabled": "true", "k8s.io/cluster-autoscaler/jhub-dev": "owned"} and len(conditions) == 2
        for group in record().resources.of("aws:autoscaling/group:Group"):
            assert wanted.items() <= tags_of(group).items(), "it could not scale its own group"
            arn = f"arn:aws:autoscaling:us-east-1:${{aws.account}}:autoScalingGroup:0123-4567:autoScalingGroupName/{group.inputs['name']}"
            assert fnmatch.fnmatchcase(arn, statement["Resource"])


def test_the_core_group_is_not_the_autoscalers_to_change():
    (core,) = record().resources.of("aws:eks/nodeGroup:NodeGroup")
    assert not [key for key in core.inputs["tags"] if key.startswith("k8s.io/cluster-autoscaler")]


def test_reading_stands_alone_and_changes_nothing():
    for statement in _autoscaler_statements():
        if statement["Resource"] == "*":
            assert all(action.split(":")[1].startswith("Describe") for action in statement["Action"])


def test_the_document_of_another_cluster_is_about_that_cluster_only():
    text = autoscaler_document("other", "cn-north-1", "210987654321")
    assert "jhub-dev" not in text and "arn:aws-cn:autoscaling:cn-north-1:210987654321:" in text and "cluster-autoscaler/other" in text
