"""The committed closed stacks, as a newcomer gets them: they plan, the same byte for byte, and
what they make is this.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from jupyterhub_aws.checks.resources import PLATFORM
from jupyterhub_aws.config.schema import stack_schema
from tests.support.json_schema import Draft202012Validator
from tests.support.stack_files import ROOT, read_yaml
from tests.support.stacks import record

STACKS = ("airgap", "airgap-hub", "examples/kubeadm/Pulumi.kubeadm.yaml")
#: Components of both halves, and the one that a whole stack makes of two.
IN_BOTH = (
    PLATFORM,
    "jupyterhub-aws:index:JupyterHub",
    "jupyterhub-aws:index:ClusterAutoscaler",
    "jupyterhub-aws:autoscaler:AutoscalerRelease",
)


def plan(stack: str, seed: str) -> subprocess.CompletedProcess[bytes]:
    command = [
        sys.executable,
        "-m",
        "jupyterhub_aws.cli.main",
        "plan",
        stack,
        "--json",
        "--as-of",
        "2026-11-24",
    ]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    )


@pytest.mark.real
@pytest.mark.parametrize("stack", STACKS)
def test_it_plans_without_a_failure_and_the_same_twice(stack):
    first, second = plan(stack, "1"), plan(stack, "2")
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    found = json.loads(first.stdout)
    assert not [check for check in found["checks"] if check["status"] == "fail"]
    assert sum(check["id"].startswith("airgap-") for check in found["checks"]) == {
        "airgap": 10,
        "airgap-hub": 16,
    }.get(stack, 8)


@pytest.mark.parametrize("stack", ["Pulumi.airgap.yaml", "Pulumi.airgap-hub.yaml", STACKS[2]])
def test_an_editor_finds_nothing_wrong_with_it(stack):
    document = read_yaml(ROOT / stack)
    assert (
        list(Draft202012Validator(stack_schema()).iter_errors(json.loads(json.dumps(document))))
        == []
    )


def test_the_outer_half_has_no_kubernetes_and_the_inner_one_no_aws():
    outer, inner = record("stack=airgap"), record("stack=airgap-hub")
    assert {item.type for item in outer.resources if item.type.startswith("kubernetes:")} == set()
    assert {item.type.partition(":")[0] for item in inner.resources} == {
        "jupyterhub-aws",
        "kubernetes",
        "pulumi",
        "random",
    }

    def made(resources):
        """The platform and its hubs are components of both halves."""
        return Counter(
            item.type
            for item in resources
            if not item.type.startswith("pulumi:providers") and item.type not in IN_BOTH
        )

    assert made([*outer.resources, *inner.resources]) == made(
        record("stack=airgap", "parts=all").resources
    )


@pytest.mark.real
def test_the_outer_half_hands_over_what_the_inner_one_needs_and_no_secret_in_clear():
    outputs = record("stack=airgap", "hubs.main.database={kind: postgres}").outputs
    assert set(outputs) >= {
        "kubeconfig",
        "hub_facts",
        "configuration",
        "runner",
        "bundle_bucket",
        "database_passwords",
    }
    assert outputs["hub_facts"]["main"]["database_url"].startswith(
        "postgresql+psycopg2://jupyterhub@"
    )
    assert "[secret]" in json.dumps(outputs["database_passwords"])
    assert len(outputs["configuration"]) == 16
