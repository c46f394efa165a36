"""pydantic's findings in the words of somebody who edits a stack file: path as written, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.errors import Problem, closest, shown

_WORDS = {
    "string_type": ("must be text", "write it in quotes"),
    "int_type": ("must be a whole number", "write digits without quotes"),
    "bool_type": ("must be true or false", "write true or false without quotes"),
    "tuple_type": ("must be a list", "write it as a list: [first, second], or one `- item` on each line"),
    "dict_type": ("must be a map", "write `key: value` lines under it"),
    "model_type": ("must be a map of options", "write `option: value` lines under it"),
    "model_attributes_type": ("must be a map of options", "write `option: value` lines under it"),
}
_LIMITS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "greater_than_equal": ("ge", "at least", lambda limit: f"write {limit} or more"),
    "less_than_equal": ("le", "at most", lambda limit: f"write {limit} or less"),
}


def problems_of(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[Problem]:
    """Every finding of a ValidationError as a Problem; `model` gives the options that exist, `prefix` the section's path."""
    details = error.errors(include_url=False)
    places = {detail["loc"] for detail in details}
    found = []
    for detail in details:
        below = any(place[: len(detail["loc"])] == detail["loc"] and len(place) > len(detail["loc"]) for place in places)
        if detail["type"] == "too_short" and below:  # a list whose only items were refused: the items say it better
            continue
        found.append(_problem(detail, model, prefix))
    return found


def _problem(detail: ErrorDetails, model: type[BaseModel], prefix: str) -> Problem:
    location, owner = _walk(detail["loc"], model)
    what, fix = _explained(detail, location, owner)
    path = _dotted((prefix, *location) if prefix else location)
    return Problem(path=path, what=what, fix=fix)


def _explained(detail: ErrorDetails, location: tuple[int | str, ...], owner: type[BaseModel] | None) -> tuple[str, str]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "refused":
        return str(context["what"]), str(context["fix"])
    if kind in _WORDS:
        what, fix = _WORDS[kind]
        return f"{what} (got {shown(value)})", fix
    if kind in _LIMITS:
        key, words, remedy = _LIMITS[kind]
        return f"must be {words} {context[key]} (got {shown(value)})", remedy(str(context[key]))
    if kind in ("literal_error", "union_tag_invalid"):
        return _not_one_of(kind, value, context)
    return _about_keys(kind, detail, location, owner)


def _not_one_of(kind: str, value: object, context: Mapping[str, Any]) -> tuple[str, str]:
    expected = str(context["expected" if kind == "literal_error" else "expected_tags"]).replace("'", "")
    words = [word.strip() for word in expected.replace(" or ", ",").split(",") if word.strip()]
    got = context.get("tag", value)
    guess = closest(str(got), words)
    choices = ", ".join(words)
    return f"must be one of {choices} (got {shown(got)})", f"did you mean {guess}?" if guess and guess != got else f"choose one of {choices}"


def _about_keys(kind: str, detail: ErrorDetails, location: tuple[int | str, ...], owner: type[BaseModel] | None) -> tuple[str, str]:
    context = detail.get("ctx", {})
    known = list(owner.model_fields) if owner is not None else []
    if kind == "missing":
        field = owner.model_fields.get(str(location[-1])) if owner is not None and location else None
        return "is missing", f"add it: {field.description}" if field is not None and field.description else "add it"
    if kind == "extra_forbidden":
        guess = closest(str(location[-1]), known)
        return "is not an option here", f"did you mean {guess}?" if guess else f"remove it; the options are {', '.join(known)}"
    if kind == "union_tag_not_found":
        key = str(context.get("discriminator", "kind")).strip("'")
        return f"does not say its {key}", f"add a line `{key}: …`; the reference lists the choices"
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "too_short" else "at most"
        return f"must have {word} {bound} entries (got {context.get('actual_length', 'more')})", f"list {word} {bound}"
    if kind.endswith("_type"):
        return f"has a value of the wrong kind (got {shown(detail['input'])})", "compare it with the reference"
    return f"{detail['msg'].lower()} (got {shown(detail['input'])})", "compare it with the reference"


def _walk(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[tuple[int | str, ...], type[BaseModel] | None]:
    """The location without the tags of unions, and the model in which its last part stands (None inside plain maps)."""
    clean: list[int | str] = []
    here: Any = model
    owner: type[BaseModel] | None = model
    for part in location:
        members = _members(here)
        if part in members and not (isinstance(here, type) and issubclass(here, BaseModel)):
            here = members[part]
            continue
        if part == "[key]":
            continue
        clean.append(part)
        owner = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        here = _step(here, part)
    return tuple(clean), owner


def _members(annotation: Any) -> dict[int | str, type[BaseModel]]:  # noqa: ANN401 -- any annotation
    """The models of a union by their discriminating value; a model is its own only member."""
    found: dict[int | str, type[BaseModel]] = {}
    for member in _flat(annotation):
        for field in member.model_fields.values():
            values = get_args(field.annotation)
            if len(values) == 1 and isinstance(values[0], str):
                found[values[0]] = member
    return found


def _flat(annotation: Any) -> Iterable[type[BaseModel]]:  # noqa: ANN401 -- any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _flat(argument)


def _step(annotation: Any, part: int | str) -> Any:  # noqa: ANN401 -- from any annotation to any
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        if field is not None:
            return field.annotation
        from config.pools import AnyUserPool, Pools

        return AnyUserPool if annotation is Pools else None
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    return arguments[-1] if arguments and not isinstance(part, int) else (arguments[0] if arguments else None)


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
