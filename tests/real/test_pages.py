"""A hub's own pages on a real JupyterHub: logo, title, links, terms, own templates and files, and
what becomes of a broken one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN, hub_problems
from jupyterhub_aws.config.specs import resolve
from tests.support.directory_stacks import stack_with
from tests.support.hub_boot import Hub, booted, missing_for_a_hub

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_a_hub()), reason=missing_for_a_hub()),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_PASSWORD = "u" * 12
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><circle r="9"/></svg>'
_OPTIONS = {
    "title": "Campus <Lab>",
    "help_links": {"Help & docs": "https://help.example.org/?a=1&b=2"},
    "terms_url": "https://example.org/terms",
}


def values_of(where: Path, pages: dict[str, Any]) -> dict[str, Any]:
    section = {"kind": "shared_password", "usernames": "simple"}
    stack = stack_with(section, f"hubs.main.pages={json.dumps(_OPTIONS)}")
    found = stack.hubs["main"].pages
    assert found is not None
    hub = stack.hubs["main"].model_copy(update={"pages": type(found)(**pages)})
    stack = stack.model_copy(update={"hubs": {**stack.hubs, "main": hub}}).at(where)
    assert list(hub_problems(stack, "main")) == []
    text = json.dumps(hub_values(resolve(stack).hubs["main"], UNKNOWN, resolve(stack).images))
    values: dict[str, Any] = json.loads(text.replace('"[secret]"', json.dumps("0" * 64)))
    return values


def boot(values: dict[str, Any], folder: Path) -> Any:
    passwords = {"SharedPasswordAuthenticator": {"user_password": _PASSWORD}}
    return booted(values, folder, secret={"hub": {"config": passwords}})


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Options, and a folder with a page of its own and a picture."""
    where = tmp_path_factory.mktemp("pages")
    (where / "own").mkdir()
    (where / "logo.svg").write_text(_SVG)
    (where / "own" / "campus.svg").write_text(_SVG)
    (where / "own" / "home.html").write_text(
        '{% extends "templates/home.html" %}{% block main %}<p id="own">Hello {{ user.name }}</p>'
        '<img src="{{ base_url }}pages/campus.svg">{{ super() }}{% endblock %}'
    )
    values = values_of(where, {**_OPTIONS, "logo": "logo.svg", "folder": "own"})
    with boot(values, where / "hub") as found:
        yield found


def test_the_sign_in_page(hub: Hub) -> None:
    page = requests.get(f"{hub.url}/hub/login", timeout=10)
    assert page.status_code == 200 and 'type="password"' in page.text
    assert re.search(r"<title>\s*Campus &lt;Lab&gt;\s*</title>", page.text)
    assert 'href="https://help.example.org/?a=1&amp;b=2"' in page.text
    assert ">Help &amp; docs</a>" in page.text
    assert re.search(
        r"By signing in you accept the\s+<a\s+href=\"https://example.org/terms\"", page.text
    )
    found = re.search(r"<img src='(/hub/logo[^']*)'", page.text)
    assert found is not None
    logo = requests.get(f"{hub.url}{found[1]}", timeout=10)
    assert (logo.text, logo.headers["Content-Type"]) == (_SVG, "image/svg+xml")


def test_other_pages_and_files(hub: Hub) -> None:
    _, ada = hub.sign_in("ada", _PASSWORD)
    page = hub.page(ada, "/hub/home").text
    assert '<p id="own">Hello ada</p>' in page and 'id="start"' in page, "the default one around it"
    assert "Help &amp; docs" in page and "you accept" not in page
    assert "Help &amp; docs" in hub.page(ada, "/hub/token").text
    missing = hub.page(ada, "/hub/nowhere")
    assert missing.status_code == 404 and "Help &amp; docs" in missing.text
    picture = requests.get(f"{hub.url}/hub/pages/campus.svg", timeout=10)
    assert (picture.text, picture.headers["Content-Type"]) == (_SVG, "image/svg+xml")
    assert picture.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in (
        "home.html",
        "../templates/home.html",
        "..%2ftemplates%2fhome.html",
        "nothing.svg",
    ):
        answer = requests.get(f"{hub.url}/hub/pages/{path}", timeout=10)
        assert "{% extends" not in answer.text and answer.status_code in (403, 404), path


def test_a_broken_template_does_not_take_the_hub_down(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "page.html").write_text('{% extends "templates/page.html" %}')
    values = values_of(tmp_path, {"folder": "own"})
    ((key, file),) = [
        (key, item)
        for key, item in values["hub"]["extraFiles"].items()
        if key == "pages-templates-page.html"
    ]
    assert key and "extends" in file["stringData"]
    for broken in ("{% if %}", '{% extends "page.html" %}'):
        file["stringData"] = broken  # as a plan refuses it
        with boot(values, tmp_path / f"hub-{len(broken)}") as hub:
            page = requests.get(f"{hub.url}/hub/login", timeout=10)
            assert page.status_code == 200 and 'type="password"' in page.text
            assert "The hub's own pages are not shown: page.html" in hub.log
