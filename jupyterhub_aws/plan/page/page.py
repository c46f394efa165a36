"""The page: what a plan says, gathered for the templates. One file, no network, the same byte
for byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.finding import Finding, Status
from jupyterhub_aws.checks.placement import user_nodes
from jupyterhub_aws.checks.user_pods import hub_releases
from jupyterhub_aws.config.stack import PROJECT
from jupyterhub_aws.plan.exposure import Exposure, exposures
from jupyterhub_aws.plan.page.access import calling_identities, guards, roles, told
from jupyterhub_aws.plan.page.isolated import flows_picture, proof_of
from jupyterhub_aws.plan.page.marks import command, commands, explanation, marked
from jupyterhub_aws.plan.page.parts import (
    SHARED,
    Anchors,
    content_policy,
    environment,
    shared,
    trees,
    trusted,
)
from jupyterhub_aws.plan.page.pools import bars, dollars, hourly, pools
from jupyterhub_aws.plan.page.topology.draw import picture
from jupyterhub_aws.plan.page.topology.elements import Topology
from jupyterhub_aws.plan.page.topology.scene import scene
from jupyterhub_aws.plan.page.topology.tall import tall_picture
from jupyterhub_aws.plan.plan import Plan
from jupyterhub_aws.plan.users import HubUsers, users_of

_ORDER: tuple[Status, ...] = ("fail", "warn", "skip", "pass")
_TODO: tuple[Status, ...] = ("fail", "warn")
_HEADINGS = {"fail": "Failed", "warn": "Warnings", "skip": "Not known here", "pass": "Passed"}
#: So many warnings are open; the others are one click away, so that users and cost are near.
_SHOWN_WARNINGS = 4


def page(plan: Plan) -> str:
    """The page as HTML. Whatever comes from the plan is escaped by the templates."""
    everything = plan.recording.everything
    anchors = Anchors(everything)
    drawn, hubs, open_ = scene(plan), users_of(plan), exposures(everything)
    style, script = shared("base.css", "page.css"), shared("base.js", "page.js")
    tags = plan.stack.tags.as_aws(plan.stack.name)
    proof = proof_of(plan)
    filters = {
        "dollars": dollars,
        "hourly": hourly,
        "marked": marked,
        "command": command,
    }
    groups = _checks(plan, anchors)
    carried, protecting = roles(everything, anchors), guards(everything, anchors)
    callers, sources = calling_identities(plan, anchors)
    return (
        environment(SHARED, filters)
        .get_template("page.html")
        .render(
            project=PROJECT,
            plan=plan,
            stack=plan.stack,
            tags=tags,
            sentence=_sentence(plan, drawn),
            style=trusted(style),
            script=trusted(script),
            policy=content_policy(style, script),
            contents=_contents(proof=proof is not None, calls=bool(callers)),
            topology=trusted(picture(drawn, anchors) + tall_picture(drawn, anchors)),
            scene=drawn,
            proof=proof,
            flows=trusted(flows_picture(proof.flows, anchors)) if proof else "",
            verdict=_verdict(plan),
            todo=[group for group in groups if group["status"] in _TODO],
            others=[group for group in groups if group["status"] not in _TODO],
            hubs=hubs,
            hub_groups={hub.name: _profiles_of_groups(hub) for hub in hubs},
            most_users=_most_users(hubs),
            exposed=[{"item": item, "link": anchors.link(item.urn)} for item in open_],
            open_hubs=_open_hubs(hubs, open_),
            pools=pools(plan, anchors),
            roles=carried,
            guards=protecting,
            callers=callers,
            sources=sources,
            trusted=trusted,
            trees=trees(everything, anchors, tags, told(carried, protecting)),
            **_money(plan),
        )
    )


def _contents(*, proof: bool, calls: bool) -> list[tuple[str, str]]:
    found = [
        ("checks", "To do", True),
        ("users", "Users", True),
        ("cost", "Cost", True),
        ("topology", "Picture", True),
        ("closed", "Isolation", proof),
        ("pools", "Pools", True),
        ("passed", "Other checks", True),
        ("access", "Access", True),
        ("calls", "Calls", calls),
        ("resources", "Resources", True),
    ]
    return [(target, words) for target, words, there in found if there]


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _sentence(plan: Plan, drawn: Topology) -> str:
    own = plan.recording.everything.own
    pools = {node.pool for node in user_nodes(plan.stack, own)}
    counted = {
        "hub": len(hub_releases(own)),
        "pool": len(pools),
        "zone": len(plan.stack.network.zones),
    }
    more = {"pool": " of nodes for users' servers"}
    built = [_plural(count, what) + more.get(what, "") for what, count in counted.items() if count]
    way = "without egress to the internet"
    if not plan.stack.network.closed:
        way = f"with egress to the internet{' through NAT' if drawn.nats else ''}"
    where = f"on AWS in {plan.stack.region}" if plan.stack.region else "in an existing cluster"
    return f"JupyterHub {where}: {', '.join([*built, way])}."


def _verdict(plan: Plan) -> dict[str, Any]:
    """Whether to build it, and the commands to run next."""
    count = Counter(finding.status for finding in plan.findings)
    name = plan.source if plan.engine_option else plan.stack_name
    warnings = _plural(count["warn"], "warning") if count["warn"] else ""
    if count["fail"]:
        return {
            "status": "fail",
            "word": f"{_plural(count['fail'], 'check')} failed",
            "warnings": warnings,
            "advice": "Do not run pulumi up: mend what failed, then look again.",
            "steps": [f"jhub plan {name}"],
        }
    missing = list(dict.fromkeys(_missing_secrets(plan.findings)))
    up = f"pulumi up -s {plan.stack_name}{plan.engine_option}"
    return {
        "status": "pass",
        "word": "No check failed",
        "warnings": warnings,
        "advice": "To build it, run in this order:" if missing else "To build it, run:",
        "steps": [*missing, up],
    }


def _missing_secrets(findings: tuple[Finding, ...]) -> Iterator[str]:
    """The commands without which `pulumi up` refuses to start."""
    for finding in findings:
        if finding.id == "secrets-given" and finding.status == "warn" and finding.fix:
            yield from commands(finding.fix)


def _checks(plan: Plan, anchors: Anchors) -> list[dict[str, Any]]:
    groups = []
    for status in _ORDER:
        entries = [
            {
                "finding": item,
                "subjects": [anchors.link(urn) for urn in sorted(item.subjects)],
                "more": explanation(item.id),
            }
            for item in plan.findings
            if item.status == status
        ]
        if entries:
            shown = _SHOWN_WARNINGS if status == "warn" else len(entries)
            groups.append(
                {
                    "status": status,
                    "heading": _HEADINGS[status],
                    "entries": entries,
                    "shown": shown,
                }
            )
    return groups


def _profiles_of_groups(hub: HubUsers) -> list[tuple[str, ...]]:
    """The sets of profiles with an access that depends on the user's groups."""
    return [access.profiles for access in hub.access if access.group]


def _most_users(hubs: tuple[HubUsers, ...]) -> int | None:
    """How many servers can run at once, if all users start the one that most fit of in each pool;
    None where some nodes are not the stack's.
    """
    most: dict[str, int] = {}
    for offer in (offer for hub in hubs for offer in hub.offers):
        if offer.most is None:
            return None
        most[offer.pool] = max(most.get(offer.pool, 0), offer.most)
    return sum(most.values()) or None


def _open_hubs(hubs: tuple[HubUsers, ...], found: tuple[Exposure, ...]) -> set[str]:
    """The hubs with an entry that is open to the world."""
    names = [item.name for item in found]
    return {
        hub.name
        for hub in hubs
        if any(
            name.startswith((f"hub-{hub.name}-cloud-entry-", f"hub-{hub.name}-release"))
            for name in names
        )
    }


def _money(plan: Plan) -> Mapping[str, Any]:
    cost = plan.cost.as_json()
    sums = {"Idle, a month": "idle_monthly", "At most, a month": "maximum_monthly"}
    charts = [
        {"title": title, "bars": bars(cost["lines"], key), "total": cost[key]}
        for title, key in sums.items()
    ]
    return {"cost": cost, "charts": charts}
