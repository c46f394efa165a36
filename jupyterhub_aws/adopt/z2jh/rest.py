"""Culling, database, named servers, and what is left: chart values that still mean something, or
a line that says why they do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.homes import gib
from jupyterhub_aws.adopt.z2jh.seal import looks_secret
from jupyterhub_aws.adopt.z2jh.taken import LedgerEntry, LedgerStatus, Taking, default_of
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.tree import KeyPath

#: Named servers of a user where the old hub had no limit, and the most that the stack allows
#: (config/hub.py).
_NAMED, _MOST_NAMED = 3, 20
_OWN = "the stack makes its own, and keeps it"
_CODE = "is a program: read it, and put what is still needed under helm_values by hand"
#: What the stack decides by itself, with the reason that the report gives.
_DECIDED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("proxy", "secretToken"), _OWN),
    (("hub", "cookieSecret"), _OWN),
    (("hub", "config", "CryptKeeper"), _OWN),
    (("hub", "config", "ConfigurableHTTPProxy"), _OWN),
    (("hub", "image"), "the chart's own hub is what the program was tried with"),
    (("proxy", "chp", "image"), "the chart's own proxy is what the program was tried with"),
    (("proxy", "service"), "the entry decides how users come in"),
    (("proxy", "https"), "the entry decides who encrypts"),
    (("rbac",), "the chart's own rights are what the hub needs"),
    (("prePuller",), "the stack decides which images are pulled before"),
    (("scheduling", "userScheduler"), "the stack decides how servers are placed"),
    (("scheduling", "podPriority"), "the stack decides how servers are placed"),
    (("scheduling", "userPlaceholder"), "the stack decides which nodes are kept ready"),
    (("singleuser", "cloudMetadata"), "the stack closes the way to the machine's own credentials"),
    (("hub", "networkPolicy"), "the stack has policies of its own"),
    (("proxy", "chp", "networkPolicy"), "the stack has policies of its own"),
    (("singleuser", "networkPolicy"), "the stack has policies of its own"),
    (("singleuser", "initContainers"), _CODE),
    (("hub", "extraFiles"), _CODE),
    (
        ("hub", "existingSecret"),
        (
            "holds values that this command cannot see: look into that Secret, and set what is"
            " needed as secrets of the stack"
        ),
    ),
    (("custom",), "is read by programs, which are not carried over"),
    (("hub", "extraConfig"), _CODE),
    (("hub", "extraConfigMap"), _CODE),
    (("hub", "initContainers"), _CODE),
    (("hub", "extraContainers"), _CODE),
    (("singleuser", "extraContainers"), _CODE),
    (
        ("singleuser", "storage", "extraVolumes"),
        "write `volumes` or `shared_directories` of the hub instead",
    ),
    (
        ("singleuser", "storage", "extraVolumeMounts"),
        "write `volumes` or `shared_directories` of the hub instead",
    ),
    (
        ("imagePullSecret",),
        "holds a password: make a Secret with kubectl, and name it under registry",
    ),
    (("debug",), "is for looking for faults"),
    (("sops",), "is what sops says of its encryption"),
)


def culling_of(taking: Taking) -> dict[str, Any]:
    """`cull` as the hub's culling."""
    if taking.has("cull", "enabled") and not taking.flag("cull", "enabled"):
        taking.settle("cull", why="nothing was culled")
        return {"server_idle_minutes": 0}
    timeout, age = taking.number("cull", "timeout"), taking.number("cull", "maxAge")
    for name in ("every", "concurrency", "users", "adminUsers", "removeNamedServers"):
        taking.drop_all(
            "cull", name, why="the stack decides how often it looks, and culls servers only"
        )
    found: dict[str, Any] = {}
    if timeout is not None:
        found["server_idle_minutes"] = min(max(round(timeout / 60), 1), 10080)
        if found["server_idle_minutes"] * 60 != timeout:
            taking.notes.append(
                f"idle servers were stopped after {timeout:g} seconds: now after"
                f" {found['server_idle_minutes']} minutes"
            )
    if age is not None:
        found["max_age_hours"] = min(max(round(age / 3600), 1), 2160) if age > 0 else 0
        if found["max_age_hours"] * 3600 != age:
            taking.notes.append(
                f"servers were stopped at an age of {age:g} seconds: now at"
                f" {found['max_age_hours']} hours"
            )
    return found


def database_of(taking: Taking) -> dict[str, Any]:
    """Where the hub remembers: a volume of a class, or memory. A server elsewhere is the
    operator's to see to.
    """
    kind = taking.text("hub", "db", "type") or "sqlite-pvc"
    taking.settle("hub", "db", "upgrade", why="the hub upgrades its database by itself")
    if kind == "sqlite-memory":
        taking.settle("hub", "db", "pvc", why="means nothing with a database in memory")
        return {"kind": "sqlite_memory"}
    storage_class, size = (
        taking.text("hub", "db", "pvc", "storageClassName"),
        taking.text("hub", "db", "pvc", "storage"),
    )
    if kind != "sqlite-pvc":
        taking.drop_all(
            "hub",
            "db",
            "url",
            why=f"{kind[:20]} elsewhere is no database of this stack around a cluster that exists",
        )
        taking.drop_all("hub", "db", "password", why="goes with the address of the database")
        taking.notes.append(
            f"the database was {kind[:20]}: users sign in again and running servers are to be"
            " stopped first, or copy it by hand"
        )
        taking.to_fill_in("hub", "db", "type", where="database")
    whole = gib(size)
    if size is not None and whole is None:
        taking.drop(("hub", "db", "pvc", "storage"), "is not a size in GiB")
    section: dict[str, Any] = {
        "kind": "sqlite_on_class",
        "storage_class": (
            storage_class or fill("gp3", "a class of block storage: kubectl get storageclass")
        ),
    }
    return {**section, **({"size_gib": min(max(whole, 1), 100)} if whole else {})}


def named_servers_of(taking: Taking) -> int:
    """`hub.allowNamedServers` and its limit, in either of its two places."""
    allowed = any(
        [
            taking.flag("hub", "allowNamedServers"),
            taking.flag("hub", "config", "JupyterHub", "allow_named_servers"),
        ]
    )
    places = (
        ("hub", "namedServerLimitPerUser"),
        ("hub", "config", "JupyterHub", "named_server_limit_per_user"),
    )
    limits = [taking.number(*place) for place in places]
    if not allowed:
        for place in places:
            taking.settle(*place, why="no user had named servers")
        return 0
    limit = next((int(item) for item in limits if item and item > 0), None)
    if limit is None:
        taking.notes.append(f"users had as many named servers as they liked: now {_NAMED}")
    elif limit > _MOST_NAMED:
        taking.notes.append(f"users had {limit} named servers: now {_MOST_NAMED}")
    return _NAMED if limit is None else min(limit, _MOST_NAMED)


def decided(taking: Taking) -> None:
    """Take away what the stack decides by itself, and say so."""
    _defaults(taking)
    for path, why in _DECIDED:
        taking.drop_all(*path, why=why)
    taking.drop_all(
        "hub",
        "services",
        why=(
            "names programs beside the hub, with tokens: add them by hand, with tokens of their own"
        ),
    )
    taking.drop_all(
        "hub",
        "config",
        "JupyterHub",
        "services",
        why=(
            "names programs beside the hub, with tokens: add them by hand, with tokens of their own"
        ),
    )
    listed = taking.look("hub", "config", "JupyterHub", "load_roles")
    if isinstance(listed, list) and any(
        isinstance(role, Mapping) and role.get("services") for role in listed
    ):
        why = (
            "has roles of services, which are not carried over: a hub that does not know them does"
            " not start. Add the others by hand, those that narrow too"
        )
        taking.drop_all("hub", "config", "JupyterHub", "load_roles", why=why)
    roles = taking.look("hub", "loadRoles")
    for name in list(roles) if isinstance(roles, Mapping) else ():
        if not isinstance(roles[name], Mapping) or roles[name].get("services"):
            taking.drop_all(
                "hub",
                "loadRoles",
                name,
                why=(
                    "is a role of services, which are not carried over: a hub that does not know"
                    " them does not start"
                ),
            )


def _defaults(taking: Taking) -> None:
    """What is the chart's own default says nothing; a null that takes a default away does."""
    for path, value in list(taking.left()):
        there, default = default_of(path)
        if value is None and there and default not in (None, {}, []):
            if path == ("singleuser", "cmd"):
                taking.take(*path)
                taking.put(
                    [],
                    *path,
                    # the image's own command, as the null had it: a null is lost between Pulumi and
                    # Helm
                )
            elif isinstance(default, list):
                taking.take(*path)
                taking.put([], *path)
            else:
                taking.drop(
                    path,
                    "is a null, which took away the chart's default: the new hub has it (write what"
                    " should be there instead)",
                )
        elif value is None or value == {} or (value == [] and default in (None, {}, [])):
            taking.settle(*path, why="says nothing") if _of_maps(path) else _nothing(taking, path)
        elif there and value == default and type(value) is type(default) and _of_maps(path):
            taking.settle(*path, why="is the chart's own default")


def _of_maps(path: KeyPath) -> bool:
    return all(isinstance(part, str) for part in path)


def _nothing(taking: Taking, path: KeyPath) -> None:
    taking.ledger[path] = LedgerEntry(status=LedgerStatus.SETTLED, why="says nothing")


def helm_values(taking: Taking) -> dict[str, Any]:
    """What is left and has no secret in it, as values for the chart."""
    for path, value in list(taking.left()):
        if path in taking.ledger and taking.ledger[path].status is not LedgerStatus.CARRIED:
            continue
        if value == SECRET or (isinstance(value, str) and looks_secret(value)):
            item = next(
                (path[:depth] for depth, part in enumerate(path) if isinstance(part, int)), path
            )
            if len(item) < len(
                path
            ):  # half of a variable is none: the item of the list goes as a whole
                item = path[: len(item) + 1]
            taking.gone(item, "is a secret, or looks like one: nothing like it is copied")
    for path, _ in taking.left():
        origin = taking.origin(path)
        if origin not in taking.ledger and taking.is_end(origin):
            taking.ledger[origin] = LedgerEntry(
                status=LedgerStatus.CARRIED, why=f"helm_values.{dotted(path)}"
            )
    return pruned(taking.values)


def removed(values: dict[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """Remove the existing value nearest to a path: what a check named, or the map that
    holds it. Where that was; empty for nothing.
    """
    holders: list[tuple[dict[str, Any], str]] = []
    here: Any = values
    for part in path:
        if not isinstance(here, dict) or part not in here:
            break
        holders.append((here, part))
        here = here[part]
    if not holders:
        return ()
    holder, key = holders[-1]
    del holder[key]
    return tuple(part for _, part in holders)


def pruned(value: dict[str, Any]) -> dict[str, Any]:
    """Without nulls, which Helm and Pulumi lose on the way, and without maps that hold nothing
    else. An empty list says something.
    """
    return _pruned(value) or {}


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: item for key, inner in value.items() if (item := _pruned(inner)) is not None}
        return found or None
    if isinstance(value, list):
        items = [item for inner in value if (item := _pruned(inner)) is not None]
        return items if items or not value else None
    return value
