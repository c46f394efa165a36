"""A higher bill is an effect: what a stack costs at rest, at most and paused, before and after a
change.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.changes.effect import Effect, Rise
from jupyterhub_aws.changes.money import cost, zero_bill
from jupyterhub_aws.changes.side import Side

#: The sums of a bill, as a person reads them; what is most first.
MEASURES = {
    "maximum_monthly": "at most",
    "idle_monthly": "at rest",
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
                f" {_some(unknown) or 'a part of it'}"
            )
        elif before is not None and after is not None and after > before:
            largest = sorted(
                ((rise, what) for what, rise in grown if rise), key=lambda item: (-item[0], item[1])
            )
            parts = _some([f"{what} {rise:+,.2f}" for rise, what in largest])
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


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (
        f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    )
