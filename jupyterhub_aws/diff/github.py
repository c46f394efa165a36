"""What a workflow on GitHub reports on a pull request: one comment, one status, and
which reviewers may acknowledge.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from httpx import HTTPError

from jupyterhub_aws.changes.difference import Difference, difference
from jupyterhub_aws.changes.gate import LABEL, GateVerdict, judged
from jupyterhub_aws.changes.side import Side, read_side
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.diff.markdown import LIMIT, markdown, text
from jupyterhub_aws.http_client import http_client

# --- As much of GitHub's REST API as a report needs. All answers are
# untrusted data.


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
        return self._call("GET", path, params=query)

    def all(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Every item of a list, page by page."""
        for page in range(1, _PAGES + 1):
            found = self.get(path, **query, per_page=str(_PAGE), page=str(page))
            listed = found if isinstance(found, list) else []
            items = [item for item in listed if isinstance(item, Mapping)]
            yield from items
            if len(items) < _PAGE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a change."""
        return self._call(method, path, json=body)

    def may_write(self, login: str) -> bool:
        """Whether a user has write access."""
        try:
            found = self.get(f"/collaborators/{quote(login, safe='')}/permission")
        except ConfigError:  # a user unknown to this repository
            return False
        return at(found, "permission") in ("admin", "maintain", "write")

    def _call(self, method: str, path: str, **sent: Any) -> Any:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
        }
        url, reason = f"{self.url}/repos/{self.repository}{path}", ""
        with http_client(_SECONDS, follow_redirects=True) as client:
            for attempt in range(_TRIES if method == "GET" else 1):
                if attempt:
                    time.sleep(self.pause * 4 ** (attempt - 1))
                try:
                    answer = client.request(method, url, headers=headers, **sent)
                    if answer.is_success:
                        return answer.json() if answer.content else None
                except (HTTPError, ValueError) as error:
                    reason = f"did not answer ({type(error).__name__})"
                    continue
                reason = f"answered {answer.status_code}"
                if answer.status_code not in _AGAIN:
                    break
        fix = "look at the permissions of the workflow's token, and at githubstatus.com"
        raise refused("jhub report", "report.github", f"{method} {path}", f"GitHub {reason}", fix)


# --- The report on a pull request: judged with the base branch's own plans, said in one comment
# that is updated in place, and in one status.


MARKER = "<!-- jupyterhub-aws report -->"
CONTEXT = "jhub gate"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\.json")
_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One stack: what changes and what the gate says, or why that could not be determined."""

    stack: str
    found: Difference | None = None
    verdict: GateVerdict | None = None
    fault: str = ""

    @property
    def passes(self) -> bool:
        """Whether the gate is open."""
        return self.verdict is not None and self.verdict.passes


def judge(base: Path, new: Path, words: Sequence[str]) -> list[Judged]:
    """Every stack that either side has a plan of. `base` was made by the base branch, `new` by
    the author of the pull request.
    """
    files = (path for folder in (base, new) if folder.is_dir() for path in folder.iterdir())
    names = {path.name for path in files if _NAME.fullmatch(path.name) and not path.is_symlink()}
    return [_judge(name, base / name, new / name, words) for name in sorted(names)[:_MOST]]


def _judge(name: str, base: Path, new: Path, words: Sequence[str]) -> Judged:
    stack = name.removesuffix(".json")
    if not new.is_file():
        why = "its stack file is missing, or invalid (see the run of the first workflow)"
        return Judged(stack=stack, fault=f"there is no plan of this stack: {why}")
    source = "the base branch, where it is not yet"
    try:
        old = Side(source=source, stack=stack, resources=Resources([]))
        if base.is_file():
            old = read_side(str(base))
        side = read_side(str(new))
        if side.stack != stack:
            return Judged(stack=stack, fault=f"the plan says that it is of {side.stack}")
        found = difference(old, side)
        return Judged(stack=stack, found=found, verdict=judged(found, words))
    except ConfigError as error:
        return Judged(stack=stack, fault=str(error).splitlines()[0][:300])
    # an untrusted plan may break any rule: then nothing is known, and the gate is shut
    except Exception as error:
        return Judged(stack=stack, fault=f"the plan could not be compared ({type(error).__name__})")


def comment(stacks: Sequence[Judged]) -> str:
    """The one comment, of all stacks together."""
    room = (LIMIT - 1000) // max(1, len(stacks))
    parts = [MARKER]
    for item in stacks:
        if item.found is not None:
            parts.append(markdown(item.found, item.verdict, limit=room))
        else:
            parts.append(f"### {text(item.stack)}: could not be judged\n\n{text(item.fault)}\n")
    if not stacks:
        parts.append("### No plan of any stack\n")
    parts.append(
        "<sub>The plans on the right side were made by this pull request's own code: advice for a"
        " reviewer, not a security boundary.</sub>"
    )
    return "\n".join(parts)


def publish(
    github: GitHub, number: int, commit: str, stacks: Sequence[Judged], *, run: str = ""
) -> None:
    """Write the comment, over the last one if there is one, and set the status of the commit."""
    body = comment(stacks)
    last = next((item for item in github.all(f"/issues/{number}/comments") if _is_ours(item)), None)
    if last is None:
        github.send("POST", f"/issues/{number}/comments", {"body": body})
    elif last.get("body") != body:
        github.send("PATCH", f"/issues/comments/{int(last['id'])}", {"body": body})
    shut = [item.stack for item in stacks if not item.passes]
    is_open = bool(stacks) and not shut
    closed = f"shut for {', '.join(shut)}" if shut else "shut: no plans"
    words = "open" if is_open else closed
    state: dict[str, Any] = {
        "state": "success" if is_open else "failure",
        "context": CONTEXT,
        "description": words[:140],
    }
    github.send("POST", f"/statuses/{commit}", {**state, **({"target_url": run} if run else {})})


def _is_ours(item: Any) -> bool:
    """A comment of a workflow's own account: any user may write the marker."""
    user = item.get("user") or {}
    return (
        isinstance(user, dict)
        and user.get("type") == "Bot"
        and str(item.get("body") or "").startswith(MARKER)
    )


# --- Who may acknowledge: reviews and labels of users with write access who wrote no commit of the
# pull request.


_COUNTS = ("APPROVED", "COMMENTED")


def pull_request(github: GitHub, commit: str, *, merged: bool = False) -> Mapping[str, Any] | None:
    """The open pull request whose head (or merge) is a commit; or the merged one that became it.
    None where there is none.

    Its number is never taken from an artifact: an artifact may come from any user.
    """
    state = "closed" if merged else "open"
    for item in github.all("/pulls", state=state, sort="updated", direction="desc"):
        if merged and item.get("merge_commit_sha") == commit and item.get("merged_at"):
            return item
        if not merged and commit in (at(item, "head", "sha"), item.get("merge_commit_sha")):
            return item
    return None


def words_that_count(github: GitHub, request: Mapping[str, Any]) -> list[str]:
    """Texts of reviews of the newest commit, and names of labels, by users who may acknowledge."""
    number, head = request["number"], at(request, "head", "sha")
    authors = {str(at(request, "user", "login")), *_authors(github, number)}
    trusted: dict[str, bool] = {}

    def counts(login: str) -> bool:
        if login not in trusted:
            trusted[login] = bool(login) and login not in authors and github.may_write(login)
        return trusted[login]

    found = []
    for review in github.all(f"/pulls/{number}/reviews"):
        login, body = str(at(review, "user", "login") or ""), str(review.get("body") or "")
        is_newest = review.get("state") in _COUNTS and review.get("commit_id") == head
        if is_newest and "acknowledge" in body and counts(login):
            found += body.splitlines()
    return [*found, *(name for name, login in _labels(github, request) if counts(login))]


def _labels(github: GitHub, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels that are there now, with the user who added them last."""
    labels = (item for item in request.get("labels") or () if isinstance(item, Mapping))
    wanted = {name for label in labels if LABEL.match(name := str(label.get("name")))}
    if not wanted:
        return
    last: dict[str, str] = {}
    for event in github.all(f"/issues/{request['number']}/events"):
        name = str(at(event, "label", "name"))
        if event.get("event") == "labeled" and name in wanted:
            last[name] = str(at(event, "actor", "login") or "")
    yield from sorted(last.items())


def _authors(github: GitHub, number: int) -> Iterator[str]:
    for commit in github.all(f"/pulls/{number}/commits"):
        logins = (at(commit, who, "login") for who in ("author", "committer"))
        yield from (str(login) for login in logins if login)
