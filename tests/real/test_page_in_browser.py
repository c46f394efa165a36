"""The page of `jhub plan --html` in a real browser: what a person clicks, on a desk, on a phone,
in the dark and on paper.
"""

from __future__ import annotations

import itertools
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
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

#: Opens all that is closed.
OPENED = "for (const item of document.querySelectorAll('details')) item.open = true"
#: What is cut: text that ends outside the screen, but for what moves in a region that the keyboard
#: reaches.
CUT = """() => [...document.querySelectorAll('main *, nav *, header *, footer *')].filter((item) => {
  if (!item.getClientRects().length || item.closest('.scroll[tabindex], thead') || item.closest('svg') && item.localName !== 'svg') return false;
  const at = item.getBoundingClientRect();
  return at.right > innerWidth + 1 || at.left < -1;
}).map((item) => `${item.localName}.${item.className} ${item.textContent.slice(0, 40)}`)"""
#: A colour of the page by its name, as the browser writes colours.
COLOUR = """(name) => { const item = document.createElement('i'); item.style.cssText = ''; document.body.append(item);
  const sheet = new CSSStyleSheet(); sheet.replaceSync(`.asked { color: var(${name}) }`); document.adoptedStyleSheets = [sheet];
  item.className = 'asked'; const found = getComputedStyle(item).color; item.remove(); return found; }"""
#: Where the keyboard is, and whether a reader sees it: an outline, or a thick border of a box.
FOCUSED = """() => { const item = document.activeElement; const style = getComputedStyle(item);
  const box = item.querySelector('rect');
  const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 || box && parseFloat(getComputedStyle(box).strokeWidth) >= 3;
  return {what: item.tagName, seen: Boolean(seen), words: item.textContent.slice(0, 40)}; }"""
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"

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


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day on which checks of support dates fail, and an entry that is open to the world."""
    target = tmp_path_factory.mktemp("page") / "failing.html"
    world = ["--set", "hubs.main.entry.allowed_cidrs=[0.0.0.0/0]"]
    world += ["--set", "hubs.main.entry.public=true"]
    done = subprocess.run(
        [JHUB, "plan", "dev", "--html", str(target), "--as-of", "2027-06-01", *world],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return target


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Watched]:
    """The page at a desk. Whatever it did, it wrote nothing to the console and asked nobody for
    anything.
    """
    # Without motion: a scroll that still runs would take the next click away.
    context = browser.new_context(
        viewport=WIDE,  # type: ignore[arg-type] -- a plain dictionary
        color_scheme=request.param,
        reduced_motion="reduce",
    )
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
    network, vpc = page.locator("#r-network"), page.locator("#r-network-vpc")
    expect(vpc).not_to_be_visible()
    network.locator(":scope > summary").click()
    vpc.locator(":scope > summary").click()
    expect(vpc.locator("pre").first).to_contain_text("cidrBlock: 10.0.0.0/16")
    # The page writes types; with a script, an open resource says its URN in full.
    urn = "JupyterHubPlatform$jupyterhub-aws:index:Network$aws:ec2/vpc:Vpc::network-vpc\n"
    expect(vpc.locator("pre").first).to_contain_text(urn)
    assert vpc.locator("pre").first.text_content().startswith("urn:pulumi:dev::")
    page.get_by_label("Filter", exact=True).fill("ec2/vpc:vpc network-vpc")
    expect(page.locator("#found")).to_have_text(re.compile(r"^1 of"))
    page.get_by_label("Filter", exact=True).fill("")
    page.get_by_role("button", name="Open all parts").click()
    page.locator("#resources .res[open] > p a").first.click()
    expect(page.locator(f"[id='{page.url.rpartition('#')[2]}']")).to_be_in_viewport()


def test_the_filter_finds_by_name_type_and_meaning(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("Filter", exact=True).fill("efs mounttarget")
    expect(page.locator("#found")).to_have_text(re.compile(r"^3 of \d+ resources$"))
    expect(page.locator("#r-homes-mount-target-a")).to_be_visible()
    expect(page.locator("#r-network")).not_to_be_visible()
    page.get_by_label("Filter", exact=True).fill("")
    expect(page.locator("#r-network")).to_be_visible()
    expect(page.locator("#r-homes-mount-target-a")).not_to_be_visible()
    page.get_by_role("button", name="Open all parts").click()
    expect(page.locator("#r-homes-mount-target-a")).to_be_visible()
    page.get_by_role("button", name="Close all parts").click()
    expect(page.locator("#r-homes-mount-target-a")).not_to_be_visible()


def test_a_finding_leads_to_what_it_is_about_even_while_a_filter_hides_it(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("Filter", exact=True).fill("nothing has this name")
    expect(page.locator("#found")).to_have_text(re.compile("^0 of"))
    page.locator("#checks .finding a[href^='#r-']").first.click()
    target = page.locator(f"[id='{page.url.rpartition('#')[2]}']")
    expect(target).to_be_in_viewport()
    expect(target).to_have_attribute("open", "")


def test_a_box_of_the_picture_leads_to_its_resource(watched: Watched) -> None:
    page = watched.page
    page.locator(".wide-picture a", has_text="Internet gateway").click()
    expect(page.locator("#r-network-internet-gateway")).to_be_in_viewport()
    page.go_back()
    page.locator(".wide-picture a", has_text="Core nodes").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#r-pools-core-group")).to_be_in_viewport()


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
    role.locator(".meta a").nth(1).click()
    policy = watched.page.locator(f"[id='{watched.page.url.rpartition('#')[2]}']")
    policy.locator(".source > summary").first.click()
    expect(policy.locator(".source pre").first).to_contain_text('"Effect": "Allow"')


def test_every_text_is_legible(watched: Watched) -> None:
    page = watched.page
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 800
    assert [pair for pair in contrasts if pair[0] < LEAST_CONTRAST] == []


def test_words_of_the_picture_stay_in_their_boxes(watched: Watched) -> None:
    assert watched.page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", [360, 390, 768, 1130])
def test_nothing_is_cut_at_the_edge_of_a_screen(watched: Watched, width: int) -> None:
    page = watched.page
    page.set_viewport_size({"width": width, "height": 780})
    for closed in (True, False):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"closed: {closed}"
        assert page.evaluate(CUT) == [], f"closed: {closed}"
        page.evaluate(OPENED)
    tall, wide = page.locator("svg.tall"), page.locator("svg.wide-picture")
    assert (tall.is_visible(), wide.is_visible()) == (
        (True, False) if width < 1120 else (False, True)
    )


def test_the_picture_of_a_phone_leads_to_resources_too(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size(NARROW)  # type: ignore[arg-type] -- a plain dictionary
    page.locator("svg.tall a", has_text="Core nodes").click()
    expect(page.locator("#r-pools-core-group")).to_be_in_viewport()


def test_a_command_is_copied_by_its_button(watched: Watched) -> None:
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    step = page.locator(".next li").last
    expect(step.locator("code")).to_have_text("pulumi up -s dev")
    step.get_by_role("button", name="copy: pulumi up -s dev").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "pulumi up -s dev"


def test_where_the_clipboard_is_closed_the_command_is_selected(watched: Watched) -> None:
    page = watched.page
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: () => Promise.reject()}})"
    )
    page.locator(".next .copy").last.click()
    expect(page.get_by_role("status").filter(has_text="Selected")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == "pulumi up -s dev"


def test_first_the_verdict_then_users_cost_picture_and_the_rest(watched: Watched) -> None:
    tops = watched.page.evaluate(
        "[...document.querySelectorAll('main > section')].map((item) => [item.id, item.getBoundingClientRect().top])"
    )
    assert [name for name, _ in tops][:4] == ["checks", "users", "cost", "topology"]
    assert [top for _, top in tops] == sorted(top for _, top in tops)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_verdict_has_the_colour_that_fits_it(
    browser: Browser, file: Path, failing: Path, scheme: str
) -> None:
    found = {}
    for name, target in (("pass", file), ("fail", failing)):
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type] -- one of the two
        page.goto(target.as_uri())
        names = ("--pass", "--warn", "--fail")
        colours = {item: page.evaluate(COLOUR, item) for item in names}
        heading = page.locator("#checks > h2")
        found[name] = heading.evaluate("(item) => getComputedStyle(item).color")
        chip = heading.locator(".warned")
        assert chip.evaluate("(item) => getComputedStyle(item).color") == colours["--warn"]
        assert found[name] == colours[f"--{name}"]
        page.close()
    assert found["pass"] != found["fail"]


def test_headings_are_in_order_and_one_is_the_first(watched: Watched) -> None:
    levels = watched.page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((item) => Number(item.localName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert [pair for pair in itertools.pairwise(levels) if pair[1] > pair[0] + 1] == []


def test_every_stop_of_the_keyboard_is_seen(watched: Watched) -> None:
    page, seen = watched.page, set()
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    for _ in range(60):
        page.keyboard.press("Tab")
        where = page.evaluate(FOCUSED)
        assert where["seen"], where
        seen.add(where["what"])
    assert {"A", "BUTTON", "SUMMARY", "DIV"} <= seen


def test_the_page_works_without_its_script(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=WIDE)  # type: ignore[arg-type] -- a plain dictionary
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator(".next code").last).to_have_text("pulumi up -s dev")
    assert page.locator(".copy").count() == 0
    page.locator("#r-network > summary").click()
    expect(page.locator("#r-network-vpc > summary")).to_be_visible()
    page.locator("nav a", has_text="Resources").click()
    expect(page.locator("#resources")).to_be_in_viewport()
    context.close()


def test_motion_is_reduced_where_the_reader_asks_for_it(browser: Browser, file: Path) -> None:
    found = {}
    for asked in ("reduce", "no-preference"):
        page = browser.new_page(reduced_motion=asked)  # type: ignore[arg-type] -- one of the two
        page.goto(file.as_uri())
        found[asked] = page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
        page.close()
    assert found == {"reduce": "auto", "no-preference": "smooth"}


def test_with_forced_colours_marks_have_borders(browser: Browser, file: Path) -> None:
    page = browser.new_page(forced_colors="active")
    page.goto(file.as_uri())
    for name in (".sign", ".warned", ".finding", ".next .cmd"):
        widths = page.locator(name).first.evaluate(
            "(item) => getComputedStyle(item).borderLeftWidth"
        )
        assert float(widths.removesuffix("px")) >= 1, name
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(
    browser: Browser, file: Path, failing: Path, width: int, scheme: str
) -> None:
    for target in (file, failing):
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type] -- one of the two
        )
        page.goto(target.as_uri())
        for opened in (False, True):
            if opened:  # each one would take minutes: a part of each kind
                page.evaluate(
                    "for (const item of document.querySelectorAll('#r-network, section:not(#resources) details')) item.open = true"
                )
            assert violations(page) == [], (target.name, opened)
        page.close()


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds on a page: the rule, and the first element."""
    found = Axe().run(page).response["violations"]
    return [(item["id"], item["nodes"][0]["html"][:200]) for item in found]


def test_a_page_answers_at_once(browser: Browser, file: Path) -> None:
    """Its script costs no more than the browser needs for the document itself, and a click works
    as soon as the document is there.
    """
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(5):
        for runs in times:
            context = browser.new_context(java_script_enabled=runs)
            page = context.new_page()
            page.goto(file.as_uri(), wait_until="domcontentloaded")
            if runs:
                page.locator("#r-network > summary").click()
                assert page.locator("#r-network").get_attribute("open") == ""
            times[runs].append(page.evaluate(LOADED))
            context.close()
    assert statistics.median(times[True]) < 2 * statistics.median(times[False]) + 50


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
