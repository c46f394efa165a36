"""The files of a project, as text by their paths; and how they come into a folder: all of them
or none, and never over one that exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.iam import partition_of
from jupyterhub_aws.config.errors import ConfigError, Problem, refused, shown
from jupyterhub_aws.config.keys import PROVIDERS
from jupyterhub_aws.config.stack_text import plain
from jupyterhub_aws.init.draft import ProjectDraft, inner_text
from jupyterhub_aws.version import __version__

COMMAND = "jhub init"
_LIBRARY = "jupyterhub-aws"
#: Kept as it is where a folder has one already: it is about more than this project.
_IGNORED, _IGNORE = (".venv/", "__pycache__/", "plan.html"), ".gitignore"

#: sdk/go/common/tokens of Pulumi v3.260: names.go and project.go, stack_name.go.
_PROJECT, _STACK = (
    re.compile(r"[A-Za-z_.][A-Za-z0-9_.-]{0,99}"),
    re.compile(r"[A-Za-z0-9_.-]{1,100}"),
)

_PROGRAM = '''"""The program: everything that the stack file describes. What you add below is yours."""

from jupyterhub_aws import from_stack_file

platform = from_stack_file()

# Resources of your own, of any provider, follow here. A bucket, for example:
#
#     import pulumi_aws as aws
#
#     data = aws.s3.Bucket("data", tags=platform.tags)
'''


@dataclass(frozen=True, kw_only=True)
class ProjectFolder:
    """Where the project will be, and its names for Pulumi."""

    folder: Path
    project: str
    stack: str
    workflows: bool = False


def stack_files(target: ProjectFolder, draft: ProjectDraft) -> dict[str, str]:
    """The stack file; in an isolated network that of its inside too."""
    found = {f"Pulumi.{target.stack}.yaml": draft.text(target.project)}
    if draft.sections.get("parts") == "cloud":
        found[f"Pulumi.{target.stack}-hub.yaml"] = inner_text(target.project, target.stack)
    return found


def project_file(target: ProjectFolder) -> str:
    """Pulumi.yaml."""
    lines = (
        f"name: {target.project}",
        "description: JupyterHub on AWS",
        "runtime:",
        "  name: python",
        "  options:",
        "    toolchain: pip",
    )
    return "\n".join((*lines, "    virtualenv: .venv", ""))


def project_files(target: ProjectFolder, draft: ProjectDraft) -> dict[str, str]:
    """Every file of the project, by its path in the folder."""
    found = {
        "Pulumi.yaml": project_file(target),
        **stack_files(target, draft),
        "__main__.py": _PROGRAM,
        "requirements.txt": (
            "# The library at a version: raise it, then run `pulumi install` and `jhub"
            f" migrate`.\n{requirement()}\n"
        ),
        _IGNORE: "".join(f"{line}\n" for line in _IGNORED),
    }
    if target.workflows:
        stacks = [
            name.removeprefix("Pulumi.").removesuffix(".yaml")
            for name in stack_files(target, draft)
        ]
        found |= workflow_files(stacks, draft)
    return found


def requirement() -> str:
    """How this very library is asked for again: by its version, or by the address that it was
    installed from (PEP 610, direct_url.json).
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        said = json.loads(distribution(_LIBRARY).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        said = {}
    url, vcs = said.get("url"), said.get("vcs_info")
    if not url:
        return f"{_LIBRARY}=={__version__}"
    return f"{_LIBRARY} @ {vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else f"{_LIBRARY} @ {url}"


def refuse_what_exists(target: ProjectFolder, paths: Mapping[str, str]) -> None:
    """Raise ConfigError, naming each, for files that the folder has already."""
    there = [name for name in paths if name != _IGNORE and os.path.lexists(target.folder / name)]
    fix = "name another folder, or move it away: nothing is overwritten"
    if "Pulumi.yaml" in there:
        fix = (
            "there is a project already: copy its stack file for a further stack, or name another"
            " folder"
        )
    if there:
        raise ConfigError(
            COMMAND,
            [
                Problem(
                    id="init.file-exists", path=str(target.folder / name), what="exists", fix=fix
                )
                for name in there
            ],
        )


def refuse_names(project: str, stack: str) -> None:
    """Raise ConfigError for names that Pulumi would refuse, or would take for a provider's."""
    fix = "use letters, digits, dots, dashes and underscores"
    wrong = [
        Problem(
            id="init.name", path=option, what=f"is no name for Pulumi (got {shown(name)})", fix=fix
        )
        for option, name, form in (("--project", project, _PROJECT), ("--stack", stack, _STACK))
        if not form.fullmatch(name)
    ]
    if project in PROVIDERS:
        what = f"is the name of a provider, whose settings begin with it (got {project})"
        wrong.append(
            Problem(
                id="init.provider-name",
                path="--project",
                what=what,
                fix=f"write {project}-hub, for example",
            )
        )
    if wrong:
        raise ConfigError(COMMAND, wrong)


def written(target: ProjectFolder, files: Mapping[str, str]) -> list[str]:
    """Write the files; whatever stops it, what was written goes again. Returns the names of
    those that were there and stay (.gitignore).
    """
    refuse_what_exists(target, files)
    made: list[Path] = []
    kept = []
    try:
        for name, text in files.items():
            path = target.folder / name
            if name == _IGNORE and path.exists():
                kept.append(name)
                continue
            for folder in reversed(
                [level for level in (path.parent, *path.parent.parents) if not level.exists()]
            ):
                folder.mkdir()
                made.append(folder)
            with path.open("x", encoding="utf-8") as stream:
                made.append(path)
                stream.write(text)
            if text.startswith("#!"):
                path.chmod(0o755)
    except BaseException as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            reason = error.strerror or type(error).__name__
            what = f"cannot be written ({reason})"
            fix = "name a folder of yours; nothing was left in it"
            raise refused(COMMAND, "file.not-written", str(target.folder), what, fix) from None
        raise
    return kept


# --- GitHub workflows for the stacks of a project: those of examples/github, with the project's own
# stacks in them, and the checks as a policy pack.


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
    roles = f"arn:{partition_of(region)}:iam::{account}:role/{sections['name']}"
    inside = stack.endswith("-hub") and sections.get("parts") == "cloud"
    return {
        "stack": stack,
        "region": region,
        "preview_role": f"{roles}-ci-preview",
        "up_role": f"{roles}-ci-up",
        "backend": f"s3://STATE-BUCKET?region={region}",
        "runs_on": "self-hosted" if inside else "ubuntu-24.04",
    }
