"""Sign-in: who gains it, who loses it, and whose user name would change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading
from jupyterhub_aws.changes.effects import institutions
from jupyterhub_aws.changes.effects.institutions import Say

#: Traits whose items are users or groups (jupyterhub 5, oauthenticator 17,
#: ldapauthenticator 2, firstuse, native).
_WHO = re.compile(
    r"(allowed|admin|blocked)_(users|groups|organizations|teams|idps|project_ids|google_groups|courses)\Z|\Aadmin_(users|groups)\Z"
)
#: Users admitted by these traits are on no list.
_ADMIT_ALL = ("allow_all", "allow_existing_users", "open_signup", "any_allow_config")
#: A user's name decides their home: a trait that changes names changes homes too.
_NAMES = (
    "username_claim",
    "username_map",
    "username_pattern",
    "username_regex",
    "bind_dn_template",
    "user_attribute",
    "lookup_dn_user_dn_attribute",
    "custom_403_message",
    "strip_domain",
    "username_key",
)
#: Changes that only operators notice.
_QUIET = (
    "oauth_callback_url",
    "login_service",
    "client_id",
    "scope",
    "logout_redirect_url",
    "tls_kwargs",
    "refresh_pre_spawn",
    "auth_refresh_age",
)


def says(keys: tuple[str, ...], old: Any, new: Any) -> list[Say] | None:
    """What another value of the sign-in means; None for a value outside of it."""
    if keys[:2] != ("hub", "config") or len(keys) < 3:  # hub.config.CLASS
        return None
    owner, trait = keys[2], keys[3] if len(keys) > 3 else ""  # hub.config.CLASS.trait
    if (owner, trait) == ("JupyterHub", "authenticator_class"):
        before, after = (institutions.KINDS.get(str(side), side) for side in (old, new))
        text = (
            f"users sign in by {after} instead of {before}: users with another name there get an"
            " empty home, and users not known there cannot sign in"
        )
        return [("endangers data", "sign-in", text)]
    if "Authenticator" not in owner:
        return None
    if not trait:  # a whole class of traits comes or goes, with the sign-in that it belongs to
        traits = new if isinstance(new, Mapping) else old if isinstance(old, Mapping) else {}
        come = isinstance(new, Mapping)
        return [
            say
            for name, value in traits.items()
            for say in _trait(str(name), None if come else value, value if come else None)
        ]
    return list(_trait(trait, old, new))


def _trait(trait: str, old: Any, new: Any) -> Iterator[Say]:
    if trait in institutions.TRAITS:
        yield from institutions.says(trait, old, new)
    elif _WHO.search(trait):
        yield from _members(trait, old, new)
    elif trait in _ADMIT_ALL:
        if new:
            says = f"all users known to the identity provider may sign in ({trait})"
            yield "widens access", "sign-in", says
        else:
            yield "interrupts", "sign-in", f"only listed users may sign in ({trait})"
    elif trait in _NAMES:
        says = (
            f"user names are derived differently ({trait}): users with a new name get an empty home"
        )
        yield "endangers data", "sign-in", says
    elif trait == "populate_teams_in_auth_state":
        says = "the hub asks GitHub for users' teams at each sign-in"
        yield "interrupts", "sign-in", says if new else f"{says} no longer"
    elif trait in _QUIET:
        says = f"sign-in uses other settings ({trait}); signed-in users stay signed in"
        yield "interrupts", "sign-in", says
    elif trait.startswith(
        ("search_", "lookup_", "server_", "tls_", "user_search", "group_")
    ) or trait.endswith(("_url", "_dn", "_filter", "_base", "_attributes", "_key")):
        says = (
            f"users are looked up differently ({trait}): some may no longer be found, others newly"
        )
        yield "interrupts", "sign-in", says
    elif trait in ("client_secret", "lookup_dn_search_password"):
        yield "interrupts", "sign-in", f"a secret of the sign-in changes ({trait})"
    else:
        yield "unknown", "sign-in", f"a setting of the sign-in changes ({trait})"


def _members(trait: str, old: Any, new: Any) -> Iterator[Say]:
    before, after = ({str(item) for item in _items(side)} for side in (old, new))
    kind, blocked = trait.partition("_")[2].replace("_", " "), trait.startswith("blocked")
    right = "administer the hub and every server" if trait.startswith("admin") else "sign in"
    listed: tuple[Class, str] = ("widens access", f"may {right}")
    removed: tuple[Class, str] = ("interrupts", f"may no longer {right}")
    if blocked:
        listed, removed = removed, ("widens access", f"may {right} again")
    for (class_, may), names in ((listed, after - before), (removed, before - after)):
        for name in sorted(names):
            yield class_, "sign-in", f"{name} ({kind}) {may}"


def _items(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, set, Mapping)):
        return list(value)
    if value is None:
        return []
    return [value]


# --- Homes: which changes would give users an empty one.


def read(change: Change, context: EffectContext) -> Reading:
    """An access point or a volume that homes, or a database, are mounted through."""
    del context
    reading = Reading(change, explained={"rootDirectory", "posixUser"})
    if change.old is None or change.new is None:
        return reading
    old, new = (_place(side.inputs) for side in (change.old, change.new))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            says = (
                f"{change.name}: {key} {old.get(key)} → {new.get(key)}:"
                f" {_MEANS.get(key, _OTHERWISE)}"
            )
            reading.say("endangers data", "data", says)
    if any(item.keys[1:2] not in _QUIET_ABOUT_HOMES for item in change.under("spec")):
        reading.explained.add("spec")
        if not reading.effects:
            says = (
                f"{change.name}: the volume has another specification; the API server may refuse"
                " it, or pods get another one"
            )
            reading.say("endangers data", "data", says)
    return reading


#: Parts of a volume's specification that the table covers.
_QUIET_ABOUT_HOMES = (("mountOptions",), ("capacity",))
_OTHERWISE = "pods get another volume under the same name"
_MEANS = {
    "directory": "all users would see an empty home, unless the files are there too",
    "user": "the owner of the files differs from the mounting user: users could not write",
    "volume": (
        "all users would see an empty home, or an empty database, unless the data is there too"
    ),
    "reclaim policy": "what happens to the data when the claim is deleted",
}


def _place(inputs: Mapping[str, Any]) -> dict[str, str]:
    if "rootDirectory" in inputs or "posixUser" in inputs:
        user = inputs.get("posixUser") or {}
        return {
            "directory": str((inputs.get("rootDirectory") or {}).get("path", "/")),
            "user": f"{user.get('uid')}:{user.get('gid')}",
        }
    spec = inputs.get("spec") or {}
    nfs = spec.get("nfs") or {}
    volume = (spec.get("csi") or {}).get("volumeHandle") or (
        f"{nfs.get('server')}:{nfs.get('path')}" if nfs else (spec.get("local") or {}).get("path")
    )
    return {"volume": str(volume), "reclaim policy": str(spec.get("persistentVolumeReclaimPolicy"))}
