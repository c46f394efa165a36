"""The policy pack without an engine: every check is in it or named with a reason, and it finds
on real ids what a plan finds on placeholders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterhub_aws.checks.all import CHECKS
from jupyterhub_aws.checks.resources import UNKNOWN
from jupyterhub_aws.policy.pack import ENFORCED, NOT_HERE, message, policies, violations
from jupyterhub_aws.policy.resources import plain, translated
from tests.support.stacks import FULL, record, recorded_once


@dataclass
class Shown:
    resource_type: str
    props: dict[str, Any]
    urn: str
    name: str
    opts: Any
    parent: Any = None
    dependencies: list = field(default_factory=list)


def shown(recording):
    """What an engine would show after `up`: inputs with real ids, and those ids as outputs."""
    identities = {
        item.name: f"thing-{index:012x}" for index, item in enumerate(recording.resources)
    }

    def real(value):
        text = json.dumps(value)
        for name, identity in identities.items():
            text = text.replace("${" + name + ".id}", identity)
        return json.loads(text)

    return [
        Shown(
            item.type,
            {**real(dict(item.inputs)), "id": identities[item.name]},
            item.urn,
            item.name,
            SimpleNamespace(protect=item.protect, ignore_changes=[]),
        )
        for item in recording.resources
        if item.custom
    ]


@pytest.fixture(scope="module")
def stack():
    from jupyterhub_aws.config.stack_file import read
    from tests.support.stack_files import ROOT

    return recorded_once(read(ROOT / "Pulumi.dev.yaml", FULL))[0]


def test_every_check_is_enforced_or_named_with_a_reason():
    enforced = {item.check for item in ENFORCED.values()}
    assert enforced | set(NOT_HERE) == set(CHECKS) and not enforced & set(NOT_HERE)
    assert all(reason.strip() for reason in NOT_HERE.values())


@pytest.mark.real
@pytest.mark.parametrize("name", ENFORCED)
def test_what_the_program_makes_violates_nothing(name, stack):
    assert violations(ENFORCED[name], "fail", stack, translated(shown(record(*FULL)))) == []


def test_placeholders_come_back_where_real_ids_stand():
    resources = translated(shown(record(*FULL)))
    (target,) = [item for item in resources if item.name == "homes-mount-target-a"]
    assert target.inputs["fileSystemId"] == "${homes-file-system.id}" and target.inputs[
        "id"
    ].startswith("thing-")


@pytest.mark.parametrize(
    ("name", "kind", "spoil"),
    [
        ("everything-encrypted", "fileSystem:FileSystem", {"encrypted": False}),
        (
            "metadata-service-guarded",
            "launchTemplate:LaunchTemplate",
            {"metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 1}},
        ),
        (
            "no-open-door",
            "SecurityGroupIngressRule",
            {"cidrIpv4": "0.0.0.0/0", "referencedSecurityGroupId": None},
        ),
    ],
)
def test_what_is_wrong_is_found_by_the_same_check(name, kind, spoil, stack):
    seen = shown(record(*FULL))
    item = next(
        item for item in seen if item.resource_type.endswith(kind) and "entry" not in item.name
    )
    item.props.update(spoil)
    found = violations(ENFORCED[name], "fail", stack, translated(seen))
    assert found and found[0].subjects == (item.urn,) and item.name in message(found[0])


def test_what_is_not_protected_is_found(stack):
    seen = shown(record(*FULL))
    (item,) = [item for item in seen if item.name == "homes-file-system"]
    item.opts = SimpleNamespace(protect=False, ignore_changes=[])
    assert [
        finding.subjects
        for finding in violations(ENFORCED["data-protected"], "fail", stack, translated(seen))
    ] == [(item.urn,)]


def test_what_is_not_known_yet_is_left_to_the_run_that_knows_it(stack):
    class Unknowing(dict):
        def __getitem__(self, key):
            if key == "encrypted":
                raise RuntimeError("can't be known during preview")
            return super().__getitem__(key)

    seen = shown(record(*FULL))
    (item,) = [item for item in seen if item.name == "homes-file-system"]
    item.props = Unknowing(item.props)
    assert plain(item.props)["encrypted"] == UNKNOWN
    assert violations(ENFORCED["everything-encrypted"], "fail", stack, translated(seen)) == []


def test_each_check_has_a_mandatory_and_an_advisory_policy(stack):
    made = policies(lambda: stack)
    assert len(made) == 2 * len(ENFORCED) and len({policy.name for policy in made}) == len(made)
