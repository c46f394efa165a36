"""What is stuck in a stack's cluster: releases that no command finishes, pods that do not start,
claims without a volume, nodes that are gone.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jupyterhub_aws.components.hub.not_ready import Stuck, stuck, without_a_pod
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.daily.context import Inside, Tools
from jupyterhub_aws.operate.daily.nodes import nodes
from jupyterhub_aws.operate.daily.releases import PENDING, Revision, revisions, rollback_line
from jupyterhub_aws.operate.daily.who import age, now

FORMAT = "jupyterhub-aws/doctor/1"


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """Something that is stuck: `path` says where, `what` what, `run` the safe command or the
    next look.
    """

    path: str
    what: str
    run: str


def findings(context: Inside, tools: Tools) -> list[Symptom]:
    """All that is stuck now. Raises ConfigError where the cluster does not answer."""
    found: list[Symptom] = []
    for hub in sorted(context.stack.hubs_inside):
        names = HubNames(stack=context.stack.name, hub=hub)
        found += _release(context, tools, names)
        where = ("--namespace", names.namespace)
        pods = context.cluster.data(*where, "get", "pods")["items"]
        warnings = context.cluster.data(
            *where, "get", "events", "--field-selector", "type=Warning"
        )["items"]
        found += [_pod(hub, item, tools, names) for item in stuck(pods, warnings)]
        line = tools.kubectl(*where, "get", "events", "--field-selector", "type=Warning")
        found += [
            Symptom(path=hub, what=what, run=shlex.join(line))
            for what in without_a_pod(warnings, pods)
        ]
        for claim in context.cluster.data(*where, "get", "pvc")["items"]:
            if (claim.get("status") or {}).get("phase") == "Pending":
                name = claim["metadata"]["name"]
                what = f"the claim {name} has no volume"
                line = tools.kubectl(*where, "describe", "pvc", name)
                found.append(Symptom(path=hub, what=what, run=shlex.join(line)))
    for node in nodes(context.cluster):
        if node.state == "not ready":
            line = tools.kubectl("describe", "node", node.name)
            found.append(
                Symptom(
                    path="nodes",
                    what=f"{node.name} ({node.pool or 'no pool'}) is not ready, with {node.servers}"
                    " servers",
                    run=shlex.join(line),
                )
            )
    return found


def _release(context: Inside, tools: Tools, names: HubNames) -> Iterator[Symptom]:
    try:
        kept = revisions(tools, names)
    except ConfigError as error:
        yield Symptom(
            path=names.hub,
            what=f"has no Helm release ({error.problems[0].what})",
            run=f"pulumi up -s {context.name}",
        )
        return
    last = kept[-1]
    since = age(last.updated, now())
    if last.status in PENDING:
        what = (
            f"release {last.number} is {last.status} for {since}: an `up` was killed, or still runs"
            " (then wait)"
        )
        yield Symptom(path=names.hub, what=what, run=_way_out(context, tools, names, kept))
    elif last.status == "failed":
        what = f"release {last.number} failed {since} ago"
        yield Symptom(
            path=names.hub,
            what=what,
            run=f"fix what the last `up` said, then: pulumi up -s {context.name}",
        )


def _way_out(context: Inside, tools: Tools, names: HubNames, kept: Sequence[Revision]) -> str:
    """Helm refuses the next upgrade of a pending release ("another operation is in progress"); a
    rollback to what ran clears it.
    """
    ran = next((item for item in reversed(kept) if item.status in ("deployed", "superseded")), None)
    if ran is None:
        return _first_anew(context, tools, names)
    return (
        f"{shlex.join(rollback_line(tools, names, ran.number))}, then: pulumi up -s {context.name}"
    )


def _first_anew(context: Inside, tools: Tools, names: HubNames) -> str:
    """Of a first installation nothing ran: no user has worked there, and the claims are kept by
    their own annotation.

    Helm forgets it first, else it refuses the name ("cannot re-use a name that is still in use");
    then the state does, else Helm is asked to change what it no longer has ("has no deployed
    releases").
    """
    line = shlex.join(tools.helm("uninstall", names.release, "--namespace", names.namespace))
    return (
        f"{line}, then: pulumi refresh -s {context.name} --yes --clear-pending-creates, then:"
        " pulumi"
        f" up -s {context.name}"
    )


def _pod(hub: str, found: Stuck, tools: Tools, names: HubNames) -> Symptom:
    where = ("--namespace", names.namespace)
    line = (
        tools.kubectl(*where, "logs", found.pod, "--previous")
        if found.crashed is not None
        else tools.kubectl(*where, "describe", "pod", found.pod)
    )
    return Symptom(path=hub, what=found.line, run=shlex.join(line))


def as_json(stack: str, found: Sequence[Symptom]) -> dict[str, Any]:
    """The findings as data."""
    return {"format": FORMAT, "stack": stack, "findings": [asdict(item) for item in found]}


def show(stack: str, found: Sequence[Symptom]) -> None:
    """Print the findings, for 80 columns."""
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    if not found:
        console.print(
            Text(
                f"✓ {stack}: nothing is stuck. Whether users can work: jhub health {stack}", "green"
            )
        )
    for item in found:
        console.print(Text.assemble(("✗ ", "bold red"), (f"{item.path}: ", "bold"), item.what))
        console.print(Text(f"  → {item.run}", "dim"), soft_wrap=True)
