"""`jhub` against an account on this machine: run here, or in a process of its own that may be
killed at any call.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.cloud import KEYS, Cloud, counted

#: Children of a process that has everything loaded: each takes a twentieth of a second.
_CHILDREN = multiprocessing.get_context("forkserver")
_LOADED = [
    "boto3",
    "jupyterhub_aws.cli.group",
    "jupyterhub_aws.cli.commands.pause",
    "jupyterhub_aws.cli.commands.pause",
    "jupyterhub_aws.operate.live.hub_api",
    "jupyterhub_aws.operate.live.steps",
    "jupyterhub_aws.operate.pause.pause",
    "jupyterhub_aws.operate.pause.resume",
]
_LOADED += [
    "jupyterhub_aws.cli.commands.backups",
    "jupyterhub_aws.cli.commands.backups",
    "jupyterhub_aws.operate.backups.choose",
    "jupyterhub_aws.operate.backups.now",
    "jupyterhub_aws.operate.backups.run",
]
NOBODY = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_PROFILE": "",
}


def environment(url: str, tools: Path | None = None) -> dict[str, str]:
    """What makes boto3 talk to the account at `url` and nobody else; `tools`: a folder whose
    kubectl and aws are the ones to call.
    """
    found = {**NOBODY, **KEYS, "AWS_ENDPOINT_URL": url, "AWS_PROFILE": ""}
    return (
        found
        if tools is None
        else {
            **found,
            "PATH": f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "JHUB_TEST_DOOR": url,
        }
    )


def _child(arguments: Sequence[str], folder: str, env: Mapping[str, str], report: Any) -> None:
    os.environ.update(env)
    for key in [key for key, value in env.items() if value == ""]:
        os.environ.pop(key, None)
    os.chdir(folder)
    from jupyterhub_aws.cli.group import run

    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = run(list(arguments))
    report.send((code, out.getvalue(), errors.getvalue()))


def killed_at(
    account: Cloud,
    number: int,
    arguments: Sequence[str],
    folder: Path,
    *,
    done: bool,
    more: Mapping[str, str] | None = None,
) -> str:
    """Run `jhub` and end it by SIGKILL at its call `number`: before anybody hears of it, or when it
    is `done` and not yet answered.

    The call's name; empty where the command ended by itself before that. `more` of an environment
    is for what stands in for other programs, such as a folder of theirs on PATH; without it
    `folder` / "tools" is.
    """
    with counted(account) as url:
        mine, theirs = _CHILDREN.Pipe()
        given = environment(url, folder / "tools") if more is None else {**more, **environment(url)}
        child = _CHILDREN.Process(target=_child, args=(arguments, str(folder), given, theirs))
        hit: list[str] = []

        def last(count: int, operation: str) -> bool:
            if count == number:
                hit.append(operation)
                os.kill(child.pid or 0, signal.SIGKILL)
            return count < number

        account.calls.clear()
        if done:
            account.after = last
        else:
            account.before = last
        child.start()
        child.join(60)
        account.before = account.after = lambda count, operation: True
        mine.close()
        theirs.close()
        return hit[0] if hit else ""


def preload() -> None:
    """Load what the children share, once."""
    _CHILDREN.set_forkserver_preload(_LOADED)
