"""Stacks whose hubs are confronted with the real chart and the real KubeSpawner, and which parts of their values make a pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checks.hub_values.fault import at
from checks.resources import Resource
from checks.user_pods import hub_releases
from tests.support.stack_files import CERTIFICATE
from tests.support.stacks import record

RECORDED = Path(__file__).parents[1] / "fixtures" / "user_pods.json"
#: How to record again; said by the test that finds the recording stale.
REFRESH = "JHUB_CHART=<folder of the chart> .venv/bin/python -m tests.support.record_user_pods   (helm on PATH)"
PEOPLE = ("alice", "alice@example.com", "bob.smith")

_LDAP = {
    "kind": "ldap",
    "server": "ldap.example.org",
    "ca_certificate": CERTIFICATE,
    "bind_dn_templates": ["uid={username},ou=people,dc=example,dc=org"],
    "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
    "administrators": ["ops1"],
}
_OIDC = {
    "kind": "oidc",
    "client_id": "hub-client",
    "authorize_url": "https://login.example.org/authorize",
    "token_url": "https://login.example.org/token",
    "userinfo_url": "https://login.example.org/userinfo",
    "groups_claim": "groups",
    "allowed_groups": ["hub"],
}
_OWN_PROFILES = {
    "plain": {"pool": "memory", "cpu": 1.5, "memory": "3.5G", "guarantee": 0.25, "environment": {"LANG": "C.UTF-8", "WHO": "{username}", "JSON": "{{}}"}},
    "image": {"pool": "memory", "cpu": 2, "memory": "8G", "image": "quay.io/jupyter/scipy-notebook@sha256:" + "a" * 64},
    "two-gpus": {"pool": "gpu", "cpu": 20, "memory": "64G", "guarantee": 1, "gpus": 2, "default": True},
}
#: Name to the settings on top of Pulumi.dev.yaml.
CASES: Mapping[str, tuple[str, ...]] = {
    "as committed": (),
    "profiles derived from pools": ("hubs.main.profiles={}",),
    "own profiles": (f"hubs.main.profiles={json.dumps(_OWN_PROFILES)}", "hubs.main.image=quay.io/jupyter/base-notebook:2025-12-31"),
    "a volume per person": ('homes={"kind": "ebs", "size_gib": 20}',),
    "nfs": ('homes={"kind": "nfs", "server": "isilon.example.org", "path": "/ifs/homes"}', "hubs.main.home_directory=home/{escaped_username}"),
    "no homes": ('homes={"kind": "ephemeral"}', "hubs.main.culling.kernel_idle_minutes=0"),
    "ldap, own certificate": (
        f"hubs.main.sign_in={json.dumps(_LDAP)}",
        f"hubs.main.entry.tls={json.dumps({'kind': 'certificate', 'certificate': CERTIFICATE})}",
    ),
    "oidc, postgres": (f"hubs.main.sign_in={json.dumps(_OIDC)}", 'hubs.main.database={"kind": "postgres"}'),
    "shared password, tunnel": (
        'hubs.main.sign_in={"kind": "shared_password", "administrators": ["ops1"]}',
        'hubs.main.entry={"kind": "port_forward"}',
        'hubs.main.database={"kind": "sqlite_memory_that_loses_sessions"}',
    ),
    "plain http by node port": ('hubs.main.entry={"kind": "node_port", "hostname": "hub.example.org", "tls": {"kind": "none", "trial": true}}',),
}


def release(case: str) -> Resource:
    """The recorded release of a case's only hub."""
    (found,) = hub_releases(record(*CASES[case]).resources)
    return found


def profiles_of(values: Mapping[str, Any]) -> list[str]:
    """The slugs that people of a hub may choose."""
    return [str(profile["slug"]) for profile in at(values, "singleuser", "profileList")]


def what_makes_pods(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a hub's values on which the pods of its people depend."""
    return {
        "singleuser": values["singleuser"],
        "userPods": at(values, "scheduling", "userPods"),
        "userScheduler": at(values, "scheduling", "userScheduler", "enabled"),
        "KubeSpawner": at(values, "hub", "config", "KubeSpawner"),
    }
