"""The dialogue: each question with its default, what the choices cost, and the next one only
when the answer is right.
"""

from __future__ import annotations

import contextlib
import shutil
import textwrap
from collections.abc import Mapping

import click
from rich.text import Text

from jupyterhub_aws.cli.console import Terminal
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.init.judge import Judge
from jupyterhub_aws.init.question import Question

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
            answer = str(
                click.prompt(
                    _INDENT + ("choice" if question.choices else "answer"),
                    default=usual,
                    show_default=bool(usual),
                )
            ).strip()
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
                (
                    f"{problem.path}: {problem.what}; {problem.fix}"
                    if problem.path
                    else f"{problem.what}; {problem.fix}"
                )
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
        for line in textwrap.wrap(
            text,
            self._width - len(_INDENT) * indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self._console.print(Text(_INDENT * indent + line, style=style), soft_wrap=True)
