"""Which changes of a stack need no acknowledgement: the policy of the gate in pull requests."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import did_you_mean, refuse, shown
from jupyterhub_aws.config.model import Model, option

#: `endangers data` is missing on purpose: it always needs an acknowledgement.
CLASSES = ("routine", "interrupts", "costs more", "replaces", "widens access", "unknown")
#: Begins an entry that names resources of the caller's program.
ADDED = "added:"
_ADDED_TYPE = re.compile(r"added:[^\s:]+(:\S+)?")


def _allowed(value: str) -> str:
    if value in CLASSES or _ADDED_TYPE.fullmatch(value):
        return value
    if value.startswith(ADDED):
        fix = "write the type after it, as the plan shows it: added:aws:sqs/queue:Queue"
        raise refuse("gate.no-type", f"names no type (got {shown(value)})", fix)
    if value == "endangers data":
        what = "cannot be allowed: what endangers data always needs an acknowledgement"
        raise refuse("gate.data-always-asks", what, "remove it")
    fix = did_you_mean(value, CLASSES, f"write one of {', '.join(CLASSES)}, or added:TYPE")
    raise refuse("gate.unknown-class", f"is no class of changes (got {shown(value)})", fix)


Allowed = Annotated[
    str,
    AfterValidator(_allowed),
    Field(
        max_length=300,
        json_schema_extra={
            "anyOf": [{"enum": list(CLASSES)}, {"pattern": f"^{_ADDED_TYPE.pattern}$"}]
        },
    ),
]
Dollars = Annotated[int, Field(ge=0, le=100_000_000)]
_UNIT = "US dollars per month"
_CHANGING = "Counts from the merge on."


class CostLimits(Model):
    """Limits up to which a change may raise the bill that `jhub plan` shows without an
    acknowledgement. A limit that is not set has no effect.
    """

    idle: Dollars | None = option(
        None,
        help=(
            "The most that the stack may cost idle (no server runs), and while it is paused, after"
            " the change."
        ),
        changing=_CHANGING,
        unit=_UNIT,
    )
    maximum: Dollars | None = option(
        None,
        help="The most that the stack may cost with every pool full, after the change.",
        changing=_CHANGING,
        unit=_UNIT,
    )
    idle_increase: Dollars | None = option(
        None,
        help="By how much one change may raise the cost idle or paused.",
        changing=_CHANGING,
        unit=_UNIT,
    )
    maximum_increase: Dollars | None = option(
        None,
        help="By how much one change may raise the cost with every pool full.",
        changing=_CHANGING,
        unit=_UNIT,
    )


class Gate(Model):
    """What `jhub gate` lets through. The policy of the base branch counts, not the one of the
    pull request.
    """

    allow: tuple[Allowed, ...] = option(
        ("routine", "interrupts"),
        help=(
            "Classes of changes that need no acknowledgement: `routine` (no effect on users),"
            " `interrupts` (the hub restarts, something is cut off), `costs more` (the bill rises,"
            " by whatever amount: see `gate.cost` for limits), `replaces` (nodes and servers on"
            " them end), `widens access`, `unknown`. `endangers data` always needs one."
            " `added:TYPE` allows unknown effects of the resources of a type that your program"
            " adds, such as `added:aws:sqs/queue:Queue`; `added:TYPE::NAME` those of one resource;"
            " `*` matches any text: `added:random:*`."
        ),
        changing=_CHANGING,
        max_length=100,
    )
    cost: CostLimits = option(
        CostLimits(),
        help=(
            "Limits of cost. A higher bill needs no acknowledgement while every limit that is set"
            " for it holds. It needs one above a limit, and also where no limit is set for it and"
            " `gate.allow` does not have `costs more`."
        ),
        changing=_CHANGING,
    )
