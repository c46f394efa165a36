"""Money: a change that raises what a stack can cost is an effect, shown first, and the gate has
limits for it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.changes.difference import Difference, difference
from jupyterhub_aws.changes.effects.cost import MEASURES
from jupyterhub_aws.changes.gate import judged
from jupyterhub_aws.changes.side import Side, side_of
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.diff.markdown import markdown
from jupyterhub_aws.diff.show import page
from jupyterhub_aws.diff.story import headline, sections
from tests.support.differences import billed, found, plan, put

CENTS = st.integers(0, 3_000_000).map(lambda cents: cents / 100)
SUMS = st.fixed_dictionaries({key: CENTS for key in MEASURES})
GROUP = ("autoscaling/group:Group", "pools-memory-spot-group")


def pair(
    old: dict[str, Any], new: dict[str, Any], gate: dict[str, Any] | None = None
) -> Difference:
    """Two sides that differ in their bills alone."""
    bills = [
        {
            **sums,
            "prices_of": "us-east-1, 2026-07-20",
            "lines": [{"what": "nodes", "quantity": 1, **sums}],
        }
        for sums in (old, new)
    ]
    before, after = (
        Side(source=name, stack="dev", resources=Resources([]), cost=bill, gate=gate)
        for name, bill in zip(("old", "new"), bills, strict=True)
    )
    return difference(before, after)


def money(difference_: Difference) -> list[str]:
    return [effect.says for effect in difference_.effects if effect.class_ == "costs more"]


@pytest.mark.real
@given(old=SUMS, new=SUMS)
@settings(max_examples=100, deadline=None)
def test_a_sum_that_rises_is_always_said_and_one_that_falls_never(
    old: dict[str, float], new: dict[str, float]
) -> None:
    said = money(pair(old, new))
    assert sorted(says.partition(":")[0] for says in said) == sorted(
        word for key, word in MEASURES.items() if new[key] > old[key]
    )


@pytest.mark.parametrize("key", list(MEASURES))
def test_a_cent_is_more(key: str) -> None:
    old = dict.fromkeys(MEASURES, 9904.0)
    assert money(pair(old, {**old, key: 9904.01})) == [
        f"{MEASURES[key]}: 9,904.00 → 9,904.01 US dollars a month (+0.01): nodes +0.01"
    ]
    assert money(pair({**old, key: 9904.01}, old)) == []


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(0, 20_000)
        for name in ("idle", "maximum", "idle_increase", "maximum_increase")
    },
)


@given(old=SUMS, new=SUMS, limits=LIMITS, allowed=st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_gate_is_shut_exactly_above_a_limit(
    old: dict[str, float], new: dict[str, float], limits: dict[str, int], allowed: bool
) -> None:
    gate = {
        "allow": ["routine", "interrupts", *(["costs more"] if allowed else [])],
        "cost": limits,
    }
    shut = False
    for key, word in (
        ("maximum_monthly", "maximum"),
        ("idle_monthly", "idle"),
        ("paused_monthly", "idle"),
    ):
        if new[key] > old[key]:
            of_it = [limits[name] for name in (word, f"{word}_increase") if name in limits]
            too_much = new[key] > limits.get(word, 10**9) or round(
                new[key] - old[key], 2
            ) > limits.get(f"{word}_increase", 10**9)
            shut |= too_much if of_it else not allowed
    verdict = judged(pair(old, new, gate))
    assert verdict.passes is not shut
    if shut:
        (needed,) = verdict.missing
        assert (needed.class_, needed.subject) == ("costs more", "stack::cost")
        assert judged(pair(old, new, gate), [needed.line]).passes, "one line opens it"


def test_the_limit_that_does_not_hold_is_named_everywhere_and_what_holds_is_said() -> None:
    low, high = (
        dict.fromkeys(MEASURES, 1.0),
        {
            **dict.fromkeys(MEASURES, 1.0),
            "maximum_monthly": 9904.0,
        },
    )
    shut = judged(pair(low, high, {"allow": ["routine"], "cost": {"maximum": 5000}}))
    assert (
        shut.missing[0].limits
        == ("gate.cost.maximum is 5,000",)
        == tuple(shut.as_json()["missing"][0]["limits"])
    )
    for shown in (markdown(pair(low, high), shut).replace("\\", ""), page(pair(low, high), shut)):
        assert "gate.cost.maximum is 5,000" in shown
    held = judged(pair(low, high, {"allow": ["routine"], "cost": {"maximum": 9904}}))
    assert held.passes and held.lets_through == "routine, within the limits of gate.cost"


def test_a_line_for_one_amount_opens_nothing_for_another() -> None:
    low, high, higher = (dict.fromkeys(MEASURES, amount) for amount in (1.0, 2.0, 3.0))
    (needed,) = judged(pair(low, high)).missing
    assert judged(pair(low, high), [needed.line]).passes
    assert not judged(pair(low, higher), [needed.line]).passes


@pytest.mark.real
@given(before=st.integers(0, 40), after=st.integers(0, 40))
@settings(max_examples=12, deadline=None)
def test_more_nodes_at_most_never_cost_less(before: int, after: int) -> None:
    old, new = plan(), plan()
    put(*GROUP, "maxSize", value=before)(old)
    put(*GROUP, "maxSize", value=after)(new)
    difference_ = difference(side_of(billed(old), "old"), side_of(billed(new), "new"))
    assert bool(money(difference_)) is (after > before)
    bill = difference_.new.cost
    assert (
        all(line[key] >= 0 for line in bill["lines"] for key in MEASURES)
        and bill["maximum_monthly"] >= bill["idle_monthly"] >= bill["paused_monthly"] >= 0
    )


def test_what_is_not_known_any_more_is_said_and_holds_no_limit() -> None:
    old, new = dict.fromkeys(MEASURES, 10.0), dict.fromkeys(MEASURES)
    assert (
        money(pair(old, new))[0]
        == "at most: 10.00 US dollars a month → not known, because no price is known of nodes"
    )
    verdict = judged(
        pair(
            old,
            new,
            {"allow": ["routine", "costs more"], "cost": {"maximum": 10**6, "idle": 10**6}},
        )
    )
    assert not verdict.passes and "gate.cost.maximum is 1,000,000" in verdict.missing[0].limits


def test_a_type_without_a_price_in_one_more_place_is_said() -> None:
    known, unknown = (
        {"what": "a", **dict.fromkeys(MEASURES, 1.0)},
        {
            "what": "b",
            **dict.fromkeys(MEASURES),
        },
    )
    old, new = plan(), plan()
    for data, lines in ((old, [known, unknown]), (new, [known, unknown, {**unknown, "what": "c"}])):
        data["cost"] = {**data["cost"], **dict.fromkeys(MEASURES), "lines": lines}
    said = money(difference(side_of(old, "old"), side_of(new, "new")))
    assert said[0] == "at most: not known → not known, because no price is known of c"
    assert money(difference(side_of(old, "old"), side_of(old, "new"))) == []


@pytest.mark.parametrize("nonsense", ["9", True, [1], {"a": 1}, float("nan"), float("inf"), None])
def test_a_bill_of_nonsense_is_not_known_and_not_free(nonsense: object) -> None:
    data = plan()
    data["cost"] = {**data["cost"], **dict.fromkeys(MEASURES, nonsense)}
    verdict = judged(difference(side_of(plan(), "old"), side_of(data, "new")))
    assert not verdict.passes and all("not known" in says for says in verdict.missing[0].says)


def test_a_limit_of_nonsense_lets_nothing_through() -> None:
    low, high = dict.fromkeys(MEASURES, 1.0), dict.fromkeys(MEASURES, 2.0)
    for limit in ("9", -1, [], True):
        assert not judged(
            pair(low, high, {"allow": ["costs more"], "cost": {"maximum": limit}})
        ).passes
    assert judged(pair(low, high, {"allow": ["costs more"], "cost": "much"})).passes


def test_a_new_stack_costs_from_nothing_and_a_preview_says_that_it_has_no_bill() -> None:
    assert money(found("settings: a stack that is new"))[0].startswith(
        "at most: 0.00 → 19,976.58 US dollars a month"
    )
    old, new = plan(), plan()
    put(*GROUP, "maxSize", value=12)(new)
    old["cost"] = new["cost"] = None
    difference_ = difference(side_of(old, "old"), side_of(new, "new"))
    assert money(difference_) == []
    assert (
        "The cost is not known: a preview of the engine has no bill. Compare two plans."
        in difference_.limits
    )


@pytest.mark.real
def test_money_comes_first_wherever_a_difference_is_shown() -> None:
    difference_ = found("settings: every option at once")
    assert headline(difference_).startswith("It can cost 155.59 US dollars a month more; ")
    assert (
        sections(difference_)[0].title == "Costs more"
        and difference_.effects[0].class_ == "costs more"
    )
    assert difference_.worst == "endangers data"
    comment, shown = (
        markdown(difference_, judged(difference_)),
        page(difference_, judged(difference_)),
    )
    for text, first, later in (
        (comment, "Costs more", "Endangers data"),
        (shown, 'class="class costs-more"', 'class="class endangers-data"'),
    ):
        assert 0 < text.index(first) < text.index(later)
    assert "acknowledge dev costs-more stack::cost " in comment
