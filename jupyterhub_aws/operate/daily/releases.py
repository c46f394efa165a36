"""A hub's Helm release: its revisions, and back to one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, did_you_mean, refused, some
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.daily.context import Inside, Tools
from jupyterhub_aws.operate.daily.who import server_pods
from jupyterhub_aws.operate.live.hub_api import hub_api

#: Revisions that a rollback may lead to: what ran once (helm, pkg/release, Status).
_RAN = ("deployed", "superseded")
FORMAT = "jupyterhub-aws/history/1"
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision: its number, Helm's status, the chart with its version, and when it was made."""

    number: int
    status: str
    chart: str
    updated: str

    def as_json(self) -> dict[str, Any]:
        """The revision as `jhub history --json` prints it."""
        return {
            "revision": self.number,
            "status": self.status,
            "chart": self.chart,
            "updated": self.updated,
        }


def as_json(stack: str, hub: str, found: Sequence[Revision]) -> dict[str, Any]:
    """The revisions of a hub's release, oldest first."""
    revisions = [item.as_json() for item in found]
    return {"format": FORMAT, "stack": stack, "hub": hub, "revisions": revisions}


def history_line(tools: Tools, names: HubNames, *more: str) -> list[str]:
    """`helm history` of a hub."""
    return tools.helm("history", names.release, "--namespace", names.namespace, *more)


def rollback_line(tools: Tools, names: HubNames, revision: int | None) -> list[str]:
    """`helm rollback` of a hub, which waits until its pods are ready."""
    number = [] if revision is None else [str(revision)]
    options = ("--namespace", names.namespace, "--wait", "--timeout", "10m")
    return tools.helm("rollback", names.release, *number, *options)


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
            fix = "fix the stack file, then pulumi up"
            raise refused(command, "release.no-older", "release", what, fix)
        return able[-1]
    chosen = next((item for item in found if item.number == wanted), None)
    if chosen is None or chosen not in able:
        what = (
            f"is not one to go back to (got {wanted}:"
            f" {'not kept' if chosen is None else 'the newest' if chosen is found[-1] else chosen.status})"
        )
        numbers = ", ".join(str(item.number) for item in able) or "none"
        fix = f"choose from {numbers}; all of them: jhub history"
        raise refused(command, "release.no-older", "REVISION", what, fix)
    return chosen


# --- Which users a restart interrupts, and the lines that do it.


def restart_lines(tools: Tools, names: HubNames, part: str) -> list[list[str]]:
    """Ask for new pods of one of the chart's deployments, and wait for them."""
    where, what = ("--namespace", names.namespace), f"deployment/{part}"
    return [
        tools.kubectl(*where, "rollout", "restart", what),
        tools.kubectl(*where, "rollout", "status", what, "--timeout=5m"),
    ]


def affected_users(context: Inside, hub: str) -> tuple[str, list[str] | None]:
    """Who works there now, in a sentence and by their names. A hub that hangs cannot say (None):
    that is why one restarts it.
    """
    try:
        with hub_api(context.stack, context.cluster, hub) as (api, _):
            users = sorted({server.user for server in api.servers()})
    except ConfigError as error:
        why = error.problems[0]
        return (
            f"Who works there now is not known, because the hub was not reached ({why.path}:"
            f" {why.what}). A restart may still help."
        ), None
    if users:
        return f"{len(users)} work there now: {some(users, 8)}.", users
    return "No user has a server there now.", []


# --- Where a log is: the hub's and the proxy's by their deployments, a user's by the pod of their
# server.


def logs_line(tools: Tools, names: HubNames, place: str, more: Sequence[str]) -> list[str]:
    """`kubectl logs` of one place."""
    return tools.kubectl("--namespace", names.namespace, "logs", place, *more)


def log_target(context: Inside, hub: str, of: str) -> str:
    """What to name to kubectl; `of` is hub, proxy, or a user (USER/SERVER for a named one). Raises
    ConfigError for a user without a server.
    """
    if of in ("hub", "proxy"):
        return f"deployment/{of}"
    pods = {
        f"{pod.user}/{pod.server}" if pod.server else pod.user: pod
        for pod in server_pods(context.stack, context.cluster, [hub])
    }
    if of in pods:
        return f"pod/{pods[of].name}"
    fix = did_you_mean(of, pods, f"who has one: jhub who {context.name}")
    what = f"no user called {of!r} has a server there"
    raise refused("jhub logs", "user.no-server", hub, what, fix)
