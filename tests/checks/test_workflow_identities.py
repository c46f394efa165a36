"""What the AWS provider asks for each resource of every stack, judged under the roles of
workflows (components/ci) by the identity proof's evaluator.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.checks.identities.conditions import ACCOUNT, RequestContext
from jupyterhub_aws.checks.identities.documents import parse_policy
from jupyterhub_aws.checks.identities.evaluator import (
    AccessRequest,
    Decision,
    PolicySet,
    Principal,
    decide,
)
from jupyterhub_aws.checks.identities.world import ATTACHMENT, BUCKET, ROLE, PlanWorld
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.components.ci import Backend, ResourceScope, changing, packed, reading, state
from jupyterhub_aws.config.aws_calls import actions, known_types
from jupyterhub_aws.config.specs import resolve
from tests.checks.test_airgap import evaluated
from tests.support.policies import parliament
from tests.support.stacks import ALL_STACKS

BACKEND = Backend(bucket="example-org-state", key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1")
WORKFLOW = Principal("role", f"arn:aws:iam::{ACCOUNT}:role/ci-up")
IN_AWS = {name: settings for name, settings in ALL_STACKS.items() if "kubeadm" not in str(settings)}
_GLOBAL = ("iam", "route53")


@cache
def world_of(*settings: str) -> PlanWorld:
    named = bool(settings) and settings[0].startswith("stack=")
    return PlanWorld(*evaluated(*(settings if named else ("stack=dev", *settings))))


def mine(world: PlanWorld) -> list[Resource]:
    return [item for item in world.resources if item.custom and item.type.startswith("aws:")]


def place_of(world: PlanWorld, **more: Any) -> ResourceScope:
    return ResourceScope(region=world.region, account=ACCOUNT, prefix=world.stack.name, **more)


def answers(
    world: PlanWorld, place: ResourceScope, attach: tuple[str, ...] = (), *, writes: bool = True
) -> Iterator[tuple[Resource, str, Decision]]:
    """Each call of the provider for each resource of a stack, with what IAM would answer."""
    types = sorted({item.type for item in mine(world)})
    statements = (
        *reading(types, place),
        *state(BACKEND, place, writes=writes),
        *(changing(types, place, attach=attach) if writes else ()),
    )
    policies = PolicySet(
        identity=[
            parse_policy(f"ci-{index}", text) for index, text in enumerate(packed(statements))
        ]
    )
    for resource in mine(world):
        for action in (
            *actions([resource.type], "read"),
            *(actions([resource.type], "write") if writes else ()),
        ):
            for arn, context in _about(world, resource, action):
                region = (
                    "us-east-1"
                    if action.partition(":")[0] in _GLOBAL
                    else str(resource.inputs.get("region") or world.region)
                )
                known = {
                    "aws:requestedregion": (region,),
                    **{key.lower(): (value,) for key, value in context.items()},
                }
                asked = AccessRequest(
                    caller=WORKFLOW,
                    action=action,
                    resource=arn,
                    context=RequestContext(known, ("aws:", "iam:")),
                )
                yield resource, action, decide(asked, policies)


def _about(  # noqa: C901 -- one table
    world: PlanWorld, resource: Resource, action: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """The resources of a call and its condition keys, where IAM tells them apart; `*` elsewhere."""
    service, _, name = action.partition(":")
    if action == "iam:PassRole":
        if resource.type == ROLE:
            yield (
                world.arn(resource),
                {
                    "iam:PassedToService": json.loads(resource.inputs["assumeRolePolicy"])[
                        "Statement"
                    ][0]["Principal"]["Service"]
                },
            )
    elif name in ("AttachRolePolicy", "DetachRolePolicy"):
        if resource.type == ATTACHMENT:
            yield (
                _iam(world, "role", resource.inputs["role"]),
                {"iam:PolicyARN": world.real(str(resource.inputs["policyArn"]))},
            )
    elif name == "CreateRole" and resource.type != ROLE:
        return
    elif service == "iam":
        kind = resource.type.partition("/")[2].partition(":")[0]
        known = {
            "rolePolicy": "role",
            "rolePolicyAttachment": "role",
            "instanceProfile": "instance-profile",
        }.get(kind, kind)
        yield (
            _iam(
                world,
                known,
                (
                    resource.inputs.get("role")
                    if known == "role" and kind != "role"
                    else resource.inputs.get("name")
                ),
            ),
            {},
        )
    elif service == "s3":
        for bucket in (
            [resource]
            if resource.type == BUCKET
            else world.resources.referred(resource.inputs["bucket"], BUCKET)
        ):
            yield world.arn(bucket), {}
    elif service == "ssm":
        for image in re.findall(r"resolve:ssm:(/[\w/.-]+)", json.dumps(dict(resource.inputs))):
            yield f"arn:aws:ssm:{world.region}::parameter{image}", {}
    elif service == "route53":
        yield "arn:aws:route53:::hostedzone/Z1", {}
    else:
        yield f"arn:aws:{service}:{world.region}:{ACCOUNT}:thing", {}


def _iam(world: PlanWorld, kind: str, name: object) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{world.real(str(name))}"


def denied(
    world: PlanWorld, place: ResourceScope, attach: tuple[str, ...] = (), *, writes: bool = True
) -> set[tuple[str, str]]:
    return {
        (resource.name, action)
        for resource, action, decision in answers(world, place, attach, writes=writes)
        if decision.allowed is not True
    }


@pytest.mark.real
@pytest.mark.parametrize("settings", IN_AWS.values(), ids=IN_AWS)
@pytest.mark.parametrize("writes", [False, True], ids=["preview", "up"])
def test_a_workflow_may_do_what_the_provider_asks_of_it(
    settings: tuple[str, ...], writes: bool
) -> None:
    world = world_of(*settings)
    regions = tuple(
        {str(item.inputs["region"]) for item in mine(world) if item.inputs.get("region")}
        - {world.region}
    )
    place = place_of(world, further_regions=regions)
    assert denied(world, place, _said(world), writes=writes) == set()


def _said(world: PlanWorld) -> tuple[str, ...]:
    """Policies that a stack file names, for its runner and for users' servers: a workflow's role
    attaches those that it is told of.
    """
    runner = getattr(world.stack, "runner", None)
    servers = [
        arn
        for hub in resolve(world.stack).hubs.values()
        if hub.access is not None
        for access in hub.access.accesses
        for arn in access.policy_arns
    ]
    return (*(runner.policies if runner else ()), *servers)


def test_without_its_further_regions_the_copies_of_backups_are_refused():
    world = world_of(*ALL_STACKS["full"])
    refused = denied(world, place_of(world), _said(world))
    assert {"backups-copy-vault", "backups-copy-key"} <= {name for name, _ in refused}
    assert {name.partition("-copy-")[0] for name, _ in refused} == {"backups"}


def test_an_external_policy_is_attached_only_when_it_is_named():
    world = world_of(*ALL_STACKS["closed"])
    assert denied(world, place_of(world)) == {
        ("runner-pulumi-state", "iam:AttachRolePolicy"),
        ("runner-pulumi-state", "iam:DetachRolePolicy"),
    }
    assert (
        denied(world, place_of(world), ("arn:aws:iam::123456789012:policy/pulumi-state",)) == set()
    )


def test_only_parameters_of_awss_own_are_read():
    world = world_of()
    documents = [
        parse_policy("ci", text)
        for text in packed(changing(sorted({item.type for item in mine(world)}), place_of(world)))
    ]
    for arn, answer in (
        (f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/database-password", False),
        ("arn:aws:ssm:us-east-1::parameter/aws/service/eks/optimized-ami/x", True),
    ):
        asked = AccessRequest(
            caller=WORKFLOW,
            action="ssm:GetParameters",
            resource=arn,
            context=RequestContext({"aws:requestedregion": ("us-east-1",)}, ("aws:",)),
        )
        assert decide(asked, PolicySet(identity=documents)).allowed is answer


#: Permissions that the Service Authorization Reference names beside a call, and why no run of ours
#: needs them.
NOT_NEEDED = {
    "iam:CreateServiceLinkedRole": (
        "in a statement of its own (components/ci.py), for the services that may make one"
    ),
    "kms:Decrypt": (
        "of a database's own key, or a password that RDS keeps: the program uses neither"
    ),
    "kms:GenerateDataKey": "as the one before",
    "secretsmanager:CreateSecret": "as the one before",
    "secretsmanager:RotateSecret": "as the one before",
    "secretsmanager:TagResource": "as the one before",
    "rds:CreateTenantDatabase": "of Oracle",
    "rds:DeleteTenantDatabase": "of Oracle",
    **dict.fromkeys(
        (
            "ecs:ListClusters",
            "ecs:ListContainerInstances",
            "ecs:ListServices",
            "ecs:ListTaskDefinitions",
            "ecs:ListTasks",
        ),
        "flow logs with ECS's fields",
    ),
}


@pytest.mark.real
def test_what_a_call_needs_besides_its_own_permission_is_in_the_table():
    """AWS's own list (parliament's copy of the Service Authorization Reference): a name that
    does not exist is found too.
    """
    parliament()
    definition = json.loads(
        (
            Path(str(importlib.util.find_spec("parliament").origin)).parent / "iam_definition.json"
        ).read_text()
    )  # type: ignore[union-attr]
    known = {
        f"{service['prefix']}:{item['privilege']}".lower(): item
        for service in definition
        for item in service["privileges"]
    }
    given = {action for which in ("read", "write") for action in actions(known_types(), which)}
    assert {action for action in given if action.lower() not in known} == set(), (
        "AWS has no such action"
    )
    besides = {
        action
        for name in given
        for row in known[name.lower()]["resource_types"]
        for action in row["dependent_actions"]
    }
    assert besides - given - set(NOT_NEEDED) == set()
    assert set(NOT_NEEDED) <= besides, "what nothing asks for leaves the list"
