"""What a question is, and what an answer is. Every question has a default with which the rest is
right: so there is a whole draft at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem, did_you_mean, refused, shown
from jupyterhub_aws.config.stack_text import fill

Given = Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """One question of `jhub init`.

    `path` is where the answer goes in the stack file, or a word of `init`'s own (users, server,
    gpu, purpose): by it `--set PATH=VALUE` answers. `help` explains it in one or two lines.
    `choices` map each value that there is to what it means; without them any text is an answer, and
    a list is written with `separator`s. `priced`: the answer changes the bill. `stand_in`: the
    default is no real value, and the file says that it is to be filled in. A question that `when`
    refuses is not asked, and has no answer.
    """

    path: str
    ask: str
    help: str | Callable[[Given], str]
    default: str | Callable[[Given], str]
    _: KW_ONLY
    choices: Mapping[str, str] = field(default_factory=dict)
    when: Callable[[Given], bool] = lambda _: True
    separator: str = ","
    priced: bool = False
    stand_in: bool = False

    def explained(self, answers: Given) -> str:
        """What the question is about, after these answers."""
        return self.help if isinstance(self.help, str) else self.help(answers)

    def usual(self, answers: Given) -> str:
        """The default, after these answers."""
        return self.default if isinstance(self.default, str) else self.default(answers)

    def refused(self, answer: str) -> Problem | None:
        """What is wrong with an answer that is none of the choices."""
        if not self.choices or answer in self.choices:
            return None
        fix = did_you_mean(answer, self.choices, f"choose one of {', '.join(self.choices)}")
        return Problem(
            id="init.choice",
            path=self.path,
            what=f"is none of the choices (got {shown(answer)})",
            fix=fix,
        )


class Answers(Mapping[str, str]):
    """The answer to each question that is asked, as text: the given one, else its default."""

    def __init__(self, questions: Sequence[Question], given: Given) -> None:
        """Raises ConfigError, with every problem, for an answer that is none of the choices."""
        self._values: dict[str, str] = {}
        self._asked: dict[str, Question] = {}
        self._stand_ins: set[str] = set()
        problems = []
        for question in questions:
            if not question.when(self._values):
                continue
            usual = question.usual(self._values)
            answer = given.get(question.path, usual)
            problem = question.refused(answer)
            problems += [problem] if problem else []
            self._values[question.path] = usual if problem else answer
            self._asked[question.path] = question
            if question.stand_in and answer == usual:
                self._stand_ins.add(question.path)
        if problems:
            raise ConfigError("jhub init", problems)

    def __getitem__(self, path: str) -> str:
        return self._values[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def listed(self, path: str) -> list[str]:
        """An answer as a list; empty where the question was not asked."""
        if path not in self._values:
            return []
        parts = self._values[path].split(self._asked[path].separator)
        return [part.strip() for part in parts if part.strip()]

    def number(self, path: str) -> int:
        """An answer as a whole number. Raises ConfigError."""
        text = self._values[path]
        if not text.isascii() or not text.isdigit():
            what = f"must be a whole number (got {shown(text)})"
            raise refused("jhub init", "init.number", path, what, "write digits only, such as 20")
        return int(text)

    def marked(self, path: str, value: Any) -> Any:
        """A value that was made of an answer, marked as to be filled in where the answer is a
        placeholder for a real one.
        """
        return fill(value, self._asked[path].ask) if path in self._stand_ins else value


def described(questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    """Each question with its values and its default, as data. A default that follows from another
    answer is the one after the other defaults; a question that they leave out has it too.
    """
    answers: dict[str, str] = {}
    for question in questions:
        usual = question.usual(answers)
        yield {
            "name": question.path,
            "question": question.ask,
            "help": question.explained(answers),
            "values": list(question.choices),
            "default": usual,
            "placeholder": question.stand_in,
            "asked": question.when(answers),
        }
        answers[question.path] = usual
