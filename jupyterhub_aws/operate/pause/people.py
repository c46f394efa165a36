"""People first: what is said to them, how long they have, and that their servers end as if they
had stopped them.
"""

from __future__ import annotations

import datetime
import re
import sys
import time
from collections.abc import Callable, Sequence

import click

from jupyterhub_aws.bundle.progress import duration
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.operate.live.hub_api import HubApi
from jupyterhub_aws.operate.live.steps import some

#: A notice outlives its moment by so long: whoever looks while the nodes go reads why.
_AFTERWARDS = 3600
#: In the last minutes nobody starts what would end at once.
_CLOSED_SECONDS = 300
_LOOK_SECONDS = 15.0
_DURATION = re.compile(r"([0-9]{1,4})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 12 * 3600


class UserNotice(click.ParamType[int]):
    """How long people have: 15m, 1h, 0m."""

    name = "duration"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds. Refuses what is none, and more than twelve hours."""
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(value)
        seconds = int(match[1]) * _UNITS[match[2]] if match else -1
        if not 0 <= seconds <= _LONGEST:
            self.fail(f"{value!r} is not a time of at most 12h; write it like 15m", param, ctx)
        return seconds


def words(moment: datetime.datetime, left: float) -> str:
    """What people read."""
    minutes = max(0, round(left / 60))
    when = (
        f"in {minutes} minute{'' if minutes == 1 else 's'} ({moment:%H:%M} UTC)"
        if left > 0
        else "now"
    )
    return (
        f"This hub will be paused {when}: servers stop then, and start again when it is resumed."
        " Save your work; your files stay."
    )


class PauseNotifier:
    """The hubs of a stack are told, given their time, and emptied. What was said by an earlier
    run counts on.
    """

    def __init__(
        self,
        command: str,
        hubs: Sequence[HubApi],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._command, self._hubs, self._clock, self._sleep = command, hubs, clock, sleep

    def wait(self, seconds: int) -> None:
        """Tell them, until their time is over or nobody has a server any more. Interrupted, it
        is called off and nobody was stopped.
        """
        end = self._clock() + min([seconds, *(self._left(hub) for hub in self._hubs)])
        try:
            while (left := end - self._clock()) > 0 and (servers := self.servers()):
                self._say(end, left)
                text = (
                    f"  {len(servers)} servers run ({some(servers)}); {duration(left)} left (Ctrl+C"
                    " calls it off)"
                )
                if sys.stderr.isatty():
                    print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)
                self._sleep(min(_LOOK_SECONDS, left))
        except KeyboardInterrupt:
            for hub in self._hubs:
                hub.unsay()
            what = "was called off: nobody's server was stopped, and the notice is gone"
            raise ConfigError(
                self._command,
                [Problem(path="pause", what=what, fix="run it again when it is time")],
            ) from None
        finally:
            if sys.stderr.isatty():
                print(file=sys.stderr)
        self._say(self._clock(), 0)

    def servers(self) -> list[str]:
        """Whose servers are there."""
        return [f"{server.label} ({hub.hub})" for hub in self._hubs for server in hub.servers()]

    def stop(self) -> None:
        """Ask each server to end."""
        for hub in self._hubs:
            for server in hub.servers():
                if server.pending != "stop":
                    hub.stop(server)

    def _say(self, end: float, left: float) -> None:
        moment = datetime.datetime.fromtimestamp(end, tz=datetime.UTC)
        for hub in self._hubs:
            hub.say(words(moment, left), round(left) + _AFTERWARDS, closed=left <= _CLOSED_SECONDS)

    def _left(self, hub: HubApi) -> float:
        """What is left of a notice that an earlier run gave; much where there was none."""
        said = hub.said()
        return (
            max(0.0, float(said["seconds"]) - _AFTERWARDS) if said.get("text") else float(_LONGEST)
        )
