"""The roles of workflows: the IAM linter, what they may and may not do, and whom they trust."""

from __future__ import annotations

import fnmatch
import json
from functools import cache

import pytest

from jupyterhub_aws.components.ci import (
    LARGEST,
    Backend,
    ResourceScope,
    changing,
    packed,
    reading,
    state,
    trust,
)
from jupyterhub_aws.config.aws_calls import actions, known_types
from tests.support.policies import findings
from tests.support.stacks import ALL_STACKS, record

PLACE = ResourceScope(region="us-east-1", account="123456789012", prefix="jhub-dev")
BACKEND = Backend(
    bucket="example-org-state",
    key_arn="arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
)


@cache
def types():
    """The types of AWS that some stack makes."""
    return sorted(
        {
            item.type
            for settings in ALL_STACKS.values()
            for item in record(*settings).resources
            if item.custom and item.type.startswith("aws:")
        }
    )


@cache
def documents_of(purpose):
    """The policies of the role that previews, or of the one that brings up."""
    up = purpose == "up"
    parts = (
        *reading(types(), PLACE),
        *(changing(types(), PLACE) if up else ()),
        *state(BACKEND, PLACE, writes=up),
    )
    return [json.loads(text) for text in packed(parts)]


PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
#: Statement and issue of the linter, and why it stays: a role that makes what a stack has must be
#: able to make it.
ACCEPTED = {
    ("Look", "RESOURCE_STAR"),  # describing knows no resources in IAM; the region is a condition
    ("LookGlobally", "RESOURCE_STAR"),
    ("Change", "RESOURCE_STAR"),  # what is made has no ARN yet; the region is a condition
    ("Change", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("ChangeA", "RESOURCE_STAR"),
    ("ChangeB", "RESOURCE_STAR"),
    ("ChangeA", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("ChangeB", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    (
        "ChangeOwnRoles",
        "PERMISSIONS_MANAGEMENT_ACTIONS",
    ),  # of the stack's own names only, and never of the roles of workflows
    ("ChangeOwnRoles", "PRIVILEGE_ESCALATION"),
    ("AttachKnownPolicies", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("MakeOwnRoles", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("HandOver", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("ServiceLinked", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("ChangeBuckets", "PERMISSIONS_MANAGEMENT_ACTIONS"),
    ("ChangeBuckets", "RESOURCE_POLICY_PRIVILEGE_ESCALATION"),
}


def _statements(documents):
    return [statement for document in documents for statement in document["Statement"]]


def _listed(value):
    return [value] if isinstance(value, str) else value


@pytest.mark.real
@pytest.mark.parametrize("purpose", ["preview", "up"])
def test_the_linter_finds_nothing_but_what_is_accepted_with_a_reason(purpose):
    documents = documents_of(purpose)
    assert {issue for document in documents for issue in findings(document)} - ACCEPTED == set()
    assert len(documents) <= 10 and all(
        len(json.dumps(document, separators=(",", ":"))) <= LARGEST for document in documents
    )


def test_every_type_of_the_program_has_its_permissions():
    assert set(types()) <= known_types() and len(types()) > 40
    allowed = {
        action
        for statement in _statements(documents_of("up"))
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
    }
    assert set(actions(types(), "read")) | set(actions(types(), "write")) <= allowed
    with pytest.raises(KeyError, match="no permissions are known for aws:new/thing:Thing"):
        actions(["aws:new/thing:Thing"], "read")


def test_a_stack_without_a_kind_of_resource_has_no_permission_for_it():
    few = [kind for kind in types() if not kind.startswith(("aws:rds", "aws:ecr"))]
    text = json.dumps(packed(changing(few, PLACE)))
    assert (
        "rds:" not in text.replace("rds.amazonaws.com", "")
        and "ecr:" not in text
        and "eks:CreateCluster" in text
    )


def test_the_role_that_looks_changes_nothing():
    verbs = ("Get", "List", "Describe", "Decrypt")
    found = {
        action
        for statement in _statements(documents_of("preview"))
        for action in _listed(statement["Action"])
    }
    assert {action for action in found if not action.partition(":")[2].startswith(verbs)} == set()
    assert not {
        action
        for action in found
        if action.startswith(("secretsmanager:", "ssm:Get", "rds:Download"))
    }


def test_objects_are_read_in_the_backend_only():
    for statement in _statements(documents_of("preview")) + _statements(documents_of("up")):
        if any(
            action in ("s3:GetObject", "s3:PutObject") for action in _listed(statement["Action"])
        ):
            assert statement["Resource"] == "arn:aws:s3:::example-org-state/.pulumi/*"
        if any(action.startswith("kms:Decrypt") for action in _listed(statement["Action"])):
            through = (
                statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", "")
            )
            assert statement["Resource"] == BACKEND.key_arn or through.startswith("backup."), (
                "of the stack's own keys: to make a vault, through AWS Backup"
            )


@pytest.mark.parametrize(
    "wanted", ["role/jhub-dev-ci-up", "role/jhub-dev-ci-preview", "policy/jhub-dev-ci-up-1"]
)
def test_the_role_cannot_change_itself(wanted):
    arn = f"arn:aws:iam::123456789012:{wanted}"
    denied = [
        statement for statement in _statements(documents_of("up")) if statement["Effect"] == "Deny"
    ]
    assert any(
        statement["Action"] == "iam:*"
        and any(fnmatch.fnmatchcase(arn, pattern) for pattern in _listed(statement["Resource"]))
        for statement in denied
    )


def test_roles_are_of_the_stacks_own_names_and_get_known_policies_only():
    for statement in _statements(documents_of("up")):
        iam = [
            action
            for action in _listed(statement["Action"])
            if action.startswith("iam:") and not action.startswith(("iam:Get", "iam:List"))
        ]
        if iam and statement["Effect"] == "Allow":
            assert all(
                "/jhub-dev-" in arn or "/aws-service-role/" in arn
                for arn in _listed(statement["Resource"])
            ), statement
        if "iam:AttachRolePolicy" in iam:
            policies = statement["Condition"]["ArnLike"]["iam:PolicyARN"]
            assert not any(
                arn.endswith(("FullAccess", "AdministratorAccess", "policy/*")) for arn in policies
            )
        if "iam:PassRole" in iam:
            assert "iam:PassedToService" in statement["Condition"]["StringEquals"]


def test_policies_that_the_program_attaches_are_known():
    attached = {
        item.inputs["policyArn"]
        for settings in ALL_STACKS.values()
        for item in record(*settings).resources
        if item.type.endswith(":RolePolicyAttachment")
        and ":ServerRole$" not in item.urn  # what a stack file names is given as `attach`
    }
    (statement,) = [
        statement
        for statement in _statements(documents_of("up"))
        if statement["Sid"] == "AttachKnownPolicies"
    ]
    patterns = statement["Condition"]["ArnLike"]["iam:PolicyARN"]
    aws = {arn for arn in attached if ":aws:policy/" in arn}
    assert aws and all(
        any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns) for arn in aws
    )


def test_a_boundary_is_asked_of_every_role_that_is_made():
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    (statement,) = [
        item
        for item in changing(types(), PLACE, boundary=boundary)
        if item["Sid"] == "MakeOwnRoles"
    ]
    assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}


def _trusts(document, claims):
    """Whether a web identity with these claims may take the role (IAM: every operator and key
    must hold, one value of each is enough).
    """
    (statement,) = json.loads(document)["Statement"]
    assert set(statement["Condition"]) == {"StringEquals"}
    issuer = "token.actions.githubusercontent.com"
    return all(
        claims.get(key.removeprefix(f"{issuer}:")) in _listed(wanted)
        for key, wanted in statement["Condition"]["StringEquals"].items()
    )


@pytest.mark.parametrize(
    ("sub", "preview", "up"),
    [
        ("repo:example-org/hub:ref:refs/heads/main", True, False),
        ("repo:example-org/hub:environment:dev", False, True),
        ("repo:example-org/hub:pull_request", False, False),
        ("repo:example-org/hub:ref:refs/heads/main2", False, False),
        ("repo:example-org/hub:ref:refs/heads/feature", False, False),
        ("repo:example-org/hub:environment:production", False, False),
        ("repo:example-org/hub2:ref:refs/heads/main", False, False),
        ("repo:mallory/hub:ref:refs/heads/main", False, False),
        ("repo:example-org/hub:ref:refs/tags/main", False, False),
    ],
)
def test_one_repository_and_one_place_in_it_are_trusted(sub, preview, up):
    looks, changes = (
        trust(PROVIDER, "example-org/hub", branches=["main"]),
        trust(PROVIDER, "example-org/hub", environment="dev"),
    )
    claims = {"aud": "sts.amazonaws.com", "sub": sub}
    assert (_trusts(looks, claims), _trusts(changes, claims)) == (preview, up)
    assert not _trusts(looks, {**claims, "aud": "somebody-else"}) and not _trusts(
        changes, {"sub": sub}
    )


@pytest.mark.parametrize(
    "names",
    [{"repository": "org/*"}, {"branches": ["release/*"]}, {"environment": "*"}, {"branches": []}],
)
def test_a_trust_that_would_say_more_than_it_names_is_refused(names):
    given = {"repository": "example-org/hub", "branches": ["main"], **names}
    with pytest.raises(ValueError, match=r"wildcard|at least one"):
        trust(
            PROVIDER,
            given["repository"],
            branches=given["branches"],
            environment=given.get("environment"),
        )


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_other_partitions(region, partition):
    text = json.dumps(
        packed(changing(types(), ResourceScope(region=region, account="1", prefix="x")))
    )
    assert f"arn:{partition}:" in text and "arn:aws:" not in text
