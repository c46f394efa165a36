"""What node pools must be, by themselves and where they are: rules that hold for stack files and
for arguments of `NodePools` alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from jupyterhub_aws.config.errors import Problem, shown
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.network import AnyNetwork
from jupyterhub_aws.config.pools import ExistingNodePool, OnDemandPool, Pools
from jupyterhub_aws.config.prices import Prices


def pool_problems(pools: Pools, *, region: str, zones: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with pools of a cluster with private subnets in these zones. Paths are those
    of a stack file.
    """
    yield from core_is_plain(pools)
    yield from price_is_a_maximum(region, pools)
    yield from none_exists(pools, "these nodes are made")
    yield from _core_zones_exist(zones, pools)


def core_is_plain(pools: Pools) -> Iterator[Problem]:
    """Hub and proxy run on general types."""
    for index, name in enumerate(pools.core.instance_types if pools.core else ()):
        if (
            instance_type(name).gpu is not None
        ):  # not their number: g6f has a share of one, which counts 0
            yield Problem(
                path=f"pools.core.instance_types[{index}]",
                what=f"is a GPU type (got {name})",
                fix="use a general type such as m7i.large; GPUs belong into a user pool",
            )


def price_is_a_maximum(region: str, pools: Pools) -> Iterator[Problem]:
    """A price far below the on-demand price is a mistake."""
    prices = Prices().in_region(region)
    for name, pool in pools.bought.items():
        if isinstance(pool, OnDemandPool) or pool.max_price is None:
            continue
        on_demand = prices.node_hour(pool.instance_types[0])
        if on_demand is not None and Decimal(pool.max_price) < on_demand / 20:
            yield Problem(
                path=f"pools.{name}.max_price",
                what=(
                    f'is under a twentieth of the on-demand price (got "{pool.max_price}", on'
                    f" demand {on_demand})"
                ),
                fix=(
                    "no spot node would ever start; raise it above the current spot price, or leave"
                    " it out"
                ),
            )


def none_exists(pools: Pools, why: str) -> Iterator[Problem]:
    """Nodes of a cluster that is made here are made too."""
    for name, pool in pools.user.items():
        if isinstance(pool, ExistingNodePool):
            fix = "write spot_first, spot or on_demand, and instance_types"
            yield Problem(path=f"pools.{name}.capacity", what=f"is existing, but {why}", fix=fix)


def core_zones_exist(network: AnyNetwork, pools: Pools) -> Iterator[Problem]:
    """The core pool's zones are zones of the network."""
    yield from _core_zones_exist(network.zones, pools)


def _core_zones_exist(zones: Sequence[str], pools: Pools) -> Iterator[Problem]:
    for index, zone in enumerate(pools.core.zones if pools.core else ()):
        if zone not in zones:
            yield Problem(
                path=f"pools.core.zones[{index}]",
                what=f"is not a zone of the network (got {shown(zone)})",
                fix=f"choose from {', '.join(zones)}",
            )


#: Rules between sections (config/stack.py says how they run).
RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("pools",), core_is_plain),
    (("region", "pools"), price_is_a_maximum),
    (("network", "pools"), core_zones_exist),
)
