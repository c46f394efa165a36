"""Where a difference goes: a terminal, or files of Markdown, HTML and data."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from changes.difference import Difference
from changes.gate import Verdict
from config.errors import ConfigError, Problem


def show(found: Difference, verdict: Verdict | None, files: Mapping[str, str | None]) -> None:
    """Write what was asked for (`json`, `html`, `markdown`, each to a file or `-`), or print it where nothing was."""
    wanted = {kind: target for kind, target in files.items() if target is not None}
    if not wanted:
        from ops.diff.terminal import render

        render(found, verdict)
    for kind, target in wanted.items():
        write(f"--{kind}", target, _text(kind, found, verdict))


def _text(kind: str, found: Difference, verdict: Verdict | None) -> str:
    if kind == "html":
        from ops.diff.page import page

        return page(found, verdict)
    if kind == "markdown":
        from ops.diff.markdown import markdown

        return markdown(found, verdict)
    data = found.as_json() | ({"gate": verdict.as_json()} if verdict is not None else {})
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(option: str, target: str, text: str) -> None:
    """Write to a file, or to standard output for `-`. Raises ConfigError where the file cannot be written."""
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        problem = Problem(path=option, what=f"cannot write {target} ({error.strerror})", fix="name a file in a folder that exists")
        raise ConfigError("jhub", [problem]) from None
