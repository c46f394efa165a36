"""Sections that a program makes with classes are those of a stack file, and wrong ones are said
in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

import jupyterhub_aws
from jupyterhub_aws.config.errors import SectionError
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.model import is_tag, said
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT

SECTIONS = [
    found
    for name in sorted(jupyterhub_aws.__all__)
    if isinstance(found := getattr(jupyterhub_aws, name), type) and issubclass(found, BaseModel)
]


def _loaded(stack: str) -> StackConfig:
    file = read(ROOT / f"Pulumi.{stack}.yaml")
    return load(file.values, secret=file.secret, source=file.source)


def _inside(value: object) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from _inside(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inside(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _inside(item)


@pytest.mark.parametrize("stack", ["dev", "airgap"])
def test_what_is_said_of_a_section_makes_the_same_section(stack: str) -> None:
    sections = [section for section in _inside(_loaded(stack)) if type(section) in SECTIONS]
    assert len({type(section) for section in sections}) >= 8
    for section in sections:
        assert type(section).model_validate_json(json.dumps(said(section))) == section
        options = {
            name: value
            for name, value in said(section).items()
            if not is_tag(type(section).model_fields[name])
        }
        assert type(section)(**options) == section, (
            "with plain values, lists among them, and without its kind"
        )


def test_the_class_says_the_kind() -> None:
    kinds = [section for section in SECTIONS if any(map(is_tag, section.model_fields.values()))]
    assert len(kinds) >= 25
    for section in kinds:
        (tag,) = [name for name, field in section.model_fields.items() if is_tag(field)]
        assert said(section.model_construct()) == {tag: section.model_fields[tag].default}


def test_everything_that_is_wrong_is_said_at_once_and_as_of_a_stack_file() -> None:
    with pytest.raises(SectionError) as caught:
        jupyterhub_aws.LoadBalancerEntry(
            hostname=object(), allowed_cidrs=["10.0.0.0/33"], tls={"kind": "none"}, port=5
        )
    assert [(problem.path, problem.what) for problem in caught.value.problems] == [
        ("allowed_cidrs[0]", "is not an IPv4 network (got '10.0.0.0/33')"),
        ("hostname", "has a value of the wrong kind (got object)"),
        ("port", "is not an option here"),
        ("tls.trial", "is missing"),
    ]
    line = str(caught.value).splitlines()[1]
    assert (
        line
        == "LoadBalancerEntry: hostname: has a value of the wrong kind (got object); give plain"
        " text, numbers, lists and maps [option.kind]"
    )


def test_a_rule_between_options_is_said_too() -> None:
    with pytest.raises(
        SectionError,
        match=(
            r"^LoadBalancerEntry: allowed_cidrs is empty: no user could connect; list the networks"
        ),
    ):
        jupyterhub_aws.LoadBalancerEntry(hostname="hub.example.org")


def test_another_kind_is_refused() -> None:
    with pytest.raises(
        SectionError, match=r"^GitHubSignIn: kind: must be github \(got 'ldap'\); write github"
    ):
        jupyterhub_aws.GitHubSignIn(
            kind="ldap", client_id="Ov23liDocumentation0", allowed_organizations=["example-org"]
        )
