"""Notifying the users of hubs until a deadline, and stopping their servers then, as if they had
done it themselves.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from jupyterhub_aws.config.errors import refused, some
from jupyterhub_aws.operate.live.hub_api import HubApi, Server
from jupyterhub_aws.progress import ProgressLine

_LOOK_SECONDS = 15.0
_DURATION = re.compile(r"([0-9]{1,4})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str, most: int) -> int | None:
    """The seconds of `90s`, `15m` or `1h`; None for anything else, and for more than `most`."""
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else None
    return None if seconds is None or seconds > most else seconds


@dataclass(kw_only=True)
class UserNotifier:
    """A notice on every page of `concerned` hubs (of `hubs`), and an end of `servers` of each.

    `running` are labels of the servers that still run. `text` is the notice for a time such as
    `in 5 minutes (18:05 UTC)`; notices of this command begin with `begins`, and the deadline of one
    that an earlier run set still counts. A notice outlives its deadline by `kept_seconds`, so that
    users who come back read why; in the last `closed_seconds` no server starts (None: they may).
    """

    command: str
    hubs: Sequence[HubApi]
    concerned: Callable[[], Sequence[HubApi]]
    running: Callable[[], Sequence[str]]
    servers: Callable[[HubApi], Sequence[Server]]
    text: Callable[[str], str]
    kept_seconds: int
    begins: str = ""
    closed_seconds: int | None = None
    called_off: str = ""
    clock: Callable[[], float] = field(default_factory=lambda: time.time)
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)

    def wait(self, deadline: float) -> None:
        """Notify users until the deadline, or until no server is left. Interrupted, the command is
        called off: no server was stopped.
        """
        deadline = min([deadline, *(earlier for _, earlier in self._own())])
        left = max(deadline - self.clock(), 0.0)
        what = "waiting for users (Ctrl+C calls it off)"
        try:
            with ProgressLine(what, patience=left, clock=self.clock) as progress:
                while (left := deadline - self.clock()) > 0 and (running := self.running()):
                    self._set(deadline, left)
                    progress.now(
                        f"{len(running)} server{'' if len(running) == 1 else 's'} left: {some(running)}"
                    )
                    self.sleep(min(_LOOK_SECONDS, left))
        except KeyboardInterrupt:
            self.clear()
            what = f"was called off: no server was stopped, and the notice is gone{self.called_off}"
            path, fix = self.command.removeprefix("jhub "), "run it again when it is time"
            raise refused(self.command, "notice.called-off", path, what, fix) from None
        self._set(deadline, 0)

    def stop(self) -> None:
        """Ask each server to end."""
        for hub in self.concerned():
            for server in self.servers(hub):
                if server.pending != "stop":
                    hub.stop(server)

    def clear(self) -> None:
        """Clear this command's notice, wherever it is still shown."""
        for hub, _ in list(self._own()):
            hub.clear_notice()

    def notice(self, deadline: float, left: float) -> str:
        """What users read `left` seconds before the deadline."""
        minutes = max(0, round(left / 60))
        moment = datetime.datetime.fromtimestamp(deadline, tz=datetime.UTC)
        return self.text(
            f"in {minutes} minute{'' if minutes == 1 else 's'} ({moment:%H:%M} UTC)"
            if left > 0
            else "now"
        )

    def _set(self, deadline: float, left: float) -> None:
        closed = self.closed_seconds is not None and left <= self.closed_seconds
        for hub in self.concerned():
            text = self.notice(deadline, left)
            hub.set_notice(text, round(left) + self.kept_seconds, closed=closed)

    def _own(self) -> Iterator[tuple[HubApi, float]]:
        """The hubs that show a notice of this command, each with its deadline."""
        for hub in self.hubs:
            shown = hub.get_notice()
            if (text := str(shown.get("text") or "")) and text.startswith(self.begins):
                left = max(0.0, float(shown["seconds"]) - self.kept_seconds)
                yield hub, self.clock() + left
