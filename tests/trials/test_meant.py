"""Suggestions by meaning, not by letters (U5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.config import suggestions
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.instance_types import instance_types
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.sign_in import GitHubSignIn
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT


def said(*settings: str) -> str:
    file = read(ROOT / "Pulumi.dev.yaml", settings)
    with pytest.raises(ConfigError) as caught:
        load(file.values, source="x")
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "wanted", "not_wanted"),
    [
        ("m6i.3xlarge", ["m6i.2xlarge", "m6i.4xlarge"], "m6i.32xlarge"),
        ("p2.xlarge", ["g4dn.xlarge"], "t2.xlarge"),
        ("g3.4xlarge", ["g4dn.4xlarge"], "g5g"),
        ("r5n.2xlrge", ["r5n.2xlarge"], "near it"),
        ("M7I.LARGE", ["m7i.large"], "near it"),
        ("c7i.64xlarge", ["c7i.48xlarge"], "c7i.large"),
    ],
)
def test_instance_types(value: str, wanted: list[str], not_wanted: str) -> None:
    text = said(f"pools.memory.instance_types=[{value}]")
    assert all(word in text for word in wanted) and not_wanted not in text, text


@given(
    st.from_regex(r"[a-z][0-9][a-z]{0,3}\.([0-9]{0,2}xlarge|large|metal)", fullmatch=True)
    | st.text(max_size=12)
)
def test_every_suggested_type_exists(value: str) -> None:
    words = [
        word.strip("?")
        for word in (suggestions.types(value) or "").split()
        if "." in word and word.strip("?") != value
    ]
    assert {word for word in words if not word.endswith(".")} <= set(instance_types()), words


@pytest.mark.parametrize(
    "kind",
    [
        "okta",
        "keycloak",
        "shibboleth",
        "globus",
        "gitlab",
        "auth0",
        "oauthenticator.generic.GenericOAuthenticator",
        "Okta",
    ],
)
def test_a_provider_of_openid_connect_is_oidc(kind: str) -> None:
    text = said(f"hubs.main.sign_in.kind={kind}")
    assert "write kind: oidc" in text and "docs/users-and-sign-in.md" in text, text


@pytest.mark.parametrize(
    ("kind", "here"),
    [
        ("dummy", "shared_password"),
        ("ad", "ldap"),
        ("firstuse", "native"),
        ("githb", "github?"),
        ("Google", "google"),
        ("oauthenticator.azuread.AzureAdOAuthenticator", "entra"),
        ("Microsoft", "entra"),
        ("ltiauthenticator.lti13.auth.LTI13Authenticator", "lti13"),
        ("canvas", "lti13"),
        ("CILogonOAuthenticator", "cilogon"),
        ("ldapauthenticator.LDAPAuthenticator", "ldap"),
    ],
)
def test_other_words_for_a_kind(kind: str, here: str) -> None:
    assert here in said(f"hubs.main.sign_in.kind={kind}").rpartition(";")[2]


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (
            "hubs.main.sign_in.allowed_teams=[a:b]",
            "write allowed_organizations, as organization:team",
        ),
        ("hubs.main.sign_in.admin_users=[a]", "write administrators"),
        ("hubs.main.sign_in.alowed_users=[a]", "did you mean allowed_users?"),
        ("hubs.main.profiles.small.mem_limit=1G", "write memory, the limit"),
        ("pools.memory.instance_type=m7i.large", "write instance_types, a list"),
        ("pools.memory.max_size=3", "write size, as size:"),
    ],
)
def test_options_that_others_call_otherwise(setting: str, wanted: str) -> None:
    assert wanted in said(setting)


def test_no_option_is_suggested_that_its_model_does_not_have() -> None:
    assert suggestions.option("allowed_teams", ["allowed_users"]) is None
    assert {"allowed_organizations", "allowed_users", "administrators"} <= set(
        GitHubSignIn.model_fields
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Research_Hub", "write research-hub"),
        ("my hub!", "write my-hub"),
        ("2026", "write something like"),
        ("größe", "write something like"),
    ],
)
def test_a_name_is_made_valid(name: str, wanted: str) -> None:
    assert wanted in said(f"hubs={{'{name}': {{}}}}")


@given(st.text(max_size=60), st.integers(1, 24))
def test_a_name_that_is_suggested_is_valid(value: str, limit: int) -> None:
    import re

    name = suggestions.valid_name(value, limit)
    assert name is None or (
        re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) and len(name) <= limit
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("config:\n\tname: x\n", "at line 2, column 1: the line begins with a tab"),
        ("config:\n  tags:\n  \towner: x\n", "begins with a tab"),
        ("config:\n  name: {{ cluster }}\n", "two of them begin a map as a key"),
        (
            "config:\n  hubs: {a: {b: 1}\n  tags: x\n",
            "a list or map in brackets does not end before this line",
        ),
        ("config:\n  name: 'x\n", "is not readable as YAML"),
    ],
)
def test_yaml_that_is_none(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert wanted in str(caught.value) and "\n" not in str(caught.value)
