"""What each pair of plans has to say, word for word (tests/fixtures/differences.txt, read by eye
when it was written).
"""

from __future__ import annotations

import pytest

from tests.support.differences import BY_SETTINGS, EDITED, GOLDEN, found, pairs, told

TEXTS = {
    name: f"{text.rstrip()}\n"
    for name, _, text in (
        part.partition("\n")
        for part in ("\n" + GOLDEN.read_text(encoding="utf-8")).split("\n== ")
        if part
    )
}


def test_there_are_enough_pairs_and_each_has_its_text():
    assert len(EDITED) + len(BY_SETTINGS) >= 50
    assert set(TEXTS) == set(pairs()), (
        "run: python -m tests.support.differences, and read what changed"
    )


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(pairs()))
def test_what_is_said(name):
    assert f"{told(found(name)).rstrip()}\n" == TEXTS[name]


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        *(
            "homes: file system goes",
            "homes: encryption",
            "database: volume in another zone",
            "key: goes",
            "namespace: goes",
            "cluster: name",
        ),
        *(
            "homes: path",
            "people: other sign-in",
            "database: elsewhere",
            "network: the VPC's range",
        ),
        *(
            "cluster: API from anywhere",
            "cluster: API from one range more",
            "network: people from anywhere",
            "access: a wildcard",
        ),
    ],
)
def test_what_is_never_routine(name):
    assert found(name).worst in ("endangers data", "widens access")


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "hub: an unknown value",
        "cluster: an unknown property",
        "a type that nobody knows",
        "hub: code of one's own",
    ],
)
def test_what_is_not_mapped_is_unknown_and_never_nothing(name):
    difference = found(name)
    assert (
        any(effect.class_ == "unknown" for effect in difference.effects)
        and "No user impact" not in told(difference).splitlines()[0]
    )
