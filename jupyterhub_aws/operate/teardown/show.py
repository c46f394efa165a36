"""The plan of leaving in a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.cli.console import Terminal, marked
from jupyterhub_aws.config.specs.buckets import USER_BUCKET_TAG
from jupyterhub_aws.operate.teardown.plan import DestroyPlan, StackTeardown

_WIDTH = 74
#: So many kinds of what the caller's program added are named.
_KINDS = 8
#: Names of resources that stay; others by their type's last word.
_WORDS = {
    "aws:efs/fileSystem:FileSystem": "file system of homes",
    "aws:efs/accessPoint:AccessPoint": "access point of homes",
    "aws:ebs/volume:Volume": "volume of a hub's database",
    "aws:rds/instance:Instance": "PostgreSQL of a hub",
    "aws:kms/key:Key": "key, without which nothing that is kept can be read",
    "aws:s3/bucket:Bucket": "bucket, with its objects",
    "aws:eks/cluster:Cluster": "control plane: cluster.protected is true",
    "kubernetes:core/v1:Namespace": "namespace, with the claims in it",
    "kubernetes:core/v1:PersistentVolume": "volume object",
    "kubernetes:core/v1:PersistentVolumeClaim": "claim",
}


def show(plan: DestroyPlan) -> None:
    """Print it to standard output."""
    console = Terminal()
    stack, last = plan.stack, plan.stacks[-1].file.stack
    rests = "; it is paused, which may stay so" if stack.paused and not plan.before else ""
    where = f" in {stack.region}" if stack.region else ""
    console.print(
        Text.assemble(
            (f"Teardown of {last}", "bold"),
            f" ({stack.name}{where}){rests}. Nothing is changed now.",
        )
    )
    number = 0
    for why, line in [*plan.before, *_first(plan)]:
        number += 1
        console.print(Group(Text(""), marked(f"{number}.", "", why), _line(line)))
    for teardown in plan.stacks:
        number += 1
        console.print(Group(Text(""), _stack_teardown(teardown, number)))
    if plan.in_aws:
        console.print(
            Group(
                Text(""),
                Text(f"{number + 1}. what still exists, and what it belongs to"),
                _line(f"jhub orphans {last}"),
            )
        )
    for part in (_later(plan), _unmanaged(plan), _bill(plan)):
        console.print(Group(Text(""), part))


def _first(plan: DestroyPlan) -> list[tuple[str, str]]:
    return [
        (f"before anything goes, or AWS keeps the network: {item.what}", item.find)
        for item in plan.unmanaged
        if item.blocks and "kubectl" in item.find
    ]


def _stack_teardown(part: StackTeardown, number: int) -> Group:
    found = part.outcome
    where = f", {part.where}" if part.where else ""
    parts: list[Text | Padding] = [
        Text(f"{number}. {part.file.stack}{where}: {len(found.goes)} resources go"),
        _line(part.line),
    ]
    if found.order:
        parts.append(
            _grey("in this order: " + ", ".join(f"{name} ({count})" for name, count in found.order))
        )
    if found.added:
        parts.append(
            _grey(
                f"and {len(found.added)} that your program added, each before what it needs:"
                f" {', '.join(_counted(found.added))}"
            )
        )
    parts += _list(
        "stays, and the next `up` finds it", [item for item in found.stays if item.protect]
    )
    needs = [
        item
        for item in found.stays
        if not item.protect and item.custom and not item.type.startswith("pulumi:")
    ]
    parts += (
        [_grey(f"and {len(needs)} more that these need (network, roles, policies)")]
        if needs
        else []
    )
    parts += _list("stays, but the state forgets it", found.forgotten)
    parts += _list("goes with the cluster, whatever it is marked", found.ends)
    return Group(*parts)


def _list(head: str, items: Iterable[Resource]) -> list[Text | Padding]:
    lines = [f"  {item.name}: {_word(item)}" for item in items]
    return [Padding(Text("\n".join([f"{head}:", *lines])), (0, 0, 0, 3))] if lines else []


def _word(item: Resource) -> str:
    """Its kind in words. What the caller's program added is none of this library's kinds."""
    kind = item.type.rpartition(":")[2]
    if USER_BUCKET_TAG in (item.inputs.get("tags") or {}):
        return "bucket with users' data"
    return (
        f"{kind}, added by your program" if item.source is not None else _WORDS.get(item.type, kind)
    )


def _counted(items: Iterable[Resource]) -> list[str]:
    """How many of each kind, those of which there are most first."""
    count = Counter(item.type.rpartition(":")[2] for item in items)
    named = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = [f"and {len(named) - _KINDS} more kinds"] if len(named) > _KINDS else []
    return [*(f"{number} {kind}" for kind, number in named[:_KINDS]), *rest]


def _later(plan: DestroyPlan) -> Group:
    names = [part.file.stack for part in plan.stacks]
    steps = [
        line
        for name in names
        for line in (f"pulumi state unprotect --all -s {name}", f"pulumi destroy -s {name}")
    ]
    says = (
        "When the homes are not needed any more, and not before (each of these asks; what is kept"
        " is"
        " forgotten, and `jhub orphans` then names the commands):"
    )
    return Group(
        Text(says),
        *(
            _line(line)
            for line in [*steps, *(f"pulumi stack rm --preserve-config {name}" for name in names)]
        ),
    )


def _unmanaged(plan: DestroyPlan) -> Group:
    parts: list[RenderableType] = [Text("Unmanaged, because no state knows it:", "bold")]
    for item in plan.unmanaged:
        blocks = " (blocks the network)" if item.blocks else ""
        parts.append(marked("!", "yellow", f"{item.what}: {item.why}{blocks}"))
        parts += [_line(item.find)] if item.find else []
    return Group(*parts)


def _bill(plan: DestroyPlan) -> Group:
    bill = plan.bill()
    kept = [line for line in bill["lines"] if line["quantity"]]
    lines = [
        Text(
            f"  {line['what']}: {line['quantity']} × {_dollars(line['unit_price'])} ="
            f" {_mark(line['priced_in'] != bill['region'])}{_dollars(line['idle_monthly'])}"
        )
        for line in kept
    ]
    why = f" (≈: those of {bill['region']} are not here)" if bill["is_elsewhere"] else ""
    total = f"{_mark(bill['is_elsewhere'])}{_dollars(bill['idle_monthly'])}"
    head = Text(f"Afterwards per month, US dollars: {total}", "bold")
    note = (
        f"Prices of {bill['prices_of']}{why}. Not counted: what homes and backups hold, by the GiB; what"
        " stays unmanaged."
    )
    return Group(head, *lines, Text(note, "dim"))


def _mark(is_elsewhere: bool) -> str:
    """Before an amount that has the prices of another region."""
    return "≈ " if is_elsewhere else ""


def _dollars(value: object) -> str:
    return "?" if value is None else f"{float(str(value)):,.2f}"


def _line(text: str) -> Padding:
    """A command, broken only where a shell goes on reading."""
    parts = textwrap.wrap(
        f"$ {text}",
        _WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent="    ",
    )
    return Padding(Text(" \\\n".join(parts), "cyan", no_wrap=True, overflow="ignore"), (0, 0, 0, 3))


def _grey(text: str) -> Padding:
    return Padding(Text(text, "dim"), (0, 0, 0, 3))
