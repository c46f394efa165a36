"""A hub's own pages: which files are taken, what is said of the others, and what the hub gets."""

from __future__ import annotations

import base64
import importlib.resources
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN, hub_problems
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.pages import ALL_BYTES, FILE_BYTES, TEMPLATES
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from tests.support.stack_files import ROOT, changed, config_of, dev_stack, engine_values

_PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def stack_of(where: Path, base: str = "", **pages: Any) -> StackConfig:
    start = config_of(ROOT / base) if base else dev_stack()
    values, secret = engine_values(changed(start, put={"hubs.main.pages": pages}))
    return load(values, secret=secret, source="Pulumi.dev.yaml").at(where)


def problems(where: Path, base: str = "", **pages: Any) -> list[Problem]:
    return list(hub_problems(stack_of(where, base, **pages), "main"))


def told(where: Path, base: str = "", **pages: Any) -> dict[str, str]:
    return {item.id: item.path for item in problems(where, base, **pages)}


def test_the_templates_are_those_of_this_jupyterhub() -> None:
    folder = Path(sysconfig.get_path("data")) / "share/jupyterhub/templates"
    assert {item.name for item in folder.iterdir()} == TEMPLATES
    assert importlib.resources.files("jupyterhub").is_dir()


def test_what_the_hub_gets(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (tmp_path / "logo.png").write_bytes(_PNG)
    (pages / "login.html").write_text('{% extends "templates/login.html" %}')
    (pages / "campus.svg").write_text("<svg/>")
    (pages / "photo.jpg").write_bytes(b"\xff\xd8")
    (pages / ".DS_Store").write_bytes(b"x")
    stack = stack_of(
        tmp_path, title="Lab", logo="logo.png", folder="pages", help_links={"Help": "https://a.org"},
        terms_url="https://a.org/terms",
    )  # fmt: skip
    assert list(hub_problems(stack, "main")) == []
    values = hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images)
    files = {
        key: item
        for key, item in values["hub"]["extraFiles"].items()
        if item["mountPath"].startswith("/etc/jupyterhub-aws/pages/")
    }
    assert {item["mountPath"].removeprefix("/etc/jupyterhub-aws/pages/") for item in files.values()} == {
        "ours/page.html", "templates/login.html", "static/campus.svg", "static/photo.jpg",
        "logo/logo.png",
    }  # fmt: skip
    assert base64.b64decode(files["pages-logo-logo.png"]["binaryData"]) == _PNG
    assert files["pages-static-campus.svg"]["stringData"] == "<svg/>"
    assert values["custom"]["jupyterhubAws"]["pages"] == {
        "folder": "/etc/jupyterhub-aws/pages",
        "title": "Lab",
        "helpLinks": {"Help": "https://a.org"},
        "termsUrl": "https://a.org/terms",
        "terms": "By signing in you accept the",
        "logo": "logo.png",
        "templates": ["login.html"],
        "static": ["campus.svg", "photo.jpg"],
    }


def test_a_hub_without_it_gets_nothing() -> None:
    values, secret = engine_values(dev_stack())
    stack = load(values, secret=secret, source="x")
    found = hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images)
    assert "pages" not in found["custom"]["jupyterhubAws"]
    assert not any("pages" in key for key in found["hub"]["extraFiles"])


@pytest.mark.parametrize(
    ("name", "content", "which"),
    [
        ("page.html", "{% if %}", "pages.template"),
        ("page.html", "{% extends 'templates/page.html' %}{% block main %}", "pages.template"),
        ("page.html", "{{ user.name }", "pages.template"),
        ("page.html", "{% nothing %}", "pages.template"),
        ("login.html", "{% extends 'templates/logni.html' %}", "pages.template-missing"),
        ("login.html", "{% include 'banner.html' %}", "pages.template-missing"),
        ("login.html", "{% extends 'login.html' %}", "pages.extends-itself"),
        (
            "home.html",
            "<script src='https://cdn.example.org/x.js'></script>",
            "pages.remote-script",
        ),
        ("home.html", "<SCRIPT async\n src=//cdn.example.org/x.js>", "pages.remote-script"),
        ("home.html", b"\xff\xfe", "pages.not-text"),
        ("a.css", b"\xff\xfe", "pages.not-text"),
        ("a.png", b"GIF89a", "pages.not-a-picture"),
        ("a.svg", b"hello", "pages.not-a-picture"),
        ("a.css", b"x" * (FILE_BYTES + 1), "pages.too-large"),
    ],
)
def test_a_file_that_is_refused(
    tmp_path: Path, name: str, content: str | bytes, which: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert told(tmp_path, folder=".") == {which: f"hubs.main.pages.folder.{name}"}


@pytest.mark.parametrize("name", ["pages.html", "README.md", "x.js", "a b.png", "ünï.png", "x.gif"])
def test_a_file_that_is_no_page(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    (problem,) = problems(tmp_path, folder=".")
    assert (problem.id, problem.path) == ("pages.unknown-file", "hubs.main.pages.folder")


def test_a_folder_inside_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "login.html").mkdir()
    assert told(tmp_path, folder=".") == {"pages.unknown-file": "hubs.main.pages.folder"}


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert told(tmp_path, folder="pages", logo="logo.svg") == {
        "pages.no-folder": "hubs.main.pages.folder",
        "pages.unreadable": "hubs.main.pages.logo",
    }
    (tmp_path / "pages").mkdir()
    assert told(tmp_path, folder="pages") == {"pages.no-folder": "hubs.main.pages.folder"}


def test_many_small_files_are_too_large_together(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.css").write_bytes(b"x" * (ALL_BYTES // 3))
    assert told(tmp_path, folder=".") == {}
    (tmp_path / "logo.svg").write_bytes(b"<svg/>  ")
    assert told(tmp_path, folder=".", logo="logo.svg") == {"pages.too-large": "hubs.main.pages"}


def test_an_own_page_would_hide_the_options(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{% extends "templates/page.html" %}')
    assert told(tmp_path, folder=".") == {}
    assert told(tmp_path, folder=".", terms="Be nice") == {
        "pages.page-twice": "hubs.main.pages.folder"
    }


@pytest.mark.parametrize(
    "text",
    [
        "<img src='https://a.org/x.png'>",
        "<link rel=stylesheet href=//a.org/x.css>",
        "<style>body { background: url( 'http://a.org/x.png' ) }</style>",
    ],
)
def test_an_isolated_network_loads_nothing_of_another_host(tmp_path: Path, text: str) -> None:
    (tmp_path / "home.html").write_text(text)
    assert told(tmp_path, folder=".") == {}
    assert told(tmp_path, "Pulumi.airgap.yaml", folder=".") == {
        "pages.remote-file": "hubs.main.pages.folder.home.html"
    }
    (tmp_path / "home.html").write_text(
        "<a href='https://a.org'>Help</a><img src='{{ base_url }}x'>"
    )
    assert told(tmp_path, "Pulumi.airgap.yaml", folder=".") == {}
