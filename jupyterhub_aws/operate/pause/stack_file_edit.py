"""`paused: true` in a stack file: written and taken away as a line, so that comments, order and
everything else stay as they were.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.keys import canonical_key
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import StackFile, read

KEY = file_key("paused")
_NAME = file_key("name")


def is_paused(file: StackFile) -> bool:
    """Whether the stack file says so."""
    return file.values.get(KEY) == "true"


def set_paused(command: str, file: StackFile, *, paused: bool) -> None:
    """Write it into the file, or take it out. Raises ConfigError, with the file as it was, where
    that would change anything else in it.
    """
    old = file.path.read_text(encoding="utf-8")
    new = _edited(old, file.project, paused=paused)
    wanted = {
        **{key: value for key, value in file.values.items() if key != KEY},
        **({KEY: "true"} if paused else {}),
    }
    handle, name = tempfile.mkstemp(dir=file.path.parent, prefix=".jhub-", suffix=".yaml")
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(new)
        if not _says(written, wanted, file.sealed):
            fix = (
                f"{'add' if paused else 'remove'} the line yourself, below `config:`: paused: true"
            )
            what = "has a form in which one line cannot be changed safely"
            raise refused(command, "pause.file-form", file.source, what, fix)
        written.chmod(file.path.stat().st_mode & 0o777)
        written.replace(file.path)  # atomic: a reader sees the old or the new one
    finally:
        written.unlink(missing_ok=True)


def _says(path: Path, values: dict[str, str], sealed: dict[str, str]) -> bool:
    try:
        again = read(path)
    except ConfigError:  # a form in which a line more is no YAML any more
        return False
    return again.values == values and again.sealed == sealed


def _edited(text: str, project: str, *, paused: bool) -> str:
    """The text with the line, or without it; as it is where there is no place for it."""
    keys, lines = _places(text, project), text.splitlines(keepends=True)
    if KEY in keys:
        spelling, index = keys[KEY]
        lines[index : index + 1] = [_line(lines[index], spelling)] if paused else []
    elif paused and _NAME in keys:
        spelling, index = keys[_NAME]
        prefix = spelling[: -len("name")]  # as the file spells its other keys
        if not lines[index].endswith("\n"):
            lines[index] += "\n"
        lines.insert(index + 1, _line(lines[index], f"{prefix}paused"))
    return "".join(lines)


def _line(like: str, key: str) -> str:
    indent = like[: len(like) - len(like.lstrip(" "))]
    return f"{indent}{key}: true # jhub resume takes this line away\n"


def _places(text: str, project: str) -> dict[str, tuple[str, int]]:
    """The keys below `config:`, by their one spelling: how each is written, and in which line
    (from 0).
    """
    from ruamel.yaml import YAML

    config: Any = YAML().load(text)["config"]
    return {canonical_key(str(key), project): (str(key), config.lc.key(key)[0]) for key in config}
