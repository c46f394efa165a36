"""The types of arguments and outputs as every Pulumi language has them, made from the types of the
Python interface.

Names, types and descriptions come from the dataclasses and models themselves: an argument that is
added there is in the package's schema, with its words. A model becomes an object type. A union of
models becomes one object type with the options of all of them, because a schema has no unions of
objects: which options go together is for the models to judge.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pulumi
from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType, TypeDefinition
from pulumi.provider.experimental.util import camel_case
from pydantic import BaseModel

from jupyterhub_aws.config.model import is_tag

PACKAGE = "jupyterhub-aws"
_NONE = type(None)
_SIMPLE = {
    str: PropertyType.STRING,
    int: PropertyType.INTEGER,
    float: PropertyType.NUMBER,
    bool: PropertyType.BOOLEAN,
}
#: An entry of the section `Attributes:` of a docstring: its names, and the beginning of its text.
_ENTRY = re.compile(r" {8}(\w+(?:, \w+)*): (.*)")
#: What descriptions say of Python, and what other languages read instead.
_PYTHON_ONLY = (
    (re.compile(r" ?Raises ArgumentError.*?\.(?=\s|$)"), ""),
    (re.compile(r"; None: "), "; without it: "),
    (re.compile(r"(?<=\. )None: "), "Without it: "),
    (re.compile(r"`(\w+)\(\.\.\.\)\.outputs`"), r"the handle of \1"),
    (re.compile(r"`outputs`"), "`handle`"),
    (re.compile(r"(?<=The )outputs(?= of (?:a|the|its|homes)\b)"), "handle"),
)
#: pulumi.Input names these without importing them.
_INPUT_NAMES = {"Output": pulumi.Output, "T": Any}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a value is made of: `type` of a simple one, `items` of a list, `values` of a map,
    `object`; none of them: anything that JSON can say.

    `live`: the value may be an output that is known only after a resource exists. All else
    decides what is made, and has to be known before.
    """

    type: PropertyType | None = None
    items: Shape | None = None
    values: Shape | None = None
    object: ObjectShape | None = None
    live: bool = False

    def definition(
        self, doc: str | None = None, *, optional: bool = False, plain: bool = False
    ) -> PropertyDefinition:
        """The shape as the SDK writes it into a schema. `plain`: a program has to give the value
        itself, not an output.
        """
        whole = self.live or (self.object is not None and self.object.handle)
        container = PropertyType.ARRAY if self.items else PropertyType.OBJECT
        type_ = container if self.items or self.values else self.type
        ref = None if type_ else "pulumi.json#/Any"
        if self.object:
            ref = f"#/types/{PACKAGE}:index:{self.object.name}"
        return PropertyDefinition(
            optional=optional,
            type=type_,
            ref=ref,
            description=doc,
            items=None if self.items is None else self.items.definition(plain=plain),
            additional_properties=(
                None if self.values is None else self.values.definition(plain=plain)
            ),
            plain=True if plain and not whole else None,
        )


@dataclass(frozen=True)
class Property:
    """An argument, an output, or a property of an object type. `doc` is what its user reads."""

    shape: Shape
    doc: str
    _: KW_ONLY
    optional: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class ObjectShape:
    """An object type: its properties by their names in Python. `handle`: it is an output of one
    component and an argument of another.
    """

    name: str
    doc: str
    properties: Mapping[str, Property]
    handle: bool = False

    def definition(self) -> TypeDefinition:
        """The type as the SDK writes it into a schema. It serves inputs and outputs, so nothing
        in it is plain.
        """
        found = {
            camel_case(name): item.shape.definition(item.doc, optional=item.optional)
            for name, item in self.properties.items()
        }
        names = {camel_case(name): name for name in self.properties}
        return TypeDefinition(
            name=self.name,
            type=PropertyType.OBJECT,
            properties=found,
            properties_mapping=names,
            module="",
            python_type=dict,
            description=self.doc,
        )


TEXT = Shape(type=PropertyType.STRING)
FLAG = Shape(type=PropertyType.BOOLEAN)
ANYTHING = Shape()


def live(shape: Shape) -> Shape:
    """The same shape, with a value that may be known only after a resource exists."""
    return dataclasses.replace(shape, live=True)


def list_of(shape: Shape) -> Shape:
    """A list of such values."""
    return Shape(items=shape)


def map_of(shape: Shape) -> Shape:
    """A map of such values, by text."""
    return Shape(values=shape)


@dataclass
class Shapes:
    """The object types of a package, each made when it is first asked for. `known` are shapes of
    types that have one of their own, such as handles.

    `words` are values of options that are one of several words.
    """

    known: dict[type, Shape] = field(default_factory=dict)
    objects: dict[str, ObjectShape] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    _members: dict[str, frozenset[type]] = field(default_factory=dict)

    def object(
        self, name: str, doc: str, properties: Mapping[str, Property], *, handle: bool = False
    ) -> Shape:
        """An object type with these properties. Raises ValueError for a second one of that name."""
        if name in self.objects:
            raise ValueError(f"two object types would be called {name}")
        self.objects[name] = ObjectShape(name=name, doc=doc, properties=properties, handle=handle)
        return Shape(object=self.objects[name])

    def of_dataclass(
        self, kind: type, *, without: Iterable[str] = (), docs: Mapping[str, str] | None = None
    ) -> dict[str, Property]:
        """The properties of a dataclass: what can be left out there can be left out here. `docs`
        say what its docstring does not.

        A field's metadata names under `section` what it is in a stack file, where Python has
        classes of its own for it.
        """
        hints = get_type_hints(kind, localns=_INPUT_NAMES, include_extras=True)
        words = {**attributes(kind.__doc__ or ""), **(docs or {})}
        found = {}
        for item in dataclasses.fields(kind):
            if item.name not in without:
                required = (
                    item.default is dataclasses.MISSING
                    and item.default_factory is dataclasses.MISSING
                )
                annotation = item.metadata.get("section", hints[item.name])
                found[item.name] = Property(
                    self.shape(annotation, item.name),
                    words.get(item.name, ""),
                    optional=not required,
                )
        return found

    def shape(self, annotation: Any, name: str) -> Shape:
        """The shape of an annotation; `name` is the argument's, after which a union in it is
        called.
        """
        annotation = _bare(annotation)
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (Union, types.UnionType):
            return self._union(annotation, name)
        if origin is Literal:
            self.words.update(map(str, arguments))
            return Shape(type=_SIMPLE[type(arguments[0])])
        if origin in (tuple, list, abc.Sequence):
            return list_of(self.shape(arguments[0], name.removesuffix("s")))
        if origin in (dict, abc.Mapping):
            return map_of(self.shape(arguments[1], name.removesuffix("s")))
        return self._of_class(annotation, name) if isinstance(annotation, type) else ANYTHING

    def _of_class(self, kind: type, name: str) -> Shape:
        if kind in self.known:
            return self.known[kind]
        if issubclass(kind, pulumi.Resource):
            raise ValueError(
                f"{name} is a resource, which cannot travel: leave it out, and pass what it"
                " represents"
            )
        if issubclass(kind, BaseModel):
            return self._models((kind,), name)
        if dataclasses.is_dataclass(kind):
            doc = paragraphs(kind.__doc__ or "")
            return self._once(kind.__name__, (kind,), doc, lambda: self.of_dataclass(kind))
        return Shape(type=_SIMPLE[kind]) if kind in _SIMPLE else ANYTHING

    def _union(self, annotation: Any, name: str) -> Shape:
        members = [member for member in map(_bare, _flat(annotation)) if member is not _NONE]
        plain = [
            member for member in members if get_origin(member) not in (abc.Awaitable, pulumi.Output)
        ]
        if len(plain) < len(members):
            known: Any = tuple(plain) or tuple(get_args(member)[0] for member in members)
            return live(self.shape(Union[known], name))  # noqa: UP007 -- members that are known at run time only
        models = tuple(
            member for member in plain if isinstance(member, type) and issubclass(member, BaseModel)
        )
        if models:  # a program in Python may give helpers of its language and maps besides
            return self._models(models, name)
        found = list(dict.fromkeys(self.shape(member, name) for member in plain))
        return found[0] if len(found) == 1 else ANYTHING

    def _models(self, models: tuple[type[BaseModel], ...], name: str) -> Shape:
        if len(models) == 1:
            title, doc = models[0].__name__, paragraphs(models[0].__doc__ or "")
        else:
            title = "".join(word.capitalize() for word in name.split("_"))
            doc = " ".join(map(_of_variant, models))
        return self._once(title, models, doc, lambda: self._merged(models))

    def _once(
        self,
        name: str,
        members: Sequence[type],
        doc: str,
        properties: Callable[[], Mapping[str, Property]],
    ) -> Shape:
        if name not in self.objects:
            self._members[name] = frozenset(members)
            self.object(name, doc, properties())
        elif self._members.get(name) != frozenset(members):
            raise ValueError(f"two object types would be called {name}")
        return Shape(object=self.objects[name])

    def _merged(self, models: Sequence[type[BaseModel]]) -> dict[str, Property]:
        names = dict.fromkeys(name for model in models for name in model.model_fields)
        having = {name: [item for item in models if name in item.model_fields] for name in names}
        return {name: self._option(name, found, len(models)) for name, found in having.items()}

    def _option(self, name: str, models: Sequence[type[BaseModel]], variants: int) -> Property:
        """An option of some models. What not all the variants have can be left out, and its
        description names these variants.
        """
        fields = [model.model_fields[name] for model in models]
        annotations: Any = tuple(item.annotation for item in fields)
        kinds = Union[annotations]  # noqa: UP007 -- the members are only known at run time
        tags = (
            " and ".join(f"`{_tag(model)}`" for model in models) if len(models) < variants else ""
        )
        variants_of = f"Of {tags}: " if tags else ""
        return Property(
            self.shape(kinds, name),
            variants_of + " ".join(dict.fromkeys(item.description or "" for item in fields)),
            optional=len(models) < variants
            or not all(item.is_required() or is_tag(item) for item in fields),
        )


def paragraphs(docstring: str) -> str:
    """A docstring without its sections, one line for each paragraph."""
    text = inspect.cleandoc(docstring).partition("\nAttributes:\n")[0]
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def in_any_language(doc: str) -> str:
    """A description without what only Python has: handles are what Python calls outputs, and
    errors are lines of the preview.
    """
    for pattern, words in _PYTHON_ONLY:
        doc = pattern.sub(words, doc)
    return doc.strip()


def attributes(docstring: str) -> dict[str, str]:
    """What the section `Attributes:` of a docstring says of each name."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry:
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _flat(annotation: Any) -> list[Any]:
    """The members of a union, those of unions in it among them."""
    bare = _bare(annotation)
    if get_origin(bare) not in (Union, types.UnionType):
        return [bare]
    return [item for member in get_args(bare) for item in _flat(member)]


def _of_variant(model: type[BaseModel]) -> str:
    return f"`{_tag(model)}`: {paragraphs(model.__doc__ or '').partition(chr(10))[0]}"


def _tag(model: type[BaseModel]) -> str:
    """The word by which a member of a union is chosen. Raises StopIteration where none is."""
    tags = (item.annotation for item in model.model_fields.values() if is_tag(item))
    return str(get_args(next(tags))[0])
