"""The proof of an isolated network as the page shows it: each rule with its verdict, and every flow
that is permitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import drawsvg

from jupyterhub_aws.checks.airgap.all import LAWS
from jupyterhub_aws.checks.airgap.egress import GROUP, Rule, rules
from jupyterhub_aws.checks.airgap.view import View, view_of
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.plan.page.parts import Anchors
from jupyterhub_aws.plan.page.text import fitted
from jupyterhub_aws.plan.page.topology.draw import embedded, linked
from jupyterhub_aws.plan.plan import Plan

_SEVERAL = 3


@dataclass(frozen=True)
class Flow:
    """One permitted connection. `level`: whether the network's security groups say so, or
    pods' network policies inside them.
    """

    source: str
    target: str
    ports: str
    level: str
    urn: str | None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Every rule of the proof: whether it holds, and what it says; and every flow. `owner`: what
    the network's owner has to prove.
    """

    owner: str | None
    holds: bool
    laws: tuple[dict[str, Any], ...]
    flows: tuple[Flow, ...]
    whole: bool


def proof_of(plan: Plan) -> Proof | None:
    """The proof of an isolated stack; None for any other. `whole` is false where only the cloud
    stack was checked.
    """
    view = view_of(plan.stack, plan.recording.everything)
    if view is None:
        return None
    about = [finding for finding in plan.findings if finding.id.startswith("airgap-")]
    found = {
        law.check: [item for item in about if item.id == f"airgap-{law.check}"] for law in LAWS
    }
    broken = [finding for finding in about if finding.status == "fail"]
    laws = tuple(
        {
            "holds": law.holds,
            "status": "fail" if any(item.status == "fail" for item in found[law.check]) else "pass",
            "judged": bool(found[law.check]),
        }
        for law in LAWS
        if found[law.check] or (law.about == "inside" and plan.stack.parts == "cloud")
    )
    owner = next((finding.message for finding in about if finding.id == "airgap-owner"), None)
    return Proof(
        owner=owner,
        holds=not broken,
        laws=laws,
        flows=(*_by_groups(view), *sorted(_by_policies(view), key=lambda flow: flow.source)),
        whole=plan.stack.parts != "cloud",
    )


def _by_groups(view: View) -> Iterator[Flow]:
    """What security groups permit, each pair once with all its ports, from the side that opens the
    connection.
    """
    ports: dict[tuple[str, str], list[tuple[str, Rule]]] = {}
    for rule in rules(view.resources):
        # The egress of one group is the ingress of another: reported once. Ranges and EKS's own
        # group are only sources of ingress: their egress is not the stack's.
        begins = rule.out or "/" in rule.other or "clusterSecurityGroupId" in rule.other
        if begins:
            pair = (
                (_named(view, rule.group), _named(view, rule.other))
                if rule.out
                else (_named(view, rule.other, source=True), _named(view, rule.group))
            )
            ports.setdefault(pair, []).append((rule.words, rule))
    for (source, target), listed in sorted(ports.items()):
        words = list(dict.fromkeys(words for words, _ in listed))
        yield Flow(source, target, _few(words), "groups", listed[0][1].resource.urn)


def _few(words: list[str]) -> str:
    ports = [word.removeprefix("tcp ") for word in words]
    numbers = sorted({int(port) for port in ports if port.isdigit()})
    if len(numbers) == len(words) and len(numbers) > 1:
        return f"tcp {', '.join(map(str, numbers))}"
    return ", ".join(words[:_SEVERAL])


def _named(view: View, side: str, *, source: bool = False) -> str:
    """One side of a rule in words: by a group's own description, a peer network's name, or what
    it is.
    """
    for group in view.resources.of(GROUP):
        if side == f"${{{group.name}.id}}":
            title = str(group.inputs.get("description", group.name)).partition(":")[0]
            is_hubs = group.name.startswith("hub-")
            hub = group.name.removeprefix("hub-").partition("-cloud")[0] if is_hubs else ""
            return title.replace("of a hub", f"of hub {hub}") if hub else title
    if "clusterSecurityGroupId" in side:
        return "Kubernetes control plane"
    if "prefix" in side.lower():
        return "S3, by its gateway endpoint"
    try:
        network = IPv4Network(side)
    except ValueError:
        return side
    for name, peer in sorted(view.network.peer_networks.items()):
        if any(network.subnet_of(IPv4Network(cidr)) for cidr in peer.cidrs):
            return f"{'Users in ' if source else ''}{side} (peer network {name})"
    return f"{'Users in ' if source else ''}{side}"


def _by_policies(view: View) -> Iterator[Flow]:
    """What network policies leave to pods, inside what the nodes may do: the chart's own rules
    in words, and those of the stack.
    """
    for release in hub_releases(view.resources):
        values, hub = effective(release.inputs.get("values", {})), hub_of(release)
        servers, the_hub = f"Users' servers of {hub}", f"Hub {hub}"
        always = (
            (servers, the_hub, "tcp 8081"),
            (servers, "DNS of the cluster", "53"),
            (the_hub, servers, "tcp 8888"),
            (the_hub, f"Proxy of {hub}", "tcp 8001"),
            (the_hub, "private addresses (Kubernetes API, directory)", "what nodes may reach"),
            (f"Proxy of {hub}", the_hub, "tcp 8081"),
            (f"Proxy of {hub}", servers, "tcp 8888"),
        )
        for source, target, ports in always:
            yield Flow(source, target, ports, "policies", release.urn)
        yield from _opened(view, values, servers, release.urn)


def _opened(view: View, values: Mapping[str, Any], servers: str, urn: str) -> Iterator[Flow]:
    for rule in at(values, "singleuser", "networkPolicy", "egress") or []:
        numbers = sorted(port.get("port", 0) for port in rule.get("ports") or [])
        ports = f"tcp {', '.join(map(str, numbers))}"
        for peer in rule.get("to") or []:
            target = _named(view, str(at(peer, "ipBlock", "cidr")))
            yield Flow(servers, target, ports, "policies", urn)


# --- The picture of every permitted flow: a row for each, from the side that opens to the side that
# answers. Colours are the page's.


_WIDTH, _ROW, _BOX = 1160, 40, 28
_LEFT, _RIGHT, _SIDE = 8, 700, 450
_TEXT = 12.0
_HEADINGS = {
    "groups": "What security groups permit",
    "policies": "What network policies leave to pods, inside that",
}


def flows_picture(flows: Sequence[Flow], anchors: Anchors) -> str:
    """The SVG element, to be put inside the page. One source appears once, beside all that it may
    reach.
    """
    levels = [(level, [flow for flow in flows if flow.level == level]) for level in _HEADINGS]
    height = sum(_ROW * (len(found) + 1) for _, found in levels if found)
    drawing = drawsvg.Drawing(
        _WIDTH,
        height,
        id_prefix="flows",
        role="group",
        aria_label="Every permitted flow",
        class_="topology",
    )
    head = drawsvg.Marker(
        -9, -5, 1, 5, scale=1, orient="auto", id="flow-head", markerUnits="userSpaceOnUse"
    )
    head.append(drawsvg.Path("M-9,-4.5 L0,0 L-9,4.5 Z", class_="head way"))
    y = 0.0
    for level, found in levels:
        if not found:
            continue
        drawing.append(drawsvg.Text(_HEADINGS[level], None, _LEFT, y + 24, class_="title"))
        y += _ROW
        for index, flow in enumerate(found):
            above = _above(found, index)
            drawing.append(linked(_row(flow, y, head, above=above), flow.urn, anchors))
            y += _ROW
    return embedded(drawing)


def _above(found: Sequence[Flow], index: int) -> int:
    """How many rows above a flow its source's box is."""
    rows = 0
    while rows < index and found[index - rows - 1].source == found[index].source:
        rows += 1
    return rows


def _row(flow: Flow, y: float, head: drawsvg.Marker, *, above: int) -> drawsvg.Group:
    group = drawsvg.Group()
    middle = y + _BOX / 2
    start = _LEFT + _SIDE if not above else _LEFT + _SIDE / 2
    if above:  # down from the box above, or from the last line that came from it
        begin = y - (_ROW - _BOX) if above == 1 else middle - _ROW
        path = drawsvg.Path(class_="arrow", marker_end=head).M(start, begin).L(start, middle)
    else:
        group.append(_box(flow.source, _LEFT, y, "core"))
        path = drawsvg.Path(class_="arrow", marker_end=head).M(start, middle)
    group.append(path.L(_RIGHT - 2, middle))
    group.append(_box(flow.target, _RIGHT, y, "homes" if flow.level == "policies" else "entry"))
    x = _LEFT + _SIDE + 12
    words = fitted(flow.ports, _RIGHT - x - 24, _TEXT)
    group.append(drawsvg.Text(words, None, x, middle - 5, class_="line"))
    return group


def _box(words: str, x: float, y: float, kind: str) -> drawsvg.Group:
    group = drawsvg.Group(class_=f"node {kind}")
    group.append_title(words)
    group.append(drawsvg.Rectangle(x, y, _SIDE, _BOX, rx=6))
    label, base = fitted(words, _SIDE - 20, _TEXT), y + _BOX / 2 + _TEXT * 0.36
    group.append(drawsvg.Text(label, None, x + 10, base, class_="title"))
    return group
