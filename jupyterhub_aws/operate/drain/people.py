"""People on nodes that are drained: told through their hubs until a moment, and then stopped as
if they had done it themselves. Nobody else is.
"""

from __future__ import annotations

import datetime
import re
import sys
import time
from collections.abc import Sequence

import click

from jupyterhub_aws.bundle.progress import duration
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.operate.drain.nodes import Nodes, PodOnNode, labels
from jupyterhub_aws.operate.live.hub_api import HubApi
from jupyterhub_aws.operate.live.steps import some

#: A notice outlives its moment, so that whoever comes back reads why.
_AFTERWARDS = 900
_LOOK_SECONDS = 15.0
_BEGINS = "Old machines of the pool {pool} are replaced: "
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DURATION = re.compile(r"(\d{1,4})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 24 * 3600


class By(click.ParamType[datetime.datetime]):
    """Until when people have: a time of the day in UTC (18:00: the next one), or from now on
    (90m, 2h).
    """

    name = "time"

    def convert(
        self,
        value: str | datetime.datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime.datetime:
        """The moment, at most a day from now."""
        if isinstance(value, datetime.datetime):
            return value
        now = datetime.datetime.now(tz=datetime.UTC)
        if match := _CLOCK.fullmatch(value):
            moment = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
            return moment if moment > now else moment + datetime.timedelta(days=1)
        if (match := _DURATION.fullmatch(value)) and int(match[1]) * _UNITS[match[2]] <= _LONGEST:
            return now + datetime.timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        self.fail(
            f"{value!r} is not a time; write 18:00 (UTC), or a time from now of at most 24h"
            " like 90m",
            param,
            ctx,
        )


def words(pool: str, moment: datetime.datetime, left: float) -> str:
    """What people read. Everybody of a hub does, so it says whom it concerns without a name."""
    minutes = max(0, round(left / 60))
    when = (
        f"in {minutes} minute{'' if minutes == 1 else 's'} ({moment:%H:%M} UTC)"
        if left > 0
        else "now"
    )
    return (
        _BEGINS.format(pool=pool)
        + f"servers that run on them stop {when}. Stop and start yours before, and it runs on a new"
        " one. Save your work; your files stay."
    )


class DrainNotifier:
    """The servers on nodes that are drained. Only the hubs that have some there are told."""

    def __init__(self, command: str, hubs: Sequence[HubApi], nodes: Nodes, pool: str) -> None:
        self._command, self._nodes, self._pool = command, nodes, pool
        self._hubs = {f"hub-{hub.hub}": hub for hub in hubs}

    def until(self, moment: datetime.datetime) -> None:
        """Tell them until then, or until nobody is there any more. What an earlier run said
        counts on. Interrupted, it is called off: nobody was stopped.
        """
        moment = min(
            [
                moment,
                *(said for hub in self._hubs.values() if (said := self._said(hub)) is not None),
            ]
        )
        try:
            while (left := moment.timestamp() - time.time()) > 0 and (
                pods := self._nodes.servers()
            ):
                self._say(pods, moment, left)
                if sys.stderr.isatty():
                    text = (
                        f"  {len(pods)} servers run ({some(labels(pods))}); {duration(left)} left"
                        " (Ctrl+C calls it off)"
                    )
                    print(f"\r\033[K{text[:100]}", end="", file=sys.stderr, flush=True)
                time.sleep(min(_LOOK_SECONDS, left))
        except KeyboardInterrupt:
            self.unsay()
            what = (
                "was called off: nobody's server was stopped, and the notice is gone; no server"
                " starts on these nodes (kubectl uncordon NODE)"
            )
            raise ConfigError(
                self._command,
                [Problem(path="drain", what=what, fix="run it again when it is time")],
            ) from None
        self._say(self._nodes.servers(), moment, 0)

    def stop(self) -> None:
        """Ask the servers on these nodes to end, through their hubs."""
        pods = self._nodes.servers()
        wanted = {(pod.namespace, pod.user, pod.server) for pod in pods}
        for namespace in sorted({pod.namespace for pod in pods} & self._hubs.keys()):
            hub = self._hubs[namespace]
            for server in hub.servers():
                if (namespace, server.user, server.name) in wanted and server.pending != "stop":
                    hub.stop(server)

    def unsay(self) -> None:
        """Take this command's notice back, wherever it is still shown."""
        for hub in self._hubs.values():
            if self._said(hub) is not None:
                hub.unsay()

    def _said(self, hub: HubApi) -> datetime.datetime | None:
        """The moment that a notice of this command's for this pool names; None where there is
        none.
        """
        said = hub.said()
        if not str(said.get("text") or "").startswith(_BEGINS.format(pool=self._pool)):
            return None
        return datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(
            seconds=float(said["seconds"]) - _AFTERWARDS
        )

    def _say(self, pods: Sequence[PodOnNode], moment: datetime.datetime, left: float) -> None:
        for namespace in sorted({pod.namespace for pod in pods} & self._hubs.keys()):
            self._hubs[namespace].say(
                words(self._pool, moment, left), round(left) + _AFTERWARDS, closed=False
            )
