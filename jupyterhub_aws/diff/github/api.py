"""As much of GitHub's REST API as a report needs. Everything that comes back is data of
strangers.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem

_PAGE, _PAGES = 100, 20
_SECONDS = 30
_TRIES = 3
_AGAIN = (429, 500, 502, 503, 504)
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """One repository. `url` is the API's (`GITHUB_API_URL`), `token` the workflow's own; neither
    is ever printed.
    """

    repository: str
    token: str
    url: str = "https://api.github.com"
    pause: float = 0.5

    def get(self, path: str, **query: str) -> Any:
        """One answer. Raises ConfigError where there is none."""
        return self._call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def all(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Every item of a list, page by page."""
        for page in range(1, _PAGES + 1):
            found = self.get(path, **query, per_page=str(_PAGE), page=str(page))
            items = (
                [item for item in found if isinstance(item, Mapping)]
                if isinstance(found, list)
                else []
            )
            yield from items
            if len(items) < _PAGE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Change something."""
        return self._call(method, path, body)

    def may_write(self, login: str) -> bool:
        """Whether somebody has write access."""
        try:
            found = self.get(f"/collaborators/{urllib.parse.quote(login, safe='')}/permission")
        except ConfigError:  # nobody whom this repository knows
            return False
        return isinstance(found, Mapping) and found.get("permission") in (
            "admin",
            "maintain",
            "write",
        )

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": "jupyterhub-aws",
        }
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/repos/{self.repository}{path}", data=data, headers=headers, method=method
        )
        reason = ""
        for attempt in range(_TRIES):
            try:
                with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 -- as above
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                reason = f"answered {error.code}"
                if error.code not in _AGAIN or method != "GET":
                    break
            except (OSError, ValueError) as error:
                reason = f"did not answer ({type(error).__name__})"
                if method != "GET":
                    break
            if attempt < _TRIES - 1:
                time.sleep(self.pause * 4**attempt)
        fix = "look at the permissions of the workflow's token, and at githubstatus.com"
        raise ConfigError(
            "jhub report",
            [Problem(path=f"{method} {path.partition('?')[0]}", what=f"GitHub {reason}", fix=fix)],
        )
