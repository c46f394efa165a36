"""Resources that have another URN than before and are still the same, because an alias says so: read as the engine reads aliases.

The rules are those of the engine's step generator (pulumi/pulumi, pkg/resource/deploy/step_generator.go: generateAliases, inheritedChildAlias,
getOldResource): the URN itself comes first, then a resource's own aliases, then those that follow from the alias by which its parent was found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.checks.resources import Resource, Resources

_NAMED = re.compile(r"\$\{([^.}]+)\.")


def predecessors(new: Resources, old: Collection[str]) -> dict[str, str]:
    """For each resource that was there under another URN, that URN. `old` are the URNs that there were."""
    found: dict[str, str | None] = {}

    def before(resource: Resource) -> str | None:
        if resource.urn not in found:
            found[resource.urn] = None  # a plan of somebody else's may name a resource as its own ancestor
            parent = new.by_urn.get(resource.parent or "")
            inherited = None if parent is None else before(parent)
            aliases = [*resource.aliases]
            if parent is not None and inherited is not None:
                kinds = [(resource.type, resource.name), *((_type(alias), _name(alias)) for alias in resource.aliases)]
                aliases += [_child(inherited, kind, name, parent.name) for kind, name in kinds]
            found[resource.urn] = None if resource.urn in old else next((alias for alias in aliases if alias in old), None)
        return found[resource.urn]

    return {resource.urn: was for resource in new if (was := before(resource)) is not None}


def _child(parent: str, kind: str, name: str, parent_name: str) -> str:
    """The URN that a child had below a parent of another URN; a name that begins with the parent's began with its old one."""
    head, _, old_name = parent.rpartition("::")
    start, _, chain = head.rpartition("::")
    own = old_name + name.removeprefix(parent_name) if name.startswith(parent_name) else name
    return f"{start}::{chain}${kind}::{own}"


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def called_as_now(old: Resources, new: Resources) -> Resources:
    """The old resources under the URNs and names that they have now, wherever they are mentioned; as they are where no alias says so."""
    if not any(resource.aliases for resource in new):
        return old
    urns = {was: urn for urn, was in predecessors(new, old.by_urn.keys()).items()}
    kept = {resource.name for resource in old if resource.urn not in urns}
    names = {_name(was): _name(urn) for was, urn in urns.items() if _name(was) != _name(urn) and _name(was) not in kept}
    return Resources(_called(resource, urns, names) for resource in old)


def _called(resource: Resource, urns: Mapping[str, str], names: Mapping[str, str]) -> Resource:
    urn = urns.get(resource.urn, resource.urn)
    return replace(
        resource,
        urn=urn,
        type=_type(urn),
        name=_name(urn),
        parent=urns.get(resource.parent or "", resource.parent),
        provider=urns.get(resource.provider or "", resource.provider),
        depends_on=tuple(sorted(urns.get(item, item) for item in resource.depends_on)),
        inputs=_mentioned(resource.inputs, urns, names),
    )


def _mentioned(value: Any, urns: Mapping[str, str], names: Mapping[str, str]) -> Any:  # noqa: ANN401 -- any JSON value
    if isinstance(value, Mapping):
        return {key: _mentioned(item, urns, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_mentioned(item, urns, names) for item in value]
    if not isinstance(value, str):
        return value
    return urns.get(value) or _NAMED.sub(lambda match: f"${{{names.get(match[1], match[1])}.", value)
