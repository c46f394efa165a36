"""Stacks whose hub signs people in with a directory of a test: `dev` with a sign-in that leads
to it.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.directory import BASE, PEOPLE, SEARCH_USER, Directory
from tests.support.stack_files import ROOT

TEMPLATES = [f"uid={{username}},{PEOPLE}"]
LOOKUP = {"search_base": BASE, "search_user": SEARCH_USER}


def sign_in(
    found: Directory,
    authority: str,
    *,
    tls: str = "on_connect",
    lookup: bool = False,
    server: str = "localhost",
    **more: Any,
) -> dict[str, Any]:
    """`sign_in` of a hub for this directory."""
    section: dict[str, Any] = {
        "kind": "ldap",
        "server": server,
        "port": found.port if tls == "on_connect" else found.plain_port,
        "tls": tls,
        "timeout_seconds": 2,
        "allowed_groups": [found.group("hub")],
        **({"ca_certificate": authority} if not tls.startswith("none") else {}),
        **({"lookup": LOOKUP} if lookup else {"bind_dn_templates": TEMPLATES}),
    }
    return {**section, **more}


def settings_of(section: dict[str, Any], *more: str) -> tuple[str, ...]:
    return (f"hubs.main.sign_in={json.dumps(section)}", *more)


def stack_with(section: dict[str, Any], *more: str) -> StackConfig:
    """The validated stack `dev` with this sign-in."""
    file = read(ROOT / "Pulumi.dev.yaml", settings_of(section, *more))
    return validated(
        whole(Configuration(values=file.values, secret=file.secret, source=file.source), ROOT)
    )
