"""The page of `jhub plan --html` in a real browser: what a person clicks, on a desk, on a phone,
in the dark and on paper.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NOT_RUN = "the page was not looked at in a browser"
ROOT = Path(__file__).resolve().parents[2]
JHUB = str(Path(sys.prefix) / "bin" / "jhub")
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
NARROW, WIDE = {"width": 360, "height": 780}, {"width": 1280, "height": 900}
#: WCAG 2.2, 1.4.3: text on its background.
LEAST_CONTRAST = 4.5

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(CHROMIUM is None, reason=f"no chromium on PATH: {NOT_RUN}"),
]

#: Every text on the page with the contrast to what is painted behind it: HTML by computed
#: backgrounds, SVG by the box that it is in.
CONTRASTS = """() => {
  const rgb = (text) => { const c = text.match(/[\\d.]+/g).map(Number); return c.length > 3 && c[3] === 0 ? null : c; };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => {
    const v = c[i] / 255; return sum + part * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      if (at.namespaceURI.endsWith("svg")) {
        const shape = at.localName === "g" && at.querySelector(":scope > rect, :scope > circle");
        const fill = shape && !shape.classList.contains("bar") && rgb(getComputedStyle(shape).fill);
        if (fill) return fill;
      } else { const back = rgb(getComputedStyle(at).backgroundColor); if (back) return back; }
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || ["SCRIPT", "STYLE", "title", "desc"].includes(node.tagName) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = rgb(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(node))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walk.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""
#: Words of the picture that leave their box, or are smaller than eleven pixels.
OUTSIDE = """() => [...document.querySelectorAll('.topology .node, .topology .part')].flatMap((group) => {
  const box = group.querySelector('rect').getBBox();
  return [...group.querySelectorAll('text')].filter((text) => {
    const at = text.getBBox();
    return at.x < box.x || at.x + at.width > box.x + box.width || at.y < box.y || at.y + at.height > box.y + box.height + 1
      || parseFloat(getComputedStyle(text).fontSize) < 11;
  }).map((text) => text.textContent);
})"""

#: The colour of the page, and of a box in its picture.
PAINTED = """() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.topology .core rect')).fill]"""


@dataclass
class Watched:
    """A page in a browser, and what it should not have done."""

    page: Page
    noise: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("page") / "plan.html"
    subprocess.run(
        [JHUB, "plan", "dev", "--html", str(target), "--as-of", "2026-11-23"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return target


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Watched]:
    """The page at a desk. Whatever it did, it wrote nothing to the console and asked nobody for
    anything.
    """
    context = browser.new_context(viewport=WIDE, color_scheme=request.param)  # type: ignore[arg-type] -- of plain dictionaries
    found = Watched(page=context.new_page())
    found.page.on("console", lambda message: found.noise.append(message.text))
    found.page.on("pageerror", lambda error: found.noise.append(str(error)))
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.goto(file.as_uri())
    yield found
    assert found.noise == []
    assert [url for url in found.requests if not url.startswith((file.as_uri(), "data:"))] == []
    context.close()


def test_a_component_opens_down_to_the_inputs_of_a_resource(watched: Watched) -> None:
    page = watched.page
    network, vpc = page.locator("#r-network-Network"), page.locator("#r-network-vpc-Vpc")
    expect(vpc).not_to_be_visible()
    network.locator(":scope > summary").click()
    vpc.locator(":scope > summary").click()
    expect(vpc.get_by_role("cell", name="10.0.0.0/16")).to_be_visible()
    vpc.get_by_role("link", name="network", exact=True).click()
    assert page.url.endswith("#r-network-Network")


def test_the_filter_finds_by_name_type_and_meaning(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("Filter", exact=True).fill("efs mounttarget")
    expect(page.locator("#found")).to_have_text(re.compile(r"^3 of \d+ resources$"))
    expect(page.locator("#r-homes-mount-target-a-MountTarget")).to_be_visible()
    expect(page.locator("#r-network-Network")).not_to_be_visible()
    page.get_by_label("Filter", exact=True).fill("")
    expect(page.locator("#r-network-Network")).to_be_visible()
    expect(page.locator("#r-homes-mount-target-a-MountTarget")).not_to_be_visible()
    page.get_by_role("button", name="Open all parts").click()
    expect(page.locator("#r-homes-mount-target-a-MountTarget")).to_be_visible()
    page.get_by_role("button", name="Close all parts").click()
    expect(page.locator("#r-homes-mount-target-a-MountTarget")).not_to_be_visible()


def test_a_finding_leads_to_what_it_is_about_even_while_a_filter_hides_it(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("Filter", exact=True).fill("nothing has this name")
    expect(page.locator("#found")).to_have_text(re.compile("^0 of"))
    page.locator("#checks .finding a").first.click()
    target = page.locator(f"[id='{page.url.rpartition('#')[2]}']")
    expect(target).to_be_in_viewport()
    expect(target).to_have_attribute("open", "")


def test_a_box_of_the_picture_leads_to_its_resource(watched: Watched) -> None:
    page = watched.page
    page.locator(".topology a", has_text="Internet gateway").click()
    expect(page.locator("#r-network-internet-gateway-InternetGateway")).to_be_in_viewport()
    page.go_back()
    page.locator(".topology a", has_text="Core nodes").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#r-pools-core-group-NodeGroup")).to_be_in_viewport()


def test_the_contents_lead_to_every_section(watched: Watched) -> None:
    page = watched.page
    links = page.locator("nav a")
    for index in range(links.count()):
        links.nth(index).click()
        expect(page.locator(f"{links.nth(index).get_attribute('href')}")).to_be_in_viewport()


def test_a_policy_is_read_in_words_and_as_a_document(watched: Watched) -> None:
    role = watched.page.locator("#access details.role", has_text="jhub-dev-cluster-autoscaler")
    role.locator(":scope > summary").click()
    expect(role.get_by_text("may autoscaling:SetDesiredCapacity")).to_be_visible()
    role.get_by_text("as JSON").last.click()
    expect(role.locator("pre").last).to_contain_text('"Effect": "Allow"')


def test_every_text_is_legible(watched: Watched) -> None:
    page = watched.page
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 1000
    assert [pair for pair in contrasts if pair[0] < LEAST_CONTRAST] == []


def test_words_of_the_picture_stay_in_their_boxes(watched: Watched) -> None:
    assert watched.page.evaluate(OUTSIDE) == []


def test_nothing_runs_over_the_edge_of_a_phone(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] -- a plain dictionary
    for closed in (True, False):
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], (
            f"with details closed: {closed}"
        )
        page.evaluate(
            "document.querySelectorAll('details').forEach((item) => { item.open = true; })"
        )
    picture = page.locator(".picture")
    assert picture.evaluate("(box) => box.scrollWidth > box.clientWidth"), (
        "the picture keeps its size and moves in its own box"
    )


def test_paper_shows_everything_and_the_screen_is_as_before(watched: Watched) -> None:
    page = watched.page
    closed = page.locator("details:not([open])").count()
    assert closed > 100
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    expect(page.locator("nav")).not_to_be_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == closed
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_dark_and_light_differ(browser: Browser, file: Path) -> None:
    shots, colours = {}, {}
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=WIDE, color_scheme=scheme)  # type: ignore[arg-type] -- of plain dictionaries
        page.goto(file.as_uri())
        shots[scheme] = page.locator(".picture").screenshot()
        colours[scheme] = page.evaluate(PAINTED)
        page.close()
    assert shots["light"] != shots["dark"]
    assert not set(colours["light"]) & set(colours["dark"])
