"""What the Pulumi SDK does differently while a program is recorded.

- Each registration says who made it (`source.caller`), without the SDK's own walk of the whole
  stack.
- Look-ups whose answer nobody has here give unknown Outputs; in their prompt form, whose answer a
  program uses at once, placeholders.
- An encrypted setting that the program reads as a number, a switch or data is an unknown secret.
- A function of the caller's that fails on a placeholder, where an engine would not have called it
  yet, gives an unknown value.

All of that is undone when the recording is over. For good, a type's properties are read once and
not once for each resource: half of what deserializing costs, and they never change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from inspect import isawaitable
from types import ModuleType
from typing import Any

import pulumi
from pulumi import _types, output
from pulumi.runtime import resource as resource_runtime
from pulumi.runtime.config import get_config

from jupyterhub_aws.checks.program import Note
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.plan.prompt_answers import prompt_answer
from jupyterhub_aws.plan.source import NOBODY, Caller, call_position, caller

#: Who asks, while a look-up is on its way.
ASKED_BY: ContextVar[Caller] = ContextVar("asked_by", default=NOBODY)
_PROMPT = ("invoke", "invoke_single", "invoke_async")
_OUTPUTS = ("invoke_output", "invoke_output_single")
#: How a program reads a setting as something else than text, and keeps it secret.
_TYPED = tuple(
    f"{verb}_secret_{kind}"
    for verb in ("get", "require")
    for kind in ("bool", "int", "float", "object")
)


@contextmanager
def recorded_sdk(note: Callable[[Note], None]) -> Iterator[None]:
    """While a program is recorded. `note` takes what cannot be known."""
    replaced: list[tuple[Any, str, Any]] = [
        (resource_runtime, "_get_stack_trace", call_position),
        (pulumi.Output, "apply", _apply(pulumi.Output.apply, note)),
    ]
    if not hasattr(_types._types_from_py_properties, "cache_info"):
        _types._types_from_py_properties = cache(_types._types_from_py_properties)
    runtime: ModuleType = pulumi.runtime
    replaced += [(runtime, name, _asking(getattr(runtime, name))) for name in _OUTPUTS]
    replaced += [
        (pulumi.Config, name, _sealed(getattr(pulumi.Config, name), note)) for name in _TYPED
    ]
    replaced += [(runtime, name, _prompt(name, getattr(runtime, name), note)) for name in _PROMPT]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    try:
        for owner, name, value in replaced:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _asking(original: Callable[..., Any]) -> Callable[..., Any]:
    """A look-up that says where it is asked."""

    @wraps(original)
    def asking(*args: Any, **kwargs: Any) -> Any:
        token = ASKED_BY.set(caller())
        try:
            return original(*args, **kwargs)
        finally:
            ASKED_BY.reset(token)

    return asking


def _prompt(
    name: str, original: Callable[..., Any], note: Callable[[Note], None]
) -> Callable[..., Any]:
    """A look-up whose answer is used at once: placeholders in the place of what is not known."""
    asking = _asking(original)

    @wraps(original)
    def prompt(
        tok: str, props: Any, opts: Any = None, typ: type | None = None, *rest: Any, **kwargs: Any
    ) -> Any:
        asker = caller()

        def answered(answer: Any) -> Any:
            if answer is not None or asker.library:
                return answer
            note(
                Note(
                    kind="component" if typ is None else "prompt look-up",
                    what=tok,
                    source=asker.position,
                )
            )
            return prompt_answer(tok, str if name == "invoke_single" else typ)

        async def awaited() -> Any:
            ASKED_BY.set(asker)  # in the context of the task that awaits it
            return answered(await original(tok, props, opts, typ, *rest, **kwargs))

        if name == "invoke_async":
            return awaited()
        found = asking(tok, props, opts, typ, *rest, **kwargs)
        found.value = answered(found.value)
        return found

    return prompt


def _sealed(original: Callable[..., Any], note: Callable[[Note], None]) -> Callable[..., Any]:
    """A setting that is read as data: unknown where it is encrypted, for its text is not here."""

    @wraps(original)
    def sealed(self: pulumi.Config, key: str, *default: Any, **kwargs: Any) -> Any:
        if get_config(self.full_key(key)) != SECRET:
            return original(self, key, *default, **kwargs)
        note(Note(kind="configuration", what=self.full_key(key), source=caller().position))
        return pulumi.Output.secret(output.UNKNOWN)

    return sealed


def _apply(original: Callable[..., Any], note: Callable[[Note], None]) -> Callable[..., Any]:
    """`Output.apply` as an engine's preview has it: a function of the caller's is not made to
    fail by a value that is not real yet.
    """

    @wraps(original)
    def apply(self: Any, func: Callable[[Any], Any], run_with_unknowns: bool = False) -> Any:
        asker = caller()
        if asker.library:
            return original(self, func, run_with_unknowns)

        def failed(error: Exception, value: Any) -> Any:
            if not _has_placeholder(value):
                raise error
            note(Note(kind="computed", what=type(error).__name__, source=asker.position))
            return output.UNKNOWN

        def guarded(value: Any) -> Any:
            try:
                result = func(value)
            except Exception as error:
                return failed(error, value)
            return (
                _guarded(result, value, failed)
                if isawaitable(result) and not isinstance(result, pulumi.Output)
                else result
            )

        return original(self, guarded, run_with_unknowns)

    return apply


async def _guarded(
    result: Awaitable[Any], value: Any, failed: Callable[[Exception, Any], Any]
) -> Any:
    try:
        return await result
    except Exception as error:
        return failed(error, value)


def _has_placeholder(value: Any, depth: int = 0) -> bool:
    """Whether a value holds something that stands for a real one."""
    if isinstance(value, str):
        return "${" in value or SECRET in value
    if depth > 20:  # deeper than any document; a value may contain itself
        return False
    if isinstance(value, dict):
        return any(_has_placeholder(item, depth + 1) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple, set)) and any(
        _has_placeholder(item, depth + 1) for item in value
    )
