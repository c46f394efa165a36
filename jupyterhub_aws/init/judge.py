"""What a draft is worth before it is written: judged by the stack's own models, planned with
every check, and priced by the plan's own bill.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import given_by, whole
from jupyterhub_aws.config.errors import ConfigError, Problem, did_you_mean, dotted, refused
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.stack import StackConfig, file_key
from jupyterhub_aws.config.stack_file import StackFile, read, set_option
from jupyterhub_aws.init.draft import ProjectDraft, drafted
from jupyterhub_aws.init.files import COMMAND, ProjectFolder, project_file, stack_files
from jupyterhub_aws.init.question import Answers, Given, Question

if TYPE_CHECKING:
    from jupyterhub_aws.plan.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Bill:
    """US dollars per month: with every pool at its smallest, and at its largest. None where a
    price is not known. `elsewhere` is the region whose prices are in it for want of the stack's.
    """

    at_rest: float | None
    at_most: float | None
    elsewhere: str = ""

    def __str__(self) -> str:
        """Both, as a line has them."""
        at_rest, at_most = (
            "unknown" if amount is None else f"${amount:,.2f}"
            for amount in (self.at_rest, self.at_most)
        )
        where = f" (≈ at prices of {self.elsewhere})" if self.elsewhere else ""
        return f"{at_rest} a month at rest, {at_most} at most{where}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """Makes drafts of answers and judges them. `settings` (`path=value`) go on top of each."""

    target: ProjectFolder
    variant: str
    questions: tuple[Question, ...]
    settings: tuple[str, ...] = ()

    def answers(self, given: Given) -> Answers:
        """The answers to the questions that are asked, defaults among them. Raises ConfigError
        for one that is none of the choices.
        """
        return Answers(self.questions, given)

    def draft(self, given: Given) -> ProjectDraft:
        """The draft of these answers, which the models take. Raises ConfigError with every
        problem.
        """
        made = drafted(self.variant, self.answers(given), self.target.stack)
        found = settled(made, self.settings)
        with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
            for file in self._read(found, Path(folder)):
                validated(whole(given_by(file), file.path.parent))
        return found

    def bill(self, given: Given) -> Bill | None:
        """What it costs; None where nothing in it has a price. Raises ConfigError for answers
        with which it cannot be built.
        """
        return self._judged(tuple(sorted(given.items())))

    @lru_cache(maxsize=64)  # noqa: B019 -- one for each run of the command; the same draft is priced once
    def _judged(self, given: tuple[tuple[str, str], ...]) -> Bill | None:
        found = self.draft(dict(given))
        with tempfile.TemporaryDirectory(prefix="jhub-") as folder:
            plan = planned(self._read(found, Path(folder))[-1])
        failed = [item for item in plan.findings if item.status == "fail"]
        if failed:
            raise ConfigError(
                COMMAND,
                [
                    Problem(
                        id=item.id,
                        path=item.path or "",
                        what=item.message,
                        fix=item.fix or "choose another answer",
                    )
                    for item in failed
                ],
            )
        cost = plan.cost.as_json()
        if not cost["lines"]:
            return None
        elsewhere = {line["priced_in"] for line in cost["lines"]} - {cost["region"]}
        return Bill(
            at_rest=cost["idle_monthly"],
            at_most=cost["maximum_monthly"],
            elsewhere=", ".join(sorted(elsewhere)),
        )

    def _read(self, draft: ProjectDraft, folder: Path) -> list[StackFile]:
        """The stack files as they would be in their project, each read."""
        (folder / "Pulumi.yaml").write_text(project_file(self.target), encoding="utf-8")
        texts = stack_files(self.target, draft)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return [read(folder / name) for name in texts]


def planned(file: StackFile) -> Plan:
    """The plan of a stack file as of today."""
    from jupyterhub_aws.plan.plan import make_plan

    return make_plan(file, datetime.datetime.now(tz=datetime.UTC).date())


def settled(draft: ProjectDraft, settings: Sequence[str]) -> ProjectDraft:
    """A draft with `path=value` settings on top; sections that they are about lose their notes.
    Raises ConfigError for a setting that is none.
    """
    if not settings:
        return draft
    from jupyterhub_aws.config.stack_text import plain

    sections: dict[str, Any] = dict(draft.sections)
    for setting in settings:
        head = setting.partition("=")[0].replace("[", ".").partition(".")[0]
        if head not in StackConfig.model_fields and "=" in setting:
            what, path = "is no option of a stack file", f"--set {dotted((head,))}"
            if head in Hub.model_fields and (hubs := sections.get("hubs")):
                fix = f"it is an option of a hub: --set hubs.{next(iter(hubs))}.{setting}"
                raise refused(COMMAND, "option.unknown", path, what, fix)
            fix = did_you_mean(head, StackConfig.model_fields, "docs/reference.md has every option")
            raise refused(COMMAND, "option.unknown", path, what, fix)
        config = {file_key(head): plain(sections[head])} if head in sections else {}
        set_option(config, setting, COMMAND)
        sections[head] = config[file_key(head)]
    return ProjectDraft(sections=sections, comments=draft.comments, head=draft.head)


def split(
    settings: Sequence[str], questions: Sequence[Question]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Settings that answer a question, as answers; and the others. Raises ConfigError for a
    setting that is none.
    """
    by_path: Mapping[str, Question] = {question.path: question for question in questions}
    answers, others = {}, []
    for setting in settings:
        path, equals, text = setting.partition("=")
        if equals and path in by_path:
            answers[path] = _as_typed(text, by_path[path])
        else:
            others.append(setting)
    return answers, tuple(others)


def _as_typed(text: str, question: Question) -> str:
    """A setting's value as one would type it as an answer: a list of YAML or JSON becomes text
    with separators.
    """
    from jupyterhub_aws.config.stack_file import parsed

    try:
        value = parsed(text)
    except ValueError:
        return text
    if isinstance(value, list):
        return question.separator.join(map(str, value))
    return text.strip().strip("\"'") if isinstance(value, str) else text
