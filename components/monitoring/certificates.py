"""When a certificate of a hub's own ends. Pure; the library is loaded where there is one."""

from __future__ import annotations

from jupyterhub_aws.checks.certificate import read
from jupyterhub_aws.config.entry import AnyEntry, own_certificate


def own_end(entry: AnyEntry) -> int | None:
    """The end of the proxy's certificate in seconds since 1970. None where somebody else encrypts, and where it cannot be read, which the plan says."""
    own = own_certificate(entry)
    if own is None:
        return None
    try:
        return int(read(own.certificate)[0].not_valid_after_utc.timestamp())
    except ValueError:
        return None
