"""Where a difference goes: a terminal, or files of Markdown, HTML and data."""

from __future__ import annotations

import json
from collections.abc import Mapping

from jupyterhub_aws.changes.difference import Difference
from jupyterhub_aws.changes.gate import GateVerdict
from jupyterhub_aws.cli.output import to_file, to_standard_output


def show(found: Difference, verdict: GateVerdict | None, files: Mapping[str, str | None]) -> None:
    """Write what was asked for (`json`, `html`, `markdown`, each to a file or `-`), or print it
    where nothing was.
    """
    wanted = {kind: target for kind, target in files.items() if target is not None}
    if not wanted:
        from jupyterhub_aws.diff.terminal import render

        render(found, verdict)
    for kind, target in wanted.items():
        text = _text(kind, found, verdict)
        if target == "-":
            to_standard_output(text)
        else:
            to_file("jhub", f"--{kind}", target, text)


def _text(kind: str, found: Difference, verdict: GateVerdict | None) -> str:
    if kind == "html":
        from jupyterhub_aws.diff.page import page

        return page(found, verdict)
    if kind == "markdown":
        from jupyterhub_aws.diff.markdown import markdown

        return markdown(found, verdict)
    data = found.as_json() | ({"gate": verdict.as_json()} if verdict is not None else {})
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
