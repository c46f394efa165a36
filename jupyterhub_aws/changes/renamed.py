"""Resources that have another URN than before and are still the same, because an alias says so:
read as the engine reads aliases.

The engine looks for a resource under its URN first, then under its aliases in their order, those
that follow from its parent's last (pulumi/pulumi, pkg/resource/deploy/step_generator.go,
getOldResource); the recorder has made them of what the program says
(jupyterhub_aws/plan/recorder.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.checks.resources import Resource, Resources

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


def _name(urn: str) -> str:
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
        _name(was): _name(urn)
        for was, urn in urns.items()
        if _name(was) != _name(urn) and _name(was) not in kept
    }
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
