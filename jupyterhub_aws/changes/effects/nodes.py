"""Nodes: which profiles a group serves, whether its nodes stop or stay, and what new ones will
be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.changes.compare import Change
from jupyterhub_aws.changes.effect import Class, EffectContext, Reading, Topic
from jupyterhub_aws.changes.properties import PropertyChange
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
    listed = group.inputs.get("tags")
    tags = [tag for tag in listed if isinstance(tag, Mapping)] if isinstance(listed, list) else []
    return {
        key.removeprefix(_LABEL): str(tag.get("value"))
        for tag in tags
        if (key := str(tag.get("key"))).startswith(_LABEL)
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
    markets = {"true": "on demand", "false": "spot"}
    return markets.get(labels_of(group).get("on-demand", ""), "its market")


def read_group(change: Change, context: EffectContext) -> Reading:
    """A user pool's group of one market."""
    group, reading = change.resource, Reading(change)
    about = _about(group, context.old if change.new is None else context.new)
    if change.op in ("create", "import"):
        reading.explained.add("*")
        says = f"a new group of nodes, {_market(group)}, starting at 0"
        reading.say("routine", "nodes", says, about)
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
        reading.say("replaces", "nodes", says, about)
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
        reading.say("replaces", "nodes", says, about)
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
        reading.say("routine", "users", retires, about)
        reading.explained.add("suspendedProcesses")
    for item in change.properties:
        _group_property(reading, item, about)
    _tags(reading, about)
    return reading


def _retires(change: Change) -> str:
    """What it means that a group may no longer start nodes, or may again; empty where that
    stays.
    """
    for item in change.under("suspendedProcesses"):
        if item.new == "Launch":
            return (
                "the group retires: running servers continue, new ones start elsewhere, and each of"
                " its nodes is removed when it is empty"
            )
        if item.old == "Launch":
            return "the group no longer retires: it starts nodes again"
    return ""


def _group_property(reading: Reading, item: PropertyChange, about: str) -> None:
    keys, old, new = item.keys, item.old, item.new
    head = keys[0] if keys else ""
    if head == "maxSize":
        grows = _number(new) >= _number(old)
        says = f"at most {new} nodes instead of {old}" + (
            "" if grows else ": excess nodes stop, and servers on them with them"
        )
        reading.say("routine" if grows else "interrupts", "nodes", says, about)
    elif head == "minSize":
        always = f"{new} node is" if new == 1 else f"{new} nodes are"
        quicker = (
            "no server waits for these to start"
            if _number(new) > _number(old)
            else "the first servers wait for a node again (some minutes)"
        )
        says = f"{always} always running instead of {old}: {quicker}"
        reading.say("routine", "users", says, about)
    elif head == "mixedInstancesPolicy":
        reading.say("routine", "nodes", _policy(keys, old, new), about)
    elif head == "vpcZoneIdentifiers":
        says = (
            "new nodes start in other zones; AWS terminates nodes in a zone that is no"
            " longer listed, and servers on them"
        )
        reading.say("interrupts", "nodes", says, about)
    elif head == "capacityRebalance":
        says = "whether AWS terminates spot nodes early, when an interruption is likely"
        reading.say("interrupts", "nodes", says, about)
    elif head == "launchTemplate":
        says = "new nodes start from another template; running nodes stay as they are"
        reading.say("routine", "nodes", says, about)


def _tags(reading: Reading, about: str) -> None:
    """What the autoscaler knows of new nodes, and other tags; only the gravest, once."""
    changed = reading.change.under("tags")
    tags = [str(item.path[1]) for item in changed if len(item.path) > 1]
    if any(f"{_TEMPLATE_TAG}{kind}/" in tag for tag in tags for kind in ("label", "taint")):
        says = (
            "new nodes carry other labels or taints, and running nodes do not: pods that need the"
            " new ones wait for a new node"
        )
        reading.say("interrupts", "nodes", says, about)
    elif any(f"resources/{shape}" in tag for tag in tags for shape in _SHAPE):
        reading.say("routine", "nodes", "the autoscaler expects another size of new nodes", about)
    elif changed:
        reading.say("routine", "nodes", "tags of new nodes", about)


def _policy(keys: tuple[str, ...], old: Any, new: Any) -> str:
    if "overrides" in keys:
        gone = f", no longer {_type(old)}" if new is None else ""
        come = f", also {_type(new)}" if old is None else ""
        return f"new nodes may be of other types{come}{gone}; running nodes stay"
    if keys[-1] == "spotMaxPrice":
        return (
            f"spot nodes start up to {_dollars(new)} instead of {_dollars(old)} an hour;"
            " running ones above a lower price may be interrupted"
        )
    if "instancesDistribution" in keys:
        return "new nodes have another market (spot, on demand); running nodes stay"
    return "new nodes start from another template; running nodes stay as they are"


def _type(value: Any) -> str:
    return str(value.get("instanceType", value)) if isinstance(value, Mapping) else str(value)


def _dollars(value: object) -> str:
    return "the on-demand price" if value is None else f"${value}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def read_template(change: Change, context: EffectContext) -> Reading:
    """A launch template: new nodes only, except where EKS rolls a managed group with it."""
    reading = Reading(change)
    if change.op in ("update", "replace"):
        _template_access(reading)
        _started_from(reading, context)
    return reading


def _template_access(reading: Reading) -> None:
    """What new nodes may do and reach, and who reads their disks."""
    change = reading.change
    for item in change.under("metadataOptions"):
        stricter = (item.keys[-1], item.new) == ("httpTokens", "required") or (
            item.keys[-1] == "httpPutResponseHopLimit" and _number(item.new) < _number(item.old)
        )
        says = (
            f"{item.where} of new nodes: whether pods reach the node's own role ({item.old}"
            f" → {item.new})"
        )
        reading.say("routine" if stricter else "widens access", "access", says)
    if change.under("iamInstanceProfile"):
        reading.say("widens access", "access", "new nodes get another role")
    groups = change.under("vpcSecurityGroupIds", "networkInterfaces")
    if any(not str(item.old).startswith("of the old ") for item in groups):
        reading.say("widens access", "network", "new nodes are in other security groups")
    if any("encrypted" in item.keys or "kmsKeyId" in item.keys for item in change.properties):
        says = "whether disks of new nodes are encrypted, and with which key"
        reading.say("widens access", "nodes", says)
    reading.explained |= {"metadataOptions", "iamInstanceProfile"}
    reading.explained |= {"vpcSecurityGroupIds", "networkInterfaces"}


def _started_from(reading: Reading, context: EffectContext) -> None:
    """What is other with nodes, or with the machine, that start from the template."""
    change = reading.change
    reading.explained |= _WORDS.keys()
    parts = {item.keys[0] for item in change.properties if item.keys} & _WORDS.keys()
    what = ", ".join(_WORDS[part] for part in sorted(parts)) or "settings"
    users = [
        item
        for item in context.new.resources.of(NODE_GROUP, GROUP)
        if f"${{{change.name}." in str(item.inputs) and item.urn in context.old.resources.by_urn
    ]
    for user in users:
        if user.type == NODE_GROUP:
            reading.say("interrupts", "users", _rolled(what), "core nodes")
        else:
            says = f"new nodes have other {what}; running nodes stay as they are"
            reading.say("routine", "nodes", says, _about(user, context.new))
    if not users:
        says = f"instances started from it have other {what}"
        for machine in context.new.resources.of(MACHINE):
            if f"${{{change.name}." in str(machine.inputs) and _stays(machine):
                says = (
                    f"the next instance has other {what}; {machine.name} stays as it is"
                    " (runner.generation creates a new one)"
                )
                break
        reading.say("routine", "nodes", says)


def _stays(machine: Resource) -> bool:
    """The machine does not follow its template: the provider would replace it for another
    version.
    """
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
    desired = ("scalingConfig", "desiredSize")
    size = next((item for item in change.properties if item.keys == desired), None)
    if size is None or 0 not in (size.old, size.new):
        return None
    if size.new == 0:
        says = (
            "the stack is paused: every server and every node stops, and users cannot sign in"
            " until it is resumed; homes and databases stay"
        )
        return "replaces", "users", says
    says = (
        "the stack is resumed: nodes start, then hub and proxy; users can sign in again after"
        " some minutes"
    )
    return "routine", "users", says


def read_core(change: Change, context: EffectContext) -> Reading:
    """The managed group that hub and proxy run on."""
    del context
    reading = Reading(change, explained={*_ROLLS, "scalingConfig"})
    if change.op in ("create", "import"):
        reading.say("routine", "nodes", "a group of core nodes")
        return reading
    if change.op == "delete":
        says = (
            "the core nodes are deleted: hub and proxy have no node to run on, users reach nothing"
        )
        reading.say("interrupts", "users", says)
        return reading
    if change.op == "replace":
        order = (
            "and have no node to run on until the new group exists"
            if change.delete_first
            else "to the new group, which exists before"
        )
        says = (
            f"the core nodes are replaced: hub and proxy move {order}; for some minutes"
            " users cannot sign in, and all connections drop once"
        )
        reading.say("replaces", "users", says)
    heads = {item.keys[0] for item in change.properties if item.keys}
    if rest := _rests(change):
        reading.say(*rest)
        return reading
    rolls = ", ".join(sorted(heads & set(_ROLLS)))
    if rolls and change.op == "update":
        reading.say("interrupts", "users", _rolled(rolls), "core nodes")
    for item in change.under("scalingConfig"):
        fewer = _number(item.new) < _number(item.old) and item.keys[-1] != "minSize"
        moves = "; hub and proxy may have to move" if fewer else ""
        says = f"{item.keys[-1]} of the core nodes: {item.old} → {item.new}{moves}"
        reading.say("interrupts" if fewer else "routine", "nodes", says)
    return reading
