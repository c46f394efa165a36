"""How the program talks to its cluster."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as kubernetes

from config.cluster import ExistingCluster
from config.stack import StackConfig

#: An address that does not answer in this time is not reached from here: the provider itself would try for minutes, for each object anew.
_SECONDS = 5


def kubernetes_provider(stack: StackConfig, kubeconfig: pulumi.Input[str] | None) -> kubernetes.Provider:
    """A provider for objects in the stack's cluster. `kubeconfig` is the text of one; None: the file that the stack names, or the caller's own."""
    there = stack.cluster if isinstance(stack.cluster, ExistingCluster) else None
    config = kubeconfig if there is None else there.kubeconfig
    if stack.parts == "cluster" and config is not None:  # another stack made the cluster: whoever runs this may stand outside
        config = pulumi.Output.from_input(config).apply(reached)
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=config,
        context=None if there is None else there.context,
        cluster_identifier=stack.name,  # a new token or certificate in the kubeconfig is not a new cluster
        enable_server_side_apply=True,
        enable_secret_mutable=True,  # else a changed secret is deleted before it is made again
        # Paused, the API of a cluster that somebody else made stands still with its machines: `up` and `refresh` then leave alone what is in it.
        skip_update_unreachable=True if there is not None and stack.paused else None,
    )


def reached(kubeconfig: str) -> str:
    """The kubeconfig, once its cluster's address has answered. Raises pulumi.RunError with one line where it does not."""
    server = _server(kubeconfig)
    if server is None:
        return kubeconfig
    try:
        socket.create_connection((server[0], server[1]), timeout=_SECONDS).close()
    except OSError as error:
        raise pulumi.RunError(
            f"the Kubernetes API at {server[0]} does not answer from here ({error.strerror or error}): "
            "run this stack inside the network, for example on the runner (docs/airgap.md)"
        ) from None
    return kubeconfig


def _server(kubeconfig: str) -> tuple[str, int] | None:
    """Host and port of the API; None where the text names none, or a proxy stands between."""
    try:
        cluster: dict[str, Any] = json.loads(kubeconfig)["clusters"][0]["cluster"]
        parts = urlsplit(str(cluster["server"]))
        port = parts.port or 443
    except (ValueError, LookupError, TypeError):
        return None
    return None if "proxy-url" in cluster or parts.hostname is None else (parts.hostname, port)
