"""The entry of `jhub`. Two tricks make it answer before an ordinary process has imported the SDK
(benchmarks/): no garbage collection during a short life full of generated classes, and no
interpreter teardown at its end.

However it was installed, a project's own environment is used where it has a `jhub`: the version of
the library is the project's to choose.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

#: In the environment of the command that another one handed over to.
_HANDED_OVER = "_JHUB_HANDED_OVER"


class _PatientOutput(io.TextIOWrapper):
    """Standard output whose reader may leave early (`jhub plan dev | head`): what is not read is
    dropped, and the exit code is the command's.
    """

    def write(self, text: str) -> int:
        with contextlib.suppress(BrokenPipeError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            super().flush()


def main() -> None:
    """Run the command line and leave at once with its exit code. Ctrl+C at any moment is one line
    and 130.
    """
    try:
        _main()
    except KeyboardInterrupt:
        with contextlib.suppress(OSError, ValueError):
            print("\njhub: interrupted", file=sys.stderr, flush=True)
        os._exit(130)


def _main() -> None:
    gc.disable()
    own = projects_command(sys.argv[1:])
    # Once: what that command runs may be this one.
    if own is not None and _HANDED_OVER not in os.environ:
        os.execve(own, [own, *sys.argv[1:]], {**os.environ, _HANDED_OVER: "1"})  # noqa: S606 -- the same command, of the project's environment
    os.environ.pop(_HANDED_OVER, None)  # nor for what this one starts
    if isinstance(sys.stdout, io.TextIOWrapper):  # None where the shell closed it
        # A terminal without arrows and ticks shows question marks.
        out, encoding, terminal = sys.stdout, sys.stdout.encoding, sys.stdout.isatty()
        sys.stdout = _PatientOutput(
            out.detach(), encoding=encoding, errors="replace", line_buffering=terminal
        )
    from jupyterhub_aws.cli.group import run

    code = _ended(run)
    with contextlib.suppress(BrokenPipeError):  # `jhub plan dev | head`
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    os._exit(code)


def _ended(run: Callable[[Sequence[str]], int]) -> int:
    """The exit code of the command line. Completion ends by SystemExit, inside click."""
    try:
        return run(sys.argv[1:])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def projects_command(arguments: Sequence[str]) -> str | None:
    """The `jhub` of the environment that the project has: of the folder of a stack file that is
    named, or of the current one.

    None where that is this very one, or where there is none. A Pulumi.yaml that is wrong is left to
    the command to say.
    """
    named = next(
        (
            Path(word)
            for word in arguments
            if word.endswith((".yaml", ".yml")) and Path(word).is_file()
        ),
        None,
    )
    folder = Path.cwd() if named is None else named.absolute().parent
    file = next(
        (
            path
            for level in (folder, *folder.parents)
            for path in (level / "Pulumi.yaml", level / "Pulumi.yml")
            if path.is_file()
        ),
        None,
    )
    if file is None or Path(sys.prefix).is_relative_to(file.parent):
        return None
    from jupyterhub_aws.config.errors import ConfigError
    from jupyterhub_aws.config.project import find_project

    try:
        project = find_project(folder)
    except ConfigError:
        return None
    command = None if project is None else project.environment.with_name("jhub")
    return (
        str(command)
        if command is not None
        and command.is_file()
        and command.parents[1].resolve() != Path(sys.prefix).resolve()
        else None
    )


if __name__ == "__main__":
    main()
