"""Services of a hub, its roles, and its shared directories by group: who gains what, and who loses
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.effect import Class, Topic
from jupyterhub_aws.config.tree import at

Say = tuple[Class, Topic, str]
_DIRECTORIES = ("custom", "jupyterhubAws", "groupDirectories")
#: What is read of a service and of a role; another key is said by the table (values.toml).
_OF_SERVICE = frozenset(
    {"url", "display", "oauth_client_id", "oauth_no_confirm", "oauth_redirect_uri"}
)
_OF_ROLE = frozenset({"description", "scopes", "users", "groups", "services"})
#: The roles of every user and of every server's token (jupyterhub/roles.py 5.5), and what they have
#: where the values say nothing.
_OF_ALL: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "user": ("every user", ("self",)),
    "server": ("the token of every server", ("users:activity!user", "access:servers!server")),
}
_OPENS = "access:services!service="


def covers(keys: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether `says` tells what a value at this path of a hub's values means."""
    if keys[: len(_DIRECTORIES)] == _DIRECTORIES:
        return True
    if keys[:2] == ("hub", "services") and len(keys) > 2:  # hub.services.NAME
        return _known(keys, old, new, _OF_SERVICE)
    if keys[:2] == ("hub", "loadRoles") and len(keys) > 2:  # hub.loadRoles.NAME
        return _known(keys, old, new, _OF_ROLE)
    return False


def _known(
    keys: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any], known: frozenset[str]
) -> bool:
    if len(keys) > 3:  # a key of the named one
        return keys[3] in known
    sides = [side for values in (old, new) if (side := at(values, *keys)) is not None]
    return all(isinstance(side, Mapping) and set(side) <= known for side in sides)


def says(
    changed: Iterable[tuple[str, ...]], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Say]:
    """What changed values under these paths mean, where `covers` them."""
    mine = [keys for keys in changed if covers(keys, old, new)]
    if not mine:
        return
    found = [*_rights(old, new), *_addresses(old, new), *_directories(old, new)]
    yield from found
    if not found:
        yield "routine", "sign-in", "services and roles are written differently, but allow the same"


def _rights(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Say]:
    before, after = set(_grants(old)), set(_grants(new))
    for who, may in sorted(after - before):
        yield "widens access", "sign-in", f"{who} may {may}"
    for who, may in sorted(before - after):
        yield "interrupts", "sign-in", f"{who} may no longer {may}"


def _grants(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    roles: Any = at(values, "hub", "loadRoles")
    for name, role in roles.items() if isinstance(roles, Mapping) else ():
        if not isinstance(role, Mapping):
            continue
        scopes = [str(scope) for scope in role.get("scopes") or ()]
        everyone, default = _OF_ALL.get(name, ("", ()))
        for who in [*_members(role), *([everyone] if everyone else [])]:
            for scope in scopes:
                if who != everyone or scope not in default:
                    yield who, _in_words(scope)


def _members(role: Mapping[str, Any]) -> Iterator[str]:
    for kind, word in (("services", "the service"), ("groups", "the group"), ("users", "the user")):
        yield from (f"{word} {name}" for name in role.get(kind) or ())


def _in_words(scope: str) -> str:
    if scope.startswith(_OPENS):
        return f"open /services/{scope.removeprefix(_OPENS)}/"
    return f"use the hub's API with {scope}"


def _addresses(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Say]:
    before, after = (_services(side) for side in (old, new))
    for name in sorted({*before, *after}):
        was, now = before.get(name, {}), after.get(name, {})
        if was.get("url") != now.get("url"):
            yield _url(name, was.get("url"), now.get("url"))
        redirect = now.get("oauth_redirect_uri")
        if redirect is not None and redirect != was.get("oauth_redirect_uri"):
            says = f"the service {name} signs users in with the hub, which sends them to {redirect}"
            yield "widens access", "sign-in", says
        if now.get("oauth_no_confirm") and not was.get("oauth_no_confirm"):
            says = f"the service {name} learns who a user is without asking them"
            yield "widens access", "sign-in", says
        if name not in after:
            yield "interrupts", "sign-in", f"the service {name} is removed: its token opens nothing"
        elif name not in before and not now.get("url"):
            yield "routine", "sign-in", f"a new service: {name}"


def _url(name: str, was: object, now: object) -> Say:
    if now is None:
        return "interrupts", "users", f"/services/{name}/ leads nowhere"
    if was is None:
        return "routine", "users", f"/services/{name}/ leads to {now}"
    return "interrupts", "users", f"/services/{name}/ leads to {now} instead of {was}"


def _services(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found: Any = at(values, "hub", "services")
    return (
        {str(name): item for name, item in found.items() if isinstance(item, Mapping)}
        if isinstance(found, Mapping)
        else {}
    )


def _directories(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Say]:
    before, after = (dict(_access(side)) for side in (old, new))
    for who, place in sorted({*before, *after}):
        was, now = before.get((who, place)), after.get((who, place))
        if was == now:
            continue
        starts = "in servers that start later"
        if now is None:
            yield "interrupts", "data", f"{who} no longer have {place} {starts}"
        elif was == "write":
            yield "interrupts", "data", f"{who} may only read {place} {starts}"
        else:
            yield "widens access", "data", f"{who} may {now} {place} {starts}"


def _access(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    listed: Any = at(values, *_DIRECTORIES)
    for item in listed if isinstance(listed, (list, tuple)) else ():
        place = str(item["mountPath"])
        for group in item["readers"]:
            yield (f"users of the group {group}", place), "read"
        for group in item["writers"]:
            yield (f"users of the group {group}", place), "write"
        if item["administratorsWrite"]:
            yield ("administrators", place), "write"
