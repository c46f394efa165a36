"""The site in a real browser: page by page on a desk and on a phone, in the light and in the dark,
without JavaScript, from a server and from a folder; and what its search answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.site.conftest import CHROMIUM, NO_BROWSER, Site

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
#: Part of every page; it is looked at on the first page of each folder.
_REPEATED = [[".md-sidebar"], [".md-header"], [".md-tabs"], [".md-footer"]]
_RUN = """([spared, options]) => axe.run(
  {include: [["html"]], exclude: spared}, {resultTypes: ["violations"], ...options},
).then((found) => found.violations.map((it) => `${it.id}: ${it.nodes[0].html.slice(0, 160)} (${it.nodes.length} times)`))"""
#: Everything but colours; colours alone; what another width may change.
_SHAPE: dict[str, Any] = {"rules": {"color-contrast": {"enabled": False}}}
_COLOUR: dict[str, Any] = {"runOnly": ["color-contrast"]}
_PHONE: dict[str, Any] = {"runOnly": ["scrollable-region-focusable", "label", "button-name"]}
_STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"

#: What newcomers ask, and the pages that answer: one of them is among the first three results.
QUESTIONS = {
    "how do I let users read a bucket": ("aws-access", "buckets"),
    "kernel dies": ("kernels-and-memory",),
    "add an admin": ("administrators",),
    "pod pending": ("pending",),
    "change home size": ("home-size",),
    "pause over summer": ("pause", "operations"),
    "certificate expires": ("certificates", "certificate-ending"),
    "move to 1.36": ("upgrading-kubernetes",),
    "who is using GPUs": ("gpus", "daily-operations"),
    "what does it cost": ("costs", "index"),
}


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    started = driver.chromium.launch(
        executable_path=CHROMIUM, headless=True, args=["--no-sandbox"]
    )
    yield started
    started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def watched(context: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """A page, and everything that it should not have done."""
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    host = urlsplit(address).netloc

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != host:
            faults.append(f"{page.url} asks {url}")

    page.on("request", lambda request: asked(request.url))
    return page, faults


def looked_into(pages: list[str]) -> set[str]:
    """Pages in which each element is judged, which takes seconds: all that are written by hand, and
    of each folder of generated ones, which are made by one function, the first two and one more.
    """
    chosen = {"reference/homes.html", "api/buckets.html", "commands/adopt.html", "problems.html"}
    for folder in {page.rpartition("/")[0] for page in pages}:
        within = [page for page in pages if page.rpartition("/")[0] == folder]
        generated = folder in ("reference", "commands", "problems", "api")
        chosen |= set(within[:2] if generated else within)
    return chosen & set(pages)


def test_each_page_has_no_fault_of_accessibility_and_fits_a_phone(
    site: Site, address: str, browser: Browser, axe: str
) -> None:
    context = browser.new_context(viewport=DESK, color_scheme="light")  # type: ignore[arg-type] # of plain dictionaries
    page, faults = watched(context, address)
    seen: set[str] = set()
    chosen = looked_into(site.pages)
    assert len(chosen) > 50
    for name in site.pages:
        page.goto(address + name)
        page.add_style_tag(content=_STILL)
        if name in chosen:
            page.evaluate(axe)
            folder = name.rpartition("/")[0]
            spared = _REPEATED if folder in seen else []
            seen.add(folder)
            faults += [f"{name}: {it}" for it in page.evaluate(_RUN, [spared, _SHAPE])]
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function(
                    "(dark) => (document.body.dataset.mdColorScheme === 'slate') === dark",
                    arg=scheme == "dark",
                )
                found = page.evaluate(_RUN, [spared, _COLOUR])
                faults += [f"{name}, {scheme}: {it}" for it in found]
            page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.evaluate("dispatchEvent(new Event('resize'))")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        faults += [f"{name} is {wide} px wider than a phone"] if wide > 0 else []
        faults += [f"{name}, phone: a table hides {it} px" for it in page.evaluate(_HIDDEN)]
        if name in chosen:
            found = page.evaluate(_RUN, [spared, _PHONE])
            faults += [f"{name}, phone: {it}" for it in found]
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
    context.close()
    assert faults == []


#: How much of a table a narrow screen does not show.
_HIDDEN = """[...document.querySelectorAll('.md-typeset__scrollwrap, .md-typeset__table')]
  .map(it => it.scrollWidth - it.clientWidth).filter(hidden => hidden > 2)"""


def test_a_fault_would_be_found(address: str, browser: Browser, axe: str) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(address + "index.html")
    page.evaluate(axe)
    page.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend', '<p style=\"width: 900px; color: #ccc;"
        " background: #fff\">pale</p><img src=\"assets/x.png\">')"
    )
    found = page.evaluate(_RUN, [_REPEATED, {}])
    assert {it.partition(":")[0] for it in found} >= {"image-alt", "color-contrast"}
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0
    page.goto(address + "exit-codes.html")
    assert page.evaluate(_HIDDEN) == []
    page.add_style_tag(content=".md-typeset td { min-width: 9rem !important }")
    assert page.evaluate(_HIDDEN) != []
    page.close()


def test_each_page_is_read_without_javascript(site: Site, address: str, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page, faults = watched(context, address)
    for name in site.pages:
        page.goto(address + name, wait_until="domcontentloaded")
        expect(page.locator("article h1").first).to_be_visible()
        text = page.locator("article").inner_text()
        if len(text) < 40:
            faults.append(f"{name} shows only {text!r}")
    # The navigation opens by a label and a check box: no script is needed for it.
    page.goto(address + "index.html")
    link = page.locator(".md-nav--primary").get_by_role("link", name="Tutorials")
    page.locator("label.md-header__button[for=__drawer]").click()
    expect(link).to_be_in_viewport()
    context.close()
    desk = browser.new_context(viewport=DESK, java_script_enabled=False)  # type: ignore[arg-type]
    page = desk.new_page()
    page.goto(address + "index.html")
    page.get_by_role("link", name="Reference", exact=True).first.click()
    assert page.url.endswith("reference.html")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Options of a stack file")
    desk.close()
    assert faults == []


def results(page: Page, query: str, count: int = 3) -> list[str]:
    """The paths of the first results that the site's own search shows for a question."""
    field = page.locator("[data-md-component=search-query]")
    if not field.is_visible():
        page.locator("label.md-header__button[for=__search]").click()
    field.click()
    field.fill("zzzz")
    field.press("End")  # the page listens to keys
    meta = page.locator(".md-search-result__meta")
    expect(meta).to_have_text("No matching documents", timeout=30_000)
    field.fill(query)
    field.press("End")
    expect(meta).to_have_text(re.compile(r"\d+ matching document"), timeout=30_000)
    items = page.locator(".md-search-result__list > .md-search-result__item").all()[:count]
    links = [item.locator(".md-search-result__link").first for item in items]
    return [urlsplit(str(link.get_attribute("href"))).path for link in links]


@pytest.fixture(scope="module")
def searching(address: str, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(address + "glossary.html")
    yield page
    page.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_search_answers_a_newcomer(searching: Page, question: str) -> None:
    found = results(searching, question)
    names = [path.rpartition("/")[2].removesuffix(".html") for path in found]
    assert set(names) & set(QUESTIONS[question]), found


def test_an_option_and_a_command_are_hits_of_their_own(searching: Page) -> None:
    for query, page, anchor in (
        ("pools.core.instance_types", "reference/pools.html", "#pools.core.instance_types"),
        ("jhub adopt scan", "commands/adopt.html", "#jhub-adopt-scan"),
        ("SpotFirst", "api/cluster.html", "#jupyterhub_aws.SpotFirst"),
    ):
        assert any(path.endswith(page) for path in results(searching, query)), query
        links = searching.locator(".md-search-result__link").all()
        hits = [str(link.get_attribute("href")) for link in links]
        assert any(f"{page}?" in hit and hit.endswith(anchor) for hit in hits), (query, hits[:9])


def test_the_site_works_from_a_folder(site: Site, browser: Browser) -> None:
    """Opened as files: links lead on, the search answers, and nothing is asked of a host."""
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page, faults = watched(context, "file:///")
    page.goto((site.folder / "index.html").as_uri())
    page.get_by_role("link", name="Options of a stack file", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.startswith("file://") and page.url.endswith(".html")
    assert any("upgrading-kubernetes" in path for path in results(page, "upgrade kubernetes"))
    page.goto((site.folder / "reference.html").as_uri() + "#pools.core.size")
    page.wait_for_url("**/reference/pools.html#pools.core.size")
    context.close()
    assert faults == []
