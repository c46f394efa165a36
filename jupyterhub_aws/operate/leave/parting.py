"""What becomes of each resource when a stack is destroyed with `--exclude-protected`. Pure: decided from what the program registers."""

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

    `stays`: protected, and what these need; still in the state, and a later `up` uses it. `forgotten`: no longer in the state, and still there.
    `ends`: inside a cluster that goes, so that it goes too, whatever its options say. `goes`: deleted. `order`: the program's parts as
    they are taken down, each with how many of it.
    """

    stays: tuple[Resource, ...]
    forgotten: tuple[Resource, ...]
    ends: tuple[Resource, ...]
    goes: tuple[Resource, ...]
    order: tuple[tuple[str, int], ...]


def parting(resources: Resources, *, cluster_goes: bool) -> Parting:
    """Decide it for the resources of one stack; `cluster_goes`: its cluster is deleted too, now or in a later step."""
    kept = _with_needs(resources, [resource.urn for resource in resources if resource.protect])
    let_go = [resource for resource in resources if resource.urn not in kept and resource.retain_on_delete]
    ends = [resource for resource in let_go if cluster_goes and resource.type.startswith(_KUBERNETES)]
    goes = [resource for resource in resources if resource.urn not in kept and not resource.retain_on_delete]
    return Parting(
        stays=tuple(resource for resource in resources if resource.urn in kept),
        forgotten=tuple(resource for resource in let_go if resource not in ends),
        ends=tuple(ends),
        goes=tuple(goes),
        order=tuple(_order(resources, goes)),
    )


def _with_needs(resources: Resources, urns: Iterable[str]) -> set[str]:
    """These with all that they depend on, their parents and providers: what `pulumi destroy --exclude-protected` leaves (engine facts; tests/engine)."""
    found, waiting = set[str](), list(urns)
    while waiting:
        urn = waiting.pop()
        if urn in resources.by_urn and urn not in found:
            found.add(urn)
            resource = resources.by_urn[urn]
            waiting += [*resource.depends_on, resource.parent or "", resource.provider or ""]
    return found


def _order(resources: Resources, goes: Iterable[Resource]) -> list[tuple[str, int]]:
    """The top-level parts, whatever needs another before it: as the engine deletes. Only those of which something that is real goes."""

    def top(resource: Resource) -> str:
        return resources.part(resource).name

    count = Counter(top(resource) for resource in goes if resource.custom and not resource.type.startswith("pulumi:"))
    needs: dict[str, set[str]] = {}
    for resource in resources:
        mine = needs.setdefault(top(resource), set())
        mine |= {top(resources.by_urn[urn]) for urn in resource.depends_on if urn in resources.by_urn} - {top(resource)}
    try:
        built = list(TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)}).static_order())
    except CycleError:  # parts that need each other have no order between them
        built = sorted(needs)
    return [(name, count[name]) for name in reversed(built) if count[name]]
