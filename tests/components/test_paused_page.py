"""The page of a paused hub: a load balancer that answers by itself, only while it is asked for."""

from __future__ import annotations

import html
import json
from decimal import Decimal
from pathlib import Path

import pytest

from jupyterhub_aws.checks.all import CHECKS
from jupyterhub_aws.checks.cost_lines import BillLine, hub_lines
from jupyterhub_aws.checks.monitoring import _BALANCER
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.maintenance import MaintenancePage, paused_page_has_a_balancer
from jupyterhub_aws.config.network import ExistingNetworkSection
from jupyterhub_aws.config.prices import Prices, read_prices
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.pause.pause import paused_pages
from tests.support.stack_files import ROOT
from tests.support.stacks import StackRecording, record

_ZONE = "hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ"
_PAGE = {"paused_text": "Back <in> January & later.", "contact": "help@example.org"}
_ASKED = f"hubs.main.maintenance_page={json.dumps(_PAGE)}"
_PAUSED, _DROPPED = "paused=true", "pause.drop=[balancers]"
_LISTENER, _RECORD = "aws:lb/listener:Listener", "aws:route53/record:Record"


def application(recording: StackRecording) -> list[Resource]:
    return [
        item
        for item in recording.resources.of(_BALANCER)
        if item.inputs["loadBalancerType"] == "application"
    ]


def test_it_answers_while_the_stack_is_paused_and_its_record_points_there() -> None:
    recording = record(_ZONE, _ASKED, _PAUSED)
    (balancer,) = application(recording)
    (network,) = [item for item in recording.resources.of(_BALANCER) if item != balancer]
    assert balancer.inputs["internal"] is False
    assert balancer.inputs["subnets"] == network.inputs["subnets"]
    assert balancer.inputs["securityGroups"] == network.inputs["securityGroups"], (
        "the same networks may come, to the same port"
    )
    assert balancer.inputs["name"] == "jhub-dev-main-paused" != network.inputs["name"]
    (listener,) = [
        item
        for item in recording.resources.of(_LISTENER)
        if item.inputs["loadBalancerArn"] == f"${{{balancer.name}.arn}}"
    ]
    assert (listener.inputs["port"], listener.inputs["protocol"]) == (443, "HTTPS")
    assert listener.inputs["certificateArn"].startswith("arn:aws:acm:")
    (action,) = listener.inputs["defaultActions"]
    answer = action["fixedResponse"]
    assert (action["type"], answer["statusCode"], answer["contentType"]) == (
        "fixed-response",
        "503",
        "text/html",
    )
    assert "Back &lt;in&gt; January &amp; later." in answer["messageBody"]
    assert "help@example.org" in answer["messageBody"] and len(answer["messageBody"]) <= 1024
    (alias,) = recording.one(_RECORD).inputs["aliases"]
    assert alias["name"] == f"${{{balancer.name}.dnsName}}"
    assert alias["zoneId"] == f"${{{balancer.name}.zoneId}}"


def test_the_record_has_one_name_in_every_state() -> None:
    """So the engine changes it in place, after what it points to exists."""
    urns = set()
    for more in ((), (_PAUSED,), (_PAUSED, _DROPPED)):
        recording = record(_ZONE, _ASKED, *more)
        urns.add(recording.one(_RECORD).urn)
        pointed = recording.one(_RECORD).inputs["aliases"][0]["name"]
        assert ("-paused." in pointed) is bool(more)
        assert len(application(recording)) == bool(more)
    assert len(urns) == 1
    dropped = record(_ZONE, _ASKED, _PAUSED, _DROPPED).resources.of(_BALANCER)
    assert [item.inputs["loadBalancerType"] for item in dropped] == ["application"]


def test_without_the_option_nothing_is_made() -> None:
    for more in ((), (_PAUSED,), (_PAUSED, _DROPPED)):
        recording = record(_ZONE, 'hubs.main.maintenance_page={"contact": "x"}', *more)
        assert application(recording) == []
    assert record(_ZONE, _PAUSED, _DROPPED).resources.of(_RECORD) == []


def test_internal_stays_internal() -> None:
    recording = record(_ZONE, _ASKED, _PAUSED, "hubs.main.entry.internal=true")
    (balancer,) = application(recording)
    assert balancer.inputs["internal"] is True
    assert {*balancer.inputs["subnets"]} == {f"${{network-private-{zone}.id}}" for zone in "abc"}


def lines(*settings: str) -> dict[str, BillLine]:
    file = read(ROOT / "Pulumi.dev.yaml", settings)
    stack = load(file.values, secret=file.secret, source=file.source)
    found = hub_lines(stack, record(*settings).resources, Prices())
    return {line.what: line for line in found if "paused hub" in line.what}


def test_what_it_costs() -> None:
    balancer, address = (
        "application load balancer, with the page of a paused hub",
        "public IPv4 address of a paused hub's page",
    )
    for more, now in (((), 0), ((_PAUSED,), 1)):
        found = lines(_ZONE, _ASKED, *more)
        line = found[balancer]
        assert (line.idle, line.paused, line.most) == (now, 1, now)
        assert line.unit_price == Decimal("0.0225") * 730 and line.note is None
        assert (found[address].idle, found[address].paused) == (3 * now, 3)
    assert address not in lines(_ZONE, _ASKED, "hubs.main.entry.internal=true")
    assert lines(_ZONE, _PAUSED) == {}


def test_a_price_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('application_load_balancer_hour = "0.02"\n')
    file = read(ROOT / "Pulumi.dev.yaml", (_ZONE, _ASKED))
    stack = load(file.values, secret=file.secret, source=file.source)
    found = hub_lines(stack, record(_ZONE, _ASKED).resources, read_prices(own))
    (line,) = [line for line in found if line.what.startswith("application load balancer")]
    assert line.unit_price == Decimal("14.60") and line.note is None


def test_the_network_balancers_are_counted_apart() -> None:
    file = read(ROOT / "Pulumi.dev.yaml", (_ZONE, _ASKED, _PAUSED))
    stack = load(file.values, secret=file.secret, source=file.source)
    found = hub_lines(stack, record(_ZONE, _ASKED, _PAUSED).resources, Prices())
    counts = {line.what: (line.idle, line.paused) for line in found}
    assert counts["network load balancer"] == (1, 1)
    assert counts["public IPv4 address of a load balancer"] == (3, 3)


@pytest.mark.parametrize("more", [(), (_PAUSED,), (_PAUSED, _DROPPED)])
def test_no_check_fails(more: tuple[str, ...]) -> None:
    file = read(ROOT / "Pulumi.dev.yaml", (_ZONE, _ASKED, *more))
    stack = load(file.values, secret=file.secret, source=file.source)
    resources = record(_ZONE, _ASKED, *more).resources
    failed = [
        finding
        for check in CHECKS
        for finding in check(stack, resources)
        if finding.status == "fail"
    ]
    assert failed == []


def test_which_hubs_say_so() -> None:
    def hubs(*settings: str) -> list[str]:
        file = read(ROOT / "Pulumi.dev.yaml", settings)
        return paused_pages(load(file.values, secret=file.secret, source=file.source))

    assert hubs(_ZONE, _ASKED) == ["main"]
    assert hubs(_ZONE, 'hubs.main.maintenance_page={"contact": "x"}') == hubs() == []


def test_the_longest_text_fits() -> None:
    """As the page is written, it takes every text of 400 plain characters and a contact."""
    stack = record(_ZONE, f'hubs.main.maintenance_page={{"paused_text": "{"x" * 400}"}}', _PAUSED)
    (listener,) = [
        item for item in stack.resources.of(_LISTENER) if item.inputs["protocol"] == "HTTPS"
    ]
    body = listener.inputs["defaultActions"][0]["fixedResponse"]["messageBody"]
    assert html.unescape(body).count("x") >= 400 and len(body.encode()) <= 1024


@pytest.mark.parametrize(
    ("public", "internal", "found"), [(1, False, 1), (2, False, 0), (1, True, 0)]
)
def test_one_zone_is_too_few(public: int, internal: bool, found: int) -> None:
    network = ExistingNetworkSection.model_construct(
        mode="existing",
        private_subnets=dict.fromkeys(("us-east-1a", "us-east-1b")),
        public_subnets=dict.fromkeys(("us-east-1a", "us-east-1b")[:public]),
    )
    entry = LoadBalancerEntry(
        kind="load_balancer",
        hostname="hub.example.org",
        allowed_cidrs=["10.1.0.0/16"],
        internal=internal,
        route53_zone="Z0123456789ABCDEFGHIJ",
    )
    pages = {"main": (entry, MaintenancePage(paused_text="Back in January."))}
    problems = list(paused_page_has_a_balancer(network, pages))
    assert [(item.id, item.path) for item in problems] == [
        ("maintenance.zones", "hubs.main.maintenance_page.paused_text")
    ] * found
