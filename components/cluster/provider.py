"""How the program talks to its cluster."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes


def kubernetes_provider(cluster: str, kubeconfig: pulumi.Input[str]) -> kubernetes.Provider:
    """A provider for objects in the cluster of this name."""
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=kubeconfig,
        cluster_identifier=cluster,  # a new token or certificate in the kubeconfig is not a new cluster
        enable_server_side_apply=True,
        enable_secret_mutable=True,  # else a changed secret is deleted before it is made again
    )
