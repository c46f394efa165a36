"""Culling, database, named servers, and what is left: chart values that still mean something, or
a line that says why they do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.homes import gib
from jupyterhub_aws.adopt.z2jh.pages import pages_listed
from jupyterhub_aws.adopt.z2jh.seal import looks_secret
from jupyterhub_aws.adopt.z2jh.taken import SEALED, LedgerStatus, Taking, default_of
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.tree import KeyPath

#: Named servers of a user where the old hub had no limit, and the most that the stack allows
#: (config/hub.py).
_NAMED, _MOST_NAMED = 3, 20
_OWN = "the stack makes its own, and keeps it"
_CODE = "is a program: read it, and put what is still needed under helm_values by hand"
_VOLUMES = "write `volumes` or `shared_directories` of the hub instead"
_SERVICES = "names programs beside the hub, with tokens: add them by hand, with tokens of their own"
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
    (
        ("prePuller",),
        "pre_pull_pools says on which nodes images are pulled before users need them, none unless"
        " pools are named",
    ),
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
        "holds values that this command cannot see: look into that Secret, and set what is needed"
        " as secrets of the stack",
    ),
    (("custom",), "is read by programs, which are not carried over"),
    (("hub", "extraConfig"), _CODE),
    (("hub", "extraConfigMap"), _CODE),
    (("hub", "initContainers"), _CODE),
    (("hub", "extraContainers"), _CODE),
    (("singleuser", "extraContainers"), _CODE),
    (("singleuser", "storage", "extraVolumes"), _VOLUMES),
    (("singleuser", "storage", "extraVolumeMounts"), _VOLUMES),
    (
        ("imagePullSecret",),
        "holds a password: make a Secret with kubectl, and name it under registry",
    ),
    (("debug",), "is for looking for faults"),
    (("sops",), "is what sops says of its encryption"),
    (("hub", "config", "JupyterHub", "services"), _SERVICES),
)


def culling_of(taking: Taking) -> dict[str, Any]:
    """`cull` as the hub's culling."""
    if taking.has("cull", "enabled") and not taking.flag("cull", "enabled"):
        taking.settle("cull", why="nothing was culled")
        return {"server_idle_minutes": 0}
    timeout, age = taking.number("cull", "timeout"), taking.number("cull", "maxAge")
    why = "the stack decides how often it looks, and culls servers only"
    for name in ("every", "concurrency", "users", "adminUsers", "removeNamedServers"):
        taking.drop_all("cull", name, why=why)
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
    storage_class = taking.text("hub", "db", "pvc", "storageClassName")
    size = taking.text("hub", "db", "pvc", "storage")
    if kind != "sqlite-pvc":
        why = f"{kind[:20]} elsewhere is no database of this stack around a cluster that exists"
        taking.drop_all("hub", "db", "url", why=why)
        taking.drop_all("hub", "db", "password", why="goes with the address of the database")
        taking.notes.append(
            f"the database was {kind[:20]}: users sign in again and running servers are to be"
            " stopped first, or copy it by hand"
        )
        taking.to_fill_in("hub", "db", "type", where="database")
    whole = gib(size)
    if size is not None and whole is None:
        taking.drop(("hub", "db", "pvc", "storage"), "is not a size in GiB")
    some = fill("gp3", "a class of block storage: kubectl get storageclass")
    section: dict[str, Any] = {"kind": "sqlite_on_class", "storage_class": storage_class or some}
    return {**section, **({"size_gib": min(max(whole, 1), 100)} if whole else {})}


def named_servers_of(taking: Taking) -> int:
    """`hub.allowNamedServers` and its limit, in either of its two places."""
    hub, config = ("hub",), ("hub", "config", "JupyterHub")
    switches = [taking.flag(*hub, "allowNamedServers"), taking.flag(*config, "allow_named_servers")]
    places = (*hub, "namedServerLimitPerUser"), (*config, "named_server_limit_per_user")
    limits = [taking.number(*place) for place in places]
    if not any(switches):
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
    pages_listed(taking)
    for path, why in _DECIDED:
        taking.drop_all(*path, why=why)
    names = taking.keys("hub", "services")  # those that became services of the stack are gone
    for name in names:
        taking.drop_all("hub", "services", name, why=_SERVICES)
    if not names and taking.look("hub", "services") != {}:
        taking.drop_all("hub", "services", why=_SERVICES)
    listed = taking.look("hub", "config", "JupyterHub", "load_roles")
    of_services = (
        "of services, which are not carried over: a hub that does not know them does not start"
    )
    roles = listed if isinstance(listed, list) else []
    if any(isinstance(role, Mapping) and role.get("services") for role in roles):
        why = f"has roles {of_services}. Add the others by hand, those that narrow too"
        taking.drop_all("hub", "config", "JupyterHub", "load_roles", why=why)
    for name in taking.keys("hub", "loadRoles"):
        role = taking.look("hub", "loadRoles", name)
        if not isinstance(role, Mapping) or role.get("services"):
            taking.drop_all("hub", "loadRoles", name, why=f"is a role {of_services}")


def _defaults(taking: Taking) -> None:
    """What is the chart's own default says nothing; a null that takes a default away does."""
    for path, value in list(taking.left()):
        there, default = default_of(path)
        if value is None and there and default not in (None, {}, []):
            # A null is lost between Pulumi and Helm. No command is the image's own, as with null.
            if path == ("singleuser", "cmd") or isinstance(default, list):
                taking.take(*path)
                taking.put([], *path)
            else:
                taking.drop(
                    path,
                    "is a null, which took away the chart's default: the new hub has it (write what"
                    " should be there instead)",
                )
        elif value is None or value == {} or (value == [] and default in (None, {}, [])):
            if _of_maps(path):
                taking.settle(*path, why="says nothing")
            else:
                taking.mark(path, LedgerStatus.SETTLED, "says nothing")
        elif there and value == default and type(value) is type(default) and _of_maps(path):
            taking.settle(*path, why="is the chart's own default")


def _of_maps(path: KeyPath) -> bool:
    return all(isinstance(part, str) for part in path)


def helm_values(taking: Taking) -> dict[str, Any]:
    """What is left and has no secret in it, as values for the chart."""
    for path, value in list(taking.left()):
        if path in taking.ledger and taking.ledger[path].status is not LedgerStatus.CARRIED:
            continue
        if value == SECRET or (isinstance(value, str) and looks_secret(value)):
            # Half of a variable is none: the item of a list goes as a whole.
            numbers = [depth for depth, part in enumerate(path) if isinstance(part, int)]
            taking.gone(path[: numbers[0] + 1] if numbers else path, SEALED)
    for path, _ in taking.left():
        origin = taking.origin(path)
        if origin not in taking.ledger and taking.is_end(origin):
            taking.mark(origin, LedgerStatus.CARRIED, f"helm_values.{dotted(path)}")
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
