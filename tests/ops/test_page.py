"""The page of `jhub plan --html`: whole, by itself, escaped, the same byte for byte. How it
looks and behaves: tests/real/test_page_in_browser.py.
"""

from __future__ import annotations

import copy
import datetime
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jupyterhub_aws.checks.all import run_checks
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.documentation import address_of, path_of
from jupyterhub_aws.plan.evaluate import Recording
from jupyterhub_aws.plan.page.isolated import proof_of
from jupyterhub_aws.plan.page.marks import commands, marked
from jupyterhub_aws.plan.page.page import page
from jupyterhub_aws.plan.page.parts import SHARED, Anchors, as_sent, outline, shared
from jupyterhub_aws.plan.page.text import fitted, width, wrapped
from jupyterhub_aws.plan.page.topology.draw import arrows
from jupyterhub_aws.plan.page.topology.elements import OPEN, Element
from jupyterhub_aws.plan.page.topology.layout import Box, Canvas, arranged
from jupyterhub_aws.plan.page.topology.layout import box as box_of
from jupyterhub_aws.plan.page.topology.scene import scene
from jupyterhub_aws.plan.page.topology.tall import tall_picture
from jupyterhub_aws.plan.plan import Plan
from tests.checks.doctored import dev, doctored, stack_of
from tests.support.page_urns import Urns
from tests.support.stacks import (
    ALL_STACKS,
    FULL,
    IN_AN_OPEN_VPC,
    IN_THEIR_VPC,
    KUBEADM,
    SERVERS_IN_AWS,
    _file,
    plan_once,
    record,
    recorded_once,
)

JHUB = str(Path(sys.prefix) / "bin" / "jhub")
ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.date(2026, 11, 23)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}"
_VOID = {"meta", "link", "input", "br", "img", "wbr", "hr"}
#: Stacks whose pictures differ: zones, ways out, homes, databases, entries.
STACKS = {
    "dev": (),
    "two zones": ("network.zones=[us-east-1a, us-east-1b]", "network.nat=per_zone"),
    "volumes": ("homes={kind: ebs}", "hubs.main.database={kind: postgres}"),
    "nfs": ("homes={kind: nfs, server: nfs.example.org, path: /homes}", "network.nat=per_zone"),
    "nothing kept, no balancer": (
        "homes={kind: ephemeral}",
        "hubs.main.entry={kind: port_forward}",
    ),
}


def _many() -> tuple[str, ...]:
    certificate = (
        "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
    )
    sign_in = (
        "sign_in: {kind: github, client_id: Ov23liDocumentation0, allowed_organizations:"
        " [example-org]}"
    )
    entry = (
        f"allowed_cidrs: [198.51.100.0/24], tls: {{kind: acm, certificate_arn: '{certificate}'}}"
    )
    rest = (
        "database: {kind: sqlite}, profiles: {small: {display_name: Small, pool: memory, cpu: 2,"
        " memory: 16G, default: true}}"
    )
    pool = (
        "{capacity: spot_first, instance_types: [r5n.2xlarge, r6i.2xlarge], size: {min: 0, max:"
        " 10}}"
    )
    hubs = [
        f"hubs.a-long-team-name-{index}={{{sign_in}, entry: {{kind: load_balancer, hostname:"
        f" a-long-team-name-{index}.example.org, {entry}}}, {rest}}}"
        for index in range(2, 11)
    ]
    return (*hubs, *(f"pools.pool{index}={pool}" for index in range(3, 13)))


STACKS["ten hubs and twelve pools"] = _many()


def made(
    stack: tuple[str, ...], resources: Resources, findings: tuple[Finding, ...] | None = None
) -> Plan:
    found = stack_of(*stack)
    return Plan(
        stack_name="dev",
        source="Pulumi.dev.yaml",
        as_of=DAY,
        stack=found,
        recording=Recording(resources=resources, outputs=record(*stack).outputs),
        findings=tuple(run_checks(found, resources, DAY)) if findings is None else findings,
        prices=Prices(),
    )


@cache
def plan(*settings: str) -> Plan:
    return made(settings, dev(*settings)[1])


@cache
def html(*settings: str) -> str:
    return page(plan(*settings))


class Document(HTMLParser):
    """What is on a page: elements with attributes, in order. Raises where one is left open or
    closed twice.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[str]:
        return [
            value for _, attributes in self.elements if (value := attributes.get(name)) is not None
        ]


@pytest.mark.real
@pytest.mark.parametrize("settings", STACKS.values(), ids=STACKS.keys())
def test_the_page_is_well_formed_and_every_link_leads_somewhere(settings: tuple[str, ...]) -> None:
    document = Document(html(*settings))
    ids = Counter(document.all("id"))
    assert not [name for name, count in ids.items() if count > 1]
    for target in document.all("href"):
        assert target == "data:," or target.removeprefix("#") in ids, target
    for name in ("aria-labelledby", "aria-describedby", "for"):
        assert all(set(value.split()) <= set(ids) for value in document.all(name))


@pytest.mark.real
@pytest.mark.parametrize("settings", STACKS.values(), ids=STACKS.keys())
def test_the_page_loads_nothing(settings: tuple[str, ...]) -> None:
    document = Document(html(*settings))
    for tag, attributes in document.elements:
        assert tag not in {
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "image",
            "use",
            "foreignobject",
        }
        assert not {"src", "srcset", "xlink:href", "action", "style", "data"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")]
    style = shared("base.css", "page.css")
    assert not re.search(r"url\(|@import|@font-face", style)
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in document.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_pictures_are_xml_of_their_own() -> None:
    found = re.findall(r"<svg.*?</svg>", html(), flags=re.DOTALL)
    assert len(found) >= 4
    for picture in found:
        ElementTree.fromstring(picture)  # noqa: S314 -- made above
        assert not re.search(r'(fill|stroke)="(?!none)', picture), (
            "colours are the page's, for light and dark"
        )


@pytest.mark.real
def test_every_resource_and_finding_is_there() -> None:
    document, found = Document(html()), plan()
    text = "".join(document.words)
    shown = Urns(html()).found
    assert sorted(shown) == sorted(resource.urn for resource in found.recording.resources)
    for finding in found.findings:
        assert finding.message.replace("`", "") in text
        assert finding.fix is None or finding.fix.replace("`", "") in text
    assert len(
        [1 for _, attributes in document.elements if "res" in str(attributes.get("class")).split()]
    ) == len(found.recording.resources)
    for words in (
        "$299.10",
        "may autoscaling:SetDesiredCapacity",
        "Servers that fit on a node",
        "2026-11-23",
        "10.0.0.0/18",
    ):
        assert words in text


def test_every_input_is_shown_but_the_text_of_this_librarys_own_files() -> None:
    text = "".join(Document(html()).words)
    own = {path.read_text(): path.name for path in (ROOT / "components/hub/files").glob("*.py")}

    def leaves(value: object) -> list[str]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        return [value] if isinstance(value, str) and not value.startswith("{") else []

    for resource in plan().recording.resources:
        for leaf in leaves(copy.deepcopy(dict(resource.inputs))):
            shown = f"components/hub/files/{own[leaf]} of this library" if leaf in own else leaf
            assert shown in text, (resource.name, leaf)


def test_whatever_the_plan_says_stays_text() -> None:
    """Nothing that a stack could say in any place becomes markup, neither in the page nor in its
    pictures.
    """
    spoilt = [replace(resource, inputs=_spoilt(resource)) for resource in dev()[1]]
    finding = Finding(
        id=HOSTILE, status="fail", message=HOSTILE, path=HOSTILE, fix=HOSTILE, subjects=(HOSTILE,)
    )
    hostile = page(
        replace(made((), Resources(spoilt), (finding,)), stack_name=HOSTILE, source=HOSTILE)
    )
    document = Document(hostile)
    assert HOSTILE in "".join(document.words), "it is shown as it is"
    assert [tag for tag, _ in document.elements].count("script") == 1
    assert "img" not in {tag for tag, _ in document.elements}
    assert not [
        name for _, attributes in document.elements for name in attributes if name.startswith("on")
    ]
    for picture in re.findall(r"<svg.*?</svg>", hostile, flags=re.DOTALL):
        ElementTree.fromstring(picture)  # noqa: S314 -- made above


def _spoilt(resource: Resource) -> dict[str, object]:
    """The inputs with something hostile in tags and wherever the picture takes words from."""
    inputs = copy.deepcopy(dict(resource.inputs))
    if isinstance(inputs.get("tags"), dict):
        inputs["tags"] = {**inputs["tags"], HOSTILE: HOSTILE}
    for key in ("cidrBlock", "throughputMode", "type", "serviceName", "identifier"):
        if isinstance(inputs.get(key), str):
            inputs[key] = HOSTILE
    if (
        resource.type == "kubernetes:helm.sh/v3:Release"
        and resource.inputs.get("chart") == "jupyterhub"
    ):
        inputs["name"] = f"hub-{HOSTILE}"
        inputs["values"]["singleuser"]["profileList"][0]["display_name"] = HOSTILE
    return inputs


@pytest.mark.real
def test_the_page_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    pages = set()
    for seed, zone in (("0", "Asia/Tokyo"), ("4242", "America/Los_Angeles")):
        target = tmp_path / f"{seed}.html"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        arguments = [JHUB, "plan", "dev", "--html", str(target), "--as-of", DAY.isoformat()]
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 2)
        assert str(target) in done.stdout
        pages.add(target.read_bytes())
    assert len(pages) == 1


@pytest.mark.real
def test_page_and_data_may_be_had_together(tmp_path: Path) -> None:
    target = tmp_path / "plan.html"
    arguments = [JHUB, "plan", "dev", "--html", str(target), "--json", "--as-of", "2027-06-01"]
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, "a check failed, with a page or without"
    assert done.stdout.startswith("{")
    assert str(target) in done.stderr
    assert "Do not run pulumi up" in target.read_text()


@pytest.mark.real
def test_a_page_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    done = subprocess.run(
        [JHUB, "plan", "dev", "--html", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--html: " in done.stderr and "[file.not-written]" in done.stderr


@pytest.mark.real
def test_no_secret_is_on_the_page(tmp_path: Path) -> None:
    """A sealed value is never read; what the engine calls secret is masked before it comes here."""
    text = (
        ROOT / "Pulumi.dev.yaml"
    ).read_text() + "\n  jupyterhub-aws:hub-main-client-secret: {secure: v1:CIPHERTEXT}\n"
    stack, target = tmp_path / "Pulumi.mine.yaml", tmp_path / "plan.html"
    stack.write_text("encryptionsalt: v1:none\n" + text)
    arguments = [JHUB, "plan", str(stack), "--html", str(target)]
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "CIPHERTEXT" not in target.read_text()
    assert "[secret]" in target.read_text()


@pytest.mark.real
def test_a_plan_without_a_page_loads_neither_templates_nor_pictures() -> None:
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(
        [JHUB, "plan", "dev", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "click" in loaded
    assert not {name for name in loaded if name.split(".")[0] in ("jinja2", "drawsvg")}


@pytest.mark.parametrize("settings", STACKS.values(), ids=STACKS.keys())
def test_boxes_of_the_picture_keep_apart_and_inside(settings: tuple[str, ...]) -> None:
    canvas = arranged(scene(plan(*settings)))
    boxes = [box for found in canvas.boxes.values() for box in found]
    for index, box in enumerate(boxes):
        assert 0 <= box.x < box.right <= 1160, box.title
        assert 0 <= box.y < box.bottom <= canvas.y, box.title
        assert not [other.title for other in boxes[index + 1 :] if _meet(box, other)], box.title
        for first, part in enumerate(box.parts):
            assert box.x < part.x < part.right < box.right
            assert box.y < part.y < part.bottom < box.bottom
            assert not [1 for other in box.parts[first + 1 :] if _meet(part, other)]


def _meet(one: Box, other: Box) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def test_the_picture_shows_what_was_recorded() -> None:
    found: Canvas = arranged(scene(plan(*STACKS["two zones"])))
    assert (found.scene.zones, len(found.boxes["nat"]), found.scene.exits) == (
        ("us-east-1a", "us-east-1b"),
        2,
        ((0, 0), (1, 1)),
    )
    assert len(found.boxes["entry"]) == 2
    volumes = scene(plan(*STACKS["volumes"]))
    assert [[shape.zones for shape in row] for row in volumes.pools] == [[(0,), (1,), (2,)]] * 2
    assert [shape.zones for shape in volumes.databases] == [(0, 1, 2)]
    assert not volumes.mounts
    assert "nfs.example.org:/homes" in scene(plan(*STACKS["nfs"])).homes[0].lines
    bare = scene(plan(*STACKS["nothing kept, no balancer"]))
    assert (bare.homes, bare.entries, set(bare.numbers)) == ((), (), {"signin", "pool", "out"})
    many = scene(plan(*STACKS["ten hubs and twelve pools"]))
    assert (len(many.core[0].parts), len(many.pools)) == (10, 12)


def test_a_stack_without_a_network_of_its_own_has_a_picture_too() -> None:
    """As in a closed network, where a second stack holds what is in the cluster and nothing
    else.
    """
    resources = Resources(
        resource for resource in dev()[1] if not resource.type.startswith(("aws:", "eks:"))
    )
    document = Document(page(made((), resources, ())))
    assert "VPC that is there" in "".join(document.words)


def test_the_first_sentence_says_where_it_is_and_whether_there_is_egress() -> None:
    def sentence(*settings: str) -> str:
        return unescape(re.search(r'<p class="lead">(.*?)</p>', html_of(settings))[1])

    assert sentence() == (
        "JupyterHub on AWS in us-east-1: 1 hub, 2 pools of nodes for users' servers, 3 zones,"
        " with egress to the internet through NAT."
    )
    # A VPC of others: its zones are known, and how its traffic leaves it is not drawn.
    assert sentence(IN_AN_OPEN_VPC).endswith("2 zones, with egress to the internet.")
    assert sentence(*IN_THEIR_VPC).endswith("2 zones, without egress to the internet.")
    # Nodes of an existing cluster are a pool too, and nothing is known of zones.
    assert sentence(*KUBEADM) == (
        "JupyterHub in an existing cluster: 1 hub, 1 pool of nodes for users' servers,"
        " without egress to the internet."
    )


def html_of(settings: tuple[str, ...], *, judged: bool = False) -> str:
    stack, recording = recorded_once(_file(settings, "dev"))
    findings = run_checks(stack, recording.everything, DAY) if judged else ()
    found = Plan(
        stack_name="dev",
        source="Pulumi.dev.yaml",
        as_of=DAY,
        stack=stack,
        recording=recording,
        findings=tuple(findings),
        prices=Prices(),
    )
    return page(found)


def test_a_cluster_that_exists_is_neither_in_aws_nor_on_a_bill_of_this_plan() -> None:
    text = html_of(KUBEADM)
    assert "AWS us-east-1" not in text and "Existing cluster</text>" in text
    assert "VPC that is there" not in text and "Network that is there</text>" in text
    cost = _section(text, "cost")
    assert "This stack buys nothing in AWS" in cost and "NAT" not in cost and "<svg" not in cost
    assert text.count("<small>a month, nothing is bought</small>") == 2
    assert "buys nothing" not in html() and "nothing is bought" not in html()
    legend = re.search(r"<p class=\"meta\">([^<]*)Numbers: the path", text)[1]
    assert legend == "", "no line of the picture is dashed or dotted"
    assert "Dashed: egress. Dotted: the Kubernetes API. Numbers" in html()


@pytest.mark.parametrize(
    "settings", [(IN_AN_OPEN_VPC,), KUBEADM, (), ("network.zones=[us-east-1a, us-east-1b]",)]
)
def test_columns_and_what_is_beside_them_leave_no_room_empty(settings: tuple[str, ...]) -> None:
    stack, recording = recorded_once(_file(settings, "dev"))
    canvas = arranged(scene(replace(plan(), stack=stack, recording=recording)))
    # Columns reach from the left of the VPC to its right, but for a lane on each side.
    assert canvas.vpc_right - canvas.zones_right <= 60
    # The VPC ends where something is beside it, and else at the frame.
    beside = [*canvas.boxes.get("control", []), *canvas.boxes.get("operators", [])]
    assert canvas.vpc_right < min(box.x for box in beside) if beside else canvas.vpc_right > 1100


def test_a_name_of_a_directory_is_broken_and_a_title_is_not_cut() -> None:
    assert wrapped("group cn=jupyter,ou=groups,dc=corp,dc=example", 130, 12, 4) == [
        "group",
        "cn=jupyter,",
        "ou=groups,dc=corp,",
        "dc=example",
    ]
    assert wrapped("averylongwordwithoutanybreak", 60, 12, 3)[0].endswith("…")
    narrow = box_of(Element("signin", "Sign-in: LDAP directory", ("ldap.corp.example",)), 0, 0, 150)
    assert (narrow.title, narrow.lines[0]) == ("Sign-in", "LDAP directory")
    titles = [
        item.title
        for settings in ((), FULL)
        for found in arranged(scene(plan_of(settings))).boxes.values()
        for item in found
    ]
    assert len(titles) > 20 and not [title for title in titles if title.endswith("…")]


def plan_of(settings: tuple[str, ...]) -> Plan:
    stack, recording = recorded_once(_file(settings, "dev"))
    return replace(plan(), stack=stack, recording=recording)


def test_the_last_box_of_a_phones_picture_is_whole() -> None:
    drawn = tall_picture(scene(plan()), Anchors(plan().recording.everything))
    height = float(re.search(r'<svg[^>]* height="([\d.]+)"', drawn)[1])
    bottoms = [
        float(y) + float(high)
        for y, high in re.findall(
            r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn
        )
    ]
    assert 1 <= height - max(bottoms) <= 4


def test_every_status_of_checks_has_its_colour() -> None:
    style = shared("base.css")
    for status in ("pass", "warn", "fail", "skip"):
        assert f".group.{status}{{--mark: var(--{status})}}" in style


def test_on_paper_the_sum_of_a_table_is_below_it_once() -> None:
    printed = shared("base.css").partition("@media print")[2]
    assert "tfoot{display: table-row-group}" in printed


def test_text_is_cut_to_its_room() -> None:
    assert fitted("short", 100, 12) == "short"
    cut = fitted("a name that is far too long for its box", 100, 12)
    assert cut.endswith("…")
    assert width(cut, 12) <= 100
    lines = wrapped("one two three four five six seven eight nine ten", 80, 12, 3)
    assert len(lines) == 3
    assert all(width(line, 12) <= 80 for line in lines)


@pytest.mark.real
def test_a_closed_stack_has_its_proof_and_every_permitted_flow():
    plan = plan_once(read(ROOT / "Pulumi.airgap-hub.yaml"), datetime.date(2026, 11, 24))
    proof = proof_of(plan)
    assert proof.holds and proof.whole and len(proof.laws) == 16
    flows = {(flow.source, flow.target): flow.ports for flow in proof.flows}
    assert flows["Nodes of a closed network", "Private endpoints of AWS APIs"] == "tcp 443"
    assert (
        flows["Nodes of a closed network", "10.200.0.0/16 (peer network corporate)"]
        == "tcp 443, 636"
    )
    assert (
        flows["Users in 10.200.0.0/16 (peer network corporate)", "Load balancer of hub main"]
        == "tcp 443"
    )
    assert flows["Kubernetes control plane", "Nodes of a closed network"] == "tcp 1025–65535"
    assert (
        flows["Users' servers of main", "10.200.0.0/16 (peer network corporate)"] == "tcp 443, 636"
    )
    assert not [source for source, _ in flows if source.startswith("Users in 0.")]
    text = page(plan)
    assert text.count("<b>holds</b>") == 16 and "Every permitted flow" in text
    assert all(word in unescape(text) for pair in flows for word in pair)


def test_an_open_stack_has_no_such_section():
    assert proof_of(plan_once(read(ROOT / "Pulumi.dev.yaml"), datetime.date(2026, 11, 24))) is None


def test_every_call_of_every_identity_is_on_the_page_and_a_denied_one_stands_out():
    text = unescape(html())
    section = text[text.index('<section id="calls"') : text.index('<section id="resources"')]
    assert (
        "ec2:AttachVolume" in section
        and "AmazonEBSCSIDriverPolicyV2, statement ManageManagedVolumes" in section
    )
    assert "all allowed" in section and "denied" not in section.replace("Allowed, or denied", "")
    _, spoilt = doctored(
        dev()[1],
        "aws:ebs/volume:Volume",
        lambda inputs: inputs["tags"].pop("ebs.csi.aws.com/cluster"),
    )
    broken = unescape(page(made((), spoilt)))
    assert (
        "not all allowed" in broken
        and '<b class="world">denied</b>: AmazonEBSCSIDriverPolicyV2, statement ManageManagedVolumes, asks for'
        in broken
    )


def test_a_stack_without_identities_has_no_such_section():
    assert 'id="calls"' not in page(
        replace(plan(), recording=replace(plan().recording, resources=Resources(())))
    )


# --- What comes first, and how large a page is.


#: Bytes. A page is sent by mail and opened on a phone.
BUDGET = 500_000


@pytest.mark.real
@pytest.mark.parametrize("settings", ALL_STACKS.values(), ids=ALL_STACKS.keys())
def test_the_page_of_every_stack_stays_below_its_budget(settings: tuple[str, ...]) -> None:
    assert len(html_of(settings, judged=True).encode()) < BUDGET


def _warning(index: int = 0, status: str = "warn") -> Finding:
    fix = "run: pulumi config set --secret --stack dev hub-main-client-secret"
    return Finding(id="secrets-given", status=status, message=f"missing {index}", fix=fix)  # type: ignore[arg-type] -- one of the four


def _section(text: str, name: str) -> str:
    return text[text.index(f'<section id="{name}"') :].partition("</section>")[0]


def test_the_verdict_is_in_words_and_in_a_colour_and_the_next_commands_are_there() -> None:
    warned = page(made((), dev()[1], (_warning(), _warning(1))))
    top = _section(warned, "checks")
    assert top.startswith('<section id="checks" class="verdict pass">')
    assert 'href="#warnings"><span aria-hidden="true">!</span> 2 warnings</a>' in top
    steps = re.search(r'<ol class="next.*?</ol>', top, re.DOTALL)[0]
    assert re.findall(r"<code class=\"cmd\">(.*?)</code>", steps) == [
        "pulumi config set --secret --stack dev hub-main-client-secret",
        "pulumi up -s dev",
    ]
    failed = _section(page(made((), dev()[1], (_warning(status="fail"), _warning()))), "checks")
    assert failed.startswith('<section id="checks" class="verdict fail">')
    assert "1 check failed" in failed and "pulumi up -s" not in failed
    assert "Do not run pulumi up" in failed and "jhub plan dev</code>" in failed
    assert failed.index("missing 0") < failed.index("Warnings"), "what failed is before warnings"
    clean = _section(page(made((), dev()[1], ())), "checks")
    assert "No check failed" in clean and "warning" not in clean


def test_failures_are_all_open_and_only_some_warnings() -> None:
    many = tuple(_warning(index, status) for status in ("fail", "warn") for index in range(9))
    top = _section(page(made((), dev()[1], many)), "checks")
    (folded,) = re.findall(r'<details class="more">.*?</details>', top, re.DOTALL)
    assert "<summary>5 more</summary>" in folded
    assert top.count('class="finding"') == 18 and folded.count('class="finding"') == 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run: jhub restore drill dev --user NAME, and commit drills/dev.toml", ["jhub restore drill dev --user NAME"]),
        ("with credentials: `jhub versions refresh` asks AWS", ["jhub versions refresh"]),
        ("jhub resume; what that would build: jhub plan --set paused=false", ["jhub resume", "jhub plan --set paused=false"]),
        ("write `protected: true` there", []),
        ("kubectl describe nodes shows what they have left", ["kubectl describe nodes"]),
        ("remove the line when users begin to use it", []),
        ("the jhub command is not called: no", []),
    ],
)  # fmt: skip
def test_commands_in_a_sentence_can_be_copied(text: str, found: list[str]) -> None:
    assert commands(text) == found
    markup = str(marked(text))
    assert re.findall(r'<code class="cmd">(.*?)</code>', markup) == found
    assert re.sub("<[^>]+>", "", markup) == text.replace("`", "")
    assert 'class="cmd"' not in str(marked(text, to_run=False))


def test_a_sentence_with_markup_stays_text() -> None:
    assert "<script" not in str(marked(f"run: jhub {HOSTILE} `{HOSTILE}`"))
    between = str(marked(f"{HOSTILE} `a` {HOSTILE}: jhub plan; {HOSTILE}"))
    assert "<script" not in between and between.count("&lt;script") == 3


def test_an_id_leads_to_the_site_where_the_environment_names_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JHUB_DOCS", raising=False)
    without = page(made((), dev()[1], (_warning(),)))
    assert '<code class="cmd">jhub explain secrets-given</code>' in without
    assert "http" not in _section(without, "checks")
    monkeypatch.setenv("JHUB_DOCS", "https://docs.example.org/jhub/")
    linked = page(made((), dev()[1], (_warning(),)))
    assert (
        '<a href="https://docs.example.org/jhub/findings.html#secrets-given">secrets-given</a>'
        in linked
    )


@pytest.mark.parametrize(
    "site",
    ["javascript:alert(1)", "docs.example.org", "/srv/site", "file:", "https://", "ftp://a/b", "https://a/?q", "https://[", "https://u:p@a/"],
)  # fmt: skip
def test_what_is_no_address_of_a_site_is_refused(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JHUB_DOCS", site)
    with pytest.raises(ConfigError) as found:
        page(made((), dev()[1], (_warning(),)))
    assert "[docs.not-a-site]" in str(found.value) and "JHUB_DOCS" in str(found.value)


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("http://localhost:8000", "http://localhost:8000/findings.html#x"),
        ("file:///srv/my site", "file:///srv/my%20site/findings.html#x"),
        ("https://a/\"onload=alert(1)'", "https://a/%22onload=alert(1)'/findings.html#x"),
    ],
)
def test_an_address_is_escaped(site: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JHUB_DOCS", site)
    assert address_of(path_of("x")) == address


def test_the_page_says_who_can_use_it_with_limits_guarantees_prices_and_data() -> None:
    settings = (*SERVERS_IN_AWS, "hubs.main.profiles.gpu.groups=[jupyter:gpu-users]")
    text = "".join(Document(_section(html(*settings), "users") + "</section>").words)
    for words in (
        "https://hub.example.org/",
        "GitHub",
        "organization example-org",
        "jupyter:gpu-users",
        "11 cores, 40 GiB, 1 GPU",
        "1 core, 8 GiB",
        "4 cores, 32 GiB",
        "$0.391",
        "read s3://uni-lectures/2026/",
        "read and write s3://uni-lectures/; read s3://jhub-dev-work-111122223333/",
        "jupyter:staff",
        "other users",
    ):
        assert words in text, words


def test_a_cloud_stack_says_where_its_hubs_are() -> None:
    stack, recording = recorded_once(_file(("stack=airgap",), "dev"))
    found = replace(made((), dev()[1], ()), stack=stack, recording=recording)
    assert "hubs are in the stack inside its cluster" in _section(page(found), "users")


WORLD = (
    "hubs.main.entry.allowed_cidrs=[0.0.0.0/0]",
    "hubs.main.entry.public=true",
    "cluster.api.public_access_cidrs=[0.0.0.0/0]",
    "cluster.api.public=true",
)


def test_what_is_open_to_the_world_is_marked_in_picture_and_list_by_words_too() -> None:
    drawn = scene(plan(*WORLD))
    assert [shape.world for shape in drawn.entries] == [True] * 3
    assert all(OPEN in shape.lines for shape in (*drawn.entries, drawn.control))
    text = html(*WORLD)
    topology = _section(text, "topology")
    assert topology.count("node entry world") == 4, "three in the wide picture, one in the tall one"
    listed = topology[topology.index('<ul class="world">') :]
    assert "ingress of tcp 443</b> from 0.0.0.0/0" in listed
    assert "Kubernetes API</b> from 0.0.0.0/0" in listed
    assert '<a href="#world">2 resources are open to the world</a>' in text
    assert "open to the world</b>" in _section(text, "users")
    assert not any(shape.world for shape in scene(plan()).entries)
    assert "Nothing: no rule" in html() and OPEN not in html()


def test_sign_in_is_in_the_picture_and_a_step_of_its_own() -> None:
    drawn = scene(plan())
    assert (drawn.sign_in.title, drawn.sign_in.lines) == (
        "Sign-in: GitHub",
        ("github.com", "organization example-org"),
    )
    assert "signs in there" in drawn.steps[drawn.numbers["signin"] - 1]
    lines = [arrow.points for arrow in arrows(arranged(drawn)) if arrow.kind == "signin"]
    assert len(lines) == 2
    (core, *_) = arranged(drawn).boxes["core"]
    assert lines[1][-1][0] == core.x and core.y < lines[1][-1][1] < core.bottom
    password = scene(plan("hubs.main.sign_in={kind: shared_password}"))
    assert password.sign_in is None and "signin" not in password.numbers


@pytest.mark.parametrize("settings", STACKS.values(), ids=STACKS.keys())
def test_the_picture_of_a_phone_stays_inside_its_width(settings: tuple[str, ...]) -> None:
    drawn = tall_picture(scene(plan(*settings)), Anchors(dev(*settings)[1]))
    tree = ElementTree.fromstring(drawn)  # noqa: S314 -- made here
    high = float(tree.attrib["height"])
    boxes = [item.attrib for item in tree.iter() if item.tag.endswith("rect")]
    assert len(boxes) > 3
    for item in boxes:
        x, y, width_, height = (float(item[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x and x + width_ <= 340
        assert 0 <= y and y + height <= high


def test_zones_with_boxes_of_their_own_are_wider_and_lower() -> None:
    """Core nodes and the database of one zone are beside each other, so the other zones are not
    empty below.
    """
    canvas = arranged(scene(plan()))
    (core,), (database,) = canvas.boxes["core"], canvas.boxes["database"]
    assert core.y == database.y and core.right < database.x
    assert canvas.column(0) > canvas.column(1) == canvas.column(2)
    each = arranged(scene(plan("network.nat=per_zone")))
    assert each.column(0) == each.column(1), "with a NAT gateway in each there is no room"


def test_inputs_are_an_outline_and_tags_of_the_stack_one_word() -> None:
    tags = {"owner": "team", "stack": "s"}
    inputs = {
        "name": "n",
        "tags": {"owner": "team", "stack": "s", "Name": "mine"},
        "list": [{"a": 1, "b": [2, 3]}, ["x"], "y"],
        "none": {},
        "long": "x\ny",
        "missing": {"owner": None},
    }
    text, long = outline(inputs, tags)
    assert text.splitlines() == [
        "list:",
        "- a: 1",
        "\tb: 2, 3",
        "- x",
        "- y",
        "long: 3 characters",
        "missing:",
        "\towner: none",
        "name: n",
        "none: none",
        "tags: those of the stack, and",
        "\tName: mine",
    ]
    assert long == {"long": "x\ny"}
    assert outline({"tags": {"owner": "team"}}, tags)[0] == "tags:\n\towner: team"
    assert outline({"tags": {"a": None}}, {"b": "x"})[0] == "tags:\n\ta: none"


def test_a_urn_that_does_not_follow_from_what_is_around_it_is_written_in_full() -> None:
    odd = "urn:pulumi:dev::elsewhere::aws:s3/bucket:Bucket::b"
    (network,) = [item for item in dev()[1] if item.type == "jupyterhub-aws:index:Network"]
    child = replace(dev()[1].all[0], urn=odd, type="aws:s3/bucket:Bucket", name="b")
    resources = Resources([*dev()[1], replace(child, parent=network.urn)])
    assert odd in Urns(page(made((), resources, ()))).found


def test_a_part_of_many_lines_that_two_resources_share_is_written_once() -> None:
    values = {"rules": [{"port": port, "to": "10.0.0.0/16"} for port in range(10)], "name": "n"}
    shown: dict[tuple[str, str], str] = {}
    first, _ = outline({"values": values, "long": "x\ny"}, {}, shown, "first")
    assert first.count("10.0.0.0/16") == 10
    second, long = outline({"values": {**values, "name": "m"}, "long": "x\ny"}, {}, shown, "second")
    assert second == "long: 3 characters\nvalues:\n\tname: m\n\trules: as in first"
    assert long == {"long": "x\ny"}
    elsewhere, _ = outline({"other": values}, {}, shown, "third")
    assert elsewhere.count("10.0.0.0/16") == 10, "at another path it is another part"
    short, _ = outline({"values": {"rules": [{"port": 1}]}}, {}, shown, "fourth")
    assert "as in" not in short


def test_an_iam_document_of_several_resources_is_once_on_the_page() -> None:
    trust = '"Service": "pods.eks.amazonaws.com"'
    text = html()
    assert text.count(trust) < text.count("<code>assumeRolePolicy</code> as in <a href=")
    for target in re.findall(r'<code>assumeRolePolicy</code> as in <a href="#([^"]*)"', text):
        assert f'id="{target}"' in text


def test_a_part_and_what_is_in_it_are_one_thing_to_come_after() -> None:
    after = re.findall(r"<p>Comes after .*?</p>", html())
    control = [words for words in after if 'href="#r-cluster-control-plane"' in words]
    assert control and not [words for words in control if "r-cluster-control-plane-eks" in words]


def test_styles_and_scripts_are_sent_without_what_is_for_their_authors() -> None:
    style = (
        '/* why */\na::before { content: " (" attr(href) ")"; }\n@media print {\n  b { c: d; }\n}\n'
    )
    assert as_sent("a.css", style) == (
        '\na::before{content: " (" attr(href) ")"}@media print{b{c: d}}'
    )
    script = "// why\n  const a = 1; // kept\n    const b = `c`;\n"
    assert as_sent("a.js", script) == "const a = 1; // kept\nconst b = `c`;\n"
    # What is in quotes has nothing that would be taken out of it.
    for name in ("base.css", "page.css"):
        for quoted in re.findall(r'"[^"\n]*"', (SHARED / name).read_text()):
            assert not re.search(r"[{};]|/\*", quoted), quoted
    for name in ("base.js", "page.js"):
        assert (SHARED / name).read_text().count("`") == sum(
            line.count("`") // 2 * 2 for line in (SHARED / name).read_text().splitlines()
        ), "no text of several lines"


#: The tables whose labels on a phone are in the style, and not in each of their cells.
@pytest.mark.parametrize("table", ["lines", "prices"])
def test_labels_of_a_phone_are_the_headings_of_the_table(table: str) -> None:
    head = re.search(rf'<table class="stacked bill {table}">\s*<thead>(.*?)</thead>', html())[1]
    headings = re.findall(r"<th [^>]*>(.*?)</th>", head)
    rules = re.findall(
        rf"\.{table} td:nth-child\((\d)\)::before{{content: \"(.*?)\"}}", shared("page.css")
    )
    assert [words for _, words in rules] == headings[1:]
    assert [int(at) for at, _ in rules] == list(range(2, len(headings) + 1))


def test_a_long_text_is_once_on_the_page() -> None:
    long = "\n".join(f"line {index}" for index in range(100))
    alike = [
        replace(
            resource,
            urn=f"urn:pulumi:dev::p::aws:s3/bucket:Bucket::b{index}",
            type="aws:s3/bucket:Bucket",
            name=f"b{index}",
            parent=None,
            source="__main__.py:1",
            inputs={"policy": "no document", "text": long, "bucket": "b"},
        )
        for index, resource in enumerate(dev()[1].all[:2])
    ]
    text = page(made((), Resources([*dev()[1], *alike]), ()))
    assert text.count("line 99") == 1
    assert '<code>text</code> as in <a href="#r-b0">b0</a>' in text
