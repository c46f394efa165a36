"""The report on a pull request: judged with the base branch's own plans, said in one comment
that is updated in place, and in one status.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.changes.difference import Difference, difference
from jupyterhub_aws.changes.gate import GateVerdict, judged
from jupyterhub_aws.changes.read import read_side
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.diff.github.api import GitHub
from jupyterhub_aws.diff.markdown import LIMIT, markdown, text

MARKER = "<!-- jupyterhub-aws report -->"
CONTEXT = "jhub gate"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\.json")
_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One stack: what changes and what the gate says, or why that could not be found out."""

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
    whoever wrote the pull request.
    """
    names = sorted(
        {
            path.name
            for folder in (base, new)
            if folder.is_dir()
            for path in folder.iterdir()
            if _NAME.fullmatch(path.name) and not path.is_symlink()
        }
    )
    return [_judge(name, base / name, new / name, words) for name in names[:_MOST]]


def _judge(name: str, base: Path, new: Path, words: Sequence[str]) -> Judged:
    stack = name.removesuffix(".json")
    if not new.is_file():
        return Judged(
            stack=stack,
            fault=(
                "there is no plan of this stack: its stack file is gone, or wrong (see the run of"
                " the first workflow)"
            ),
        )
    try:
        old = (
            read_side(str(base))
            if base.is_file()
            else Side(
                source="the base branch, where it is not yet", stack=stack, resources=Resources([])
            )
        )
        side = read_side(str(new))
        if side.stack != stack:
            return Judged(stack=stack, fault=f"the plan says that it is of {side.stack}")
        found = difference(old, side)
        return Judged(stack=stack, found=found, verdict=judged(found, words))
    except ConfigError as error:
        return Judged(stack=stack, fault=str(error).splitlines()[0][:300])
    # a plan of a stranger may trip any rule: then nothing is known, and the gate is shut
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
    words = (
        "open"
        if stacks and not shut
        else f"shut for {', '.join(shut)}"
        if shut
        else "shut: no plans"
    )
    state: dict[str, Any] = {
        "state": "success" if stacks and not shut else "failure",
        "context": CONTEXT,
        "description": words[:140],
    }
    github.send("POST", f"/statuses/{commit}", {**state, **({"target_url": run} if run else {})})


def _is_ours(item: Any) -> bool:
    """A comment of a workflow's own account: anybody may write the marker."""
    user = item.get("user") or {}
    return (
        isinstance(user, dict)
        and user.get("type") == "Bot"
        and str(item.get("body") or "").startswith(MARKER)
    )
