"""A hub's Helm release: its revisions, and back to one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.daily.tools import Tools

#: Revisions that a rollback may lead to: what ran once (helm, pkg/release, Status).
_RAN = ("deployed", "superseded")
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision: its number, Helm's status, the chart with its version, and when it was made."""

    number: int
    status: str
    chart: str
    updated: str


def history_line(tools: Tools, names: HubNames, *more: str) -> list[str]:
    """`helm history` of a hub."""
    return tools.helm("history", names.release, "--namespace", names.namespace, *more)


def rollback_line(tools: Tools, names: HubNames, revision: int | None) -> list[str]:
    """`helm rollback` of a hub, which waits until its pods are ready."""
    number = [] if revision is None else [str(revision)]
    return tools.helm(
        "rollback",
        names.release,
        *number,
        "--namespace",
        names.namespace,
        "--wait",
        "--timeout",
        "10m",
    )


def revisions(tools: Tools, names: HubNames) -> list[Revision]:
    """The revisions that Helm keeps, oldest first. Raises ConfigError where there is no release."""
    found = json.loads(tools.read(history_line(tools, names, "--output", "json")))
    return [
        Revision(
            number=int(item["revision"]),
            status=item["status"],
            chart=item["chart"],
            updated=item["updated"],
        )
        for item in found
    ]


def back_to(command: str, found: list[Revision], wanted: int | None) -> Revision:
    """The revision to go back to: the one that was wanted, or the last that ran before the
    newest. Raises ConfigError for one that never ran.
    """
    able = [item for item in found[:-1] if item.status in _RAN]
    if wanted is None:
        if not able:
            what = "has no older revision that ran"
            raise ConfigError(
                command,
                [Problem(path="release", what=what, fix="mend the stack file, then pulumi up")],
            )
        return able[-1]
    chosen = next((item for item in found if item.number == wanted), None)
    if chosen is None or chosen not in able:
        what = (
            f"is not one to go back to (got {wanted}:"
            f" {'not kept' if chosen is None else 'the newest' if chosen is found[-1] else chosen.status})"
        )
        numbers = ", ".join(str(item.number) for item in able) or "none"
        raise ConfigError(
            command,
            [
                Problem(
                    path="REVISION",
                    what=what,
                    fix=f"choose from {numbers}; all of them: jhub history",
                )
            ],
        )
    return chosen
