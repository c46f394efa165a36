"""Aliases as the engine reads them, and as a plan does (jupyterhub_aws/changes/compare.py): on
one program they say the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyterhub_aws.changes.compare import predecessors
from tests.engine.harness import Engine
from tests.support.renamed import PROGRAM, recording

pytestmark = pytest.mark.real


def test_the_engine_finds_the_same_resources_again(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine(program=PROGRAM)
    engine.up(NAMES="old")
    before = {resource["urn"] for resource in engine.resources()}
    old, new = recording("old"), recording("new")
    assert {urn for urn in before if "::pulumi:pulumi:Stack::" not in urn} == old.by_urn.keys()

    steps = {
        step["urn"]: step["op"]
        for step in engine.preview("--show-sames", NAMES="new").steps
        if "::pulumi:pulumi:Stack::" not in step["urn"]
    }
    was = predecessors(new, old.by_urn)
    assert {
        urn for urn, op in steps.items() if op == "create"
    } == new.by_urn.keys() - old.by_urn.keys() - was.keys()
    assert {
        urn for urn, op in steps.items() if op == "delete"
    } == old.by_urn.keys() - new.by_urn.keys() - set(was.values())
    assert {urn for urn, op in steps.items() if op == "same"} == was.keys() | (
        new.by_urn.keys() & old.by_urn.keys()
    )

    engine.up(NAMES="new")
    assert {resource["urn"] for resource in engine.resources()} - before >= was.keys(), (
        "the state has the new URNs"
    )
    assert {step["op"] for step in engine.preview("--show-sames", NAMES="new").steps} == {"same"}
