"""The same picture for a phone: from top to bottom, zones in words, the same boxes and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import drawsvg

from jupyterhub_aws.plan.page.parts import Anchors
from jupyterhub_aws.plan.page.topology.draw import (
    Arrow,
    arrow_head,
    badges,
    box_drawn,
    embedded,
    line_drawn,
    named,
)
from jupyterhub_aws.plan.page.topology.elements import Element, Topology
from jupyterhub_aws.plan.page.topology.layout import Box, box

_WIDTH, _GAP, _DOWN = 340.0, 12.0, 40.0
_X = 14.0


def tall_picture(scene: Topology, anchors: Anchors) -> str:
    """The SVG element, to be put inside the page."""
    placed: list[Box] = []
    drawn: list[Arrow] = []
    above: list[Box] = []
    y = 2.0
    for kind, row in _rows(scene):
        count = len(row)
        y += 0.0 if not placed else _GAP if kind in ("", "beside") else _DOWN
        wide = (_WIDTH - 2 * _X - _GAP * (count - 1)) / count
        boxes = [box(shape, _X + at * (wide + _GAP), y, wide) for at, shape in enumerate(row)]
        height = max(item.height for item in boxes)
        boxes = [replace(item, height=height) for item in boxes]
        placed += boxes
        drawn += _down(kind, above, boxes)
        above = boxes
        y += height
    canvas = drawsvg.Drawing(
        _WIDTH,
        round(y + 2),
        id_prefix="tall",
        role="group",
        aria_labelledby="tall-title",
        class_="topology tall",
    )
    title = f"How {scene.vpc.title} in {scene.place} is laid out, from top to bottom"
    canvas.append(named("title", title, "tall-title"))
    head = arrow_head("tall", "way")
    for arrow in drawn:
        canvas.append(line_drawn(arrow, head))
    for item in placed:
        canvas.append(box_drawn(item, anchors))
    badges(canvas, drawn, scene.numbers)
    return embedded(canvas)


def _rows(scene: Topology) -> Iterator[tuple[str, list[Element]]]:
    """Rows from the users down; the kind is the step that leads to it from the row above."""
    yield "", [scene.users]
    entries = _once((*scene.entries, *scene.entries_inside), scene)
    beside = [*([scene.sign_in] if scene.sign_in else []), *entries[:1]]
    if beside:
        yield "users", beside
    for shape in _once(scene.core, scene)[:1]:
        yield "hub", [shape]
    pools = [shape for row in scene.pools for shape in _once(row, scene)]
    for index, shape in enumerate(pools):
        yield "" if index else "pool", [shape]
    for index, shape in enumerate(scene.homes):
        yield "" if index else "homes", [shape]
    others = [
        *_once(scene.databases, scene),
        *([scene.control] if scene.control else []),
        *_once(scene.nats, scene),
    ]
    for shape in others:
        yield "beside", [shape]


def _once(row: tuple[Element, ...], scene: Topology) -> list[Element]:
    """Boxes that say the same in several zones as one that names the zones."""
    found: dict[tuple[str, tuple[str, ...]], list[Element]] = {}
    for shape in row:
        found.setdefault((shape.title, shape.lines), []).append(shape)
    return [
        replace(same[0], lines=(*same[0].lines, _zones(same, scene))) for same in found.values()
    ]


def _zones(shapes: list[Element], scene: Topology) -> str:
    zones = sorted({zone for shape in shapes for zone in shape.zones})
    return "in " + ", ".join(scene.zones[zone] for zone in zones) if zones else "in every zone"


def _down(kind: str, above: list[Box], boxes: list[Box]) -> Iterator[Arrow]:
    """Arrows from the row above: to each box, or from each."""
    if kind in ("", "beside"):
        return
    for target in boxes:
        for source in above:
            one = target if target.width < source.width else source
            x = one.x + one.width / 2
            step = _step(kind, source, target)
            points = ((x, source.bottom), (x, target.y))
            yield Arrow(step, points, badge=(x, (source.bottom + target.y) / 2))


def _step(kind: str, source: Box, target: Box) -> str:
    return "signin" if "signin" in (source.shape.kind, target.shape.kind) else kind
