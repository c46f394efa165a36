"""The values of a hub for each kind of sign-in, TLS and homes, as `jhub values` prints them: kept
to be read, and compared with what is rendered.

.venv/bin/python -m tests.support.golden_values     writes them again
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
from pathlib import Path
from typing import Any

from jupyterhub_aws.cli.commands.plan import _write
from tests.support.hub_cases import CASES
from tests.support.stack_files import CERTIFICATE
from tests.support.stacks import record

FOLDER = Path(__file__).parents[1] / "fixtures" / "values"
_LOOKUP = {
    "kind": "ldap",
    "server": "ldap.example.org",
    "tls": "start_tls",
    "ca_certificate": CERTIFICATE,
    "lookup": {
        "search_base": "ou=people,dc=example,dc=org",
        "search_user": "cn=search,dc=example,dc=org",
        "user_attribute": "sAMAccountName",
    },
    "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
    "admin_groups": ["cn=ops,ou=groups,dc=example,dc=org"],
    "allowed_users": ["ada"],
}
_GITHUB = {
    "kind": "github",
    "client_id": "Ov23liDocumentation0",
    "allowed_organizations": ["example-org"],
    "admin_teams": ["example-org:ops"],
}
_COGNITO = {
    "kind": "cognito",
    "client_id": "4example23456789",
    "domain": "hub.auth.us-east-1.amazoncognito.com",
    "allowed_groups": ["staff"],
    "admin_groups": ["ops"],
}
_CILOGON = {
    "kind": "cilogon",
    "client_id": "cilogon:/client_id/0123456789abcdef",
    "identity_providers": {
        "uni": {
            "entity_id": "urn:mace:incommon:uni.example",
            "strip_domain": "uni.example",
            "all_users": True,
        },
        "github": {
            "entity_id": "https://github.com/login/oauth/authorize",
            "username_claim": "preferred_username",
            "prefix": "github",
        },
    },
    "allowed_users": ["github:ada"],
}
_ENTRA = {
    "kind": "entra",
    "client_id": "5f6e7d8c-1111-4222-8333-944455556666",
    "tenant_id": "8d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d",
    "allowed_groups": ["0f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"],
}
_GOOGLE = {
    "kind": "google",
    "client_id": "123.apps.googleusercontent.com",
    "allowed_domains": ["example.edu"],
}
_LTI = {
    "kind": "lti13",
    "issuer": "https://lms.example.edu",
    "client_ids": ["10000000000001"],
    "authorize_url": "https://lms.example.edu/auth",
    "jwks_url": "https://lms.example.edu/jwks",
    "allowed_groups": ["course:101"],
    "admin_groups": ["course:101:instructor"],
}
_GATED = {"pool": "memory", "cpu": 2, "memory": "8G", "groups": ["example-org:gpu"]}
_DN_GATED = {**_GATED, "groups": ["cn=gpu,ou=groups,dc=example,dc=org"]}
_PLAIN = {
    **{key: value for key, value in _LOOKUP.items() if key != "ca_certificate"},
    "tls": "none_insecure",
}
GOLDEN = {
    **CASES,
    "ldap, look-up, groups": (
        f"hubs.main.sign_in={json.dumps(_LOOKUP)}",
        f"hubs.main.profiles.gated={json.dumps(_DN_GATED)}",
    ),
    "ldap in clear text": (f"hubs.main.sign_in={json.dumps(_PLAIN)}",),
    "github, teams": (
        f"hubs.main.sign_in={json.dumps(_GITHUB)}",
        f"hubs.main.profiles.gated={json.dumps(_GATED)}",
    ),
    "cognito": (f"hubs.main.sign_in={json.dumps(_COGNITO)}",),
    "cilogon": (f"hubs.main.sign_in={json.dumps(_CILOGON)}",),
    "entra": (f"hubs.main.sign_in={json.dumps(_ENTRA)}",),
    "google": (f"hubs.main.sign_in={json.dumps(_GOOGLE)}",),
    "lti13": (f"hubs.main.sign_in={json.dumps(_LTI)}",),
    "closed": ("stack=airgap", "parts=all"),
    "kubeadm": ("stack=examples/kubeadm/Pulumi.kubeadm.yaml",),
}


def golden(case: str) -> str:
    """What is kept of a case: the values, with the texts of our own files in the hub left out."""
    settings = GOLDEN[case]
    hub = record(*settings)
    (release,) = [
        found
        for found in hub.resources.of("kubernetes:helm.sh/v3:Release")
        if found.name == "hub-main-release"
    ]
    values: dict[str, Any] = copy.deepcopy(dict(release.inputs["values"]))
    for item in values["hub"]["extraFiles"].values():
        if item["mountPath"].endswith(".py"):
            item["stringData"] = f"[components/hub/files/{item['mountPath'].rpartition('/')[2]}]"
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        _write(values)
    return text.getvalue()


def path_of(case: str) -> Path:
    return FOLDER / f"{re.sub(r'[^a-z0-9]+', '-', case.lower())}.yaml"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in GOLDEN:
        path_of(name).write_text(golden(name), encoding="utf-8")
    print(f"wrote {len(GOLDEN)} files to {FOLDER}")
