"""Rules between a kind of sign-in and the rest of a hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyterhub_aws.config.entry import NoTls, PortForwardEntry
from jupyterhub_aws.config.errors import Problem
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in_lti import LtiSignIn


def launches_are_encrypted(hubs: Mapping[str, Hub]) -> Iterator[Problem]:
    """A course's launch says who a user is: it travels over TLS, to an address that the platform
    knows.
    """
    for name, hub in hubs.items():
        if not isinstance(hub.sign_in, LtiSignIn):
            continue
        if isinstance(hub.entry, PortForwardEntry):
            yield Problem(
                id="sign-in.launch-without-address",
                path=f"hubs.{name}.sign_in.kind",
                what="is lti13 on a hub without an address: no course can open it",
                fix="write entry.kind: load_balancer or node_port, with a certificate",
            )
        elif isinstance(hub.entry.tls, NoTls):
            yield Problem(
                id="sign-in.launch-without-tls",
                path=f"hubs.{name}.sign_in.kind",
                what=(
                    "is lti13 on a hub without TLS: a launch could be read and used on the network"
                    " path, and browsers do not send its cookies"
                ),
                fix="write entry.tls.kind: acm or certificate",
            )
