"""What a comparison says of generations: who notices that one comes, and that one goes."""

from __future__ import annotations

import pytest

from jupyterhub_aws.changes.difference import Difference, difference
from jupyterhub_aws.changes.side import Side
from tests.support.stacks import record

SECOND = ("pools.memory.generation=2", "pools.memory.retiring=[{generation: 1}]")
GONE = ("pools.memory.generation=2",)


def between(old: tuple[str, ...], new: tuple[str, ...]) -> Difference:
    def side(settings: tuple[str, ...]) -> Side:
        found = record(*settings)
        return Side(source="test", stack="dev", resources=found.resources, outputs=found.outputs)

    return difference(side(old), side(new))


def said(found: Difference) -> set[tuple[str, str]]:
    return {
        (effect.class_, effect.says)
        for effect in found.effects
        if effect.subject.startswith("aws:autoscaling")
    }


def test_a_new_generation_stops_no_server() -> None:
    found = between((), SECOND)
    assert found.worst == "interrupts", "the hub restarts, and that is the gravest"
    assert said(found) == {
        (
            "routine",
            (
                "the group retires: running servers continue, new ones start elsewhere, and each of"
                " its nodes is removed when it is empty"
            ),
        ),
        ("routine", "a new group of nodes, spot, starting at 0"),
        ("routine", "a new group of nodes, on demand, starting at 0"),
    }
    assert not [effect for effect in found.effects if effect.class_ == "unknown"]


def test_a_generation_that_goes_takes_what_is_still_on_it() -> None:
    found = between(SECOND, GONE)
    assert found.worst == "replaces"
    assert {text for _, text in said(found)} == {
        "the retired group is deleted: its remaining nodes stop, and servers on them with them;"
        " `jhub drain` shows when there are none"
    }


def test_a_generation_without_the_old_one_named_ends_its_nodes() -> None:
    assert any(
        class_ == "replaces" and "its nodes stop, and servers on them" in text
        for class_, text in said(between((), GONE))
    )


@pytest.mark.parametrize(
    ("old", "new", "says"), [(SECOND, (), "the group no longer retires: it starts nodes again")]
)
def test_a_generation_that_comes_back_is_said(
    old: tuple[str, ...], new: tuple[str, ...], says: str
) -> None:
    assert ("routine", says) in said(between(old, new))
