"""A higher bill is an effect: what a stack costs idle, at most and paused, before and after a
change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.changes.effect import Effect, Rise
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.config.errors import some

# --- The bill before and after, by line.


_SUMS = ("idle_monthly", "paused_monthly", "maximum_monthly")


def cost(old: Side, new: Side) -> dict[str, Any] | None:
    """Totals before and after, the lines that differ, and what a user-hour costs where
    it differs; None where a side has no bill.
    """
    if old.cost is None or new.cost is None:
        return None
    before, after = (_lines(side.cost or {}) for side in (old, new))
    lines = [
        {
            "what": what,
            **{key: [_of(before.get(what), key), _of(after.get(what), key)] for key in _SUMS},
        }
        for what in sorted({*before, *after})
        if any(_of(before.get(what), key) != _of(after.get(what), key) for key in _SUMS)
    ]
    totals = {key: [_number(old.cost.get(key)), _number(new.cost.get(key))] for key in _SUMS}
    hours = _hours(old.cost, new.cost)
    return {
        **totals,
        "lines": lines,
        "user_hours": hours,
        "prices_of": [str(side.get("prices_of", "")) for side in (old.cost, new.cost)],
    }


def zero_bill(side: Side) -> Side:
    """A side without any resource and without a bill costs nothing: the stack was not there.
    Every other side as it is.
    """
    if side.cost is not None or side.resources.all or side.kind != "plan":
        return side
    return replace(side, cost=dict.fromkeys(_SUMS, 0.0))


def _lines(bill: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in bill.get("lines") or ():
        if isinstance(line, Mapping):
            known = found.setdefault(str(line.get("what", "?")), dict.fromkeys(_SUMS, 0.0))
            for key in _SUMS:
                amount, sum_ = _number(line.get(key)), known[key]
                known[key] = None if amount is None or sum_ is None else round(sum_ + amount, 2)
    return found


def _hours(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    def by(bill: Mapping[str, Any]) -> dict[str, list[float | None]]:
        rows = [row for row in bill.get("user_hours") or () if isinstance(row, Mapping)]
        return {
            f"{row.get('hub')}: {row.get('profile')} on {row.get('type')}": [
                _number(row.get(key)) for key in ("spot", "on_demand")
            ]
            for row in rows
        }

    before, after = by(old), by(new)
    return [
        {"what": what, "old": before.get(what), "new": after.get(what)}
        for what in sorted({*before, *after})
        if before.get(what) != after.get(what)
    ]


def _of(line: Mapping[str, Any] | None, key: str) -> float | None:
    return 0.0 if line is None else line[key]


def _number(value: object) -> float | None:
    """A number of a plan, which may be untrusted: no number, or one not finite, is not known."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


#: The sums of a bill in words; the largest first.
MEASURES = {
    "maximum_monthly": "at most",
    "idle_monthly": "while idle",
    "paused_monthly": "while paused",
}
SUBJECT = "stack::cost"
_NAMED = 4


def raised(old: Side, new: Side) -> Iterator[Effect]:
    """An effect for each sum of the bill that rises, or that is no longer known. None where a side
    has no bill: a preview has none.

    A stack that was not there cost nothing, so that a new one costs more.
    """
    found = cost(zero_bill(old), new)
    if found is None:
        return
    for key, word in MEASURES.items():
        before, after = found[key]
        grown = [(line["what"], _rise(*line[key])) for line in found["lines"]]
        unknown = [what for what, rise in grown if rise is None]
        if after is None and (before is not None or unknown):
            says = (
                f"{word}: {_amount(before)} → not known, because no price is known of"
                f" {some(unknown, _NAMED) or 'a part of it'}"
            )
        elif before is not None and after is not None and after > before:
            largest = sorted((-rise, what) for what, rise in grown if rise)
            parts = some([f"{what} {-fall:+,.2f}" for fall, what in largest], _NAMED)
            says = (
                f"{word}: {before:,.2f} → {after:,.2f} US dollars a month"
                f" (+{after - before:,.2f}){f': {parts}' if parts else ''}"
            )
        else:
            continue
        yield Effect(
            class_="costs more",
            topic="cost",
            says=says,
            subject=SUBJECT,
            rise=Rise(key=key, before=before, after=after),
        )


def _rise(before: float | None, after: float | None) -> float | None:
    """By how much a line rises; None where that is not known."""
    return None if after is None else after - (before or 0.0)


def _amount(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:,.2f} US dollars a month"
