"""A Helm release: for a hub, what its values mean to users; for other charts, that their pods
are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading, Topic
from jupyterhub_aws.changes.effects import server_access, services, table, users
from jupyterhub_aws.changes.effects.institutions import Say
from jupyterhub_aws.changes.effects.network import Opening, tell
from jupyterhub_aws.changes.effects.user_images import GROUPS, PLACED, free_choices
from jupyterhub_aws.changes.properties import PropertyChange
from jupyterhub_aws.checks.hub_values.policies import SERVERS, WHO, ReleaseLocation, chart_policies
from jupyterhub_aws.checks.network_policies import Way, beyond, labels_in_words, policy
from jupyterhub_aws.checks.resources import Resource, chart_of
from jupyterhub_aws.checks.user_pods import UserPod, hub_of, user_pods
from jupyterhub_aws.config.chart import CHART, effective
from jupyterhub_aws.config.traits import resolve
from jupyterhub_aws.config.tree import at

#: The annotation of the patch that tells the proxy of its certificate (components/hub/hub.py).
_CERTIFICATE = "jupyterhub-aws/certificate"
#: Where homes are, and under which name: another value means another home, or none.
_HOMES: tuple[str, ...] = (
    *(f"singleuser.{key}" for key in ("storage", "uid", "fsGid", "podNameTemplate")),
    *(
        f"hub.config.KubeSpawner.{key}"
        for key in (
            "slug_scheme",
            "pvc_name_template",
            "username_template",
            "working_dir",
            "handle_legacy_names",
        )
    ),
    "hub.config.KubeSpawner.remember_pvc_name",
)
#: What a release is made of: rules here read these inputs.
_INPUTS = ("values", "version", "chart", "repositoryOpts")
#: Only about new homes.
_LATER = ("singleuser.storage.capacity",)
_ADDED = (
    "singleuser.storage.extraVolumes",
    "singleuser.storage.extraVolumeMounts",
    "singleuser.storage.extraLabels",
)
#: The hub's pod is replaced by a new one after the old one has ended (`Recreate`, default of chart
#: 4.4.0): its volume is one pod's.
HUB_RESTARTS = (
    "the hub restarts: for about a minute users cannot sign in or start servers; running servers"
    " continue"
)
#: JupyterHub stops servers when it exits where it is told to (jupyterhub/app.py 5.5, `cleanup`);
#: the hub that ends decides.
HUB_STOPS_SERVERS = (
    "the hub restarts and stops every user's server (cleanup_servers): running work is cut off,"
    " unsaved work is lost"
)
#: With its database in memory the new hub knows no server, and ends what it finds under the name
#: when a user starts one (KubeSpawner 7).
HUB_FORGETS = (
    "the hub restarts and loses its sign-ins and its list of servers: users sign in again, and"
    " running servers are cut off"
)
PROXY_RESTARTS = (
    "the proxy restarts: every connection drops for some seconds, and browsers reconnect"
    " automatically; servers keep running"
)


def read(change: Change, context: EffectContext) -> Reading:
    """A release of any chart."""
    del context
    release = change.resource
    hub = chart_of({"chart": "", **release.inputs}) == CHART
    return _hub(change, release) if hub else _other(change, release)


def _other(change: Change, release: Resource) -> Reading:
    reading, chart = (
        Reading(change, explained=set(_INPUTS)),
        chart_of({"chart": "", **release.inputs}),
    )
    if change.op == "delete":
        says = f"{chart} is removed: {_LOSES.get(chart, 'its function is lost')}"
        reading.say("interrupts", "cluster", says)
    elif change.op == "replace":
        says = (
            f"{chart} is removed and installed again:"
            f" {_LOSES.get(chart, 'its function is missing meanwhile')}"
        )
        reading.say("interrupts", "cluster", says)
    elif change.op in ("create", "import"):
        reading.say("routine", "cluster", f"{chart} is installed")
    elif change.under(*_INPUTS):
        says = (
            f"{chart} changes: its pods are replaced, {_GOES_ON.get(chart, 'with no user impact')}"
        )
        reading.say("routine", "cluster", says)
    return reading


_LOSES = {
    "cluster-autoscaler": "nodes are neither added nor removed: servers that need a new node wait for ever",
    "aws-node-termination-handler": "spot nodes stop without draining their pods first",
    "nvidia-device-plugin": "new servers get no GPU",
    "dask-gateway": "users' Dask clusters can no longer be reached or started",
}
_GOES_ON = {
    "dask-gateway": "running clusters continue, those that start later have the new limits",
}


def _hub(change: Change, release: Resource) -> Reading:
    about = f"hub {hub_of(release)}" if release.inputs.get("name") else release.name
    reading = Reading(change, explained=set(_INPUTS))
    if change.op in ("create", "import"):
        reading.say("routine", "users", "a hub is installed", about)
        return reading
    if change.op == "delete" or change.new is None or change.old is None:
        says = (
            "the hub is removed: users cannot sign in, every server is cut off; homes stay"
            " if their storage is retained"
        )
        reading.say("endangers data", "users", says, about)
        return reading
    if change.op == "replace":
        says = (
            "the hub is removed and installed again: running servers are cut off and"
            " no longer known to the hub"
        )
        reading.say("endangers data", "users", says, about)
    heads = {item.keys[0] for item in change.properties if item.keys}
    if heads & {"version", "chart"}:
        versions = f"{change.old.inputs.get('version')} → {change.new.inputs.get('version')}"
        says = (
            f"another version of the chart ({versions}): read its changelog; the database may be"
            " upgraded, which cannot be rolled back"
        )
        reading.say("unknown", "users", says, about)
    if "repositoryOpts" in heads:
        reading.say("routine", "cluster", "the chart is fetched from another repository", about)
    _restart(reading, heads, about)
    _values(reading, about)
    return reading


def _restart(reading: Reading, heads: set[str], about: str) -> None:
    pods: set[str] = set()
    for item in reading.change.under("values"):
        found = table.restarted(item.keys[1:])
        pods |= {"hub", "?"} if found is None else found
    if heads & {"version", "chart"}:
        pods |= {"hub", "proxy"}
    if "hub" in pods:
        reading.say("interrupts", "users", hub_restarts(reading.change), about)
    if "proxy" in pods:
        reading.say("interrupts", "users", PROXY_RESTARTS, about)
    if "?" in pods and "proxy" not in pods:
        says = "whether the proxy restarts too was not measured for these values"
        reading.say("unknown", "users", says, about)


def hub_restarts(change: Change) -> str:
    """What a restart of the hub means to users: by the settings of the hub that stops, and by where
    its database is.
    """
    ended, started = (
        effective(side.inputs.get("values") or {}) if side is not None else {}
        for side in (change.old, change.new)
    )
    resolved = resolve(ended)
    if (
        at(resolved.values, "hub", "config", "JupyterHub", "cleanup_servers")
        or ("JupyterHub", "cleanup_servers") in resolved.computed
    ):
        return HUB_STOPS_SERVERS
    if any(_in_memory(values) for values in (ended, started)):
        return HUB_FORGETS
    return HUB_RESTARTS


def _in_memory(values: Mapping[str, Any]) -> bool:
    """Whether a hub's database is lost with its process: in memory, or a file in the container."""
    url = at(resolve(values).values, "hub", "config", "JupyterHub", "db_url")
    url = (
        at(values, "hub", "db", "url")
        if url is None and at(values, "hub", "db", "type") not in ("sqlite-pvc", "sqlite-memory")
        else url
    )
    if url is None:
        return bool(at(values, "hub", "db", "type") == "sqlite-memory")
    return str(url).startswith("sqlite") and not (
        at(values, "hub", "db", "type") == "sqlite-pvc"
        and str(url) == "sqlite:///jupyterhub.sqlite"
    )


def _values(reading: Reading, about: str) -> None:
    change = reading.change
    old, new = (
        side.inputs.get("values") or {} for side in (change.old, change.new) if side is not None
    )
    changed = [item for item in change.under("values") if len(item.keys) > 1]
    told = any(
        item.keys[1:3] == ("singleuser", "profileList") or item.keys[1:4] == GROUPS or _sized(item)
        for item in changed
    ) and _profiles(reading, about)
    for say in services.says((item.keys[1:] for item in changed), old, new):
        reading.say(*say, about)
    for item in changed:
        keys = item.keys[1:]
        if keys[:2] == ("singleuser", "profileList") or services.covers(keys, old, new):
            continue
        if told and (_sized(item) or keys[:3] == GROUPS):
            continue
        if any(keys[: len(path)] == path for path in PLACED) and _placed_by_profiles(change):
            continue
        if len(keys) > 1 and "networkPolicy" in keys[:3]:
            continue
        found = _sign_in(keys, item, old, new)
        if found is not None:
            for say in found:
                reading.say(*say, about)
        else:
            reading.say(*_meaning(keys, item), about)
    if any("networkPolicy" in item.keys[1:4] for item in changed):
        _policies(reading, old, new)


def _sign_in(
    keys: tuple[str, ...], item: PropertyChange, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Say] | None:
    # A place inside hub.config.CLASS.trait: the trait as a whole says who.
    if keys[:2] == ("hub", "config"):
        keys = keys[:4]
    sides = (item.old, item.new) if item.secret else (at(old, *keys), at(new, *keys))
    return users.says(keys, *sides)


def _sized(item: PropertyChange) -> bool:
    """Whether a value is about how much a server has: said by the profile, where there are
    profiles.
    """
    sizes = ("cpu", "memory", "image", "extraResource")
    return item.keys[1:3] in [("singleuser", key) for key in sizes]


def _meaning(keys: tuple[str, ...], item: PropertyChange) -> tuple[Class, Topic, str]:
    path = ".".join(table.chart_key(keys))
    if any(path == home or path.startswith(f"{home}.") for home in _HOMES):
        if any(path == part or path.startswith(f"{part}.") for part in _ADDED):
            says = (
                f"directories next to the home ({_last(item)}): newly started servers have others"
            )
            return "interrupts", "data", says
        if path in _LATER and item.kind == "changed":
            says = f"new homes are of {table.shown(item.new)} instead of {table.shown(item.old)}"
            return "routine", "data", says
        says = (
            f"homes: {path} {table.shown(item.old)} → {table.shown(item.new)}: users would"
            " see an empty home unless files are moved first"
        )
        return "endangers data", "data", says
    if path.startswith("hub.image") or path.endswith(
        (".image.tag", ".image.name", ".image.pullPolicy")
    ):
        says = (
            f"{path.removesuffix('.tag').removesuffix('.name')}: {table.shown(item.old)} →"
            f" {table.shown(item.new)}"
        )
        return "routine", "images", says
    known = table.meaning(keys, item.old, item.new)
    return known or (
        "unknown",
        "users",
        f"unknown effect: {path} {table.shown(item.old)} → {table.shown(item.new)}",
    )


def _last(item: PropertyChange) -> str:
    named = [part[1:] for part in item.path if isinstance(part, str) and part.startswith("=")]
    key = item.keys[-1]
    return named[-1] if named else _IN_WORDS.get(key, key)


#: Keys of the chart's volumes and mounts, as operators call what they hold.
_IN_WORDS = {
    "extraVolumes": "their volumes",
    "extraVolumeMounts": "where they are mounted",
    "claimName": "the volume claim behind them",
    "mountPath": "where they are mounted",
    "subPath": "the folder that is shown",
    "readOnly": "whether users can write",
}


def _profiles(reading: Reading, about: str) -> bool:
    """What users can choose. Returns whether sizes and images were reported."""
    change = reading.change
    if change.old is None or change.new is None:
        return False
    old, new = ({pod.profile: pod for pod in user_pods(side)} for side in (change.old, change.new))
    for name in sorted(new.keys() - old.keys()):
        reading.say("routine", "users", f"a new choice: {new[name].display_name}", about)
    for name in sorted(old.keys() - new.keys()):
        ends = "can no longer be chosen; running servers of it continue"
        reading.say("interrupts", "users", f"{old[name].display_name} {ends}", about)
    for name in sorted(old.keys() & new.keys()):
        for class_, topic, says in _pod(old[name], new[name]):
            reading.say(class_, topic, f"{new[name].display_name}: {says}", about)
    free = list(
        free_choices(change.old.inputs.get("values") or {}, change.new.inputs.get("values") or {})
    )
    for say in free:
        reading.say(*say, about)
    if old == new and not free:
        reading.say("routine", "users", "how choices are shown", about)
    return True


def _placed_by_profiles(change: Change) -> bool:
    """Whether each server runs where its profile says, before and after: then places of servers
    without a profile are those of the image puller alone.
    """
    if change.old is None or change.new is None:
        return False
    before, after = (
        {pod.profile: pod for pod in user_pods(side)} for side in (change.old, change.new)
    )
    return "" not in after and all(
        name not in before or _places(before[name]) == _places(pod) for name, pod in after.items()
    )


def _places(pod: UserPod) -> tuple[Any, ...]:
    return (pod.node_selector, pod.tolerations, pod.required)


def _pod(old: UserPod, new: UserPod) -> Iterator[tuple[Class, Topic, str]]:
    if old.image != new.image:
        says = (
            f"newly started servers use {new.image} instead of {old.image}; the"
            " first on each node waits until it is pulled"
        )
        yield "routine", "images", says
    for what, before, after in (
        ("at most", old.limits, new.limits),
        ("guaranteed", old.requests, new.requests),
    ):
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                says = (
                    f"newly started servers have {_amount(key, after.get(key))}"
                    f" {what}, instead of {_amount(key, before.get(key))}"
                )
                yield "routine", "users", says
    if _places(old) != _places(new):
        yield "interrupts", "nodes", "newly started servers run on other nodes"
    if old.display_name != new.display_name:
        yield "routine", "users", f"was called {old.display_name}"


def _amount(key: str, value: float | None) -> str:
    if value is None:
        return f"no {key}" if key not in ("cpu", "memory") else f"any {key}"
    if key == "memory":
        return f"{value / 2**30:.3g} GiB of memory"
    return f"{value:g} {'cores' if key == 'cpu' else key}"


#: A part without a policy of its own: no policy of the chart limits it.
_NO_POLICY = Way(direction="egress", peer=None), Way(direction="ingress", peer=None)


def _policies(reading: Reading, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    release = str(reading.change.resource.inputs.get("name", ""))
    place = ReleaseLocation(release=release, namespace=release)
    before, after = (
        {item.who: item.ways for item in chart_policies(effective(side), place)}
        for side in (old, new)
    )
    told = False
    for part, who in WHO.items():
        at = "users' servers" if part == SERVERS else who
        if who in before or who in after:
            sides = (before.get(who, _NO_POLICY), after.get(who, _NO_POLICY))
            told |= _ways(reading, at, sides)
    if not told:
        says = "network policies of the hub are written differently, but allow the same"
        reading.say("routine", "network", says)


def _ways(reading: Reading, at: str, sides: tuple[Sequence[Way], Sequence[Way]]) -> bool:
    """Say what the policies of some pods open and close, by what they let through. Whether there
    is anything to say.
    """
    before, after = sides
    opens = {_opening(at, way): None for way in after if beyond(way, before)}
    closes = {_opening(at, way): None for way in before if beyond(way, after)}
    tell(reading, (list(opens), list(closes)))
    return bool(opens or closes)


def _opening(at: str, way: Way) -> Opening:
    peer = way.peer_in_words if way.named is None else f"{way.peer_in_words} ({way.named})"
    no_policy = any(way is item for item in _NO_POLICY)
    return Opening(
        inward=way.direction == "ingress",
        peer="any peer (no policy)" if no_policy else "any peer" if way.peer is None else peer,
        protocol="-1" if way.protocol is None else way.protocol.lower(),
        first=way.first,
        last=way.last,
        at=at,
    )


def read_policy(change: Change, context: EffectContext) -> Reading:
    """A network policy of ours: what it opens and closes for the pods that it selects."""
    if server_access.is_server_access(change.resource):
        return server_access.read(change)
    reading = Reading(change, explained={"spec"})
    selector = change.resource.inputs.get("spec", {}).get("podSelector") or {}
    at = f"pods {labels_in_words(selector)} of {change.name}"
    old, new = (
        policy(side.inputs.get("spec") or {}, "").ways if side is not None else ()
        for side in (change.old, change.new)
    )
    if change.op == "create":
        says = f"{change.name}: traffic that it does not allow is blocked"
        reading.say("routine" if context.fresh else "interrupts", "network", says)
    elif change.op == "delete":
        says = f"{change.name} is deleted: traffic that it did not allow is open"
        reading.say("widens access", "network", says)
    elif not _ways(reading, at, (old, new)):
        same = all(
            item.keys[:2] in (("spec", "egress"), ("spec", "ingress"))
            for item in change.properties
            if item.keys[:1] == ("spec",)
        )
        reading.say(
            *(
                ("routine", "network", f"{change.name}: allows the same")
                if same
                else ("unknown", "network", f"{change.name}: which pods it selects")
            )
        )
    return reading


def read_patch(change: Change, context: EffectContext) -> Reading:
    """A patch of a Deployment that is not the hub's proxy: what its pods may do (Dask Gateway). Of
    the proxy's the table tells.
    """
    del context
    metadata: Mapping[str, Any] = change.resource.inputs.get("metadata") or {}
    if _CERTIFICATE in (metadata.get("annotations") or {}):
        return Reading(change)
    reading = Reading(change, explained={"spec", "metadata"}, whole=True)
    name = metadata.get("name", change.name)
    if change.op == "create":
        reading.say("routine", "cluster", f"pods of {name} are limited as Pod Security asks")
    elif change.op != "update" or change.under("spec"):
        reading.say("interrupts", "cluster", f"pods of {name} are replaced: they have other limits")
    return reading
