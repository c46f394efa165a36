"""What becomes of each resource when a stack is destroyed with `--exclude-protected`. Pure:
decided from what the program registers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from jupyterhub_aws.checks.resources import Resource, Resources

_KUBERNETES = "kubernetes:"


@dataclass(frozen=True, kw_only=True)
class Parting:
    """The resources of one stack of the engine, by what becomes of them.

    `stays`: protected, and what these need; still in the state, and a later `up` uses it.
    `forgotten`: no longer in the state, and still there. `ends`: inside a cluster that goes, so
    that it goes too, whatever its options say. `goes`: deleted. `order`: the program's parts as
    they are taken down, each with how many of it; of what the caller's program added, `added` is
    what goes, each before what it needs.
    """

    stays: tuple[Resource, ...]
    forgotten: tuple[Resource, ...]
    ends: tuple[Resource, ...]
    goes: tuple[Resource, ...]
    order: tuple[tuple[str, int], ...]
    added: tuple[Resource, ...] = ()


def parting(resources: Resources, *, cluster_goes: bool) -> Parting:
    """Decide it for the resources of one stack; `cluster_goes`: its cluster is deleted too, now
    or in a later step.
    """
    resources = Resources(
        resource for resource in resources if not resource.external
    )  # what is only read stays as it is
    kept = _with_needs(resources, [resource.urn for resource in resources if resource.protect])
    let_go = [
        resource for resource in resources if resource.urn not in kept and resource.retain_on_delete
    ]
    ends = [
        resource
        for resource in let_go
        if cluster_goes
        and resource.type.startswith(_KUBERNETES)
        and _in_the_cluster(resource, resources)
    ]
    goes = [
        resource
        for resource in resources
        if resource.urn not in kept and not resource.retain_on_delete
    ]
    return Parting(
        stays=tuple(resource for resource in resources if resource.urn in kept),
        forgotten=tuple(resource for resource in let_go if resource not in ends),
        ends=tuple(ends),
        goes=tuple(goes),
        order=tuple(
            _order(resources, [resource for resource in goes if not resources.is_added(resource)])
        ),
        added=tuple(
            resource for resource in goes if resources.is_added(resource) and _is_real(resource)
        ),
    )


def _is_real(resource: Resource) -> bool:
    return resource.custom and not resource.type.startswith("pulumi:")


def _in_the_cluster(resource: Resource, resources: Resources) -> bool:
    """Whether an object is in the stack's own cluster: not behind a provider that the caller's
    program made, nor behind its default one.
    """
    provider = resources.by_urn.get(resource.provider or "")
    return not resources.is_added(resource) or (
        provider is not None and not resources.is_added(provider)
    )


def _with_needs(resources: Resources, urns: Iterable[str]) -> set[str]:
    """These with all that they depend on, their parents and providers: what `pulumi destroy
    --exclude-protected` leaves (engine facts; tests/engine).
    """
    found, waiting = set[str](), list(urns)
    while waiting:
        urn = waiting.pop()
        if urn in resources.by_urn and urn not in found:
            found.add(urn)
            resource = resources.by_urn[urn]
            waiting += [*resource.depends_on, resource.parent or "", resource.provider or ""]
    return found


def _order(resources: Resources, goes: Iterable[Resource]) -> list[tuple[str, int]]:
    """The parts of this library, whatever needs another before it: as the engine deletes. Only
    those of which something that is real goes.
    """

    def top(resource: Resource) -> str:
        return resources.part(resource).name

    def needed(urns: Iterable[str], seen: frozenset[str] = frozenset()) -> set[str]:
        """The parts that these are, or that what is added among them needs."""
        found = set[str]()
        for urn in {*urns} & resources.by_urn.keys() - seen:
            resource = resources.by_urn[urn]
            found |= (
                needed(resource.depends_on, seen | {urn})
                if resources.is_added(resource)
                else {top(resource)}
            )
        return found

    count = Counter(top(resource) for resource in goes if _is_real(resource))
    needs: dict[str, set[str]] = {}
    for resource in resources.own:
        needs.setdefault(top(resource), set()).update(needed(resource.depends_on) - {top(resource)})
    try:
        built = list(
            TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)}).static_order()
        )
    except CycleError:  # parts that need each other have no order between them
        built = sorted(needs)
    return [(name, count[name]) for name in reversed(built) if count[name]]
