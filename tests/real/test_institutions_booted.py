"""Sign-in as institutions have it, in the real JupyterHub: Google, Entra ID, CILogon, and a course's
launch, each against a provider of our own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from tornado import web

from jupyterhub_aws.config.chart import merged
from jupyterhub_aws.operate.health.report import FailedError
from jupyterhub_aws.operate.health.sign_in import HubEndpoint, SignIn
from tests.components.test_hub_files import imported
from tests.real.test_hub_booted import secret, start, values_with
from tests.support.certificates import Authority
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub
from tests.support.identity import CLIENT_ID, CLIENT_SECRET, Identity, identity_provider
from tests.support.lti_platform import CLAIM, DEPLOYMENT, ROLE, Platform, lti_platform, new_key
from tests.support.lti_platform import CLIENT_ID as TOOL

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CA = Authority()
TENANT = "8d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d"
OTHER = "1d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d"
STAFF, OPS = "0f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b", "1f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"
UNI, GITHUB = "urn:mace:incommon:uni.example", "https://github.com/login/oauth/authorize"
GATED = {"pool": "memory", "cpu": 2, "memory": "8G"}


def person(domain: str | None, email: str, *, verified: bool = True) -> dict[str, Any]:
    return {
        "email": email,
        "verified_email": verified,
        **({"hd": domain} if domain else {}),
    }


def account(name: str, *groups: str, tid: str = TENANT, **more: str) -> dict[str, Any]:
    return {
        "preferred_username": f"{name}@corp.example",
        "name": "Chosen By Its Owner",
        "oid": f"oid-of-{name}",
        "tid": tid,
        "groups": list(groups),
        **more,
    }


def member(idp: str, **claims: Any) -> dict[str, Any]:
    return {"idp": idp, **claims}


#: By kind: what each user's provider says; who gets in, under which name, as an administrator or
#: not, with which groups; None for those who are refused.
WHO: dict[str, dict[str, tuple[dict[str, Any], tuple[str, bool, list[str]] | None]]] = {
    "google": {
        "ada": (
            person("uni.example", "Ada@uni.example"),
            ("ada@uni.example", False, ["uni.example"]),
        ),
        "boss": (
            person("uni.example", "boss@uni.example"),
            ("boss@uni.example", True, ["uni.example"]),
        ),
        "mail": (person(None, "grace@gmail.com"), ("grace@gmail.com", False, [])),
        "eve": (person("evil.example", "eve@evil.example"), None),
        "former employee": (person(None, "boss@uni.example"), None),
        "text of an address": (person(None, "x@uni.example.evil.example"), None),
        "unverified": (person("uni.example", "ada@uni.example", verified=False), None),
    },
    "entra": {
        "ada": (account("ada", STAFF), ("ada@corp.example", False, [STAFF])),
        "boss": (account("Boss", OPS), ("boss@corp.example", True, [OPS])),
        "v1 issuer": (
            account("ada", STAFF, idp=f"https://sts.windows.net/{TENANT}/"),
            ("ada@corp.example", False, [STAFF]),
        ),
        "eve": (account("eve", "2f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"), None),
        "other tenant": (account("ada", STAFF, tid=OTHER), None),
        "guest": (account("ada", STAFF, idp=f"https://sts.windows.net/{OTHER}/"), None),
        "personal account": (account("boss", OPS, idp="live.com"), None),
        "guest by claim": (account("ada", STAFF, acct="1"), None),
        "too many groups": ({**account("eve"), "groups": None}, None),
    },
    "cilogon": {
        "ada": (
            member(UNI, eppn="ada@uni.example", affiliation="member@uni.example;staff@uni.example"),
            ("ada", False, ["member@uni.example", "staff@uni.example", "uni"]),
        ),
        "boss": (
            member(UNI, eppn="boss@uni.example", affiliation="ops@uni.example"),
            ("boss", True, ["ops@uni.example", "uni"]),
        ),
        "listed": (member(GITHUB, preferred_username="grace"), ("github:grace", False, ["github"])),
        "same name elsewhere": (member(GITHUB, preferred_username="ada"), None),
        "colon": (member(UNI, eppn="github:grace@uni.example"), None),
        "no such provider": (member("urn:evil", eppn="ada@uni.example"), None),
        "claims a provider": (
            member(UNI, eppn="mallory@uni.example", affiliation="github"),
            ("mallory", False, ["uni"]),
        ),
        "no eppn": (member(UNI, email="ada@uni.example"), None),
    },
}
SECTIONS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "google": (
        {
            "allowed_domains": ["uni.example"],
            "allowed_users": ["grace@gmail.com"],
            "administrators": ["boss@uni.example"],
        },
        "GoogleOAuthenticator",
        "uni.example",
        "",
    ),
    "entra": (
        {"tenant_id": TENANT, "allowed_groups": [STAFF], "admin_groups": [OPS]},
        "AzureAdOAuthenticator",
        STAFF,
        "/logout?post_logout_redirect_uri=",
    ),
    "cilogon": (
        {
            "identity_providers": {
                "uni": {"entity_id": UNI, "strip_domain": "uni.example", "all_users": True},
                "github": {
                    "entity_id": GITHUB,
                    "username_claim": "preferred_username",
                    "prefix": "github",
                },
            },
            "groups_claim": "affiliation",
            "allowed_users": ["github:grace"],
            "admin_groups": ["ops@uni.example"],
        },
        "CILogonOAuthenticator",
        "staff@uni.example",
        "https://cilogon.org/logout",
    ),
}


def moved(kind: str, url: str) -> dict[str, dict[str, str]]:
    """Addresses that a stack file cannot change, at the provider of the test."""
    return {
        "google": {
            "GoogleOAuthenticator": {
                "authorize_url": f"{url}/o/oauth2/v2/auth",
                "google_api_url": url,
            }
        },
        "entra": {
            "AzureAdOAuthenticator": {
                "authorize_url": f"{url}/tenant/oauth2/v2.0/authorize",
                "token_url": f"{url}/tenant/oauth2/v2.0/token",
            }
        },
        "cilogon": {"CILogonOAuthenticator": {"cilogon_host": url.removeprefix("https://")}},
    }[kind]


def open_profiles(values: Mapping[str, Any], about: Mapping[str, Any]) -> list[str]:
    """The profiles that the hub's own file offers to a user of these groups."""
    people = imported("jupyterhub_aws_people")
    groups = values["custom"]["jupyterhubAws"]["profileGroups"]
    found = people.ProfilesByGroup(
        [{"slug": "gated"}, {"slug": "other"}], {**groups, "other": ["none"]}
    )
    user = SimpleNamespace(
        admin=about["admin"], groups=[SimpleNamespace(name=name) for name in about["groups"]]
    )
    try:
        return [profile["slug"] for profile in found(SimpleNamespace(user=user))]
    except web.HTTPError:
        return []


@pytest.mark.parametrize("kind", sorted(WHO))
def test_users_of_institutions(tmp_path: Path, kind: str) -> None:
    options, owner, group, leaves = SECTIONS[kind]
    section = {"kind": kind, "client_id": CLIENT_ID, **options}
    gated = f"hubs.main.profiles.gated={json.dumps({**GATED, 'groups': [group]})}"
    claims = {name: said for name, (said, _) in WHO[kind].items()}
    (tmp_path / "ca.crt").write_text(CA.pem)
    with identity_provider(tmp_path, CA, claims) as provider:
        values = merged(values_with(section, gated), {"hub": {"config": moved(kind, provider.url)}})
        with booted(
            values,
            tmp_path / "hub",
            secret=secret(owner, client_secret=CLIENT_SECRET),
            SSL_CERT_FILE=str(tmp_path / "ca.crt"),
        ) as hub:
            for name, (_, expected) in WHO[kind].items():
                _as(hub, provider, name, expected, values, group)
            leave(hub, provider, leaves)
            assert provider.faults == []
            assert CLIENT_SECRET not in hub.log


def _as(
    hub: Hub,
    provider: Identity,
    name: str,
    expected: tuple[str, bool, list[str]] | None,
    values: Mapping[str, Any],
    group: str,
) -> None:
    provider.person = name
    status, session = hub.sign_in_elsewhere()
    about = hub.about(session)
    if expected is None:
        assert about == {} and status >= 400, (name, about)
        return
    user, admin, groups = expected
    assert (about["name"], about["admin"], sorted(about["groups"])) == (user, admin, groups), name
    gets = ["gated", "other"] if admin else ["gated"] if group in groups else []
    assert open_profiles(values, about) == gets, name
    if name == "listed":
        start(hub, session, user)


def leave(hub: Hub, provider: Identity, leaves: str) -> None:
    provider.person = "ada"
    _, session = hub.sign_in_elsewhere()
    leaving = hub.page(session, "/hub/logout")
    assert hub.about(session) == {}
    where = leaving.headers.get("Location", "")
    assert leaves in where if leaves else "://" not in where, "Google has no page for it"


# --- a course's launch ---

LTI = {
    "kind": "lti13",
    "client_ids": [TOOL],
    "deployment_ids": [DEPLOYMENT],
    "username_claim": "custom_login",
    "allowed_groups": ["course:101"],
    "allowed_users": ["visitor"],
    "admin_groups": ["course:101:instructor"],
}


def launched(login: str | None, course: str | None, *roles: str, **more: Any) -> dict[str, Any]:
    return {
        "sub": "sub-of-someone",
        "email": "boss@uni.example",
        f"{CLAIM}/roles": [f"{ROLE}{role}" for role in roles],
        **({f"{CLAIM}/custom": {"login": login}} if login else {}),
        **({f"{CLAIM}/context": {"id": course, "label": "101"}} if course else {}),
        **more,
    }


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with lti_platform(tmp_path_factory.mktemp("platform"), CA) as found:
        yield found


@pytest.fixture(scope="module")
def course(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("course")
    (folder / "ca.crt").write_text(CA.pem)
    section = {
        **LTI,
        "issuer": platform.url,
        "authorize_url": f"{platform.url}/authorize",
        "jwks_url": f"{platform.url}/jwks",
    }
    over = {"hub": {"config": {"LTI13Authenticator": {"uri_scheme": "http"}}}}
    with booted(
        merged(values_with(section), over),
        folder / "hub",
        SSL_CERT_FILE=str(folder / "ca.crt"),
    ) as hub:
        yield hub


def test_users_of_a_course(course: Hub, platform: Platform) -> None:
    for login, where, roles, admin, groups in (
        ("Ada", "101", ["#Learner"], False, ["course:101", "course:101:learner", "learner"]),
        (
            "boss",
            "101",
            ["#Instructor"],
            True,
            ["course:101", "course:101:instructor", "instructor"],
        ),
        (
            "helper",
            "101",
            ["#Instructor", "/Instructor#TeachingAssistant"],
            False,
            ["course:101", "course:101:teaching_assistant", "teaching_assistant"],
        ),
        ("visitor", None, [], False, []),
    ):
        done, session = platform.launch(course, launched(login, where, *roles))
        assert done.status_code == 302, (login, done.text[-300:])
        about = course.about(session)
        assert (about["name"], about["admin"]) == (login.lower(), admin)
        assert sorted(about["groups"]) == groups
    page = course.page(session, "/hub/logout")
    assert page.status_code in (200, 302) and course.about(session) == {}


def test_who_is_no_instructor_any_more_is_no_administrator_any_more(
    course: Hub, platform: Platform
) -> None:
    _, session = platform.launch(course, launched("carl", "101", "#Instructor"))
    assert course.about(session)["admin"] is True
    _, session = platform.launch(course, launched("carl", "101", "#Learner"))
    assert course.about(session)["admin"] is False


def test_launches_that_are_refused(course: Hub, platform: Platform) -> None:
    instructor = launched("eve", "101", "#Instructor")
    cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "another course": (launched("eve", "102", "#Instructor"), {}),
        "a course with that label": ({**launched("eve", "103", "#Learner")}, {}),
        "a course whose id looks like a role": (launched("eve", "101:instructor", "#Learner"), {}),
        "role of the institution": (
            launched(
                "eve", None, **{f"{CLAIM}/roles": [f"{ROLE[:-10]}institution/person#Instructor"]}
            ),
            {},
        ),
        "no name": (launched(None, "101", "#Learner"), {}),
        "another deployment": ({**instructor, f"{CLAIM}/deployment_id": "other"}, {}),
        "another tool": ({**instructor, "aud": "other"}, {}),
        "another platform": ({**instructor, "iss": "https://evil.example"}, {}),
        "too old": ({**instructor, "exp": int(time.time()) - 5}, {}),
        "another key": (instructor, {"key": new_key()}),
        "no signature": (instructor, {"algorithm": "HS256"}),
        "another nonce": (instructor, {"nonce": "0" * 64}),
        "another state": (instructor, {"state": "e30="}),
        "no cookies": (instructor, {"with_cookies": False}),
    }
    for name, (claims, otherwise) in cases.items():
        done, session = platform.launch(course, claims, **otherwise)
        assert done.status_code in (400, 401, 403), (name, done.status_code, done.text[-200:])
        assert course.about(session) == {}, name
    assert "eve" not in [user["name"] for user in course_users(course)], (
        "no user is made for a launch that is refused"
    )


def course_users(course: Hub) -> list[dict[str, Any]]:
    found = requests.get(
        f"{course.url}/hub/api/users",
        headers={"Authorization": "token " + "0" * 64},
        timeout=10,
    )
    assert found.status_code == 200, found.text
    return list(found.json())


def test_the_cookies_of_a_launch_and_the_page_without_one(course: Hub, platform: Platform) -> None:
    sent = {"iss": platform.url, "login_hint": "7", "target_link_uri": f"{course.url}/hub/"}
    first = requests.get(
        f"{course.url}/hub/lti13/oauth_login", params=sent, allow_redirects=False, timeout=10
    )
    own = [line for line in first.raw.headers.getlist("Set-Cookie") if line.startswith("lti13")]
    assert len(own) == 2 and all("SameSite=None" in line and "Secure" in line for line in own)
    done, _ = platform.launch(course, launched("ada", "101", "#Learner"))
    others = [line for line in done.raw.headers.getlist("Set-Cookie") if "lti13" not in line]
    assert others and not any("SameSite=None" in line for line in others)
    page = requests.get(f"{course.url}/hub/login", timeout=10)
    assert "Open this hub from your course" in page.text and "oauth_login" not in page.text


def test_the_hub_answers_while_the_platform_does_not(course: Hub, platform: Platform) -> None:
    platform.delay_seconds = 4
    found: list[int] = []

    def knock() -> None:
        done, _ = platform.launch(course, launched("ada", "101", "#Learner"))
        found.append(done.status_code)

    try:
        waiting = [Thread(target=knock) for _ in range(2)]
        for thread in waiting:
            thread.start()
        time.sleep(1)
        for _ in range(5):
            began = time.monotonic()
            assert course.answers(timeout=3)
            assert time.monotonic() - began < 1
        for thread in waiting:
            thread.join()
    finally:
        platform.delay_seconds = 0
    assert found == [302, 302]
    assert platform.asked and set(platform.asked) == {"/jwks"}


def test_health_sees_where_a_course_leads(course: Hub, platform: Platform) -> None:
    section = {
        **LTI,
        "issuer": platform.url,
        "authorize_url": f"{platform.url}/authorize",
        "jwks_url": f"{platform.url}/jwks",
    }
    endpoint = HubEndpoint(url=f"{course.url}/", port=int(course.url.rpartition(":")[2]))
    way = SignIn(stack="dev", hub="main", config=stack_with(section).hubs["main"])
    assert way.launched and not way.elsewhere
    assert "shows its sign-in page" in way.shown(endpoint)
    assert "leads to localhost" in way.to_the_provider(endpoint)
    moved_since = {**section, "authorize_url": "https://lms.example.edu/authorize"}
    other = SignIn(stack="dev", hub="main", config=stack_with(moved_since).hubs["main"])
    with pytest.raises(FailedError, match=r"not to https://lms\.example\.edu/authorize"):
        other.to_the_provider(endpoint)
    shared = SignIn(
        stack="dev", hub="main", config=stack_with({"kind": "shared_password"}).hubs["main"]
    )
    with pytest.raises(FailedError, match="no field for a password"):
        shared.shown(endpoint)
