"""The program that makes the roles of workflows, planned."""

from __future__ import annotations

import json

import pytest

from jupyterhub_aws.config.project import Program
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate
from tests.support.stack_files import ROOT, read_yaml
from tests.support.stacks import quiet_sdks

FOLDER = ROOT / "examples" / "ci"


@pytest.fixture(scope="module")
def recording():
    return evaluated()


def evaluated(**more):
    given = read_yaml(FOLDER / "Pulumi.dev.yaml")["config"]
    values = {
        key: json.dumps(value) if isinstance(value, list) else value for key, value in given.items()
    } | {"jupyterhub-aws-ci:account": "123456789012"}
    values |= {f"jupyterhub-aws-ci:{key}": value for key, value in more.items()}
    where = PlannedProgram(
        project="jupyterhub-aws-ci",
        stack="dev",
        folder=FOLDER,
        program=Program(folder=FOLDER, file=FOLDER / "__main__.py"),
    )
    with quiet_sdks():
        return evaluate(values, secret=(), where=where)


def test_two_roles_a_provider_and_their_policies(recording):
    roles = {item.name: item for item in recording.resources if item.type == "aws:iam/role:Role"}
    assert (
        set(roles) == {"ci-preview", "ci-up"}
        and len(recording.resources.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")) == 1
    )
    trusted = {
        name: json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]
        for name, role in roles.items()
    }
    assert trusted["ci-preview"]["Condition"]["StringEquals"][
        "token.actions.githubusercontent.com:sub"
    ] == ["repo:example-org/hub:ref:refs/heads/main"]
    assert trusted["ci-up"]["Condition"]["StringEquals"][
        "token.actions.githubusercontent.com:sub"
    ] == ["repo:example-org/hub:environment:dev"]
    attached = [
        item.inputs["role"]
        for item in recording.resources.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    ]
    assert attached.count("jhub-dev-ci-preview") >= 1 and attached.count("jhub-dev-ci-up") >= 2
    assert set(recording.outputs) == {"preview_role", "up_role"}


def test_a_third_role_pushes_images_where_repositories_are_named():
    recording = evaluated(image_repositories='["physics"]')
    roles = {item.name: item for item in recording.resources if item.type == "aws:iam/role:Role"}
    assert set(roles) == {"ci-preview", "ci-up", "ci-images"}
    assert roles["ci-images"].inputs["name"] == "jhub-dev-ci-images"
    trusted = json.loads(roles["ci-images"].inputs["assumeRolePolicy"])["Statement"][0]
    assert trusted["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == [
        "repo:example-org/hub:ref:refs/heads/main"
    ]
    (policy,) = [
        json.loads(item.inputs["policy"])
        for item in recording.resources.of("aws:iam/policy:Policy")
        if item.name.startswith("ci-images")
    ]
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert "ecr:PutImage" in actions and {
        statement["Sid"] for statement in policy["Statement"]
    } == {
        "SignIn",
        "Push",
    }
    assert set(recording.outputs) == {"preview_role", "up_role", "images_role"}
