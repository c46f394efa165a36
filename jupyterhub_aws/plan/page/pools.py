"""The pools of a plan: what a node is, what servers can share of it, what it costs, and how many
of which server it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import drawsvg

from jupyterhub_aws.checks.cost_lines import users_per_node
from jupyterhub_aws.checks.limits import overcommitment
from jupyterhub_aws.checks.placement import POOL_LABEL, UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.plan.page.parts import Anchors, Link
from jupyterhub_aws.plan.page.text import natural, shape
from jupyterhub_aws.plan.page.topology.draw import embedded
from jupyterhub_aws.plan.plan import Plan

# --- A node's memory as a bar: one piece for each server that fits, and what stays free.


_WIDTH, _HEIGHT, _SPACE = 240, 16, 1.5
#: More pieces than this would be thinner than the lines between them.
_MOST = 60


def seats(count: int, share: float) -> str:
    """The bar of `count` servers that each take this share of the memory that servers can have.
    Decoration: the numbers are beside it.
    """
    drawing = drawsvg.Drawing(_WIDTH, _HEIGHT, class_="seats", aria_hidden="true")
    drawing.append(drawsvg.Rectangle(0.5, 0.5, _WIDTH - 1, _HEIGHT - 1, rx=3, class_="free"))
    wide = (_WIDTH - 4) * min(share, 1 / max(count, 1))
    piece = round(max(wide - _SPACE, 1), 2)
    drawing.append(
        drawsvg.Line(
            2,
            _HEIGHT / 2,
            round(2 + min(count, _MOST) * wide, 2),
            _HEIGHT / 2,
            stroke_dasharray=f"{piece} {round(wide - piece, 2)}",
            class_="taken",
        )
    )
    return embedded(drawing)


_MIB, _GIB = 1024**2, 1024**3
#: Common guarantees, of interest before there are profiles: cores and GiB.
_COMMON = ((0.5, 2.0), (1.0, 4.0), (2.0, 8.0), (4.0, 16.0))


@dataclass(frozen=True, kw_only=True)
class Market:
    """One group of a pool: where its nodes are bought."""

    name: str
    size: str
    price: str
    link: Link


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How many servers of one kind an empty node takes."""

    who: str
    count: int
    short_of: str = ""
    overcommitted: str = ""
    picture: str = ""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One pool, as the page shows it."""

    name: str
    types: tuple[str, ...]
    shape: str
    room: str
    most_pods: int
    taints: tuple[str, ...]
    markets: tuple[Market, ...]
    fits: tuple[Fit, ...]
    common: tuple[Fit, ...]


def pools(plan: Plan, anchors: Anchors) -> tuple[Pool, ...]:
    """The user pools, by name."""
    found = sorted(
        user_nodes(plan.stack, plan.recording.everything.own),
        key=lambda node: (natural(node.pool), node.name),
    )
    releases = hub_releases(plan.recording.everything.own)
    pods = [pod for release in releases for pod in user_pods(release)]
    return tuple(
        _pool(name, list(group), pods, plan, anchors)
        for name, group in groupby(found, key=lambda node: node.pool)
    )


def _pool(
    name: str, nodes: list[UserNodes], pods: list[UserPod], plan: Plan, anchors: Anchors
) -> Pool:
    node = next((item for item in nodes if not item.retiring), nodes[0])
    here = [pod for pod in pods if pod.node_selector.get(POOL_LABEL) == name]
    taints = {
        f"{taint['key']}={taint['value']}:{taint['effect']}"
        for item in nodes
        for taint in item.taints
    }
    markets = [_market(item, item.group, plan, anchors) for item in nodes if item.group is not None]
    return Pool(
        name=name,
        types=tuple(item.name for item in node.types),
        shape=shape(node.types[0]),
        room=f"{node.room.cpu_millicores / 1000:.2f} cores, {node.room.memory_mib / 1024:.1f} GiB",
        most_pods=node.most_pods,
        taints=tuple(sorted(taints)),
        markets=tuple(sorted(markets, key=_spot_first)),
        fits=tuple(_fit(pod, node) for pod in here),
        common=tuple(_common(node)),
    )


def _spot_first(market: Market) -> tuple[bool, bool, str]:
    return market.name.endswith("retiring"), market.name != "spot", market.link["name"]


def _market(node: UserNodes, group: Resource, plan: Plan, anchors: Anchors) -> Market:
    inputs = group.inputs
    distribution = inputs["mixedInstancesPolicy"]["instancesDistribution"]
    limit, hourly = distribution.get("spotMaxPrice"), plan.prices.node_hour(node.types[0].name)
    known = "no price known" if hourly is None else f"${hourly:.3f}"
    price = f"at most ${limit}" if limit else known
    return Market(
        name=("spot" if node.spot else "on demand") + (", retiring" if node.retiring else ""),
        size=f"{inputs['minSize']}–{inputs['maxSize']}",
        price=price if not node.spot or limit else f"at most {price}",
        link=anchors.link(group.urn),
    )


def _fit(pod: UserPod, node: UserNodes) -> Fit:
    count, ratio = users_per_node(pod, node), overcommitment(pod, node)
    return Fit(
        who=f"{pod.display_name} ({pod.hub})",
        count=count,
        overcommitted=f"{ratio:.1f} ×" if ratio else "–",
        picture=seats(count, pod.requests.get("memory", 0) / (node.room.memory_mib * _MIB)),
    )


def _common(node: UserNodes) -> Iterator[Fit]:
    """How many servers with a common guarantee fit, and what there is too little of for one
    more.
    """
    for cores, gib in _COMMON:
        count = users_per_node(_server(cores, gib), node)
        short = ["cores"] if (count + 1) * cores * 1000 > node.room.cpu_millicores else []
        short += ["memory"] if (count + 1) * gib * 1024 > node.room.memory_mib else []
        yield Fit(
            who=f"{_cores(cores)}, {gib:g} GiB",
            short_of=" and ".join(short)
            or f"pods: at most {node.most_pods} on a node, its own included",
            count=count,
        )


def _server(cores: float, gib: float) -> UserPod:
    """A sample server with these guarantees."""
    requests = {"cpu": cores, "memory": gib * _GIB}
    return UserPod(
        hub="",
        profile="",
        display_name="",
        node_selector={},
        tolerations=(),
        requests=requests,
        limits={},
        image="",
    )


def _cores(count: float) -> str:
    return f"{count:g} core" if count == 1 else f"{count:g} cores"


# --- The bill in pictures: a bar for each line, idle and at most. Words are HTML, so that they wrap.


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line of the bill: its amount, and a bar as long as its share of the largest."""

    what: str
    amount: float
    kind: str
    share: str


def dollars(value: object, digits: int = 2) -> str:
    """An amount of US dollars, or a question mark where it is unknown."""
    return "?" if value is None else f"${float(str(value)):,.{digits}f}"


def hourly(value: object) -> str:
    """The price of an hour in tenths of a cent; a dash where there is none."""
    return "–" if value is None else f"${float(str(value)):.3f}"


def bars(lines: Sequence[Mapping[str, Any]], key: str) -> tuple[Bar, ...]:
    """The lines with a cost, the most expensive first."""
    known = (line for line in lines if line[key])
    shown = sorted(known, key=lambda line: (-line[key], line["what"]))
    most = max((line[key] for line in shown), default=1)
    return tuple(
        Bar(
            what=line["what"],
            amount=line[key],
            kind="nodes" if line["unit"] == "node month" else "fixed",
            share=f"{max(100 * line[key] / most, 0.5):.4g}",
        )
        for line in shown
    )
