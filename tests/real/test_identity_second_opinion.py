"""A second opinion on the identity proof: moto's own IAM engine, asked the same over policies
that it reads as AWS does, and AWS's dump of managed policies.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.identities.conditions import RequestContext
from jupyterhub_aws.checks.identities.documents import parse_policy
from jupyterhub_aws.checks.identities.evaluator import AccessRequest, PolicySet, Principal, decide
from jupyterhub_aws.config.managed_policies import managed_policy_exists
from scripts.refresh_managed_policies import documents, known, path_of

pytestmark = pytest.mark.real

# What moto's engine reads: Action and NotAction, Resource, `*`. It takes other characters as those
# of a regular expression, case of actions counts,
# and it knows neither NotResource nor conditions but those of trust policies, so that none of these
# are asked.
_ACTIONS = st.sampled_from(
    ["*", "ec2:*", "ec2:AttachVolume", "ec2:Attach*", "ec2:Describe*", "s3:GetObject", "s3:*Object"]
)
_RESOURCES = st.sampled_from(
    [
        "*",
        "arn:aws:ec2:us-east-1:123456789012:volume/vol-1",
        "arn:aws:ec2:*:*:volume/*",
        "arn:aws:s3:::bucket/*",
    ]
)


@st.composite
def _statement(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            st.lists(_ACTIONS, min_size=1, max_size=3)
        ),
        "Resource": draw(st.lists(_RESOURCES, min_size=1, max_size=2)),
    }


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(_statement(), min_size=1, max_size=4),
    st.sampled_from(
        ["ec2:AttachVolume", "ec2:DescribeVolumes", "s3:GetObject", "s3:PutObject", "iam:PassRole"]
    ),
    st.sampled_from(
        [
            "arn:aws:ec2:us-east-1:123456789012:volume/vol-1",
            "arn:aws:ec2:us-east-1:123456789012:instance/i-1",
            "arn:aws:s3:::bucket/key",
            "*",
        ]
    ),
)
def test_motos_engine_says_the_same(
    statements: list[dict[str, Any]], action: str, resource: str
) -> None:
    from moto.iam.access_control import IAMPolicy, PermissionResult

    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    theirs = IAMPolicy(text).is_action_permitted(action, resource) == PermissionResult.PERMITTED
    asked = AccessRequest(
        caller=Principal("role", "arn:aws:iam::123456789012:role/r"),
        action=action,
        resource=resource,
        context=RequestContext({}, ("aws:",)),
    )
    assert decide(asked, PolicySet(identity=(parse_policy("p", text),))).allowed is theirs


def test_the_data_is_what_moto_has_and_every_policy_of_aws_is_read() -> None:
    from jupyterhub_aws.config.managed_policies import DOCUMENTS, NAMES

    dump = known()
    assert json.loads(DOCUMENTS.read_text(encoding="utf-8"))["policies"] == documents(dump), (
        "run python -m scripts.refresh_managed_policies"
    )
    assert json.loads(NAMES.read_text(encoding="utf-8"))["names"] == sorted(
        path_of(name, policy) for name, policy in dump.items()
    )
    for name, policy in dump.items():
        assert managed_policy_exists(path_of(name, policy))
        assert parse_policy(name, policy["Document"]).statements
