"""What the engine shows a policy pack, as the checks see it.

A plan names what it does not know yet by placeholders (`${network-vpc.id}`), and checks follow
those from one resource to another. The engine shows real ids instead: they are put back here, so
that one implementation of each check serves both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from jupyterhub_aws.checks.resources import LIBRARY, UNKNOWN, Resource, Resources

#: Outputs by which resources name each other.
_NAMED_BY = ("id", "arn")
#: Shorter values, and plain words, are found by chance in other text.
_SHORTEST = 12
_ID = re.compile(r"[a-z]+-[0-9a-f]{8,}|arn:[\w-]+:\S+")
_STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"
#: Real values to the resource and the output that a plan would name in their place.
Names = Mapping[str, tuple[str, str]]


class Shown(Protocol):
    """A resource as the policy SDK has it (`pulumi_policy.PolicyResource`)."""

    resource_type: str
    props: Mapping[str, Any]
    urn: str
    name: str
    opts: Any
    parent: Any


def translated(shown: Iterable[Shown]) -> Resources:
    """The resources as the checks read them."""
    found = [item for item in shown if item.resource_type != _STACK]
    names = _names(found)
    return Resources(_resource(item, names) for item in found)


def _resource(item: Shown, names: Names) -> Resource:
    protect = bool(getattr(item.opts, "protect", False))
    parent = getattr(getattr(item, "parent", None), "urn", None)
    return Resource(
        urn=item.urn,
        type=item.resource_type,
        name=item.name,
        parent=None if parent is None or f"::{_STACK}::" in parent else parent,
        custom=_is_custom(item),
        protect=protect,
        retain_on_delete=True,  # the engine does not show it: that it is set is proven on the plan
        ignore_changes=tuple(getattr(item.opts, "ignore_changes", ()) or ()),
        import_id=None,
        provider=None,
        depends_on=tuple(sorted(other.urn for other in getattr(item, "dependencies", ()) or ())),
        inputs=_restored(plain(item.props), names, item.name),
        taggable=item.resource_type.startswith("aws:") and "tags" in item.props,
    )


def _is_custom(item: Shown) -> bool:
    """Whether a provider makes it. The engine names the provider of each such resource; a
    component, of whatever package, has none, and a provider too.
    """
    if item.resource_type.startswith((LIBRARY, "eks:index:")):
        return False
    return (
        item.resource_type.startswith(_PROVIDERS)
        or not hasattr(item, "provider")
        or item.provider is not None
    )


def plain(value: Any) -> Any:
    """Values as JSON has them; what is not known yet, or secret, becomes the word that a plan
    has for it.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(_at(value, key)) for key in value if not str(key).startswith("__")}
    if isinstance(value, (list, tuple)):
        return [plain(_at(value, index)) for index in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else UNKNOWN


def _names(shown: Iterable[Shown]) -> Names:
    found: dict[str, tuple[str, str]] = {}
    for item in shown:
        for output in _NAMED_BY:
            value = _at(item.props, output)
            if isinstance(value, str) and len(value) >= _SHORTEST and _ID.fullmatch(value):
                found.setdefault(value, (item.name, output))
    return found


def _at(container: Any, key: Any) -> Any:
    try:
        return container[key]
    except Exception:  # pulumi_policy's UnknownValueError, which has no public name
        return UNKNOWN


def _restored(value: Any, names: Names, own: str) -> Any:
    """A value with placeholders in the place of real ones, except of the resource's own."""
    if isinstance(value, dict):
        return {key: _restored(item, names, own) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, names, own) for item in value]
    if isinstance(value, str) and ("-" in value or ":" in value):
        return _ID.sub(lambda match: _placeholder(match[0], names, own), value)
    return value


def _placeholder(value: str, names: Names, own: str) -> str:
    name, output = names.get(value, (own, ""))
    return value if name == own else f"${{{name}.{output}}}"
