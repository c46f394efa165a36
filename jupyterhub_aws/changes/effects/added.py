"""What a change means of a resource that the caller's program added.

The other rules know what a resource is for, because this library made it. Of an added one only so
much is certain: what its IAM documents and its network rules allow, whether its type
holds data, and what the table of types says about deleting and replacing. Everything else is
unknown, and says so. It is shown under a heading of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from jupyterhub_aws.changes.compare import Change, label
from jupyterhub_aws.changes.effect import Class, Effect, EffectContext, Reading
from jupyterhub_aws.changes.effects import access, network, table
from jupyterhub_aws.changes.effects.table import shown
from jupyterhub_aws.checks.resources import READ_ERRORS, made_here

Reader = Callable[[Change, EffectContext], Reading]
#: The rules that read a document or a network rule, independent of its author.
_READERS: Mapping[str, Reader] = {
    "permissions": access.read,
    "openings": network.read,
    "cluster_access": access.read_cluster,
}
_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_PROVIDERS = "pulumi:providers:"
_DONE = {
    "create": "adds",
    "delete": "deletes",
    "replace": "replaces",
    "update": "changes",
    "import": "imports",
}
_MADE = "created"


def is_added(change: Change) -> bool:
    """Whether the caller's program added a resource. Where it is on both sides the older one
    decides: the newer plan may come from an untrusted author.
    """
    resource = change.old or change.resource
    return resource.source is not None or not made_here(resource.urn)


def read(change: Change, context: EffectContext) -> list[Effect]:
    """The effects of a change of an added resource."""
    reading = Reading(change)
    if change.resource.external:
        verb = "reads" if change.op != "delete" else "no longer reads"
        reading.say("routine", "your program", f"{verb} {label(change)}, which is not the stack's")
    else:
        _security(reading, context)
        _whole(reading)
        if change.op == "update":
            _properties(reading)
    return [
        replace(effect, topic="your program", about="your program", added=True)
        for effect in reading.effects
    ]


def _security(reading: Reading, context: EffectContext) -> None:
    """Who may do or reach more than before."""
    change = reading.change
    readers = [found for name in table.readers(change.type) if (found := _READERS.get(name))]
    for reader in (*readers, *((network.read_inline,) if change.type == _GROUP else ())):
        try:
            found = reader(change, context)
        except READ_ERRORS:
            says = f"{label(change)} has values that this jhub cannot interpret"
            reading.say("unknown", "your program", says)
            continue
        reading.effects += found.effects
        reading.explained |= found.explained


def _whole(reading: Reading) -> None:
    """Creation, deletion, replacement and import as a whole."""
    change = reading.change
    if change.op == "update":
        return
    harmless = change.op in ("create", "import")
    if change.type.startswith(_PROVIDERS) and (harmless or change.op == "delete"):
        reading.say(
            "routine", "your program", _MADE if harmless else f"deletes the provider {change.name}"
        )
    elif not table.known(change.type):
        says = f"{_DONE[change.op]} {change.type}, a type that this jhub does not know"
        reading.say("unknown", "your program", says)
    elif change.op == "import":
        says = (
            f"{label(change)} exists already and is imported; the next preview shows what differs"
        )
        reading.say("routine", "your program", says)
    elif harmless:
        if not reading.effects:
            reading.say("routine", "your program", _MADE)
    else:
        class_ = _class(change)
        order = ", the old one first" if change.op == "replace" and change.delete_first else ""
        says = f"{_DONE[change.op]} {label(change)}{order}{_note(change)}"
        reading.say(class_, "your program", says)


def _class(change: Change) -> Class:
    """The class of deleting or replacing a resource of a type: a type with data endangers it,
    and what the table does not know is unknown.
    """
    if table.holds_data(change.type):
        return "endangers data"
    found = table.whole(change.type, change.op)
    return "unknown" if found is None else found[0]


def _note(change: Change) -> str:
    if change.refused:
        return (
            " (it is protected: the engine refuses, and `up` fails until the protection is removed)"
        )
    return " (it continues to exist, but is no longer managed by the stack)" if change.kept else ""


def _properties(reading: Reading) -> None:
    """Each property that no rule covers. The class is the table's, which knows the
    property; the sentence is not, which knows what we use it for.
    """
    change = reading.change
    for item in change.properties:
        if reading.explains(item.keys):
            continue
        head = item.keys[0] if item.keys else ""
        if head in ("(protect)", "(retain on delete)"):
            lost = item.new is False
            word = "protected from deletion" if head == "(protect)" else "kept when it is deleted"
            says = f"{label(change)}: {'no longer' if lost else 'now'} {word}"
            reading.say("endangers data" if lost else "routine", "your program", says)
            continue
        found = table.of_property(change.type, item.keys)
        class_: Class = "unknown" if found is None else found[0]
        if found is not None and table.is_safe(item.keys, item.new):
            class_ = "routine"
        old, new = ("a secret", "another") if item.secret else (shown(item.old), shown(item.new))
        reading.say(class_, "your program", f"{label(change)}: {item.where} {old} → {new}")
