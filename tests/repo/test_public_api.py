"""What others build on: a name or a signature that changes is a decision, and every public name says what it is."""

from __future__ import annotations

import inspect

import pytest

import jupyterhub_aws
from jupyterhub_aws.config.hub import Hub
from tests.support.public_api import FILE, public_api

NAMES = sorted(name for name in jupyterhub_aws.__all__ if not name.startswith("__"))


def test_names_and_signatures_are_those_that_were_decided() -> None:
    assert public_api() + "\n" == FILE.read_text(encoding="utf-8"), "run: python -m tests.support.public_api, read the difference, and say it in CHANGELOG.md"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_what_it_is(name: str) -> None:
    found = getattr(jupyterhub_aws, name)
    said = inspect.getdoc(found) or ""
    assert len(said.split()) >= 5, name
    if name.endswith(("Args", "Outputs")):
        fields = [field for field in found.__dataclass_fields__ if not field.startswith("_")]
        unsaid = [field for field in fields if f"{field}:" not in said and f"`{field}`" not in said]
        options = set(Hub.model_fields) if name == "JupyterHubArgs" else set()  # said in docs/reference.md, under the same names
        assert not set(unsaid) - options, (name, unsaid)


def test_nothing_else_is_offered() -> None:
    assert [name for name in dir(jupyterhub_aws) if not name.startswith("__")] == NAMES
    with pytest.raises(AttributeError, match="has no attribute 'StackConfig'"):
        _ = jupyterhub_aws.StackConfig
