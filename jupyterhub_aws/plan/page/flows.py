"""The picture of every permitted flow: a row for each, from whoever begins to whoever answers.
Colours are the page's.
"""

from __future__ import annotations

from collections.abc import Sequence

import drawsvg

from jupyterhub_aws.plan.page.anchors import Anchors
from jupyterhub_aws.plan.page.closed import Flow
from jupyterhub_aws.plan.page.text import fitted
from jupyterhub_aws.plan.page.topology.draw import linked

_WIDTH, _ROW, _BOX = 1160, 40, 28
_LEFT, _RIGHT, _SIDE = 8, 700, 450
_TEXT = 12.0
_HEADINGS = {
    "groups": "What security groups permit",
    "policies": "What network policies leave to pods, inside that",
}


def flows_picture(flows: Sequence[Flow], anchors: Anchors) -> str:
    """The SVG element, to stand inside the page. One source stands once, beside all that it may
    reach.
    """
    levels = [(level, [flow for flow in flows if flow.level == level]) for level in _HEADINGS]
    height = sum(_ROW * (len(found) + 1) for _, found in levels if found)
    drawing = drawsvg.Drawing(
        _WIDTH,
        height,
        id_prefix="flows",
        role="img",
        aria_label="Every permitted flow",
        class_="topology",
    )
    head = drawsvg.Marker(
        -9, -5, 1, 5, scale=1, orient="auto", id="flow-head", markerUnits="userSpaceOnUse"
    )
    head.append(drawsvg.Path("M-9,-4.5 L0,0 L-9,4.5 Z", class_="head way"))
    y = 0.0
    for level, found in levels:
        if not found:
            continue
        drawing.append(drawsvg.Text(_HEADINGS[level], _TEXT + 2, _LEFT, y + 24, class_="title"))
        y += _ROW
        for index, flow in enumerate(found):
            above = _above(found, index)
            drawing.append(linked(_row(flow, y, head, above=above), flow.urn, anchors))
            y += _ROW
    return str(drawing.as_svg(header=""))


def _above(found: Sequence[Flow], index: int) -> int:
    """How many rows above a flow its source's box stands."""
    rows = 0
    while rows < index and found[index - rows - 1].source == found[index].source:
        rows += 1
    return rows


def _row(flow: Flow, y: float, head: drawsvg.Marker, *, above: int) -> drawsvg.Group:
    group = drawsvg.Group()
    middle = y + _BOX / 2
    start = _LEFT + _SIDE if not above else _LEFT + _SIDE / 2
    if above:  # down from the box above, or from the last line that came from it
        begin = y - (_ROW - _BOX) if above == 1 else middle - _ROW
        group.append(
            drawsvg.Path(class_="arrow", marker_end=head)
            .M(start, begin)
            .L(start, middle)
            .L(_RIGHT - 2, middle)
        )
    else:
        group.append(_box(flow.source, _LEFT, y, "core"))
        group.append(
            drawsvg.Path(class_="arrow", marker_end=head).M(start, middle).L(_RIGHT - 2, middle)
        )
    group.append(_box(flow.target, _RIGHT, y, "homes" if flow.level == "policies" else "entry"))
    x = _LEFT + _SIDE + 12
    label = drawsvg.Text(
        fitted(flow.ports, _RIGHT - x - 24, _TEXT), _TEXT, x, middle - 5, class_="line"
    )
    group.append(label)
    return group


def _box(words: str, x: float, y: float, kind: str) -> drawsvg.Group:
    group = drawsvg.Group(class_=f"node {kind}")
    group.append_title(words)
    group.append(drawsvg.Rectangle(x, y, _SIDE, _BOX, rx=6))
    group.append(
        drawsvg.Text(
            fitted(words, _SIDE - 20, _TEXT),
            _TEXT,
            x + 10,
            y + _BOX / 2 + _TEXT * 0.36,
            class_="title",
        )
    )
    return group
