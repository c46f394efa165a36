"""pydantic's findings as messages for the author of a stack file: path as written, what is
wrong, what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from jupyterhub_aws.config import suggestions
from jupyterhub_aws.config.errors import Problem, closest, did_you_mean, dotted, names_secret, shown
from jupyterhub_aws.config.formats import new_name, new_value

_WORDS = {
    "string_type": ("must be text", "write it in quotes"),
    "int_type": ("must be a whole number", "write digits only, without quotes or a decimal point"),
    "bool_type": ("must be true or false", "write true or false without quotes"),
    "tuple_type": (
        "must be a list",
        "write it as a list: [first, second], or one `- item` on each line",
    ),
    "dict_type": ("must be a map", "write `key: value` lines under it"),
    "model_type": ("must be a map of options", "write `option: value` lines under it"),
    "model_attributes_type": ("must be a map of options", "write `option: value` lines under it"),
    "json_invalid": (
        "cannot be read: it is nested too deeply, or has half a character",
        "compare it with the reference",
    ),
}
#: Findings about the value under a key: a last `[key]` in their location is a key of that name.
_ABOUT_A_VALUE = ("extra_forbidden", "union_tag_invalid", "union_tag_not_found")
_LIMITS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "greater_than_equal": ("ge", "at least", lambda limit: f"write {limit} or more"),
    "less_than_equal": ("le", "at most", lambda limit: f"write {limit} or less"),
}


@dataclass(frozen=True, kw_only=True)
class _Location:
    """The location of a finding: its path without the tags of unions, the model around it, and
    what is expected there.
    """

    path: tuple[int | str, ...]
    owner: type[BaseModel] | None  # None inside plain maps and lists
    expected: Any
    siblings: dict[
        int | str, type[BaseModel]
    ]  # the union's members, where the model around it is one of them

    @property
    def field(self) -> FieldInfo | None:
        return (
            self.owner.model_fields.get(str(self.path[-1]))
            if self.owner is not None and self.path
            else None
        )

    @property
    def choices(self) -> dict[int | str, type[BaseModel]]:
        """The members of the union that is expected here, by their tags; empty where it is none."""
        return {} if _is_model(self.expected) else _members(self.expected)


def no_value(field: FieldInfo | None) -> tuple[str, str]:
    """The problem of a key without a value; `field` is None inside plain maps and lists."""
    if field is not None and field.is_required() and field.description:
        return "has no value", f"write one: {field.description}"
    return "has no value", "write one, or remove the line"


def problems_of(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[Problem]:
    """Return every finding of a ValidationError as a Problem; `model` gives the options that
    exist, `prefix` the section's path.
    """
    details = error.errors(include_url=False)
    places = {detail["loc"] for detail in details}
    found = []
    for detail in details:
        below = any(
            place[: len(detail["loc"])] == detail["loc"] and len(place) > len(detail["loc"])
            for place in places
        )
        if (
            detail["type"] == "too_short" and below
        ):  # a list whose only items were refused: the items say it better
            continue
        found.append(_problem(detail, model, prefix))
    return found


def _problem(detail: ErrorDetails, model: type[BaseModel], prefix: str) -> Problem:
    place = _walk(detail["loc"], model, marks=detail["type"] not in _ABOUT_A_VALUE)
    path = (prefix, *place.path) if prefix else place.path
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        key = str(detail["ctx"]["discriminator"]).strip("'")
        found = _about_tag(key, detail["input"], list(map(str, place.choices)))
        path = (*path, key)
    else:
        found = _explained(detail, place)
    return Problem(id=found[0], path=dotted(path), what=found[1], fix=found[2])


#: The id of a problem, what is wrong, and what to do.
_Told = tuple[str, str, str]


def _explained(detail: ErrorDetails, place: _Location) -> _Told:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "refused":
        return str(context["id"]), str(context["what"]), str(context["fix"])
    if value is None:
        said, then = no_value(place.field)
        if kind.startswith("model"):
            then = then.replace("write one,", "write options under it (`{}` for the defaults),")
        return "option.no-value", said, then
    if kind in _WORDS:
        return _wrong_kind(kind, value, place)
    if kind in _LIMITS:
        key, words, remedy = _LIMITS[kind]
        what = f"must be {words} {context[key]} (got {shown(value)})"
        return "option.bounds", what, remedy(str(context[key]))
    if kind == "literal_error":
        return "option.choice", *_not_one_of(value, _literals(place.expected))
    return _about_keys(kind, detail, place)


def _wrong_kind(kind: str, value: object, place: _Location) -> _Told:
    several = suggestions.several_ways_in(value, place.choices)
    if several is not None:
        return "sign-in.several", *several
    return "option.kind", *_not_this_kind(kind, value, place)


def _not_this_kind(kind: str, value: object, place: _Location) -> tuple[str, str]:
    what, fix = _WORDS[kind]
    if kind == "json_invalid":
        return what, fix
    if isinstance(value, (dict, list)) and kind in ("string_type", "int_type", "bool_type"):
        fix = "write a single value there"
    if kind == "dict_type" and place.choices:
        first, *others = map(str, place.choices)
        key = next(
            name
            for name, field in place.choices[first].model_fields.items()
            if get_args(field.annotation) == (first,)
        )
        return (
            f"must be a map of options (got {shown(value)})",
            f"write options under it, first of all `{key}: {first}` (or {', '.join(others)})",
        )
    return f"{what} (got {shown(value)})", fix


def _literals(annotation: Any) -> list[Any]:
    """Return the values of a Literal, also inside an Annotated or an optional or a list of it."""
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if arguments and all(isinstance(argument, (str, int)) for argument in arguments):
        return arguments
    return next(filter(None, map(_literals, arguments)), [])


def _not_one_of(value: object, choices: list[Any]) -> tuple[str, str]:
    words = ", ".join(
        shown(choice) if isinstance(choice, bool) else str(choice) for choice in choices
    )
    numbers = all(isinstance(choice, int) for choice in choices)
    what = (
        f"must be one of {words} (got {shown(value)})"
        if len(choices) != 1
        else f"must be {words} (got {shown(value)})"
    )
    quoted = next((choice for choice in choices if str(choice) == value), None)
    if quoted is not None:
        return what, f"write {quoted} without quotes"
    if numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
        beside = [
            max((c for c in choices if c < value), default=None),
            min((c for c in choices if c > value), default=None),
        ]
        return what, (
            f"write {' or '.join(str(c) for c in beside if c is not None)}"
            if math.isfinite(value)
            else "choose one of them"
        )
    if isinstance(value, str) and (said := suggestions.sign_in_kind(value, choices)):
        return what, said
    if isinstance(value, str) and (today := new_value(value, list(map(str, choices)))):
        return what, f"write {today}: its name since format 2"
    guess = closest(str(value), map(str, choices)) if isinstance(value, str) else None
    if guess:
        return what, f"did you mean {guess}?"
    return what, "choose one of them" if len(choices) != 1 else f"write {words}"


def _about_tag(key: str, value: object, choices: list[str]) -> _Told:
    """The problem of the option that chooses a union's member: the finding is about this option,
    not about the map around it.
    """
    if not isinstance(value, dict) or key not in value:
        fix = f"add a line `{key}: {choices[0]}` (or {', '.join(choices[1:])})"
        return "option.missing", "is missing", fix
    if value[key] is None:
        return "option.no-value", "has no value", f"write one of {', '.join(choices)}"
    return "option.choice", *_not_one_of(value[key], choices)


def _about_keys(kind: str, detail: ErrorDetails, place: _Location) -> _Told:
    if kind == "missing":
        field = place.field
        described = field is not None and field.description
        fix = f"add it: {field.description}" if field is not None and described else "add it"
        return "option.missing", "is missing", fix
    if kind == "extra_forbidden":
        fix = _instead(str(place.path[-1]), place.owner, place.siblings)
        return "option.unknown", "is not an option here", fix
    if kind in ("too_short", "too_long"):
        context = detail.get("ctx", {})
        bound = int(context.get("min_length", context.get("max_length", 0)))
        word = "at least" if kind == "too_short" else "at most"
        entries = "1 entry" if bound == 1 else f"{bound} entries"
        value = detail["input"]
        got = len(value) if isinstance(value, (dict, list)) else "more"
        return "option.entries", f"must have {word} {entries} (got {got})", f"list {word} {bound}"
    what = (
        "has a value of the wrong kind" if kind.endswith("_type") else detail["msg"].lower()
    ) + f" (got {shown(detail['input'])})"
    return "option.kind", what, "compare it with the reference"


def _instead(
    key: str, owner: type[BaseModel] | None, siblings: dict[int | str, type[BaseModel]]
) -> str:
    """The fix for an option that its model does not have. `siblings`: the union in
    which the model is a member.
    """
    known = list(owner.model_fields) if owner is not None else []
    # An option of a sibling: what `capacity: spot` takes, `capacity: on_demand` does not.
    having = [str(tag) for tag, member in siblings.items() if key in member.model_fields]
    if owner is not None and having:
        return (
            f"remove it, or change {_tag_of(owner)}: only {' and '.join(having)}"
            f" {'has' if len(having) == 1 else 'have'} it"
        )
    if names_secret(key):
        return (
            "remove it: a secret is a key of its own in the stack file, written by `pulumi"
            " config set --secret` (docs/operations.md)"
        )
    if today := new_name(key, known):
        return f"write {today}: its name since format 2"
    if said := suggestions.option(key, known):
        return said
    return did_you_mean(key, known, f"remove it; the options are {', '.join(known)}")


def _tag_of(member: type[BaseModel]) -> str:
    """The option of a union's member whose value tells it from its siblings."""
    return next(
        name
        for name, field in member.model_fields.items()
        if len(get_args(field.annotation)) == 1 and isinstance(get_args(field.annotation)[0], str)
    )


def _walk(location: tuple[int | str, ...], model: type[BaseModel], *, marks: bool) -> _Location:
    """Follow a finding's location through the models. `marks`: whether a last `[key]` can be
    pydantic's mark, and not a key that is called so.
    """
    clean: list[int | str] = []
    here: Any = model
    owner: type[BaseModel] | None = model
    siblings: dict[int | str, type[BaseModel]] = {}
    for index, part in enumerate(location):
        if get_origin(here) in (Union, UnionType) and type(None) in get_args(here):
            here = Union[tuple(member for member in get_args(here) if member is not type(None))]  # noqa: UP007 -- computed members
        if not _is_model(here) and part in _members(here):
            siblings, here = _members(here), _members(here)[part]
            continue
        if (
            marks and part == "[key]" and index == len(location) - 1
        ):  # pydantic's mark for: the key itself is wrong
            continue
        clean.append(part)
        owner = here if _is_model(here) else None
        siblings = siblings if owner in siblings.values() else {}
        here = _step(here, part)
    return _Location(path=tuple(clean), owner=owner, expected=here, siblings=siblings)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _members(annotation: Any) -> dict[int | str, type[BaseModel]]:
    """Map the models of a union by their discriminating value; a model is its own only member."""
    found: dict[int | str, type[BaseModel]] = {}
    for member in _flat(annotation):
        for field in member.model_fields.values():
            values = get_args(field.annotation)
            if len(values) == 1 and isinstance(values[0], str):
                found[values[0]] = member
    return found


def _flat(annotation: Any) -> Iterable[type[BaseModel]]:
    if _is_model(annotation):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _flat(argument)


def _step(annotation: Any, part: int | str) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        if field is not None:
            return field.annotation
        from jupyterhub_aws.config.pools import AnyUserPool, Pools

        return AnyUserPool if annotation is Pools else None
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    return (
        arguments[-1]
        if arguments and not isinstance(part, int)
        else (arguments[0] if arguments else None)
    )
