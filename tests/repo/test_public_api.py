"""What others build on: a name or a signature that changes is a decision, and every public name
says what it is.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pulumi
import pytest
from pydantic import BaseModel

import jupyterhub_aws
from jupyterhub_aws.config.hub import Hub
from tests.support.public_api import FILE, public_api

NAMES = sorted(name for name in jupyterhub_aws.__all__ if not name.startswith("__"))


def test_names_and_signatures_are_those_that_were_decided() -> None:
    assert public_api() + "\n" == FILE.read_text(encoding="utf-8"), (
        "run: python -m tests.support.public_api, read the difference, and say it in CHANGELOG.md"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_what_it_is(name: str) -> None:
    found = getattr(jupyterhub_aws, name)
    said = inspect.getdoc(found) or ""
    assert len(said.split()) >= 5, name
    if name.endswith(("Args", "Outputs")):
        fields = [field for field in found.__dataclass_fields__ if not field.startswith("_")]
        unsaid = [field for field in fields if f"{field}:" not in said and f"`{field}`" not in said]
        options = (
            set(Hub.model_fields) if name == "JupyterHubArgs" else set()
        )  # said in docs/reference.md, under the same names
        assert not set(unsaid) - options, (name, unsaid)


def _reached(found: Any) -> Iterator[type]:
    """The classes of ours that an annotation names, and those of sections in them."""
    if get_args(found):
        for part in get_args(found):
            yield from _reached(part)
    elif inspect.isclass(found) and found.__module__.startswith("jupyterhub_aws."):
        yield found
        for option in found.model_fields.values() if issubclass(found, BaseModel) else ():
            yield from _reached(option.annotation)


#: What programs make themselves: outputs are made by components, and a lock is read.
MADE = [
    name
    for name in NAMES
    if dataclasses.is_dataclass(getattr(jupyterhub_aws, name))
    and not name.endswith("Outputs")
    and name != "Lock"
]


@pytest.mark.parametrize("name", MADE)
def test_arguments_can_be_written_with_public_names_only(name: str) -> None:
    kind = getattr(jupyterhub_aws, name)
    words = {
        key: value
        for base in kind.__mro__
        for key, value in vars(sys.modules[base.__module__]).items()
    } | {"Output": pulumi.Output, "T": object}
    hints = get_type_hints(kind, words)
    reached = {found for field in dataclasses.fields(kind) for found in _reached(hints[field.name])}
    assert (
        sorted(
            found.__name__
            for found in reached
            if getattr(jupyterhub_aws, found.__name__, None) is not found
        )
        == []
    )


def test_nothing_else_is_offered() -> None:
    assert [name for name in dir(jupyterhub_aws) if not name.startswith("__")] == NAMES
    with pytest.raises(AttributeError, match="has no attribute 'StackConfig'"):
        _ = jupyterhub_aws.StackConfig
