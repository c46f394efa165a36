"""From the options of `jhub init` to its exit code."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.text import Text

from jupyterhub_aws.cli.console import Terminal, counted
from jupyterhub_aws.cli.output import say
from jupyterhub_aws.config.errors import ConfigError, refused
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
from jupyterhub_aws.init.question import Question
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
    """Whether there is a terminal with an operator who can answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def _asked(judge: Judge, given: Mapping[str, str]) -> ProjectDraft:
    if not is_terminal():
        fix = (
            "run it in a terminal; or take the defaults with --yes, and change some with --set"
            " PATH=VALUE"
        )
        what = "asks questions, and there is no terminal to answer in"
        raise refused(COMMAND, "init.no-terminal", "", what, fix)

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
    is_here = target.folder.resolve() == Path.cwd().resolve()
    place = "this folder" if is_here else f"the folder {target.folder}"
    say(f"wrote {', '.join(shown)} in {place}")
    for name in kept:
        say(f"{name} exists and stays as it is: let it name .venv/")
    console.print()
    from jupyterhub_aws.plan.render import render

    failed = False
    secrets: list[str] = []
    for name in stack_files(target, draft):
        plan = planned(read(target.folder / name))
        render(plan)
        console.print()
        failed |= plan.failed
        secrets += [
            str(finding.fix).removeprefix("run: ")
            for finding in plan.findings
            if finding.id == "secrets-given" and finding.status == "warn"
        ]
    _say_next(console, target, draft, secrets)
    return 1 if failed else 0


def _say_next(
    console: Terminal, target: ProjectFolder, draft: ProjectDraft, secrets: Sequence[str]
) -> None:
    if draft.to_fill_in:
        console.print(Text(f"To fill in, in Pulumi.{target.stack}.yaml:", style="bold"))
        for path, note in draft.to_fill_in:
            say(f"{path}: {note}", begins="  ", further="    ")
        console.print()
    is_here = target.folder.resolve() == Path.cwd().resolve()
    place = [] if is_here else [f"cd {shlex.quote(str(target.folder))}"]
    steps = [
        (" && ".join([*place, "pulumi install"]), "the environment: .venv, from requirements.txt"),
        ("pulumi login s3://BUCKET", "where state is kept; or another backend of yours"),
        (f"pulumi stack init {target.stack}", "the stack's state; asks for a passphrase"),
        *((line, "") for line in secrets),
        (f"pulumi up -s {target.stack}", "shows its own preview first"),
    ]
    console.print(Text("Next:", style="bold"))
    width = max(len(step) for step, meaning in steps if meaning)
    for step, meaning in steps:
        console.print(Text(f"  {step.ljust(width)}  {meaning}".rstrip()), soft_wrap=True)


# --- The dialogue: each question with its default, what the choices cost, and the next one only
# when the answer is right.


_WIDEST, _INDENT = 80, "  "


def answered(judge: Judge, given: Mapping[str, str]) -> dict[str, str]:
    """Ask every question whose answer is not given already, and return the answers. Raises
    click.Abort where the user leaves.
    """
    said = dict(given)
    talk = _Talk(judge)
    for question in judge.questions:
        current = judge.answers(said)
        if question.path not in current or question.path in given:
            continue
        said[question.path] = talk.ask(question, said)
    return said


class _Talk:
    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._console = Terminal()
        self._width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)

    def ask(self, question: Question, said: Mapping[str, str]) -> str:
        """One question, until its answer is one with which the stack can be built."""
        answers = self._judge.answers(said)
        usual = answers[question.path]
        self._console.print()
        self._console.print(Text(question.ask, style="bold"))
        self._wrapped(question.explained(answers))
        for choice, meaning in question.choices.items():
            self._wrapped(f"{choice}: {meaning}", 2)
            self._show_price(question, {**said, question.path: choice})
        while True:
            prompt = _INDENT + ("choice" if question.choices else "answer")
            said_now = click.prompt(prompt, default=usual, show_default=bool(usual))
            answer = str(said_now).strip()
            wrong = self._wrong(question, {**said, question.path: answer})
            if not wrong:
                break
            for line in wrong:
                self._wrapped(f"✗ {line}", style="red")
        if not question.choices:
            self._show_price(question, {**said, question.path: answer})
        return answer

    def _wrong(self, question: Question, said: Mapping[str, str]) -> list[str]:
        """What is wrong with the last answer: by the models; and, where it changes what is
        built, by the checks of the plan.
        """
        try:
            if question.priced:
                self._judge.bill(said)
            else:
                self._judge.draft(said)
        except ConfigError as error:
            return [
                f"{problem.path}: {problem.what}; {problem.fix}".removeprefix(": ")
                for problem in error.problems
            ]
        return []

    def _show_price(self, question: Question, said: Mapping[str, str]) -> None:
        """What the stack costs with an answer. Nothing where the answer does not change that, or
        where the stack cannot be built with it.
        """
        with contextlib.suppress(ConfigError):
            bill = self._judge.bill(said) if question.priced else None
            if bill is not None:
                self._wrapped(str(bill), 3, "dim")

    def _wrapped(self, text: str, indent: int = 1, style: str = "") -> None:
        room = self._width - len(_INDENT) * indent
        for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False):
            self._console.print(Text(_INDENT * indent + line, style=style), soft_wrap=True)
