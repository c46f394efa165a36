"""docs/aws-access.md: every stack-file fragment is one that the plan takes, the commands answer as
the page says, and its programs and policies do what is said.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from jupyterhub_aws.checks.identities.conditions import RequestContext
from jupyterhub_aws.checks.identities.documents import parse_policy
from jupyterhub_aws.checks.identities.evaluator import (
    AccessRequest,
    PolicySet,
    Principal,
    decide,
)
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from tests.components.test_hub_alone import arguments
from tests.support.in_process import in_process
from tests.support.programs import record_program
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, config_of, dev_stack, engine_key, engine_values

PAGE = ROOT / "docs" / "aws-access.md"
TEXT = PAGE.read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROLE = "arn:aws:iam::123456789012:role/jhub-dev-main-servers-all"


def blocks(language: str) -> list[tuple[str, str]]:
    """Each block of a language with the heading that it is below."""
    found = []
    for match in _BLOCK.finditer(TEXT):
        if match[1] == language:
            heading = re.findall(r"^#+ (.*)$", TEXT[: match.start()], re.MULTILINE)[-1]
            found.append((heading, match[2]))
    return found


def on_top(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps of `above` added to those of `below`; everything else of `above` replaces."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = on_top(merged[key], value) if both else value
    return merged


def stack_with(fragment: str, *, isolated: bool = False) -> StackConfig:
    below = config_of(ROOT / "Pulumi.airgap.yaml") if isolated else dev_stack()
    above = {engine_key(key): value for key, value in yaml.safe_load(fragment).items()}
    return validated_values(*engine_values(on_top(below, above)))


FRAGMENTS = blocks("yaml")
#: The stack file of the page's commands and programs.
STORY = next(text for heading, text in FRAGMENTS if heading.startswith("Students read"))


@pytest.mark.parametrize(
    ("heading", "fragment"), FRAGMENTS, ids=[heading[:30] for heading, _ in FRAGMENTS]
)
def test_every_fragment_is_a_stack_file_that_validates(heading: str, fragment: str) -> None:
    stack = stack_with(fragment, isolated=heading == "Isolated networks")
    assert stack.buckets


def test_there_are_as_many_fragments_as_kinds_of_use() -> None:
    assert len(FRAGMENTS) == 8
    kinds = {
        bucket["kind"]
        for _, text in FRAGMENTS
        for bucket in yaml.safe_load(text)["buckets"].values()
    }
    assert kinds == {"scratch", "shared", "existing", "public"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stack file of the page."""
    folder = tmp_path_factory.mktemp("story")
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    file = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    whole = {"config": on_top(file["config"], yaml.safe_load(STORY))}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    return folder


def test_the_story_has_a_green_plan(story: Path) -> None:
    done = in_process(["plan", "dev"], story, {"COLUMNS": "100"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No check failed" in done.stdout


def _commands() -> list[tuple[str, str]]:
    ((_, text),) = blocks("console")
    return [
        (command, answer)
        for command, _, answer in (part.partition("\n") for part in text.split("$ ")[1:])
    ]


@pytest.mark.parametrize(
    ("command", "answer"), _commands(), ids=[command[9:50] for command, _ in _commands()]
)
def test_each_command_answers_as_the_page_says(story: Path, command: str, answer: str) -> None:
    program, *words = command.split()
    assert program == "jhub"
    done = in_process(words, story)
    assert done.stdout == answer, done.stderr
    assert done.returncode == (0 if answer.startswith("yes") else 1)


def test_the_users_program_writes_and_lists_its_own_folder() -> None:
    code = next(text for _, text in blocks("python") if "boto3" in text)
    access = resolve(stack_with(STORY)).hubs["main"].access
    assert access is not None
    spec = access.of("small", ())
    assert spec is not None
    environment = {
        key: value.replace("{pod_name}", "jupyter-ada") for key, value in spec.environment.items()
    }
    for name, address in environment.items():
        assert f"`{name}` is `{address}`" in TEXT
    calls: list[tuple[str, dict[str, Any]]] = []
    client = types.SimpleNamespace(
        put_object=lambda **given: calls.append(("s3:PutObject", given)),
        list_objects_v2=lambda **given: calls.append(("s3:ListBucket", given)) or {},
    )
    sdk = types.SimpleNamespace(client=lambda service: client)
    with (
        mock.patch.dict(sys.modules, {"boto3": sdk}),  # type: ignore[dict-item] # no module
        mock.patch.dict("os.environ", environment),
    ):
        exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 -- the page's own program
    assert [action for action, _ in calls] == ["s3:PutObject", "s3:ListBucket"]
    assert spec.policy is not None
    for action, given in calls:
        key = given.get("Key", given.get("Prefix"))
        answer = asked(action, given["Bucket"], key, identity=spec.policy, owner="123456789012")
        assert answer, (action, key)


def asked(
    action: str, bucket: str, key: str, *, identity: Any, owner: str, resource: Any = None
) -> bool | None:
    """IAM's answer to a call of ada's server."""
    known = {
        "aws:principalaccount": "123456789012",
        "aws:resourceaccount": owner,
        "aws:principaltag/kubernetes-pod-name": "jupyter-ada",
        "s3:prefix": key,
    }
    arn = f"arn:aws:s3:::{bucket}" + ("" if action == "s3:ListBucket" else f"/{key}")
    request = AccessRequest(
        caller=Principal("role", ROLE),
        action=action,
        resource=arn,
        context=RequestContext({name: (value,) for name, value in known.items()}, ("aws:", "s3:")),
    )
    return decide(
        request,
        PolicySet(
            identity=(parse_policy("access", identity),),
            resource=None if resource is None else (parse_policy("bucket", resource),),
        ),
    ).allowed


def test_the_policy_of_another_owner_lets_those_servers_read_and_no_more() -> None:
    ((_, text),) = blocks("json")
    document = json.loads(text)
    fragment = next(
        text for heading, text in FRAGMENTS if heading.startswith("A bucket of another")
    )
    access = resolve(stack_with(fragment)).hubs["main"].access
    assert access is not None
    spec = access.of("small", ())
    assert spec is not None and spec.policy is not None
    assert ROLE.endswith(f"/{spec.role_name}")
    principals = {item["Principal"]["AWS"] for item in document["Statement"]}
    assert principals == {ROLE}
    for action, there in (("s3:GetObject", True), ("s3:ListBucket", True), ("s3:PutObject", False)):
        answer = asked(
            action,
            "their-lectures",
            "week1.csv",
            identity=spec.policy,
            owner="210987654321",
            resource=document,
        )
        assert bool(answer) is there, action
    theirs = {action for item in document["Statement"] for action in item["Action"]}
    ours = {action for item in spec.policy["Statement"] for action in item["Action"]}
    assert theirs <= ours


def test_the_program_with_components_makes_a_hub_with_that_access() -> None:
    code = next(text for _, text in blocks("python") if "BucketsArgs" in text)
    given = arguments()

    def program() -> None:
        names = {
            "cluster": types.SimpleNamespace(outputs=given.cluster),
            "pools": types.SimpleNamespace(outputs=given.pools),
            "homes": given.homes,
        }
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 -- the page's own program

    recording = record_program(program)
    assert [item.name for item in recording.resources.of("jupyterhub-aws:hub:ServerRole")] == [
        "main-cloud-servers-all"
    ]


def test_every_link_of_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)?(#[^)]+)?\)", TEXT):
        file, anchor = target
        if file.startswith("https://"):
            continue  # of another project
        page = PAGE if not file else PAGE.parent / file
        assert page.exists(), target
        if anchor:
            text = page.read_text(encoding="utf-8")
            slugs = {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            }
            assert anchor[1:] in slugs or f'id="{anchor[1:]}"' in text, target
