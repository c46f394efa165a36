"""Draws docs/diagrams/*.svg from the sources beside them, and the picture of the import layers from
the contract in pyproject.toml.

    python -m scripts.diagrams

A source is a YAML file: `title`, `alt` (the text for readers who do not see the picture; pages that
show it repeat it), `items` from top to bottom, and `edges`.

    items:
      - {id: browser, text: Browser, note: of a user, kind: outside}
      - row: [{id: a, text: A}, {id: b, text: B}]      # side by side
      - {id: vpc, group: The VPC, items: [...]}        # a frame around items
    edges:
      - browser -> a: HTTPS                            # straight, or with one corner
      - a ..> b: sometimes                             # dashed
      - {from: b, to: browser, along: right, text: answers}   # along a margin

A picture is 400 units wide, so that its text can be read on a telephone; it brings its own
background, so that it can be read on any page; and it follows the reader's choice of light or
dark (`prefers-color-scheme`) without a script.
"""

from __future__ import annotations

import itertools
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import drawsvg
from ruamel.yaml import YAML

from jupyterhub_aws.plan.page.text import width as text_width
from jupyterhub_aws.plan.page.text import wrapped

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "diagrams"

#: Units. A page of 390 pixels shows a picture at about nine tenths of this.
WIDTH, MARGIN, GUTTER = 400, 12, 22
_PAD, _GAP, _GAP_LABEL, _BETWEEN = 9, 16, 32, 16
_TITLE, _NOTE, _LABEL = 13.5, 12, 11.5
_LEAD = 1.28
#: The estimate of `text_width` is for the widest face; this one asks for narrower ones.
_FACE = 0.96
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
_STYLE = f"""
text {{ font-family: {_FONT}; fill: #1b2733; }}
.card {{ fill: #ffffff; stroke: #c5ced8; }}
.group {{ fill: #f3f6f9; stroke: #8b9aa9; stroke-dasharray: 5 3; }}
.box {{ fill: #e3edfb; stroke: #3d6fb4; }}
.outside {{ fill: #eceff2; stroke: #66727e; }}
.data {{ fill: #e2f3e6; stroke: #2f7d46; }}
.guard {{ fill: #fdf0d5; stroke: #9a6a00; }}
.note {{ fill: #43515e; }}
.edge {{ stroke: #43515e; fill: none; }}
.tip {{ fill: #43515e; }}
.behind {{ fill: #ffffff; }}
.frame {{ fill: #f3f6f9; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e8edf2; }}
.card {{ fill: #151b22; stroke: #3a4754; }}
.group {{ fill: #1d252e; stroke: #6f7f8e; }}
.box {{ fill: #1f3350; stroke: #6fa0e6; }}
.outside {{ fill: #2a323a; stroke: #93a1ae; }}
.data {{ fill: #1a3a25; stroke: #5fbb7c; }}
.guard {{ fill: #43330e; stroke: #d6a53a; }}
.note {{ fill: #b9c5d0; }}
.edge {{ stroke: #b9c5d0; }}
.tip {{ fill: #b9c5d0; }}
.behind {{ fill: #151b22; }}
.frame {{ fill: #1d252e; }}
}}
"""
KINDS = ("box", "outside", "data", "guard")


class NotDrawableError(ValueError):
    """A source that says what cannot be drawn."""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An arrow; `along` a margin where boxes are in the way."""

    source: str
    target: str
    text: str = ""
    dashed: bool = False
    along: str = ""


@dataclass(kw_only=True)
class Item:
    """A box, a row of items or a frame around items; placed by `_place`."""

    id: str = ""
    kind: str = "box"
    text: str = ""
    note: str = ""
    inner: list[Item] = field(default_factory=list)
    x: float = 0
    y: float = 0
    w: float = 0
    h: float = 0
    title_lines: list[str] = field(default_factory=list)
    note_lines: list[str] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """Where it is centred."""
        return self.x + self.w / 2

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.h

    def parts(self) -> Iterator[Item]:
        """The item itself and all within."""
        yield self
        for item in self.inner:
            yield from item.parts()


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """What one source says."""

    title: str
    alt: str
    items: list[Item]
    edges: list[Edge]


def _item(data: Mapping[str, Any]) -> Item:
    if "row" in data:
        return Item(kind="row", inner=[_item(each) for each in data["row"]])
    if "group" in data:
        inner = [_item(each) for each in data["items"]]
        return Item(kind="group", id=data.get("id", ""), text=data["group"], inner=inner)
    kind = data.get("kind", "box")
    if kind not in KINDS:
        raise NotDrawableError(f"{data['id']}: no kind {kind!r}; write one of {', '.join(KINDS)}")
    return Item(kind=kind, id=data["id"], text=data["text"], note=data.get("note", ""))


def _edge(data: str | Mapping[str, str]) -> Edge:
    if isinstance(data, Mapping) and "from" in data:
        return Edge(
            source=data["from"],
            target=data["to"],
            text=data.get("text", ""),
            dashed=bool(data.get("dashed", False)),
            along=data.get("along", ""),
        )
    ends, text = (data, "") if isinstance(data, str) else next(iter(data.items()))
    arrow = next((each for each in (" -> ", " ..> ") if each in ends), None)
    if arrow is None:
        raise NotDrawableError(f"{ends!r} is no edge; write `a -> b` or `a ..> b`")
    source, target = ends.split(arrow)
    return Edge(
        source=source.strip(), target=target.strip(), text=text or "", dashed=arrow == " ..> "
    )


def parsed(text: str) -> Diagram:
    """A source as a diagram; refuses an edge to an id that no item has."""
    data = YAML(typ="safe").load(text)
    items = [_item(each) for each in data["items"]]
    edges = [_edge(each) for each in data.get("edges", ())]
    ids = [item.id for top in items for item in top.parts() if item.id]
    for end in itertools.chain.from_iterable((edge.source, edge.target) for edge in edges):
        if end not in ids:
            raise NotDrawableError(f"no item has the id {end!r}; there are {', '.join(ids)}")
    if len(ids) != len(set(ids)):
        raise NotDrawableError(f"two items have one id: {', '.join(ids)}")
    return Diagram(title=data["title"], alt=data["alt"], items=items, edges=edges)


def layers() -> Diagram:
    """The import contract of pyproject.toml, from top to bottom."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = tools["importlinter"]["contracts"]
    order = next(each for each in contracts if each["type"] == "layers")["layers"]
    without = next(each for each in contracts if each["type"] == "forbidden")
    barred = {each.rpartition(".")[2] for each in without["source_modules"]}
    items: list[Item] = [
        Item(id="main", kind="outside", text="__main__.py", note="the program of a project")
    ]
    for number, level in enumerate(order):
        row = [
            Item(
                id=each,
                kind="guard" if each in barred else "box",
                text=each,
                note="without Pulumi" if each in barred else "",
            )
            for each in (name.strip() for name in level.split(":"))
        ]
        # Four in a row at most: names have to be readable.
        rows = [Item(kind="row", inner=row[at : at + 4]) for at in range(0, len(row), 4)]
        if len(row) > 1:
            items.append(Item(kind="group", id=f"level-{number}", inner=rows))
        else:
            row[0].id = f"level-{number}"
            items.append(row[0])
    names = ["main", *(f"level-{number}" for number in range(len(order)))]
    edges = [Edge(source=a, target=b) for a, b in itertools.pairwise(names)]
    said = ", then ".join(
        " and ".join(part.strip() for part in level.split(":")) if level.count(":") < 2
        else ", ".join(part.strip() for part in level.split(":"))
        for level in order
    )  # fmt: skip
    return Diagram(
        title="Layers of the package jupyterhub_aws",
        alt=f"Imports go only downwards. From top to bottom: __main__.py, then {said}."
        f" {', '.join(sorted(barred))} do not import Pulumi.",
        items=items,
        edges=edges,
    )


# --- Places


def _place(item: Item, x: float, y: float, w: float, labels: Sequence[Edge]) -> None:
    item.x, item.y, item.w = x, y, w
    if item.kind == "row":
        each = (w - _BETWEEN * (len(item.inner) - 1)) / len(item.inner)
        for index, inner in enumerate(item.inner):
            _place(inner, x + index * (each + _BETWEEN), y, each, labels)
        item.h = max(inner.h for inner in item.inner)
        for inner in item.inner:
            inner.h = item.h
    elif item.kind == "group":
        item.title_lines = wrapped(item.text, (w - 2 * _PAD) / _FACE, _TITLE, 3)
        top = y + _PAD + (len(item.title_lines) * _TITLE * _LEAD + 7 if item.text else 0)
        item.h = _column(item.inner, (x + _PAD, top, w - 2 * _PAD), labels) - y + _PAD
    else:
        room = (w - 2 * _PAD) / _FACE
        item.title_lines = wrapped(item.text, room / 1.1, _TITLE, 4)
        item.note_lines = wrapped(item.note, room, _NOTE, 8) if item.note else []
        item.h = (
            2 * _PAD
            + len(item.title_lines) * _TITLE * _LEAD
            + len(item.note_lines) * _NOTE * _LEAD
            - 3
        )


def _column(
    items: Sequence[Item], room: tuple[float, float, float], labels: Sequence[Edge]
) -> float:
    """Places items from top to bottom; returns where the last one ends."""
    x, y, w = room
    for index, item in enumerate(items):
        _place(item, x, y, w, labels)
        y = item.bottom
        if index + 1 < len(items):
            above = {each.id for each in item.parts()}
            below = {each.id for each in items[index + 1].parts()}
            between = [
                edge
                for edge in labels
                if not edge.along
                and (
                    (edge.source in above and edge.target in below)
                    or (edge.source in below and edge.target in above)
                )
            ]
            lines = 1 if any(edge.text for edge in between) else 0
            y += _GAP_LABEL if lines else (_GAP + 4 if between else _GAP - 4)
    return y


# --- Drawing


def _text(drawing: drawsvg.Drawing, lines: Sequence[str], size: float, at: tuple[float, float], **more: Any) -> float:  # fmt: skip
    x, y = at
    for line in lines:
        y += size * _LEAD
        drawing.append(drawsvg.Text(line, size, round(x, 1), round(y - size * 0.3, 1), **more))
    return y


def _box(drawing: drawsvg.Drawing, item: Item) -> None:
    if item.kind != "row":
        drawing.append(
            drawsvg.Rectangle(
                round(item.x, 1), round(item.y, 1), round(item.w, 1), round(item.h, 1),
                rx=6, class_=item.kind,
            )
        )  # fmt: skip
        if item.kind != "group":
            at = (item.middle, item.y + _PAD - 2)
            y = _text(
                drawing, item.title_lines, _TITLE, at, font_weight="bold", text_anchor="middle"
            )
            _text(
                drawing, item.note_lines, _NOTE, (item.middle, y), text_anchor="middle",
                class_="note",
            )  # fmt: skip
    for inner in item.inner:
        _box(drawing, inner)


def _frame_title(drawing: drawsvg.Drawing, item: Item) -> None:
    """After the arrows: an arrow into a frame passes behind its title."""
    if item.kind == "group" and item.title_lines:
        wide = max(text_width(line, _TITLE, bold=True) for line in item.title_lines) * _FACE
        high = len(item.title_lines) * _TITLE * _LEAD
        x, y = item.x + _PAD, item.y + _PAD - 3
        drawing.append(
            drawsvg.Rectangle(
                round(x - 3, 1), round(y + 2, 1), round(wide, 1), round(high - 1, 1),
                class_="frame",
            )
        )  # fmt: skip
        _text(drawing, item.title_lines, _TITLE, (x, y), font_weight="bold")
    for inner in item.inner:
        _frame_title(drawing, inner)


def _route(edge: Edge, a: Item, b: Item) -> list[tuple[float, float]]:
    """The corners of an arrow, from its start to its tip."""
    if edge.along:
        outer = MARGIN / 2 + 4 if edge.along == "left" else WIDTH - MARGIN / 2 - 4
        ax, bx = (a.x, b.x) if edge.along == "left" else (a.x + a.w, b.x + b.w)
        ay, by = a.y + a.h / 2, b.y + b.h / 2
        return [(ax, ay), (outer, ay), (outer, by), (bx, by)]
    if a.bottom <= b.y or b.bottom <= a.y:
        start, tip = (a.bottom, b.y) if a.bottom <= b.y else (a.y, b.bottom)
        low, high = max(a.x, b.x), min(a.x + a.w, b.x + b.w)
        if high - low >= 2 * _PAD:
            x = (low + high) / 2
            return [(x, start), (x, tip)]
        half = (start + tip) / 2
        return [(a.middle, start), (a.middle, half), (b.middle, half), (b.middle, tip)]
    y = (max(a.y, b.y) + min(a.bottom, b.bottom)) / 2
    return [(a.x + a.w, y), (b.x, y)] if a.x < b.x else [(a.x, y), (b.x + b.w, y)]


def _arrow(drawing: drawsvg.Drawing, edge: Edge, corners: Sequence[tuple[float, float]]) -> None:
    (px, py), (x, y) = corners[-2], corners[-1]
    across = 1 if x > px else -1 if x < px else 0
    down = 0 if across else (1 if y > py else -1)
    end = (x - across * 6, y - down * 6)
    flat = [round(value, 1) for point in (*corners[:-1], end) for value in point]
    dash = {"stroke_dasharray": "4 3"} if edge.dashed else {}
    drawing.append(drawsvg.Lines(*flat, class_="edge", stroke_width=1.4, **dash))
    tip = [x, y, x - across * 7 - down * 4, y - down * 7 - across * 4, x - across * 7 + down * 4,
           y - down * 7 + across * 4]  # fmt: skip
    drawing.append(drawsvg.Lines(*(round(each, 1) for each in tip), close=True, class_="tip"))


def _label(drawing: drawsvg.Drawing, edge: Edge, at: tuple[float, float], within: str) -> None:
    cx, cy = at
    wide = text_width(edge.text, _LABEL) * _FACE + 6
    left = min(max(cx - wide / 2, MARGIN), WIDTH - MARGIN - wide)
    drawing.append(
        drawsvg.Rectangle(
            round(left, 1), round(cy - 9, 1), round(wide, 1), 16,
            class_="frame" if within else "behind",
        )
    )  # fmt: skip
    drawing.append(
        drawsvg.Text(
            edge.text, _LABEL, round(left + wide / 2, 1), round(cy + 3.2, 1),
            text_anchor="middle", class_="note",
        )
    )  # fmt: skip


def _gap(items: Sequence[Item], edge: Edge, within: str = "") -> tuple[float, str] | None:
    """The height of the gap that an arrow crosses, and the frame in which that gap is."""
    ends: list[Item] = []
    for item in items:
        ids = {each.id for each in item.parts()}
        if edge.source in ids and edge.target in ids:
            if item.kind == "row":
                return next(
                    (found for each in item.inner if (found := _gap([each], edge, within))), None
                )
            return _gap(item.inner, edge, "group")
        if edge.source in ids or edge.target in ids:
            ends.append(item)
    if len(ends) != 2:
        return None
    return (ends[0].bottom + ends[1].y) / 2, within


def drawn(diagram: Diagram) -> str:
    """The picture as SVG."""
    left = MARGIN + (GUTTER if any(edge.along == "left" for edge in diagram.edges) else 0)
    right = MARGIN + (GUTTER if any(edge.along == "right" for edge in diagram.edges) else 0)
    height = _column(diagram.items, (left, MARGIN, WIDTH - left - right), diagram.edges) + MARGIN
    drawing = drawsvg.Drawing(WIDTH, round(height), role="img", aria_labelledby="title desc")
    drawing.set_render_size(round(WIDTH * 1.2), round(height * 1.2))
    drawing.append_css(_STYLE)
    drawing.append(drawsvg.Raw(f'<title id="title">{_escaped(diagram.title)}</title>'))
    drawing.append(drawsvg.Raw(f'<desc id="desc">{_escaped(diagram.alt)}</desc>'))
    drawing.append(drawsvg.Rectangle(0.5, 0.5, WIDTH - 1, round(height) - 1, rx=8, class_="card"))
    by_id = {item.id: item for top in diagram.items for item in top.parts() if item.id}
    for item in diagram.items:
        _box(drawing, item)
    routes = {edge: _route(edge, by_id[edge.source], by_id[edge.target]) for edge in diagram.edges}
    for edge, corners in routes.items():
        _arrow(drawing, edge, corners)
    for item in diagram.items:
        _frame_title(drawing, item)
    for edge, corners in routes.items():
        if edge.text:
            gap = _gap(diagram.items, edge)
            if edge.along or gap is None:
                raise NotDrawableError(
                    f"{edge.source} -> {edge.target}: no room for a text; leave it out"
                )
            _label(drawing, edge, (corners[0][0], gap[0]), gap[1])
    return str(drawing.as_svg()) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def diagrams() -> dict[str, Diagram]:
    """Every picture by the name of its file."""
    found = {
        path.stem: parsed(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.yaml"))
    }
    return found | {"layers": layers()}


def main() -> int:
    """Writes every picture."""
    for name, diagram in diagrams().items():
        (FOLDER / f"{name}.svg").write_text(drawn(diagram), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
