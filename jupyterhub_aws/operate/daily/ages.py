"""How long ago, in the fewest signs that say it."""

from __future__ import annotations

import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def now() -> datetime.datetime:
    """The time, in UTC."""
    return datetime.datetime.now(tz=datetime.UTC)


def moment(text: str) -> datetime.datetime | None:
    """A time as Kubernetes and the hub write it (ISO 8601); None for none. Without a zone it is
    UTC.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def age(text: str, at: datetime.datetime) -> str:
    """`3m`, `5h`, `12d` before `at`; a dash where nobody knows."""
    found = moment(text)
    if found is None:
        return "–"
    seconds = max(0, int((at - found).total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"
