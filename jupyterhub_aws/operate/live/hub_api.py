"""A hub's own API, under the token that the stack made for `jhub` (components/hub/values/hub.py,
OPERATOR_SCOPES).
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from httpx import Client, HTTPError

from jupyterhub_aws.components.hub.values.hub import OPERATOR
from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.http_client import cause, direct_client
from jupyterhub_aws.operate.live.cluster import KubectlCluster

_SECONDS = 20.0
_PAGE = 200
_ANNOUNCEMENTS = "/jupyterhub-aws/announcements"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A user's server. `name` is empty for the default one; times are as the
    hub writes them (ISO 8601, UTC).
    """

    user: str
    name: str
    ready: bool
    pending: str
    started: str
    last_activity: str
    profile: str

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"{self.user}/{self.name}" if self.name else self.user


class HubApi:
    """The API at `url`, which ends in /hub/api. Every call raises ConfigError with what the hub
    said.
    """

    def __init__(self, hub: str, url: str, token: str) -> None:
        self.hub, self._url, self._token = hub, url.rstrip("/"), token

    def servers(self) -> list[Server]:
        """Every server that runs, starts or stops, by user and name."""
        found = [
            _server(user["name"], server)
            for user in self._users()
            for server in (user.get("servers") or {}).values()
        ]
        return sorted(found, key=lambda item: (item.user, item.name))

    def stop(self, server: Server) -> None:
        """Ask a server to end: the hub tells its pod, which tells the kernels. It may take a
        while after this; a server that is gone is no error.
        """
        path = f"/users/{quote(server.user, safe='')}/" + (
            f"servers/{quote(server.name, safe='')}" if server.name else "server"
        )
        self.ask("DELETE", path, fine=(202, 204, 400, 404))  # 400: it stops already

    def set_notice(self, text: str, seconds: int, *, closed: bool) -> None:
        """Show a text on every page of the hub for so long; `closed`: no server starts
        meanwhile.
        """
        self.ask(
            "PUT", "/jupyterhub-aws/notice", {"text": text, "seconds": seconds, "closed": closed}
        )

    def get_notice(self) -> Mapping[str, Any]:
        """What is shown now."""
        found: dict[str, Any] = self.ask("GET", "/jupyterhub-aws/notice")
        return found

    def clear_notice(self) -> None:
        """Show nothing any more."""
        self.ask("DELETE", "/jupyterhub-aws/notice", fine=(204,))

    def announcements(self) -> list[Mapping[str, Any]]:
        """What pages show now or later, apart from a notice."""
        found: list[Mapping[str, Any]] = self.ask("GET", _ANNOUNCEMENTS)["announcements"]
        return found

    def announce(self, text: str, starts: int, ends: int) -> Mapping[str, Any]:
        """Show a text on every page from one moment until another, in seconds since 1970."""
        body = {"text": text, "starts": starts, "ends": ends}
        found: dict[str, Any] = self.ask("POST", _ANNOUNCEMENTS, body)
        return found

    def clear_announcements(self, number: int | None) -> None:
        """Remove one announcement, or all."""
        path = _ANNOUNCEMENTS if number is None else f"{_ANNOUNCEMENTS}/{number}"
        self.ask("DELETE", path, fine=(204,))

    def progress(self, user: str) -> Iterator[Mapping[str, Any]]:
        """What the hub says of a user's default server while it starts, as it comes: events with
        `message`, in the end with `ready` or `failed`.

        Ends without either where nothing starts, or nothing is said for long: ask again. Lines
        without an event keep the connection open.
        """
        path = f"/users/{quote(user, safe='')}/server/progress"
        with (
            contextlib.suppress(HTTPError),
            self._client() as client,
            client.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer,
        ):
            for line in answer.iter_lines() if answer.is_success else ():
                found = _data(line[5:]) if line.startswith("data:") else None
                if isinstance(found, dict):
                    yield found

    def _users(self) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self.ask(
                "GET", "/users?" + urlencode({"state": "active", "limit": _PAGE, "offset": offset})
            )
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        fine: tuple[int, ...] = (200, 201, 202),
    ) -> Any:
        """One call; what the hub answered as data, None for nothing."""
        try:
            with self._client() as client:
                answer = client.request(method, path, json=body)
        except HTTPError as error:
            what = f"does not answer ({cause(error)})"
            fix = f"look at its pods: {self._pods}"
            raise refused("jhub", "hub.no-answer", f"hub {self.hub}", what, fix) from None
        if answer.is_success:
            return _data(answer.text)
        if answer.status_code in fine:
            return None
        raise self._refused(method, path, answer.status_code, answer.text)

    def _client(self) -> Client:
        headers = {"Authorization": f"token {self._token}"}
        return direct_client(_SECONDS, base_url=self._url, headers=headers)

    @property
    def _pods(self) -> str:
        return f"kubectl -n hub-{self.hub} get pods"

    def _refused(self, method: str, path: str, code: int, body: str) -> ConfigError:
        said = (_data(body) or {}).get("message", "") if body[:1] == "{" else ""
        where = path.partition("?")[0]
        if code in (401, 403):
            fix = (
                "the hub runs with another token, or from before this version: pulumi up, then try"
                " again"
            )
        elif code == 404:  # HTTP's number
            fix = "the hub is of a version that does not know this: pulumi up, then try again"
        else:
            fix = f"look at its log: kubectl -n hub-{self.hub} logs deploy/hub --tail 50"
        what = f"answers {method} {where} with {code}{f' ({said})' if said else ''}"
        return refused("jhub", "hub.refused", f"hub {self.hub}", what, fix)


def _data(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return None


def _server(user: str, found: Mapping[str, Any]) -> Server:
    options = found.get("user_options") or {}
    return Server(
        user=user,
        name=str(found.get("name") or ""),
        ready=bool(found.get("ready")),
        pending=str(found.get("pending") or ""),
        started=str(found.get("started") or ""),
        last_activity=str(found.get("last_activity") or ""),
        profile=str(options.get("profile") or ""),
    )


# --- The hubs of a stack as they run: each one's API through a tunnel of kubectl, under the
# operator's own token.


#: The chart's own: the Secret that holds the services' tokens (templates/hub/secret.yaml), and the
#: hub's Service with its port.
_SECRET, _SERVICE, _PORT = "hub", "service/hub", 8081


@contextlib.contextmanager
def hub_apis(
    stack: StackConfig, cluster: KubectlCluster, hubs: Collection[str] | None = None
) -> Iterator[list[HubApi]]:
    """The API of every hub, or of these, while the block runs. Raises ConfigError for a hub that
    is not there or has no token for `jhub`.
    """
    with contextlib.ExitStack() as tunnels:
        yield [
            tunnels.enter_context(hub_api(stack, cluster, name))[0]
            for name in sorted(stack.hubs_inside if hubs is None else hubs)
        ]


def hub_runs(cluster: KubectlCluster, namespace: str, parts: Collection[str] = ("hub",)) -> bool:
    """Whether the hub's pod, or each of these Deployments of it, is ready."""
    found = cluster.data("--namespace", namespace, "get", "deployments")
    ready = {
        item["metadata"]["name"]: int(item.get("status", {}).get("readyReplicas", 0))
        for item in found["items"]
    }
    return all(ready.get(name, 0) >= 1 for name in parts)


@contextlib.contextmanager
def hub_api(stack: StackConfig, cluster: KubectlCluster, name: str) -> Iterator[tuple[HubApi, str]]:
    """One hub's API while the block runs, and the operator's token: the same gives access to the
    test user's servers. Raises ConfigError like `hub_apis`.
    """
    namespace = HubNames(stack=stack.name, hub=name).namespace
    token = _token(cluster, name, namespace)
    with cluster.forwarded(namespace, _SERVICE, _PORT) as port:
        yield HubApi(name, f"http://127.0.0.1:{port}/hub/api", token), token


def _token(cluster: KubectlCluster, hub: str, namespace: str) -> str:
    secret = cluster.data("--namespace", namespace, "get", "secret", _SECRET)
    text = (secret.get("data") or {}).get(f"hub.services.{OPERATOR}.apiToken")
    if not text:
        what = "has no token for jhub: it was installed by an older version"
        fix = "pulumi up, then try again"
        raise refused(cluster.command, "hub.no-token", f"hub {hub}", what, fix)
    return base64.b64decode(text).decode()
