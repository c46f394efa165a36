"""The page of a difference and the comment, in a real browser: on a phone and on a desk, in
light and in the dark.
"""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

from jupyterhub_aws.changes.gate import judged
from jupyterhub_aws.diff.markdown import markdown
from jupyterhub_aws.diff.show import page
from tests.real.test_page_in_browser import (
    CHROMIUM,
    CONTRASTS,
    CUT,
    LEAST_CONTRAST,
    NARROW,
    NOT_RUN,
    WIDE,
    violations,
)
from tests.support.differences import found

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(CHROMIUM is None, reason=f"no chromium on PATH: {NOT_RUN}"),
]
NAMES = ("settings: options taken away", "nodes: the group goes", "nothing")


@pytest.fixture(scope="module")
def differences():
    """Made before the browser is there: its loop and the program's cannot run in one thread."""
    return {name: found(name) for name in NAMES}


@pytest.fixture(scope="module")
def browser(differences):
    assert differences
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(
    params=[(size, scheme) for size in ("narrow", "wide") for scheme in ("light", "dark")],
    ids=lambda item: "-".join(item),
)
def tab(browser, request):
    size, scheme = request.param
    tab = browser.new_page(
        viewport=NARROW if size == "narrow" else WIDE, color_scheme=scheme, reduced_motion="reduce"
    )
    tab.said = []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on(
        "request",
        lambda wanted: tab.said.append(wanted.url) if wanted.url.startswith("http") else None,
    )
    yield tab
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_legible_and_stays_inside_the_screen(tab, tmp_path, differences, name):
    difference = differences[name]
    file = tmp_path / "difference.html"
    file.write_text(page(difference, judged(difference)), encoding="utf-8")
    tab.goto(file.as_uri())
    for fold in tab.locator("details").all():
        fold.evaluate("node => node.open = true")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [item for item in tab.evaluate(CONTRASTS) if item[0] < LEAST_CONTRAST] == []
    assert tab.evaluate(CUT) == []
    assert tab.said == [], "it loads nothing, and nothing on it fails"


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_violation(tab, tmp_path, differences, name):
    difference = differences[name]
    file = tmp_path / "difference.html"
    file.write_text(page(difference, judged(difference)), encoding="utf-8")
    tab.goto(file.as_uri())
    assert violations(tab) == []


def test_money_is_first_then_users_then_resources(tab, tmp_path, differences):
    difference = differences["nodes: the group goes"]
    file = tmp_path / "difference.html"
    file.write_text(page(difference, judged(difference)), encoding="utf-8")
    tab.goto(file.as_uri())
    found = tab.evaluate("[...document.querySelectorAll('main > section[id]')].map((x) => x.id)")
    assert found == ["money", "effects", "resources"]
    assert "3,000.00 less" in tab.locator("#money .card").nth(1).inner_text()
    assert "1 deleted" in tab.locator("main > section").first.inner_text()


def test_the_lines_of_a_review_are_copied_by_their_button(tab, tmp_path, differences):
    difference = differences["settings: options taken away"]
    file = tmp_path / "difference.html"
    file.write_text(page(difference, judged(difference)), encoding="utf-8")
    tab.goto(file.as_uri())
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # It is said for some seconds only: what a busy machine would miss is kept.
    tab.evaluate(
        "window.said = []; new MutationObserver(() => said.push(document.querySelector('.copied').textContent))"
        ".observe(document.querySelector('.copied'), {childList: true})"
    )
    tab.locator(".gate summary").click()
    tab.locator(".gate .copy").click()
    lines = [needed.line for needed in judged(difference).missing]
    tab.wait_for_function("window.said.length > 0")
    assert tab.evaluate("window.said[0]") == "Copied."
    assert tab.evaluate("navigator.clipboard.readText()").splitlines() == lines


def test_old_and_new_values_are_lines_of_their_own(tab, tmp_path, differences):
    difference = differences["settings: options taken away"]
    file = tmp_path / "difference.html"
    file.write_text(page(difference), encoding="utf-8")
    tab.goto(file.as_uri())
    tab.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")
    both = tab.locator("#resources pre:has(ins):has(del)").first
    lines = both.inner_text().rstrip().splitlines()
    assert len(lines) >= both.locator("ins, del").count() >= 2
    assert all(line.startswith(("+", "-", " ", "@")) for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_the_comment_is_folded_and_stays_inside_the_screen(tab, tmp_path, differences, name):
    difference = differences[name]
    text = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        markdown(difference, judged(difference))
    )
    style = (
        "body{font:14px/1.5"
        " sans-serif;max-width:48rem;overflow-wrap:break-word}pre,table{overflow:auto;display:block}"
    )
    file = tmp_path / "comment.html"
    file.write_text(
        "<meta charset=utf-8><meta name=viewport"
        f" content='width=device-width'><style>{style}</style>{text}",
        encoding="utf-8",
    )
    tab.goto(file.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    folds = tab.locator("details")
    assert folds.count() > 0 or name == "nothing"
    assert all(not fold.evaluate("node => node.open") for fold in folds.all())
    assert "\\" not in tab.locator("body").inner_text(), "an escape shows"
