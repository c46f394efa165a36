"""The components of another language are those of Python: the same program makes the same
resources.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from typing import Any
from unittest import mock

import pulumi
import pytest

from tests.support.other_languages import OtherLanguage, platform_of
from tests.support.programs import record_program
from tests.support.stack_files import ROOT
from tests.support.stacks import StackRecording, record


def composed_elsewhere() -> None:
    """examples/compose, said as a program in TypeScript says it."""
    there = OtherLanguage()
    network = there.make(
        "Network",
        "lab",
        {"cidr": "10.0.0.0/16", "zones": ["us-east-1a", "us-east-1b"], "nat": "single"},
    )
    given: dict[str, Any] = {
        "network": network["handle"],
        "version": "1.35",
        "publicAccessCidrs": ["203.0.113.0/24"],
        "protected": False,
    }
    cluster = there.make("Cluster", "lab-cluster", given)
    memory = {
        "capacity": "spot_first",
        "instanceTypes": ["r5n.2xlarge", "r6i.2xlarge"],
        "size": {"max": 10},
    }
    pools = there.make(
        "NodePools", "lab-pools", {"cluster": cluster["handle"], "pools": {"memory": memory}}
    )
    inside = {"cluster": cluster["handle"], "pools": pools["handle"]}
    there.make("NodeAgents", "lab-agents", inside)
    there.make("ClusterAutoscaler", "lab-autoscaler", inside)
    homes = there.make("EfsHomes", "lab-homes", {"cluster": cluster["handle"], "hubs": ["main"]})
    there.make(
        "JupyterHub",
        "main",
        {
            **inside,
            "efsHomes": homes["handle"],
            "signIn": {
                "kind": "github",
                "clientId": "Ov23liDocumentation0",
                "allowedOrganizations": ["example-org"],
            },
            "entry": {"kind": "port_forward"},
            "profiles": {
                "small": {"pool": "memory", "cpu": 2, "memory": "16G"},
                "large": {"pool": "memory", "cpu": 4, "memory": "32G"},
            },
            "secrets": {"client-secret": pulumi.Output.secret("a secret of the test")},
        },
    )


def composed_in_python() -> None:
    with mock.patch.object(
        pulumi.Config, "require_secret", lambda *_: pulumi.Output.secret("a secret of the test")
    ):
        runpy.run_path(str(ROOT / "examples" / "compose" / "__main__.py"))


@pytest.fixture(scope="module")
def ours() -> StackRecording:
    return record_program(composed_in_python)


@pytest.fixture(scope="module")
def theirs() -> StackRecording:
    return record_program(composed_elsewhere)


def made(found: StackRecording) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Every resource by type and name with its inputs. Providers of Kubernetes are each
    component's own there, and the cluster's here.
    """
    return {
        (item.type, item.name): item.inputs
        for item in found.resources
        if item.type != "pulumi:providers:kubernetes"
    }


@pytest.mark.real
def test_what_is_composed_in_another_language_is_what_python_composes(
    ours: StackRecording, theirs: StackRecording
) -> None:
    here, there = made(ours), made(theirs)
    assert sorted(here) == sorted(there)
    assert {key: (here[key], there[key]) for key in here if here[key] != there[key]} == {}


def test_everything_needs_what_it_needs_in_python(
    ours: StackRecording, theirs: StackRecording
) -> None:
    for item in ours.resources:
        if item.type == "pulumi:providers:kubernetes":
            continue
        wanted = {need for need in ours.needs(item) if need[0] != "pulumi:providers:kubernetes"}
        found = {
            need
            for need in theirs.needs(theirs.one(item.type, item.name))
            if need[0] != "pulumi:providers:kubernetes"
        }
        assert found == wanted, f"{item.name} needs {found ^ wanted} in one of the two"


@pytest.mark.real
def test_a_platform_from_a_configuration_is_that_of_its_stack_file() -> None:
    theirs = record_program(
        lambda: OtherLanguage().make(
            "JupyterHubPlatform", "platform", platform_of("dev", "a secret of the test")
        )
    )
    here, there = made(record()), made(theirs)
    assert sorted(here) == sorted(there)
    named = {
        key: json.loads(json.dumps(item).replace("dev::jupyterhub-aws::", "test::composed::"))
        for key, item in here.items()
    }
    assert {key: (item, there[key]) for key, item in named.items() if item != there[key]} == {}
