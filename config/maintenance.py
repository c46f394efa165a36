"""The page that users get in place of an error while a hub restarts, is upgraded, or is paused."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import model_validator

from jupyterhub_aws.config.entry import AcmTls, AnyEntry, LoadBalancerEntry
from jupyterhub_aws.config.errors import Problem, dotted, refuse
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.network import AnyNetwork, ExistingNetworkSection
from jupyterhub_aws.config.pages import line

_PROXY = "The hub and its proxy restart; open connections break once."
#: Elastic Load Balancing API reference, FixedResponseActionConfig: MessageBody has at most 1024
#: characters. Counted in bytes here, which are never fewer.
FIXED_RESPONSE_BYTES = 1024


class MaintenancePage(Model):
    """What users read while the hub does not answer, with HTTP 503."""

    text: Annotated[str, line(500)] = option(
        "The hub is being updated and comes back within some minutes. Running servers go on.",
        help="What users read while the hub restarts or is upgraded.",
        changing=_PROXY,
    )
    contact: Annotated[str, line(100)] = option(
        "",
        help="Where users get help, as text: an address, a telephone number.",
        changing=_PROXY,
    )
    paused_text: Annotated[str, line(400)] = option(
        "",
        help=(
            "What users read while the stack is paused. With it an Application Load Balancer with"
            " this page exists while `paused` is true, and the hub's record points to it. Empty:"
            " users get no answer then."
        ),
        changing="For the next pause; while paused at once.",
    )

    @model_validator(mode="after")
    def _fits_a_balancer(self) -> Self:
        size = len(self.paused_page.encode())
        if self.paused_text and size > FIXED_RESPONSE_BYTES:
            raise refuse(
                "maintenance.too-long",
                f"makes a page of {size} bytes with paused_text and contact, and a load balancer"
                f" takes {FIXED_RESPONSE_BYTES}",
                "shorten paused_text or contact",
            )
        return self

    @property
    def paused_page(self) -> str:
        """What the load balancer answers while the stack is paused."""
        return page("This hub is paused", self.paused_text, self.contact)


def page(title: str, text: str, contact: str, *, reload_seconds: int = 0) -> str:
    """The page: one short HTML document, which loads nothing. `reload_seconds`: it looks again
    after so long; 0: never.
    """
    again = f'<meta http-equiv="refresh" content="{reload_seconds}">' if reload_seconds else ""
    below = f"<p>{html.escape(contact)}</p>" if contact else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)}</title>"
        '<body style="font:1.1em sans-serif;max-width:36em;margin:15vh auto;padding:0 1em">'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{below}</body></html>"
    )


def paused_page_has_a_balancer(
    network: AnyNetwork, pages: Mapping[str, tuple[AnyEntry, MaintenancePage | None]]
) -> Iterator[Problem]:
    """A page while paused is a load balancer's, which the hub's record points to meanwhile: that
    takes a certificate of ACM and a record of the stack. `pages`: entry and page of each hub.
    """
    for name, (entry, section) in pages.items():
        if section is None or not section.paused_text:
            continue
        place = dotted(("hubs", name, "maintenance_page", "paused_text"))
        why = _no_balancer(entry)
        if why is not None:
            what = f"cannot be shown while the stack is paused: {why}"
            fix = (
                "give the hub an entry of kind load_balancer with tls.kind acm, route53_zone and"
                " record, or leave paused_text out"
            )
            yield Problem(id="maintenance.entry", path=place, what=what, fix=fix)
        elif isinstance(entry, LoadBalancerEntry) and subnets_of(network, entry) < _LEAST_ZONES:
            what = "needs an Application Load Balancer, which takes subnets in two zones"
            fix = "add a subnet in another zone under network, or leave paused_text out"
            yield Problem(id="maintenance.zones", path=place, what=what, fix=fix)


#: Elastic Load Balancing user guide, "Application Load Balancers", subnets: at least two zones.
_LEAST_ZONES = 2


def subnets_of(network: AnyNetwork, entry: LoadBalancerEntry) -> int:
    """How many subnets a hub's load balancer is in."""
    if isinstance(network, ExistingNetworkSection) and not entry.internal:
        return len(network.public_subnets)
    return len(network.zones)


def _no_balancer(entry: AnyEntry) -> str | None:
    if not isinstance(entry, LoadBalancerEntry):
        return f"entry.kind is {entry.kind}, and no node runs then that could answer"
    if not isinstance(entry.tls, AcmTls):
        return f"entry.tls.kind is {entry.tls.kind}, and the proxy that has it does not run then"
    if entry.route53_zone is None or not entry.record:
        return "the record of the host name is not managed by the stack"
    return None
