"""Which AWS resource of an account is the resource that the program would register: by type and
place, one function for each type.

A place identifies one resource: a zone and a range, a subnet, a name that AWS gives only once.
Where no place says it, there is no match: nothing here guesses by likeness.
"""

from __future__ import annotations

from collections.abc import Mapping

from jupyterhub_aws.adopt.matchers.cluster import CLUSTER
from jupyterhub_aws.adopt.matchers.identity import IDENTITY, KEYS
from jupyterhub_aws.adopt.matchers.matcher import Matcher, Row
from jupyterhub_aws.adopt.matchers.monitoring import WATCH
from jupyterhub_aws.adopt.matchers.network import ENTRY, NETWORK
from jupyterhub_aws.adopt.matchers.storage import BACKUPS, STORAGE

#: By the type of the resource.
MATCHERS: Mapping[str, Matcher | Row] = {
    **NETWORK,
    **IDENTITY,
    **KEYS,
    **CLUSTER,
    **STORAGE,
    **ENTRY,
    **BACKUPS,
    **WATCH,
}
