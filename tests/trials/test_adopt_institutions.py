"""An old hub's sign-in with Google, Entra ID, CILogon or LTI, as the kinds of the same name: never
other users than before, and never another name without saying so.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.trials.test_adopt_values import _dropped, _fills, _loud, _of, _sign_in

TENANT = "8d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d"
GROUP = "0f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"
GOOGLE = "JupyterHub: {authenticator_class: google}, GoogleOAuthenticator: "
ENTRA = "JupyterHub: {authenticator_class: azuread}, AzureAdOAuthenticator: "
CILOGON = "JupyterHub: {authenticator_class: cilogon}, CILogonOAuthenticator: "
LTI = (
    "JupyterHub: {authenticator_class: ltiauthenticator.lti13.auth.LTI13Authenticator},"
    " LTI13Authenticator: "
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            f"{GOOGLE}{{client_id: x, client_secret: s, hosted_domain: [Uni.example], allow_all: true}}",
            {
                "kind": "google",
                "client_id": "x",
                "strip_domain": "uni.example",
                "allowed_domains": ["uni.example"],
            },
        ),
        (
            f"{GOOGLE}{{client_id: x, hosted_domain: [uni.example], strip_domain: false,"
            " allow_all: true}, Authenticator: {admin_users: [ada@uni.example]}",
            {
                "kind": "google",
                "client_id": "x",
                "allowed_domains": ["uni.example"],
                "administrators": ["ada@uni.example"],
            },
        ),
        (
            f"{GOOGLE}{{client_id: x, hosted_domain: [uni.example]}},"
            " Authenticator: {allowed_users: [ada], allow_existing_users: false}",
            {
                "kind": "google",
                "client_id": "x",
                "strip_domain": "uni.example",
                "allowed_users": ["ada"],
            },
        ),
        (
            f"{ENTRA}{{client_id: x, tenant_id: {TENANT}, username_claim: upn,"
            f" allowed_groups: [{GROUP}], manage_groups: true}}",
            {
                "kind": "entra",
                "client_id": "x",
                "tenant_id": TENANT,
                "username_claim": "upn",
                "allowed_groups": [GROUP],
            },
        ),
        (
            f"{ENTRA}{{client_id: x, tenant_id: {TENANT}, username_claim: oid,"
            " auth_state_groups_key: user.roles, admin_groups: [Admin]}, Authenticator:"
            " {allowed_users: [o1]}",
            {
                "kind": "entra",
                "client_id": "x",
                "tenant_id": TENANT,
                "username_claim": "oid",
                "groups_claim": "roles",
                "admin_groups": ["Admin"],
                "allowed_users": ["o1"],
            },
        ),
        (
            f"{CILOGON}{{client_id: x, idps: {{'urn:mace:incommon:uni.example':"
            " {username_derivation: {username_claim: eppn, action: strip_idp_domain, domain:"
            " uni.example}, allow_all: true}, 'https://github.com/login/oauth/authorize':"
            " {username_derivation: {username_claim: preferred_username, action: prefix, prefix:"
            " github}}}}, Authenticator: {allowed_users: ['github:ada']}",
            {
                "kind": "cilogon",
                "client_id": "x",
                "identity_providers": {
                    "uni-example": {
                        "entity_id": "urn:mace:incommon:uni.example",
                        "username_claim": "eppn",
                        "strip_domain": "uni.example",
                        "all_users": True,
                    },
                    "github-com": {
                        "entity_id": "https://github.com/login/oauth/authorize",
                        "username_claim": "preferred_username",
                        "prefix": "github",
                    },
                },
                "allowed_users": ["github:ada"],
            },
        ),
    ],
)
def test_what_the_stack_file_says(config: str, expected: dict[str, Any]) -> None:
    sign_in, found = _sign_in(config)
    assert sign_in == expected
    assert not any(path.startswith("sign_in") for path in _fills(found)), _fills(found)


def test_the_client_secret_is_a_secret_of_the_stack() -> None:
    found = _of(f"hub: {{config: {{{GOOGLE}{{client_id: x, client_secret: hunter2}}}}}}")[1]
    assert [item.key for item in found.secrets] == ["hub-main-client-secret"]
    assert "hunter2" not in found.text


def test_google_of_several_domains_that_were_stripped_gets_other_names() -> None:
    sign_in, found = _sign_in(
        f"{GOOGLE}{{client_id: x, hosted_domain: [a.example, b.example], strip_domain: true,"
        " allow_all: true}, Authenticator: {admin_users: [ada]}"
    )
    assert "strip_domain" not in sign_in and sign_in["allowed_domains"] == [
        "a.example",
        "b.example",
    ]
    assert any("EMPTY homes" in note for note in found.notes)
    assert "ada" in _fills(found)["sign_in.administrators"]


def test_groups_of_google_are_left_out_and_no_user_comes_in_for_them() -> None:
    sign_in, found = _sign_in(
        f"{GOOGLE}{{client_id: x, hosted_domain: [uni.example], allow_all: false,"
        " allowed_google_groups: {uni.example: [staff]}, google_service_account_keys:"
        " {uni.example: /key.json}}"
    )
    assert any("allowed_google_groups" in path for path in _dropped(found))
    assert "sign_in.allowed_domains" in _fills(found)
    assert sign_in["kind"] == "google"


def test_entra_without_a_tenant_and_by_display_name_is_to_be_filled_in() -> None:
    sign_in, found = _sign_in(f"{ENTRA}{{client_id: x, allow_all: true}}")
    fills = _fills(found)
    assert "any tenant" in fills["sign_in.tenant_id"]
    assert "EMPTY homes" in fills["sign_in.username_claim"]
    assert "sign_in.allowed_groups" in fills and sign_in["kind"] == "entra"


def test_cilogon_without_providers_is_to_be_filled_in() -> None:
    _, found = _sign_in(f"{CILOGON}{{client_id: x, shown_idps: [urn:a]}}")
    assert "every one of CILogon's" in _fills(found)["sign_in.identity_providers"]
    assert any("shown_idps" in path for path in _dropped(found)) or _loud(found)


def test_patterns_of_domains_are_to_be_filled_in() -> None:
    _, found = _sign_in(
        f"{CILOGON}{{client_id: x, idps: {{'urn:a': {{username_derivation: {{username_claim:"
        " email}, allowed_domains: ['*.uni.example', uni.example]}}}"
    )
    assert "list each domain" in _fills(found)["sign_in.identity_providers.a.allowed_domains"]


def test_a_course_says_who_may_come_in_by_role() -> None:
    sign_in, found = _sign_in(
        f"{LTI}{{issuer: 'https://lms.example', client_id: ['1', '2'], authorize_url:"
        " 'https://lms.example/auth', jwks_endpoint: 'https://lms.example/jwks', username_key:"
        " given_name}"
    )
    assert (sign_in["issuer"], sign_in["client_ids"]) == ("https://lms.example", ["1", "2"])
    assert sign_in["allowed_groups"] == ["instructor", "learner"]
    assert {"sign_in.allowed_groups", "sign_in.username_claim"} <= set(_fills(found))
    assert found.secrets == []


def test_lti_1_1_has_no_counterpart() -> None:
    _, found = _sign_in("JupyterHub: {authenticator_class: lti11}")
    assert "1.3" in _fills(found)["sign_in.kind"]
