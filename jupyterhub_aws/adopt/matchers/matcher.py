"""What a matcher is asked and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.adopt.queries import AwsResource, Live, tags_of
from jupyterhub_aws.checks.resources import Resource, Resources

SUBNET, TABLE = "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable"
NAT, ROLE = "aws:ec2/natGateway:NatGateway", "aws:iam/role:Role"
#: Marks a placeholder for what the next `up` would make: it equals nothing that exists.
NEW = "(new: {})"
_PLACEHOLDER = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")
#: Which type a placeholder means where several resources share its name, by the property that holds
#: it.
_BY_PROPERTY = {
    **dict.fromkeys(("subnetId", "subnetIds", "subnets", "vpcZoneIdentifiers"), SUBNET),
    **dict.fromkeys(("routeTableId", "routeTableIds"), TABLE),
    "natGatewayId": NAT,
    "allocationId": "aws:ec2/eip:Eip",
    **dict.fromkeys(("roleArn", "nodeRoleArn", "principalArn", "role"), ROLE),
}


@dataclass(frozen=True, kw_only=True)
class ImportCandidate:
    """The counterpart of a resource: its id as the provider imports it, `view` its properties by
    the names of inputs, `outputs` what others refer to.
    """

    id: str
    view: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MatchContext:
    """A resource with what is known so far. `inputs` have ids of what was matched in the place
    of placeholders.
    """

    live: Live
    resource: Resource
    recorded: Resources
    inputs: Mapping[str, Any]
    matches: Mapping[tuple[str, str], ImportCandidate]

    def text(self, key: str) -> str | None:
        """An input as text; None where it is absent or hangs on something that has no
        counterpart.
        """
        value = self.inputs.get(key)
        return None if value is None or "${" in str(value) else str(value)

    def users(self, type_: str, key: str) -> list[Resource]:
        """The resources of a type that name this one in a property."""
        wanted = "${" + self.resource.name + "."
        return [other for other in self.recorded.of(type_) if wanted in str(other.inputs.get(key))]

    def match(self, type_: str, text: object) -> ImportCandidate | None:
        """The match of the placeholder in an input of another resource."""
        found = _PLACEHOLDER.search(str(text))
        return None if found is None else self.matches.get((type_, found[1]))


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """`topics` are what a scan has to have seen for the answer to mean something."""

    topics: tuple[str, ...]
    find: Callable[[MatchContext], ImportCandidate | None]


def resolved(
    value: Any,
    matches: Mapping[tuple[str, str], ImportCandidate],
    new: Collection[str] = (),
    key: str = "",
) -> Any:
    """A value with what is known in the place of placeholders. `new` names what has no
    counterpart: it is marked, for it equals nothing that is there.
    """
    if isinstance(value, Mapping):
        return {name: resolved(item, matches, new, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(item, matches, new, key) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    return _PLACEHOLDER.sub(lambda found: _substituted(found, matches, new, key), value)


def _substituted(
    found: re.Match[str],
    matches: Mapping[tuple[str, str], ImportCandidate],
    new: Collection[str],
    key: str,
) -> str:
    name, output = found[1], found[2]
    named = [type_ for type_, other in matches if other == name]
    wanted = _BY_PROPERTY.get(key)
    if wanted is not None and wanted not in named:
        named = [] if any(_shares(type_) for type_ in named) else named
    elif wanted is not None:
        named = [wanted]
    for type_ in named:
        if output in matches[type_, name].outputs:
            return matches[type_, name].outputs[output]
    return NEW.format(name) if name in new and not named else found[0]


def _shares(type_: str) -> bool:
    return type_ in set(_BY_PROPERTY.values())


def with_tags(resource: AwsResource, view: Mapping[str, Any]) -> dict[str, Any]:
    """A view with the resource's tags, without those that only AWS itself may set."""
    tags = tags_of(resource).items()
    return {**view, "tags": {key: value for key, value in tags if not key.startswith("aws:")}}


def one(resources: list[AwsResource], **wanted: object) -> AwsResource | None:
    """The only resource with these attributes; None where several have them: that is ambiguous."""
    found = [
        resource
        for resource in resources
        if all(resource.get(key) == value for key, value in wanted.items())
    ]
    return found[0] if len(found) == 1 else None


# --- Most types are a row: the place that identifies a resource, and what it looks like.

#: What an input is: an attribute of AWS's, or a function of the resource. UNKNOWN is not compared.
UNKNOWN = object()
Reading = str | Callable[[AwsResource], Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A matcher by attributes, which are called as in AWS's API.

    `place` says which input each attribute has to equal, among the resources of the last topic;
    `look` finds the resource where no attribute says it. `id` is the form of its import id, `view`
    and `outputs` say what its inputs and outputs are; what it was found by belongs to the view.
    """

    topics: tuple[str, ...]
    id: str
    place: Mapping[str, str] = field(default_factory=dict)
    look: Callable[[MatchContext], AwsResource | None] | None = None
    view: Mapping[str, Reading] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tagged: bool = False
    #: Whether a resource in the place is one.
    exists: Callable[[AwsResource], object] = bool

    def find(self, context: MatchContext) -> ImportCandidate | None:
        """The counterpart of the resource."""
        wanted = {attribute: context.text(key) for attribute, key in self.place.items()}
        found = self.look(context) if self.look else one(context.live.of(self.topics[-1]), **wanted)
        if found is None or not self.exists(found):
            return None
        readings = {**{key: attribute for attribute, key in self.place.items()}, **self.view}
        values = {
            key: found.get(reading) if isinstance(reading, str) else reading(found)
            for key, reading in readings.items()
        }
        view = {key: value for key, value in values.items() if value is not UNKNOWN}
        return ImportCandidate(
            id=self.id.format_map(found),
            outputs={key: str(found.get(name, "")) for key, name in self.outputs.items()},
            view=with_tags(found, view) if self.tagged else view,
        )


def called(*inputs: str) -> dict[str, Reading]:
    """Inputs that AWS calls the same, with a capital letter: `cidrBlock` is its `CidrBlock`."""
    return {key: key[0].upper() + key[1:] for key in inputs}


def flag(attribute: str) -> Reading:
    """A switch, off where AWS says nothing."""
    return lambda resource: bool(resource.get(attribute))


def in_order(attribute: str) -> Reading:
    """A list of texts, which AWS gives in any order."""
    return lambda resource: sorted(resource.get(attribute, ()))


def default(attribute: str, value: Any) -> Reading:
    """An attribute that AWS may leave out."""
    return lambda resource: resource.get(attribute, value)
