"""`--at`: a moment of the past in a person's words."""

from __future__ import annotations

import datetime
import re

from jupyterhub_aws.config.errors import ConfigError, Problem, shown

_AGO = re.compile(r"([1-9][0-9]{0,3})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(command: str, text: str, now: datetime.datetime) -> datetime.datetime:
    """The moment that a text means: ISO time (UTC unless it says otherwise), a day (its end),
    `yesterday`, or `2d`, `3h` ago.

    Raises ConfigError for anything else, and for the future.
    """
    found = _moment(text.strip(), now)
    if found is None:
        fix = (
            "write an ISO time (2026-11-27T14:00), a day (2026-11-27: its end), yesterday, or how"
            " long ago (2d, 3h); times are UTC"
        )
        raise ConfigError(
            command, [Problem(path="--at", what=f"is no moment (got {shown(text)})", fix=fix)]
        )
    if found > now:
        raise ConfigError(
            command,
            [
                Problem(
                    path="--at",
                    what=f"is in the future ({shown(text)}; now it is {written(now)})",
                    fix="name an earlier moment",
                )
            ],
        )
    return found


def _moment(text: str, now: datetime.datetime) -> datetime.datetime | None:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - datetime.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        if text == "yesterday" or re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = (
                now.date() - datetime.timedelta(days=1)
                if text == "yesterday"
                else datetime.date.fromisoformat(text)
            )
            end = datetime.datetime.combine(day, datetime.time.max, tzinfo=datetime.UTC)
            return min(end, now) if day == now.date() else end
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def written(when: datetime.datetime) -> str:
    """A moment as messages have it: `2026-11-27 03:00 UTC`."""
    return f"{when.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def stamp(when: datetime.datetime) -> str:
    """A moment as part of a name: `2026-11-27t0300z`, which Kubernetes takes too."""
    return f"{when.astimezone(datetime.UTC):%Y-%m-%dt%H%M}z"


def age(when: datetime.datetime, now: datetime.datetime) -> str:
    """How long ago, in the largest unit that says something: `3 d`, `5 h`, `20 min`."""
    seconds = max(int((now - when).total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"


def size(count: int | None) -> str:
    """Bytes for people: `1.2 GiB`."""
    if count is None:
        return ""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:  # a step from one unit to the next
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
