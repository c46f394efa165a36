"""The picture itself, by drawsvg. Colours are the page's: every mark has a class, none has a
colour of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import drawsvg

from jupyterhub_aws.plan.page.anchors import Anchors
from jupyterhub_aws.plan.page.topology.arrows import Arrow, arrows
from jupyterhub_aws.plan.page.topology.layout import TEXT, TITLE, WIDTH, Box, Canvas, arranged
from jupyterhub_aws.plan.page.topology.shape import Topology

_BADGE = 10
_QUOTE = {'"': "&quot;"}


class _Link(drawsvg.DrawingParentElement):  # type: ignore[misc]  # the library has no types
    """A group that leads to a place on the page."""

    TAG_NAME = "a"


def picture(scene: Topology, anchors: Anchors) -> str:
    """The SVG element, to stand inside the page."""
    canvas = arranged(scene)
    drawing = drawsvg.Drawing(
        WIDTH,
        round(canvas.y),
        id_prefix="topology",
        role="img",
        aria_labelledby="topology-title topology-words",
        class_="topology",
    )
    drawing.append(
        _named("title", f"How {scene.vpc.title} in {scene.region} is laid out", "topology-title")
    )
    drawing.append(_named("desc", " ".join(scene.steps), "topology-words"))
    for frame in sorted(
        canvas.frames,
        key=lambda item: ("region", "vpc", "zone", "public", "private").index(item.shape.kind),
    ):
        drawing.append(_frame(frame, anchors, canvas.vpc_right - 14))
    heads = {kind: _arrow_head(kind) for kind in ("way", "quiet")}
    drawn = list(arrows(canvas))
    for arrow in drawn:
        drawing.append(_line(arrow, heads["quiet" if arrow.kind in ("out", "control") else "way"]))
    for found in canvas.boxes.values():
        for box in found:
            drawing.append(_box(box, anchors))
    _badges(drawing, drawn, canvas)
    return str(drawing.as_svg(header=""))


def _named(tag: str, text: str, identity: str) -> drawsvg.Raw:
    return drawsvg.Raw(f'<{tag} id="{identity}">{escape(text)}</{tag}>\n')


def _arrow_head(kind: str) -> drawsvg.Marker:
    marker = drawsvg.Marker(
        -9, -5, 1, 5, scale=1, orient="auto", id=f"arrow-{kind}", markerUnits="userSpaceOnUse"
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
    group.append(
        drawsvg.Rectangle(
            frame.x,
            frame.y,
            frame.width,
            frame.height,
            rx=10 if frame.shape.kind in ("region", "vpc") else 7,
        )
    )
    centred = frame.shape.kind in ("zone", "public", "private")
    x = frame.x + frame.width / 2 if centred else label_right
    group.append(
        drawsvg.Text(frame.title, TEXT, x, frame.y + 18, text_anchor="middle" if centred else "end")
    )
    return linked(group, frame.shape.urn, anchors)


def _box(box: Box, anchors: Anchors) -> drawsvg.DrawingParentElement:
    group = drawsvg.Group(class_=f"box {box.shape.kind}")
    whole = drawsvg.Group(class_=f"node {box.shape.kind}")
    whole.append_title(box.shape.words)
    whole.append(drawsvg.Rectangle(box.x, box.y, box.width, box.height, rx=6))
    small = box.shape.kind in ("gateway", "mount")
    x, anchor = (box.x + box.width / 2, "middle") if small else (box.x + 10, "start")
    first = box.y + (box.height / 2 + TEXT * 0.36 if small else 22)
    whole.append(
        drawsvg.Text(
            box.title, TEXT if small else TITLE, x, first, class_="title", text_anchor=anchor
        )
    )
    for index, line in enumerate(box.lines):
        whole.append(
            drawsvg.Text(line, TEXT, box.x + 10, box.y + 22 + 17 * (index + 1), class_="line")
        )
    group.append(linked(whole, box.shape.urn, anchors))
    for part in box.parts:
        group.append(linked(_part(part), part.shape.urn, anchors))
    return group


def _part(part: Box) -> drawsvg.DrawingParentElement:
    group = drawsvg.Group(class_=f"part {part.shape.kind}")
    group.append_title(part.shape.words)
    group.append(drawsvg.Rectangle(part.x, part.y, part.width, part.height, rx=5))
    text = drawsvg.Text("", TEXT, part.x + 8, part.middle + TEXT * 0.36)
    text.append(drawsvg.TSpan(part.title, class_="title"))
    text.append(drawsvg.TSpan("  " + part.lines[0], class_="line", dx=6))
    group.append(text)
    return group


def _line(arrow: Arrow, head: drawsvg.Marker) -> drawsvg.Path:
    path = drawsvg.Path(class_=f"arrow {arrow.kind}", marker_end=head if arrow.head else None)
    path.M(*arrow.points[0])
    for x, y in arrow.points[1:]:
        path.L(x, y)
    return path


def _badges(drawing: drawsvg.Drawing, drawn: Sequence[Arrow], canvas: Canvas) -> None:
    """The number of each step, once, on the first of its arrows."""
    seen: set[str] = set()
    for arrow in drawn:
        number = canvas.scene.numbers.get(arrow.kind)
        if number is None or arrow.badge is None or arrow.kind in seen:
            continue
        seen.add(arrow.kind)
        x, y = arrow.badge
        group = drawsvg.Group(class_="badge")
        group.append(drawsvg.Circle(x, y, _BADGE))
        group.append(drawsvg.Text(str(number), TEXT, x, y + TEXT * 0.36, text_anchor="middle"))
        drawing.append(group)
