"""The certificates that hubs of a stack bring themselves, as browsers would judge them on this
day.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from jupyterhub_aws.checks.certificate import faults, read
from jupyterhub_aws.checks.finding import Finding
from jupyterhub_aws.config.entry import NoTls, PortForwardEntry, own_certificate
from jupyterhub_aws.config.stack import StackConfig


def certificates(stack: StackConfig, as_of: datetime.date) -> list[Finding]:
    """Every certificate of a hub's own: chain, host name, dates and strength. Whether its key
    fits is known at `up`, and to `jhub certificate inspect`.
    """
    found = [
        finding for name in sorted(stack.hubs_inside) for finding in _of_hub(stack, name, as_of)
    ]
    wrong = [
        finding for finding in found if finding.status != "pass"
    ]  # beside one that is wrong, what is right with others is no verdict
    return (
        wrong
        or found
        or [
            Finding(
                id="certificate", status="pass", message="no hub brings a certificate of its own"
            )
        ]
    )


def _of_hub(stack: StackConfig, name: str, as_of: datetime.date) -> Iterator[Finding]:
    entry = stack.hubs[name].entry
    own = own_certificate(entry)
    if own is None or isinstance(entry, PortForwardEntry) or isinstance(entry.tls, NoTls):
        return
    path, wrong = (
        f"hubs.{name}.entry.tls.certificate",
        list(faults(own.certificate, entry.hostname, as_of)),
    )
    for fault in wrong:
        yield Finding(
            id="certificate",
            status=fault.status,
            message=f"certificate of hub {name} {fault.what}",
            path=path,
            fix=fault.fix,
        )
    if not wrong:
        end = read(own.certificate)[0].not_valid_after_utc.date()
        yield Finding(
            id="certificate",
            status="pass",
            message=f"certificate of hub {name} is for {entry.hostname} and valid until {end}",
            path=path,
        )
