"""What follows from sign-in as institutions have it: secrets, egress of the hub, external hosts, and
what a teardown leaves; and the hub's own files, on single answers of a provider.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado import web

from jupyterhub_aws.checks.sites import sites
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.secrets import required_secrets
from jupyterhub_aws.config.specs.network_policies import hub_egress
from jupyterhub_aws.config.traits import class_of_authenticator, own_traits, sections
from tests.components.test_hub_files import imported
from tests.config.test_hub_values import SIGN_INS
from tests.support.directory_stacks import settings_of, stack_with
from tests.support.stacks import record

PORTS = {"google": 443, "entra": 443, "cilogon": 443, "lti13": 8443}
HOSTS = {
    "google": {("browsers", "accounts.google.com"), ("hub", "www.googleapis.com")},
    "entra": {("browsers", "login.microsoftonline.com"), ("hub", "login.microsoftonline.com")},
    "cilogon": {("browsers", "cilogon.org"), ("hub", "cilogon.org")},
    "lti13": {("browsers", "lms.example.edu"), ("hub", "keys.example.edu")},
}


def section(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = dict(SIGN_INS[kind])
    return {**found, "jwks_url": "https://keys.example.edu:8443/jwks"} if kind == "lti13" else found


@pytest.mark.parametrize("kind", sorted(PORTS))
def test_the_hub_reaches_the_provider_on_its_port_and_needs_its_secret(kind: str) -> None:
    stack = stack_with(section(kind))
    egress = hub_egress(stack.hubs["main"], stack.network, stack.cluster)
    world = [
        rule["ports"]
        for rule in egress.hub
        if rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]
    ]
    assert world == [[{"protocol": "TCP", "port": PORTS[kind]}]]
    needed = [secret.key for secret in required_secrets(stack.hubs)]
    assert needed == ([] if kind == "lti13" else ["hub-main-client-secret"])


@pytest.mark.parametrize("kind", sorted(HOSTS))
def test_the_hosts_of_the_provider_are_listed(kind: str) -> None:
    recording = record(*settings_of(section(kind)))
    found = {
        (site.who, site.host)
        for site in sites(stack_with(section(kind)), recording.resources)
        if site.why.startswith("sign-in")
    }
    assert found == HOSTS[kind]


@pytest.mark.parametrize("inside", [True, False])
def test_a_platform_inside_an_isolated_network_passes_its_proof(inside: bool) -> None:
    host = "lms.corp.example" if inside else "lms.example.edu"
    urls = {name: f"https://{host}/{name}" for name in ("authorize_url", "jwks_url")}
    said = {**SIGN_INS["lti13"], "issuer": f"https://{host}", **urls}
    if not inside:
        with pytest.raises(ConfigError, match=r"isolated\.unknown-host"):
            record("stack=airgap", "parts=all", *settings_of(said))
        return
    recording = record("stack=airgap", "parts=all", *settings_of(said))
    (release,) = [
        item
        for item in recording.resources.of("kubernetes:helm.sh/v3:Release")
        if item.name == "hub-main-release"
    ]
    own = release.inputs["values"]["hub"]["extraFiles"]["jupyterhub-aws-lti"]["stringData"]
    assert "LaunchAuthenticator" in own and "://purl" not in own, "no host that is external"


# --- The hub's own files. ---


def refused(call: Any) -> bool:
    try:
        return not asyncio.run(call)
    except web.HTTPError as error:
        return error.status_code == 403


ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"


@pytest.mark.parametrize(
    ("roles", "context", "groups"),
    [
        ([f"{ROLE}#Learner"], "7", {"learner", "course:7", "course:7:learner"}),
        (["Learner"], None, {"learner"}),
        (
            ["Instructor"],
            "a:instructor",
            {"instructor", "course:a%3Ainstructor", "course:a%3Ainstructor:instructor"},
        ),
        ([f"{ROLE}/Instructor#TeachingAssistant"], None, {"teaching_assistant"}),
        (
            [f"{ROLE}#Instructor", f"{ROLE}#Instructor#TeachingAssistantSection"],
            None,
            {"teaching_assistant"},
        ),
        ([f"{ROLE}/Instructor#Lecturer"], None, {"instructor"}),
        (
            ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"],
            "7",
            {"course:7"},
        ),
        (["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"], None, set()),
        ([f"{ROLE}#Instructor extra", "xInstructor", "instructor", 7, None], None, set()),
        (None, None, set()),
    ],
)
def test_groups_of_a_launch(roles: Any, context: str | None, groups: set[str]) -> None:
    launch = {f"{CLAIM}/roles": roles, f"{CLAIM}/context": {"id": context} if context else None}
    assert imported("jupyterhub_aws_lti").groups_of(launch) == groups


@pytest.mark.parametrize(
    ("key", "token", "name"),
    [
        ("sub", {"sub": "7"}, "7"),
        ("custom_login", {"sub": "7", f"{CLAIM}/custom": {"login": "ada"}}, "ada"),
        ("custom_login", {"sub": "7", "custom_login": "eve"}, None),
        ("custom_login", {"sub": "7", f"{CLAIM}/custom": None}, None),
        ("email", {"sub": "7"}, None),
        ("email", {"sub": "7", "email": ""}, None),
        ("email", {"sub": "7", "email": ["ada"]}, None),
    ],
)
def test_the_name_of_a_launch_is_never_of_another_claim(
    key: str, token: dict[str, Any], name: str | None
) -> None:
    authenticator = imported("jupyterhub_aws_lti").LaunchAuthenticator(username_key=key)
    if name is not None:
        assert authenticator.get_username(token) == name
        return
    with pytest.raises(web.HTTPError, match="does not say who you are"):
        authenticator.get_username(token)


@pytest.mark.parametrize(
    ("claims", "guests", "is_refused"),
    [
        ({"tid": "one"}, False, False),
        ({"tid": "two"}, False, True),
        ({}, False, True),
        ({"tid": "one", "idp": "https://sts.windows.net/one/"}, False, False),
        ({"tid": "one", "idp": "https://sts.windows.net/two/"}, False, True),
        ({"tid": "one", "idp": "live.com"}, False, True),
        ({"tid": "one", "idp": "live.com"}, True, False),
        ({"tid": "two", "idp": "live.com"}, True, True),
        ({"tid": "one", "acct": 1}, False, True),
        ({"tid": "one", "acct": 0}, False, False),
    ],
)
def test_accounts_of_a_tenant(claims: dict[str, Any], guests: bool, is_refused: bool) -> None:
    module = imported("jupyterhub_aws_entra")
    authenticator = module.EntraAccountsAuthenticator(
        tenant_id="one", guests=guests, allowed_users={"ada"}
    )
    model = {"admin": None, "auth_state": {"user": claims}}
    assert refused(authenticator.check_allowed("ada", model)) is is_refused


@pytest.mark.parametrize(
    ("user", "is_refused"),
    [
        ({"email": "ada@uni.example", "hd": "uni.example", "verified_email": True}, False),
        ({"email": "ada@uni.example", "verified_email": True}, True),
        ({"email": "ada@uni.example", "hd": "", "verified_email": True}, True),
        ({"email": "ada@uni.example", "hd": "uni.example", "verified_email": False}, True),
        ({"email": "ada@gmail.com", "verified_email": True}, False),
        ({"email": "ada@gmail.com.evil.example", "verified_email": True}, True),
    ],
)
def test_addresses_that_google_vouches_for(user: dict[str, Any], is_refused: bool) -> None:
    module = imported("jupyterhub_aws_google")
    authenticator = module.GoogleAccountsAuthenticator(allowed_users={"ada"}, strip_domain=False)
    said = {**user, "domain": user["email"].partition("@")[2], "google_groups": []}
    model = {"admin": None, "auth_state": {"google_user": said}}
    assert refused(authenticator.check_allowed("ada", model)) is is_refused


@pytest.mark.parametrize(
    ("claim", "said", "groups"),
    [
        ("", "home", {"uni"}),
        (
            "affiliation",
            "staff@uni.example;member@uni.example",
            {"uni", "staff@uni.example", "member@uni.example"},
        ),
        ("affiliation", None, {"uni"}),
        ("isMemberOf", ["a", "home"], {"uni", "a"}),
        ("isMemberOf", "home;home ; ", {"uni"}),
    ],
)
def test_groups_of_an_institution(claim: str, said: Any, groups: set[str]) -> None:
    module = imported("jupyterhub_aws_cilogon")
    authenticator = module.InstitutionsAuthenticator(
        idps={"urn:uni": {"username_derivation": {"username_claim": "eppn"}}},
        provider_names={"urn:uni": "uni", "urn:home": "home"},
        groups_claim=claim,
    )
    state = {"cilogon_user": {"idp": "urn:uni", **({claim: said} if claim else {})}}
    assert asyncio.run(authenticator.get_user_groups(state)) == groups


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("jupyterhub_aws_google", "GoogleAccountsAuthenticator"),
        ("jupyterhub_aws_entra", "EntraAccountsAuthenticator"),
        ("jupyterhub_aws_cilogon", "InstitutionsAuthenticator"),
        ("jupyterhub_aws_lti", "LaunchAuthenticator"),
    ],
)
def test_the_table_of_classes_has_our_own(module: str, name: str) -> None:
    found = getattr(imported(module), name)
    assert own_traits(name) == set(found.class_own_traits(config=True))
    bases = [item.__name__ for item in found.__mro__ if item.__name__.endswith("Authenticator")]
    assert list(sections(name)) == bases
    assert class_of_authenticator(f"{module}.{name}") == name
