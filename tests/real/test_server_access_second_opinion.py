"""A second opinion on what users' servers may do: 500 random questions to moto's own IAM engine over
the roles that plans record, and the same to `jhub can`.

moto's engine knows neither variables nor conditions: the pod's name is filled in, and questions are
about objects and ARNs, where the conditions (the bucket's owner) hold.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from click.testing import CliRunner

from jupyterhub_aws.checks.identities.servers import ServerRights
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.usernames import pod_name
from tests.checks.doctored import dev
from tests.support.stacks import SERVERS_IN_AWS

pytestmark = pytest.mark.real

QUESTIONS = 500
_BUCKETS = SERVERS_IN_AWS[:2]
_FOLDERS = ("", "home/", "data/", "data/raw/", "course_1/")
_USERS = ("ada", "eve", "ada-x", "ada@example.org", "1st", "a--b", "ärger", "x" * 60)
_ACTIONS = (
    "s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
    "s3:PutObjectAcl", "s3:GetBucketLocation", "s3:PutBucketPolicy", "athena:StartQueryExecution", "iam:CreateUser",
)  # fmt: skip
_GROUPS: tuple[tuple[str, ...], ...] = (
    (),
    ("jupyter:staff",),
    ("jupyter:a", "jupyter:staff"),
    ("jupyter:other",),
)


def _access(chance: random.Random) -> dict[str, Any]:
    """A random access: folders of three buckets, of which no group's overlaps by mistake."""
    wanted = []
    for bucket in chance.sample(("work", "lectures", "scratch", "open"), 3):
        write = bucket != "open" and chance.random() < 0.5
        wanted.append(
            {
                "bucket": bucket,
                "prefix": chance.choice(_FOLDERS),
                "write": write,
                "per_user": write and chance.random() < 0.6,
                "overlap": True,
            }
        )
    statements = [
        {
            "actions": ["athena:StartQuery*"],
            "resources": ["arn:aws:athena:us-east-1:111122223333:workgroup/users"],
        }
    ]
    return {"buckets": wanted, **({"statements": statements} if chance.random() < 0.5 else {})}


def _settings(seed: int) -> tuple[str, ...]:
    chance = random.Random(seed)
    entries = [
        {**_access(chance), "name": f"n{number}", "groups": [group]}
        for number, group in enumerate(("jupyter:staff", "jupyter:a"))
    ]
    whole = {**_access(chance), "by_group": entries}
    return (
        *_BUCKETS,
        f"hubs.main.aws_access={json.dumps(whole)}",
        f"hubs.main.profiles.gpu.aws_access={json.dumps(_access(chance))}",
    )


def _question(chance: random.Random, stack: StackConfig) -> dict[str, Any]:
    bucket = chance.choice([*resolve(stack).buckets.values()])
    folder, user = chance.choice(_FOLDERS), chance.choice(_USERS)
    own = chance.choice(("", f"{pod_name(user)}/", f"{pod_name('eve')}/", f"{pod_name(user)}x/"))
    action = chance.choice(_ACTIONS)
    key = "" if action in ("s3:GetBucketLocation", "s3:PutBucketPolicy") else f"{folder}{own}file"
    resource = bucket.arn
    if not action.startswith("s3:"):
        ending = chance.choice(("users", "others"))
        resource, key = f"arn:aws:athena:us-east-1:111122223333:workgroup/{ending}", ""
    return {
        "profile": chance.choice(("small", "large", "gpu")),
        "groups": chance.choice(_GROUPS),
        "user": user,
        "action": action,
        "resource": resource,
        "key": key,
    }


def _theirs(resources: Resources, role: str, question: dict[str, Any]) -> bool:
    """What moto's engine answers over the recorded inline policy of a role."""
    from moto.iam.access_control import IAMPolicy, PermissionResult

    (inline,) = [
        item.inputs["policy"]
        for item in resources.of("aws:iam/rolePolicy:RolePolicy")
        if item.name == role.removesuffix("-role") + "-policy"
    ]
    filled = inline.replace(
        "${aws:PrincipalTag/kubernetes-pod-name}", pod_name(question["user"].lower())
    )
    arn = f"{question['resource']}/{question['key']}" if question["key"] else question["resource"]
    found = IAMPolicy(filled).is_action_permitted(question["action"], arn)
    return bool(found == PermissionResult.PERMITTED)


def test_moto_and_jhub_can_answer_500_random_questions_alike() -> None:
    from jupyterhub_aws.cli.commands.can import can_command

    asked, allowed, by_command = 0, 0, 0
    for seed in range(5):
        settings = _settings(seed)
        stack, resources = dev(*settings)
        rights, chance = ServerRights(stack, resources), random.Random(100 + seed)
        for number in range(QUESTIONS // 5):
            question = _question(chance, stack)
            answer = rights.may("main", **question)
            assert answer.role is not None and answer.role.role is not None
            theirs = _theirs(resources, answer.role.role.name, question)
            assert answer.allowed is theirs, (seed, question, answer.decision)
            asked, allowed = asked + 1, allowed + theirs
            if number % 25 == 0:  # a whole command each: a plan of its own
                name = f"{question['resource']}/{question['key']}".rstrip("/")
                words = ["dev", "main", question["action"], name, "--json"]
                words += ["--profile", question["profile"], "--user", question["user"]]
                words += [word for group in question["groups"] for word in ("--group", group)]
                words += [word for setting in settings for word in ("--set", setting)]
                done = CliRunner().invoke(can_command, words, standalone_mode=False)
                assert done.exception is None, done.output
                assert json.loads(done.output)["allowed"] is theirs, (question, done.output)
                assert done.return_value == (0 if theirs else 1)
                by_command += 1
    assert asked == QUESTIONS and 50 < allowed < 450 and by_command == 20
