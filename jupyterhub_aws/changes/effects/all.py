"""Every effect of a set of changes. What no rule covers is reported as unknown, never left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from jupyterhub_aws.changes.compare import Change, label
from jupyterhub_aws.changes.effect import CLASSES, Effect, EffectContext, Reading, sorted_effects
from jupyterhub_aws.changes.effects import (
    access,
    added,
    network,
    nodes,
    operations,
    paused_page,
    release,
    table,
    users,
)
from jupyterhub_aws.changes.effects.table import shown
from jupyterhub_aws.checks.resources import READ_ERRORS, UNKNOWN

Reader = Callable[[Change, EffectContext], Reading]
_READERS: Mapping[str, Reader] = {
    "alarms": operations.read_alarm,
    "permissions": access.read,
    "openings": network.read,
    "groups": nodes.read_group,
    "templates": nodes.read_template,
    "core": nodes.read_core,
    "cluster_access": access.read_cluster,
    "entry": access.read_entry,
    "paused_page": paused_page.read,
    "secrets": access.read_secret,
    "homes": users.read,
    "backups": operations.read,
    "release": release.read,
    "patches": release.read_patch,
    "policies": release.read_policy,
}
#: For a created resource without another effect: reports list these together.
MADE = "created"
_PROTECTION = ("(protect)", "(retain on delete)")


def effects(changes: Iterable[Change], context: EffectContext) -> tuple[Effect, ...]:
    """What all changes mean, the gravest first."""
    return sorted_effects(effect for change in changes for effect in _of(change, context))


def _of(change: Change, context: EffectContext) -> Iterator[Effect]:
    if not change.resource.custom:
        return  # a component is what is in it
    if added.is_added(change):
        yield from added.read(change, context)
        return
    reading = Reading(change)
    if ":MountedBucketVolume$" in change.resource.urn:
        yield from _view_of_a_bucket(reading).effects
        return
    for name in table.readers(change.type):
        try:
            found = _READERS[name](change, context)
        except READ_ERRORS:  # values that no program makes: an untrusted plan
            says = f"unknown effect: {label(change)} has values that this jhub cannot interpret"
            reading.say("unknown", table.topic(change.type), says)
            continue
        reading.effects += found.effects
        reading.explained |= found.explained
        reading.whole |= found.whole
    _whole(reading, fresh=context.fresh)
    if change.op in ("update", "replace"):
        _properties(reading)
    yield from reading.effects


def _view_of_a_bucket(reading: Reading) -> Reading:
    """The volume or the claim by which servers see a bucket (components/hub/bucket_volumes.py): no
    data depends on it, and what users see is said of the release.
    """
    says = f"{label(reading.change)}: servers see a bucket by it; in the bucket nothing changes"
    reading.say("routine", "data", MADE if reading.change.op == "create" else says)
    return reading


def _whole(reading: Reading, *, fresh: bool) -> None:
    """Creation, deletion, replacement and import as a whole."""
    change = reading.change
    topic, covered = table.topic(change.type), bool(reading.effects)
    note = _note(change)
    if change.op == "import":
        says = (
            f"{label(change)} exists already and is imported; the next preview shows what differs"
        )
        reading.say("routine", topic, says)
        return
    if not table.known(change.type):
        says = (
            f"unknown effect: {change.op} of a {change.type}, a type that this jhub does not know"
        )
        reading.say("unknown", topic, says)
        return
    if change.op == "update" or reading.whole or (change.op == "create" and covered):
        return
    found = table.whole(change.type, change.op)
    if found is not None and change.op == "create" and fresh:
        reading.say("routine", topic, MADE)  # in a new stack nothing existed before
    elif found is not None:
        order = ", the old one first" if change.op == "replace" and change.delete_first else ""
        says = f"{label(change)} is {_DONE[change.op]}{order}: {found[1]}{note}"
        reading.say(found[0], topic, says)
    elif change.op == "create":
        reading.say("routine", topic, MADE)
    elif not covered:
        says = f"unknown effect: {label(change)} is {_DONE[change.op]}{note}"
        reading.say("unknown", topic, says)


_DONE = {
    "create": "created",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
    "update": "changed",
}


def _note(change: Change) -> str:
    if change.refused:
        return (
            " (it is protected: the engine refuses, and `up` fails until the protection is removed)"
        )
    where = "it stays in the cluster" if change.type.startswith("kubernetes:") else "AWS keeps it"
    return f" ({where}, but it is no longer managed by the stack)" if change.kept else ""


def _properties(reading: Reading) -> None:
    """Each property that no rule covers, by the table."""
    change = reading.change
    topic = table.topic(change.type)
    forced = {path.split(",")[0] for path in change.because}
    told = reading.effects if change.op == "replace" else []
    gravest = max((effect.severity for effect in told), default=-1)
    for item in change.properties:
        head = item.keys[0] if item.keys else ""
        if head in _PROTECTION:
            lost = item.new is False
            word = head.strip("()")
            says = (
                f"{label(change)}: {'no longer' if lost else 'now'}"
                f" {'protected from deletion' if word == 'protect' else 'kept in AWS when it is deleted'}"
            )
            reading.say("endangers data" if lost else "routine", topic, says)
        elif (
            reading.explains(item.keys)
            or (change.op == "replace" and UNKNOWN in str(item.new))
            or (change.op == "replace" and (item.where in forced or head in forced))
        ):
            continue
        else:
            found = table.of_property(change.type, item.keys)
            if found is not None and CLASSES.index(found[0]) <= gravest:
                continue  # a replaced resource has new values anyway
            if found is None:
                old, new = (
                    ("a secret", "another") if item.secret else (shown(item.old), shown(item.new))
                )
                says = f"unknown effect: {label(change)}: {item.where} {old} → {new}"
                reading.say("unknown", topic, says)
            else:
                values = (
                    f" ({shown(item.old)} → {shown(item.new)})"
                    if found[1].startswith(("whether ", "how ")) and not item.secret
                    else ""
                )
                class_ = "routine" if table.is_safe(item.keys, item.new) else found[0]
                reading.say(class_, topic, f"{label(change)}: {found[1]}{values}")
