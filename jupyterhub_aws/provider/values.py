"""Values between the engine and the Python interface: names, numbers, secrets, and what is known only after something was made.

The engine hands over arguments of a component under names like `maxSize`, every number as a float, maps in any order, and whatever depends on another
resource as an output, also where its value is known. Python's components decide on plain values. So what is known is taken out of its output, unless it is
an argument that takes outputs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.output import UNKNOWN, Unknown
from pulumi.provider.experimental.analyzer import PropertyType
from pulumi.provider.experimental.util import camel_case
from pydantic import BaseModel

from jupyterhub_aws.config.errors import Problem, closest, dotted
from jupyterhub_aws.provider.shapes import ANYTHING, ObjectShape, Property, Shape, in_any_language

#: Where a handle says what is known only once it is made.
PENDING = "pending"
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
    resources: set[pulumi.Resource]


class Reader:
    """Reads the arguments of one component. `problems` are those that the Python interface could not see; `resources` are whom the values came from."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.resources: dict[str, set[pulumi.Resource]] = {}
        self._argument = ""

    def read(self, given: Mapping[str, Any], properties: Mapping[str, Property]) -> dict[str, Any]:
        """The arguments by their names in Python; what was not given is absent. Problems have the path that the program wrote."""
        found = {}
        known = {camel_case(name): name for name in properties}
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

    def _say(self, path: _Path, what: str, fix: str) -> None:
        self.problems.append(Problem(path=dotted(path), what=what, fix=fix))

    def _unknown_name(self, path: _Path, name: str, known: Mapping[str, Any]) -> None:
        guess = closest(name, known)
        self._say((*path, name), "does not exist", f"did you mean {guess}?" if guess else f"choose from {', '.join(known)}")

    def _value(self, value: Any, shape: Shape, path: _Path, within: pulumi.Output[Any] | None) -> Any:  # noqa: ANN401 -- any value
        """A value of this shape; `within` is the output that it was taken out of."""
        if isinstance(value, pulumi.Output):
            state = _state(value)
            self.resources.setdefault(self._argument, set()).update(state.resources)
            inner = state.value if state.known or _partly(state.value) else UNKNOWN
            return value if shape.live else self._value(inner, shape, path, value)
        if value is None:
            return None
        if shape.live:
            return self._live(value, within)
        if isinstance(value, Mapping):
            return self._mapping(value, shape, path, within)
        if isinstance(value, (list, tuple)):
            found = [self._value(item, shape.items or ANYTHING, (*path, index), within) for index, item in enumerate(value)]
            return [item for item in found if item is not None]
        return self._plain(value, shape, path, within)

    def _plain(self, value: Any, shape: Shape, path: _Path, within: pulumi.Output[Any] | None) -> Any:  # noqa: ANN401 -- any value
        if isinstance(value, Unknown):
            self._say(path, "is known only after something was made, and what is made depends on it", "give a plain value")
            return None
        if within is not None and _state(within).secret:
            self._say(path, "is a secret, and this would be written in clear", "give a plain value; secrets of hubs belong into `secrets`")
            return None
        return _number(value, shape)

    def _live(self, value: Any, within: pulumi.Output[Any] | None) -> Any:  # noqa: ANN401 -- any value
        if within is not None:  # still of that resource, and still a secret where that is one
            return within.apply(lambda _: value, run_with_unknowns=True)
        return pulumi.Output.from_input(value) if isinstance(value, Unknown) else value

    def _mapping(self, value: Mapping[str, Any], shape: Shape, path: _Path, within: pulumi.Output[Any] | None) -> dict[str, Any]:
        if shape.object is None:
            found = {key: self._value(value[key], shape.values or ANYTHING, (*path, key), within) for key in sorted(value)}  # they come in any order
            return {key: item for key, item in found.items() if item is not None}
        known, found = {camel_case(name): name for name in shape.object.properties}, {}
        value = _with_unmade(value) if shape.object.handle else value
        for name in sorted(value):
            if name not in known:
                self._unknown_name(path, name, known)
                continue
            item = self._value(value[name], shape.object.properties[known[name]].shape, (*path, name), within)
            if item is not None:
                found[known[name]] = item
        if shape.object.handle:  # of everything else the models say what is missing
            self._required(value, shape.object.properties, path)
        return found

    def _required(self, given: Mapping[str, Any], properties: Mapping[str, Property], path: _Path = ()) -> None:
        for name, item in properties.items():
            if not item.optional and given.get(camel_case(name)) is None:
                self._say((*path, camel_case(name)), "is missing", f"give it: {in_any_language(item.doc)}")


def _state(output: pulumi.Output[Any]) -> _State:
    """What an output of an argument holds: the engine has handed it over, so there is nothing to wait for."""
    return _State(
        value=_now(output.future(with_unknowns=True)),
        known=_now(output.is_known()),
        secret=_now(output.is_secret()),
        resources=_now(output.resources()),
    )


def _now(question: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 -- its answer
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


def _number(value: Any, shape: Shape) -> Any:  # noqa: ANN401 -- any value
    """Numbers travel as floats; a whole one is an integer, where no float is due."""
    whole = isinstance(value, float) and value.is_integer() and shape.type is not PropertyType.NUMBER
    return int(value) if whole else value


def written(value: Any, shape: Shape) -> Any:  # noqa: ANN401 -- any value
    """A value of the Python interface under the names that other languages have. Outputs in it stay what they are."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping) and shape.object:
        properties = shape.object.properties
        return {camel_case(name): written(value[name], item.shape) for name, item in properties.items() if value.get(name) is not None}
    if isinstance(value, Mapping):
        return {key: written(item, shape.values or shape) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(item, shape.items or shape) for item in value]
    return value


class _Unmade:
    """Stands for a value that only exists once something was made."""


def handle(values: Mapping[str, Any], shape: Shape, ready: Sequence[pulumi.Resource]) -> pulumi.Output[Any]:
    """A handle that another component of any language can decide on before anything is made.

    An object with an unknown value in it is unknown as a whole on its way through a program. So what AWS gives only once it is made is left out of the handle
    as long as it is unknown, and listed in `pending`. Whoever depends on the handle depends on the `ready` resources.
    """
    tree = _marked(written(values, shape))
    return pulumi.Output.all(pulumi.Output.from_input(tree), *(resource.urn for resource in ready)).apply(lambda known: _without_unmade(known[0]))


def _marked(tree: Any) -> Any:  # noqa: ANN401 -- any value
    if isinstance(tree, pulumi.Output):
        return tree.apply(lambda known: _Unmade() if isinstance(known, Unknown) else known, run_with_unknowns=True)
    if isinstance(tree, Mapping):
        return {key: _marked(item) for key, item in tree.items()}
    return [_marked(item) for item in tree] if isinstance(tree, list) else tree


def _without_unmade(tree: dict[str, Any]) -> dict[str, Any]:
    """The same without what is not made yet. Each object that is a handle lists its own; a handle in it does so by itself."""
    pending: list[str] = []

    def cleaned(value: Any, path: _Path) -> Any:  # noqa: ANN401 -- any value
        if isinstance(value, Mapping):
            if path and PENDING in value:
                return _without_unmade(dict(value))
            pending.extend(dotted((*path, key)) for key, item in value.items() if isinstance(item, _Unmade))
            return {key: cleaned(item, (*path, key)) for key, item in value.items() if not isinstance(item, _Unmade)}
        return value

    found: dict[str, Any] = cleaned(tree, ())
    return {**found, PENDING: pending}


def _with_unmade(handle_: Mapping[str, Any]) -> dict[str, Any]:
    """A handle with an unknown value in place of each that is `pending`."""
    found = {key: dict(value) if isinstance(value, Mapping) else value for key, value in handle_.items() if key != PENDING}
    for path in handle_.get(PENDING) or ():
        *above, name = str(path).split(".")
        place = found
        for step in above:
            place = place.setdefault(step, {})
        place[name] = UNKNOWN
    return found


def argument_names(properties: Mapping[str, Property]) -> set[str]:
    """The names in Python of these properties, and of all properties in them."""
    found = set(properties)
    shapes = [item.shape for item in properties.values()]
    while shapes:
        shape = shapes.pop()
        shapes += [inner for inner in (shape.items, shape.values) if inner is not None]
        if shape.object is not None and not shape.object.properties.keys() <= found:
            found |= shape.object.properties.keys()
            shapes += [item.shape for item in shape.object.properties.values()]
    return found


def respelled(problem: Problem, properties: Mapping[str, Property], words: Collection[str]) -> Problem:
    """A problem of the Python interface with arguments as another language writes them; `words` are values, which are the same everywhere."""
    names = argument_names(properties) - set(words)

    def text(said: str) -> str:
        return _SNAKE.sub(lambda found: camel_case(found[0]) if found[0] in names else found[0], said)

    return Problem(path=spelled(problem.path, properties), what=text(problem.what), fix=text(problem.fix))


def spelled(path: str, properties: Mapping[str, Property]) -> str:
    """The path of an argument of the Python interface, as another language writes it: `publicAccessCidrs[0]` for `public_access_cidrs[0]`."""
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
