"""What `--against` says of sign-in as institutions have it: gains and losses in words."""

from __future__ import annotations

from typing import Any

import pytest

from jupyterhub_aws.changes.effects.users import says

UNI = "urn:mace:incommon:uni.example"
BY_EPPN = {"username_derivation": {"username_claim": "eppn"}}
STRIPPED = {
    "username_derivation": {
        "username_claim": "eppn",
        "action": "strip_idp_domain",
        "domain": "uni.example",
    }
}


@pytest.mark.parametrize(
    ("section", "trait", "old", "new", "class_", "words"),
    [
        (
            "GoogleOAuthenticator",
            "allowed_groups",
            ["a.example"],
            ["a.example", "b.example"],
            "widens access",
            "b.example (groups) may sign in",
        ),
        (
            "GoogleOAuthenticator",
            "allowed_groups",
            ["a.example"],
            None,
            "interrupts",
            "a.example (groups) may no longer sign in",
        ),
        (
            "GoogleOAuthenticator",
            "strip_domain",
            False,
            True,
            "endangers data",
            "user names are derived differently",
        ),
        (
            "GoogleOAuthenticator",
            "hosted_domain",
            None,
            ["a.example"],
            "interrupts",
            "only Google accounts of a.example can sign in",
        ),
        (
            "GoogleOAuthenticator",
            "hosted_domain",
            ["a.example"],
            None,
            "widens access",
            "Google accounts that are not of a.example can sign in",
        ),
        (
            "AzureAdOAuthenticator",
            "tenant_id",
            "one",
            "two",
            "endangers data",
            "accounts of tenant two sign in, instead of those of one",
        ),
        (
            "AzureAdOAuthenticator",
            "admin_groups",
            None,
            ["0f9a"],
            "widens access",
            "0f9a (groups) may administer the hub",
        ),
        (
            "AzureAdOAuthenticator",
            "username_claim",
            "oid",
            "upn",
            "endangers data",
            "user names are derived differently",
        ),
        ("EntraAccountsAuthenticator", "guests", False, True, "widens access", "guests of the"),
        ("EntraAccountsAuthenticator", "guests", True, False, "interrupts", "may no longer"),
        ("EntraAccountsAuthenticator", "guests", None, False, "interrupts", "other settings"),
        (
            "CILogonOAuthenticator",
            "idps",
            {},
            {UNI: {**BY_EPPN, "allow_all": True}},
            "widens access",
            f"users can sign in at {UNI}: all of its users may",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {},
            {UNI: {**BY_EPPN, "allowed_domains": ["a.example"]}},
            "widens access",
            "its users of a.example, and those who are listed, may",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {UNI: BY_EPPN},
            {},
            "interrupts",
            "can no longer sign in",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {UNI: BY_EPPN},
            {UNI: STRIPPED},
            "endangers data",
            f"user names of {UNI} are derived differently",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {UNI: BY_EPPN},
            {UNI: {**BY_EPPN, "allow_all": True}},
            "widens access",
            f"all users of {UNI} may sign in",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {UNI: {**BY_EPPN, "allow_all": True}},
            {UNI: BY_EPPN},
            "interrupts",
            f"of the users of {UNI} only listed users may sign in",
        ),
        (
            "CILogonOAuthenticator",
            "idps",
            {UNI: {**BY_EPPN, "allowed_domains": ["a.example"]}},
            {UNI: BY_EPPN},
            "interrupts",
            "users of a.example at",
        ),
        (
            "InstitutionsAuthenticator",
            "provider_names",
            {UNI: "uni"},
            {UNI: "home"},
            "interrupts",
            "are in group home, no longer in uni",
        ),
        (
            "InstitutionsAuthenticator",
            "groups_claim",
            None,
            "isMemberOf",
            "interrupts",
            "groups are read from isMemberOf, no longer from no claim",
        ),
        (
            "LTI13Authenticator",
            "issuer",
            "https://a.example",
            "https://b.example",
            "endangers data",
            "users come from the courses of https://b.example, instead of https://a.example",
        ),
        (
            "LTI13Authenticator",
            "username_key",
            "sub",
            "custom_login",
            "endangers data",
            "user names are derived differently",
        ),
        (
            "LTI13Authenticator",
            "jwks_endpoint",
            "https://a.example/jwks",
            "https://b.example/jwks",
            "interrupts",
            "launches are verified differently",
        ),
        (
            "LaunchAuthenticator",
            "allowed_groups",
            ["course:101"],
            ["course:101", "course:102:learner"],
            "widens access",
            "course:102:learner (groups) may sign in",
        ),
        (
            "LaunchAuthenticator",
            "admin_groups",
            ["course:101:instructor"],
            None,
            "interrupts",
            "may no longer administer the hub",
        ),
        (
            "JupyterHub",
            "authenticator_class",
            "github",
            "jupyterhub_aws_lti.LaunchAuthenticator",
            "endangers data",
            "users sign in by lti13 instead of github",
        ),
        ("Authenticator", "manage_groups", None, True, "interrupts", "groups follow the sign-in"),
        ("Authenticator", "manage_groups", True, None, "interrupts", "no longer follow"),
        ("LaunchAuthenticator", "deployment_ids", ["a"], None, "widens access", "every deployment"),
        ("LaunchAuthenticator", "deployment_ids", None, ["a"], "interrupts", "only launches of"),
        (
            "LaunchAuthenticator",
            "deployment_ids",
            ["a"],
            ["b"],
            "widens access",
            "deployment b are",
        ),
        ("LaunchAuthenticator", "deployment_ids", ["a"], ["b"], "interrupts", "deployment a are"),
    ],
)
def test_who_gains_and_who_loses(
    section: str, trait: str, old: Any, new: Any, class_: str, words: str
) -> None:
    found = says(("hub", "config", section, trait), old, new)
    assert found is not None
    assert any(said[0] == class_ and words in said[2] for said in found), found
    assert all(said[1] == "sign-in" for said in found)
