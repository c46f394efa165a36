"""The test user's servers, through the hub's own API: started, followed, stopped, and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from jupyterhub_aws.components.hub.values.hub import HEALTH_USER
from jupyterhub_aws.operate.health.report import FailedError
from jupyterhub_aws.operate.health.sign_in import HubEndpoint
from jupyterhub_aws.operate.live.hub_api import HubApi
from jupyterhub_aws.units import duration

#: Servers end in seconds; a pod that was still starting is given its grace period (30 s) and some
#: more.
_STOP_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_USER = f"/users/{HEALTH_USER}"
_WORDS = 480


class TestServers:
    """One server at a time, of a test user of its own. `patience`: seconds that a start may
    take; `say` gets what the hub says meanwhile.
    """

    __test__ = False  # its name is no reason for pytest to collect it

    def __init__(
        self, api: HubApi, stack: str, *, patience: float, say: Callable[[str], None]
    ) -> None:
        self._api, self._stack, self.patience, self._say = api, stack, patience, say

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
        end, heard = time.monotonic() + self.patience, deque[str](maxlen=8)
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
        raise self._failed(f"not ready after {duration(self.patience)}", heard)

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


# --- A kernel in a user's server, as a notebook uses it: Jupyter Server's own API, and messages
# over a websocket.


#: A new kernel of a full image on a cold disk takes its time; a cell of this module's takes none.
_KERNEL_SECONDS = 90.0
_CREATED, _FINE = 201, 300
#: Jupyter messaging protocol ("Messaging in Jupyter"), the version that any server since 2.0
#: speaks.
_PROTOCOL = "5.3"


class Kernel:
    """A kernel of `user`'s server. Raises FailedError from each of its methods."""

    def __init__(self, endpoint: HubEndpoint, user: str, token: str) -> None:
        self._endpoint, self._root, self._token = endpoint, f"/user/{user}", token
        self._id = ""

    def begin(self) -> None:
        """Start one that speaks Python. Raises FailedError where there is none."""
        found = self._ask("GET", "/api/kernelspecs")
        specs: dict[str, Any] = (found or {}).get("kernelspecs") or {}
        names = [
            name
            for name, item in specs.items()
            if str(((item or {}).get("spec") or {}).get("language", "")).lower() == "python"
        ]
        if not names:
            raise FailedError(
                f"the image has no Python kernel (it has {', '.join(sorted(specs)) or 'none'})",
                "jupyter kernelspec list, in the image",
            )
        chosen = found["default"] if found.get("default") in names else sorted(names)[0]
        self._id = str(self._ask("POST", "/api/kernels", {"name": chosen})["id"])

    def end(self) -> None:
        """End it; one that is gone is no error."""
        if self._id:
            with contextlib.suppress(FailedError):
                self._ask("DELETE", f"/api/kernels/{self._id}")
            self._id = ""

    def run(self, code: str) -> str:
        """What a cell prints. Raises FailedError with its error."""
        try:
            return asyncio.run(asyncio.wait_for(self._cell(code), _KERNEL_SECONDS))
        except TimeoutError:
            raise FailedError(
                f"no answer from the kernel in {_KERNEL_SECONDS:.0f} seconds",
                "is there enough memory for a kernel? jhub logs … USER",
            ) from None

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        headers = {"Authorization": f"token {self._token}"}
        answer = self._endpoint.ask(
            method, self._root + path, json=body, headers=headers, seconds=_KERNEL_SECONDS
        )
        if answer.status >= _FINE or (method == "POST" and answer.status != _CREATED):
            said = (
                (answer.json() or {}).get("message", "") if isinstance(answer.json(), dict) else ""
            )
            raise FailedError(
                f"the server answers {method} {path.partition('?')[0]} with"
                f" {answer.status}{f' ({said})' if said else ''}",
                _LOOK,
            )
        return answer.json()

    async def _cell(self, code: str) -> str:
        from tornado.httpclient import HTTPClientError, HTTPRequest
        from tornado.netutil import DefaultExecutorResolver, OverrideResolver
        from tornado.websocket import websocket_connect

        endpoint, session = self._endpoint, uuid.uuid4().hex
        scheme = "wss" if urlsplit(endpoint.url).scheme == "https" else "ws"
        address = f"{scheme}://{endpoint.host}:{endpoint.public_port}{self._root}/api/kernels/{self._id}/channels?session_id={session}"
        request = HTTPRequest(
            address,
            headers={"Authorization": f"token {self._token}"},
            ssl_options=endpoint.context,
            connect_timeout=20.0,
        )
        there = OverrideResolver(
            DefaultExecutorResolver(), {(endpoint.host, endpoint.public_port): endpoint.place}
        )
        try:
            line = await websocket_connect(request, resolver=there)
        except (HTTPClientError, OSError) as error:
            look = (
                "does everything between browsers and the proxy pass websockets on (balancer,"
                " reverse"
                " proxy)?"
            )
            raise FailedError(
                f"the kernel's websocket does not come through ({error})", look
            ) from None
        try:
            message = _request(code, session)
            await line.write_message(json.dumps(message))
            return await _answered(line, message["header"]["msg_id"])
        finally:
            line.close()


_LOOK = "its own log: jhub logs STACK HUB jhub-health, while it runs"


def _request(code: str, session: str) -> dict[str, Any]:
    now = datetime.datetime.now(tz=datetime.UTC).isoformat()
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": session,
        "date": now,
        "version": _PROTOCOL,
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


async def _answered(line: Any, asked: str) -> str:
    """What is printed until the kernel rests and has replied: these come on two channels, in
    either order.
    """
    printed, waiting = "", {"execute_reply", "idle"}
    while waiting:
        text = await line.read_message()
        if text is None:
            raise FailedError(
                "the connection to the kernel broke",
                "did the server end? Is there enough memory for a kernel?",
            )
        message = json.loads(text)
        if (message.get("parent_header") or {}).get("msg_id") != asked:
            continue
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            printed += content["text"]
        elif kind == "execute_reply":
            waiting.discard(kind)
            if content.get("status") != "ok":
                raise FailedError(
                    f"the cell ended with {content.get('ename', 'an error')}:"
                    f" {str(content.get('evalue', ''))[:200]}",
                    _LOOK,
                )
        elif kind == "status" and content["execution_state"] == "idle":
            waiting.discard("idle")
    return printed
