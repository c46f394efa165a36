"""The bill before and after, by line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jupyterhub_aws.changes.side import Side

MEASURES = ("idle_monthly", "paused_monthly", "maximum_monthly")


def cost(old: Side, new: Side) -> dict[str, Any] | None:
    """Totals before and after, the lines that differ, and what an hour of a person costs where
    it differs; None where a side has no bill.
    """
    if old.cost is None or new.cost is None:
        return None
    before, after = (_lines(side.cost or {}) for side in (old, new))
    lines = [
        {
            "what": what,
            **{key: [_of(before.get(what), key), _of(after.get(what), key)] for key in MEASURES},
        }
        for what in sorted({*before, *after})
        if any(_of(before.get(what), key) != _of(after.get(what), key) for key in MEASURES)
    ]
    totals = {key: [_number(old.cost.get(key)), _number(new.cost.get(key))] for key in MEASURES}
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
    return replace(side, cost=dict.fromkeys(MEASURES, 0.0))


def _lines(bill: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for line in bill.get("lines") or ():
        if isinstance(line, Mapping):
            known = found.setdefault(str(line.get("what", "?")), dict.fromkeys(MEASURES, 0.0))
            for key in MEASURES:
                amount = _number(line.get(key))
                known[key] = (
                    None if amount is None or known[key] is None else round(known[key] + amount, 2)
                )
    return found


def _hours(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    def by(bill: Mapping[str, Any]) -> dict[str, list[float | None]]:
        rows = [row for row in bill.get("user_hours") or () if isinstance(row, Mapping)]
        return {
            f"{row.get('hub')}: {row.get('profile')} on {row.get('type')}": [
                _number(row.get("spot")),
                _number(row.get("on_demand")),
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
    """A number of a plan, which may be anybody's: what is none, or not finite, is not known."""
    return (
        float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        else None
    )
