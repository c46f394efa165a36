"""Stacks whose hubs are confronted with the real chart and the real KubeSpawner, and which parts
of their values make a pod.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.checks.user_pods import hub_releases
from jupyterhub_aws.config.tree import at
from tests.support.stack_files import CERTIFICATE
from tests.support.stacks import record

RECORDED = Path(__file__).parents[1] / "fixtures" / "user_pods.json"
#: How to record again; said by the test that finds the recording stale.
REFRESH = (
    "JHUB_CHART=<folder of the chart> .venv/bin/python -m tests.support.record_user_pods   (helm on"
    " PATH)"
)
#: As JupyterHub knows them, in lower case.
PEOPLE = ("alice", "alice@corp.example", "first.last", "3user", "ünïcode")

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
    "plain": {
        "pool": "memory",
        "cpu": 1.5,
        "memory": "3.5G",
        "guarantee": 0.25,
        "environment": {"LANG": "C.UTF-8", "WHO": "{username}", "JSON": "{{}}"},
    },
    "image": {
        "pool": "memory",
        "cpu": 2,
        "memory": "8G",
        "image": "quay.io/jupyter/scipy-notebook@sha256:" + "a" * 64,
    },
    "two-gpus": {
        "pool": "gpu",
        "cpu": 20,
        "memory": "64G",
        "guarantee": 1,
        "gpus": 2,
        "default": True,
    },
}
_EVERY_CHOICE = {
    "divided": {"pool": "memory", "users_per_node": 3, "default": True},
    "sized": {
        "pool": "memory",
        "sizes": {
            "small": {"cpu": 2, "memory": "8G"},
            "large": {"cpu": 4, "memory": "24G", "guarantee": 0.75, "default": True},
        },
        "images": {
            "python": {
                "image": "quay.io/jupyter/scipy-notebook:2025-12-31",
                "display_name": "Python",
                "default": True,
            },
            "r": {"image": "quay.io/jupyter/r-notebook:2025-12-31"},
        },
    },
    "protected": {"pool": "memory", "cpu": 4, "memory": "32G", "protected": True},
    "gpus": {
        "pool": "gpu",
        "groups": ["gpu-people"],
        "sizes": {
            "one": {"cpu": 11, "memory": "40G", "guarantee": 1, "gpus": 1},
            "two": {"cpu": 22, "memory": "80G", "guarantee": 1, "gpus": 2},
        },
    },
}
#: Name to the settings on top of Pulumi.dev.yaml.
CASES: Mapping[str, tuple[str, ...]] = {
    "as committed": (),
    "profiles derived from pools": ("hubs.main.profiles={}",),
    "own profiles": (
        f"hubs.main.profiles={json.dumps(_OWN_PROFILES)}",
        "hubs.main.image=quay.io/jupyter/base-notebook:2025-12-31",
    ),
    "a volume per person": ('homes={"kind": "ebs", "size_gib": 20}',),
    "nfs": (
        'homes={"kind": "nfs", "server": "isilon.example.org", "path": "/ifs/homes"}',
        "hubs.main.home_directory=home/{escaped_username}",
    ),
    "no homes": ('homes={"kind": "ephemeral"}', "hubs.main.culling.kernel_idle_minutes=0"),
    "ldap, own certificate": (
        f"hubs.main.sign_in={json.dumps(_LDAP)}",
        f"hubs.main.entry.tls={json.dumps({'kind': 'certificate', 'certificate': CERTIFICATE})}",
    ),
    "oidc, postgres": (
        f"hubs.main.sign_in={json.dumps(_OIDC)}",
        'hubs.main.database={"kind": "postgres"}',
    ),
    "oidc, every choice": (
        f"hubs.main.sign_in={json.dumps(_OIDC)}",
        f"hubs.main.profiles={json.dumps(_EVERY_CHOICE)}",
        (
            'hubs.main.shared_directories={"data": {}, "drop": {"writable_by": "users",'
            ' "mount_path": "/drop"}}'
        ),
        (
            'hubs.main.volumes={"fast": {"kind": "scratch", "mount_path": "/fast", "size_gib": 20},'
            ' "old": {"kind": "claim", "mount_path": "/old", "claim": "o"}}'
        ),
        "hubs.main.shared_memory=4G",
        "hubs.main.named_servers=2",
        'hubs.main.pages={"title": "Lab", "help_links": {"Help": "https://help.example.org"}}',
        'hubs.main.maintenance_page={"contact": "help@example.org"}',
    ),
    "native": ('hubs.main.sign_in={"kind": "native", "administrators": ["ops1"]}',),
    "shared password, tunnel": (
        'hubs.main.sign_in={"kind": "shared_password", "administrators": ["ops1"]}',
        'hubs.main.entry={"kind": "port_forward"}',
        'hubs.main.database={"kind": "sqlite_memory"}',
    ),
    "plain http by node port": (
        (
            'hubs.main.entry={"kind": "node_port", "hostname": "hub.example.org", "tls": {"kind":'
            ' "none", "trial": true}}'
        ),
    ),
}


def release(case: str) -> Resource:
    """The recorded release of a case's only hub."""
    (found,) = hub_releases(record(*CASES[case]).resources)
    return found


def choices_of(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Everything that a person of a hub may choose: a profile, and one further choice inside it;
    name to what the form sends.
    """
    found: dict[str, dict[str, str]] = {}
    for profile in at(values, "singleuser", "profileList"):
        slug = str(profile["slug"])
        found[slug] = {"profile": slug}
        for option, offered in (profile.get("profile_options") or {}).items():
            others = {
                f"{slug}/{choice}": {"profile": slug, option: choice}
                for choice, said in offered["choices"].items()
                if not said.get("default")
            }
            found |= others
    return found


def groups_of(values: Mapping[str, Any]) -> list[str]:
    """The groups that some profile of a hub is for."""
    return sorted(
        {
            group
            for groups in (at(values, "custom", "jupyterhubAws", "profileGroups") or {}).values()
            for group in groups
        }
    )


def what_makes_pods(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a hub's values on which the pods of its people depend."""
    return {
        "singleuser": values["singleuser"],
        "userPods": at(values, "scheduling", "userPods"),
        "userScheduler": at(values, "scheduling", "userScheduler", "enabled"),
        "KubeSpawner": at(values, "hub", "config", "KubeSpawner"),
    }
