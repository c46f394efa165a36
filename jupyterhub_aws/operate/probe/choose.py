"""Which hub is meant, and the look-up account's password that the stack keeps."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from jupyterhub_aws.config.errors import ConfigError, Problem, closest
from jupyterhub_aws.config.secrets import search_password_key
from jupyterhub_aws.config.sign_in_directory import LdapSignIn
from jupyterhub_aws.config.stack import StackConfig

_SECONDS = 60


def chosen_hub(stack: StackConfig, hub: str | None, name: str) -> str:
    """The hub that is named, or the only one that signs people in with a directory. Raises
    ConfigError.
    """
    having = [
        key
        for key, section in sorted(stack.hubs.items())
        if isinstance(section.sign_in, LdapSignIn)
    ]

    def refused(what: str, fix: str) -> ConfigError:
        return ConfigError("jhub probe", [Problem(path=name, what=what, fix=fix)])

    if hub is None:
        if len(having) == 1:
            return having[0]
        if not having:
            raise refused(
                "has no hub whose sign_in.kind is ldap",
                "nothing is to be probed: other kinds sign people in at somebody else's page",
            )
        raise refused(
            f"has several hubs with a directory: {', '.join(having)}", "name one with --hub"
        )
    if hub not in stack.hubs:
        guess = closest(hub, stack.hubs)
        raise refused(
            f"has no hub {hub!r}",
            f"did you mean {guess}?" if guess else f"choose from {', '.join(sorted(stack.hubs))}",
        )
    if hub not in having:
        raise refused(
            f"hub {hub} signs people in by {stack.hubs[hub].sign_in.kind}",
            "name one whose sign_in.kind is ldap",
        )
    return hub


def search_password(stack: str, hub: str, folder: Path) -> str | None:
    """The look-up account's password as the stack of a project keeps it; None where the Pulumi
    CLI is not there or does not say.
    """
    if shutil.which("pulumi") is None:
        return None
    command = [
        "pulumi",
        "config",
        "get",
        search_password_key(hub),
        "--stack",
        stack,
        "--non-interactive",
    ]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    return done.stdout.rstrip("\n") or None if done.returncode == 0 else None
