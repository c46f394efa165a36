"""Which changes of a stack need nobody's word: the policy of the gate in pull requests."""

from __future__ import annotations

from typing import Literal

from config.model import Model, option

#: `endangers data` is missing on purpose: no stack lets that through by itself.
Allowed = Literal["routine", "interrupts", "replaces", "widens access", "unknown"]


class Gate(Model):
    """What `jhub gate` lets through. The policy of the base branch counts, not the one of the pull request."""

    allow: tuple[Allowed, ...] = option(
        ("routine", "interrupts"),
        help="Classes of changes that need no acknowledgement: `routine` (nobody notices), `interrupts` (the hub restarts, something is cut off), "
        "`replaces` (nodes and servers on them end), `widens access`, `unknown`. `endangers data` always needs one.",
        changing="Counts from the merge on.",
        max_length=5,
    )
