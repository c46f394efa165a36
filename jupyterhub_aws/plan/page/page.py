"""The page: what a plan says, gathered for the templates. One file, no network, the same byte
for byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from jupyterhub_aws.checks.user_pods import hub_releases
from jupyterhub_aws.config.stack import PROJECT
from jupyterhub_aws.plan.page.access import calling_identities, guards, roles
from jupyterhub_aws.plan.page.isolated import flows_picture, proof_of
from jupyterhub_aws.plan.page.parts import Anchors, content_policy, environment, trees, trusted
from jupyterhub_aws.plan.page.pools import bars, dollars, pools
from jupyterhub_aws.plan.page.topology.draw import picture
from jupyterhub_aws.plan.page.topology.elements import Topology
from jupyterhub_aws.plan.page.topology.scene import scene
from jupyterhub_aws.plan.plan import Plan

_TEMPLATES = Path(__file__).parent / "templates"
_ORDER = ("fail", "warn", "skip", "pass")
_HEADINGS = {"fail": "Failed", "warn": "Warnings", "skip": "Not known here", "pass": "Passed"}


def page(plan: Plan) -> str:
    """The page as HTML. Whatever comes from the plan is escaped by the templates."""
    anchors = Anchors(plan.recording.everything)
    drawn = scene(plan)
    style = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    templates = environment(_TEMPLATES, {"dollars": dollars, "breakable": _breakable})
    return templates.get_template("page.html").render(
        project=PROJECT,
        plan=plan,
        stack=plan.stack,
        sentence=_sentence(plan, drawn),
        style=trusted(style),
        script=trusted(script),
        policy=content_policy(style, script),
        topology=trusted(picture(drawn, anchors)),
        scene=drawn,
        proof=(found := proof_of(plan)),
        flows=trusted(flows_picture(found.flows, anchors)) if found else "",
        verdict=_verdict(plan),
        checks=_checks(plan, anchors),
        pools=pools(plan, anchors),
        roles=roles(plan.recording.everything, anchors),
        guards=guards(plan.recording.everything, anchors),
        callers=calling_identities(plan, anchors),
        trusted=trusted,
        trees=trees(plan.recording.everything, anchors),
        **_money(plan),
    )


def _breakable(path: str) -> Markup:
    """A path that may be broken after its dots."""
    return Markup(".<wbr>").join(path.split("."))


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _sentence(plan: Plan, drawn: Topology) -> str:
    hubs = len(hub_releases(plan.recording.everything.own))
    built = [
        _plural(hubs, "hub"),
        _plural(len(drawn.pools), "pool") + " of nodes for users' servers",
        _plural(len(drawn.zones), "zone"),
    ]
    way = (
        "with egress to the internet through NAT"
        if drawn.nats
        else "without egress to the internet"
    )
    where = f"on AWS in {plan.stack.region}" if plan.stack.region else "in an existing cluster"
    return f"JupyterHub {where}: {', '.join(built)}, {way}."


def _verdict(plan: Plan) -> dict[str, str]:
    count = Counter(finding.status for finding in plan.findings)
    if count["fail"]:
        word = f"{_plural(count['fail'], 'check')} failed"
        return {"status": "fail", "word": word, "more": "do not run pulumi up"}
    status, more = "pass", "no warning"
    if count["warn"]:
        status, more = "warn", _plural(count["warn"], "warning")
    return {"status": status, "word": "No check failed", "more": more}


def _checks(plan: Plan, anchors: Anchors) -> list[dict[str, Any]]:
    groups = []
    for status in _ORDER:
        found = [finding for finding in plan.findings if finding.status == status]
        entries = [
            {"finding": item, "subjects": [anchors.link(urn) for urn in sorted(item.subjects)]}
            for item in found
        ]
        if entries:
            groups.append({"status": status, "heading": _HEADINGS[status], "entries": entries})
    return groups


def _money(plan: Plan) -> Mapping[str, Any]:
    cost = plan.cost.as_json()
    sums = {"Idle, per month": "idle_monthly", "At most, per month": "maximum_monthly"}
    charts = [
        {"title": title, "picture": trusted(bars(cost["lines"], key, title)), "total": cost[key]}
        for title, key in sums.items()
    ]
    return {"cost": cost, "charts": charts}
