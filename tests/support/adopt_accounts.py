"""An account to adopt, on moto's server: a hub by the program's own names, made of the program's
own recording.
"""

from __future__ import annotations

from collections.abc import Callable

from jupyterhub_aws.checks.resources import Resources
from tests.support.adopt_beside import BackupMakers, WatchMakers
from tests.support.adopt_builder import Makers
from tests.support.adopt_cluster import ClusterMakers
from tests.support.adopt_identity import IdentityMakers
from tests.support.adopt_lacking import Lacking
from tests.support.adopt_network import NetworkMakers
from tests.support.adopt_storage import StorageMakers
from tests.support.cloud import Cloud
from tests.support.stacks import record


def own(
    account: Cloud, *settings: str, skip: Callable[[str, str], bool] = lambda _type, _name: False
) -> tuple[Lacking, Resources]:
    """What `up` would have made of the stack dev (with settings), from its own recording; `skip`
    leaves resources out.
    """
    recorded = record(*settings).resources
    builder = _Everything(account, recorded, skip)
    builder.build()
    return builder.lacking, recorded


class _Everything(
    NetworkMakers, IdentityMakers, ClusterMakers, StorageMakers, BackupMakers, WatchMakers
):
    """The makers of all topics, one after the other: each topic needs those before it."""

    def _makers(self) -> Makers:
        return {
            **self._network_makers(),
            **self._identity_makers(),
            **self._cluster_makers(),
            **self._storage_makers(),
            **self._backup_makers(),
            **self._watch_makers(),
        }
