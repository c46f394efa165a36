"""What the program would register, matched with what is there: an import map, what will differ,
what will be made, and what cannot be imported. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jupyterhub_aws.adopt.matchers import MATCHERS
from jupyterhub_aws.adopt.matchers.cluster import CONTROL_PLANE
from jupyterhub_aws.adopt.matchers.matcher import ImportCandidate, MatchContext, resolved
from jupyterhub_aws.adopt.queries import Live
from jupyterhub_aws.changes.properties import Comparison, PropertyChange
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.replacements import verdict

Key = tuple[str, str]
#: Types that are no resources of their own in AWS, or that a provider cannot import: `up` makes
#: them again, and AWS takes that without a change.
_REMADE: Mapping[str, str] = {
    "aws:autoscaling/attachment:Attachment": (
        "the provider cannot import it; attaching again changes nothing"
    ),
    "aws:acm/certificateValidation:CertificateValidation": (
        "waits for a certificate, and is nothing in AWS"
    ),
    "aws:kms/grant:Grant": (
        "its id is known only to the principal that made it; a second one does no harm"
    ),
}
#: What a resource that is recreated does to users of the existing cluster.
_EFFECTS: Mapping[str, str] = {
    "aws:efs/fileSystemPolicy:FileSystemPolicy": (
        "from then on only the hubs' access points get in, with TLS: plain NFS mounts of the file"
        " system end"
    ),
    "aws:eks/addon:Addon": (
        "OVERWRITE: what was changed by hand in the add-on's objects is set back"
    ),
    "aws:lb/loadBalancer:LoadBalancer": (
        "a balancer with an address of its own: the hub's name has to point there"
    ),
    "aws:ec2/natGateway:NatGateway": (
        "a NAT gateway with an address of its own: allowlists with the old one need the new one"
    ),
}
#: The same for one that is imported and changed, by its type and property.
_CHANGES: Mapping[tuple[str, str], str] = {
    **dict.fromkeys(
        [
            ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", way)
            for way in ("ingress", "egress")
        ],
        "the default group loses its rules: whatever relies on them is cut off",
    ),
    ("aws:backup/plan:Plan", "rules"): (
        "the next backups are made and kept as this says; those that are there keep the day that"
        " they were given"
    ),
    ("aws:efs/backupPolicy:BackupPolicy", "backupPolicy"): (
        "EFS's own daily plan is switched: `backups` in the stack file says what backs homes up"
    ),
    ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays"): (
        "where it becomes shorter, older lines are deleted"
    ),
    (CONTROL_PLANE, "encryptionConfig"): (
        "secrets are encrypted from then on, and AWS never takes that back"
    ),
    (CONTROL_PLANE, "accessConfig"): (
        "aws-auth is no longer read: principals that it lets in need an access entry first"
    ),
}
_LONGEST_ROUNDS = 12
How = Literal["in place", "replacement", "engine decides"]


@dataclass(frozen=True, kw_only=True)
class ImportDifference:
    """A property that will be another one after the `up` that adopts. `effect` says what that
    does, where it does more than it says.
    """

    subject: str
    where: str
    live: Any
    ours: Any
    how: How
    because: str = ""
    effect: str = ""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A resource that the `up` would make, and why it has no counterpart; `is_unreadable`: whether
    it exists is unknown, because it could not be looked for.
    """

    subject: str
    why: str
    is_unreadable: bool = False


@dataclass(frozen=True, kw_only=True)
class RefusedImport:
    """Something that is there and cannot become the program's resource: its import would end in
    a replacement.
    """

    subject: str
    id: str
    because: tuple[str, ...]


@dataclass(kw_only=True)
class Outcome:
    """What a stack file and an account have to do with each other. `imports` maps TYPE::NAME to
    ids.
    """

    imports: dict[str, str] = field(default_factory=dict)
    differences: list[ImportDifference] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    refused: list[RefusedImport] = field(default_factory=list)
    protected: tuple[str, ...] = ()

    def refusal(self, type_: str) -> RefusedImport | None:
        """Why the (first) AWS resource of a type cannot be imported."""
        return next((item for item in self.refused if item.subject.startswith(f"{type_}::")), None)


def matched(recorded: Resources, live: Live) -> Outcome:
    """Match every AWS resource of a recording. What would be replaced is not imported, and then
    neither is what hangs on it.
    """
    outcome, banned = Outcome(), dict[Key, ImportCandidate]()
    recorded = _placed(recorded, live)
    while True:
        matches = _matches(recorded, live, banned)
        new = _new(recorded, live, matches)
        found = {
            key: _differences(resource, matches, new)
            for resource in recorded
            if (key := _key(resource)) in matches
        }
        bad = {
            key for key, items in found.items() if any(item.how == "replacement" for item in items)
        }
        if not bad:
            break
        first = _first(recorded, bad)  # one at a time: the others may only follow from it
        banned[first] = matches[first]
        because = tuple(
            f"{item.where}: {item.because}" for item in found[first] if item.how == "replacement"
        )
        outcome.refused.append(
            RefusedImport(subject="::".join(first), id=matches[first].id, because=because)
        )
    outcome.imports = {"::".join(key): matches[key].id for key in sorted(matches)}
    outcome.differences = sorted(
        (item for items in found.values() for item in items),
        key=lambda item: (item.subject, item.where),
    )
    outcome.missing = list(_missing(recorded, live, matches, banned))
    outcome.protected = tuple(
        f"{item.type}::{item.name}" for item in recorded if item.protect and _key(item) in matches
    )
    return outcome


def _placed(recorded: Resources, live: Live) -> Resources:
    """The recording with the account's number where the program would ask AWS for it."""

    def placed(inputs: Mapping[str, Any]) -> Any:
        return json.loads(json.dumps(dict(inputs)).replace("${aws.account}", live.account))

    return Resources(replace(item, inputs=placed(item.inputs)) for item in recorded)


def _key(resource: Resource) -> Key:
    return resource.type, resource.name


def _first(recorded: Resources, bad: set[Key]) -> Key:
    """The one of several that the others may follow from: which depends on none of them."""
    urns = {resource.urn: _key(resource) for resource in recorded}
    for resource in recorded:
        if _key(resource) in bad and not any(urns.get(urn) in bad for urn in resource.depends_on):
            return _key(resource)
    return min(bad)


def _matches(
    recorded: Resources, live: Live, banned: Mapping[Key, ImportCandidate]
) -> dict[Key, ImportCandidate]:
    """Round by round: a subnet needs the VPC, a table needs the subnet. An id serves one
    resource of a type only.
    """
    matches: dict[Key, ImportCandidate] = {}
    waiting = [
        item
        for item in recorded
        if item.custom
        and item.type in MATCHERS
        and _key(item) not in banned
        and not _elsewhere(item, live)
    ]
    taken = {(key[0], found.id) for key, found in banned.items()}
    for _ in range(_LONGEST_ROUNDS):
        left = []
        for resource in waiting:
            asked = MatchContext(
                live=live,
                resource=resource,
                recorded=recorded,
                inputs=resolved(dict(resource.inputs), matches),
                matches=matches,
            )
            found = MATCHERS[resource.type].find(asked)
            if found is None or (resource.type, found.id) in taken:
                left.append(resource)
                continue
            matches[_key(resource)] = found
            taken.add((resource.type, found.id))
        if len(left) == len(waiting):
            break
        waiting = left
    return matches


def _elsewhere(resource: Resource, live: Live) -> str:
    """The region of a resource that is not in the scanned one (copies of backups); empty for all
    others.
    """
    region = str(resource.inputs.get("region") or live.region)
    return "" if region == live.region else region


def _new(recorded: Resources, live: Live, matches: Mapping[Key, ImportCandidate]) -> frozenset[str]:
    """The names of what would be made. What could not be looked for is not among them: it may be
    there, and nothing follows from it.
    """
    return frozenset(
        item.name
        for item in recorded
        if item.custom and _key(item) not in matches and not _unreadable_topics(item, live)
    )


def _unreadable_topics(resource: Resource, live: Live) -> list[str]:
    """The topics that a resource's counterpart would be among and that could not be seen."""
    if region := _elsewhere(resource, live):
        return [region]
    matcher = MATCHERS.get(resource.type)
    return [topic for topic in matcher.topics if live.is_unreadable(topic)] if matcher else []


def _differences(
    resource: Resource, matches: Mapping[Key, ImportCandidate], new: frozenset[str]
) -> list[ImportDifference]:
    """Each property of the view that will be another one. What the scan did not read is not in
    the view, and nothing is said about it.
    """
    found = matches[_key(resource)]
    inputs = resolved(dict(resource.inputs), matches, new)
    ours = {key: _in_order(key, inputs[key]) for key in found.view if key in inputs}
    theirs = {key: _in_order(key, found.view[key]) for key in ours}
    ours, theirs = _common(ours, theirs)
    changes = Comparison(type_=resource.type, loose=True).differences(theirs, ours)
    # What a directory was made with says nothing once it is there.
    point = resource.type == "aws:efs/accessPoint:AccessPoint"
    return [
        _difference(resource, change)
        for change in changes
        if change.keys[:1] and change.keys[0] not in resource.ignore_changes
        if not (point and change.keys[:2] == ("rootDirectory", "creationInfo"))
    ]


def _common(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Maps inside are compared by what both could say: the view does not repeat all of a
    resource. Tags are whole.
    """
    for key, value in theirs.items():
        other = ours.get(key)
        if key != "tags" and isinstance(value, dict) and isinstance(other, dict):
            ours[key] = {name: item for name, item in other.items() if name in value}
            theirs[key] = {name: item for name, item in value.items() if name in other}
    return ours, theirs


def _in_order(key: str, value: Any) -> Any:
    """Lists of names in one order: AWS gives them in any. The order of instance types counts."""
    return value if key == "instanceTypes" else _sorted(value)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted(value) if all(isinstance(item, str) for item in value) else list(value)
    return value


def _difference(resource: Resource, change: PropertyChange) -> ImportDifference:
    how, because = _how(resource.type, change)
    return ImportDifference(
        subject="::".join(_key(resource)),
        where=change.where,
        live=change.old,
        ours=change.new,
        how=how,
        because=because,
        effect=_CHANGES.get((resource.type, change.keys[0]), ""),
    )


def _how(type_: str, change: PropertyChange) -> tuple[How, str]:
    """What the difference does, by the tables of what forces a replacement; and two cases that only
    AWS refuses.
    """
    if type_ == CONTROL_PLANE and change.keys[0] == "encryptionConfig":
        # EKS user guide, "Encrypt Kubernetes secrets with KMS": a key can be given to a cluster
        # once, and never be changed or taken away.
        first = change.old is None
        return ("in place", "") if first else ("replacement", "EKS takes one key, once")
    mode = type_ == CONTROL_PLANE and change.keys[:2] == ("accessConfig", "authenticationMode")
    if mode and change.old == "CONFIG_MAP":
        # EKS user guide, "Change authentication mode": CONFIG_MAP first becomes API_AND_CONFIG_MAP,
        # never API at once.
        return "replacement", "EKS does not go from CONFIG_MAP to API in one step"
    if type_ == CONTROL_PLANE and change.keys[:2] == ("vpcConfig", "subnetIds"):
        return "in place", "AWS takes other subnets of the same zones only"
    if type_ == "aws:ebs/volume:Volume" and change.keys[0] == "size":
        sizes = change.old, change.new
        if all(isinstance(size, int) for size in sizes) and change.new < change.old:
            return "replacement", "a volume never shrinks"
    said = verdict(type_, ".".join(change.keys))
    if said.kind == "replaces":
        return "replacement", f"{change.old!s:.40} cannot become {change.new!s:.40}"
    return ("in place", "") if said.kind == "updates" else ("engine decides", said.reason)


def _missing(
    recorded: Resources,
    live: Live,
    matches: Mapping[Key, ImportCandidate],
    banned: Mapping[Key, ImportCandidate],
) -> Iterator[Missing]:
    """What the `up` would make in AWS. What it makes inside the cluster is another matter: Helm
    and Kubernetes are not scanned.
    """
    for resource in recorded:
        key = _key(resource)
        if not resource.custom or not resource.type.startswith("aws:") or key in matches:
            continue
        unreadable = False
        if resource.type in _REMADE:
            why = _REMADE[resource.type]
        elif resource.type not in MATCHERS:
            unreadable = True
            why = "this scan does not look for its type: add an entry by hand where it exists"
        elif region := _elsewhere(resource, live):
            unreadable = True
            why = (
                f"it lies in {region}, where this scan does not look: add an entry by hand"
                " where it exists"
            )
        elif topics := _unreadable_topics(resource, live):
            unreadable = True
            why = f"could not be looked for ({', '.join(topics)})"
        elif key in banned:
            why = f"{banned[key].id} is there and cannot be it; see above"
        else:
            why = _EFFECTS.get(resource.type, "")
        yield Missing(subject="::".join(key), why=why, is_unreadable=unreadable)


def by_type(items: Sequence[Missing]) -> dict[tuple[str, str], list[str]]:
    """Missing resources by type and reason, with their names: how a report counts them."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        type_, _, name = item.subject.partition("::")
        found.setdefault((type_, item.why), []).append(name)
    return found
