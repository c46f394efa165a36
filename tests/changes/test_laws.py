"""What holds of every difference: nothing differs from itself, order tells nothing, and no
secret comes out.
"""

from __future__ import annotations

import json
import random
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.properties import Comparison
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.diff.markdown import markdown
from jupyterhub_aws.diff.show import page
from tests.support.differences import plan
from tests.support.stacks import FULL

KEYS = st.text(alphabet="abcdefgh", min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(alphabet='ab{}[]"$. ', max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_a_value_does_not_differ_from_itself(value):
    assert list(Comparison().differences(value, json.loads(json.dumps(value)))) == []


@given(JSON, JSON)
def test_two_values_differ_or_are_the_same_json(old, new):
    changes = list(Comparison().differences(old, new))
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert bool(changes) is not same or _documents_alike(old, new)


def _documents_alike(old, new):
    """Text that is JSON on both sides is compared as what it says."""
    return any(
        isinstance(side, (str, list, dict)) and any(mark in json.dumps(side) for mark in "{[")
        for side in (old, new)
    )


@given(JSON, JSON, st.randoms())
def test_the_order_of_keys_never_matters(old, new, chance):
    def shuffled(value):
        if isinstance(value, dict):
            keys = list(value)
            chance.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    assert list(Comparison().differences(old, new)) == list(
        Comparison().differences(shuffled(old), shuffled(new))
    )


def test_a_plan_does_not_differ_from_itself_in_any_order():
    data = plan(*FULL)
    other = json.loads(json.dumps(data, sort_keys=True))
    random.Random(1).shuffle(other["resources"])
    found = difference(side_of(data, "a"), side_of(other, "b"))
    assert found.empty and found.changes == () and found.effects == () and found.images == []


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path


@cache
def places():
    """Every value of an input in a plan: the resource's number, and the path."""
    return [
        (index, path)
        for index, item in enumerate(plan()["resources"])
        for path in _leaves(item["inputs"])
    ]


#: Looks that give a secret away wherever it stands.
LOOKS = [
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "AKIA{}",
    "ghp_{}{}",
    "https://user:{}@example.org/x",
    "v1:0123456789abcdef:{}",
    "eyJhbGciOiJIUzI1.eyJ{}.{}",
]


@pytest.mark.real
@settings(max_examples=40, deadline=None)
@given(
    place=st.deferred(lambda: st.sampled_from(places())),
    look=st.sampled_from(LOOKS),
    seed=st.integers(0, 10**6),
)
def test_what_looks_like_a_secret_stays_masked_in_any_place(place, look, seed):
    body = "".join(
        random.Random(seed).choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(16)
    )
    _nothing_leaks(place, look.format(body, body), body)


@pytest.mark.real
@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(
        ["password", "client_secret", "apiToken", "DB_PASSWORD", "private_key", "crypt_keeper"]
    ),
    seed=st.integers(0, 10**6),
)
def test_what_is_called_a_secret_stays_masked_in_any_resource(name, seed):
    chance = random.Random(seed)
    body = "".join(chance.choice("abcdefghijkmnopqrstuvwxyz23456789") for _ in range(20))
    data, other = plan(), plan()
    item = chance.choice(range(len(data["resources"])))
    where = chance.choice(["deep", "plain", "named"])
    value = {
        "deep": {"a": {name: {"b": [body]}}},
        "plain": {name: body},
        "named": {"env": [{"name": name, "value": body}]},
    }[where]
    other["resources"][item]["inputs"]["extra"] = value
    _told_nothing(data, other, body)
    data["resources"][item]["inputs"]["extra"] = json.loads(
        json.dumps(value).replace(body, "before-" + body)
    )
    _told_nothing(data, other, body)


def _nothing_leaks(place, secret, body):
    data, other = plan(), plan()
    index, path = place
    here = other["resources"][index]["inputs"]
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = secret
    _told_nothing(data, other, body)
    _told_nothing(other, data, body)


def _told_nothing(old, new, body):
    found = difference(side_of(old, "old"), side_of(new, "new"))
    for text in (json.dumps(found.as_json(), ensure_ascii=False), markdown(found), page(found)):
        assert body not in text


def test_a_changed_secret_is_shown_as_changed():
    old, new = plan(), plan()
    for data, value in ((old, "one-value-here"), (new, "another-value-here")):
        (release,) = [item for item in data["resources"] if item["name"] == "hub-main-release"]
        release["inputs"]["values"]["hub"]["db"]["password"] = value
    found = difference(side_of(old, "old"), side_of(new, "new"))
    (change,) = found.changes
    assert [(item.where, item.secret) for item in change.properties] == [
        ("values.hub.db.password", True)
    ]
    assert "a secret changes" in markdown(found)


def test_two_plans_of_two_thousand_resources_in_under_a_second_and_a_half():
    old = plan(*FULL)
    template = old["resources"]
    for copy_ in range(2000 // len(template) + 1):
        old["resources"] = old["resources"] + [
            {**item, "urn": f"{item['urn']}-{copy_}", "name": f"{item['name']}-{copy_}"}
            for item in template
        ]
    new = json.loads(json.dumps(old))
    for item in new["resources"][::3]:
        item["inputs"]["description"] = "another"
    assert len(old["resources"]) >= 2000
    start = time.process_time()
    found = difference(side_of(old, "old"), side_of(new, "new"))
    markdown(found)
    assert len(found.changes) > 600 and time.process_time() - start < 1.5 * _slowness()


def _slowness():
    """How much slower than usual this machine is at the moment: the limit is of a quiet one."""
    start = time.process_time()
    sum(len(str(number)) for number in range(300_000))
    return max(1.0, (time.process_time() - start) / 0.05)


def test_everything_in_a_kubernetes_secret_is_one():
    old, new = plan(), plan()
    for data, value in ((old, "harmless-looking-one"), (new, "harmless-looking-two")):
        (item,) = [item for item in data["resources"] if item["name"] == "hub-main-secrets-secret"]
        item["inputs"]["stringData"] = {"greeting": value}
    _told_nothing(old, new, "harmless-looking")
    assert "a secret changes (greeting)" in markdown(
        difference(side_of(old, "old"), side_of(new, "new"))
    ).replace("\\", "")
