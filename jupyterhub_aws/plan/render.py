"""A plan in a terminal: whether to build it, what is wrong, what it costs; whole, every resource
too. Made for 80 columns, light or dark.
"""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from jupyterhub_aws.checks.cost_lines import OF_BUCKETS
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.cli.console import Terminal, counted
from jupyterhub_aws.plan.plan import Plan
from jupyterhub_aws.plan.summary import statements, summary
from jupyterhub_aws.plan.users import users_of

_MARKS = {
    "fail": ("✗", "bold red"),
    "warn": ("!", "yellow"),
    "skip": ("·", "dim"),
    "pass": ("✓", "green"),
}
_ORDER = ("fail", "warn", "skip", "pass")
#: What a reader has to act upon.
_TOLD = ("fail", "warn")
#: The sums of the bill, as the plan's data calls them.
_SUMS = ("idle_monthly", "paused_monthly", "maximum_monthly")
#: A line of the bill that makes less of every sum is not named in the short form.
_LARGE_SHARE = 0.1
_OPTION_COLUMN = 31
#: So many types without a price are named in the short form.
_NAMED = 4


def render(plan: Plan, *, whole: bool = False) -> None:
    """Print the plan to standard output: first whether it may be built, then what fails and what
    warns, then what it costs.

    `whole` is all that is known: every resource as a tree with its IAM statements, every check,
    every line of the bill.
    """
    console = Terminal()
    console.print(_what(plan))
    console.print(_verdict(plan))
    console.print()
    if whole:
        console.print(_tree(plan))
        console.print()
    for part in (
        _findings(plan.findings, whole=whole),
        _users(plan),
        _cost(plan, whole=whole),
    ):
        if part is not None:
            console.print(part)
            console.print()
    console.print(_verdict(plan) if whole else _more(plan))


def render_brief(plan: Plan) -> None:
    """Print the answer in a dozen lines: the verdict, a line for each id that fails or warns, the
    sums of the bill. On a terminal no line is longer than it is wide; in a pipe they are whole.
    """
    console = Terminal()
    told = [item for item in plan.findings if item.status in _TOLD]
    told.sort(key=lambda item: _ORDER.index(item.status))
    lines = [_what(plan), _verdict(plan)]
    groups = [list(found) for _, found in groupby(told, key=lambda item: (item.status, item.id))]
    heads = [f"{found[0].id} ×{len(found)}" if found[1:] else found[0].id for found in groups]
    width = max(map(len, heads), default=0)
    for head, found in zip(heads, groups, strict=True):
        mark, style = _MARKS[found[0].status]
        path = f"{found[0].path}: " if found[0].path else ""
        lines.append(Text.assemble((mark, style), f" {head:<{width}}  {path}{found[0].message}"))
    data: dict[str, Any] = plan.cost.as_json()
    idle, paused, most = (_dollars(data.get(key)) for key in _SUMS)
    lines.append(Text(f"US dollars a month: {idle} idle, {paused} paused, at most {most}"))
    name = plan.source if plan.engine_option else plan.stack_name
    what_to_do = f"what to do: jhub plan {name}; what an id means: jhub explain ID"
    lines.append(Text(what_to_do, "dim"))
    for line in lines:
        one = line not in (lines[0], lines[1], lines[-1])
        if console.is_terminal and one:
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
        else:
            console.print(line, soft_wrap=not console.is_terminal)


def say_verdict(plan: Plan) -> None:
    """Print the verdict alone."""
    Terminal().print(_verdict(plan))


def _what(plan: Plan) -> Text:
    """Which stack becomes what."""
    stack = plan.stack
    where = f" in {stack.region}" if stack.region else ""
    resources = counted(len(plan.recording.resources), "resource")
    if added := len(plan.recording.resources.added):
        resources += f", {added} of them added by your program"
    return Text.assemble((plan.source, "bold"), f" becomes {stack.name}{where}: {resources}")


def _verdict(plan: Plan) -> Text:
    """Whether to build it: what a reader has to know first."""
    count = Counter(finding.status for finding in plan.findings)
    warnings = counted(count["warn"], "warning")
    if count["fail"]:
        return Text(
            f"✗ {counted(count['fail'], 'check')} failed, {warnings}: do not run `pulumi up`.",
            "bold red",
        )
    return Text(
        f"✓ No check failed, {warnings}. To build it: pulumi up -s"
        f" {plan.stack_name}{plan.engine_option}",
        "bold green",
    )


def _more(plan: Plan) -> Text:
    """What the short form left out, and how to see it."""
    name = plan.source if plan.engine_option else plan.stack_name
    lines = [
        ("--brief", "the verdict, and a line for each warning"),
        ("--resources", "every resource, check and line of the bill"),
        ("--html plan.html", "the same as a page with pictures"),
    ]
    return Text(
        "\n".join(
            f"jhub plan {name} {option}".ljust(_OPTION_COLUMN) + f"  {what}"
            for option, what in lines
        ),
        "dim",
    )


def _tree(plan: Plan) -> Group:
    """Every resource below its part: in build order those of this library, by name those that
    the caller's program added.
    """
    resources = plan.recording.resources
    children: dict[str | None, list[Resource]] = defaultdict(list)
    for resource in resources:
        if resources.part(resource) is not resource:
            children[resource.parent].append(resource)
    depth = _depths(resources)
    own = [
        _branch(item, children, "")
        for item in sorted(resources.parts(), key=lambda item: (depth[item.urn], item.name))
    ]
    added = [
        _branch(item, children, "", added=True)
        for item in sorted(resources.added_parts(), key=lambda item: (item.name, item.type))
    ]
    heading = [Text(), Text("Added by your program", "bold")] if added else []
    return Group(*own, *heading, *added)


def _depths(resources: Resources) -> dict[str, int]:
    """For each top-level resource, how much has to be there before it is whole: sorted by it,
    the tree reads in build order.
    """
    below: dict[str, set[str]] = {}

    def needs(urn: str) -> set[str]:
        if urn not in below:
            below[urn] = set()  # a component and its children may name each other
            for other in (
                other for other in resources.by_urn[urn].depends_on if other in resources.by_urn
            ):
                below[urn] |= {other} | needs(other)
        return below[urn]

    def top(resource: Resource) -> str:
        return resources.part(resource).urn

    reach: dict[str, set[str]] = defaultdict(set)
    for resource in resources:
        reach[top(resource)] |= {
            urn for urn in needs(resource.urn) if top(resources.by_urn[urn]) != top(resource)
        }
    return {urn: len(found) for urn, found in reach.items()}


def _branch(
    resource: Resource,
    children: dict[str | None, list[Resource]],
    prefix: str,
    *,
    added: bool = False,
) -> Tree:
    branch = Tree(_label(resource, prefix, added=added), guide_style="dim")
    for statement in statements(resource.inputs):
        branch.add(Text(statement, style="dim"))
    for child in sorted(children[resource.urn], key=lambda item: (item.type, item.name)):
        branch.children.append(_branch(child, children, resource.name, added=added))
    return branch


def _label(resource: Resource, prefix: str, *, added: bool) -> Text:
    short = resource.name.removeprefix(prefix).lstrip("-") or resource.name
    kind = resource.type.rpartition(":")[2]
    label = Text.assemble(
        (short, "" if resource.custom else "bold"),
        " ",
        (kind, "cyan" if resource.custom else "dim cyan"),
    )
    if resource.import_id:
        label.append(f" import {resource.import_id}", "magenta")
    if resource.protect:
        label.append(" kept", "green")
    line = summary(resource, added=added)
    label.append(f" {line}" if line else "")
    return label.append(f" {resource.source}", "dim") if resource.source else label


def _findings(findings: tuple[Finding, ...], *, whole: bool) -> Table:
    """What fails and what warns, one by one; what passed and what only the account knows by
    number, unless the whole is wanted.
    """
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for finding in sorted(findings, key=lambda item: _ORDER.index(item.status)):
        mark, style = _MARKS[finding.status]
        if not whole and finding.status not in _TOLD:
            continue
        text = Text()
        if finding.path:
            text.append(f"{finding.path}: ", "bold")
        text.append(finding.message)
        if finding.status in _TOLD:
            text.append(f" [{finding.id}]", "dim")
        if finding.fix and finding.status in _TOLD:
            text.append(f"\n→ {finding.fix}", "dim")
        table.add_row(Text(mark, style), text)
    if not whole:
        count = Counter(finding.status for finding in findings)
        if count["pass"]:
            table.add_row(Text(*_MARKS["pass"]), Text(f"{counted(count['pass'], 'check')} passed"))
        if count["skip"]:
            table.add_row(
                Text(*_MARKS["skip"]),
                Text(f"{counted(count['skip'], 'note')} on what this plan cannot know"),
            )
    return table


def _users(plan: Plan) -> Group | None:
    """Who can use each hub, in a line; the page of the plan says the rest."""
    found = users_of(plan)
    if not found:
        return None
    return Group(Text("who can use it", "dim"), *(Text(hub.sentence) for hub in found))


def _cost(plan: Plan, *, whole: bool) -> Group:
    data: dict[str, Any] = plan.cost.as_json()
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("per month, US dollars", ratio=1)
    for head in ("idle", "paused", "at most"):
        table.add_column(head, justify="right", no_wrap=True)
    lines = data["lines"] if whole else _largest(data)
    for line in lines:
        mark = line["priced_in"] != data["region"]
        table.add_row(str(line["what"]), *(_dollars(line.get(key), mark=mark) for key in _SUMS))
    if len(lines) < len(data["lines"]):
        small = [line for line in data["lines"] if line not in lines]
        mark = any(line["priced_in"] != data["region"] for line in small)
        sums = (_dollars(_sum(small, key), mark=mark) for key in _SUMS)
        table.add_row(f"{counted(len(small), 'smaller line')}", *sums)
    totals = (_dollars(data.get(key), mark=data["is_elsewhere"]) for key in _SUMS)
    table.add_row(Text("total", "bold"), *totals)
    has_buckets = any(str(left).startswith(OF_BUCKETS) for left in data["left_out"])
    homes = "homes and buckets" if has_buckets else "homes"
    uncounted = (
        f"without traffic, logs, backups and storage of {homes}; before discounts and credits"
    )
    spot = " Spot nodes count at max_price, or at the on-demand price without one." if whole else ""
    account = f" Only your account knows {data['only_account']}." if whole else ""
    note = Text(f"Prices of {data['prices_of']}; {uncounted}.{spot}{account}", "dim")
    first = [Text(data["note"], "yellow")] if data["note"] else []
    return Group(
        *first,
        table,
        Padding(note, (0, 0)),
        *_not_priced(data, whole=whole),
        *_user_hours(data, whole=whole),
    )


def _not_priced(data: Mapping[str, Any], *, whole: bool) -> list[Text]:
    """What the caller's program adds and no price is known for: how many, and of which types."""
    found: Mapping[str, int] = data["not_priced"]
    if not found:
        return []
    count = f"Not priced: {counted(sum(found.values()), 'resource')} of your program"
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))[
        : len(found) if whole else _NAMED
    ]
    rest = f" and {len(found) - len(most)} more types" if len(most) < len(found) else ""
    named = ", ".join(f"{number} {kind.rpartition(':')[2]}" for kind, number in most)
    return [Text(f"{count} ({named}{rest}).", "dim")]


def _largest(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines that make a tenth of some sum or more; and those without a price, which make the
    sum unknown.
    """

    def is_large(line: Mapping[str, Any], key: str) -> bool:
        return line[key] is None or (
            data[key] is not None and line[key] > 0 and line[key] >= data[key] * _LARGE_SHARE
        )

    return [line for line in data["lines"] if any(is_large(line, key) for key in _SUMS)]


def _sum(lines: Sequence[Mapping[str, Any]], key: str) -> float:
    return sum(float(line[key]) for line in lines)


def _user_hours(data: dict[str, Any], *, whole: bool) -> list[Any]:
    """What a user-hour costs, by hub and profile."""
    if not data["user_hours"]:
        return []
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("one user-hour, US dollars", ratio=1)
    for head in ("per node", "spot", "on demand"):
        table.add_column(head, justify="right", no_wrap=True)
    for hour in data["user_hours"]:
        mark = "≈ " if hour["priced_in"] != data["region"] else ""
        prices = (
            "–" if hour[key] is None else f"{mark}{hour[key]:.3f}" for key in ("spot", "on_demand")
        )
        table.add_row(
            f"{hour['hub']}: {hour['profile']} on {hour['type']}",
            str(hour["users_per_node"]),
            *prices,
        )
    share = (
        f"On a full node, without its disk. Spot at {data['spot_share']:.0%} of the on-demand"
        " price, an assumption (--prices FILE)."
    )
    now = [Text("What spot costs now:", "dim"), _command(data)] if data["spot_now"] else []
    return [Text(), table, *([Text(share, "dim"), *now] if whole else [])]


def _command(data: Mapping[str, Any]) -> Text:
    """A command in lines that a shell joins, so that it can be copied from a narrow terminal."""
    lines = textwrap.wrap(
        data["spot_now"], 74, break_long_words=False, break_on_hyphens=False, subsequent_indent="  "
    )
    return Text(" \\\n".join(lines), "dim")


def _dollars(value: object, *, mark: bool = False) -> str:
    """An amount; `mark` where it has the prices of another region."""
    if value is None:
        return "?"
    amount = float(str(value))
    return f"{'≈ ' if mark and amount else ''}{amount:,.2f}"
