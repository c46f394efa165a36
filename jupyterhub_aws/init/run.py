"""From the options of `jhub init` to its exit code."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.text import Text

from jupyterhub_aws.cli.console import Terminal, counted
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.keys import PROVIDERS
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.init import defaults
from jupyterhub_aws.init.draft import ProjectDraft
from jupyterhub_aws.init.files import (
    COMMAND,
    ProjectFolder,
    project_files,
    refuse_names,
    refuse_what_exists,
    stack_files,
    written,
)
from jupyterhub_aws.init.judge import Judge, planned, split
from jupyterhub_aws.init.questions import questions_of


def init(folder: Path, settings: Sequence[str], options: Mapping[str, object]) -> int:
    """Ask, write, plan. 0: no check of the plan fails; 1: one does. Raises ConfigError, with
    nothing written.
    """
    name = defaults.name_of(folder)
    target = ProjectFolder(
        folder=folder,
        project=str(options["project"] or (f"{name}-hub" if name in PROVIDERS else name)),
        stack=str(options["stack"]),
        workflows=bool(options["workflows"]),
    )
    refuse_names(target.project, target.stack)
    variant = str(options["variant"])
    questions = questions_of(variant, name)
    given, others = split(settings, questions)
    judge = Judge(target=target, variant=variant, questions=questions, settings=others)
    draft = judge.draft(given)  # before anything is asked: what is given has to be right
    refuse_what_exists(target, project_files(target, draft))
    if not options["yes"]:
        draft = _asked(judge, given)
    kept = written(target, project_files(target, draft))
    return _shown(target, draft, kept)


def is_terminal() -> bool:
    """Whether there is somebody who could answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def _asked(judge: Judge, given: Mapping[str, str]) -> ProjectDraft:
    if not is_terminal():
        fix = (
            "run it in a terminal; or take the defaults with --yes, and change some with --set"
            " PATH=VALUE"
        )
        raise ConfigError(
            COMMAND,
            [
                Problem(
                    path="", what="asks questions, and there is no terminal to answer in", fix=fix
                )
            ],
        )
    from jupyterhub_aws.init.talk import answered

    draft = judge.draft(answered(judge, given))
    print()
    return draft


def _shown(target: ProjectFolder, draft: ProjectDraft, kept: Sequence[str]) -> int:
    """Say what was written, plan it, and say what follows."""
    console = Terminal()
    names = [name for name in project_files(target, draft) if name not in kept]
    heads = Counter(name.partition("/")[0] for name in names)
    shown = (
        head if head in names else f"{head}/ ({counted(count, 'file')})"
        for head, count in heads.items()
    )
    console.print(Text(f"wrote {', '.join(shown)} in {target.folder}"))
    for name in kept:
        console.print(Text(f"{name} exists and stays as it is: let it name .venv/"))
    console.print()
    from jupyterhub_aws.plan.render import render

    failed = False
    for name in stack_files(target, draft):
        plan = planned(read(target.folder / name))
        render(plan)
        console.print()
        failed |= plan.failed
    _say_next(console, target, draft)
    return 1 if failed else 0


def _say_next(console: Terminal, target: ProjectFolder, draft: ProjectDraft) -> None:
    if draft.to_fill_in:
        console.print(Text(f"To fill in, in Pulumi.{target.stack}.yaml:", style="bold"))
        for path, note in draft.to_fill_in:
            console.print(Text(f"  {path}: {note}"), soft_wrap=True)
        console.print()
    place = (
        []
        if target.folder.resolve() == Path.cwd().resolve()
        else [f"cd {shlex.quote(str(target.folder))}"]
    )
    steps = [
        (" && ".join([*place, "pulumi install"]), "the environment: .venv, from requirements.txt"),
        (f"pulumi stack init {target.stack}", "the stack's state; asks for a passphrase"),
        (f"pulumi up -s {target.stack}", "shows its own preview first"),
    ]
    console.print(Text("Next:", style="bold"))
    width = max(len(step) for step, _ in steps)
    for step, meaning in steps:
        console.print(Text(f"  {step.ljust(width)}  {meaning}"), soft_wrap=True)
