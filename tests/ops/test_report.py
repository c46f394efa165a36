"""The report on a pull request, against what answers as GitHub's API does: hostile plans, trusted
base, whose word counts.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jupyterhub_aws.changes.gate import judged
from jupyterhub_aws.diff.github import MARKER
from tests.support.differences import found, plan
from tests.support.in_process import in_process

HEAD, MERGE = "a" * 40, "b" * 40
REPOSITORY = "example-org/hub"


class Server:
    """One repository with one pull request; remembers what was written."""

    def __init__(self):
        self.requests, self.wrote, self.fails = [], [], 0
        self.pull = {
            "number": 7,
            "state": "open",
            "head": {"sha": HEAD},
            "merge_commit_sha": MERGE,
            "merged_at": None,
            "user": {"login": "author"},
            "labels": [],
        }
        self.lists = {
            "reviews": [],
            "commits": [{"author": {"login": "author"}, "committer": {"login": "web-flow"}}],
            "events": [],
            "comments": [],
        }
        self.writers = {"author", "reviewer", "web-flow"}
        self.url = "https://api.github.example.org"

    def handle(self, request):
        """One request, in the place of the network."""
        url = str(request.url)
        assert url.startswith(self.url)
        code, data = self.answer(
            request.method,
            url.removeprefix(self.url),
            request.headers["Authorization"],
            request.content,
        )
        return httpx.Response(code, content=data)

    def answer(self, method, target, authorization, body):
        """Code and body, as GitHub answers."""
        if method == "GET":
            code, found = self.got(target, authorization)
        else:
            self.wrote.append((method, urlsplit(target).path, json.loads(body)))
            code, found = 201, {"id": 11}
        return code, json.dumps(found).encode()

    def got(self, target, authorization):
        split = urlsplit(target)
        self.requests.append(("GET", split.path, authorization))
        if self.fails:
            self.fails -= 1
            return 503, {}
        query, end = parse_qs(split.query), split.path.rpartition("/")[2]
        page = int(query.get("page", ["1"])[0])
        if split.path.endswith("/permission"):
            login = split.path.split("/")[-2]
            return 200, {"permission": "write" if login in self.writers else "read"}
        if end == "pulls":
            state = "closed" if self.pull["merged_at"] else "open"
            other = [{"number": 1, "head": {"sha": "c" * 40}, "merge_commit_sha": None}] * 100
            return 200, other if page == 1 else [self.pull] if query["state"] == [state] else []
        return 200, self.lists.get(end, []) if page == 1 else []


@pytest.fixture
def github(monkeypatch):
    server = Server()
    client = partial(httpx.Client, transport=httpx.MockTransport(server.handle))
    monkeypatch.setattr(
        "jupyterhub_aws.diff.github.http_client", lambda seconds, **more: client(**more)
    )
    return server


@contextmanager
def served():
    """The same repository by HTTP."""
    outer = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            length = int(self.headers["Content-Length"] or 0)
            code, data = outer.answer(
                self.command, self.path, self.headers["Authorization"], self.rfile.read(length)
            )
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = do_GET  # noqa: N815 -- the names that http.server looks for

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        outer.url = f"http://127.0.0.1:{http.server_port}"
        yield outer
        http.shutdown()


@pytest.fixture
def folders(tmp_path):
    new = plan()
    new["resources"] = [item for item in new["resources"] if item["name"] != "homes-file-system"]
    for name, data in (("base", plan()), ("new", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.json").write_text(json.dumps(data), encoding="utf-8")
    return tmp_path


def report(github, folders, *more, commit=HEAD, **environment):
    """The command in this process, as a workflow runs it."""
    own = {
        "GITHUB_TOKEN": "token-of-the-test",
        "GITHUB_API_URL": github.url,
        "GITHUB_RUN_ID": "99",
        **environment,
    }
    return in_process(
        ["report", "base", "new", "--repository", REPOSITORY, "--commit", commit, *more],
        folders,
        own,
    )


def lines():
    return [item.line for item in judged(found("homes: file system goes")).missing]


def review(login="reviewer", state="APPROVED", commit=HEAD, body=None):
    return {
        "user": {"login": login},
        "state": state,
        "commit_id": commit,
        "body": "\r\n".join(lines()) if body is None else body,
    }


def status(github):
    (found_,) = [
        body
        for method, path, body in github.wrote
        if path == f"/repos/{REPOSITORY}/statuses/{HEAD}"
    ]
    return found_["state"]


def test_the_comment_is_written_and_the_gate_is_shut(github, folders):
    done = report(github, folders)
    assert done.returncode == 0, done
    (comment,) = [
        body["body"]
        for method, path, body in github.wrote
        if path.endswith("/issues/7/comments") and method == "POST"
    ]
    assert (
        comment.startswith(MARKER)
        and "Endangers data" in comment
        and lines()[0] in comment
        and "not a security boundary" in comment
    )
    assert status(github) == "failure"
    assert (
        "token-of-the-test" not in done.stdout + done.stderr
        and github.requests[0][2] == "Bearer token-of-the-test"
    )


@pytest.mark.real
def test_it_is_so_by_http_too(folders):
    with served() as github:
        test_the_comment_is_written_and_the_gate_is_shut(github, folders)
        github.fails = 10
        done = report(github, folders)
        assert done.returncode == 2 and "GET /pulls: GitHub answered 503" in done.stderr


def test_the_own_comment_is_updated_in_place_and_no_other(github, folders):
    theirs = {"id": 3, "user": {"type": "User", "login": "mallory"}, "body": f"{MARKER}\nfake"}
    github.lists["comments"] = [
        theirs,
        {
            "id": 5,
            "user": {"type": "Bot", "login": "github-actions[bot]"},
            "body": f"{MARKER}\nolder",
        },
    ]
    assert report(github, folders).returncode == 0
    assert [path for method, path, _ in github.wrote if method == "PATCH"] == [
        f"/repos/{REPOSITORY}/issues/comments/5"
    ]
    assert not [
        path for method, path, _ in github.wrote if method == "POST" and path.endswith("comments")
    ]


@pytest.mark.parametrize("state", ["APPROVED", "COMMENTED"])
def test_a_review_by_another_account_with_write_access_opens_it(github, folders, state):
    github.lists["reviews"] = [review(state=state)]
    assert report(github, folders).returncode == 0 and status(github) == "success"


@pytest.mark.real
@pytest.mark.parametrize(
    "words",
    [
        {"login": "author"},
        {"login": "stranger"},
        {"state": "DISMISSED"},
        {"state": "CHANGES_REQUESTED"},
        {"state": "PENDING"},
        {"commit": "d" * 40},
        {"login": "web-flow"},
        {
            "body": "acknowledge dev endangers-data"
            " aws:efs/fileSystem:FileSystem::homes-file-system " + "0" * 24
        },
        {"login": ""},
        {"login": None},
    ],
)
def test_whose_review_does_not_count(github, folders, words):
    said = review(**words)
    github.lists["reviews"] = [
        said if said["user"]["login"] is not None else {**said, "user": None}
    ]
    assert report(github, folders).returncode == 0 and status(github) == "failure"


@pytest.mark.real
@pytest.mark.parametrize(
    ("actor", "state"), [("reviewer", "success"), ("author", "failure"), ("stranger", "failure")]
)
def test_a_label_counts_by_who_put_it_there_last(github, folders, actor, state):
    labels = [item.label for item in judged(found("homes: file system goes")).missing]
    github.pull["labels"] = [{"name": label} for label in labels]
    github.lists["events"] = [
        {"event": "labeled", "label": {"name": label}, "actor": {"login": login}}
        for label in labels
        for login in ("reviewer", actor)
    ]
    assert report(github, folders).returncode == 0 and status(github) == state


def test_a_label_that_is_gone_does_not_count(github, folders):
    github.lists["events"] = [
        {"event": "labeled", "label": {"name": item.label}, "actor": {"login": "reviewer"}}
        for item in judged(found("homes: file system goes")).missing
    ]
    assert report(github, folders).returncode == 0 and status(github) == "failure"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": "jupyterhub-aws/plan/9"}',
        "[" * 50_000,
        {"stack": "prod"},
        {"resources": [1]},
    ],
)
def test_whatever_a_stranger_sends_shuts_the_gate_and_breaks_nothing(github, folders, text):
    """A map stands for a whole plan with other values in it."""
    if isinstance(text, dict):
        text = json.dumps({**plan(), **text})
    (folders / "new" / "dev.json").write_text(text, encoding="utf-8")
    done = report(github, folders)
    assert done.returncode == 0 and "Traceback" not in done.stderr and status(github) == "failure"


def test_plans_that_trip_a_rule_shut_the_gate(github, folders):
    data = plan()
    for item in data["resources"]:
        item["inputs"] = {key: 7 for key in item["inputs"]}
    (folders / "new" / "dev.json").write_text(json.dumps(data), encoding="utf-8")
    assert report(github, folders).returncode == 0 and status(github) == "failure"


def test_no_plan_a_hostile_name_and_a_link_shut_the_gate(github, folders):
    (folders / "new" / "dev.json").unlink()
    (folders / "new" / "..evil\n.json").write_text("{}", encoding="utf-8")
    (folders / "new" / "link.json").symlink_to("/etc/passwd")
    done = report(github, folders, "--dry-run")
    assert (
        done.returncode == 0
        and "there is no plan of this stack" in done.stdout
        and "root:" not in done.stdout
        and "evil" not in done.stdout
    )
    assert github.wrote == []


def test_nothing_changes_and_the_gate_is_open(github, folders):
    (folders / "new" / "dev.json").write_text(json.dumps(plan()), encoding="utf-8")
    assert report(github, folders).returncode == 0 and status(github) == "success"
    assert "Nothing changes" in github.wrote[0][2]["body"]


def test_a_commit_of_no_open_pull_request_is_nothing_to_report(github, folders):
    done = report(github, folders, commit="e" * 40)
    assert (
        done.returncode == 0
        and "no pull request has this commit" in done.stderr
        and github.wrote == []
    )


def test_what_was_merged_is_judged_again_before_up(github, folders):
    github.pull["merged_at"] = "2026-11-24T00:00:00Z"
    assert report(github, folders, "--merged", commit=MERGE).returncode == 1
    github.lists["reviews"] = [review()]
    assert report(github, folders, "--merged", commit=MERGE).returncode == 0
    assert (
        report(github, folders, "--merged", commit="e" * 40).returncode == 1 and github.wrote == []
    )


def test_a_server_that_is_tired_is_asked_again_and_one_that_refuses_is_named(
    github, folders, monkeypatch
):
    monkeypatch.setattr("jupyterhub_aws.diff.github.time.sleep", lambda seconds: None)
    github.fails = 1
    assert report(github, folders).returncode == 0
    github.fails = 10
    done = report(github, folders)
    assert (
        done.returncode == 2
        and re.search(r"GET /pulls: GitHub answered 503.* \[report.github\]", done.stderr)
        and "Traceback" not in done.stderr
    )


def test_wrong_arguments_all_at_once(folders):
    done = in_process(
        ["report", "base", "new", "--repository", "nonsense", "--commit", "HEAD"],
        folders,
        {"GITHUB_TOKEN": ""},
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 3
    for which in ("report.repository", "report.commit", "report.no-token"):
        assert f"[{which}]" in done.stderr
