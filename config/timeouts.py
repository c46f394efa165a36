"""Timeouts of starting servers, derived in one place: the autoscaler gives up on a node before the
hub gives up on a server.

If the hub gave up first, a user would see a failure although the node is about to join; if the
autoscaler never gave up, the on-demand group would never be tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from jupyterhub_aws.config.pools import AnyUserPool, SpotFirstPool
from jupyterhub_aws.config.stack import StackConfig

#: From the request to a Ready node. EC2 and EKS name no bound; AL2023 nodes join in 1 to 2 minutes,
#: GPU nodes in 3 to 5.
_NODE_SECONDS, _GPU_NODE_SECONDS = 300, 480
#: The autoscaler's loop, the scheduler's retry, and the kubelet's start of the pod.
_AROUND_SECONDS = 60
#: Pulling an image of data science (10 GiB) onto a new node at the disk's included 125 MiB/s.
_PULL_SECONDS = 240
LARGE_IMAGE_GIB = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """`node_provision_seconds`: the autoscaler's max-node-provision-time.
    `server_start_seconds`: the hub's start timeout.
    """

    node_provision_seconds: int
    server_start_seconds: int


def timeouts(stack: StackConfig) -> Timeouts:
    """Return the two limits of a stack."""
    return pool_timeouts(stack.pools.user.values())


def pull_seconds(size: float = LARGE_IMAGE_GIB * 1024**3) -> int:
    """How long a new node pulls an image that takes so many bytes on its disk, at the rate that the
    start timeout reckons with.
    """
    return math.ceil(_PULL_SECONDS * size / (LARGE_IMAGE_GIB * 1024**3))


def pool_timeouts(pools: Iterable[AnyUserPool]) -> Timeouts:
    """Return the two limits of these user pools. The second leaves room for a spot attempt that
    fails and an on-demand node after it.
    """
    pools = tuple(pools)
    gpu = any(pool.types[0].gpus for pool in pools)
    node = _GPU_NODE_SECONDS if gpu else _NODE_SECONDS
    attempts = 2 if any(isinstance(pool, SpotFirstPool) for pool in pools) else 1
    return Timeouts(
        node_provision_seconds=node,
        server_start_seconds=attempts * (node + _AROUND_SECONDS) + _PULL_SECONDS,
    )
