"""A hub's own pages: logo, links and terms, or templates of your own. What a file must be is judged
here too, without the hub.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from jupyterhub_aws.config.errors import Problem, dotted, refuse, shown
from jupyterhub_aws.config.model import Model, option

#: The pages of JupyterHub 5.5.0 (its folder share/jupyterhub/templates; a test compares).
TEMPLATES = frozenset(
    {
        *("404.html", "accept-share.html", "admin.html", "error.html", "home.html", "login.html"),
        *("logout.html", "not_running.html", "oauth.html", "page.html", "spawn.html"),
        *("spawn_pending.html", "stop_pending.html", "token.html"),
    }
)
#: What pages may show from the same folder, below `{{ base_url }}pages/`.
_TEXTS, _BINARIES = (".css", ".svg"), (".png", ".jpg", ".jpeg", ".ico", ".woff2")
_LOGOS = (".png", ".svg")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: A Secret has at most 1 MiB (Kubernetes documentation, "Secrets"), and Helm keeps a release in one:
#: in it, each file is there twice (value and manifest), compressed, and then in base64 (helm v3,
#: pkg/storage/driver/util.go): 8/3 of its size.
FILE_BYTES, ALL_BYTES = 128 * 1024, 256 * 1024
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s\"'<>\\]*)?")
_LINK_NAME = re.compile(r"[^\s<>](.{0,38}[^\s<>])?")
#: What a browser loads from another host: attributes of elements that load, and CSS.
_SCRIPT = re.compile(r"<script\b[^>]*\bsrc\s*=\s*[\"']?\s*(https?:)?//", re.IGNORECASE)
_LOADS = re.compile(
    r"<(?:img|link|iframe|source|video|audio|embed|object|input|use|image)\b[^>]*"
    r"\b(?:src|href|data|srcset|poster)\s*=\s*[\"']?\s*(?:https?:)?//"
    r"|(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//",
    re.IGNORECASE,
)
_RESTARTS = "The hub restarts: for about a minute no user can sign in or start a server."


def _relative(value: str) -> str:
    path = PurePosixPath(value)
    outside = path.is_absolute() or ".." in path.parts or value.startswith("~")
    if not value or outside or "://" in value:
        what = f"is not a path inside the program's folder (got {shown(value)})"
        raise refuse("pages.path", what, "write it from there, such as pages/logo.svg")
    return value


def _logo(value: str) -> str:
    if not value.lower().endswith(_LOGOS):
        what = f"is neither a PNG nor an SVG file (got {shown(value)})"
        raise refuse("pages.logo", what, "name a file that ends in .png or .svg")
    return _relative(value)


def _address(value: str) -> str:
    if "@" in value.partition("/")[2].partition("/")[2].partition("/")[0]:
        what = "holds a user name or password, which every user could read"
        raise refuse("pages.credentials", what, "write the address without it")
    if not _ADDRESS.fullmatch(value):
        what = f"is not an https address (got {shown(value)})"
        raise refuse("pages.address", what, "write it whole, such as https://help.example.org/hub")
    return value


def _plain(value: str) -> str:
    if value and (not value.isprintable() or not value.strip()):
        what = "has a line break or another character that is not printed, or is blank"
        raise refuse("text.not-printable", what, "write it in one line")
    return value.strip()


def line(longest: int) -> AfterValidator:
    """What an option has to be that is one line of text."""

    def judge(value: str) -> str:
        if len(value) > longest:
            what = f"has {len(value)} characters, and at most {longest} are shown"
            raise refuse("text.length", what, "shorten it")
        return _plain(value)

    return AfterValidator(judge)


def _link_names(values: dict[str, str]) -> dict[str, str]:
    wrong = next((name for name in values if not _LINK_NAME.fullmatch(name)), None)
    if wrong is not None:
        what = f"has a name that is not 1 to 40 characters in one line ({shown(wrong)})"
        raise refuse("pages.link-name", what, "write what users read, such as Documentation")
    return values


Address = Annotated[
    str,
    AfterValidator(_address),
    Field(json_schema_extra={"examples": ["https://help.example.org/hub"]}),
]
InFolder = Annotated[str, AfterValidator(_relative)]


class HubPages(Model):
    """What users see on the hub's pages besides JupyterHub's own."""

    title: Annotated[str, line(60)] = option(
        "", help="Title of every page, in place of JupyterHub.", changing=_RESTARTS
    )
    logo: Annotated[str, AfterValidator(_logo)] | None = option(
        None,
        help=(
            "A PNG or SVG file, relative to the program, in place of JupyterHub's logo. At most"
            f" {FILE_BYTES // 1024} KiB."
        ),
        changing=_RESTARTS,
    )
    help_links: Annotated[dict[str, Address], AfterValidator(_link_names)] = option(
        {},
        help="Links at the foot of every page: what users read, and the https address.",
        changing=_RESTARTS,
        max_length=10,
    )
    terms_url: Address | None = option(
        None,
        help="Address of the terms of use, which the sign-in page links to.",
        changing=_RESTARTS,
    )
    terms: Annotated[str, line(500)] = option(
        "",
        help=(
            "Text about the terms of use on the sign-in page. Default with `terms_url`: `By signing"
            " in you accept the terms of use.`"
        ),
        changing=_RESTARTS,
    )
    folder: InFolder | None = option(
        None,
        help=(
            "A folder, relative to the program, with templates of JupyterHub's pages (`page.html`,"
            ' `login.html`, …) that extend its own (`{% extends "templates/page.html" %}`), and'
            " with pictures and styles, which pages find at `{{ base_url }}pages/NAME`. At most"
            f" {FILE_BYTES // 1024} KiB a file and {ALL_BYTES // 1024} KiB together with the logo."
        ),
        changing=_RESTARTS,
    )

    @model_validator(mode="after")
    def _links_have_names(self) -> Self:
        if not self.given:
            what, fix = (
                "has no option",
                "give title, logo, help_links, terms or folder, or leave it out",
            )
            raise refuse("pages.empty", what, fix)
        return self

    @property
    def given(self) -> bool:
        """Whether any option is set."""
        return bool(
            self.title or self.logo or self.help_links or self.terms or self.terms_url
            or self.folder
        )  # fmt: skip

    @property
    def footer(self) -> bool:
        """Whether our own page.html is needed, which shows all but the logo."""
        return bool(self.title or self.help_links or self.terms or self.terms_url)


@dataclass(frozen=True, kw_only=True)
class PageFile:
    """A file for the hub's pod. Bytes of a picture are in base64."""

    name: str
    text: str
    binary: bool = False


@dataclass(frozen=True, kw_only=True)
class PageFiles:
    """The files that a hub's pages are made of, and what is wrong with them."""

    templates: tuple[PageFile, ...] = ()
    static: tuple[PageFile, ...] = ()
    logo: PageFile | None = None
    problems: tuple[Problem, ...] = field(default=())


def page_files(pages: HubPages, folder: Path, path: str, *, closed: bool) -> PageFiles:
    """Read the files of an option at `path` of the stack file, whose relative paths start in
    `folder`. `closed`: the network is isolated.
    """
    problems, total = list[Problem](), 0
    logo, found = None, dict[str, PageFile]()
    for place, file in _wanted(pages, folder, path, problems):
        content = _read(place, file, problems)
        if content is None:
            continue
        total += len(content)
        read = _page_file(file.name, content, place, problems)
        if read is None:
            continue
        problems += _faults(read, place, closed=closed)
        if place == f"{path}.logo":
            logo = read
        else:
            found[file.name] = read
    if total > ALL_BYTES:
        what = f"has {total // 1024} KiB of files, and {ALL_BYTES // 1024} KiB fit"
        fix = "make pictures smaller, or link to them"
        problems.append(Problem(id="pages.too-large", path=path, what=what, fix=fix))
    if "page.html" in found and pages.footer:
        what = "has a page.html of its own, which would not show title, help_links and terms"
        fix = "write them into that page.html and leave these options out, or remove the file"
        problems.append(Problem(id="pages.page-twice", path=f"{path}.folder", what=what, fix=fix))
    return PageFiles(
        templates=tuple(item for name, item in sorted(found.items()) if name in TEMPLATES),
        static=tuple(item for name, item in sorted(found.items()) if name not in TEMPLATES),
        logo=logo,
        problems=tuple(problems),
    )


def _wanted(
    pages: HubPages, folder: Path, path: str, problems: list[Problem]
) -> Iterator[tuple[str, Path]]:
    """Place in the stack file and file of everything that the option names."""
    if pages.logo is not None:
        yield f"{path}.logo", folder / pages.logo
    if pages.folder is None:
        return
    place, inside = f"{path}.folder", folder / pages.folder
    if not inside.is_dir():
        what = f"is not a folder ({pages.folder} in {folder})"
        problems.append(Problem(id="pages.no-folder", path=place, what=what, fix="make it"))
        return
    # Hidden files are those of editors and file managers.
    files = sorted(item for item in inside.iterdir() if not item.name.startswith("."))
    if not files:
        what, fix = "is an empty folder", f"put a template there, such as {min(TEMPLATES)}"
        problems.append(Problem(id="pages.no-folder", path=place, what=what, fix=fix))
    for file in files:
        known = file.name in TEMPLATES or (
            file.name.lower().endswith((*_TEXTS, *_BINARIES)) and _NAME.fullmatch(file.name)
        )
        if known and file.is_file():
            yield dotted((*place.split("."), file.name)), file
            continue
        what = f"has {shown(file.name)}, which is no page of JupyterHub's and no picture or style"
        fix = (
            f"pages are {', '.join(sorted(TEMPLATES))}; other files end in"
            f" {', '.join((*_TEXTS, *_BINARIES))}"
        )
        problems.append(Problem(id="pages.unknown-file", path=place, what=what, fix=fix))


def _read(place: str, file: Path, problems: list[Problem]) -> bytes | None:
    try:
        size = file.stat().st_size
        if size > FILE_BYTES:
            what = f"has {-(-size // 1024)} KiB, and {FILE_BYTES // 1024} KiB fit"
            fix = "make it smaller"
            problems.append(Problem(id="pages.too-large", path=place, what=what, fix=fix))
            return None
        return file.read_bytes()
    except OSError as error:
        what = f"cannot be read ({file}: {error.strerror})"
        fix = "is the path relative to the program's folder?"
        problems.append(Problem(id="pages.unreadable", path=place, what=what, fix=fix))
        return None


def _page_file(name: str, content: bytes, place: str, problems: list[Problem]) -> PageFile | None:
    lower = name.lower()
    if lower.endswith(_BINARIES):
        if lower.endswith(".png") and not content.startswith(b"\x89PNG\r\n\x1a\n"):
            what, fix = "is not a PNG file, though its name says so", "save it as PNG"
            problems.append(Problem(id="pages.not-a-picture", path=place, what=what, fix=fix))
            return None
        return PageFile(name=name, text=base64.b64encode(content).decode(), binary=True)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        what, fix = "is not text in UTF-8", "save it as UTF-8"
        problems.append(Problem(id="pages.not-text", path=place, what=what, fix=fix))
        return None
    if lower.endswith(".svg") and "<svg" not in text.lower():
        what, fix = "is not an SVG file, though its name says so", "save it as SVG"
        problems.append(Problem(id="pages.not-a-picture", path=place, what=what, fix=fix))
        return None
    return PageFile(name=name, text=text)


def _faults(file: PageFile, place: str, *, closed: bool) -> Iterator[Problem]:
    """What is wrong with the text of a file."""
    if file.binary:
        return
    if _SCRIPT.search(file.text):
        what = "loads a script of another host, which could act as each user who opens the page"
        fix = "write the script into the template, or leave it out"
        yield Problem(id="pages.remote-script", path=place, what=what, fix=fix)
    elif closed and _LOADS.search(file.text):
        what = "loads something of another host, which an isolated network does not reach"
        fix = "put the file into the same folder"
        yield Problem(id="pages.remote-file", path=place, what=what, fix=fix)
    if file.name in TEMPLATES:
        yield from _template_faults(file, place)


def _template_faults(file: PageFile, place: str) -> Iterator[Problem]:
    from jinja2 import Environment, TemplateSyntaxError, meta

    # Only read, never rendered; JupyterHub's own environment has no further extension.
    environment = Environment(autoescape=True)
    try:
        read = environment.parse(file.text)
    except TemplateSyntaxError as error:
        what = f"is not a template: line {error.lineno}: {shown(error.message or 'syntax error')}"
        yield Problem(id="pages.template", path=place, what=what, fix="correct it")
        return
    for name in meta.find_referenced_templates(read):
        if name is not None and name.removeprefix("templates/") not in TEMPLATES:
            what = f"names a template that does not exist ({shown(name)})"
            fix = 'extend one of JupyterHub\'s, such as {% extends "templates/page.html" %}'
            yield Problem(id="pages.template-missing", path=place, what=what, fix=fix)
        if name == file.name:
            what = "extends itself, so the hub could not show it"
            fix = f'write {{% extends "templates/{file.name}" %}}'
            yield Problem(id="pages.extends-itself", path=place, what=what, fix=fix)


def page_settings(pages: HubPages, files: PageFiles) -> Mapping[str, object]:
    """What the hub is told of its pages (components/hub/files/jupyterhub_aws_pages.py)."""
    found: dict[str, object] = {
        "title": pages.title,
        "helpLinks": pages.help_links,
        "termsUrl": pages.terms_url,
        "terms": pages.terms or ("By signing in you accept the" if pages.terms_url else ""),
        "logo": None if files.logo is None else files.logo.name,
        "templates": [item.name for item in files.templates],
        "static": [item.name for item in files.static],
    }
    return {key: value for key, value in found.items() if value}
