"""What the Pulumi SDK does differently while a program is recorded.

- Each registration says who made it (`source.caller`), without the SDK's own walk of the whole
  stack.
- Look-ups without an answer here give unknown Outputs; in their prompt form, whose answer a
  program uses at once, placeholders.
- An encrypted setting that the program reads as a number, a switch or data is an unknown secret.
- A function of the caller's that fails on a placeholder, where an engine would not have called it
  yet, gives an unknown value.

All of that is undone when the recording is over.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from inspect import isawaitable
from types import ModuleType
from typing import Any

import pulumi
from pulumi import output
from pulumi.runtime.config import get_config

from jupyterhub_aws.checks.program import Note
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.components.pulumi_internals import resource_runtime
from jupyterhub_aws.plan.answers import prompt_answer
from jupyterhub_aws.plan.source import NO_CALLER, Caller, call_position, caller

#: Who asks, while a look-up is on its way.
ASKED_BY: ContextVar[Caller] = ContextVar("asked_by", default=NO_CALLER)
_PROMPT = ("invoke", "invoke_single", "invoke_async")
_OUTPUTS = ("invoke_output", "invoke_output_single")
#: How a program reads a setting as another type than text, and keeps it secret.
_TYPED = tuple(
    f"{verb}_secret_{kind}"
    for verb in ("get", "require")
    for kind in ("bool", "int", "float", "object")
)


@contextmanager
def recorded_sdk(note: Callable[[Note], None]) -> Iterator[None]:
    """While a program is recorded. `note` takes what cannot be known."""
    replaced: list[tuple[Any, str, Any]] = [
        (pulumi.Output, "apply", _apply(pulumi.Output.apply, note))
    ]
    if hasattr(resource_runtime, "_get_stack_trace"):
        replaced.append((resource_runtime, "_get_stack_trace", call_position))
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
    """A look-up with an answer that is used at once: placeholders in the place of unknown
    values.
    """
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
            return original(self, _judging(func), run_with_unknowns)

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


def _judging(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of the library's that refuses a secret: a plan does not read it, so its result is
    not known.
    """

    @wraps(func)
    def judging(value: Any) -> Any:
        try:
            return func(value)
        except pulumi.RunError:
            if value != SECRET:
                raise
            return output.UNKNOWN

    return judging


async def _guarded(
    result: Awaitable[Any], value: Any, failed: Callable[[Exception, Any], Any]
) -> Any:
    try:
        return await result
    except Exception as error:
        return failed(error, value)


def _has_placeholder(value: Any, depth: int = 0) -> bool:
    """Whether a value holds a placeholder."""
    if isinstance(value, str):
        return "${" in value or SECRET in value
    if depth > 20:  # deeper than any document; a value may contain itself
        return False
    if isinstance(value, dict):
        return any(_has_placeholder(item, depth + 1) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple, set)) and any(
        _has_placeholder(item, depth + 1) for item in value
    )


# --- Loading of `pulumi_aws` service packages piece by piece, in a process that only plans.


#: Service packages: `pulumi_aws.ec2`, `pulumi_kubernetes.core.v1`.
_PACKAGE = re.compile(
    r"pulumi_aws\.[a-z]\w*|pulumi_kubernetes\.(?!yaml|kustomize|helm\.v4)\w+\.v\w+"
)
#: Modules of a package that hold what is not a resource: nested types and enumerations.
_SHARED = ("_inputs", "_enums", "outputs")


class _LazyModule(Loader):
    """Executes a package by giving it a `__getattr__` instead of running its `__init__`."""

    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def found(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            value = _from_its_module(module.__name__, name)
            if value is None:
                del module.__dict__["__getattr__"]
                self._real.exec_module(module)
                return getattr(module, name)
            setattr(module, name, value)
            return value

        module.__dict__["__getattr__"] = found


def _from_its_module(package: str, name: str) -> Any:
    """A submodule of that name, or a class from the module that is named after it or holds
    nested types; else None.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for module in dict.fromkeys((name, snake, *_SHARED)):
        if importlib.util.find_spec(f"{package}.{module}") is None:
            continue
        loaded = importlib.import_module(f"{package}.{module}")
        value = getattr(loaded, name, None)  # the Kubernetes SDK names modules like their classes
        if value is None and module == name:
            value = loaded
        if value is not None:
            return value
    return None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _PACKAGE.fullmatch(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if (
            spec is not None
            and spec.loader is not None
            and spec.submodule_search_locations is not None
        ):
            spec.loader = _LazyModule(spec.loader)
        return spec


def install() -> None:
    """Load service packages lazily from here on; those that are loaded already stay as they are."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
