"""Which changes of a stack need nobody's word: the policy of the gate in pull requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jupyterhub_aws.config.model import Model, option

#: `endangers data` is missing on purpose: no stack lets that through by itself.
Allowed = Literal["routine", "interrupts", "costs more", "replaces", "widens access", "unknown"]
Dollars = Annotated[int, Field(ge=0, le=100_000_000)]
_UNIT = "US dollars per month"
_CHANGING = "Counts from the merge on."


class CostLimits(Model):
    """Up to where a change may raise the bill that `jhub plan` shows, without an acknowledgement. A limit that is not set limits nothing."""

    idle: Dollars | None = option(
        None, help="The most that the stack may cost idle (no server runs), and while it is paused, after the change.", changing=_CHANGING, unit=_UNIT
    )
    maximum: Dollars | None = option(None, help="The most that the stack may cost with every pool full, after the change.", changing=_CHANGING, unit=_UNIT)
    idle_increase: Dollars | None = option(None, help="By how much one change may raise the cost idle or paused.", changing=_CHANGING, unit=_UNIT)
    maximum_increase: Dollars | None = option(None, help="By how much one change may raise the cost with every pool full.", changing=_CHANGING, unit=_UNIT)


class Gate(Model):
    """What `jhub gate` lets through. The policy of the base branch counts, not the one of the pull request."""

    allow: tuple[Allowed, ...] = option(
        ("routine", "interrupts"),
        help="Classes of changes that need no acknowledgement: `routine` (nobody notices), `interrupts` (the hub restarts, something is cut off), "
        "`costs more` (the bill rises, by whatever amount: see `gate.cost` for limits), `replaces` (nodes and servers on them end), `widens access`, "
        "`unknown`. `endangers data` always needs one.",
        changing=_CHANGING,
        max_length=6,
    )
    cost: CostLimits = option(
        CostLimits(),
        help="Limits of cost. A higher bill needs no acknowledgement while every limit that is set for it holds. It needs one above a limit, "
        "and also where no limit is set for it and `gate.allow` does not have `costs more`.",
        changing=_CHANGING,
    )
