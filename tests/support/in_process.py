"""`jhub` in this process: what it prints and how it ends, without the half second that a process
takes.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from jupyterhub_aws.cli.group import run


@dataclass(frozen=True)
class Done:
    """As `subprocess` has it."""

    returncode: int
    stdout: str
    stderr: str


def in_process(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Done:
    """Run `jhub` in a folder with more of an environment; a variable whose value is empty is
    taken away.
    """
    # With bytes below it, as a process has: data is written there whatever the locale.
    written, errors, here = io.BytesIO(), io.StringIO(), Path.cwd()
    out = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    with (
        mock.patch.dict(os.environ, environment or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        for key in [key for key, value in (environment or {}).items() if not value]:
            del os.environ[
                key
            ]  # said to be empty: not there; an empty AWS_PROFILE is a profile without a name
        os.chdir(folder)
        try:
            code = run([str(argument) for argument in arguments])
        finally:
            os.chdir(here)
    return Done(code, written.getvalue().decode(), errors.getvalue())
