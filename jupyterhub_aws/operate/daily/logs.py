"""Where a log is: the hub's and the proxy's by their deployments, a person's by the pod of their
server.
"""

from __future__ import annotations

from collections.abc import Sequence

from jupyterhub_aws.config.errors import ConfigError, Problem, closest
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.operate.daily.pods import server_pods
from jupyterhub_aws.operate.daily.scene import Inside
from jupyterhub_aws.operate.daily.tools import Tools


def logs_line(tools: Tools, names: HubNames, place: str, more: Sequence[str]) -> list[str]:
    """`kubectl logs` of one place."""
    return tools.kubectl("--namespace", names.namespace, "logs", place, *more)


def place_of(scene: Inside, hub: str, of: str) -> str:
    """What to name to kubectl; `of` is hub, proxy, or a person (PERSON/SERVER for a named one).
    Raises ConfigError for somebody without a server.
    """
    if of in ("hub", "proxy"):
        return f"deployment/{of}"
    pods = {
        f"{pod.user}/{pod.server}" if pod.server else pod.user: pod
        for pod in server_pods(scene.stack, scene.cluster, [hub])
    }
    if of in pods:
        return f"pod/{pods[of].name}"
    guess = closest(of, pods)
    fix = f"did you mean {guess}?" if guess else f"who has one: jhub who {scene.name}"
    raise ConfigError(
        "jhub logs", [Problem(path=hub, what=f"nobody called {of!r} has a server there", fix=fix)]
    )
