"""What `make site` does beside mkdocs: Markdown as GitHub reads it becomes pages of one site.

- A link that leaves `docs/` (an example, CHANGELOG.md, a data file) leads to a page or a copy below
  `repository/` in the site, so that no address of a forge is needed.
- `## Text <a id="x"></a>` gives the heading the anchor x. Readers on GitHub get there too, and the
  search has one hit for each heading.
- What is below an item of a list is indented by four spaces, as mkdocs wants; GitHub takes the
  width of the item's mark.
- `reference/*` in the navigation stands for every page of that folder.
- What the theme would load from other hosts under some conditions is taken out of it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
_DOCS = "docs"
#: The landing page leads on by itself: the menu and the contents are not beside it.
_HOME = "index.md"
#: Where in the site what is outside docs/ is.
_BESIDE = "repository"
_LINK = re.compile(r"(\]\()(?!https?://|mailto:|#)([^)\s#]+)(#[^)\s]*)?(\))")
_FENCE = re.compile(r"(?ms)^( *)(```+)[^\n]*\n.*?^\1\2 *$|`[^`\n]+`")
_ANCHORED = re.compile(r'(?m)^(#{1,6} .*?) ?<a id="([^"]+)"></a>(.*)$')
_PICTURE = re.compile(r"<picture>.*?</picture>", re.DOTALL)
_LANGUAGES = {
    ".py": "python", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml",
    ".sh": "sh", ".ts": "typescript",
}  # fmt: skip
#: How much a page counts in the search, by the folder that it is in. A reference of a thousand
#: options would hide the pages that answer questions.
_WEIGHTS = {"reference": 0.4, "commands": 0.5, "api": 0.25, "problems": 0.4, _BESIDE: 0.3}
_OF_PAGES = {
    "architecture.md": 0.5, "glossary.md": 0.5, "reference.md": 0.6, "problems.md": 0.4,
    "findings.md": 0.5, "versions.md": 0.8, "comparison.md": 0.6, "proven.md": 0.6,
    "troubleshooting.md": 1.6, "daily-operations.md": 1.4, "operations.md": 1.4,
}  # fmt: skip
_EMPTY_HEAD = re.compile(r"<thead>\s*<tr>\s*(<th[^>]*></th>\s*)+</tr>\s*</thead>")
_NAMES = {
    'role="dialog"': 'role="dialog" aria-label="Search"',
    'id="__drawer"': 'id="__drawer" aria-label="Navigation"',
    'id="__search"': 'id="__search" aria-label="Search"',
}
#: What the pages of the API show of how models are made: private functions, and words of a tool.
_MADE_OF = {
    re.compile(r"<p>Validators:</p>\s*<ul>.*?</ul>", re.DOTALL): "",
    re.compile(r"<p>Fields:</p>"): "<p>Options:</p>",
    re.compile(r"<code>pydantic-field</code>"): "<code>option</code>",
    re.compile(r"<code>pydantic-model</code>"): "<code>model</code>",
}
#: Code within a line, and an option in it, which breaks neither after its two dashes nor later.
_INLINE = re.compile(r"(?<!<span></span>)<code>(?:[^<]|</?span[^>]*>)+</code>")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_IN_TABLE = re.compile(r"<t([dh])\b.*?</t\1>", re.DOTALL)
_PARTS = re.compile(r"(?<=[\w\]][/._])(?=[a-zA-Z])(?![^<]*>)")
#: Scripts that the theme fetches where a page has a diagram, or a browser lacks a feature.
_FETCHED = ("https://unpkg.com/mermaid@11/dist/mermaid.min.js", "https://unpkg.com/resize-observer-polyfill")  # fmt: skip


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the folders of the navigation."""
    config.nav = _filled(config.nav, Path(config.docs_dir))
    return config


def _filled(nav: Any, docs: Path) -> Any:
    if isinstance(nav, dict):
        return {title: _filled(below, docs) for title, below in nav.items()}
    if isinstance(nav, list):
        filled: list[Any] = []
        for item in nav:
            if isinstance(item, str) and item.endswith("/*"):
                found = sorted((docs / item[:-2]).glob("*.md"), key=_overview_first)
                filled += [path.relative_to(docs).as_posix() for path in found]
            else:
                filled.append(_filled(item, docs))
        return filled
    return nav


def _overview_first(path: Path) -> tuple[bool, str]:
    return path.name != "README.md", path.name


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to outside docs/, and what those pages link to."""
    begun = [f"{_DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    seen = set(begun)
    while begun:
        page = begun.pop()
        for target in sorted(_targets(_text_of(page), page)):
            path, place = ROOT / target, _site_path(target)
            if target.startswith(f"{_DOCS}/") or place in seen:
                continue
            seen.add(place)
            if path.is_dir() or path.suffix == ".md":
                begun.append(target)
                files.append(File.generated(config, place, content=_text_of(target)))
            elif path.is_file():
                files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def _targets(text: str, page: str) -> Iterator[str]:
    """The paths in the repository that a page links to."""
    for found in _LINK.finditer(_FENCE.sub("", text)):
        yield _in_repository(found[2], page)


def _in_repository(link: str, page: str) -> str:
    folder = page if (ROOT / page).is_dir() else dirname(page)
    return normpath(join(folder, link))


def _site_path(target: str) -> str:
    """The path in the site of a path in the repository. mkdocs makes `index` of a README."""
    if target == _DOCS:
        return "index.md"
    if (ROOT / target).is_dir():
        target = f"{target}/README.md"
    return target.removeprefix(f"{_DOCS}/") if target.startswith(f"{_DOCS}/") else f"{_BESIDE}/{target}"


def _text_of(target: str) -> str:
    """The Markdown of a page. Of an example also its files, which the text is about."""
    path = ROOT / target
    if path.name == "README.md" and path.parent.parent == ROOT / "examples":
        path = path.parent
    if not path.is_dir():
        return path.read_text(encoding="utf-8")
    overview = path / "README.md"
    text = overview.read_text(encoding="utf-8") if overview.is_file() else f"# {target}"
    lines = [text.rstrip(), ""]
    for file in sorted(path.rglob("*")):
        if file.suffix in _LANGUAGES:
            name = file.relative_to(path).as_posix()
            text = file.read_text(encoding="utf-8").rstrip()
            lines += [f"## `{name}`", "", f"````{_LANGUAGES[file.suffix]}", text, "````", ""]
    return "\n".join(lines)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them, anchors as headings have them, and the page's weight."""
    del config, files
    here = page.file.src_uri
    folder, _, _ = here.partition("/")
    weight = _WEIGHTS.get(folder) if "/" in here else _OF_PAGES.get(here)
    if here == _HOME:
        page.meta.setdefault("hide", ["navigation", "toc"])
    if weight is not None:
        page.meta.setdefault("search", {}).setdefault("boost", weight)
    source = here.removeprefix(f"{_BESIDE}/") if folder == _BESIDE else f"{_DOCS}/{here}"
    spared: list[str] = []

    def spare(found: re.Match[str]) -> str:
        spared.append(found[0])
        return f"\0{len(spared) - 1}\0"

    def linked(found: re.Match[str]) -> str:
        path = _site_path(_in_repository(found[2], source))
        return f"{found[1]}{relpath(path, dirname(here) or '.')}{found[3] or ''}{found[4]}"

    markdown = "\n".join(_indented(markdown.splitlines()))
    # Else the page had the name of its file: mkdocs looks for the title in the first element.
    text = _FENCE.sub(spare, re.sub(r"\A\s*<!--.*?-->\s*", "", markdown, flags=re.DOTALL))
    text = _LINK.sub(linked, text)
    text = _ANCHORED.sub(r"\1\3 { #\2 }", text)
    while "\0" in text:
        text = re.sub("\0(\\d+)\0", lambda found: spared[int(found[1])], text)
    return text


def _indented(lines: list[str]) -> list[str]:
    """Lines in which what belongs to an item is four spaces to the right of its mark."""
    done: list[str] = []
    fence, at = "", 0
    while at < len(lines):
        line = lines[at]
        at += 1
        done.append(line)
        if found := re.match(r"(```+|~~~+)", line):
            fence = "" if fence and line.startswith(fence) else fence or found[1]
        mark = None if fence else re.match(r"(?:[-*+]|\d+\.) +", line)
        if mark is None:
            continue
        width = len(mark[0])
        below: list[str] = []
        while at < len(lines) and (not lines[at].strip() or lines[at].startswith(" " * width)):
            below.append(lines[at][width:])
            at += 1
        done += [f"    {each}" if each else "" for each in _indented(below)]
        if "" in map(str.strip, below) and below[-1].strip():
            done.append("")  # else the next mark were text of this item's last paragraph
    return done


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Pictures with a dark twin follow the site's own switch between light and dark; a table whose
    head is empty, which Markdown cannot leave out, has none.
    """
    del page, config, files
    html = _EMPTY_HEAD.sub("", html)
    html = html.replace("<th></th>", "<td></td>")
    for found, shown in _MADE_OF.items():
        html = found.sub(shown, html)
    html = _INLINE.sub(lambda code: _OPTION.sub(r'<span class="option">\g<0></span>', code[0]), html)
    html = _IN_TABLE.sub(lambda cell: _INLINE.sub(_breaking, cell[0]), html)
    return _PICTURE.sub(lambda found: _switched(found[0]), html)


def _breaking(code: re.Match[str]) -> str:
    """A path in a narrow cell breaks after a part of it, not within a word."""
    return _PARTS.sub("<wbr>", code[0])


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """What the theme leaves without a name for readers who listen to a page."""
    del page, config
    for before, after in _NAMES.items():
        output = output.replace(before, after)
    return _without_landmarks(output)


def _without_landmarks(html: str) -> str:
    """A landmark for each part of the navigation is none to find one's way by: they are groups of
    the one navigation that they are in.
    """
    open_ones: list[str] = []

    def replaced(found: re.Match[str]) -> str:
        if found[0] == "</nav>":
            return f"</{open_ones.pop()}>"
        inner = "data-md-level=" in found[0] and 'data-md-level="0"' not in found[0]
        open_ones.append("div" if inner else "nav")
        if not inner:
            return found[0]
        return re.sub(r' aria-expanded="\w+"', "", f'<div role="group"{found[1]}>')

    return re.sub(r"<nav([^>]*)>|</nav>", replaced, html)


def _switched(picture: str) -> str:
    """A picture for each palette: the theme's own switch decides, not the system's. A source for
    narrow screens stays one.
    """
    image = re.search(r"<img[^>]*>", picture)
    sources = re.findall(r'<source media="([^"]+)" srcset="([^"]+)">', picture)
    if image is None or not any("dark" in media for media, _ in sources):
        return picture
    light = re.search(r'src="([^"]+)"', image[0])
    assert light is not None  # noqa: S101 -- an img without one is no image
    found = ""
    for scheme in ("light", "dark"):
        mine = [item for item in sources if ("dark" in item[0]) == (scheme == "dark")]
        narrow = next((path for media, path in mine if "width" in media), None)
        wide = next((path for media, path in mine if "width" not in media), light[1])
        source = f'<source media="(max-width: 44rem)" srcset="{narrow}">' if narrow else ""
        shown = image[0].replace(light[1], wide)
        found += f'<picture class="only-{scheme}">{source}{shown}</picture>'
    return found


def on_post_build(config: MkDocsConfig) -> None:
    """No address of another host is left in what the site loads."""
    # Stemmers of languages that this site is not in.
    shutil.rmtree(Path(config.site_dir) / "assets" / "javascripts" / "lunr", ignore_errors=True)
    scripts = Path(config.site_dir) / "assets" / "javascripts"
    # It has absolute addresses, which fit one place on one server.
    (Path(config.site_dir) / "404.html").unlink(missing_ok=True)
    for file in scripts.rglob("*.map"):
        file.unlink()
    for file in (Path(config.site_dir) / "assets" / "stylesheets").rglob("*.map"):
        file.unlink()
    for file in scripts.rglob("*.js"):
        text = before = file.read_text(encoding="utf-8")
        for address in _FETCHED:
            text = text.replace(address, "data:text/javascript,")
        text = re.sub(r"//# sourceMappingURL=.*", "", text)
        if text != before:
            file.write_text(text, encoding="utf-8")
