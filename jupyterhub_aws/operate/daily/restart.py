"""Whom a restart interrupts, and the lines that do it."""

from __future__ import annotations

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.daily.scene import Inside
from jupyterhub_aws.operate.daily.tools import Tools
from jupyterhub_aws.operate.live.hubs import hub_api
from jupyterhub_aws.operate.live.steps import some


def restart_lines(tools: Tools, names: HubNames, part: str) -> list[list[str]]:
    """Ask for new pods of one of the chart's deployments, and wait for them."""
    where, what = ("--namespace", names.namespace), f"deployment/{part}"
    return [
        tools.kubectl(*where, "rollout", "restart", what),
        tools.kubectl(*where, "rollout", "status", what, "--timeout=5m"),
    ]


def whom(scene: Inside, hub: str) -> str:
    """Who works there now. A hub that hangs cannot say: that is why one restarts it."""
    try:
        with hub_api(scene.stack, scene.cluster, hub) as (api, _):
            people = sorted({server.user for server in api.servers()})
    except ConfigError as error:
        why = error.problems[0]
        return (
            f"Who works there now is not known, because the hub was not reached ({why.path}:"
            f" {why.what}). A restart may still help."
        )
    return (
        f"{len(people)} work there now: {some(people, 8)}."
        if people
        else "Nobody has a server there now."
    )
