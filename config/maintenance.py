"""The page that users get in place of an error while a hub restarts, is upgraded, or is paused."""

from __future__ import annotations

import html

from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.pages import Line

_PROXY = "The hub and its proxy restart; open connections break once."
#: Elastic Load Balancing API reference, FixedResponseActionConfig: MessageBody has at most 1024
#: characters. Counted in bytes here, which are never fewer.
FIXED_RESPONSE_BYTES = 1024


class MaintenancePage(Model):
    """What users read while the hub does not answer, with HTTP 503."""

    text: Line = option(
        "The hub is being updated and comes back within some minutes. Running servers go on.",
        help="What users read while the hub restarts or is upgraded.",
        changing=_PROXY,
        max_length=500,
    )
    contact: Line = option(
        "",
        help="Where users get help, as text: an address, a telephone number.",
        changing=_PROXY,
        max_length=100,
    )


def page(title: str, text: str, contact: str, *, reload_seconds: int = 0) -> str:
    """The page: one short HTML document, which loads nothing. `reload_seconds`: it looks again
    after so long; 0: never.
    """
    again = f'<meta http-equiv="refresh" content="{reload_seconds}">' if reload_seconds else ""
    below = f"<p>{html.escape(contact)}</p>" if contact else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{html.escape(title)}</title>"
        '<body style="font:1.1em sans-serif;max-width:36em;margin:15vh auto;padding:0 1em">'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{below}</body></html>"
    )
