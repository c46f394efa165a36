"""`hub.services` and the roles of services: as services of the stack, with tokens of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.config.scopes import RESERVED_SERVICES, is_wide
from jupyterhub_aws.config.services import Service, custom_scopes
from jupyterhub_aws.config.stack_text import fill, plain
from jupyterhub_aws.config.values import ShortName

_PLACE, _ROLES = ("hub", "services"), ("hub", "loadRoles")
_TOKENS = ("apiToken", "api_token")
#: What is read of a service; one with another key, such as `command`, is listed.
_READ = frozenset({*_TOKENS, "name", "url", "display", "oauth_redirect_uri", "oauth_no_confirm"})
_OF_RIGHTS = frozenset({"name", "description", "scopes", "services"})
_OF_ACCESS = frozenset({"name", "description", "scopes", "users", "groups"})
_OPENS = "access:services!service="
_TOKEN = "the stack makes another token: give the service that one, in the Secret service-{name}"  # noqa: S105 -- a sentence


def services_of(taking: Taking) -> dict[str, Any]:
    """The services that the stack can have as they were. The others stay, and are listed."""
    found: dict[str, Any] = {}
    for name in taking.keys(*_PLACE):
        section = _section(taking, name)
        if section is not None:
            found[name] = section
            _settle(taking, name)
    for role in taking.keys(*_ROLES):
        said = taking.look(*_ROLES, role)
        if (
            _is_of(said, _OF_RIGHTS)
            and said.get("services")
            and set(said["services"]) <= set(found)
        ):
            _carried(taking, role, said["services"])
        elif _is_of(said, _OF_ACCESS) and (opened := _opened(said)) in found:
            _carried(taking, role, [opened])
    return found


def _section(taking: Taking, name: Any) -> dict[str, Any] | None:
    """A service as the stack file says it; None for one that it cannot have."""
    said = taking.look(*_PLACE, name)
    if not isinstance(said, Mapping) or set(said) - _READ or name in RESERVED_SERVICES:
        return None
    if said.get("name", name) != name:
        return None
    scopes = _scopes(taking, name)
    if scopes is None:
        return None
    section: dict[str, Any] = {
        key: chosen
        for key, chosen in (
            ("scopes", [scope for scope in scopes if not is_wide(scope)]),
            ("wide_scopes", [scope for scope in scopes if is_wide(scope)]),
        )
        if chosen
    }
    if said.get("url"):
        pods = fill({"app": name}, "labels of its pods, for network policies")
        section |= {"url": said["url"], "pods": {"labels": pods}, **_members(taking, name)}
    oauth = {}
    if said.get("oauth_redirect_uri"):
        oauth["redirect_uri"] = said["oauth_redirect_uri"]
    if said.get("oauth_no_confirm"):
        oauth["confirm"] = False
    if oauth:
        section["oauth"] = oauth
    if said.get("display") is False:
        section["display"] = False
    return section if _valid(name, section) else None


def _valid(name: Any, section: Mapping[str, Any]) -> bool:
    try:
        TypeAdapter(ShortName).validate_python(name)
        made = Service.model_validate_json(json.dumps(plain(section)))
    except (ValidationError, TypeError, ValueError):
        return False
    return not custom_scopes(made)


def _scopes(taking: Taking, name: Any) -> list[str] | None:
    """What its roles give it; None where one of them is more than scopes."""
    found: dict[str, None] = {}
    for role in taking.keys(*_ROLES):
        said = taking.look(*_ROLES, role)
        services = said.get("services") if isinstance(said, Mapping) else None
        if isinstance(services, (list, tuple)) and name in services:
            if not _is_of(said, _OF_RIGHTS):
                return None
            found |= dict.fromkeys(said["scopes"])
    return list(found)


def _members(taking: Taking, name: Any) -> dict[str, Any]:
    """Who may open it, by roles that say nothing else."""
    users: dict[str, None] = {}
    groups: dict[str, None] = {}
    for role in taking.keys(*_ROLES):
        said = taking.look(*_ROLES, role)
        if _is_of(said, _OF_ACCESS) and _opened(said) == name:
            users |= dict.fromkeys(map(str, said.get("users") or ()))
            groups |= dict.fromkeys(map(str, said.get("groups") or ()))
    return {key: list(said) for key, said in (("groups", groups), ("users", users)) if said}


def _is_of(role: Any, keys: frozenset[str]) -> bool:
    """Whether a role has these keys and no others, and lists of texts in them."""
    if not isinstance(role, Mapping) or set(role) - keys:
        return False
    lists = [role[key] for key in ("scopes", "services", "users", "groups") if role.get(key)]
    return bool(role.get("scopes")) and all(
        isinstance(items, list) and all(isinstance(item, str) for item in items) for items in lists
    )


def _opened(role: Mapping[str, Any]) -> str | None:
    """The service that a role opens to its members, where that is all that it does."""
    scopes = role.get("scopes") or []
    if (
        len(scopes) != 1
        or not scopes[0].startswith(_OPENS)
        or not (role.get("users") or role.get("groups"))
    ):
        return None
    return str(scopes[0].removeprefix(_OPENS))


def _settle(taking: Taking, name: Any) -> None:
    for key in _TOKENS:
        if taking.has(*_PLACE, name, key):
            taking.settle(*_PLACE, name, key, why=_TOKEN.format(name=name))
    taking.take(*_PLACE, name, to=f"hubs.{taking.hub}.services.{name}")
    taking.notes.append(
        f"the service {name} has another token in the new hub: its Secret is service-{name}"
    )


def _carried(taking: Taking, role: Any, services: list[str]) -> None:
    places = ", ".join(f"hubs.{taking.hub}.services.{name}" for name in services)
    taking.take(*_ROLES, role, to=places)
