"""`jhub` in this process: what it prints and how it ends, without the half second that a process
takes.
"""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import sys
import traceback
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


def script(program: Path, *arguments: str) -> Done:
    """Run a Python file in this process as `python FILE …` does: with its folder first to import
    from, and the modules that it loads from there forgotten afterwards.
    """
    out, errors, code = io.StringIO(), io.StringIO(), 0
    before = set(sys.modules)
    with (
        mock.patch.object(sys, "argv", [str(program), *map(str, arguments)]),
        mock.patch.object(sys, "path", [str(program.parent), *sys.path]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            runpy.run_path(str(program), run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                print(end.code, file=errors)
        except Exception:
            traceback.print_exc(file=errors)
            code = 1
        finally:
            for name in set(sys.modules) - before:
                if (
                    Path(getattr(sys.modules[name], "__file__", None) or "/").parent
                    == program.parent
                ):
                    del sys.modules[name]
    return Done(code, out.getvalue(), errors.getvalue())
