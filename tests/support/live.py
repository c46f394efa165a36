"""`jhub` against an account on this machine: run here, or in a process of its own that may be killed at any call."""

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
_LOADED = ["boto3", "ops.cli", "ops.commands.pause", "ops.commands.resume", "ops.live.hubs", "ops.live.steps", "ops.pause.scene", "ops.pause.resume"]
_LOADED += ["ops.commands.restore", "ops.commands.backup", "ops.backups.choose", "ops.backups.now", "ops.backups.run"]
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_PROFILE": ""}


def environment(url: str) -> dict[str, str]:
    """What makes boto3 talk to the account at `url` and nobody else."""
    return {**NOBODY, **KEYS, "AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "1"} | {"AWS_PROFILE": ""}


def _child(arguments: Sequence[str], folder: str, env: Mapping[str, str], report: Any) -> None:
    os.environ.update(env)
    for key in [key for key, value in env.items() if value == ""]:
        os.environ.pop(key, None)
    os.chdir(folder)
    from ops.cli import run

    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = run(list(arguments))
    report.send((code, out.getvalue(), errors.getvalue()))


def killed_at(
    account: Cloud, number: int, arguments: Sequence[str], folder: Path, *, after: bool, lost: bool = False, more: Mapping[str, str] | None = None
) -> bool:
    """Run `jhub` and end it by SIGKILL at its call `number`: before AWS hears of it, or `after` it did. False where it ended by itself before that.

    `lost`: at that call, which AWS does, and whose answer nobody reads. `more` of an environment is for what stands in for other programs.
    """
    with counted(account) as url:
        mine, theirs = _CHILDREN.Pipe()
        child = _CHILDREN.Process(target=_child, args=(arguments, str(folder), {**(more or {}), **environment(url)}, theirs))
        hit: list[str] = []

        def before(count: int, operation: str) -> bool:
            # the one after the call that is to be the last: AWS has done what it was asked, and the answer was read
            if count == number + after:
                hit.append(operation)
                os.kill(child.pid or 0, signal.SIGKILL)
                return lost
            return True

        account.calls.clear()
        account.before = before
        child.start()
        child.join(60)
        account.before = lambda count, operation: True
        mine.close()
        theirs.close()
        return bool(hit)


def preload() -> None:
    """Load what the children share, once."""
    _CHILDREN.set_forkserver_preload(_LOADED)
