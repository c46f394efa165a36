"""GitHub workflows for the stacks of a project: those of examples/github, with the project's own
stacks in them, and the checks as a policy pack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.stack_text import plain
from jupyterhub_aws.init.draft import ProjectDraft

_FOLDER = Path(__file__).parent / "github"
_NO_ACCOUNT = "ACCOUNT"
#: Words that YAML 1.1, GitHub's own, takes for something else than text.
_NO_TEXT = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")

_PACK = {
    "policy/PulumiPolicy.yaml": (
        """description: The checks of `jhub plan`, enforced by the engine
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: ../.venv
"""
    ),
    "policy/__main__.py": (
        '''"""What the engine starts: `pulumi up --policy-pack policy`."""

from pathlib import Path

from jupyterhub_aws.policy.pack import make_pack

make_pack(Path(__file__).parent)
'''
    ),
}


def workflow_files(stacks: Sequence[str], draft: ProjectDraft) -> dict[str, str]:
    """The files by their paths in the project. Roles and the state's bucket are the operator's
    to make, so their names stand in for real ones.
    """
    found = {
        f".github/workflows/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted((_FOLDER / "workflows").glob("*.yml"))
    }
    found |= {
        f".github/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted(_FOLDER.glob("*.sh"))
    }
    found[".github/workflows/up.yml"] = _with_stacks(found[".github/workflows/up.yml"], stacks)
    choices = f"options: [{', '.join(map(_scalar, stacks))}] # those of .github/stacks.json"
    preview = re.sub(r"options: \[.*", choices, found[".github/workflows/preview.yml"])
    found[".github/workflows/preview.yml"] = preview.replace(
        "default: dev", f"default: {_scalar(stacks[0])}"
    )
    found[".github/stacks.json"] = (
        json.dumps([_row(stack, draft) for stack in stacks], indent=2) + "\n"
    )
    return found | _PACK


def _with_stacks(text: str, stacks: Sequence[str]) -> str:
    """The workflow `up`, with one job for each stack, each after the one before."""
    head, jobs = text.split("jobs:\n")
    first, second = re.split(r"(?m)^  prod:\n", jobs)
    body = first.split("\n", 1)[1]
    made = []
    for number, stack in enumerate(stacks):
        after = [f"    needs: {_job(stacks[number - 1])}\n"] if number else []
        made.append(
            "".join(
                [
                    f"  {_job(stack)}:\n",
                    *after,
                    body.replace("stack: dev", f"stack: {_scalar(stack)}"),
                ]
            )
        )
    assert second.replace("    needs: dev\n", "").replace("prod", "dev").strip() == body.strip()  # noqa: S101 -- both jobs of the example are one
    return f"{head}jobs:\n{''.join(made)}"


def _job(stack: str) -> str:
    """A job's name: what GitHub takes of a stack's (workflow syntax, `jobs.<job_id>`)."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", stack)
    return name if name[0].isalpha() or name[0] == "_" else f"stack-{name}"


def _scalar(stack: str) -> str:
    """A stack's name as YAML takes it for text: 8, on and 1e3 would be something else."""
    plain_text = re.fullmatch(r"[a-z]+([_-][a-z0-9]+)*", stack) and stack not in _NO_TEXT
    return stack if plain_text else json.dumps(stack)


def _row(stack: str, draft: ProjectDraft) -> dict[str, Any]:
    sections = {name: plain(value) for name, value in draft.sections.items()}
    region, account = (
        sections.get("region", "us-east-1"),
        (sections.get("accounts") or [_NO_ACCOUNT])[0],
    )
    inside = stack.endswith("-hub") and sections.get("parts") == "cloud"
    return {
        "stack": stack,
        "region": region,
        "preview_role": f"arn:aws:iam::{account}:role/{sections['name']}-ci-preview",
        "up_role": f"arn:aws:iam::{account}:role/{sections['name']}-ci-up",
        "backend": f"s3://STATE-BUCKET?region={region}",
        "runs_on": "self-hosted" if inside else "ubuntu-24.04",
    }
