"""Where a command's text goes: standard output, or a file that the operator named."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from jupyterhub_aws.config.errors import ConfigError, refused

#: The format of problems as data.
PROBLEMS = "jupyterhub-aws/problems/1"


def to_standard_output(text: str) -> None:
    """Write text in UTF-8 whatever the locale, as in a file. A reader that has seen enough
    changes nothing about the verdict.
    """
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def data_to_standard_output(data: Any) -> None:
    """Write data as JSON that a person can read too."""
    to_standard_output(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def to_file(command: str, option: str, target: str, text: str) -> None:
    """Write the file that an option of a command names: whole, or as it was. Raises ConfigError
    where it cannot be written.
    """
    try:
        _replaced(Path(target), text)
    except OSError as error:
        what = f"cannot write {target} ({error.strerror})"
        fix = "name a file in a folder that exists"
        raise refused(command, "file.not-written", option, what, fix) from None


def _replaced(target: Path, text: str) -> None:
    """Beside it first, then in its place. Whatever is no file, such as /dev/stdout or a pipe,
    has no place to be taken; a link leads to its file.
    """
    place = target.resolve()
    if place.exists() and not place.is_file():
        place.write_text(text, encoding="utf-8")
        return
    mode = place.stat().st_mode & 0o777 if place.exists() else None
    if mode is not None and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        if mode is not None:
            beside.chmod(mode)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def to_target(command: str, option: str, target: str, text: str) -> None:
    """Write what an option asks for: to standard output where it names no file (`-`). Raises
    ConfigError where the file cannot be written.
    """
    if target == "-":
        to_standard_output(text)
    else:
        to_file(command, option, target, text)


def answer(lines: Iterable[str], data: Any = None) -> None:
    """Say how a command ended. Where data are asked for, standard output has these alone, and the
    words are on standard error.
    """
    for line in lines:
        click.echo(line, err=data is not None)
    if data is not None:
        data_to_standard_output(data)


def problems_as_json(errors: Iterable[ConfigError]) -> dict[str, Any]:
    """What a command that was given `--json` prints instead of its answer: why there is none."""
    problems = [
        {**problem.as_json(), "source": error.source}
        for error in errors
        for problem in error.problems
    ]
    return {"format": PROBLEMS, "problems": problems}


def show_problems(error: ConfigError) -> None:
    """Print the problems on standard error: on a terminal wrapped at its width, what to do on a
    line of its own; in a pipe or file one line each, for `grep`.
    """
    with contextlib.suppress(OSError):
        if sys.stderr is None or not sys.stderr.isatty():
            print(error, file=sys.stderr)
            return
        width = shutil.get_terminal_size().columns
        for problem in error.problems:
            place = f"{error.source}: {problem.path}" if problem.path else error.source
            print(wrapped(f"{place}: {problem.what}", width), file=sys.stderr)
            print(wrapped(f"{problem.fix} [{problem.id}]", width, "  → "), file=sys.stderr)


def wrapped(text: str, width: int, begins: str = "", further: str | None = None) -> str:
    """A text of a terminal's width whose further lines are indented: by `further`, or under the
    first. Words, and so commands and addresses to copy, stay whole.
    """
    return textwrap.fill(
        text,
        max(width, 20),
        initial_indent=begins,
        subsequent_indent=" " * max(len(begins), 2) if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def say(text: str, *, begins: str = "", further: str | None = None, err: bool = False) -> None:
    """Print an answer: wrapped on a terminal, one line in a pipe."""
    stream = sys.stderr if err else sys.stdout
    if stream is not None and stream.isatty():
        text = wrapped(text, shutil.get_terminal_size().columns, begins, further)
    else:
        text = begins + text
    with contextlib.suppress(BrokenPipeError):
        print(text, file=stream, flush=True)
