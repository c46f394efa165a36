"""The built site: no warning, no address of another host that would be loaded, no link into nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.site.conftest import ROOT, Site

pytestmark = pytest.mark.real

#: What makes a browser fetch something, by element. `a` is a link of the text, which only its reader follows.
LOADS = {
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",), "video": ("src", "poster"),
    "audio": ("src",), "embed": ("src",), "object": ("data",), "form": ("action",), "input": ("src",), "use": ("href",), "track": ("src",),
}  # fmt: skip
#: Addresses in scripts that are names, and those that are asked for the stars of a repository, on pages with its address alone.
NAMES = ("http://www.w3.org/", "https://api.github.com/", "https://${e}/api/v4/")


class Read(HTMLParser):
    """What a page has: anchors, links, what it loads, images, elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.count: dict[str, int] = {}
        self.styles: list[str] = []
        self._in = ""
        self._article = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if found.get("style"):
            self.styles.append(str(found["style"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "img":
            self.images.append(found)
        if tag == "article":
            self._article += 1
        if self._article:
            self.count[tag] = self.count.get(tag, 0) + 1
        self.loads += [str(found[name]) for name in LOADS.get(tag, ()) if found.get(name)]

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._article -= 1

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.styles.append(data)


@pytest.fixture(scope="module")
def read(site: Site) -> dict[str, Read]:
    return {
        page: Read((site.folder / page).read_text(encoding="utf-8")) for page in site.pages
    }


def external(address: str) -> bool:
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp", "ws", "wss")


def test_it_is_built_without_a_warning(site: Site) -> None:
    assert "Documentation built" in site.said
    assert not re.findall(r"(?m)^(?:WARNING|ERROR).*$|\w*Warning: .*$", site.said)
    assert len(site.pages) > 80


def test_a_warning_would_end_the_build(site: Site) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"(?m)^strict: true$", text)
    assert set(re.findall(r"(?:omitted_files|not_found|anchors|absolute_links|unrecognized_links): (\w+)", text)) == {"warn"}  # fmt: skip


def test_no_page_loads_anything_of_another_host(site: Site, read: dict[str, Read]) -> None:
    assert sum(len(page.loads) for page in read.values()) > 500
    assert [(name, it) for name, page in read.items() for it in page.loads if external(it)] == []
    for name, page in read.items():
        assert "data-md-component=\"source\"" not in name
        assert not any(re.search(r"url\(\s*['\"]?(https?:)?//|@import", it) for it in page.styles)


def test_no_style_or_script_names_another_host(site: Site) -> None:
    styles = list(site.folder.rglob("*.css"))
    scripts = list(site.folder.rglob("*.js"))
    assert len(styles) >= 3 and len(scripts) >= 5
    for file in styles:
        text = file.read_text(encoding="utf-8")
        assert re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*|@import[^;]*", text) == [], file.name
    for file in scripts:
        if file.name == "search_index.js":  # the texts of the pages
            continue
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        found = re.findall(r"[\"'`](https?://[^\"'`]*)", text)
        assert [it for it in found if it != "https://" and not it.startswith(NAMES)] == [], file.name
    for file in [*site.folder.rglob("*.svg")]:
        text = file.read_text(encoding="utf-8")
        loads = r"""(?:href|src)=["'](?!\#)[^"']*|url\((?!["']?\#)[^)]*|@import[^;]*"""
        assert re.findall(loads, text) == [], file.name
    pages = "".join((site.folder / page).read_text(encoding="utf-8") for page in site.pages)
    assert 'data-md-component="source"' not in pages, "the one that asks api.github.com"


def test_links_lead_to_pages_and_anchors_of_the_site(site: Site, read: dict[str, Read]) -> None:
    files = {path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*")}
    wrong: list[tuple[str, str]] = []
    checked = 0
    for name, page in read.items():
        for link in page.links:
            if external(link) or link.startswith("mailto:"):
                continue
            parts = urlsplit(link)
            target = normpath(join(dirname(name), unquote(parts.path))) if parts.path else name
            checked += 1
            if target not in files and target != ".":
                wrong.append((name, link))
            elif parts.fragment and target in read and unquote(parts.fragment) not in read[target].ids:  # fmt: skip
                wrong.append((name, link))
    assert wrong == [] and checked > 5000


def test_anchors_are_there_once_and_images_say_what_they_show(read: dict[str, Read]) -> None:
    twice = {
        name: [it for it in set(page.ids) if page.ids.count(it) > 1] for name, page in read.items()
    }
    assert {name: found for name, found in twice.items() if found} == {}
    images = [(name, image) for name, page in read.items() for image in page.images]
    assert images
    assert [
        (name, image) for name, image in images if len(str(image.get("alt") or "")) < 10
    ] == []


#: mkdocs reads Markdown by older rules than GitHub, by which a list needs an empty line before it, and four spaces below an item.
@pytest.mark.parametrize("element", ["li", "pre", "h2", "h3", "blockquote"])
def test_pages_have_the_lists_and_blocks_that_github_shows(
    read: dict[str, Read], element: str
) -> None:
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    different: dict[str, tuple[int, int]] = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = path.relative_to(ROOT / "docs").as_posix()
        if name.startswith("api/"):
            continue
        page = read[f"{PurePosixPath(name).with_suffix('.html')}".replace("README.html", "index.html")]
        said = Read(f"<article>{markdown.render(path.read_text(encoding='utf-8'))}</article>")
        ours, theirs = page.count.get(element, 0), said.count.get(element, 0)
        if ours != theirs:
            different[name] = (ours, theirs)
    assert different == {}


def test_the_addresses_that_messages_name_are_pages(read: dict[str, Read]) -> None:
    """Messages of `jhub` name pages by their path in the repository."""
    named: set[str] = set()
    for folder in ("jupyterhub_aws", "config", "components"):
        for path in (ROOT / folder).rglob("*.py"):
            named |= set(re.findall(r"(?<![\w/-])docs/([a-z/-]+)\.md", path.read_text(encoding="utf-8")))
    assert {"reference", "adopting"} <= named
    theirs = {"tagging", "parameters", "using/selecting"}  # of other projects, named as sources
    assert {name for name in named - theirs if f"{name}.html" not in read} == set()


def test_every_page_of_the_navigation_is_there_under_its_own_name(site: Site) -> None:
    """A theme may make the first `README.md` of a section its title: then no list has that page."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"(?m)^ +- ([^:\n]+): (repository/\S+|[\w/-]+)\.md$", text)
    assert len(named) > 50
    missing = []
    for title, page in named:
        path = re.sub(r"README$", "index", page) + ".html"
        menu = (site.folder / path).read_text(encoding="utf-8").partition("<article")[0]
        active = re.findall(r"(?s)md-nav__link--active[^>]*>(.*?)</(?:a|label)>", menu)
        names = {" ".join(re.sub(r"<[^>]*>", "", it).split()) for it in active}
        if title != "Home" and title not in names:
            missing.append((title, names))
    assert missing == []


def test_an_example_is_shown_with_its_files(site: Site) -> None:
    for name in ("compose", "ci", "own-resources"):
        page = site.folder / f"repository/examples/{name}/index.html"
        text = page.read_text(encoding="utf-8")
        assert "<code>__main__.py</code>" in text and "import" in text, name
        assert re.search(r"(?s)</h1>\s*<p>\w|</h1>\s*<p><code>", text), "what it is comes first"


def test_the_api_pages_have_no_private_names(site: Site) -> None:
    pages = sorted((site.folder / "api").glob("*.html"))
    assert len(pages) > 5
    for path in pages:
        text = re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8"))
        assert re.findall(r"A change: (?:_\w+|[A-Z_]{4,})|Validators:|pydantic-\w+", text) == [], path
    buckets = (site.folder / "api" / "buckets.html").read_text(encoding="utf-8")
    assert "A change: For servers that start later" in buckets and "../reference.html" in buckets
