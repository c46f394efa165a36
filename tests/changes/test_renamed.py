"""What has another URN and is the same by an alias: tests/engine/test_aliases.py holds the same
program to the engine.
"""

from __future__ import annotations

import json
from dataclasses import replace

from jupyterhub_aws.changes.compare import predecessors
from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.plan.plan import _as_json
from tests.support.renamed import recording

BEFORE = "urn:pulumi:dev::renamed::renamed:index:"
AFTER = f"{BEFORE}House$renamed:index:"
WAS = {
    f"{AFTER}Store::store": f"{BEFORE}Shop::shop",
    f"{AFTER}Store$renamed:index:Till::store-till": f"{BEFORE}Shop$renamed:index:Till::shop-till",
    f"{AFTER}Store$renamed:index:Till$renamed:index:Chest::drawer": (
        f"{BEFORE}Shop$renamed:index:Till$renamed:index:Drawer::drawer"
    ),
    f"{AFTER}Lamp::lamp": f"{BEFORE}Lamp::lamp",
    f"{AFTER}Lamp$renamed:index:Bulb::lamp-bulb": f"{BEFORE}Lamp$renamed:index:Bulb::lamp-bulb",
    f"{AFTER}Stair::stairs": f"{BEFORE}Stair::stair",
}
NEW = {f"{BEFORE}House::house", f"{AFTER}Door::door", f"{AFTER}Door$renamed:index:Bell::bell"}
GONE = {f"{BEFORE}Door::door", f"{BEFORE}Door$renamed:index:Bell::bell"}


def _plan(resources: Resources) -> dict:
    found = [_as_json(resource) for resource in resources]
    return json.loads(
        json.dumps(
            {
                "format": "jupyterhub-aws/plan/1",
                "project": "renamed",
                "stack": "dev",
                "as_of": "2026-11-23",
                "resources": found,
            }
        )
    )


def test_aliases_name_what_was_there() -> None:
    old, new = recording("old"), recording("new")
    assert predecessors(new, old.by_urn) == WAS
    assert (
        new.by_urn.keys() - old.by_urn.keys() - WAS.keys() == NEW
        and old.by_urn.keys() - new.by_urn.keys() - set(WAS.values()) == GONE
    )


def test_a_plan_shows_what_has_an_alias_as_the_same() -> None:
    found = difference(
        side_of(_plan(recording("old")), "old"), side_of(_plan(recording("new")), "new")
    )
    assert {change.urn for change in found.changes if change.op == "create"} == NEW
    assert {change.urn for change in found.changes if change.op == "delete"} == GONE
    assert len(found.changes) == len(NEW | GONE)


def test_references_follow_a_new_name() -> None:
    """An input that mentions a resource under its old name is no difference."""

    def with_inputs(resources: Resources, shop: str, urn: str) -> Resources:
        inputs = {"of": f"id ${{{shop}.id}} of ${{lamp.id}}", "parts": [urn, "${other.id}"]}
        return Resources(
            replace(item, inputs=inputs, provider=urn) if item.name == "drawer" else item
            for item in resources
        )

    old = with_inputs(recording("old"), "shop", f"{BEFORE}Shop::shop")
    new = with_inputs(recording("new"), "store", f"{AFTER}Store::store")
    found = difference(side_of(_plan(old), "old"), side_of(_plan(new), "new"))
    assert not [change for change in found.changes if change.name == "drawer"]
    assert (
        difference(side_of(_plan(old), "old"), side_of(_plan(recording("new")), "new")).changes
        != found.changes
    )
