"""The pages of the documentation: generated ones are fresh, each is in the navigation, and what the
landing page says is what the plan says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from markdown_it import MarkdownIt

import jupyterhub_aws
from jupyterhub_aws.cli.command_pages import command_pages
from jupyterhub_aws.cli.group import jhub
from jupyterhub_aws.config.reference import reference_pages
from jupyterhub_aws.config.stack_file import find, read
from scripts.site.picture import AS_OF, pictures
from tests.support.stack_files import ROOT
from tests.support.stacks import plan_once

DOCS = ROOT / "docs"
#: Folders whose pages are in the site and in no menu: a page has those of their overview.
NOT_IN_THE_MENU = ("problems",)


@pytest.fixture(scope="module")
def site_file() -> dict[str, Any]:
    class Loader(yaml.SafeLoader):
        """Reads mkdocs.yml, whose tag for a function is not of YAML's own."""

    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, tag, node: tag)
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=Loader)  # noqa: S506 -- safe, with one tag more
    return found


def entries(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    below = nav.values() if isinstance(nav, dict) else nav
    return [path for item in below for path in entries(item)]


def test_every_page_is_in_the_navigation_once(site_file: dict[str, Any]) -> None:
    listed = entries(site_file["nav"])
    folders = [item.removesuffix("/*") for item in listed if item.endswith("/*")]
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    within = {page for page in pages if page.rpartition("/")[0] in folders}
    beside = {page for page in pages if page.rpartition("/")[0] in NOT_IN_THE_MENU}
    assert site_file["not_in_nav"].split() == [f"/{folder}/*.md" for folder in NOT_IN_THE_MENU]
    assert pages - within - beside == set(listed) & pages
    named = [item for item in listed if not item.endswith("/*")]
    assert len(named) == len(set(named)) and not within & set(named)
    for item in named:
        path = (
            ROOT / item.removeprefix("repository/")
            if item.startswith("repository/")
            else DOCS / item
        )
        assert path.is_file() or (path.parent.is_dir() and path.name == "README.md"), item


def test_each_runbook_is_listed() -> None:
    folder = DOCS / "runbooks"
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("[!R]*.md")) != []


def test_the_generated_pages_are_fresh() -> None:
    for name, text in {**reference_pages(), **command_pages()}.items():
        assert (DOCS / name).is_file(), f"docs/{name} is missing: run `make docs`"
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"docs/{name}: run `make docs`"
    for folder, pages in (("reference", reference_pages()), ("commands", command_pages())):
        there = {path.relative_to(DOCS).as_posix() for path in (DOCS / folder).iterdir()}
        assert there == {name for name in pages if name.startswith(f"{folder}/")}


def leaves(command: click.Command, context: click.Context) -> list[tuple[str, click.Command, click.Context]]:  # fmt: skip
    own = click.Context(command, info_name=context.info_name, parent=context.parent)
    if not isinstance(command, click.Group):
        return [(own.command_path, command, own)]
    found = []
    for name in command.list_commands(own):
        below = command.get_command(own, name)
        assert below is not None
        found += leaves(below, click.Context(below, info_name=name, parent=own))
    return found


def test_each_command_has_a_heading_its_options_and_its_examples() -> None:
    pages = command_pages()
    commands = leaves(jhub, click.Context(jhub, info_name="jhub"))
    assert len(commands) > 40
    for path, command, context in commands:
        page = pages[f"commands/{path.split()[1]}.md"]
        section = re.search(rf"(?ms)^#+ `{re.escape(path)}`$(.*?)(?=^#+ `|\Z)", page)
        assert section, path
        for option in command.get_params(context):
            if (
                isinstance(option, click.Option)
                and "--help" not in option.opts
                and not option.hidden
            ):
                assert all(f"{name}" in section[1] for name in option.opts), (path, option.opts)
        for line, _ in getattr(command, "examples", ()):
            assert line in section[1], path
        assert f"(commands/{path.split()[1]}.md)" in pages["commands.md"]


def test_text_of_a_command_is_not_read_as_html() -> None:
    markdown = MarkdownIt("commonmark", {"html": True})
    for name, page in command_pages().items():
        kinds = {
            (child.type, child.content)
            for token in markdown.parse(page)
            for child in [token, *(token.children or ())]
            if child.type in ("html_inline", "html_block")
        }
        assert {text for _, text in kinds if not text.startswith("<!-- Generated")} == set(), name


def test_what_click_leaves_as_it_is_becomes_a_list() -> None:
    pages = command_pages()
    assert "- `__main__.py`: the program" in pages["commands/init.md"]
    found = re.findall(r"(?m)^- `(JHUB_\w+)`: (.*)$", pages["commands/probe.md"])
    assert [name for name, _ in found] == ["JHUB_LDAP_PASSWORD", "JHUB_LDAP_SEARCH_PASSWORD"]
    assert "`pulumi config get`" in found[1][1], "a line that goes on belongs to the one above"


def test_options_in_the_text_of_a_command_are_code_and_ranges_are_words() -> None:
    pages = command_pages()
    assert "With `--list`: as data" in pages["commands/init.md"]
    assert "[adopting](../adopting.md)" in pages["commands/adopt.md"]
    assert "1 to 99" in pages["commands/restore.md"]
    for name, page in pages.items():
        assert "&lt;=x" not in page and "INTEGER" not in page, name
        text = re.sub(r"(?s)```.*?```|`[^`]*`", "", page)
        assert re.findall(r"(?<![\w-])--[a-z-]+(?!>)", text) == [], name


def test_the_api_pages_have_every_public_name_once() -> None:
    found = [
        name
        for path in sorted((DOCS / "api").glob("*.md"))
        for name in re.findall(r"(?m)^::: jupyterhub_aws\.(\w+)$", path.read_text(encoding="utf-8"))
    ]
    public = set(jupyterhub_aws.__all__) - {"__version__"}
    assert len(found) == len(set(found)) and set(found) == public
    overview = (DOCS / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", overview)) - {"jupyterhub_aws"} == public


def test_the_landing_page_says_what_the_plan_says() -> None:
    page = (DOCS / "index.md").read_text(encoding="utf-8")
    plan = plan_once(read(find("dev", ROOT), ()), AS_OF)
    for name, text in pictures(plan).items():
        assert (DOCS / "pictures" / name).read_text(encoding="utf-8") == text, "run `make docs`"
        assert f"pictures/{name}" in page
        used = set(re.findall(r"var\((--[\w-]+)\)", text))
        assert used and used <= set(re.findall(r"(--[\w-]+):", text)), "a colour is not defined"
    assert f"{len(plan.recording.resources)} resources" in page
    cost = plan.cost.as_json()
    for which in ("idle_monthly", "paused_monthly", "maximum_monthly"):
        assert f" {float(cost[which]):,.2f} " in page, which


def test_the_site_names_no_address_of_its_own(site_file: dict[str, Any]) -> None:
    """It works wherever an institution puts it."""
    assert {"site_url", "repo_url", "edit_uri"} & set(site_file) == set()
    assert site_file["theme"]["font"] is False and site_file["use_directory_urls"] is False


def test_links_of_pages_lead_to_files() -> None:
    """On GitHub too, where nothing is built."""
    wrong = []
    for path in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = re.sub(r"(?ms)^ *```.*?^ *```|`[^`\n]+`", "", path.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)\s#]+)", text):
            if not (path.parent / target).exists():
                wrong.append((Path(path).relative_to(ROOT).as_posix(), target))
    assert wrong == []
