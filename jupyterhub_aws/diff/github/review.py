"""Whose word counts: reviews and labels by people with write access who wrote nothing of the
pull request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.gate import LABEL
from jupyterhub_aws.diff.github.api import GitHub

_COUNTS = ("APPROVED", "COMMENTED")


def pull_request(github: GitHub, commit: str, *, merged: bool = False) -> Mapping[str, Any] | None:
    """The open pull request whose head (or merge) is a commit; or the merged one that became it.
    None where there is none.

    Its number is never taken from an artifact: whoever made that may be anybody.
    """
    state = "closed" if merged else "open"
    for item in github.all("/pulls", state=state, sort="updated", direction="desc"):
        if merged and item.get("merge_commit_sha") == commit and item.get("merged_at"):
            return item
        if not merged and commit in (_at(item, "head", "sha"), item.get("merge_commit_sha")):
            return item
    return None


def words_that_count(github: GitHub, request: Mapping[str, Any]) -> list[str]:
    """Texts of reviews of the newest commit, and names of labels, by people whose word counts."""
    number, head = request["number"], _at(request, "head", "sha")
    authors = {str(_at(request, "user", "login")), *_authors(github, number)}
    trusted: dict[str, bool] = {}

    def counts(login: str) -> bool:
        if login not in trusted:
            trusted[login] = bool(login) and login not in authors and github.may_write(login)
        return trusted[login]

    found = []
    for review in github.all(f"/pulls/{number}/reviews"):
        login, body = str(_at(review, "user", "login") or ""), str(review.get("body") or "")
        if (
            review.get("state") in _COUNTS
            and review.get("commit_id") == head
            and "acknowledge" in body
            and counts(login)
        ):
            found += body.splitlines()
    return [*found, *(name for name, login in _labels(github, request) if counts(login))]


def _labels(github: GitHub, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels that are there now, with whoever put them there last."""
    names = {
        str(label.get("name"))
        for label in request.get("labels") or ()
        if isinstance(label, Mapping)
    }
    wanted = {name for name in names if LABEL.match(name)}
    if not wanted:
        return
    last: dict[str, str] = {}
    for event in github.all(f"/issues/{request['number']}/events"):
        name = str(_at(event, "label", "name"))
        if event.get("event") == "labeled" and name in wanted:
            last[name] = str(_at(event, "actor", "login") or "")
    yield from sorted(last.items())


def _authors(github: GitHub, number: int) -> Iterator[str]:
    for commit in github.all(f"/pulls/{number}/commits"):
        yield from (
            str(_at(commit, who, "login"))
            for who in ("author", "committer")
            if _at(commit, who, "login")
        )


def _at(item: Any, *keys: str) -> Any:
    for key in keys:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item
