"""Names of directories are those that the real KubeSpawner makes."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.usernames import directory, escaped, is_name, normalized, pod_name, safe
from tests.support.hub_cases import RECORDED
from tests.support.user_names import ATTACKS, USER_NAMES

#: facts/reality.md, "Names and subPath": measured on KubeSpawner 7.0.0.
MEASURED = {
    "alice": ("alice", "alice"),
    "alice@example.com": ("alice-example-com---ff8d9819", "alice-40example-2ecom"),
    "bob.smith": ("bob-smith---365b77fb", "bob-2esmith"),
    "bob_smith": ("bob-smith---56318ccd", "bob-5fsmith"),
    "bob-smith": ("bob-smith", "bob-2dsmith"),
    "ünïcode": ("n-code---b8be8967", "-c3-bcn-c3-afcode"),
    "3user": ("x-3user---03d3fdfe", "3user"),
    "a--b": ("a-b---90827a2e", "a-2d-2db"),
    "dom\\user": ("dom-user---fa0db7d2", "dom-5cuser"),
    "x" * 70: ("x" * 37 + "---c71bd109", "x" * 70),
}


@pytest.mark.parametrize("name", MEASURED)
def test_the_measured_names(name: str) -> None:
    assert (safe(name), escaped(name)) == MEASURED[name]


@pytest.mark.real
@given(
    st.one_of(
        st.text(min_size=1, max_size=80), st.from_regex(r"[a-z0-9.@_-]{1,70}", fullmatch=True)
    )
)
@settings(max_examples=500, deadline=None)
def test_any_name_is_as_the_real_one_makes_it(name: str) -> None:
    from kubespawner.slugs import escape_slug, safe_slug

    known = normalized(name)
    assert safe(known) == safe_slug(known, max_length=48)
    assert escaped(known) == escape_slug(known)


@given(USER_NAMES)
def test_a_pod_has_the_name_that_the_real_kubespawner_gives_it(name: str) -> None:
    """Users' folders in S3 have the names of their pods (config/specs/server_access.py)."""
    from kubespawner import KubeSpawner

    known = normalized(name)
    real = SimpleNamespace(
        name="",
        user=SimpleNamespace(name=known, id=1),
        slug_scheme=KubeSpawner.slug_scheme.default_value,
        _namespace_default=lambda: "hub-main",
    )
    template = KubeSpawner.pod_name_template.default_value
    assert pod_name(known) == KubeSpawner._expand_user_properties(real, template)
    assert re.fullmatch(r"jupyter-[a-z][a-z0-9-]{0,47}", pod_name(known))


@given(st.lists(USER_NAMES, min_size=2, max_size=2, unique_by=normalized))
def test_two_users_have_two_pod_names_but_for_a_hash(pair: list[str]) -> None:
    one, other = (pod_name(normalized(name)) for name in pair)
    assert one != other or re.search(r"---[0-9a-f]{8}$", one)


def test_names_that_try_to_become_another_user() -> None:
    for victim in ("ada", "eve", "bob-smith"):
        thieves = [name for name in ATTACKS if normalized(name) != victim]
        assert pod_name(victim) not in {pod_name(normalized(name)) for name in thieves}
    assert pod_name("ADA".lower()) == pod_name("ada"), "JupyterHub takes them for one user"


def test_a_template_is_expanded_as_in_the_pods_that_were_recorded() -> None:
    compared = 0
    for case in json.loads(RECORDED.read_text(encoding="utf-8"))["cases"].values():
        storage = case["values"]["singleuser"]["storage"]
        if "static" not in storage:
            continue
        for entry in case["pods"]:
            mounts = entry["pod"]["spec"]["containers"][0]["volumeMounts"]
            (home,) = [mount["subPath"] for mount in mounts if mount["mountPath"] == "/home/jovyan"]
            assert directory(storage["static"]["subPath"], entry["person"]) == home
            compared += 1
    assert compared > 40


def test_which_names_are_users() -> None:
    assert [is_name(name) for name in ("ada", "a b", "", "a/b", " ada", "ada ", "\n")] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert normalized("Ünïcode") == "ünïcode"
