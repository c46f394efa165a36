"""Culling, database, named servers, and what is left: chart values that still mean something, or a line that says why they do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks.resources import SECRET
from config.tree import Path
from ops.adopt.written import fill
from ops.adopt.z2jh.read import looks_secret
from ops.adopt.z2jh.taken import Taking

_OWN = "the stack makes its own, and keeps it"
_CODE = "is a program: read it, and put what is still needed under helm_values by hand"
#: What the stack decides by itself, with the reason that people are told.
_DECIDED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("proxy", "secretToken"), _OWN),
    (("hub", "cookieSecret"), _OWN),
    (("hub", "config", "CryptKeeper"), _OWN),
    (("hub", "config", "ConfigurableHTTPProxy"), _OWN),
    (("hub", "image"), "the chart's own hub is what the program was tried with"),
    (("proxy", "chp", "image"), "the chart's own proxy is what the program was tried with"),
    (("proxy", "service"), "the entry decides how people come in"),
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
    (("hub", "extraConfig"), _CODE),
    (("hub", "extraConfigMap"), _CODE),
    (("hub", "initContainers"), _CODE),
    (("hub", "extraContainers"), _CODE),
    (("singleuser", "extraContainers"), _CODE),
    (("singleuser", "storage", "extraVolumes"), "write `volumes` or `shared_directories` of the hub instead"),
    (("singleuser", "storage", "extraVolumeMounts"), "write `volumes` or `shared_directories` of the hub instead"),
    (("imagePullSecret",), "holds a password: make a Secret with kubectl, and name it under registry"),
    (("debug",), "is for looking for faults"),
)


def culling_of(taking: Taking) -> dict[str, Any]:
    """`cull` as the hub's culling."""
    if taking.take("cull", "enabled") is False:
        taking.drop_all("cull", why="nothing was culled")
        return {"server_idle_minutes": 0}
    timeout, age = taking.number("cull", "timeout"), taking.number("cull", "maxAge")
    for name in ("every", "concurrency", "users", "adminUsers", "removeNamedServers"):
        taking.drop_all("cull", name, why="the stack decides how often it looks, and culls servers only")
    found: dict[str, Any] = {}
    if timeout is not None:
        found["server_idle_minutes"] = min(max(round(timeout / 60), 1), 10080)
    if age:
        found["max_age_hours"] = min(max(round(age / 3600), 1), 2160)
    return found


def database_of(taking: Taking) -> dict[str, Any]:
    """Where the hub remembers: a volume of a class, or memory. A server elsewhere is the operator's to see to."""
    kind = taking.text("hub", "db", "type") or "sqlite-pvc"
    storage_class, size = taking.text("hub", "db", "pvc", "storageClassName"), taking.text("hub", "db", "pvc", "storage")
    taking.take("hub", "db", "upgrade")
    if kind == "sqlite-memory":
        return {"kind": "sqlite_memory_that_loses_sessions"}
    if kind != "sqlite-pvc":
        taking.drop_all("hub", "db", "url", why=f"{kind} elsewhere is no database of this stack around a cluster that is there")
        taking.drop_all("hub", "db", "password", why="goes with the address of the database")
        taking.notes.append(f"the database was {kind[:20]}: people sign in again and running servers are to be stopped first, or copy it by hand")
    gib = re.fullmatch(r"(\d{1,5})Gi?", size or "")
    section: dict[str, Any] = {"kind": "sqlite_on_class", "storage_class": storage_class or fill("gp3", "a class of block storage: kubectl get storageclass")}
    return {**section, **({"size_gib": min(max(int(gib[1]), 1), 100)} if gib else {})}


def named_servers_of(taking: Taking) -> int:
    """`hub.allowNamedServers` and its limit, in either of its two places."""
    allowed = any([taking.flag("hub", "allowNamedServers"), taking.flag("hub", "config", "JupyterHub", "allow_named_servers")])
    limits = [taking.number("hub", "namedServerLimitPerUser"), taking.number("hub", "config", "JupyterHub", "named_server_limit_per_user")]
    limit = next((int(item) for item in limits if item and item > 0), 3)
    return min(limit, 20) if allowed else 0


def decided(taking: Taking) -> None:
    """Take away what the stack decides by itself, and say so."""
    for path, why in _DECIDED:
        taking.drop_all(*path, why=why)
    for kind in ("services", "loadRoles"):
        services = taking.look("hub", kind)
        if services is not None:
            taking.drop_all("hub", kind, why="names programs beside the hub, with tokens: add them by hand, with tokens of their own")


def helm_values(taking: Taking) -> dict[str, Any]:
    """What is left and has no secret in it, as values for the chart."""
    for path, value in list(taking.left()):
        if value == SECRET:
            taking.drop(path, "is a secret, or looks like one: nothing like it is copied")
            _remove(taking.values, path)
        elif isinstance(value, str) and looks_secret(value):
            taking.drop(path, "looks like a secret: nothing like it is copied")
            _remove(taking.values, path)
    return _pruned(taking.values) or {}


def _remove(values: Any, path: Path) -> None:  # noqa: ANN401 -- any JSON value
    """Take a leaf away; an item of a list goes as a whole, for half of a variable is none."""
    for depth, part in enumerate(path):
        if isinstance(values, list) or depth == len(path) - 1:
            if isinstance(values, dict):
                values.pop(part, None)
            elif isinstance(values, list) and isinstance(part, int) and part < len(values):
                values[part] = None
            return
        values = values[part] if isinstance(values, dict) else None


def removed(values: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Take away the nearest thing to a path that is there: what a check named, or the map that holds it."""
    holders: list[tuple[dict[str, Any], str]] = []
    here: Any = values
    for part in path:
        if not isinstance(here, dict) or part not in here:
            break
        holders.append((here, part))
        here = here[part]
    if not holders:
        return False
    holder, key = holders[-1]
    del holder[key]
    return True


def _pruned(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Without nulls, which Helm and Pulumi lose on the way, and without what holds nothing else."""
    if isinstance(value, dict):
        found = {key: item for key, inner in value.items() if (item := _pruned(inner)) is not None}
        return found or None
    if isinstance(value, list):
        items = [item for inner in value if (item := _pruned(inner)) is not None]
        return items or None
    return value


def pruned(values: dict[str, Any]) -> dict[str, Any]:
    """The same, a map at any rate."""
    return _pruned(values) or {}


def paths(values: dict[str, Any]) -> Iterator[Path]:
    """The leaves that are left."""
    from config.tree import leaves

    return (path for path, _ in leaves(values))
