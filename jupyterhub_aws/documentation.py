"""Where the documentation says more: paths in the site that `make site` builds.

The site's address is the operator's own: put the folder `site` on a server of yours and name it in
the environment variable `JHUB_DOCS` (`https://docs.example.org/jhub`, or `file:///…/site`). Without
one, commands and pages name the command that says the same: `jhub explain ID`.
"""

from __future__ import annotations

import os
from urllib.parse import quote, urlsplit

from jupyterhub_aws.config.errors import refused

#: The environment variable with the address of a built site.
SITE_VARIABLE = "JHUB_DOCS"
_SCHEMES = ("https", "http", "file")
#: What may be in an address as it is (RFC 3986, 2.2 and 2.3); all else is written as % and digits.
_KEPT = "%:/?#[]@!$&'()*+,;=~"


def path_of(identifier: str) -> str:
    """The path in the site of a problem (`pools.max-below-min`) or of a check's finding
    (`node-capacity`).
    """
    section, dot, _ = identifier.partition(".")
    return f"problems/{section}.html#{identifier}" if dot else f"findings.html#{identifier}"


def path_of_section(name: str) -> str:
    """The path in the site of a section of problems (`pools`)."""
    return f"problems/{name}.html"


def path_of_option(path: str) -> str:
    """The path in the site of an option of stack files (`pools.core.size`): the page of its
    section.
    """
    return f"reference/{path.partition('.')[0]}.html"


def address_of(path: str) -> str | None:
    """The address of a page, where the environment names a site; else None. Raises ConfigError
    where it names something else, such as a script or a folder.
    """
    site = os.environ.get(SITE_VARIABLE, "").strip()
    if not site:
        return None
    try:
        parts = urlsplit(site)
        usable = parts.scheme in _SCHEMES and bool(
            parts.path if parts.scheme == "file" else parts.hostname
        )
        usable = usable and not (parts.query or parts.fragment or parts.password)
    except ValueError:
        usable = False
    if not usable:
        fix = "write https://HOST/PATH, http://HOST/PATH or file:///FOLDER, or unset the variable"
        raise refused(
            "environment", "docs.not-a-site", SITE_VARIABLE, "is no address of a site", fix
        )
    return quote(f"{site.rstrip('/')}/{path}", safe=_KEPT)
