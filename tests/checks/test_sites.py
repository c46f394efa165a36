"""Whom a stack would talk to: exactly those whom something in it names, and nobody any more when
that is gone.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from jupyterhub_aws.checks.sites import sites
from tests.checks.test_airgap import evaluated
from tests.support.stack_files import ROOT


def listed(*settings: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for site in sites(*evaluated(*settings)):
        found.setdefault(site.who, set()).add(site.host)
    return found


def test_an_open_stack_names_registries_their_layers_apis_sign_in_and_charts():
    found = listed("stack=dev")
    assert {
        "quay.io",
        "cdn.quay.io",
        "registry.k8s.io",
        "*.pkg.dev",
        "nvcr.io",
        "public.ecr.aws",
        "ec2.us-east-1.amazonaws.com",
    } <= found["nodes"]
    assert (
        found["hub"] == {"github.com", "api.github.com"}
        and found["browsers"] == {"github.com"}
        and found["servers"] == {"*"}
    )
    assert {
        "hub.jupyter.org",
        "kubernetes.github.io",
        "iam.amazonaws.com",
        "eks.us-east-1.amazonaws.com",
    } <= found["operators"]
    assert not any("s3.us-east-1" in host for host in found["nodes"]), (
        "layers come through the gateway endpoint"
    )


@pytest.mark.real
def test_removing_what_causes_a_host_removes_the_host():
    before, no_hub = listed("stack=dev"), listed("stack=dev", "hubs={}")
    assert (
        "quay.io" in before["nodes"]
        and "quay.io" not in no_hub["nodes"]
        and "hub" not in no_hub
        and "servers" not in no_hub
    )
    assert "hub.jupyter.org" in before["operators"] and "hub.jupyter.org" not in no_hub["operators"]
    ebs = listed("stack=dev", "homes={kind: ebs}")
    assert (
        "elasticfilesystem.us-east-1.amazonaws.com" in before["nodes"]
        and "elasticfilesystem.us-east-1.amazonaws.com" not in ebs["nodes"]
    )


@pytest.mark.real
def test_a_registry_of_theirs_takes_the_place_of_all_others():
    found = listed("stack=dev", "registry={kind: private, host: registry.corp.example}")
    assert not {"quay.io", "registry.k8s.io", "nvcr.io", "public.ecr.aws"} & found["nodes"]


@pytest.mark.real
def test_an_isolated_stack_has_no_external_hosts_and_its_operators_reach_aws():
    for settings in (
        ("stack=airgap", "parts=all"),
        ("stack=airgap-hub",),
        ("stack=examples/kubeadm/Pulumi.kubeadm.yaml",),
    ):
        assert set(listed(*settings)) == {"operators"}


@pytest.mark.real
def test_each_host_says_which_resource_causes_it():
    for site in sites(*evaluated("stack=dev")):
        assert site.resource is not None or site.host in ("get.pulumi.com", "github.com")
        assert site.why


@pytest.mark.real
def test_the_command_prints_users_and_data():
    command = [sys.executable, "-m", "jupyterhub_aws.cli.main", "sites", "airgap-hub"]
    text = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert (
        "Nodes (images, AWS's APIs): no external host" in text
        and "This network is isolated" in text
    )
    data = json.loads(
        subprocess.run(
            [*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        ).stdout
    )
    assert {item["who"] for item in data} == {"operators"}
