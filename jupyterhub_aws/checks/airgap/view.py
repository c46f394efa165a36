"""What the rules of the proof share: the isolated network that the stack declares, and a fault in
one form.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from jupyterhub_aws.checks.finding import Finding, fail
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.network import (
    AirgapNetworkSection,
    ExistingNetworkSection,
    OpenNetworkSection,
    UnmanagedNetworkSection,
)
from jupyterhub_aws.config.stack import StackConfig

Closed = AirgapNetworkSection | ExistingNetworkSection | UnmanagedNetworkSection


@dataclass(frozen=True, kw_only=True)
class View:
    """An isolated stack, and all resources of its parts."""

    stack: StackConfig
    network: Closed
    resources: Resources

    @property
    def own(self) -> list[IPv4Network]:
        """Ranges inside: nodes, pods and services."""
        return [
            IPv4Network(cidr) for cidr in (*self.network.ranges, self.stack.cluster.service_cidr)
        ]

    @property
    def beside(self) -> list[IPv4Network]:
        """Ranges of the peer networks that the stack declares."""
        return [
            IPv4Network(cidr) for peer in self.network.peer_networks.values() for cidr in peer.cidrs
        ]

    def declared(self, cidr: str) -> bool:
        """Whether a range is inside, or one of a declared peer network."""
        try:
            network = IPv4Network(cidr)
        except ValueError:
            return False
        return any(network.subnet_of(known) for known in (*self.own, *self.beside))


def view_of(stack: StackConfig, resources: Resources) -> View | None:
    """The view of an isolated stack; None for any other."""
    network = stack.network
    if isinstance(network, OpenNetworkSection) or not network.closed:
        return None
    return View(stack=stack, network=network, resources=resources)


def fault(check: str, resource: Resource, what: str, fix: str, path: str | None = None) -> Finding:
    """A fault in the proof: which resource, which value, and what to do."""
    return fail(f"airgap-{check}", f"{resource.label} {what}", fix, resource, path=path)


# --- User data of instances, as text.


def decoded(text: str) -> str:
    """Text from base64; as it is where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text


def texts(resources: Resources) -> Iterator[tuple[Resource, str]]:
    """The user data of every launch template and instance."""
    for resource in resources.of(
        "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance"
    ):
        for key in ("userData", "userDataBase64"):
            if resource.inputs.get(key):
                yield resource, decoded(str(resource.inputs[key]))
