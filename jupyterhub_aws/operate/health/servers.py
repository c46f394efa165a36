"""The test user's servers, through the hub's own API: started, followed, stopped, and forgotten."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from jupyterhub_aws.bundle.progress import duration
from jupyterhub_aws.components.hub.values.hub import HEALTH_USER
from jupyterhub_aws.operate.health.report import FailedError
from jupyterhub_aws.operate.live.hub_api import HubApi

#: Servers end in seconds; a pod that was still starting is given its grace period (30 s) and some
#: more.
_STOP_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_USER = f"/users/{HEALTH_USER}"
_WORDS = 480


class TestServers:
    """One server at a time, of a user that nobody else is. `patience`: seconds that a start may
    take; `say` gets what the hub says meanwhile.
    """

    __test__ = False  # its name is no reason for pytest to collect it

    def __init__(
        self, api: HubApi, stack: str, *, patience: float, say: Callable[[str], None]
    ) -> None:
        self._api, self._stack, self._patience, self._say = api, stack, patience, say

    def clear(self) -> bool:
        """Stop whatever an earlier run left, and make the user; whether there was something."""
        left = self.stop()
        self._api.ask("POST", _USER, {}, fine=(201, 409))  # 409: it is there already
        return left

    def start(self, profile: str) -> str:
        """Start a server of a profile. Raises FailedError with the last words about it, or
        ConfigError with the hub's answer.
        """
        self._api.ask("POST", f"{_USER}/server", {"profile": profile})
        end, heard = time.monotonic() + self._patience, deque[str](maxlen=8)
        while time.monotonic() < end:
            for event in self._api.progress(HEALTH_USER):
                message = " ".join(str(event.get("message") or "").split())
                if event.get("failed"):
                    raise self._failed(message, heard)
                if message and not event.get("ready"):
                    heard.append(message)
                    self._say(message)
                if event.get("ready") or time.monotonic() > end:
                    break
            server = self._server()
            if server is None:
                raise self._failed("it ended before it was ready", heard)
            if server.get("ready"):
                return "ready"
            time.sleep(_LOOK_SECONDS)
        raise self._failed(f"not ready after {duration(self._patience)}", heard)

    def stop(self) -> bool:
        """Stop the server, also one that is starting, and wait until it is gone; whether there
        was one. Raises FailedError after three minutes.
        """
        if self._server() is None:
            return False
        end = time.monotonic() + _STOP_SECONDS
        while (server := self._server()) is not None:
            if time.monotonic() > end:
                what = (
                    f"the server of {HEALTH_USER} is still there after {duration(_STOP_SECONDS)}"
                    f" ({server.get('pending') or 'it runs'})"
                )
                raise FailedError(
                    what,
                    f"kubectl -n hub-{self._api.hub} get pods -l component=singleuser-server; then"
                    " run this again",
                )
            if server.get("pending") != "stop":
                self._api.ask("DELETE", f"{_USER}/server", fine=(202, 204, 400, 404))
            time.sleep(_LOOK_SECONDS)
        return True

    def forget(self) -> None:
        """Stop what runs, and take the user out of the hub. The home stays: no hub deletes one."""
        if self._user() is None:
            return
        self.stop()
        self._api.ask("DELETE", _USER, fine=(204, 404))

    def _user(self) -> dict[str, Any] | None:
        found = self._api.ask("GET", _USER, fine=(200, 404))
        return found if isinstance(found, dict) else None

    def _server(self) -> dict[str, Any] | None:
        servers = (self._user() or {}).get("servers") or {}
        found = servers.get("")
        return found if isinstance(found, dict) else None

    def _failed(self, what: str, heard: deque[str]) -> FailedError:
        """`heard` is what Kubernetes said last: the warning among it is what an operator needs."""
        warning = next(
            (message for message in reversed(heard) if "warning" in message.lower()),
            heard[-1] if heard else "",
        )
        said = f"{what}{f'; last: {warning}' if warning and warning not in what else ''}"
        events = f"kubectl -n hub-{self._api.hub} get events --sort-by=.lastTimestamp"
        return FailedError(said[:_WORDS], f"jhub logs {self._stack} {self._api.hub} hub; {events}")
