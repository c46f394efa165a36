"""Services of a chart's values in the stack file that `jhub adopt config` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import parsed
from jupyterhub_aws.adopt.z2jh.taken import LedgerStatus
from jupyterhub_aws.config.stack_file import read

HEAD = """
hub:
  config:
    JupyterHub: {authenticator_class: github}
    GitHubOAuthenticator:
      client_id: Ov23liDocumentation0
      oauth_callback_url: https://hub.example.org/hub/oauth_callback
      allowed_organizations: [example-org]
"""
TOKEN = "9f" * 32
SERVICES = f"""
  services:
    culler: {{apiToken: {TOKEN}}}
    announcement:
      url: http://announcement.hub.svc.cluster.local:8080
      oauth_no_confirm: true
      apiToken: {TOKEN}
    monitor: {{}}
    local: {{command: [python3, -m, local], apiToken: {TOKEN}}}
    outside: {{url: "http://10.0.0.9:8080"}}
  loadRoles:
    culler:
      description: stops idle servers
      scopes: [list:users, read:users:activity, read:servers, delete:servers]
      services: [culler]
    readers:
      scopes: [announcement]
    announcement-users:
      scopes: ["access:services!service=announcement"]
      groups: ["example-org:staff"]
      users: [ada]
    monitors:
      scopes: [read:users, "admin:users"]
      services: [monitor]
    of-local:
      scopes: [list:users]
      services: [local]
"""


def converted(text: str) -> Converted:
    return convert(
        parsed(HEAD + text, Path("values.yaml")), hub="main", stack="adopted", source="values.yaml"
    )


@pytest.fixture(scope="module")
def found() -> Converted:
    return converted(SERVICES)


def test_services_become_those_of_the_stack_with_scopes_and_members(
    found: Converted, tmp_path: Path
) -> None:
    from jupyterhub_aws.components.validated import validated
    from jupyterhub_aws.config.cloud_config import given_by

    assert TOKEN not in found.text and TOKEN not in str(found.ledger)
    (tmp_path / "Pulumi.yaml").write_text("name: jhub\nruntime: python\n")
    (tmp_path / "Pulumi.adopted.yaml").write_text(found.text)
    stack = validated(given_by(read(tmp_path / "Pulumi.adopted.yaml")))
    services = stack.hubs["main"].services
    assert sorted(services) == ["announcement", "culler", "monitor"]
    assert services["culler"].scopes == (
        "list:users",
        "read:users:activity",
        "read:servers",
        "delete:servers",
    )
    assert services["monitor"].wide_scopes == ("admin:users",)
    announcement = services["announcement"]
    assert announcement.url == "http://announcement.hub.svc.cluster.local:8080"
    assert (announcement.users, announcement.groups) == (("ada",), ("example-org:staff",))
    assert announcement.oauth is not None and announcement.oauth.confirm is False
    assert any("pods.labels" in path for path, _ in found.to_fill_in)


def test_each_value_is_accounted_for_and_what_is_left_out_is_said(found: Converted) -> None:
    token = found.ledger["hub", "services", "culler", "apiToken"]
    assert token.status is LedgerStatus.SETTLED and "service-culler" in token.why
    role = found.ledger["hub", "loadRoles", "culler", "scopes", 0]
    assert (role.status, role.why) == (LedgerStatus.CARRIED, "hubs.main.services.culler")
    dropped = {item.path for item in found.dropped}
    assert {"hub.services.local", "hub.loadRoles.of-local"} <= dropped
    for path, entry in found.ledger.items():
        if path[:3] in (("hub", "services", "local"), ("hub", "services", "outside")):
            assert entry.status is LedgerStatus.LISTED, path


@pytest.mark.parametrize(
    "text",
    [
        "  services: {a: {admin: true}}\n",
        "  services: {a: 3}\n",
        "  services: {a: {name: other}}\n",
        "  services: {cull: {display: true}}\n",
        "  services: {'A b': {display: true}}\n",
        "  services: {a: {display: true}}\n  loadRoles: {r: {scopes: [nonsense], services: [a]}}\n",
        "  services: {a: {display: true}}\n  loadRoles: {r: {scopes: ['custom:x:y'], services: [a]}}\n",
        "  services: {a: {display: true}}\n  loadRoles: {r: {scopes: [read:hub], services: [a], users: [ada]}}\n",
        "  services: {a: {display: true}}\n  loadRoles: {r: {scopes: read:hub, services: [a]}}\n",
        "  services: {a: {url: 'http://ops:secret@a:80'}}\n",
        "  services: [a]\n",
    ],
)
def test_what_the_stack_cannot_say_is_listed(text: str) -> None:
    found = converted(text)
    assert "services:" not in found.text
    assert any(item.path.startswith("hub.services") for item in found.dropped), found.dropped
