"""Where a command's text goes: standard output, or a file that somebody named."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from config.errors import ConfigError, Problem


def to_standard_output(text: str) -> None:
    """Write text in UTF-8 whatever the locale, as in a file. A reader that has seen enough changes nothing about the verdict."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def to_file(command: str, option: str, target: str, text: str) -> None:
    """Write the file that an option of a command names. Raises ConfigError where it cannot be written."""
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        problem = Problem(path=option, what=f"cannot write {target} ({error.strerror})", fix="name a file in a folder that exists")
        raise ConfigError(command, [problem]) from None
