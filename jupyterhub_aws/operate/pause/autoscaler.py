"""The cluster's autoscaler: off before nodes go, or it would buy the next ones."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.specs.autoscaler import NAME, NAMESPACE
from jupyterhub_aws.operate.live.cluster import KubectlCluster

_DEPLOYMENT = f"deployment/{NAME}"


class Autoscaler:
    """Its Deployment, which the stack's release made."""

    def __init__(self, cluster: KubectlCluster) -> None:
        self._cluster = cluster

    def running(self) -> list[str]:
        """What of it still runs or is wanted."""
        wanted, there = self._replicas()
        return [f"{max(wanted, there)} of it"] if wanted or there else []

    def missing(self) -> list[str]:
        """What of it is wanted and not there."""
        wanted, there = self._replicas()
        return [] if wanted and there >= wanted else [f"{there} of {max(wanted, 1)}"]

    def stop(self) -> None:
        """To none."""
        self._scale(0)

    def start(self) -> None:
        """To the one that the stack's release has."""
        self._scale(1)

    def _scale(self, replicas: int) -> None:
        if self._replicas()[0] != replicas:
            self._cluster.change(
                "--namespace", NAMESPACE, "scale", _DEPLOYMENT, f"--replicas={replicas}"
            )

    def _replicas(self) -> tuple[int, int]:
        found: Any = self._cluster.data("--namespace", NAMESPACE, "get", _DEPLOYMENT)
        return int(found["spec"].get("replicas", 1)), int(
            found.get("status", {}).get("replicas", 0)
        )
