"""What `pulumi preview --json` prints, as two sides: what is there, and what would be.

Shape: sdk/go/common/apitype and pkg/backend/display/json.go of pulumi 3.260 (`PreviewDigest`):
`steps` with `op`, `urn`, `oldState`, `newState`, `replaceReasons`, `diffReasons`, `detailedDiff`;
`diagnostics`; `changeSummary`. Unknown fields are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyterhub_aws.changes.mask import masked_text, sealed
from jupyterhub_aws.changes.side import EngineStep, Op, Side
from jupyterhub_aws.checks.resources import UNKNOWN, Resource, Resources
from jupyterhub_aws.checks.wire import UNKNOWN_SENTINEL
from jupyterhub_aws.config.errors import ConfigError, Problem

#: The engine's operations (pkg/resource/deploy/step.go) by what they mean for a person; what is in
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
        raise ConfigError(
            source,
            [
                Problem(
                    path="",
                    what=f"is a preview that did not come to its end{first}",
                    fix="mend what it complains about and preview again",
                )
            ],
        )
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
        problem = Problem(
            path=f"steps[{index}]",
            what=f"is no step of an engine that this jhub knows (op {str(op)[:40]!r})",
            fix="preview again, or update jhub",
        )
        raise ConfigError(source, [problem])
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
