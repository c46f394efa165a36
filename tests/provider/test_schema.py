"""The committed schema is the one of the components, and a program in any language can read what
each part of it means.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

import jupyterhub_aws
from jupyterhub_aws.provider import host
from jupyterhub_aws.provider.package import Package, schema_text
from jupyterhub_aws.provider.shapes import attributes, paragraphs
from tests.support.stack_files import ROOT
from tests.support.stacks import quiet_sdks

COMMITTED = ROOT / "provider" / "schema.json"
#: What another language says by a resource option, or by arguments of another form.
NOT_AS_IN_PYTHON = {"depends_on"}
#: It takes a hub of the same program, of which another language has only outputs.
PYTHON_ONLY = {"jupyterhub-aws:index:DaskGateway"}


@pytest.fixture(scope="module")
def package() -> Package:
    return Package()


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_the_committed_schema_is_that_of_the_components(package: Package) -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(package), (
        "run `make docs`, and read what changed for programs in other languages"
    )


def test_the_plugin_prints_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pulumi-resource-jupyterhub-aws", "--schema"])
    host.serve()
    assert capsys.readouterr().out == COMMITTED.read_text(encoding="utf-8")


def public_components() -> Iterator[type[pulumi.ComponentResource]]:
    with quiet_sdks():
        for name in jupyterhub_aws.__all__:
            found = getattr(jupyterhub_aws, name)
            if isinstance(found, type) and issubclass(found, pulumi.ComponentResource):
                yield found


def test_every_public_component_is_in_it_under_its_token(schema: dict[str, Any]) -> None:
    tokens = {component.token for component in public_components()}  # type: ignore[attr-defined]
    assert tokens - PYTHON_ONLY == set(schema["resources"])


def test_every_argument_of_python_is_in_it(package: Package, schema: dict[str, Any]) -> None:
    for name, exported in package.components.items():
        arguments = {item.name for item in dataclasses.fields(exported.args)} - NOT_AS_IN_PYTHON
        assert arguments <= set(exported.arguments), name
        written = schema["resources"][f"jupyterhub-aws:index:{name}"]
        assert len(written["inputProperties"]) == len(exported.arguments)
        required = {
            item.name
            for item in dataclasses.fields(exported.args)
            if item.default is item.default_factory
        }
        optional_here = {"homes"} if name == "JupyterHub" else set()  # or efsHomes
        assert len(written["requiredInputs"]) == len(required - optional_here)


def described(node: Any, path: str = "") -> Iterator[tuple[str, str | None]]:
    if isinstance(node, dict):
        for key in ("properties", "inputProperties"):
            for name, item in (node.get(key) or {}).items():
                yield f"{path}/{name}", item.get("description")
        for name, item in node.items():
            yield from described(item, f"{path}/{name}")


def test_every_property_says_what_it_means_and_nothing_says_what_only_python_has(
    schema: dict[str, Any],
) -> None:
    found = dict(described(schema))
    assert len(found) > 400
    assert [path for path, text in found.items() if not text or len(text) < 7] == []
    texts = [
        *found.values(),
        *(
            item.get("description", "")
            for item in (*schema["resources"].values(), *schema["types"].values())
        ),
    ]
    for python in (
        "ArgumentError",
        "Raises",
        "`outputs`",
        ".outputs",
        " None:",
        "public_access_cidrs",
        "SpotFirst(",
    ):
        assert [text for text in texts if python in text] == [], python


def test_names_are_those_of_other_languages(schema: dict[str, Any]) -> None:
    names = {path.rpartition("/")[2] for path, _ in described(schema)}
    assert [name for name in names if "_" in name or not name[0].islower()] == []


def test_an_argument_on_which_a_component_decides_takes_no_output(schema: dict[str, Any]) -> None:
    network = schema["resources"]["jupyterhub-aws:index:Network"]["inputProperties"]
    assert all(item.get("plain") for item in network.values())
    cluster = schema["resources"]["jupyterhub-aws:index:Cluster"]["inputProperties"]
    assert {name for name, item in cluster.items() if not item.get("plain")} == {
        "network",
        "account",
    }
    in_types = [
        item
        for kind in schema["types"].values()
        for item in (kind.get("properties") or {}).values()
    ]
    assert not any(item.get("plain") for item in in_types), "one type serves inputs and outputs"


def test_no_type_has_a_components_name(schema: dict[str, Any]) -> None:
    assert set(schema["types"]) & set(schema["resources"]) == set()


def test_a_docstring_is_read_by_its_attributes() -> None:
    text = """What it is.

    More of it,
    on two lines.

    Attributes:
        first: One thing,
            which goes on.
        second, third: Both.

    """
    assert attributes(text) == {
        "first": "One thing, which goes on.",
        "second": "Both.",
        "third": "Both.",
    }
    assert paragraphs(text) == "What it is.\n\nMore of it, on two lines."
