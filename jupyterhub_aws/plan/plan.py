"""A plan: the stack, what it becomes, the findings about it and its cost. Also as data that is
the same byte for byte.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.changes.mask import masked
from jupyterhub_aws.checks.finding import Finding, passed
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import given_by, outer_of, what_if, whole
from jupyterhub_aws.config.errors import ConfigError, refused
from jupyterhub_aws.config.keys import as_engine
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.secrets import missing_secrets
from jupyterhub_aws.config.stack import PROJECT, StackConfig
from jupyterhub_aws.config.stack_file import CLOUD_STACK, StackFile, read

if TYPE_CHECKING:
    from jupyterhub_aws.checks.cost_lines import Cost
    from jupyterhub_aws.plan.evaluate import Recording

FORMAT = "jupyterhub-aws/plan/1"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that `jhub plan` knows about a stack on a day."""

    stack_name: str
    source: str
    as_of: datetime.date
    stack: StackConfig
    recording: Recording
    findings: tuple[Finding, ...]
    prices: Prices
    engine_option: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    project: str = PROJECT

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(finding.status == "fail" for finding in self.findings)

    @cached_property
    def cost(self) -> Cost:
        """The bill."""
        from jupyterhub_aws.checks.cost import cost

        return cost(self.stack, self.recording.everything, self.prices)

    def as_text(self) -> str:
        """The plan as JSON text, sorted, with a newline at its end."""
        return json.dumps(self.as_json(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def as_json(self) -> dict[str, Any]:
        """The plan as data in the format `jupyterhub-aws/plan/1`."""
        return {
            "format": FORMAT,
            "project": self.project,
            "stack": self.stack_name,
            "as_of": self.as_of.isoformat(),
            "resources": [_as_json(resource) for resource in self.recording.resources],
            "outer": (
                []
                if self.recording.outer is None
                else [_as_json(resource) for resource in self.recording.outer.resources]
            ),
            "configuration": masked(self.configuration),
            "sealed": dict(sorted(self.sealed.items())),
            "gate": {
                "allow": list(self.stack.gate.allow),
                "cost": self.stack.gate.cost.model_dump(exclude_none=True),
            },
            "outputs": dict(self.recording.outputs),
            "checks": [finding.as_json() for finding in self.findings],
            "cost": self.cost.as_json(),
        }


def _as_json(resource: Resource) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "custom": resource.custom,
        "protect": resource.protect,
        "retain_on_delete": resource.retain_on_delete,
        "ignore_changes": list(resource.ignore_changes),
        "import_id": resource.import_id,
        "provider": resource.provider,
        "depends_on": list(resource.depends_on),
        "inputs": dict(resource.inputs),
        **_of_the_program(resource),
    }


def _of_the_program(resource: Resource) -> dict[str, Any]:
    """What is known of a resource of the caller's program only: its line, whether it is read and
    not made, its former URNs.
    """
    found: dict[str, Any] = {"source": resource.source} if resource.source else {}
    found |= {"external": True} if resource.external else {}
    return found | ({"aliases": list(resource.aliases)} if resource.aliases else {})


def recorded(file: StackFile) -> tuple[StackConfig, Recording]:
    """Validate a stack file and evaluate the program with it. For a missing secret there
    is a sealed placeholder: a plan does without.
    """
    with what_if(file):
        # Before the SDKs: a typo is answered at once.
        stack = validated(whole(given_by(file), file.path.parent))
        missing = {needed.in_file for needed in missing_secrets(stack.hubs_inside, file.secret)}
        outer = None
        if stack.cloud_stack is not None:  # what its outputs will be is known from evaluating it
            outer = recorded(outer_of(stack.cloud_stack, file.path.parent))[1]
        # Late: a wrong file is answered without it.
        from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate

        where = PlannedProgram(
            project=file.project,
            stack=file.stack,
            folder=file.path.parent,
            program=file.home.program(),
        )
        values = as_engine(file.values, file.project)
        secret = as_engine(dict.fromkeys((*file.secret, *missing), ""), file.project)
        found = evaluate(values, secret=secret, where=where, outer=outer)
    if not found.resources and where.program.file is not None:
        fix = (
            "call the library's program in it (`jhub init` shows how), or add resources of your own"
        )
        what = "registers no resource, so there is nothing to plan"
        raise refused(where.program.file.name, "plan.empty", "", what, fix)
    return stack, found


def make_plan(
    file: StackFile, as_of: datetime.date, prices: Prices | None = None, asked: Sequence[str] = ()
) -> Plan:
    """Validate a stack file, evaluate the program with it, and run every check. Raises ConfigError
    for a wrong file.

    `asked` are the settings of a what-if question, which are in `file` already: of an outer stack
    they are judged inside the cluster too.
    """
    stack, recording = recorded(file)
    from jupyterhub_aws.checks.all import run_checks
    from jupyterhub_aws.checks.backups import rehearsed
    from jupyterhub_aws.checks.keys import beyond_the_plan, same_outer_file
    from jupyterhub_aws.checks.program import beyond_the_recording
    from jupyterhub_aws.checks.security import missing
    from jupyterhub_aws.operate.backups.context import read_record

    found = run_checks(stack, recording.everything, as_of)
    if asked and stack.parts == "cloud":
        found = _with_inner(file, asked, found, as_of)
    inner = stack.parts == "cluster"  # its homes belong to the cloud stack
    buildable = not missing_secrets(stack.hubs_inside, file.secret)
    drilled = (
        () if inner else rehearsed(stack, read_record(file), as_of, file.stack, buildable=buildable)
    )
    packages = {resource.type.partition(":")[0] for resource in recording.resources.added}
    beyond = [
        *beyond_the_recording(recording.notes),
        *beyond_the_plan(file, recording.settings, packages),
    ]
    return Plan(
        stack_name=file.stack,
        source=file.source,
        as_of=as_of,
        stack=stack,
        recording=recording,
        prices=(prices or Prices()).in_region(stack.region),
        engine_option=file.engine_option,
        configuration=file.data,
        sealed=file.sealed,
        findings=(
            *found,
            *missing(stack, file.secret, file.stack, file.engine_option),
            *drilled,
            *beyond,
            *same_outer_file(file),
        ),
        project=file.project,
    )


def inner_files(outer: StackFile) -> list[StackFile]:
    """The stacks beside this one with it as their `cloud_stack`."""
    found = []
    for path in sorted(outer.path.parent.glob("Pulumi.*.yaml")):
        try:
            file = read(path)
        except ConfigError:
            continue  # not this stack's, and `jhub plan` of it says what is wrong
        if file.values.get(CLOUD_STACK) == outer.stack and file.path != outer.path:
            found.append(file)
    return found


def _with_inner(
    file: StackFile, asked: Sequence[str], found: list[Finding], as_of: datetime.date
) -> list[Finding]:
    """The findings of a what-if question about an outer stack: those of the stacks inside its
    cluster too, with the same settings.
    """
    from jupyterhub_aws.checks.all import run_checks

    names: list[str] = []
    inside: list[Finding] = []
    for inner in inner_files(file):
        stack, recording = recorded(replace(inner, outer_settings=tuple(asked)))
        inside += [
            item for item in run_checks(stack, recording.everything, as_of) if item not in inside
        ]
        names.append(inner.stack)
    if not names:
        return found
    judged = passed(
        "inner-half",
        f"what is inside the cluster is judged with these settings too ({', '.join(names)})",
        path="parts",
    )
    said = {item.id for item in (*inside, judged)}  # a check of both parts covers both
    return [*(item for item in found if item.id not in said), *inside, judged]
