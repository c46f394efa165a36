"""Environment variables of users' servers, as a stack file may set them, and names of groups."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.traits import fields, has_lone_brace

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: JupyterHub and Kubernetes set these; a configured value would be overwritten, or break the
#: server.
_OWN_VARIABLES = (
    "JUPYTERHUB_",
    "JPY_",
    "KUBERNETES_",
    "MEM_LIMIT",
    "MEM_GUARANTEE",
    "CPU_LIMIT",
    "CPU_GUARANTEE",
)
#: What images of the Jupyter project do as root at their start.
NEEDS_ROOT = ("CHOWN_HOME", "CHOWN_HOME_OPTS", "NB_UID", "NB_GID", "GRANT_SUDO")
_FIELDS = (
    "username",
    "servername",
    "escaped_username",
    "safe_username",
    "unescaped_username",
    "user_server",
)


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        fix = "use letters, digits and underscores"
        raise refuse("environment.name", f"is not the name of a variable (got {shown(value)})", fix)
    if value.startswith(_OWN_VARIABLES):
        what = f"is a variable that JupyterHub sets (got {shown(value)})"
        raise refuse("environment.reserved", what, "choose another name")
    if value in NEEDS_ROOT:
        what = (
            f"needs a container that starts as root (got {value}), which no hub here allows: homes"
            " belong to 1000:100 from the start"
        )
        raise refuse("environment.needs-root", what, "remove it")
    if re.search(
        r"(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_KEY)(_|$)", value.upper()
    ):
        raise refuse(
            "environment.secret",
            f"looks like a secret (got {value}), and every principal that may read pods would read"
            " it in clear text",
            "let users supply their own, or give the servers an IAM role",
        )
    return value


def _variable_text(value: object) -> object:
    if not isinstance(value, str):
        quoted = (
            {True: "yes", False: "no"}.get(value, "1") if isinstance(value, bool) else shown(value)
        )
        what = (
            f"must be quoted text (got {shown(value)}): with anything else every server fails to"
            " start"
        )
        raise refuse("environment.not-text", what, f'write it in quotes, such as "{quoted}"')
    return value


def _braces(value: str) -> str:
    for name in fields(value):
        if name not in _FIELDS:
            raise refuse(
                "environment.braces",
                f"has braces that KubeSpawner would expand (got {shown(value)}): every server would"
                " fail to start",
                f"double them: {value.replace('{', '{{').replace('}', '}}')}",
            )
    if has_lone_brace(value):
        what = f"has a single brace (got {shown(value)}): every server would fail to start"
        raise refuse("environment.single-brace", what, "double it: {{ or }}")
    if not value:
        fix = "write a value, or remove the line"
        raise refuse("environment.empty", "is empty: KubeSpawner drops such a variable", fix)
    return value


GroupName = Annotated[str, Field(min_length=1, max_length=255)]
Variable = Annotated[str, AfterValidator(_variable)]
VariableText = Annotated[str, BeforeValidator(_variable_text), AfterValidator(_braces)]
