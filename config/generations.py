"""Generations of a user pool: the one that new servers start in, and older ones whose nodes stay
until they are empty.
"""

from __future__ import annotations

from jupyterhub_aws.config.pools import (
    ManagedNodePool,
    OnDemandPool,
    Retiring,
    Size,
    SpotFirstPool,
    SpotPool,
)

#: Nodes of a later generation than the first say which one it is. Servers select it, so neither the
#: scheduler nor the autoscaler takes another one's
#: nodes for them: the autoscaler judges a group by a node that runs there or once did, and by the
#: group's tags only where there never was one
#: (kubernetes/autoscaler, processors/nodeinfosprovider/mixed_nodeinfos_processor.go), so a tag
#: alone would not keep it from growing an old group.
GENERATION = "jupyterhub-aws/generation"
_FIRST = 1
_KINDS: dict[str, type[SpotFirstPool] | type[SpotPool] | type[OnDemandPool]] = {
    "spot_first": SpotFirstPool,
    "spot": SpotPool,
    "on_demand": OnDemandPool,
}


def suffix(generation: int) -> str:
    """What a generation adds to names: nothing for the first, whose names are those of a stack
    that says nothing; `-g2` for the second.
    """
    return "" if generation == _FIRST else f"-g{generation}"


def label(generation: int) -> dict[str, str]:
    """What its nodes carry and its servers select besides: nothing for the first."""
    return {} if generation == _FIRST else {GENERATION: str(generation)}


def retired(pool: ManagedNodePool, old: Retiring) -> ManagedNodePool:
    """The pool as an older generation of it was. It may become empty, whatever the pool's
    smallest size.
    """
    kind = _KINDS[old.capacity or pool.capacity]
    kept = {
        name: getattr(pool, name) for name in kind.model_fields if name in type(pool).model_fields
    }
    changed = {
        "capacity": old.capacity or pool.capacity,
        "generation": old.generation,
        "retiring": (),
        "instance_types": old.instance_types or pool.instance_types,
        "size": Size(min=0, max=pool.size.max),
    }
    return kind(**{**kept, **changed})
