"""Values between the engine and the Python interface: names, numbers, secrets, and what is known
only after a resource exists.

The engine hands over arguments of a component under names like `maxSize`, every number as a float,
maps in any order, and whatever depends on another resource as an output, also where its value is
known. Python's components decide on plain values. So what is known is taken out of its output,
unless it is an argument that takes outputs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi.output import UNKNOWN, Unknown
from pulumi.provider.experimental.analyzer import PropertyType
from pulumi.provider.experimental.util import camel_case
from pulumi.resource import DependencyResource
from pydantic import BaseModel

from jupyterhub_aws.config.errors import Problem, did_you_mean, dotted
from jupyterhub_aws.provider.shapes import ANYTHING, ObjectShape, Property, Shape, in_any_language

#: The property of a handle that its component writes: what is not made yet, and what resources its
#: values come from.
MADE = "made"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
#: A name of several words in a message. Not in a value that is quoted.
_SNAKE = re.compile(r"(?<![\w'\"./-])[a-z0-9]+(?:_[a-z0-9]+)+(?![\w'\"/-])")
_Path = tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class _State:
    """What an output holds now."""

    value: Any
    known: bool
    secret: bool
    urns: set[str]


class Reader:
    """Reads the arguments of one component.

    `problems` are those that the Python interface could not see. `implied` are the URNs on which
    the program depends by its values, and `waits` those of the resources that are to be waited for,
    by argument and by what they stand for.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.implied: set[str] = set()
        self.waits: dict[str, dict[str, set[str]]] = {}
        self._argument = ""

    def read(self, given: Mapping[str, Any], properties: Mapping[str, Property]) -> dict[str, Any]:
        """The arguments by their names in Python; what was not given is absent. Problems have
        the path that the program wrote.
        """
        found = {}
        known = {camel_case(name): name for name in properties}
        self.implied = set(_sources(given))
        for name in sorted(given):
            if name not in known:
                self._unknown_name((), name, known)
                continue
            self._argument = known[name]
            value = self._value(given[name], properties[known[name]].shape, (name,), None)
            if value is not None:
                found[known[name]] = value
        self._required(given, properties)
        return found

    def _say(self, which: str, path: _Path, what: str, fix: str) -> None:
        self.problems.append(Problem(id=which, path=dotted(path), what=what, fix=fix))

    def _unknown_name(self, path: _Path, name: str, known: Mapping[str, Any]) -> None:
        self._say(
            "option.unknown",
            (*path, name),
            "does not exist",
            did_you_mean(name, known, f"choose from {', '.join(known)}"),
        )

    def _value(
        self, value: Any, shape: Shape, path: _Path, within: pulumi.Output[Any] | None
    ) -> Any:
        """A value of this shape; `within` is the output that it was taken out of."""
        if value is None or (shape.live and isinstance(value, pulumi.Output)):
            return value
        if isinstance(value, pulumi.Output):
            state = _state(value)
            now = state.value if state.known or _partly(state.value) else UNKNOWN
            return self._value(now, shape, path, value)
        if shape.live:
            return self._live(value, within)
        if isinstance(value, Mapping):
            return self._mapping(value, shape, path, within)
        if isinstance(value, (list, tuple)):
            inner = shape.items or ANYTHING
            found = [
                self._value(item, inner, (*path, index), within) for index, item in enumerate(value)
            ]
            return [item for item in found if item is not None]
        return self._plain(value, shape, path, within)

    def _plain(
        self, value: Any, shape: Shape, path: _Path, within: pulumi.Output[Any] | None
    ) -> Any:
        if isinstance(value, Unknown):
            self._say(
                "argument.is-output",
                path,
                "is known only after a resource exists, but decides which resources exist",
                "give a plain value",
            )
            return None
        if within is not None and _state(within).secret:
            self._say(
                "argument.is-secret",
                path,
                "is a secret, and this would be written in clear",
                "give a plain value; secrets of hubs belong into `secrets`",
            )
            return None
        return _number(value, shape)

    def _live(self, value: Any, within: pulumi.Output[Any] | None) -> Any:
        if within is not None:  # still of that resource, and still a secret where that is one
            return within.apply(lambda _: value, run_with_unknowns=True)
        return pulumi.Output.from_input(value) if isinstance(value, Unknown) else value

    def _mapping(
        self, value: Mapping[str, Any], shape: Shape, path: _Path, within: pulumi.Output[Any] | None
    ) -> dict[str, Any]:
        if shape.object is None:
            inner, keys = shape.values or ANYTHING, sorted(value)  # they come in any order
            found = {key: self._value(value[key], inner, (*path, key), within) for key in keys}
            return {key: item for key, item in found.items() if item is not None}
        known, found = {camel_case(name): name for name in shape.object.properties}, {}
        if shape.object.handle:
            value, within = self._handle(value, path, within)
        for name in sorted(value):
            if name not in known:
                self._unknown_name(path, name, known)
                continue
            inner = shape.object.properties[known[name]].shape
            item = self._value(value[name], inner, (*path, name), within)
            if item is not None:
                found[known[name]] = item
        if shape.object.handle:  # for all else the models report what is missing
            self._required(value, shape.object.properties, path)
        return found

    def _handle(
        self, value: Mapping[str, Any], path: _Path, within: pulumi.Output[Any] | None
    ) -> tuple[dict[str, Any], pulumi.Output[Any] | None]:
        """A handle with an unknown value in place of each that is pending, and each value depending
        on the resources that it came from, and on no others.

        One that was filled in by hand depends on what the program says. Resources of another stack,
        with this handle, exist already.
        """
        found = {key: _copied(item) for key, item in value.items() if key != MADE}
        made = value.get(MADE)
        if not isinstance(made, Mapping):
            return found, within
        secret = within is not None and _state(within).secret
        for step in made.get("pending") or ():
            place, name = _place(found, step)
            place[name] = UNKNOWN
        for step, urns in (made.get("dependencies") or {}).items():
            place, name = _place(found, step)
            place[name] = _depending(place.get(name), _of_this_stack(urns), secret=secret)
        for what, urns in (made.get("waits") or {}).items():
            waits = self.waits.setdefault(self._argument, {}).setdefault(what, set())
            waits.update(_of_this_stack(urns))
        return found, None

    def _required(
        self, given: Mapping[str, Any], properties: Mapping[str, Property], path: _Path = ()
    ) -> None:
        for name, item in properties.items():
            if not item.optional and given.get(camel_case(name)) is None:
                self._say(
                    "option.missing",
                    (*path, camel_case(name)),
                    "is missing",
                    f"give it: {in_any_language(item.doc)}",
                )


def _sources(value: Any) -> Iterator[str]:
    """The URNs of the resources that a value came from."""
    if isinstance(value, pulumi.Output):
        state = _state(value)
        yield from state.urns
        yield from _sources(state.value)
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _sources(item)


def _state(output: pulumi.Output[Any]) -> _State:
    """What an output of an argument holds: the engine has handed it over, so there is nothing to
    wait for.
    """
    return _State(
        value=_now(output.future(with_unknowns=True)),
        known=_now(output.is_known()),
        secret=_now(output.is_secret()),
        urns={urn_of(resource) for resource in _now(output.resources())},
    )


def urn_of(resource: pulumi.Resource) -> str:
    """The URN of a resource that the engine has named; empty of one that is not registered yet."""
    try:
        return str(_now(resource.urn.future()))
    except RuntimeError:
        return ""


def _now(question: Coroutine[Any, Any, Any]) -> Any:
    """The answer of a coroutine that waits for nothing."""
    try:
        question.send(None)
    except StopIteration as answer:
        return answer.value
    question.close()
    raise RuntimeError("an argument of a component is not there yet")


def _partly(value: object) -> bool:
    """Whether a value that is not known as a whole has parts that are."""
    return isinstance(value, (Mapping, list)) and len(value) > 0


def _number(value: Any, shape: Shape) -> Any:
    """Numbers travel as floats; a whole one is an integer, where no float is due."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole and shape.type is not PropertyType.NUMBER else value


def written(value: Any, shape: Shape) -> Any:
    """A value of the Python interface under the names that other languages have. Outputs in it
    stay what they are.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping) and shape.object:
        properties = shape.object.properties
        return {
            camel_case(name): written(value[name], item.shape)
            for name, item in properties.items()
            if value.get(name) is not None
        }
    if isinstance(value, Mapping):
        return {key: written(item, shape.values or shape) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(item, shape.items or shape) for item in value]
    return value


def handle(
    values: Mapping[str, Any], shape: Shape, **waits: Sequence[pulumi.Resource]
) -> pulumi.Output[Any]:
    """A handle that another component of any language can decide on before anything is made.

    An object with an unknown value in it is unknown as a whole on its way through a program. So
    what AWS gives only once it is made is left out of the handle as long as it is unknown, and
    listed in its `made`, beside the resources that each value came from, and those that are to be
    waited for: `waits`, by what they stand for.
    """
    made = asyncio.ensure_future(_handed_on(values, shape, waits))

    async def part(index: int) -> Any:
        return (await made)[index]

    return pulumi.Output(set(), part(0), _here(True), part(1))


async def _handed_on(
    values: Mapping[str, Any], shape: Shape, waits: Mapping[str, Sequence[pulumi.Resource]]
) -> tuple[dict[str, Any], bool]:
    """The handle, and whether some value in it is a secret, which makes it one as a whole."""
    pending: list[str] = []
    dependencies: dict[str, list[str]] = {}
    secrets: list[bool] = []

    async def resolved(value: Any, path: _Path) -> Any:
        if isinstance(value, Mapping):
            return {
                key: item
                for key, inner in value.items()
                if (item := await resolved(inner, (*path, key))) is not None
            }
        if not isinstance(value, pulumi.Output):
            return value
        secrets.append(await value.is_secret())
        dependencies[dotted(path)] = await _urns(await value.resources())
        if not await value.is_known():
            pending.append(dotted(path))
            return None
        return await value.future()

    found = await resolved(written(values, shape), ())
    made = {
        "pending": sorted(pending),
        "dependencies": dict(sorted(dependencies.items())),
        "waits": {what: await _urns(resources) for what, resources in waits.items()},
    }
    return {**found, MADE: made}, any(secrets)


async def _urns(resources: Collection[pulumi.Resource]) -> list[str]:
    return sorted({str(await resource.urn.future()) for resource in resources})


def _place(found: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Where the value at a path of a handle is, such as `privateSubnets.us-east-1a`: the object,
    and its key there.
    """
    *above, name = path.split(".")
    place = found
    for step in above:
        place = place.setdefault(step, {})
    return place, name


def _of_this_stack(urns: Iterable[str]) -> list[str]:
    here = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::"
    return [urn for urn in urns if urn.startswith(here)]


def _depending(value: Any, urns: Sequence[str], *, secret: bool) -> pulumi.Output[Any]:
    """The value as an output of these resources."""
    resources: set[pulumi.Resource] = {DependencyResource(urn) for urn in urns}
    return pulumi.Output(resources, _here(value), _here(True), _here(secret))


def _here(value: Any) -> asyncio.Future[Any]:
    found: asyncio.Future[Any] = asyncio.Future()
    found.set_result(value)
    return found


def _copied(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: _copied(item) for key, item in value.items()}


def argument_names(properties: Mapping[str, Property]) -> set[str]:
    """The names in Python of these properties, and of all properties in them."""
    found, seen = set(properties), set()
    shapes = [item.shape for item in properties.values()]
    while shapes:
        shape = shapes.pop()
        shapes += [inner for inner in (shape.items, shape.values) if inner is not None]
        if shape.object is not None and shape.object.name not in seen:
            seen.add(shape.object.name)
            found |= shape.object.properties.keys()
            shapes += [item.shape for item in shape.object.properties.values()]
    return found


def respelled(
    problem: Problem, properties: Mapping[str, Property], words: Collection[str]
) -> Problem:
    """A problem of the Python interface with arguments as another language writes them; `words`
    are values, which are the same everywhere.
    """
    names = argument_names(properties) - set(words)

    def text(said: str) -> str:
        return _SNAKE.sub(
            lambda found: camel_case(found[0]) if found[0] in names else found[0], said
        )

    path = spelled(problem.path, properties)
    return replace(problem, path=path, what=text(problem.what), fix=text(problem.fix))


def spelled(path: str, properties: Mapping[str, Property]) -> str:
    """The path of an argument of the Python interface, as another language writes it:
    `publicAccessCidrs[0]` for `public_access_cidrs[0]`.
    """
    found: list[int | str] = []
    shape: Shape | None = Shape(object=ObjectShape(name="", doc="", properties=properties))
    for name, index in _STEP.findall(path):
        if index:
            found.append(int(index))
            shape = None if shape is None else shape.items
        elif shape is not None and shape.object is not None and name in shape.object.properties:
            found.append(camel_case(name))
            shape = shape.object.properties[name].shape
        else:
            found.append(name)
            shape = None if shape is None else shape.values
    return dotted(found)
