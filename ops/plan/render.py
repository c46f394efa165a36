"""A plan in a terminal: what would be built as a tree, what is wrong, what it costs. Made for 80 columns, light or dark."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from checks.finding import Finding
from checks.resources import Resource, Resources
from ops.plan.plan import Plan
from ops.plan.summary import statements, summary

_MARKS = {"fail": ("✗", "bold red"), "warn": ("!", "yellow"), "skip": ("·", "dim"), "pass": ("✓", "green")}
_ORDER = ("fail", "warn", "skip", "pass")


class _Console(Console):
    """A console whose reader may leave early (`jhub plan dev | head`): that changes nothing about the verdict."""

    def on_broken_pipe(self) -> None:
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()


def render(plan: Plan) -> None:
    """Print the plan to standard output."""
    console = _Console(highlight=False, soft_wrap=False)
    stack = plan.stack
    where = f" in {stack.region}" if stack.region else ""
    console.print(Text.assemble((plan.source, "bold"), f" becomes {stack.name}{where}: {len(plan.recording.resources)} resources"))
    console.print()
    console.print(_tree(plan))
    console.print()
    console.print(_findings(plan.findings))
    console.print()
    console.print(_cost(plan))
    console.print()
    console.print(_last_line(plan))


def _tree(plan: Plan) -> Group:
    children: dict[str | None, list[Resource]] = defaultdict(list)
    for resource in plan.recording.resources:
        children[resource.parent].append(resource)
    depth = _depths(plan.recording.resources)
    return Group(*(_branch(resource, children, "") for resource in sorted(children[None], key=lambda item: (depth[item.urn], item.name))))


def _depths(resources: Resources) -> dict[str, int]:
    """For each top-level resource, how much has to be there before it is whole: sorted by it, the tree reads in build order."""
    below: dict[str, set[str]] = {}

    def needs(urn: str) -> set[str]:
        if urn not in below:
            below[urn] = set()  # a component and its children may name each other
            for other in (other for other in resources.by_urn[urn].depends_on if other in resources.by_urn):
                below[urn] |= {other} | needs(other)
        return below[urn]

    def top(resource: Resource) -> str:
        return resource.urn if resource.parent is None else top(resources.by_urn[resource.parent])

    reach: dict[str, set[str]] = defaultdict(set)
    for resource in resources:
        reach[top(resource)] |= {urn for urn in needs(resource.urn) if top(resources.by_urn[urn]) != top(resource)}
    return {urn: len(found) for urn, found in reach.items()}


def _branch(resource: Resource, children: dict[str | None, list[Resource]], prefix: str) -> Tree:
    branch = Tree(_label(resource, prefix), guide_style="dim")
    for statement in statements(resource.inputs):
        branch.add(Text(statement, style="dim"))
    for child in sorted(children[resource.urn], key=lambda item: (item.type, item.name)):
        branch.children.append(_branch(child, children, resource.name))
    return branch


def _label(resource: Resource, prefix: str) -> Text:
    short = resource.name.removeprefix(prefix).lstrip("-") or resource.name
    kind = resource.type.rpartition(":")[2]
    label = Text.assemble((short, "" if resource.custom else "bold"), " ", (kind, "cyan" if resource.custom else "dim cyan"))
    if resource.import_id:
        label.append(f" import {resource.import_id}", "magenta")
    if resource.protect:
        label.append(" kept", "green")
    line = summary(resource.type, resource.inputs) if resource.custom else ""
    return label.append(f" {line}") if line else label


def _findings(findings: tuple[Finding, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for finding in sorted(findings, key=lambda item: _ORDER.index(item.status)):
        mark, style = _MARKS[finding.status]
        text = Text()
        if finding.path:
            text.append(f"{finding.path}: ", "bold")
        text.append(finding.message)
        if finding.fix and finding.status in ("fail", "warn"):
            text.append(f"\n→ {finding.fix}", "dim")
        table.add_row(Text(mark, style), text)
    return table


def _cost(plan: Plan) -> Group:
    data: dict[str, Any] = plan.cost.as_json()
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("per month, US dollars", ratio=1)
    for head in ("at rest", "paused", "at most"):
        table.add_column(head, justify="right", no_wrap=True)
    for line in data["lines"]:
        table.add_row(str(line["what"]), *(_dollars(line.get(key)) for key in ("idle_monthly", "paused_monthly", "maximum_monthly")))
    table.add_row(Text("together", "bold"), *(_dollars(data.get(key)) for key in ("idle_monthly", "paused_monthly", "maximum_monthly")))
    uncounted = "without traffic, logs, backups and storage of homes"
    spot = "Spot nodes count at max_price, or at the on-demand price without one."
    note = Text(f"Prices of {data['prices_of']}; {uncounted}. {spot}", "dim")
    return Group(table, Padding(note, (0, 0)), *_user_hours(data))


def _user_hours(data: dict[str, Any]) -> list[Any]:
    """What an hour of one person costs, by hub and profile."""
    if not data["user_hours"]:
        return []
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("one person's hour, US dollars", ratio=1)
    for head in ("per node", "spot", "on demand"):
        table.add_column(head, justify="right", no_wrap=True)
    for hour in data["user_hours"]:
        prices = ("–" if hour[key] is None else f"{hour[key]:.3f}" for key in ("spot", "on_demand"))
        table.add_row(f"{hour['hub']}: {hour['profile']} on {hour['type']}", str(hour["people_per_node"]), *prices)
    share = f"On a full node, without its disk. Spot at {data['spot_share']:.0%} of the on-demand price, an assumption (--prices FILE)."
    return [Text(), table, Text(share, "dim")]


def _dollars(value: object) -> str:
    return "?" if value is None else f"{float(str(value)):,.2f}"


def _last_line(plan: Plan) -> Text:
    count = {status: sum(finding.status == status for finding in plan.findings) for status in _ORDER}
    if count["fail"]:
        return Text(f"✗ {count['fail']} checks failed; do not run `pulumi up`.", "bold red")
    return Text(f"✓ No check failed, {count['warn']} warnings. To build it: pulumi up -s {plan.stack_name}{plan.engine_option}", "bold green")
