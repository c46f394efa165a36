"""Nodes: which profiles a group serves, whether its nodes stop or stay, and what new ones will be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading, Topic
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.checks.placement import is_retiring
from jupyterhub_aws.checks.resources import Resource

GROUP, NODE_GROUP = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
MACHINE = "aws:ec2/instance:Instance"
_TEMPLATE_TAG = "k8s.io/cluster-autoscaler/node-template/"
_LABEL = f"{_TEMPLATE_TAG}label/"
#: What the autoscaler expects of a node that does not exist yet: where it is wrong, groups at zero
#: do not grow.
_SHAPE = ("memory", "cpu", "ephemeral-storage", "nvidia.com/gpu")
_ROLLS = ("version", "releaseVersion", "launchTemplate")


def labels_of(group: Resource) -> dict[str, str]:
    """The labels that nodes of a group have, as the autoscaler knows them."""
    tags = group.inputs.get("tags")
    pairs = (
        {str(tag.get("key")): str(tag.get("value")) for tag in tags if isinstance(tag, Mapping)}
        if isinstance(tags, list)
        else {}
    )
    return {
        key.removeprefix(_LABEL): value for key, value in pairs.items() if key.startswith(_LABEL)
    }


def profiles_of(group: Resource, side: Side) -> str:
    """In words: the profiles that may run on a group's nodes, by hub. Empty where no hub of this
    side has one.
    """
    labels, found = labels_of(group), dict[str, list[str]]()
    for pod in side.pods:
        if pod.may_run_on(labels) and (
            not pod.node_selector or pod.node_selector.items() & labels.items()
        ):
            found.setdefault(pod.hub, []).append(pod.display_name)
    return "; ".join(
        f"{hub}: {', '.join(dict.fromkeys(names))}" for hub, names in sorted(found.items())
    )


def _about(group: Resource, side: Side) -> str:
    profiles = profiles_of(group, side)
    if profiles:
        return f"profiles {profiles}"
    return f"pool {labels_of(group).get('jupyterhub-aws/pool', group.name)}"


def _market(group: Resource) -> str:
    return {"true": "on demand", "false": "spot"}.get(
        labels_of(group).get("on-demand", ""), "its market"
    )


def read_group(change: Change, context: EffectContext) -> Reading:
    """A user pool's group of one market."""
    group, reading = change.resource, Reading()
    about = _about(group, context.old if change.new is None else context.new)
    if change.op in ("create", "import"):
        reading.explained.add("*")
        reading.say(
            change,
            ("routine", "nodes", f"a new group of nodes, {_market(group)}, starting at 0"),
            about,
        )
        return reading
    if change.op == "delete":
        reading.explained.add("*")
        if is_retiring(group):
            says = (
                "the retired group is deleted: its remaining nodes stop, and servers on them with"
                " them; `jhub drain` shows when there are none"
            )
        else:
            says = (
                "the group is deleted: its nodes stop, and servers on them with them; ask users to"
                " save, or wait until they are idle"
            )
        reading.say(change, ("replaces", "nodes", says), about)
        return reading
    if change.op == "replace":
        order = (
            "is deleted before the new one exists: users cannot start servers meanwhile"
            if change.delete_first
            else "is deleted once the new one exists"
        )
        says = (
            f"the group is replaced: the old one {order}; its nodes stop, and servers on them with"
            " them"
        )
        reading.say(change, ("replaces", "nodes", says), about)
        reading.explained.add("*")
        return reading
    reading.explained |= {
        "minSize",
        "maxSize",
        "mixedInstancesPolicy",
        "tags",
        "vpcZoneIdentifiers",
        "capacityRebalance",
        "launchTemplate",
    }
    if retires := _retires(change):
        reading.say(change, ("routine", "users", retires), about)
        reading.explained.add("suspendedProcesses")
    for item in change.properties:
        _group_property(reading, change, item.keys, (item.old, item.new), about)
    _tags(reading, change, about)
    return reading


def _retires(change: Change) -> str:
    """What it means that a group may no longer start nodes, or may again; empty where that stays."""
    for item in (
        item
        for item in change.properties
        if item.keys[:1] == ("suspendedProcesses",) and "Launch" in (item.old, item.new)
    ):
        if item.new == "Launch":
            return (
                "the group retires: running servers continue, new ones start elsewhere, and each of"
                " its nodes is removed when it is empty"
            )
        return "the group no longer retires: it starts nodes again"
    return ""


def _group_property(
    reading: Reading, change: Change, keys: tuple[str, ...], values: tuple[Any, Any], about: str
) -> None:
    old, new = values
    head, last = keys[0] if keys else "", keys[-1] if keys else ""
    if head == "maxSize":
        grows = _number(new) >= _number(old)
        says = f"at most {new} nodes instead of {old}" + (
            "" if grows else ": excess nodes stop, and servers on them with them"
        )
        reading.say(change, ("routine" if grows else "interrupts", "nodes", says), about)
    elif head == "minSize":
        always = f"{new} node is" if new == 1 else f"{new} nodes are"
        quicker = (
            "no server waits for these to start"
            if _number(new) > _number(old)
            else "the first servers wait for a node again (some minutes)"
        )
        reading.say(
            change,
            ("routine", "users", f"{always} always running instead of {old}: {quicker}"),
            about,
        )
    elif head == "mixedInstancesPolicy":
        reading.say(change, _policy(last, keys, old, new), about)
    elif head == "vpcZoneIdentifiers":
        reading.say(
            change,
            (
                "interrupts",
                "nodes",
                (
                    "new nodes start in other zones; AWS terminates nodes in a zone that is no"
                    " longer listed, and servers on them"
                ),
            ),
            about,
        )
    elif head == "capacityRebalance":
        reading.say(
            change,
            (
                "interrupts",
                "nodes",
                "whether AWS terminates spot nodes early, when an interruption is likely",
            ),
            about,
        )
    elif head == "launchTemplate":
        reading.say(
            change,
            (
                "routine",
                "nodes",
                "new nodes start from another template; running nodes stay as they are",
            ),
            about,
        )


def _tags(reading: Reading, change: Change, about: str) -> None:
    """What the autoscaler knows of new nodes, and other tags; only the gravest, once."""
    tags = [
        str(item.path[1])
        for item in change.properties
        if item.keys[:1] == ("tags",) and len(item.path) > 1
    ]
    if any(f"{_TEMPLATE_TAG}{kind}/" in tag for tag in tags for kind in ("label", "taint")):
        says = (
            "new nodes carry other labels or taints, and running nodes do not: pods that need the"
            " new ones wait for a new node"
        )
        reading.say(change, ("interrupts", "nodes", says), about)
    elif any(f"resources/{shape}" in tag for tag in tags for shape in _SHAPE):
        reading.say(
            change, ("routine", "nodes", "the autoscaler expects another size of new nodes"), about
        )
    elif any(item.keys[:1] == ("tags",) for item in change.properties):
        reading.say(change, ("routine", "nodes", "tags of new nodes"), about)


def _policy(last: str, keys: tuple[str, ...], old: Any, new: Any) -> Any:
    if "overrides" in keys:
        gone = f", no longer {_type(old)}" if new is None else ""
        come = f", also {_type(new)}" if old is None else ""
        return (
            "routine",
            "nodes",
            f"new nodes may be of other types{come}{gone}; running nodes stay",
        )
    if last == "spotMaxPrice":
        return (
            "routine",
            "nodes",
            (
                f"spot nodes start up to {_dollars(new)} instead of {_dollars(old)} an hour;"
                " running ones above a lower price may be interrupted"
            ),
        )
    if "instancesDistribution" in keys:
        return (
            "routine",
            "nodes",
            "new nodes have another market (spot, on demand); running nodes stay",
        )
    return (
        "routine",
        "nodes",
        "new nodes start from another template; running nodes stay as they are",
    )


def _type(value: Any) -> str:
    return str(value.get("instanceType", value)) if isinstance(value, Mapping) else str(value)


def _dollars(value: object) -> str:
    return "the on-demand price" if value is None else f"${value}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def read_template(change: Change, context: EffectContext) -> Reading:
    """A launch template: new nodes only, except where EKS rolls a managed group with it."""
    reading = Reading()
    if change.op not in ("update", "replace"):
        return reading
    for item in (item for item in change.properties if item.keys[:1] == ("metadataOptions",)):
        stricter = (item.keys[-1], item.new) == ("httpTokens", "required") or (
            item.keys[-1] == "httpPutResponseHopLimit" and _number(item.new) < _number(item.old)
        )
        reading.say(
            change,
            (
                "routine" if stricter else "widens access",
                "access",
                (
                    f"{item.where} of new nodes: whether pods reach the node's own role ({item.old}"
                    f" → {item.new})"
                ),
            ),
        )
    if any(item.keys[:1] == ("iamInstanceProfile",) for item in change.properties):
        reading.say(change, ("widens access", "access", "new nodes get another role"))
    groups = [
        item
        for item in change.properties
        if item.keys[:1] in (("vpcSecurityGroupIds",), ("networkInterfaces",))
    ]
    if any(not str(item.old).startswith("of the old ") for item in groups):
        reading.say(change, ("widens access", "network", "new nodes are in other security groups"))
    if any("encrypted" in item.keys or "kmsKeyId" in item.keys for item in change.properties):
        reading.say(
            change,
            (
                "widens access",
                "nodes",
                "whether disks of new nodes are encrypted, and with which key",
            ),
        )
    reading.explained |= {
        "metadataOptions",
        "iamInstanceProfile",
        "vpcSecurityGroupIds",
        "networkInterfaces",
        *_WORDS,
    }
    parts = {item.keys[0] for item in change.properties if item.keys} & _WORDS.keys()
    what = ", ".join(_WORDS[part] for part in sorted(parts)) or "settings"
    users = [
        item
        for item in context.new.resources.of(NODE_GROUP, GROUP)
        if f"${{{change.name}." in str(item.inputs) and item.urn in context.old.resources.by_urn
    ]
    for user in users:
        if user.type == NODE_GROUP:
            reading.say(change, ("interrupts", "users", _rolled(what)), "core nodes")
        else:
            reading.say(
                change,
                (
                    "routine",
                    "nodes",
                    f"new nodes have other {what}; running nodes stay as they are",
                ),
                _about(user, context.new),
            )
    if not users:
        machine = next(
            (
                item
                for item in context.new.resources.of(MACHINE)
                if f"${{{change.name}." in str(item.inputs) and _stays(item)
            ),
            None,
        )
        if machine is not None:
            reading.say(
                change,
                (
                    "routine",
                    "nodes",
                    (
                        f"the next instance has other {what}; {machine.name} stays as it is"
                        " (runner.generation creates a new one)"
                    ),
                ),
            )
        else:
            reading.say(
                change, ("routine", "nodes", f"instances started from it have other {what}")
            )
    return reading


def _stays(machine: Resource) -> bool:
    """The machine does not follow its template: the provider would replace it for another version."""
    return bool({"launchTemplate", "launchTemplate.version"}.intersection(machine.ignore_changes))


_WORDS = {
    "blockDeviceMappings": "disks",
    "imageId": "images",
    "instanceType": "types",
    "userData": "start-up settings",
    "keyName": "SSH keys",
    "instanceMarketOptions": "prices",
}


def _rolled(what: str) -> str:
    moves = (
        "hub and proxy move, so for a minute or two users cannot sign in or start servers, and all"
        " connections drop once; servers keep running"
    )
    return f"core nodes are replaced one after the other ({what}): {moves}"


def _rests(change: Change) -> tuple[Class, Topic, str] | None:
    """Whether the stack is paused or resumed: only then there are no core nodes
    (components/pools/groups.py, `scaling`).
    """
    sizes = next(
        (
            (item.old, item.new)
            for item in change.properties
            if item.keys == ("scalingConfig", "desiredSize")
        ),
        None,
    )
    if sizes is None or 0 not in sizes:
        return None
    if sizes[1] == 0:
        return (
            "replaces",
            "users",
            (
                "the stack is paused: every server and every node stops, and users cannot sign in"
                " until it is resumed; homes and databases stay"
            ),
        )
    return (
        "routine",
        "users",
        (
            "the stack is resumed: nodes start, then hub and proxy; users can sign in again after"
            " some minutes"
        ),
    )


def read_core(change: Change, context: EffectContext) -> Reading:
    """The managed group that hub and proxy run on."""
    del context
    reading = Reading(explained={*_ROLLS, "scalingConfig"})
    if change.op in ("create", "import"):
        reading.say(change, ("routine", "nodes", "a group of core nodes"))
        return reading
    if change.op == "delete":
        reading.say(
            change,
            (
                "interrupts",
                "users",
                (
                    "the core nodes are deleted: hub and proxy have no node to run on, users reach"
                    " nothing"
                ),
            ),
        )
        return reading
    if change.op == "replace":
        order = (
            "and have no node to run on until the new group exists"
            if change.delete_first
            else "to the new group, which exists before"
        )
        reading.say(
            change,
            (
                "replaces",
                "users",
                (
                    f"the core nodes are replaced: hub and proxy move {order}; for some minutes"
                    " users cannot sign in, and all connections drop once"
                ),
            ),
        )
    heads = {item.keys[0] for item in change.properties if item.keys}
    if rest := _rests(change):
        reading.say(change, rest)
        return reading
    if heads & set(_ROLLS) and change.op == "update":
        reading.say(
            change,
            ("interrupts", "users", _rolled(", ".join(sorted(heads & set(_ROLLS))))),
            "core nodes",
        )
    for item in change.properties:
        if item.keys[:1] == ("scalingConfig",):
            fewer = _number(item.new) < _number(item.old) and item.keys[-1] != "minSize"
            says = f"{item.keys[-1]} of the core nodes: {item.old} → {item.new}" + (
                "; hub and proxy may have to move" if fewer else ""
            )
            reading.say(change, ("interrupts" if fewer else "routine", "nodes", says))
    return reading
