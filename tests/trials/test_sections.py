"""Names that lead nowhere: sections and traits of `hub.config`, names in code, fields of pods.
Each is refused with the name that was meant, or said.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks import hubs
from jupyterhub_aws.checks.hub_values.traits import without_effect
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.pod_fields import wrong
from jupyterhub_aws.config.traits import (
    class_of_authenticator,
    known_classes,
    sections,
    traits,
    used_classes,
)
from jupyterhub_aws.config.tree import KeyPath
from tests.checks.doctored import dev
from tests.support.hub_cases import RECORDED
from tests.trials.test_traits import code, config, problems


def test_a_section_with_a_letter_wrong_is_refused_with_the_class_that_was_meant() -> None:
    (found,) = problems("plan-misspelt-section")
    assert found.startswith(
        "here: hubs.main.helm_values.hub.config.GithubOAuthenticator: "
    ) and found.endswith("did you mean GitHubOAuthenticator? [helm-values.class-unknown]")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [
            "JupyterHub",
            "KubeSpawner",
            "GitHubOAuthenticator",
            "GenericOAuthenticator",
            "Authenticator",
            "CryptKeeper",
        ]
    ),
    st.data(),
)
def test_every_single_slip_in_a_section_is_found(name: str, data: st.DataObject) -> None:
    """Two letters exchanged, one left out, one doubled, one in another case: never silent."""
    place = data.draw(st.integers(1, len(name) - 2))
    slip = data.draw(st.sampled_from(["swap", "drop", "double", "case"]))
    head, at, after, tail = name[:place], name[place], name[place + 1], name[place + 2 :]
    middle = {
        "swap": after + at,
        "drop": after,
        "double": at * 2 + after,
        "case": at.swapcase() + after,
    }
    section = head + middle[slip] + tail
    if section in known_classes():
        return
    assert any(
        f"hub.config.{section}" in line and "did you mean" in line
        for line in problems("plan-base", **config(section, anything=1))
    ), section


@pytest.mark.parametrize(
    ("helm", "path", "says", "which"),
    [
        (
            config("Jupyterhub", admin_access=True),
            "hub.config.Jupyterhub",
            "did you mean JupyterHub?",
            "helm-values.class-unknown",
        ),
        (
            code("c.Jupyterhub.admin_access = True"),
            "hub.extraConfig.mine",
            "line 1, c.Jupyterhub",
            "helm-values.class-unknown",
        ),
        (
            config("JupyterHub", cleanup_server=False),
            "hub.config.JupyterHub.cleanup_server",
            "did you mean cleanup_servers?",
            "helm-values.trait-unknown",
        ),
        (
            config("JupyterHub", mem_limit="1G"),
            "hub.config.JupyterHub.mem_limit",
            "write it under KubeSpawner",
            "helm-values.trait-unknown",
        ),
        (
            config("JupyterHub", allow_all=True),
            "hub.config.JupyterHub.allow_all",
            "write it under ",
            "helm-values.trait-unknown",
        ),
        (
            config("GitHubOAuthenticator", lookup_dn=True),
            "hub.config.GitHubOAuthenticator.lookup_dn",
            "is not a trait of GitHubOAuthenticator",
            "helm-values.trait-unknown",
        ),
        (
            code("c.JupyterHub.template_vars = get_confg('custom.x')"),
            "hub.extraConfig.mine",
            "did you mean get_config?",
            "helm-values.name-undefined",
        ),
        (
            code("def later():\n    return undefined_thing\n"),
            "hub.extraConfig.mine",
            "line 2 uses 'undefined_thing'",
            "helm-values.name-undefined",
        ),
        (
            code("import z2jh\nz2jhh.get_config('a')"),
            "hub.extraConfig.mine",
            "did you mean z2jh?",
            "helm-values.name-undefined",
        ),
        (code("return 5"), "hub.extraConfig.mine", "is not Python", "helm-values.not-python"),
        (
            {"hub": {"extraPodSpec": {"hostAliasses": []}}},
            "hub.extraPodSpec.hostAliasses",
            "did you mean hostAliases?",
            "helm-values.pod-field",
        ),
        (
            {"hub": {"extraPodSpec": {"host_aliases": []}}},
            "hub.extraPodSpec.host_aliases",
            "did you mean hostAliases?",
            "helm-values.pod-field",
        ),
        (
            {"hub": {"extraPodSpec": {"priority": "high"}}},
            "hub.extraPodSpec.priority",
            "must be a whole number",
            "helm-values.pod-field",
        ),
        (
            {"hub": {"extraEnv": [{"name": "A", "value": 5}]}},
            "hub.extraEnv[0].value",
            "write it in quotes",
            "helm-values.pod-field",
        ),
        (
            {"hub": {"extraVolumes": [{"name": "a", "secret": {"secretname": "x"}}]}},
            "hub.extraVolumes[0].secret.secretname",
            "did you mean secretName?",
            "helm-values.pod-field",
        ),
        (
            {"hub": {"tolerations": [{"key": "a", "operater": "Exists"}]}},
            "hub.tolerations[0].operater",
            "did you mean operator?",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"extraPodConfig": {"dnsconfig": {}}}},
            "singleuser.extraPodConfig.dnsconfig",
            "did you mean dnsConfig?",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"extraPodConfig": {"dnsConfig": {"name_servers": []}}}},
            "dnsConfig.name_servers",
            "did you mean nameservers?",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"extraContainers": [{"image": "a:1"}]}},
            "singleuser.extraContainers[0]",
            "lacks name",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"storage": {"extraVolumes": {"x": {"name": "x", "emptydir": {}}}}}},
            "storage.extraVolumes.x.emptydir",
            "did you mean emptyDir?",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"extraNodeAffinity": {"required": [{"matchExpression": []}]}}},
            "extraNodeAffinity.required[0].matchExpression",
            "matchExpressions",
            "helm-values.pod-field",
        ),
        (
            {"singleuser": {"lifecycleHooks": {"postStart": {"exec": {"command": "sh"}}}}},
            "lifecycleHooks.postStart.exec.command",
            "must be a list",
            "helm-values.pod-field",
        ),
        (
            {"proxy": {"chp": {"extraPodSpec": {"dnsPolicys": "x"}}}},
            "proxy.chp.extraPodSpec.dnsPolicys",
            "did you mean dnsPolicy?",
            "helm-values.pod-field",
        ),
        (
            config("KubeSpawner", extra_container_config={"evFrom": []}),
            "extra_container_config.evFrom",
            "did you mean envFrom?",
            "helm-values.pod-field",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(
    helm: dict[str, Any], path: str, says: str, which: str
) -> None:
    found = problems("plan-base", **helm)
    assert any(path in line and says in line and f"[{which}]" in line for line in found), found


@pytest.mark.parametrize(
    "helm",
    [
        code(
            "import os, sys\nasync def hook(spawner):\n    spawner.environment['A'] ="
            " os.environ['HOME']\nc.Spawner.pre_spawn_hook = hook"
        ),
        code("class Mine:\n    pass\nc.Mine.something = 5"),
        {
            "hub": {
                "extraConfig": {
                    "10-first": "helper = 5\n",
                    "20-then": "print(helper, db_type, get_name('hub'), __file__)",
                }
            }
        },
        code("from jupyterhub.utils import *\nx = url_path_join('a', 'b') + anything_from_there"),
        {
            "hub": {
                "extraPodSpec": {
                    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
                    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
                }
            }
        },
        {"hub": {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}},
        {
            "singleuser": {
                "extraPodConfig": {
                    "host_aliases": [],
                    "enableServiceLinks": False,
                    "runtimeClassName": "gvisor",
                }
            }
        },
        {
            "singleuser": {
                "initContainers": [
                    {
                        "name": "a",
                        "image": "quay.io/a/b:1",
                        "volumeMounts": [{"name": "home", "mountPath": "/h"}],
                    }
                ]
            }
        },
        {
            "singleuser": {
                "storage": {
                    "extraVolumes": [
                        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}
                    ]
                }
            }
        },
    ],
    ids=range(9),
)
def test_what_exists_passes(helm: dict[str, Any]) -> None:
    assert problems("plan-base", **helm) == []


def test_a_section_that_only_a_person_can_judge_is_a_warning_that_names_it() -> None:
    def said(*sections_: str) -> list[tuple[str, str]]:
        helm = {"hub": {"config": {name: {"a_trait": 1} for name in sections_}}}
        stack, resources = dev(f"hubs.main.helm_values={json.dumps(helm)}")
        return [
            (finding.status, finding.message)
            for finding in hubs.sections_have_effect(stack, resources)
        ]

    (found,) = said("AuthenticatorOfMyImage")
    assert (
        found[0] == "warn"
        and "hub.config.AuthenticatorOfMyImage is no class of the hub's image" in found[1]
    )
    stack, resources = dev()
    assert [finding.status for finding in hubs.sections_have_effect(stack, resources)] == ["pass"]
    used = {
        "hub": {
            "config": {
                "GoogleOAuthenticator": {"hosted_domain": ["x.org"]},
                "OAuthenticator": {"enable_pkce": True},
            }
        }
    }
    (finding,) = hubs.sections_have_effect(*dev(f"hubs.main.helm_values={json.dumps(used)}"))
    assert (
        finding.status == "warn"
        and "GoogleOAuthenticator is a class that this hub does not use" in finding.message
    )
    assert {item.id for item in without_effect(effective(used))} == {"helm-values.class-unused"}


# --- the data


def test_the_classes_are_those_of_the_packages_that_are_here() -> None:
    """The table was read in the hub image's versions; the tests have five of its packages in the
    same ones.
    """
    import kubespawner
    import oauthenticator.github
    from jupyterhub.app import JupyterHub

    for item in (kubespawner.KubeSpawner, JupyterHub, oauthenticator.github.GitHubOAuthenticator):
        assert frozenset(item.class_trait_names(config=True)) - {"parent"} <= traits(
            item.__name__
        ), item
        assert sections(item.__name__) == tuple(
            base.__name__ for base in item.__mro__ if base.__name__ in known_classes()
        )
    assert (
        class_of_authenticator("GitHub")
        == class_of_authenticator("oauthenticator.github.GitHubOAuthenticator")
        == "GitHubOAuthenticator"
    )
    assert (
        class_of_authenticator("jupyterhub_aws_ldap.DirectoryAuthenticator")
        == "DirectoryAuthenticator"
    )
    assert class_of_authenticator("my.Own") is None
    assert {"OAuthenticator", "Authenticator", "KubeSpawner", "Spawner"} <= used_classes(
        "GitHubOAuthenticator"
    )


def _pods() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("containers"), list):
                found.append(value)
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(json.loads(RECORDED.read_text(encoding="utf-8")))
    return found


PODS = _pods()


def _maps(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            # What is below these are names of the user's own.
            if key not in (
                "nodeSelector",
                "limits",
                "requests",
                "matchLabels",
                "labels",
                "annotations",
            ):
                yield from _maps(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _maps(inner, (*path, index))


def test_pods_that_the_real_spawner_made_are_right() -> None:
    assert len(PODS) > 20
    assert [list(wrong("PodSpec", pod)) for pod in PODS if list(wrong("PodSpec", pod))] == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_field_renamed_anywhere_in_a_real_pod_is_found(data: st.DataObject) -> None:
    pod = copy.deepcopy(data.draw(st.sampled_from(PODS)))
    path, place = data.draw(st.sampled_from([(path, found) for path, found in _maps(pod) if found]))
    key = data.draw(st.sampled_from(sorted(place)))
    place[f"{key}X"] = place.pop(key)
    assert (*path, f"{key}X") in [where for where, _, _ in wrong("PodSpec", pod)]


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        _SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
    )
)
def test_any_value_for_a_pod_is_judged(value: Any) -> None:
    assert isinstance(list(wrong("PodSpec", value, either=True)), list)
