"""JupyterHub's scopes: which ones there are, and which ones make a service as good as an
administrator (config/data/hub_scopes.toml).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "hub_scopes.toml"
#: Scopes of users and tokens, which resolve to nothing for a service (JupyterHub, "Scopes and
#: permissions", metascopes).
MEANINGLESS = ("self", "inherit", "all", "(no_scope)")
#: What a scope can be limited to (jupyterhub/scopes.py 5.5, `_check_scopes_exist`).
FILTERS = ("user", "group", "server", "service")
#: The scope that our own files define in every hub (components/hub/files/jupyterhub_aws_notice.py).
OWN_SCOPES = ("custom:jupyterhub-aws:notice",)
#: Services of every hub: that of `jhub`, and the chart's culler, by its name and by its key.
RESERVED_SERVICES = ("jupyterhub-aws-operator", "jupyterhub-idle-culler", "cull")


@cache
def known_scopes() -> frozenset[str]:
    """Every scope that JupyterHub defines and a service can have."""
    return frozenset(_table()) - frozenset(MEANINGLESS)


@cache
def _table() -> dict[str, bool]:
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {row["name"]: bool(row.get("wide", False)) for row in data["scope"]}


def base_scope(scope: str) -> str:
    """A scope without what limits it."""
    return scope.partition("!")[0]


def is_wide(scope: str) -> bool:
    """Whether a service with this scope can act as users, or change who may do what. What limits it
    does not count: one administrator's token is enough.
    """
    return _table().get(base_scope(scope), False)
