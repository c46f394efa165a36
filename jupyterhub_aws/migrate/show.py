"""A migration as a person reads it: a unified diff, coloured in a terminal, without what may be
secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jupyterhub_aws.config.errors import names_secret
from jupyterhub_aws.config.formats import FORMAT

if TYPE_CHECKING:
    from rich.console import Console

    from jupyterhub_aws.migrate.files import Migration

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
#: A key and what follows it in its line.
_PAIR = re.compile(
    r"""(?P<key>["']?(?P<name>[\w.:/-]+)["']?\s*:\s+)(?P<value>[^\s#{[&*][^,}\]]*)"""
)
_HIDDEN = "…"


def show(console: Console, found: Migration) -> None:
    """Print what changes in one file."""
    from rich.text import Text

    name = found.path.name
    if not found.changes:
        console.print(Text(f"{name}: nothing to change, format {found.source}"), soft_wrap=True)
        return
    count = len(found.edits)
    words = f"{count} {'name' if count == 1 else 'names'}" if count else "no name changes"
    console.print(
        Text(f"{name}: format {found.source} → {FORMAT}, {words}", style="bold"), soft_wrap=True
    )
    for line in difference(found):
        console.print(
            Text(
                line, style="bold" if line.startswith(("---", "+++")) else _STYLES.get(line[:1], "")
            ),
            soft_wrap=True,
        )


def difference(found: Migration) -> Iterator[str]:
    """The lines of the diff. Values under names that may hold a secret are not shown."""
    name = found.path.name
    old, new = (text.replace("\r\n", "\n").split("\n") for text in (found.old, found.new))
    yield from (
        _masked(line) for line in difflib.unified_diff(old, new, name, name, n=2, lineterm="")
    )


def _masked(line: str) -> str:
    return _PAIR.sub(
        lambda match: (
            match["key"]
            + (
                _HIDDEN
                if match["name"] == "secure" or names_secret(match["name"])
                else match["value"]
            )
        ),
        line,
    )
