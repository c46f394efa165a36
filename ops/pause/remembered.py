"""`paused: true` in a stack file: written and taken away as a line, so that comments, order and everything else stay as somebody wrote them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from config.errors import ConfigError, Problem
from config.stack import file_key
from config.stack_file import StackFile, read

KEY = file_key("paused")
_LINE = re.compile(rf"^(?P<indent>[ ]+)['\"]?{re.escape(KEY)}['\"]?[ ]*:.*\n?", re.MULTILINE)
_AFTER = re.compile(rf"^(?P<indent>[ ]+)['\"]?{re.escape(file_key('name'))}['\"]?[ ]*:[ ]*\S.*$", re.MULTILINE)


def is_paused(file: StackFile) -> bool:
    """Whether the stack file says so."""
    return file.values.get(KEY) == "true"


def remember(command: str, file: StackFile, *, paused: bool) -> None:
    """Write it into the file, or take it out. Raises ConfigError, with the file as it was, where that would change anything else in it."""
    old = file.path.read_text(encoding="utf-8")
    new = _with(old) if paused else _LINE.sub("", old)
    wanted = {**{key: value for key, value in file.values.items() if key != KEY}, **({KEY: "true"} if paused else {})}
    handle, name = tempfile.mkstemp(dir=file.path.parent, prefix=".jhub-", suffix=".yaml")
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(new)
        again = read(written)
        if again.values != wanted or again.sealed != file.sealed:
            fix = f"{'add' if paused else 'remove'} the line yourself: {KEY}: true"
            raise ConfigError(command, [Problem(path=file.source, what="has a form in which one line cannot be changed safely", fix=fix)])
        written.chmod(file.path.stat().st_mode & 0o777)
        written.replace(file.path)  # at once: whoever reads it meanwhile sees the old or the new one
    finally:
        written.unlink(missing_ok=True)


def _with(text: str) -> str:
    line = f"{KEY}: true # jhub resume takes this line away"
    if _LINE.search(text):
        return _LINE.sub(lambda match: f"{match['indent']}{line}\n", text, count=1)
    return _AFTER.sub(lambda match: f"{match[0]}\n{match['indent']}{line}", text, count=1)
