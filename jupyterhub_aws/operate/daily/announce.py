"""Announcements to the users of a hub: read from the command line, kept by the hub, shown."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.operate.live.hub_api import HubApi

COMMAND = "jhub announce"
FORMAT = "jupyterhub-aws/announcements/1"
#: What the hub accepts (components/hub/files/jupyterhub_aws_notice.py).
LONGEST, MOST, _FURTHEST_DAYS = 500, 20, 400
_FROM_NOW = re.compile(r"(?:in )?([0-9]{1,4}) ?(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_ON_A_DAY = re.compile(r"(?:(today|tomorrow) )?([01]?[0-9]|2[0-3]):([0-5][0-9])")
_HOW = "write it like 2026-12-24T08:00, 'tomorrow 08:00' (UTC), or 'in 2h'"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A text on every page of a hub from `starts` until `ends`. The hub gives the number."""

    text: str
    starts: datetime.datetime
    ends: datetime.datetime
    number: int = 0

    def as_json(self) -> dict[str, Any]:
        """The announcement as data; times in UTC, ISO 8601."""
        return {
            "number": self.number,
            "text": self.text,
            "from": self.starts.isoformat(),
            "until": self.ends.isoformat(),
        }

    def says(self, at: datetime.datetime) -> str:
        """What users of the hub read, and until when."""
        since = "from now" if self.starts <= at else f"from {shown(self.starts)}"
        return f"{since} until {shown(self.ends)}: {self.text}"


def shown(moment: datetime.datetime) -> str:
    """A moment with its zone: `2026-12-24 08:00 UTC`."""
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def moment_of(option: str, text: str, now: datetime.datetime) -> datetime.datetime:
    """The moment that a text names; without a zone it is in UTC. Raises ConfigError for none."""
    words = " ".join(text.split())
    if words == "now":
        return now
    if match := _FROM_NOW.fullmatch(words):
        return now + datetime.timedelta(**{_UNITS[match[2]]: int(match[1])})
    if match := _ON_A_DAY.fullmatch(words):
        found = now.replace(hour=int(match[2]), minute=int(match[3]), second=0, microsecond=0)
        later = match[1] == "tomorrow" or (match[1] is None and found <= now)
        return found + datetime.timedelta(days=1 if later else 0)
    try:
        found = datetime.datetime.fromisoformat(words)
        found = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        return found.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        what = f"is not a time (got {text[:60]!r})"
        raise refused(COMMAND, "announce.time", option, what, _HOW) from None


def announcement(
    text: str, starts: str | None, ends: str | None, now: datetime.datetime
) -> Announcement:
    """The announcement that a command line asks for. Raises ConfigError before a hub is asked."""
    words = text.strip()
    if not words or len(words) > LONGEST:
        what = f"has {len(words)} characters"
        fix = f"write 1 to {LONGEST} of them"
        raise refused(COMMAND, "announce.length", "text", what, fix)
    if not words.isprintable():
        what = "has a line break or another character that is not printed"
        fix = "write it in one line"
        raise refused(COMMAND, "announce.not-printable", "text", what, fix)
    if ends is None:
        what = "is missing: an announcement that does not end is read by no user after a while"
        raise refused(COMMAND, "announce.no-end", "--until", what, _HOW)
    start = now if starts is None else moment_of("--from", starts, now)
    end = moment_of("--until", ends, now)
    if end <= now:
        what = f"is over ({shown(end)}; now it is {shown(now)})"
        raise refused(COMMAND, "announce.past", "--until", what, "name a later time")
    if end <= start:
        what = f"is not after --from ({shown(start)} until {shown(end)})"
        raise refused(COMMAND, "announce.ends-before-start", "--until", what, "name a later time")
    if end - now > datetime.timedelta(days=_FURTHEST_DAYS):
        what = f"is more than {_FURTHEST_DAYS} days away ({shown(end)})"
        raise refused(COMMAND, "announce.too-far", "--until", what, "name an earlier time")
    return Announcement(text=words, starts=start, ends=end)


def announcements(hub: HubApi) -> list[Announcement]:
    """Those that a hub shows now or later."""
    return [_read(item) for item in hub.announcements()]


def add(hub: HubApi, wanted: Announcement) -> Announcement:
    """Add one to those of a hub. Raises ConfigError where there are too many."""
    if len(hub.announcements()) >= MOST:
        what = f"has {MOST} announcements already"
        fix = "clear those that are not needed: --list, then --clear NUMBER"
        raise refused(COMMAND, "announce.too-many", f"hub {hub.hub}", what, fix)
    starts, ends = (int(moment.timestamp()) for moment in (wanted.starts, wanted.ends))
    return _read(hub.announce(wanted.text, starts, ends))


def clear(hub: HubApi, number: int | None) -> int:
    """Remove the one of this number, or all; how many that were. Raises ConfigError for a number
    that none has.
    """
    known = [item.number for item in announcements(hub)]
    if number is not None and number not in known:
        has = ", ".join(map(str, known)) or "none"
        what = f"has no announcement {number} (it has: {has})"
        fix = "look at them: --list"
        raise refused(COMMAND, "announce.unknown", f"hub {hub.hub}", what, fix)
    if known:
        hub.clear_announcements(number)
    return len(known) if number is None else 1


def as_json(stack: str, hub: str, found: Sequence[Announcement]) -> dict[str, Any]:
    """The list as data."""
    return {
        "format": FORMAT,
        "stack": stack,
        "hub": hub,
        "announcements": [item.as_json() for item in found],
    }


def lines(hub: str, found: Sequence[Announcement], now: datetime.datetime) -> list[str]:
    """The list, one announcement a line."""
    if not found:
        return [f"{hub}: no announcement"]
    return [f"{item.number}  {item.says(now)}" for item in found]


def _read(item: Mapping[str, Any]) -> Announcement:
    return Announcement(
        text=str(item["text"]),
        starts=_at(item["starts"]),
        ends=_at(item["ends"]),
        number=int(item["number"]),
    )


def _at(seconds: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), tz=datetime.UTC)
