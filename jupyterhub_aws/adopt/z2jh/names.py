"""Names of profiles, choices and pools, as a stack file and a page have room for them; and what
is left out under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Dropped, LedgerEntry, LedgerStatus, Taking
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.tree import Path

_SHORT, LONGEST_TEXT, LONGEST_NOTE = 20, 80, 300


def slug_of(text: Any, taken: Mapping[str, Any]) -> str:
    """A short name of lower-case letters, digits and dashes that is not taken yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", str(text if text != SECRET else "").lower()).strip("-")
    plain = (plain if plain[:1].isalpha() else f"p-{plain}".rstrip("-"))[:_SHORT].rstrip("-")
    plain = "user" if plain == "core" else plain
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain[: _SHORT - 3].rstrip('-')}-{number}", number + 1
    return name


def brief_of(text: Any, longest: int, otherwise: str = "unnamed") -> str:
    """A text in one line, without HTML and of a length that a page has room for."""
    plain = " ".join(re.sub(r"<[^>]*>", "", str(text if text != SECRET else "")).split())
    return plain[:longest].strip() or otherwise


def leave_out(taking: Taking, path: Path, why: str) -> None:
    """List a profile or a choice as a whole: its item stays in the list, so that the others keep
    their numbers.
    """
    item = taking.look(*path)
    for key in list(item) if isinstance(item, dict) else ():
        taking.drop((*path, key), why, access=False)
    below = dotted(path)
    taking.dropped = [
        dropped
        for dropped in taking.dropped
        if not dropped.path.startswith((f"{below}.", f"{below}["))
    ]
    taking.dropped.append(Dropped(path=dotted(path), why=why, access=True))
    for end, entry in taking.ledger.items():
        if end[: len(path)] == path and entry.status is not LedgerStatus.LISTED:
            taking.ledger[end] = LedgerEntry(status=LedgerStatus.LISTED, why=why)
