"""The hubs of a stack as they run: each one's API through a tunnel of kubectl, under the
operator's own token.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Collection, Iterator

from jupyterhub_aws.components.hub.values.hub import OPERATOR
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import HubApi

#: The chart's own: the Secret that holds the services' tokens (templates/hub/secret.yaml), and the
#: hub's Service with its port.
_SECRET, _SERVICE, _PORT = "hub", "service/hub", 8081


@contextlib.contextmanager
def hub_apis(
    stack: StackConfig, cluster: KubectlCluster, hubs: Collection[str] | None = None
) -> Iterator[list[HubApi]]:
    """The API of every hub, or of these, while the block runs. Raises ConfigError for a hub that
    is not there or has no token for `jhub`.
    """
    with contextlib.ExitStack() as tunnels:
        yield [
            tunnels.enter_context(hub_api(stack, cluster, name))[0]
            for name in sorted(stack.hubs_inside if hubs is None else hubs)
        ]


def hub_runs(cluster: KubectlCluster, namespace: str, parts: Collection[str] = ("hub",)) -> bool:
    """Whether the hub's pod, or each of these Deployments of it, is ready."""
    found = cluster.data("--namespace", namespace, "get", "deployments")
    ready = {
        item["metadata"]["name"]: int(item.get("status", {}).get("readyReplicas", 0))
        for item in found["items"]
    }
    return all(ready.get(name, 0) >= 1 for name in parts)


@contextlib.contextmanager
def hub_api(stack: StackConfig, cluster: KubectlCluster, name: str) -> Iterator[tuple[HubApi, str]]:
    """One hub's API while the block runs, and the operator's token: the same lets in to the test
    user's servers. Raises ConfigError as above.
    """
    namespace = HubNames(stack=stack.name, hub=name).namespace
    token = _token(cluster, name, namespace)
    with cluster.forwarded(namespace, _SERVICE, _PORT) as port:
        yield HubApi(name, f"http://127.0.0.1:{port}/hub/api", token), token


def _token(cluster: KubectlCluster, hub: str, namespace: str) -> str:
    secret = cluster.data("--namespace", namespace, "get", "secret", _SECRET)
    text = (secret.get("data") or {}).get(f"hub.services.{OPERATOR}.apiToken")
    if not text:
        what = "has no token for jhub: it was installed by an older version"
        raise ConfigError(
            cluster.command,
            [Problem(path=f"hub {hub}", what=what, fix="pulumi up, then try again")],
        )
    return base64.b64decode(text).decode()
