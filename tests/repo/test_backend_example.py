"""The place of the state, planned: what people would cry over is kept, nobody unwanted comes in,
and wrong settings are answered at once.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache

import pytest

from jupyterhub_aws.config.project import Program
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate
from tests.support.stack_files import ROOT
from tests.support.stacks import quiet_sdks

FOLDER = ROOT / "examples" / "backend"
PROJECT = "jupyterhub-aws-backend"
ROLE = "arn:aws:iam::123456789012:role/teams/ci"
USUAL = {
    "bucket": "example-org-state",
    "owner": "platform",
    "principals": json.dumps([ROLE, "arn:aws:iam::123456789012:user/ada"]),
}


@cache
def _run(items):
    values = {"aws:region": "us-east-1", **{f"{PROJECT}:{key}": value for key, value in items}}
    where = PlannedProgram(
        project=PROJECT,
        stack="backend",
        folder=FOLDER,
        program=Program(folder=FOLDER, file=FOLDER / "__main__.py"),
    )
    with quiet_sdks():
        return evaluate(values, secret=(), where=where)


def planned(**more):
    return _run(tuple(sorted({**USUAL, **more}.items())))


def one(kind, **more):
    (found,) = [item for item in planned(**more).resources if item.type.endswith(f":{kind}")]
    return found


def test_bucket_and_key_are_kept_whatever_happens():
    for kind in ("Bucket", "Key"):
        assert one(kind).protect and one(kind).retain_on_delete
    assert (
        one("Key").inputs["enableKeyRotation"] is True
        and one("Key").inputs["deletionWindowInDays"] == 30
    )


def test_the_bucket_is_closed_versioned_and_encrypted_by_its_own_key():
    block = one("BucketPublicAccessBlock").inputs
    assert all(
        block[key] is True
        for key in (
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        )
    )
    assert one("BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert one("BucketOwnershipControls").inputs["rule"] == {
        "objectOwnership": "BucketOwnerEnforced"
    }
    (rule,) = one("BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert (
        rule["applyServerSideEncryptionByDefault"]
        == {
            "kmsMasterKeyId": "${key.arn}",
            "sseAlgorithm": "aws:kms",
        }
        and rule["bucketKeyEnabled"] is True
    )
    (lifecycle,) = one("BucketLifecycleConfiguration").inputs["rules"]
    assert (
        lifecycle["noncurrentVersionExpiration"]["noncurrentDays"] == 365
        and lifecycle["status"] == "Enabled"
    )


def test_access_needs_tls_and_the_stacks_key():
    statements = {
        item["Sid"]: item for item in json.loads(one("BucketPolicy").inputs["policy"])["Statement"]
    }
    assert set(statements) == {"EncryptedOnTheWay", "UnderThisKeyOnly"}
    assert all(
        item["Effect"] == "Deny" and item["Principal"] == {"AWS": "*"}
        for item in statements.values()
    )
    assert statements["EncryptedOnTheWay"]["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"}
    }
    assert statements["UnderThisKeyOnly"]["Condition"] == {
        "StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "${key.arn}"}
    }


def test_an_endpoint_admits_the_stacks_principals_and_administrators_alone():
    more = {"vpc_endpoint": "vpce-0123456789abcdef0", "administrators": json.dumps([ROLE])}
    statements = {
        item["Sid"]: item
        for item in json.loads(one("BucketPolicy", **more).inputs["policy"])["Statement"]
    }
    assert statements["ThroughTheEndpointOnly"]["Condition"] == {
        "StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"},
        "ArnNotEquals": {"aws:PrincipalArn": [ROLE]},
    }


def test_those_who_work_with_it_may_do_just_that():
    statements = json.loads(one("Policy").inputs["policy"])["Statement"]
    actions = {action for item in statements for action in item["Action"]}
    assert actions == {
        "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject",
        "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey",
    }  # fmt: skip
    assert {str(item["Resource"]) for item in statements} == {
        "${state.arn}",
        "${state.arn}/.pulumi/*",
        "${key.arn}",
    }
    assert (
        one("RolePolicyAttachment").inputs["role"] == "ci"
        and one("UserPolicyAttachment").inputs["user"] == "ada"
    )


def test_it_says_what_pulumi_wants_to_hear():
    outputs = planned().outputs
    assert outputs["url"] == "s3://example-org-state?region=us-east-1&awssdk=v2"
    assert (
        outputs["secrets_provider"] == "awskms://alias/example-org-state?region=us-east-1"
        and outputs["policy"] == "${users.arn}"
    )


def _settings():
    spec = importlib.util.spec_from_file_location("backend_settings", FOLDER / "settings.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["backend_settings"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, ["bucket: is not the name", "owner: is missing"]),
        (
            {"bucket": "s3://x", "owner": "me"},
            ["bucket: is not the name of a bucket (got 's3://x')"],
        ),
        (
            {"bucket": "abc", "owner": "me", "principals": "x"},
            ["principals: must be a list (got 'x')"],
        ),
        (
            {"bucket": "abc", "owner": "me", "principals": ["root"]},
            ["principals[0]: is not the ARN of a role or user (got 'root')"],
        ),
        (
            {"bucket": "abc", "owner": "me", "vpc_endpoint": "vpce-1"},
            ["administrators: is empty", "vpc_endpoint: is not the id"],
        ),
        (
            {"bucket": "abc", "owner": "me", "colour": "red"},
            ["colour: is not an option; remove it"],
        ),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(values, lines):
    with pytest.raises(ValueError) as caught:
        _settings().read(values)
    said = str(caught.value).split("\n")
    assert len(said) == len(lines) and all(
        found.startswith(line) for found, line in zip(said, lines, strict=True)
    ), said
