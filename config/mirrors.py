"""Package mirrors: where users' servers get packages from instead of the internet."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s{}]*)?")
_NEXT_START = "For servers that start later."


def _address(value: str) -> str:
    if "@" in value:
        what = "holds a user name or password, which every user could read"
        raise refuse("mirrors.credentials", what, "use a mirror without authentication")
    if not _ADDRESS.fullmatch(value):
        fix = "write it whole, such as https://mirror.corp.example/pypi/simple"
        raise refuse("mirrors.address", f"is not the address of a mirror (got {shown(value)})", fix)
    return value.rstrip("/")


MirrorAddress = Annotated[
    str,
    AfterValidator(_address),
    Field(json_schema_extra={"examples": ["https://mirror.corp.example/pypi/simple"]}),
]


class PackageMirrors(Model):
    """Mirrors by tool. A tool without a mirror asks the internet, and times out in an isolated
    network.
    """

    pip: MirrorAddress | None = option(
        None, help="Index of Python packages (PEP 503, ends in /simple).", changing=_NEXT_START
    )
    conda: MirrorAddress | None = option(
        None,
        help="Base address of the channels, such as conda-forge, which are folders below it.",
        changing=_NEXT_START,
    )
    cran: MirrorAddress | None = option(None, help="Mirror of CRAN for R.", changing=_NEXT_START)
    apt: MirrorAddress | None = option(
        None,
        help=(
            "Mirror of the image's distribution, for images in which users may use apt (servers do"
            " not run as root, so few images allow it)."
        ),
        changing=_NEXT_START,
    )
    apt_suite: Annotated[str, Field(min_length=2, max_length=30)] = option(
        "noble", help="Suite of that mirror: noble for Jupyter's images.", changing=_NEXT_START
    )

    def given(self) -> dict[str, str]:
        """The configured mirrors, by tool."""
        return {
            tool: value
            for tool in ("pip", "conda", "cran", "apt")
            if (value := getattr(self, tool)) is not None
        }
