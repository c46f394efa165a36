"""The places of all elements of the picture: columns for zones, rows for what spans them. Rows grow
with what they hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from jupyterhub_aws.plan.page.text import fitted, wrapped
from jupyterhub_aws.plan.page.text import width as measured
from jupyterhub_aws.plan.page.topology.elements import Element, Row, Topology

WIDTH = 1160
TITLE, TEXT = 14.0, 12.0
_LINE, _PAD, _GAP = 17, 10, 12
_PART_HEIGHT, _PART_LEAST = 28, 230
_REGION_X, _VPC_X, _LANE, _RAIL = 2, 16, 42, 178
_FRAME = 8
_STUMP = 80
_MOST_LINES = 4
#: Arrows up and down run this far inside a column's edge, where no label is.
CHANNEL = 30
_NAT_WIDTH = 78
_MOST_ENTRY = 230


@dataclass(frozen=True)
class Box:
    """A rectangle on the canvas with the words that fit into it."""

    shape: Element
    x: float
    y: float
    width: float
    height: float
    title: str = ""
    lines: tuple[str, ...] = ()
    parts: tuple[Box, ...] = ()

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2


@dataclass
class Canvas:
    """The picture while it grows downwards, and what it came to."""

    scene: Topology
    y: float = 0
    frames: list[Box] = field(default_factory=list)
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Left edge of the zones."""
        return _VPC_X + _LANE

    @property
    def rail(self) -> float:
        """Left edge of the elements beside the VPC."""
        return WIDTH - _REGION_X - 14 - _RAIL

    @property
    def vpc_right(self) -> float:
        """Right edge of the VPC. Where nothing is beside it, it takes that room."""
        if self.scene.control is None and self.scene.operators is None:
            return WIDTH - _REGION_X - 14
        return self.rail - 34

    @cached_property
    def columns(self) -> tuple[tuple[float, float], ...]:
        """Left edge and width of each zone: of one width; but a zone with several boxes of its own
        gets the room to have them beside each other, where the others can do with less.
        """
        count = len(self.scene.zones)
        room = self.vpc_right - _LANE - self.left - _GAP * (count - 1)
        widths = [room // count] * count
        if self.is_beside:
            several = {zone: most for zone, most in _alone(self.scene).items() if most > 1}
            spare = room - sum(self._least) - sum(map(_beside, several.values()))
            wanted = {
                zone: _beside(most) + min(spare / len(several), most * _MORE)
                for zone, most in several.items()
            }
            if len(wanted) == count:  # nothing else takes the rest
                wanted = {zone: room / count for zone in wanted}
            rest = (room - sum(wanted.values())) // max(count - len(wanted), 1)
            widths = [max(wanted.get(zone, rest), 0) for zone in range(count)]
        found, x = [], self.left
        for width in widths:
            found.append((x, float(width)))
            x += width + _GAP
        return tuple(found)

    @cached_property
    def is_beside(self) -> bool:
        """Whether boxes of one zone alone are beside each other, and not below."""
        count, most = len(self.scene.zones), _alone(self.scene)
        wanted = [_beside(boxes) for boxes in most.values() if boxes > 1]
        room = self.vpc_right - _LANE - self.left - _GAP * (count - 1)
        least = self._least
        others = room - sum(wanted)
        return bool(wanted) and (not least or others / len(least) >= max(least))

    @property
    def _least(self) -> list[int]:
        """What zones need in which no boxes are beside each other."""
        most = _alone(self.scene)
        with_nat = {zone for nat in self.scene.nats for zone in nat.zones}
        return [
            _LEAST_WITH_NAT if zone in with_nat else _LEAST_COLUMN
            for zone in range(len(self.scene.zones))
            if most[zone] < _SEVERAL
        ]

    @property
    def zones_right(self) -> float:
        """Right edge of the zones."""
        return sum(self.columns[-1])

    def edge(self, zone: int) -> float:
        """Left edge of a zone."""
        return self.columns[zone][0]

    def column(self, zone: int) -> float:
        """Width of a zone."""
        return self.columns[zone][1]

    def frame(self, shape: Element, x: float, width: float, top: float) -> None:
        """Close a frame around all elements down to here."""
        self.frames.append(Box(shape, x, top, width, self.y - top, shape.title))

    def put(
        self,
        role: str,
        row: Row,
        *,
        inset: float = 2 * _FRAME,
        take: float | None = None,
        from_right: bool = False,
    ) -> float:
        """Place a row of boxes over their zones at this height, and return how high it is."""
        placed = []
        for shape in row:
            for run in _runs(shape.zones or tuple(range(len(self.scene.zones)))):
                x, right = self.edge(run[0]) + inset, sum(self.columns[run[-1]]) - inset
                wide = right - x if take is None else min(take, right - x)
                placed.append(box(shape, right - wide if from_right else x, self.y, wide))
        height = max((item.height for item in placed), default=0)
        self.boxes.setdefault(role, []).extend(replace(item, height=height) for item in placed)
        return height

    def put_beside(self, rows: Sequence[tuple[str, Row]]) -> float:
        """Place boxes that are in one zone alone, those of a zone beside each other; return how
        high they are.
        """
        placed: list[tuple[str, Box]] = []
        for zone in range(len(self.scene.zones)):
            here = [(role, shape) for role, row in rows for shape in row if shape.zones == (zone,)]
            room = self.column(zone) - 4 * _FRAME - _GAP * (len(here) - 1)
            wide = room / max(len(here), 1)
            for index, (role, shape) in enumerate(here):
                x = self.edge(zone) + 2 * _FRAME + index * (wide + _GAP)
                placed.append((role, box(shape, x, self.y, wide)))
        height = max((item.height for _, item in placed), default=0)
        for role, item in placed:
            self.boxes.setdefault(role, []).append(replace(item, height=height))
        return height


_SEVERAL = 2
#: What a column needs: two boxes beside each other, a balancer, a balancer with a NAT gateway.
_BESIDE, _LEAST_COLUMN, _LEAST_WITH_NAT = 180, 200, 262
#: So much wider a box is that has others beside it, where there is room.
_MORE = 80


def _beside(count: int) -> float:
    """How wide a zone is that has so many boxes beside each other."""
    return count * _BESIDE + _GAP * (count - 1) + 4 * _FRAME


def _alone(scene: Topology) -> Counter[int]:
    """How many boxes are in each zone and in no other one: of core nodes and databases."""
    return Counter(
        shape.zones[0] for shape in (*scene.core, *scene.databases) if len(shape.zones) == 1
    )


def _runs(zones: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Neighbouring zones together."""
    runs: list[list[int]] = []
    for zone in zones:
        if runs and runs[-1][-1] == zone - 1:
            runs[-1].append(zone)
        else:
            runs.append([zone])
    return [tuple(run) for run in runs]


def box(shape: Element, x: float, y: float, width: float) -> Box:
    """A box as high as its words and parts need."""
    room = width - 2 * _PAD
    whole, texts = shape.title, shape.lines
    if measured(whole, TITLE, bold=True) > room and ": " in whole:
        whole, _, rest = whole.partition(": ")
        texts = (rest, *texts)
    lines = tuple(line for text in texts for line in wrapped(text, room, TEXT, _MOST_LINES))
    head = _PAD + _LINE + len(lines) * _LINE
    columns = max(1, min(len(shape.parts), int((room + 8) // (_PART_LEAST + 8))))
    wide = (room - 8 * (columns - 1)) / columns
    parts = tuple(
        _part(
            part,
            x + _PAD + (index % columns) * (wide + 8),
            y + head + 4 + (index // columns) * (_PART_HEIGHT + 6),
            wide,
        )
        for index, part in enumerate(shape.parts)
    )
    below = 4 + -(-len(parts) // columns) * (_PART_HEIGHT + 6) - 6 if parts else 0
    title = fitted(whole, room, TITLE, bold=True)
    return Box(shape, x, y, width, head + below + _PAD - 2, title, lines, parts)


def _part(shape: Element, x: float, y: float, width: float) -> Box:
    title = fitted(shape.title, width - 16, TEXT, bold=True)
    rest = width - 24 - measured(title, TEXT, bold=True)
    line = fitted(" ".join(shape.lines), rest, TEXT)
    # A stump of a word says nothing; the whole of it is in the box's own title.
    words = "" if line.endswith("…") and rest < _STUMP else line
    return Box(shape, x, y, width, _PART_HEIGHT, title, (words,))


def arranged(scene: Topology) -> Canvas:
    """The whole picture."""
    canvas = Canvas(scene)
    _outside(canvas)
    canvas.marks["region"] = canvas.y
    canvas.y += 26
    canvas.marks["vpc"] = canvas.y
    canvas.y += 28
    if scene.gateway is not None:
        width = canvas.zones_right - canvas.left
        strip = Box(scene.gateway, canvas.left, canvas.y, width, 28, scene.gateway.title)
        canvas.boxes["gateway"] = [strip]
        canvas.y += 28 + 22
    canvas.marks["zones"] = canvas.y
    canvas.y += 26
    if scene.public:
        _public(canvas)
    _private(canvas)
    canvas.y += _FRAME
    for index, zone in enumerate(scene.known_zones):
        top, shape = canvas.marks["zones"], Element("zone", zone)
        canvas.frame(shape, *canvas.columns[index], top)
    _below(canvas)
    canvas.y += 14
    canvas.frame(scene.vpc, _VPC_X, canvas.vpc_right - _VPC_X, canvas.marks["vpc"])
    for beside in canvas.boxes.get("control", []):
        canvas.y = max(canvas.y, beside.bottom)
    canvas.y += 12
    region = Element("region", scene.place)
    canvas.frame(region, _REGION_X, WIDTH - 2 * _REGION_X, canvas.marks["region"])
    canvas.y += 4
    return canvas


def _outside(canvas: Canvas) -> None:
    scene, right = canvas.scene, canvas.zones_right
    canvas.y = 4
    there, x = [], canvas.left
    if scene.sign_in is not None:
        there.append(("signin", scene.sign_in, x, 216.0))
        x += 216 + 44
    there.append(("users", scene.users, x, 250.0 if scene.sign_in else 300.0))
    if scene.gateway is not None:
        internet = Element("outside", "Internet", ("images, packages, data",))
        there.append(("internet", internet, right - 210, 210.0))
    if scene.operators is not None:
        there.append(("operators", scene.operators, canvas.rail, float(_RAIL)))
    placed = {role: box(shape, x, canvas.y, width) for role, shape, x, width in there}
    height = max(item.height for item in placed.values())
    for role, item in placed.items():
        canvas.boxes[role] = [replace(item, height=height)]
    canvas.y += height + 38


def _public(canvas: Canvas) -> None:
    top = canvas.y
    canvas.y += 26
    nats = canvas.scene.nats
    with_nat = {zone for nat in nats for zone in nat.zones}
    narrowest = min(
        canvas.column(zone) - 4 * _FRAME - (_NAT_WIDTH + _GAP if zone in with_nat else 0)
        for zone in range(len(canvas.scene.zones))
    )
    entries = canvas.put("entry", canvas.scene.entries, take=min(narrowest, _MOST_ENTRY))
    there = canvas.put("nat", nats, take=_NAT_WIDTH, from_right=True)
    canvas.y += max(entries, there, 8) + _FRAME
    for index, label in enumerate(canvas.scene.public):
        if label:
            x, width = canvas.columns[index]
            subnet = Element("public", _subnets("public", label, width))
            canvas.frame(subnet, x + _FRAME, width - 2 * _FRAME, top)
    canvas.marks["gap"] = canvas.y
    canvas.y += 40


def _subnets(kind: str, cidr: str, width: float) -> str:
    """The label of a subnet, short where arrows would run through the long one."""
    label = f"{kind} subnet {cidr}"
    return label if measured(label, TEXT, bold=True) < width - 2 * CHANNEL else f"{kind} {cidr}"


def _private(canvas: Canvas) -> None:
    scene, top = canvas.scene, canvas.y
    canvas.marks["private"] = top
    canvas.y += 26
    inside: tuple[tuple[str, Row], ...] = (("core", scene.core), ("database", scene.databases))
    if canvas.is_beside:
        inside = tuple((role, _spanning(row)) for role, row in inside)
    for role, row in (
        ("entry", scene.entries_inside),
        *inside,
        *(("pool", row) for row in scene.pools),
    ):
        if role == "core":
            if scene.control is not None:
                canvas.boxes["control"] = [box(scene.control, canvas.rail, canvas.y, _RAIL)]
            if canvas.is_beside:
                both = (("core", scene.core), ("database", scene.databases))
                canvas.y += canvas.put_beside(both) + _GAP
        for line in _without_overlap(row):
            canvas.y += canvas.put(role, line) + (2 * _GAP if role == "entry" else _GAP)
    if scene.mounts:
        canvas.y += canvas.put("mount", scene.mounts) + _GAP
    canvas.y += _FRAME - _GAP + 4
    for index, label in enumerate(scene.private):
        x, width = canvas.columns[index]
        title = _subnets("private", label, width) if label else _THERE[bool(scene.region)]
        canvas.frame(Element("private", title), x + _FRAME, width - 2 * _FRAME, top)


#: What boxes are in where the stack has no subnets: by whether it is in AWS.
_THERE = {True: "subnets that are there", False: "nodes of the cluster"}


def _spanning(row: Row) -> Row:
    """The boxes of a row that are in several zones."""
    return tuple(shape for shape in row if len(shape.zones) != 1)


def _without_overlap(row: Row) -> list[Row]:
    """Boxes of one row that would overlap, in rows of their own."""
    rows: list[list[Element]] = []
    for shape in row:
        for there in rows:
            if not any(set(shape.zones) & set(other.zones) for other in there):
                there.append(shape)
                break
        else:
            rows.append([shape])
    return [tuple(there) for there in rows]


def _below(canvas: Canvas) -> None:
    scene = canvas.scene
    if scene.homes:
        canvas.y += 24
        for shape in scene.homes:
            canvas.y += canvas.put("homes", (shape,), inset=0) + 8
        canvas.y -= 8
    if scene.endpoints:
        canvas.y += 16
        shape = Element("endpoints", "VPC endpoints of AWS services", parts=scene.endpoints)
        canvas.y += canvas.put("endpoints", (shape,), inset=0)
