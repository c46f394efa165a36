"""Where the documentation says more: paths in the site that `make site` builds.

The site's address is the operator's own: put the folder `site` on a server of yours and name it in
the environment variable `JHUB_DOCS` (`https://docs.example.org/jhub`, or `file:///…/site`). Without
one, commands and pages name the command that says the same: `jhub explain ID`.
"""

from __future__ import annotations

import os

#: The environment variable with the address of a built site.
SITE_VARIABLE = "JHUB_DOCS"


def path_of(identifier: str) -> str:
    """The path in the site of a problem (`pools.max-below-min`) or of a check's finding
    (`node-capacity`).
    """
    section, dot, _ = identifier.partition(".")
    return f"problems/{section}.html#{identifier}" if dot else f"findings.html#{identifier}"


def address_of(path: str) -> str | None:
    """The address of a page, where the environment names a site; else None."""
    site = os.environ.get(SITE_VARIABLE, "").strip()
    return f"{site.rstrip('/')}/{path}" if site else None
