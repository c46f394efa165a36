"""The lines of the picture. They run in lanes that nothing else stands in: between rows, beside
the zones, inside a column's edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jupyterhub_aws.plan.page.topology.layout import CHANNEL, Box, Canvas

_LANE = 20

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """A line through points; `kind` is the step that it belongs to."""

    kind: str
    points: tuple[Point, ...]
    head: bool = True
    badge: Point | None = None


def arrows(canvas: Canvas) -> Iterator[Arrow]:
    """Every line."""
    yield from _people(canvas)
    yield from _to_the_hub(canvas)
    yield from _to_the_pools(canvas)
    yield from _to_the_homes(canvas)
    yield from _out(canvas)
    yield from _control(canvas)


def _people(canvas: Canvas) -> Iterator[Arrow]:
    entries = canvas.boxes.get("entry", [])
    if not entries:
        return
    (people,) = canvas.boxes["people"]
    x = canvas.left + CHANNEL
    badge = (x, people.bottom + 21)
    gateway = canvas.boxes.get("gateway")
    if gateway and canvas.scene.entries:
        yield Arrow(kind="people", points=((x, people.bottom), (x, gateway[0].y)), badge=badge)
        for entry in entries:
            yield Arrow(
                kind="people",
                points=((_channel(entry), gateway[0].bottom), (_channel(entry), entry.y)),
            )
    else:
        first = entries[0]
        yield Arrow(
            kind="people",
            points=(
                ((x, people.bottom), (x, first.y))
                if first.x < x
                else _around(x, people.bottom, first)
            ),
            badge=badge,
        )


def _around(x: float, y: float, target: Box) -> tuple[Point, ...]:
    return ((x, y), (x, y + 26), (_channel(target), y + 26), (_channel(target), target.y))


def _channel(box: Box) -> float:
    return box.x - 16 + CHANNEL


def _to_the_hub(canvas: Canvas) -> Iterator[Arrow]:
    entries, core = canvas.boxes.get("entry", []), canvas.boxes.get("core", [])
    for entry in entries:
        x = _channel(entry)
        under = [box for box in core if box.x <= x <= box.right]
        if under:
            height = (
                canvas.marks["gap"] + 20
                if canvas.scene.entries
                else (entry.bottom + under[0].y) / 2
            )
            yield Arrow(kind="hub", points=((x, entry.bottom), (x, under[0].y)), badge=(x, height))
            return


def _to_the_pools(canvas: Canvas) -> Iterator[Arrow]:
    core, pools = canvas.boxes.get("core", []), canvas.boxes.get("pool", [])
    if not core or not pools:
        return
    lane, start = canvas.left - _LANE, core[0].middle
    first = _outermost(pools, last=False)
    way: tuple[Point, ...] = ((core[0].x, start), (lane, start))
    for box in first:
        yield Arrow(
            kind="pool",
            points=(*way, (lane, box.middle), (box.x, box.middle)),
            badge=(lane, (start + first[0].middle) / 2),
        )
        way = ((lane, box.middle),)
    yield from _siblings(pools, "pool")


def _outermost(boxes: list[Box], *, last: bool) -> list[Box]:
    """The first or the last box of each row."""
    rows: dict[float, Box] = {}
    for box in sorted(boxes, key=lambda item: -item.x if last else item.x):
        rows.setdefault(box.y, box)
    return [rows[y] for y in sorted(rows)]


def _siblings(boxes: list[Box], kind: str) -> Iterator[Arrow]:
    """A short line between the boxes of one pool in neighbouring zones."""
    for left in boxes:
        after = [box for box in boxes if box.y == left.y and box.x > left.x]
        if after:
            right = min(after, key=lambda box: box.x)
            yield Arrow(
                kind=kind, points=((left.right, left.middle), (right.x, left.middle)), head=False
            )


def _to_the_homes(canvas: Canvas) -> Iterator[Arrow]:
    pools, homes = (
        _outermost(canvas.boxes.get("pool", []), last=True),
        canvas.boxes.get("homes", []),
    )
    if not pools or not homes:
        return
    lane, target = canvas.zones_right + _LANE, homes[0]
    for box in pools[1:]:
        yield Arrow(kind="homes", points=((box.right, box.middle), (lane, box.middle)), head=False)
    first = pools[0]
    points = (
        (first.right, first.middle),
        (lane, first.middle),
        (lane, target.middle),
        (target.right, target.middle),
    )
    yield Arrow(kind="homes", points=points, badge=(lane, target.y - 14))
    for mount in canvas.boxes.get("mount", []):
        x = mount.x + mount.width / 2
        yield Arrow(kind="door", points=((x, mount.bottom), (x, target.y)), head=False)


def _out(canvas: Canvas) -> Iterator[Arrow]:
    gateway, nats = canvas.boxes.get("gateway"), canvas.boxes.get("nat", [])
    if not gateway or not nats:
        return
    private = canvas.marks["private"]
    bus = (canvas.marks["gap"] + private) / 2
    by_zone = {
        index: canvas.edge(index) + canvas.column - CHANNEL
        for index in range(len(canvas.scene.zones))
    }
    for nat in nats:
        served = sorted(
            by_zone[zone] for zone, through in canvas.scene.exits if through == nat.shape.zones[0]
        )
        end = by_zone[nat.shape.zones[0]]
        for x in served:
            yield Arrow(
                kind="out",
                points=((x, private), (x, bus if x != end else nat.bottom)),
                head=x == end,
            )
        if served and (served[0], served[-1]) != (end, end):
            yield Arrow(
                kind="out",
                points=((min(served[0], end), bus), (max(served[-1], end), bus)),
                head=False,
            )
    for nat in nats:
        x = by_zone[nat.shape.zones[0]]
        yield Arrow(kind="out", points=((x, nat.y), (x, gateway[0].bottom)))
    (internet,) = canvas.boxes["internet"]
    x = internet.x + CHANNEL
    yield Arrow(
        kind="out",
        points=((x, gateway[0].y), (x, internet.bottom)),
        badge=(x, internet.bottom + 21),
    )


def _control(canvas: Canvas) -> Iterator[Arrow]:
    for plane in canvas.boxes.get("control", []):
        y = plane.y + 22
        yield Arrow(kind="control", points=((plane.x, y), (canvas.zones_right - 8, y)), head=False)
        for operators in canvas.boxes.get("operators", []):
            x = operators.x + operators.width / 2
            yield Arrow(kind="control", points=((x, operators.bottom), (x, plane.y)))
