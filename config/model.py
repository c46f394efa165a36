"""The base of every section of a stack file: strict frozen models, and one way to declare an
option.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, to_jsonable_python

from jupyterhub_aws.config.errors import Problem, SectionError

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Section(ModelMetaclass):
    """Programs create sections too: a list is taken for a tuple, and problems have the same
    messages as in a stack file.
    """

    def __call__(cls, **options: Any) -> Any:  # noqa: N805 -- as the class that is made
        """Raises SectionError with every problem."""
        try:
            return super().__call__(**options)
        except ValidationError:
            pass
        from jupyterhub_aws.config.explain import problems_of

        model: type[BaseModel] = cls  # type: ignore[assignment] # the class that has this metaclass
        document: dict[str, Any] = {}
        problems = []
        for name, value in options.items():
            try:
                document[name] = said(value)
            except PydanticSerializationError:
                what = f"has a value of the wrong kind (got {type(value).__name__})"
                problems.append(
                    Problem(
                        id="option.kind",
                        path=name,
                        what=what,
                        fix="give plain text, numbers, lists and maps",
                    )
                )
        try:
            found = model.model_validate_json(json.dumps(document))
        except ValidationError as error:
            problems += [
                problem
                for problem in problems_of(error, model)
                if problem.path in document or problem.path not in options
            ]
        if problems:
            raise SectionError(cls.__name__, problems)
        return found


class Model(BaseModel, metaclass=_Section):
    """A section of the stack file: unknown keys are refused, values are not coerced, nothing
    changes afterwards.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=False, defer_build=True
    )


def option(
    default: Any = ..., *, help: str, changing: str, unit: str | None = None, **limits: Any
) -> Any:
    """One option of the stack file.

    `help` says what it does, `changing` what a changed value does to a running hub, `unit` what the
    number counts. Both texts become the reference page and the editor's hover text, so neither may
    be left out.
    """
    extra: dict[str, Any] = {"changing": changing}
    if unit is not None:
        extra["unit"] = unit
    return Field(default, description=help, json_schema_extra=extra, **limits)


def tag(value: str, *, help: str, changing: str) -> Any:
    """The option that says which member of a union a section is, such as `kind: github`:
    required in a stack file, and implied by the class in a program.
    """
    return Field(value, description=help, json_schema_extra={"changing": changing, "tag": True})


def said(value: Any) -> Any:
    """A value as a stack file would have it: of a section the options that were set, and its kind,
    which a program gives by the class.

    Raises PydanticSerializationError for a value that no file could hold.
    """
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {
            name: said(getattr(value, name))
            for name, field in fields
            if name in value.model_fields_set or is_tag(field)
        }
    if isinstance(value, Mapping):
        return {key: said(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [said(item) for item in value]
    return to_jsonable_python(value)


def is_tag(field: FieldInfo) -> bool:
    """Whether an option is the tag of a union's member."""
    return isinstance(field.json_schema_extra, dict) and "tag" in field.json_schema_extra
