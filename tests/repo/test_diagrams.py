"""The pictures of docs/diagrams: as fresh as their sources, readable in light and dark, without a
script and without an address of the outside, and with a text for readers who do not see them.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from xml.etree import ElementTree

import pytest

from scripts import diagrams
from tests.support.stack_files import ROOT

NAMES = sorted(diagrams.diagrams())
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
IMAGE = re.compile(r"!\[([^\]]*)\]\(((?:\.\./)*diagrams/([a-z-]+)\.svg)\)")
#: WCAG 2.2, success criterion 1.4.3: text of this size.
ENOUGH = 4.5


def picture(name: str) -> str:
    return (diagrams.FOLDER / f"{name}.svg").read_text(encoding="utf-8")


def test_there_is_a_picture_for_each_source_and_no_other() -> None:
    assert {path.stem for path in diagrams.FOLDER.glob("*.svg")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_drawn_from_its_source(name: str) -> None:
    assert picture(name) == diagrams.drawn(diagrams.diagrams()[name]), "run: make docs"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_it_with_its_text(name: str) -> None:
    alt = " ".join(diagrams.diagrams()[name].alt.split())
    shown = [
        found[1] for text in PAGES.values() for found in IMAGE.finditer(text) if found[3] == name
    ]
    assert shown, f"no page shows {name}.svg"
    assert set(shown) == {alt}


def test_a_page_shows_no_picture_that_is_not_there() -> None:
    for path, text in PAGES.items():
        for found in IMAGE.finditer(text):
            assert (path.parent / found[2]).is_file(), f"{path}: {found[2]}"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_needs_nothing_of_the_outside(name: str) -> None:
    root = ElementTree.fromstring(picture(name))  # noqa: S314, a file of ours
    for element in root.iter():
        assert not element.tag.endswith("script")
        for key, value in element.attrib.items():
            assert not key.endswith("href"), value
            assert not key.startswith("on"), key
    style = "".join(root.itertext())
    assert "prefers-color-scheme: dark" in style
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_cut(name: str) -> None:
    assert "…" not in picture(name)


@pytest.mark.parametrize("name", NAMES)
def test_no_box_leaves_the_picture_or_covers_another(name: str) -> None:
    shown = diagrams.diagrams()[name]
    diagrams.drawn(shown)
    boxes = [
        item for top in shown.items for item in top.parts() if item.kind not in ("row", "group")
    ]
    for box in boxes:
        assert diagrams.MARGIN <= box.x
        assert box.x + box.w <= diagrams.WIDTH - diagrams.MARGIN + 0.01
    for one, other in itertools.combinations(boxes, 2):
        below = one.bottom <= other.y or other.bottom <= one.y
        beside = one.x + one.w <= other.x or other.x + other.w <= one.x
        assert below or beside, f"{one.id} covers {other.id}"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_on_every_box(dark: bool) -> None:
    light, _, rest = picture(NAMES[0]).partition("@media")
    style = rest if dark else light
    fills = dict(re.findall(r"([.\w]+) \{[^}]*?fill: (#[0-9a-f]{6})", style))
    for behind in (".card", ".group", ".box", ".outside", ".data", ".guard", ".behind", ".frame"):
        for text in ("text", ".note"):
            assert contrast(fills[text], fills[behind]) >= ENOUGH, f"{text} on {behind}"


def test_the_layers_are_those_of_the_contract() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = [c for c in tools["importlinter"]["contracts"] if c["type"] == "layers"]
    expected = [{each.strip() for each in level.split(":")} for level in contract["layers"]]
    _, *levels = diagrams.layers().items
    assert [
        {item.text for item in level.parts() if item.kind not in ("row", "group")}
        for level in levels
    ] == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("title: T\nalt: A\nitems: [{id: a, text: A}]\nedges: ['a -> b']", "'b'"),
        ("title: T\nalt: A\nitems: [{id: a, text: A}]\nedges: ['a b']", "no edge"),
        ("title: T\nalt: A\nitems: [{id: a, text: A, kind: round}]", "'round'"),
        ("title: T\nalt: A\nitems: [{id: a, text: A}, {id: a, text: B}]", "one id"),
    ],
)
def test_a_wrong_source_is_refused(source: str, said: str) -> None:
    with pytest.raises(diagrams.NotDrawableError, match=re.escape(said)):
        diagrams.parsed(source)
