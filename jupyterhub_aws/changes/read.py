"""Reading one side of a comparison from a file: a plan of `jhub plan --json`, or what `pulumi
preview --json` printed.

A file may come from somebody who means harm (a fork's pull request): its shape is checked before
anything is believed, unknown fields are ignored, and no message quotes more than a line of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jupyterhub_aws.changes.mask import sealed
from jupyterhub_aws.changes.preview import preview_side
from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted, shown

PLAN_FORMAT = "jupyterhub-aws/plan/"
VERSION = 1
#: More than the largest plan of 100 hubs (some 20 MB): whatever is larger is no plan.
LARGEST = 200_000_000
#: A name may hold anything that is printed, spaces too.
_URN = r"^urn:pulumi:[^:\s]{1,200}::[^:\s]{1,200}::[^\s:][^\x00-\x1f\x7f]{1,1500}$"
_Text = Annotated[str, Field(max_length=2000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Resource(_Strict):
    urn: str = Field(pattern=_URN)
    type: _Text
    name: _Text
    parent: str | None = None
    custom: bool
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: list[_Text] = []
    import_id: str | None = None
    provider: str | None = None
    depends_on: list[_Text] = []
    inputs: dict[str, Any]
    source: _Text | None = None
    external: bool = False
    aliases: list[Annotated[str, Field(pattern=_URN)]] = []


class _Finding(_Strict):
    id: _Text
    status: _Text
    message: str
    path: str | None = None
    fix: str | None = None


class _Plan(_Strict):
    format: str
    project: _Text
    stack: _Text = Field(pattern=r"^[\w.-]{1,100}$")
    as_of: _Text
    resources: list[_Resource]
    outer: list[_Resource] = []
    outputs: dict[str, Any] = {}
    checks: list[_Finding] = []
    cost: dict[str, Any] | None = None
    gate: dict[str, Any] | None = None
    sealed: dict[str, _Text] | None = None
    configuration: dict[str, Any] | None = None


def read_side(path: str) -> Side:
    """The side that a file describes. Raises ConfigError for a file that is neither a plan nor a
    preview, or of a later format.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > LARGEST:
            raise _refused(
                name,
                f"is larger than {LARGEST // 1_000_000} MB",
                "no plan is: make it again with `jhub plan STACK --json FILE`",
            )
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(
            name,
            f"cannot be read ({error.strerror})",
            "name a plan (`jhub plan STACK --json FILE`) or a preview (`pulumi preview --json`)",
        ) from None
    except RecursionError:
        raise _refused(
            name, "is nested too deeply", "make it again with `jhub plan STACK --json FILE`"
        ) from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _refused(
            name,
            f"is not JSON, or ends too early{where}",
            "make it again; a run that was cut off leaves half a file",
        ) from None
    return side_of(data, name)


def side_of(data: Any, source: str) -> Side:
    """The side that data describes. Raises ConfigError as `read_side` does."""
    if (
        isinstance(data, dict)
        and ("steps" in data or "changeSummary" in data or "diagnostics" in data)
        and "format" not in data
    ):
        return preview_side(data, source)
    format_ = data.get("format") if isinstance(data, dict) else None
    if not isinstance(format_, str) or not format_.startswith(PLAN_FORMAT):
        raise _refused(
            source,
            "is neither a plan nor a preview",
            "make one with `jhub plan STACK --json FILE` or `pulumi preview --json > FILE`",
        )
    if format_ != f"{PLAN_FORMAT}{VERSION}":
        raise _refused(
            source,
            f"is of another format (got {shown(format_)}, this jhub reads {PLAN_FORMAT}{VERSION})",
            "update jhub, or make the plan again with this one",
        )
    try:
        plan = _Plan.model_validate(data)
    except ValidationError as error:
        problems = [
            Problem(
                path=dotted(item["loc"]),
                what=f"is not what a plan has there: {item['msg']}",
                fix="make the plan again with `jhub plan STACK --json FILE`",
            )
            for item in error.errors(include_input=False, include_url=False)[:10]
        ]
        raise ConfigError(source, problems) from None
    except RecursionError:
        raise _refused(
            source, "is nested too deeply", "make it again with `jhub plan STACK --json FILE`"
        ) from None
    return _side(plan, source)


def _side(plan: _Plan, source: str) -> Side:
    return Side(
        source=source,
        stack=plan.stack,
        as_of=plan.as_of,
        resources=_resources(plan.resources),
        outer=_resources(plan.outer) if plan.outer else None,
        outputs=sealed(plan.outputs),
        cost=plan.cost,
        checks=[sealed(finding.model_dump()) for finding in plan.checks],
        gate=plan.gate,
        sealed=plan.sealed,
        configuration=None if plan.configuration is None else sealed(plan.configuration),
    ).in_todays_words()


def _resources(found: list[_Resource]) -> Resources:
    return Resources(
        Resource(
            urn=item.urn,
            type=item.type,
            name=item.name,
            parent=item.parent,
            custom=item.custom,
            protect=item.protect,
            retain_on_delete=item.retain_on_delete,
            ignore_changes=tuple(item.ignore_changes),
            import_id=item.import_id,
            provider=item.provider,
            depends_on=tuple(item.depends_on),
            inputs=sealed(item.inputs, item.type),
            taggable=False,
            source=item.source,
            external=item.external,
            aliases=tuple(item.aliases),
        )
        for item in found
    )


def _refused(source: str, what: str, fix: str) -> ConfigError:
    return ConfigError(source, [Problem(path="", what=what, fix=fix)])
