"""One side of a comparison: what a plan or a preview says that there is, or will be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jupyterhub_aws.changes.mask import masked_text, sealed
from jupyterhub_aws.checks.resources import UNKNOWN, UNKNOWN_SENTINEL, Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.config.errors import ConfigError, Problem, dotted, refused, shown
from jupyterhub_aws.config.formats import upgraded
from jupyterhub_aws.config.stack import PROJECT

Op = Literal["create", "update", "replace", "delete", "import", "same"]
#: Those that change something, in the order in which they are counted.
OPS: tuple[Op, ...] = ("create", "update", "replace", "delete", "import")


@dataclass(frozen=True, kw_only=True)
class EngineStep:
    """What the engine said that it will do to one resource, and because of which properties it will
    be replaced.

    `delete_first` says that the old one goes before the new one comes; `old` and `new` are its own
    views of the resource.
    """

    op: Op
    because: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    delete_first: bool = False
    old: Resource | None = None
    new: Resource | None = None


@dataclass(frozen=True, kw_only=True)
class Side:
    """`source` is how messages call it. `steps` are there where an engine made it; `sealed` holds a
    fingerprint of each encrypted value's ciphertext, `gate` what its stack allows without an
    acknowledgement, `cost` and `checks` are the plan's.
    """

    source: str
    stack: str
    resources: Resources
    kind: Literal["plan", "preview", "configuration"] = "plan"
    as_of: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] | None = None
    checks: Sequence[Mapping[str, Any]] = ()
    gate: Mapping[str, Any] | None = None
    sealed: Mapping[str, str] | None = None
    configuration: Mapping[str, Any] | None = None
    outer: Resources | None = None
    steps: Mapping[str, EngineStep] | None = None

    @cached_property
    def everything(self) -> Resources:
        """What this stack and its cloud stack register."""
        return self.resources if self.outer is None else Resources([*self.outer, *self.resources])

    @cached_property
    def pods(self) -> tuple[UserPod, ...]:
        """Every pod that users can start: needed for each group of nodes."""
        return tuple(pod for release in hub_releases(self.everything) for pod in user_pods(release))

    def in_todays_words(self) -> Side:
        """The same with the configuration and the limits of the gate by their names of today: an
        older version of the library may have said them.
        """
        said = self.configuration or {}
        own = {
            key.partition(":")[2]: value
            for key, value in said.items()
            if key.startswith(f"{PROJECT}:")
        }
        others = {key: value for key, value in said.items() if not key.startswith(f"{PROJECT}:")}
        number = {"format": own["format"]} if "format" in own else {}
        try:
            gate = None if self.gate is None else upgraded({**number, "gate": self.gate})["gate"]
            configuration = {
                **others,
                **{f"{PROJECT}:{name}": value for name, value in upgraded(own).items()},
            }
        except ValueError:  # an option under both names: no plan was ever made of such a file
            return self
        return replace(
            self, gate=gate, configuration=None if self.configuration is None else configuration
        )

    def money_is_of_another_day(self, other: Side) -> bool:
        """Whether both sides have bills, made from different prices."""
        return (
            self.cost is not None
            and other.cost is not None
            and self.cost.get("prices_of") != other.cost.get("prices_of")
        )


# --- What `pulumi preview --json` prints, as two sides: what is there, and what would be.


#: The engine's operations (pkg/resource/deploy/step.go) by their meaning; an operation in
#: none of them is an error.
_OPS: Mapping[str, Op] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "discard-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "import": "import",
    "same": "same",
    "read": "same",
    "refresh": "same",
    "read-discard": "same",
    "remove-pending-replace": "same",
    "diff": "same",
}
#: Of several steps of one resource, the one that says what happens to it.
_GRAVEST: tuple[Op, ...] = ("replace", "import", "create", "delete")
_STACK = "pulumi:pulumi:Stack"


def preview_side(data: Mapping[str, Any], source: str) -> Side:
    """The new side of a preview, with the engine's steps. Raises ConfigError where it is none,
    or failed half-way.
    """
    steps = data.get("steps")
    problems = _diagnostics(data.get("diagnostics"))
    if problems or not isinstance(steps, list) or not isinstance(data.get("changeSummary"), dict):
        first = f": {problems[0]}" if problems else ""
        what = f"is a preview that did not come to its end{first}"
        fix = "mend what it complains about and preview again"
        raise refused(source, "preview.failed", "", what, fix)
    found: dict[str, EngineStep] = {}
    for index, step in enumerate(steps):
        urn, read = _step(step, source, index)
        found[urn] = _together(found.get(urn), read)
    stack = next((urn.split(":")[2] for urn in found), "")
    return Side(
        source=source,
        stack=stack,
        kind="preview",
        resources=Resources(
            step.new for step in found.values() if step.new is not None and step.op != "delete"
        ),
        steps=found,
    )


def before(side: Side) -> Side:
    """What is there, as the engine's state had it: the old side of a preview."""
    steps = (side.steps or {}).values()
    return Side(
        source=f"the state behind {side.source}",
        stack=side.stack,
        kind="preview",
        resources=Resources(step.old for step in steps if step.old is not None),
    )


def _step(step: Any, source: str, index: int) -> tuple[str, EngineStep]:
    op = step.get("op") if isinstance(step, dict) else None
    urn = step.get("urn") if isinstance(step, dict) else None
    if (
        not isinstance(urn, str)
        or not urn.startswith("urn:pulumi:")
        or urn.count("::") < 3
        or not isinstance(op, str)
        or op not in _OPS
    ):  # stack, project, type, name
        what = f"is no step of an engine that this jhub knows (op {str(op)[:40]!r})"
        fix = "preview again, or update jhub"
        raise refused(source, "preview.unknown-step", f"steps[{index}]", what, fix)
    old, new = (_state(urn, step.get(key)) for key in ("oldState", "newState"))
    detailed = step.get("detailedDiff")
    detailed = detailed if isinstance(detailed, dict) else {}
    because = _texts(step.get("replaceReasons")) or tuple(
        sorted(path for path, item in detailed.items() if str(_kind_of(item)).endswith("-replace"))
    )
    paths = tuple(sorted(map(str, detailed))) or _texts(
        step.get("diffReasons")
    )  # the second names whole properties only
    # A replacement comes as three steps; where the deletion is the first of them, the old one goes
    # first.
    return urn, EngineStep(
        op=_OPS[op],
        because=because,
        paths=paths,
        delete_first=op == "delete-replaced",
        old=old,
        new=None if op == "delete" else new,
    )


def _together(first: EngineStep | None, then: EngineStep) -> EngineStep:
    if first is None:
        return then
    return EngineStep(
        op=next((op for op in _GRAVEST if op in (first.op, then.op)), then.op),
        because=first.because or then.because,
        paths=first.paths or then.paths,
        delete_first=first.delete_first,
        old=first.old or then.old,
        new=then.new or first.new,
    )


def _state(urn: str, state: Any) -> Resource | None:
    if not isinstance(state, dict) or urn.split("::")[2] == _STACK:
        return None
    _, _, types, name = urn.split("::", 3)
    inputs = state.get("inputs")
    return Resource(
        urn=urn,
        type=types.rpartition("$")[2],
        name=name,
        parent=_parent(state.get("parent")),
        custom=bool(state.get("custom")),
        protect=bool(state.get("protect")),
        retain_on_delete=bool(state.get("retainOnDelete")),
        ignore_changes=(),
        import_id=str(state["importID"]) if state.get("importID") else None,
        provider=None,
        depends_on=_texts(state.get("dependencies")),
        inputs=sealed(_plain(inputs), types.rpartition("$")[2]) if isinstance(inputs, dict) else {},
        taggable=False,
    )


def _parent(urn: object) -> str | None:
    return urn if isinstance(urn, str) and f"::{_STACK}::" not in urn else None


def _plain(value: Any) -> Any:
    """Values as a plan has them; what the provider keeps for itself (`__defaults`) is left out."""
    if isinstance(value, dict):
        return {
            str(key): _plain(item) for key, item in value.items() if not str(key).startswith("__")
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and UNKNOWN_SENTINEL in value:
        return value.replace(UNKNOWN_SENTINEL, UNKNOWN)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kind_of(item: object) -> object:
    return item.get("kind", "") if isinstance(item, dict) else ""


def _texts(value: object) -> tuple[str, ...]:
    return (
        tuple(sorted(item for item in value if isinstance(item, str)))
        if isinstance(value, (list, tuple))
        else ()
    )


def _diagnostics(value: Any) -> list[str]:
    """The errors among the engine's messages, each as one line."""
    found: Iterable[Any] = value if isinstance(value, list) else ()
    texts = [
        str(item.get("message", ""))
        for item in found
        if isinstance(item, dict) and item.get("severity") == "error"
    ]
    return [" ".join(masked_text(text).split())[:200] for text in texts if text.strip()]


# --- Reading one side of a comparison from a file: a plan of `jhub plan --json`, or what `pulumi
# preview --json` printed.


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
            what = f"is larger than {LARGEST // 1_000_000} MB"
            fix = "no plan is: make it again with `jhub plan STACK --json FILE`"
            raise refused(name, "plan.too-large", "", what, fix)
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        fix = "name a plan (`jhub plan STACK --json FILE`) or a preview (`pulumi preview --json`)"
        raise refused(name, "file.unreadable", "", what, fix) from None
    except RecursionError:
        fix = "make it again with `jhub plan STACK --json FILE`"
        raise refused(name, "plan.too-deep", "", "is nested too deeply", fix) from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        what = f"is not JSON, or ends too early{where}"
        fix = "make it again; a run that was cut off leaves half a file"
        raise refused(name, "plan.not-json", "", what, fix) from None
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
        fix = "make one with `jhub plan STACK --json FILE` or `pulumi preview --json > FILE`"
        raise refused(source, "plan.neither", "", "is neither a plan nor a preview", fix)
    if format_ != f"{PLAN_FORMAT}{VERSION}":
        what = (
            f"is of another format (got {shown(format_)}, this jhub reads {PLAN_FORMAT}{VERSION})"
        )
        fix = "update jhub, or make the plan again with this one"
        raise refused(source, "plan.format", "", what, fix)
    try:
        plan = _Plan.model_validate(data)
    except ValidationError as error:
        problems = [
            Problem(
                id="plan.malformed",
                path=dotted(item["loc"]),
                what=f"is not what a plan has there: {item['msg']}",
                fix="make the plan again with `jhub plan STACK --json FILE`",
            )
            for item in error.errors(include_input=False, include_url=False)[:10]
        ]
        raise ConfigError(source, problems) from None
    except RecursionError:
        fix = "make it again with `jhub plan STACK --json FILE`"
        raise refused(source, "plan.too-deep", "", "is nested too deeply", fix) from None
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
