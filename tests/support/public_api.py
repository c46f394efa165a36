"""The public interface as text: every name of `jupyterhub_aws.__all__` with its arguments and
outputs. A changed line is a decision.

.venv/bin/python -m tests.support.public_api        writes tests/fixtures/public_api.txt
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

import jupyterhub_aws
from tests.support.stack_files import ROOT

FILE = ROOT / "tests" / "fixtures" / "public_api.txt"


def public_api() -> str:
    """One block for each name."""
    return "\n".join(
        line
        for name in sorted(jupyterhub_aws.__all__)
        if not name.startswith("__")
        for line in _described(name, getattr(jupyterhub_aws, name))
    )


def _described(name: str, found: Any) -> Iterator[str]:
    if not inspect.isclass(found):
        yield f"{name}{inspect.signature(found)}"
        return
    yield name
    if dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            optional = (
                field.default is not dataclasses.MISSING
                or field.default_factory is not dataclasses.MISSING
            )
            yield f"    {field.name}: {field.type}{' = …' if optional else ''}"
    elif issubclass(found, BaseModel):
        for key, option in found.model_fields.items():
            yield f"    {key}{'' if option.is_required() else ' = …'}"
    elif "token" in vars(found):
        yield f"    token: {found.token}"
        yield f"    __init__{inspect.signature(found.__init__)}"
        yield from sorted(
            f"    {key}: {kind}"
            for key, kind in inspect.get_annotations(found).items()
            if not key.startswith("_") and key != "token"
        )
    for key, value in sorted(vars(found).items()):
        if (
            not key.startswith("_")
            and key != "resolved"
            and (inspect.isfunction(value) or isinstance(value, property))
        ):
            yield f"    {key}{'' if isinstance(value, property) else inspect.signature(value)}"


def main() -> None:
    """Write the file."""
    FILE.write_text(public_api() + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
