"""What a change of services, roles and directories by group means, in words."""

from __future__ import annotations

import json
from typing import Any

from jupyterhub_aws.changes.effects import services
from tests.components.test_services import SERVICES
from tests.components.test_services import values as values_of

LOAD, SERVICE, DIRECTORY = (
    ("hub", "loadRoles", "x"),
    ("hub", "services", "x"),
    ("custom", "jupyterhubAws", "groupDirectories"),
)


def said(old: dict[str, Any], new: dict[str, Any], *keys: tuple[str, ...]) -> list[str]:
    places = keys or (LOAD, SERVICE, DIRECTORY)
    return sorted(f"{class_}: {text}" for class_, _, text in services.says(places, old, new))


def values(section: dict[str, Any]) -> dict[str, Any]:
    return values_of(f"hubs.main.services={json.dumps(section)}")


def test_a_service_that_comes_gains_what_its_scopes_say_and_goes_again() -> None:
    none, all_of_them = values_of(), values(SERVICES)
    come = said(none, all_of_them)
    assert "widens access: the service culler may use the hub's API with delete:servers" in come
    assert "widens access: the user ada may open /services/announcement/" in come
    assert "widens access: the group example-org:staff may open /services/announcement/" in come
    assert "widens access: every user may open /services/gateway/" in come
    assert "widens access: the token of every server may open /services/gateway/" in come
    assert "routine: /services/gateway/ leads to http://web.tools.svc:80" in come
    assert (
        "widens access: the service announcement learns who a user is without asking them" in come
    )
    gone = said(all_of_them, none)
    assert "interrupts: every user may no longer open /services/gateway/" in gone
    assert "interrupts: the service reader is removed: its token opens nothing" in gone
    assert not [line for line in gone if line.startswith("widens")]
    assert len(come) == len(set(come)) and not [line for line in come if "self" in line]


def test_only_what_differs_is_said() -> None:
    one = {"a": {"scopes": ["read:hub", "list:users"]}}
    other = {"a": {"scopes": ["read:hub", "read:servers"]}}
    assert said(values(one), values(other)) == [
        "interrupts: the service a may no longer use the hub's API with list:users",
        "widens access: the service a may use the hub's API with read:servers",
    ]


def test_another_address_and_another_way_back() -> None:
    def service(**more: Any) -> dict[str, Any]:
        pods = {"labels": {"app": "a"}}
        return {"a": {"url": "http://a", "pods": pods, "oauth": {}, **more}}

    assert said(values(service()), values(service(url="http://a:81"))) == [
        "interrupts: /services/a/ leads to http://a.hub-main.svc:81 instead of http://a.hub-main.svc:80"
    ]
    back = {"redirect_uri": "https://grades.example.org/cb"}
    assert said(values(service()), values(service(oauth=back))) == [
        "widens access: the service a signs users in with the hub, which sends them to"
        " https://grades.example.org/cb"
    ]


def test_a_directory_by_group_says_which_groups_gain_and_lose_it() -> None:
    def directory(**more: Any) -> dict[str, Any]:
        return values_of(f"hubs.main.shared_directories={json.dumps({'course': more})}")

    staff, course = "example-org:staff", "example-org:course"
    before = directory(write_groups=[staff], read_groups=[course], writable_by="none")
    after = directory(read_groups=[staff], writable_by="none")
    assert said(before, after) == [
        "interrupts: users of the group example-org:course no longer have"
        " /home/jovyan/shared/course in servers that start later",
        "interrupts: users of the group example-org:staff may only read"
        " /home/jovyan/shared/course in servers that start later",
    ]
    assert said(after, before) == [
        "widens access: users of the group example-org:course may read"
        " /home/jovyan/shared/course in servers that start later",
        "widens access: users of the group example-org:staff may write"
        " /home/jovyan/shared/course in servers that start later",
    ]
    admins = said(after, directory(read_groups=[staff]))
    assert admins == [
        "widens access: administrators may write /home/jovyan/shared/course in servers that start"
        " later"
    ]


def test_what_it_does_not_read_is_left_to_the_table() -> None:
    plain: dict[str, Any] = {"hub": {"services": {"x": {"url": "http://x"}}}}
    odd: dict[str, Any] = {"hub": {"services": {"x": {"url": "http://x", "command": ["sh"]}}}}
    assert services.covers(SERVICE, plain, plain) and not services.covers(SERVICE, plain, odd)
    assert services.covers((*SERVICE, "url"), odd, odd)
    assert not services.covers((*SERVICE, "command"), odd, plain)
    assert not services.covers(("hub", "services"), {}, plain)
    assert not services.covers((*LOAD, "tokens"), {}, {})
    assert said(plain, odd, (*SERVICE, "command")) == []
    assert said({}, {}, (*LOAD, "description")) == [
        "routine: services and roles are written differently, but allow the same"
    ]
