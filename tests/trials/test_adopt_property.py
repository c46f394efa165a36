"""`jhub adopt config` loses nothing: whatever the values are, each of them is carried, settled,
marked FILL IN or listed, once; and what is carried shows.
"""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from jupyterhub_aws.adopt.z2jh.convert import Converted, convert
from jupyterhub_aws.adopt.z2jh.read import Old
from jupyterhub_aws.adopt.z2jh.taken import LedgerStatus, ends, restricts
from jupyterhub_aws.checks.resources import SECRET
from tests.support.chart_values import INSTITUTIONS, by_schema, chart_values

pytestmark = pytest.mark.real

#: Without shrinking: with values as large as these it takes minutes, and the ledger's own words say
#: where to look.
_PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _converted(values: dict[str, Any]) -> Converted:
    return convert(Old(values=values, secrets=()), hub="main", stack="old", source="config.yaml")


def _told(found: Converted) -> tuple[Any, ...]:
    """All that an operator sees of it."""
    return found.text, found.notes, found.dropped, found.to_fill_in, found.problems, found.secrets


def _hub(found: Converted) -> dict[str, Any]:
    document = YAML(typ="safe", pure=True).load(io.StringIO(found.text))
    hubs = {key.rpartition(":")[2]: value for key, value in document["config"].items()}["hubs"]
    hub: dict[str, Any] = hubs["main"]
    return hub


def _accounted(values: dict[str, Any], found: Converted) -> None:
    assert {path for path, _ in ends(values) if path} == set(found.ledger), (
        "nothing in, nothing lost; and nothing told that was not there"
    )
    listed = [
        (path, entry) for path, entry in found.ledger.items() if entry.status is LedgerStatus.LISTED
    ]
    assert all(entry.why for _, entry in listed)
    assert not listed or found.dropped


@settings(max_examples=25, deadline=None, phases=_PHASES, suppress_health_check=_SLOW)
@given(values=by_schema())
def test_every_value_that_the_schema_allows_is_accounted_for(values: dict[str, Any]) -> None:
    found = _converted(values)
    _accounted(values, found)
    assert found.problems == [], (
        "what the plan refuses is filled in or listed, never left in the file"
    )


@settings(max_examples=30, deadline=None, phases=_PHASES, suppress_health_check=_SLOW)
@given(values=chart_values())
def test_so_is_every_trait_and_every_profile(values: dict[str, Any]) -> None:
    found = _converted(values)
    _accounted(values, found)
    assert found.problems == []


@settings(max_examples=150, deadline=None, phases=_PHASES, suppress_health_check=_SLOW)
@given(config=INSTITUTIONS)
def test_so_is_every_sign_in_of_an_institution(config: dict[str, Any]) -> None:
    values = {"hub": {"config": config}}
    found = _converted(values)
    _accounted(values, found)
    assert found.problems == []
    assert "hunter2" not in found.text
    said = _hub(found)["sign_in"]
    everyone = any(config[section].get("allow_all") for section in config)
    if not everyone:
        assert "allowed_domains" not in said or found.to_fill_in, "a domain was a limit, no right"


@settings(max_examples=30, deadline=None, phases=_PHASES, suppress_health_check=_SLOW)
@given(values=chart_values(), data=st.data())
def test_what_is_said_to_be_carried_makes_a_difference(
    values: dict[str, Any], data: st.DataObject
) -> None:
    """A ledger alone proves nothing: another value in the same place has to make another file,
    or another word.
    """
    found = _converted(values)
    carried = [
        path
        for path, entry in found.ledger.items()
        if entry.status is LedgerStatus.CARRIED and path[-1] != "default"
    ]
    assume(carried)
    path = data.draw(st.sampled_from(sorted(carried, key=repr)))
    other = copy.deepcopy(values)
    holder: Any = other
    for part in path[:-1]:
        holder = holder[part]
    old = holder[path[-1]]
    assume(isinstance(old, (str, bool, int, float)) and old != SECRET)
    holder[path[-1]] = (
        (not old) if isinstance(old, bool) else f"q{old}q" if isinstance(old, str) else 3 * old + 7
    )
    assert _told(_converted(other)) != _told(found), path


@settings(max_examples=30, deadline=None, phases=_PHASES, suppress_health_check=_SLOW)
@given(values=chart_values())
def test_no_rule_of_access_goes_without_a_loud_word(values: dict[str, Any]) -> None:
    """Each value that kept users out is in the file, marked, or under Access; then the command
    ends with 1.
    """
    found = _converted(values)
    loud = [item.path for item in found.access]
    for path, value in ends(values):
        entry = found.ledger.get(path)
        if entry is None or not restricts(path, value) or value in (None, {}, []):
            continue
        if entry.status is LedgerStatus.LISTED:
            assert loud and not found.finished, path
    profiles = _hub(found)["profiles"]
    given_profiles = (
        values.get("singleuser", {}).get("profileList")
        if isinstance(values.get("singleuser"), dict)
        else None
    )
    gated = [
        item
        for item in given_profiles or []
        if any(key in item for key in ("allowed_groups", "allowed_users", "required_scopes"))
    ]
    open_ones = len([item for item in given_profiles or [] if item not in gated])
    assert len([profile for profile in profiles.values() if "groups" not in profile]) <= max(
        open_ones, 1
    ), "a profile for some never becomes one for all"
