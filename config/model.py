"""The ground that every section of a stack file stands on: strict frozen models, and one way to declare an option."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A section of the stack file: unknown keys are refused, values are not coerced, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=False, defer_build=True)


def option(default: Any = ..., *, help: str, changing: str, unit: str | None = None, **limits: Any) -> Any:  # noqa: ANN401 -- Field's own signature
    """One option of the stack file.

    `help` says what it does, `changing` what a changed value does to a running hub, `unit` what the number counts.
    Both texts become the reference page and the editor's hover text, so neither may be left out.
    """
    extra: dict[str, Any] = {"changing": changing}
    if unit is not None:
        extra["unit"] = unit
    return Field(default, description=help, json_schema_extra=extra, **limits)
