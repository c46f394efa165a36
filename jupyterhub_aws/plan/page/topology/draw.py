"""The picture itself, by drawsvg. Colours are the page's: every mark has a class, none has a
colour of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from xml.sax.saxutils import escape

import drawsvg

from jupyterhub_aws.plan.page.parts import Anchors
from jupyterhub_aws.plan.page.topology.elements import OPEN, Topology
from jupyterhub_aws.plan.page.topology.layout import (
    CHANNEL,
    TEXT,
    WIDTH,
    Box,
    Canvas,
    arranged,
)

# --- The lines of the picture. They run in lanes without other elements: between rows, beside
# the zones, inside a column's edge.


_LANE = 20

Point = tuple[float, float]


@dataclass(frozen=True)
class Arrow:
    """A line through points; `kind` is the step that it belongs to."""

    kind: str
    points: tuple[Point, ...]
    _: KW_ONLY
    head: bool = True
    badge: Point | None = None


def arrows(canvas: Canvas) -> Iterator[Arrow]:
    """Every line."""
    yield from _users(canvas)
    yield from _to_the_hub(canvas)
    yield from _signing_in(canvas)
    yield from _to_the_pools(canvas)
    yield from _to_the_homes(canvas)
    yield from _out(canvas)
    yield from _control(canvas)


def _users(canvas: Canvas) -> Iterator[Arrow]:
    entries = canvas.boxes.get("entry", [])
    if not entries:
        return
    (users,) = canvas.boxes["users"]
    x = users.x + CHANNEL
    badge = (x, users.bottom + 21)
    gateway = canvas.boxes.get("gateway")
    if gateway and canvas.scene.entries:
        yield Arrow("users", ((x, users.bottom), (x, gateway[0].y)), badge=badge)
        for entry in entries:
            lane = _channel(entry)
            yield Arrow("users", ((lane, gateway[0].bottom), (lane, entry.y)))
    else:
        under = [box for box in entries if box.x <= x <= box.right]
        straight = ((x, users.bottom), (x, entries[0].y))
        way = straight if under else _around(x, users.bottom, entries[0])
        yield Arrow("users", way, badge=(x, users.bottom + 13))


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
            yield Arrow("hub", ((x, entry.bottom), (x, under[0].y)), badge=(x, height))
            return


def _signing_in(canvas: Canvas) -> Iterator[Arrow]:
    """From users to where they sign in, and from there to the hub, beside the zones."""
    for place in canvas.boxes.get("signin", []):
        (users,) = canvas.boxes["users"]
        y = place.middle
        badge = ((place.right + users.x) / 2, y)
        yield Arrow("signin", ((users.x, y), (place.right, y)), badge=badge)
        for core in canvas.boxes.get("core", [])[:1]:
            lane, end = canvas.left - _LANE, core.y + 14
            yield Arrow("signin", ((place.x, y), (lane, y), (lane, end), (core.x, end)))


def _to_the_pools(canvas: Canvas) -> Iterator[Arrow]:
    core, pools = canvas.boxes.get("core", []), canvas.boxes.get("pool", [])
    if not core or not pools:
        return
    lane, start = canvas.left - _LANE, core[0].middle
    first = _outermost(pools, last=False)
    way: tuple[Point, ...] = ((core[0].x, start), (lane, start))
    for box in first:
        yield Arrow(
            "pool",
            (*way, (lane, box.middle), (box.x, box.middle)),
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
            yield Arrow(kind, ((left.right, left.middle), (right.x, left.middle)), head=False)


def _to_the_homes(canvas: Canvas) -> Iterator[Arrow]:
    pools = _outermost(canvas.boxes.get("pool", []), last=True)
    homes = canvas.boxes.get("homes", [])
    if not pools or not homes:
        return
    lane, target = canvas.zones_right + _LANE, homes[0]
    for box in pools[1:]:
        yield Arrow("homes", ((box.right, box.middle), (lane, box.middle)), head=False)
    first = pools[0]
    points = (
        (first.right, first.middle),
        (lane, first.middle),
        (lane, target.middle),
        (target.right, target.middle),
    )
    yield Arrow("homes", points, badge=(lane, target.y - 14))
    for mount in canvas.boxes.get("mount", []):
        x = mount.x + mount.width / 2
        yield Arrow("mount", ((x, mount.bottom), (x, target.y)), head=False)


def _out(canvas: Canvas) -> Iterator[Arrow]:
    gateway, nats = canvas.boxes.get("gateway"), canvas.boxes.get("nat", [])
    if not gateway or not nats:
        return
    private = canvas.marks["private"]
    bus = (canvas.marks["gap"] + private) / 2
    zones = range(len(canvas.scene.zones))
    by_zone = {index: sum(canvas.columns[index]) - CHANNEL for index in zones}
    for nat in nats:
        here = nat.shape.zones[0]
        served = sorted(by_zone[zone] for zone, through in canvas.scene.exits if through == here)
        end = by_zone[here]
        for x in served:
            below = nat.bottom if x == end else bus
            yield Arrow("out", ((x, private), (x, below)), head=x == end)
        if served and (served[0], served[-1]) != (end, end):
            left, right = min(served[0], end), max(served[-1], end)
            yield Arrow("out", ((left, bus), (right, bus)), head=False)
    for nat in nats:
        x = by_zone[nat.shape.zones[0]]
        yield Arrow("out", ((x, nat.y), (x, gateway[0].bottom)))
    (internet,) = canvas.boxes["internet"]
    x = internet.x + CHANNEL
    badge = (x, internet.bottom + 21)
    yield Arrow("out", ((x, gateway[0].y), (x, internet.bottom)), badge=badge)


def _control(canvas: Canvas) -> Iterator[Arrow]:
    for plane in canvas.boxes.get("control", []):
        y = plane.y + 22
        yield Arrow("control", ((plane.x, y), (canvas.zones_right - 8, y)), head=False)
        for operators in canvas.boxes.get("operators", []):
            x = operators.x + operators.width / 2
            yield Arrow("control", ((x, operators.bottom), (x, plane.y)))


_BADGE = 10
_QUOTE = {'"': "&quot;"}


#: What an SVG file needs and an element of a page does not: its names of namespaces, an empty list of
#: definitions, and zeros after a point.
_OF_A_FILE = re.compile(r' xmlns(?::xlink)?="[^"]*"|<defs>\s*</defs>\s*|(?<=>)\n+(?=<)')
_PLACES = re.compile(r' (?:[xy]|cx|cy|width|height|viewBox|d)="[^"]*"')
_ZEROS = re.compile(r"(?<=\d)\.0(?=\D)")


def embedded(drawing: drawsvg.Drawing) -> str:
    """A drawing as an element of a page."""
    svg = _OF_A_FILE.sub("", str(drawing.as_svg(header="")))
    return _PLACES.sub(lambda found: _ZEROS.sub("", found[0]), svg)


class _Link(drawsvg.DrawingParentElement):  # type: ignore[misc]  # the library has no types
    """A group that leads to a place on the page."""

    TAG_NAME = "a"


def picture(scene: Topology, anchors: Anchors) -> str:
    """The SVG element, to be put inside the page."""
    canvas = arranged(scene)
    drawing = drawsvg.Drawing(
        WIDTH,
        round(canvas.y),
        id_prefix="topology",
        role="group",
        aria_labelledby="topology-title topology-words",
        class_="topology wide-picture",
    )
    title = f"How {scene.vpc.title} in {scene.place} is laid out"
    drawing.append(named("title", title, "topology-title"))
    drawing.append(named("desc", " ".join(scene.steps), "topology-words"))
    order = ("region", "vpc", "zone", "public", "private")
    for frame in sorted(canvas.frames, key=lambda item: order.index(item.shape.kind)):
        drawing.append(_frame(frame, anchors, canvas.vpc_right - 14))
    heads = {kind: arrow_head("arrow", kind) for kind in ("way", "quiet")}
    drawn = list(arrows(canvas))
    for arrow in drawn:
        drawing.append(
            line_drawn(arrow, heads["quiet" if arrow.kind in ("out", "control") else "way"])
        )
    for found in canvas.boxes.values():
        for box in found:
            drawing.append(box_drawn(box, anchors))
    badges(drawing, drawn, canvas.scene.numbers)
    return embedded(drawing)


def named(tag: str, text: str, identity: str) -> drawsvg.Raw:
    """An element with words: attributes of the library are not escaped, its own text is not HTML."""
    return drawsvg.Raw(f'<{tag} id="{identity}">{escape(text)}</{tag}>\n')


def arrow_head(picture: str, kind: str) -> drawsvg.Marker:
    """The head of an arrow, by the picture's name and the kind of arrow."""
    marker = drawsvg.Marker(
        -9, -5, 1, 5, scale=1, orient="auto", id=f"{picture}-{kind}", markerUnits="userSpaceOnUse"
    )
    marker.append(drawsvg.Path("M-9,-4.5 L0,0 L-9,4.5 Z", class_=f"head {kind}"))
    return marker


def linked(
    element: drawsvg.DrawingParentElement, urn: str | None, anchors: Anchors
) -> drawsvg.DrawingParentElement:
    """An element that leads to its resource on the page, where it has one."""
    target = anchors.link(urn)["anchor"] if urn else ""
    if not target:
        return element
    link = _Link(href=f"#{escape(target, _QUOTE)}")
    link.append(element)
    return link


def _frame(frame: Box, anchors: Anchors, label_right: float) -> drawsvg.DrawingParentElement:
    group = drawsvg.Group(class_=f"frame {frame.shape.kind}")
    round_ = 10 if frame.shape.kind in ("region", "vpc") else 7
    group.append(drawsvg.Rectangle(frame.x, frame.y, frame.width, frame.height, rx=round_))
    centred = frame.shape.kind in ("zone", "public", "private")
    aside = (
        CHANNEL / 3 if frame.shape.kind in ("public", "private") else 0
    )  # arrows run on the left
    x = frame.x + frame.width / 2 + aside if centred else label_right
    anchor = "middle" if centred else "end"
    group.append(drawsvg.Text(frame.title, None, x, frame.y + 18, text_anchor=anchor))
    return linked(group, frame.shape.urn, anchors)


def box_drawn(box: Box, anchors: Anchors) -> drawsvg.DrawingParentElement:
    """A box with its words and parts, each a link to its resource."""
    group = drawsvg.Group(class_=f"box {box.shape.kind}")
    world = " world" if box.shape.world else ""
    whole = drawsvg.Group(class_=f"node {box.shape.kind}{world}")
    whole.append_title(box.shape.words)
    whole.append(drawsvg.Rectangle(box.x, box.y, box.width, box.height, rx=6))
    small = box.shape.kind in ("gateway", "mount")
    x, anchor = (box.x + box.width / 2, "middle") if small else (box.x + 10, None)
    first = box.y + (box.height / 2 + TEXT * 0.36 if small else 22)
    whole.append(drawsvg.Text(box.title, None, x, first, class_="title", text_anchor=anchor))
    for number, line in enumerate(box.lines, 1):
        y = box.y + 22 + 17 * number
        kind = "alarm" if world and line.startswith(OPEN[0]) else "line"
        whole.append(drawsvg.Text(line, None, box.x + 10, y, class_=kind))
    group.append(linked(whole, box.shape.urn, anchors))
    for part in box.parts:
        group.append(linked(_part(part), part.shape.urn, anchors))
    return group


def _part(part: Box) -> drawsvg.DrawingParentElement:
    group = drawsvg.Group(class_=f"part {part.shape.kind}")
    group.append_title(part.shape.words)
    group.append(drawsvg.Rectangle(part.x, part.y, part.width, part.height, rx=5))
    text = drawsvg.Text("", None, part.x + 8, part.middle + TEXT * 0.36)
    text.append(drawsvg.TSpan(part.title, class_="title"))
    text.append(drawsvg.TSpan("  " + part.lines[0], class_="line", dx=6))
    group.append(text)
    return group


def line_drawn(arrow: Arrow, head: drawsvg.Marker) -> drawsvg.Path:
    """The line of an arrow."""
    path = drawsvg.Path(class_=f"arrow {arrow.kind}", marker_end=head if arrow.head else None)
    path.M(*arrow.points[0])
    for x, y in arrow.points[1:]:
        path.L(x, y)
    return path


def badges(drawing: drawsvg.Drawing, drawn: Sequence[Arrow], numbers: Mapping[str, int]) -> None:
    """The number of each step, once, on the first of its arrows."""
    seen: set[str] = set()
    for arrow in drawn:
        number = numbers.get(arrow.kind)
        if number is None or arrow.badge is None or arrow.kind in seen:
            continue
        seen.add(arrow.kind)
        x, y = arrow.badge
        group = drawsvg.Group(class_="badge")
        group.append(drawsvg.Circle(x, y, _BADGE))
        group.append(drawsvg.Text(str(number), None, x, y + TEXT * 0.36, text_anchor="middle"))
        drawing.append(group)
