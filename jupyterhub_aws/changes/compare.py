"""Resource by resource: what is created, updated, replaced and deleted between two sides, and how
sure that is.

Where there is an engine's preview, it is right. Where there are only plans, a table of the properties that
force replacement answers (config/replacements.py), and what is replaced takes along whatever names
its id in such a property.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from jupyterhub_aws.changes.mask import masked_text
from jupyterhub_aws.changes.properties import Comparison, Path, PropertyChange
from jupyterhub_aws.changes.side import EngineStep, Op, Side, before
from jupyterhub_aws.checks.resources import (
    READ_ERRORS,
    SECRET,
    Resource,
    Resources,
    chart_of,
    referred_names,
)
from jupyterhub_aws.checks.user_pods import hub_releases, user_pods
from jupyterhub_aws.config.replacements import verdict
from jupyterhub_aws.config.tree import prefixes

Certainty = Literal["engine", "documented", "engine decides"]
#: A part of a path of the engine's: a quoted key in brackets, a position, or a plain key.
_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)')
#: Where the names of a replacement say that the old one goes first: the engine does so where a name
#: is given and stays (facts of engine runs, docs/changes.md).
_NAMES = ("name", "nodeGroupName", "bucket", "identifier")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource. `because` are the properties that force a replacement, or the
    replaced resources that it follows; `delete_first` says that the old one goes before the new one
    comes; `kept` that a deletion leaves the resource in AWS; `refused` that the engine refuses it.
    """

    op: Op
    urn: str
    type: str
    name: str
    old: Resource | None
    new: Resource | None
    properties: tuple[PropertyChange, ...] = ()
    because: tuple[str, ...] = ()
    certainty: Certainty = "documented"
    delete_first: bool = False

    @property
    def resource(self) -> Resource:
        """The resource as it will be, or as it was where it is deleted."""
        found = self.new or self.old
        if found is None:
            raise ValueError(f"{self.urn} is on neither side")
        return found

    @property
    def subject(self) -> str:
        """`TYPE::NAME`."""
        return f"{self.type}::{self.name}"

    @property
    def kept(self) -> bool:
        """Whether the resource stays in AWS although it leaves the stack."""
        return self._goes and self.old is not None and self.old.retain_on_delete

    @property
    def refused(self) -> bool:
        """Whether the engine refuses to delete it: it is protected."""
        return self._goes and self.old is not None and self.old.protect

    @property
    def _goes(self) -> bool:
        return self.op in ("delete", "replace")

    def under(self, *heads: str) -> list[PropertyChange]:
        """The properties that differ at these inputs, or below them."""
        return [item for item in self.properties if item.keys and item.keys[0] in heads]

    def as_json(self) -> dict[str, Any]:
        """The change as data."""
        return {
            "op": self.op,
            "urn": self.urn,
            "subject": self.subject,
            "because": list(self.because),
            "certainty": self.certainty,
            "delete_first": self.delete_first,
            "kept": self.kept,
            "refused": self.refused,
            "properties": [item.as_json() for item in self.properties],
        }


def compared(old: Side, new: Side) -> tuple[Change, ...]:
    """Every resource that changes, sorted by URN. Both sides have to call one resource alike
    (changes/renamed.py).
    """
    steps = new.steps or {}
    loose = old.kind != new.kind
    found = {
        urn: change
        for urn in sorted({item.urn for item in (*old.resources, *new.resources)})
        if (change := _change(urn, old, new, steps.get(urn), loose=loose))
    }
    if new.steps is None:
        _follow(found, old.resources, new.resources)
    return tuple(found[urn] for urn in sorted(found))


def from_preview(side: Side) -> tuple[Change, ...]:
    """What an engine previewed, by itself."""
    return compared(before(side), side)


def _change(
    urn: str, old: Side, new: Side, step: EngineStep | None, *, loose: bool
) -> Change | None:
    before, after = old.resources.by_urn.get(urn), new.resources.by_urn.get(urn)
    some = after or before
    if some is None:
        return None
    properties = () if before is None or after is None else _properties(before, after, loose=loose)
    plain = Change(
        op="same",
        urn=urn,
        type=some.type,
        name=some.name,
        old=before,
        new=after,
        properties=properties,
    )
    if step is not None:
        return _by_engine(plain, step)
    if before is None or after is None:
        op: Op = "delete"
        if before is None:
            op = "import" if after is not None and after.import_id else "create"
        return replace(plain, op=op, certainty="documented")
    return _by_table(plain, before, after) if properties else None


def _by_engine(plain: Change, step: EngineStep) -> Change | None:
    if step.op == "same":
        if plain.properties and plain.old is not None and not step.old:
            return replace(plain, op="update", certainty="engine decides")
        return None
    unseen = _unseen(plain, step) if step.op in ("update", "replace") else []
    return replace(
        plain,
        op=step.op,
        because=step.because,
        certainty="engine",
        delete_first=step.delete_first,
        properties=(*plain.properties, *unseen),
    )


def _unseen(plain: Change, step: EngineStep) -> list[PropertyChange]:
    """What the engine sees and a comparison of inputs cannot: a secret that is another one, an
    output that is not known yet, manual changes in AWS.
    """
    known = {item.keys for item in plain.properties}
    found = []
    for path in step.paths:
        keys = _keys(path)
        if any(keys[: len(other)] == other or other[: len(keys)] == keys for other in known):
            continue
        sides = [
            _at(side.inputs if side is not None else {}, keys) for side in (plain.old, plain.new)
        ]
        hidden = SECRET in sides
        shown = SECRET if hidden else "?"
        found.append(_changed(keys, shown, shown, secret=hidden))
    return found


def _changed(path: Path, old: Any, new: Any, *, secret: bool = False) -> PropertyChange:
    return PropertyChange(path=path, kind="changed", old=old, new=new, secret=secret)


def _keys(path: str) -> tuple[str, ...]:
    """A path as the engine writes it, `values.hub.annotations["a/b"][0]`, as its keys."""
    return tuple(
        quoted or plain for quoted, plain in _PART.findall(path) if quoted or not plain.isdigit()
    )


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else value
    return value


def _by_table(plain: Change, before: Resource, after: Resource) -> Change:
    if not plain.old or not plain.old.custom:
        return replace(plain, op="update")
    verdicts = {item.where: verdict(plain.type, ".".join(item.keys)) for item in plain.properties}
    because = tuple(path for path, found in verdicts.items() if found.kind == "replaces")
    if because:
        first = _delete_first(before, after)
        return replace(plain, op="replace", because=because, delete_first=first)
    # What is in brackets the engine alone knows.
    unsure = any(
        found.kind == "engine" and not where.startswith("'(") for where, found in verdicts.items()
    )
    return replace(plain, op="update", certainty="engine decides" if unsure else "documented")


def _delete_first(before: Resource, after: Resource) -> bool:
    """Two resources of one name cannot exist at once: the engine deletes first where the name is
    given and stays the same.
    """
    name = _name(before.inputs)
    return name is not None and name == _name(after.inputs)


def _name(inputs: Mapping[str, Any]) -> Any:
    if "metadata" in inputs:
        return (inputs.get("metadata") or {}).get("name")
    return next((inputs[key] for key in _NAMES if key in inputs), None)


def _properties(before: Resource, after: Resource, *, loose: bool) -> tuple[PropertyChange, ...]:
    found = list(Comparison(type_=after.type, loose=loose).differences(before.inputs, after.inputs))
    if before.protect != after.protect and not loose:
        found.append(_changed(("(protect)",), before.protect, after.protect))
    if before.retain_on_delete != after.retain_on_delete and not loose:
        old, new = before.retain_on_delete, after.retain_on_delete
        found.append(_changed(("(retain on delete)",), old, new))
    if set(before.ignore_changes) != set(after.ignore_changes) and not loose:
        listed = list(before.ignore_changes), list(after.ignore_changes)
        found.append(_changed(("(ignored changes)",), *listed))
    # What is ignored on both sides the engine does not look at.
    ignored = set(before.ignore_changes) & set(after.ignore_changes)
    return tuple(item for item in found if not ignored.intersection(prefixes(item.keys)))


def _follow(found: dict[str, Change], old: Resources, new: Resources) -> None:
    """Add the consequences of a replacement: references to the replaced resource get another id."""
    users = _users(new)
    todo = [
        change.new for change in found.values() if change.op == "replace" and change.new is not None
    ]
    while todo:
        gone = todo.pop()
        for user, path in users.get(gone.name, ()):
            refers = user.urn != gone.urn and gone.urn in user.depends_on
            if not refers or user.urn not in old.by_urn:
                continue
            known = found.get(user.urn)
            forced = verdict(user.type, path).kind != "updates" and user.custom
            if known is not None and (known.op == "replace" or not forced):
                continue
            follows = _changed((path,), f"of the old {gone.name}", f"of the new {gone.name}")
            base = known or Change(
                op="update",
                urn=user.urn,
                type=user.type,
                name=user.name,
                old=old.by_urn[user.urn],
                new=user,
            )
            op: Op = "replace" if forced else "update"
            because = (*base.because, f"{path}, of {gone.name}") if forced else base.because
            found[user.urn] = replace(
                base,
                op=op,
                because=because,
                certainty="engine decides",
                properties=(*base.properties, follows),
            )
            if forced:
                todo.append(user)


def _users(resources: Resources) -> Mapping[str, list[tuple[Resource, str]]]:
    """Which properties name a resource's id or address, by the resource's name."""
    users: dict[str, list[tuple[Resource, str]]] = defaultdict(list)
    for resource in resources:
        for path, text in _texts(resource.inputs, ""):
            for name in referred_names(text):
                users[name].append((resource, path))
    return users


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, path)


def label(change: Change) -> str:
    """Its label in messages: name and kind."""
    return f"{change.name} ({change.type.rpartition(':')[2]})"


# --- Resources that have another URN than before and are still the same, because an alias says so:
# read as the engine reads aliases.


_NAMED = re.compile(r"\$\{([^.}]+)\.")


def predecessors(new: Resources, old: Collection[str]) -> dict[str, str]:
    """For each resource that was there under another URN, that URN. `old` are the URNs that
    there were.
    """
    found = {
        resource.urn: next((alias for alias in resource.aliases if alias in old), None)
        for resource in new
        if resource.urn not in old
    }
    return {urn: was for urn, was in found.items() if was is not None}


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name_of_urn(urn: str) -> str:
    return urn.rpartition("::")[2]


def called_as_now(old: Resources, new: Resources) -> Resources:
    """The old resources under the URNs and names that they have now, wherever they are
    mentioned; as they are where no alias says so.
    """
    if not any(resource.aliases for resource in new):
        return old
    urns = {was: urn for urn, was in predecessors(new, old.by_urn.keys()).items()}
    kept = {resource.name for resource in old if resource.urn not in urns}
    names = {
        _name_of_urn(was): _name_of_urn(urn)
        for was, urn in urns.items()
        if _name_of_urn(was) != _name_of_urn(urn) and _name_of_urn(was) not in kept
    }
    return Resources(_called(resource, urns, names) for resource in old)


def _called(resource: Resource, urns: Mapping[str, str], names: Mapping[str, str]) -> Resource:
    urn = urns.get(resource.urn, resource.urn)
    return replace(
        resource,
        urn=urn,
        type=_type(urn),
        name=_name_of_urn(urn),
        parent=urns.get(resource.parent or "", resource.parent),
        provider=urns.get(resource.provider or "", resource.provider),
        depends_on=tuple(sorted(urns.get(item, item) for item in resource.depends_on)),
        inputs=_mentioned(resource.inputs, urns, names),
    )


def _mentioned(value: Any, urns: Mapping[str, str], names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mentioned(item, urns, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_mentioned(item, urns, names) for item in value]
    if not isinstance(value, str):
        return value
    return urns.get(value) or _NAMED.sub(
        lambda match: f"${{{names.get(match[1], match[1])}.", value
    )


# --- Which images, charts and versions change: what will be newly pulled.


RELEASE, ADDON = "kubernetes:helm.sh/v3:Release", "aws:eks/addon:Addon"
_DEPTH = 12


def images(old: Side, new: Side) -> list[dict[str, Any]]:
    """What differs, sorted: where it is used, and what it was and will be (None: it was not, or
    will not be, there).
    """
    before, after = dict(_of(old)), dict(_of(new))
    return [
        {"where": masked_text(key), "old": _masked(before.get(key)), "new": _masked(after.get(key))}
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _masked(text: str | None) -> str | None:
    return None if text is None else masked_text(text)


def _of(side: Side) -> Iterator[tuple[str, str]]:
    for release in side.resources.of(RELEASE):
        chart = chart_of({"chart": "", **release.inputs})
        yield f"{release.name}: chart", f"{chart} {release.inputs.get('version', '')}".strip()
        yield from _maps(release.name, release.inputs.get("values"), "", _DEPTH)
    for release in hub_releases(side.resources):
        with contextlib.suppress(*READ_ERRORS):  # said to be unknown where effects are told
            yield from [
                (f"{release.name}: servers, {pod.display_name}", pod.image)
                for pod in user_pods(release)
            ]
    for addon in side.resources.of(ADDON):
        name, version = addon.inputs.get("addonName", ""), addon.inputs.get("addonVersion", "")
        yield f"{addon.name}: add-on", f"{name} {version}".strip()
    for other in side.resources:
        yield from _nodes(other)


def _maps(name: str, value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping) or depth == 0:
        return
    for key, item in value.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(item, Mapping) and ("tag" in item or "repository" in item):
            parts = (item.get("name" if "tag" in item else "repository"), item.get("tag"))
            yield f"{name}: {here}", ":".join(str(part) for part in parts if part)
        else:
            yield from _maps(name, item, here, depth - 1)


def _nodes(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.type == "aws:ec2/launchTemplate:LaunchTemplate" and resource.inputs.get("imageId"):
        yield f"{resource.name}: nodes", str(resource.inputs["imageId"])
    if resource.type == "aws:eks/nodeGroup:NodeGroup" and resource.inputs.get("releaseVersion"):
        yield f"{resource.name}: nodes", str(resource.inputs["releaseVersion"])
    if resource.type == "aws:eks/cluster:Cluster" and resource.inputs.get("version"):
        yield f"{resource.name}: Kubernetes", str(resource.inputs["version"])
