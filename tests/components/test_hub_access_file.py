"""The file of the hub's pod that gives servers their identity in AWS: which access a server gets,
and who is refused.
"""

from __future__ import annotations

import asyncio
import logging
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_asyncio.client.models import V1Container, V1EnvVar, V1ObjectMeta, V1Pod, V1PodSpec
from kubespawner import KubeSpawner
from tornado.web import HTTPError
from traitlets.config import Config

from jupyterhub_aws.config.usernames import normalized, pod_name
from tests.components.test_hub_files import imported
from tests.support.user_names import USER_NAMES

LABEL = "jupyterhub-aws/aws-access"
SETTINGS: dict[str, Any] = {
    "choices": {
        "all": {
            "otherwise": "all",
            "byGroup": [[["staff", "ops"], "group-staff"], [["guests"], ""], [["ops"], "all"]],
        },
        "profile-gpu": {"otherwise": "", "byGroup": [[["staff"], "group-staff"]]},
        "profile-odd": {"otherwise": "gone", "byGroup": []},
    },
    "accesses": {
        "all": {
            "serviceAccount": "servers-all",
            "environment": {"WORK": "s3://work/home/{pod_name}", "DATA": "s3://data"},
            "perUser": True,
        },
        "group-staff": {
            "serviceAccount": "servers-group-staff",
            "environment": {},
            "perUser": False,
        },
    },
}


@pytest.fixture(scope="module")
def access() -> Any:
    return imported("jupyterhub_aws_access")


def spawner(name: str = "ada", *groups: str, others: tuple[str, ...] = ()) -> Any:
    """A spawner as the hook sees it: its user, the database of users, and a log."""
    rows = [(other,) for other in (name, *others)]
    return types.SimpleNamespace(
        user=types.SimpleNamespace(
            name=name, groups=[types.SimpleNamespace(name=group) for group in groups]
        ),
        pod_name_template=KubeSpawner.pod_name_template.default_value,
        db=types.SimpleNamespace(query=lambda column: rows),
        log=logging.getLogger("test"),
    )


def pod(choice: str | None, name: str = "jupyter-ada", **variables: str) -> V1Pod:
    """A pod as KubeSpawner makes it, with the label of its profile."""
    labels = {"app": "jupyterhub"} | ({} if choice is None else {LABEL: choice})
    containers = [
        V1Container(
            name="notebook", env=[V1EnvVar(name=key, value=text) for key, text in variables.items()]
        ),
        V1Container(name="beside"),
    ]
    return V1Pod(
        metadata=V1ObjectMeta(name=name, labels=labels),
        spec=V1PodSpec(containers=containers, service_account_name="servers"),
    )


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


async def hooked(access: Any, who: Any, one: V1Pod, **settings: Any) -> V1Pod:
    return await access.ServersOfAccess(SETTINGS | settings)(who, one)


def variables(one: V1Pod) -> dict[str, str]:
    found = one.spec.containers[0].env or []
    assert len({item.name for item in found}) == len(found)
    return {item.name: item.value for item in found}


@pytest.mark.parametrize(
    ("choice", "groups", "account"),
    [
        ("all", (), "servers-all"),
        ("all", ("others",), "servers-all"),
        ("all", ("staff",), "servers-group-staff"),
        ("all", ("ops",), "servers-group-staff"),
        ("all", ("guests", "staff"), "servers-group-staff"),
        ("all", ("guests",), "servers"),
        ("all", ("guests", "ops"), "servers-group-staff"),
        ("all", ("Staff",), "servers-all"),
        ("profile-gpu", (), "servers"),
        ("profile-gpu", ("staff",), "servers-group-staff"),
        ("profile-gpu", ("guests",), "servers"),
        ("profile-odd", (), "servers"),
        ("profile-unknown", ("staff",), "servers"),
        ("", ("staff",), "servers"),
        (None, ("staff",), "servers"),
    ],
)
def test_the_profile_and_the_first_entry_with_a_group_decide(
    access: Any, choice: str | None, groups: tuple[str, ...], account: str
) -> None:
    made = run(hooked(access, spawner("ada", *groups), pod(choice)))
    assert made.spec.service_account_name == account
    if account == "servers":  # no access: nothing of ours is left at the pod
        assert made.metadata.labels == {"app": "jupyterhub"} and variables(made) == {}
    else:
        assert made.spec.service_account == account
        assert made.metadata.labels == {"app": "jupyterhub", LABEL: account[len("servers-") :]}


def test_the_environment_has_the_name_of_the_pod_and_wins(access: Any) -> None:
    made = run(hooked(access, spawner(), pod("all", HOME="/home", WORK="s3://mine", DATA="x")))
    assert variables(made) == {
        "HOME": "/home",
        "DATA": "s3://data",
        "WORK": "s3://work/home/jupyter-ada",
    }
    assert made.spec.containers[1].env is None, "only the server's container gets them"


def test_a_pod_without_labels_has_no_access(access: Any) -> None:
    one = pod(None)
    one.metadata.labels = None
    assert run(hooked(access, spawner(), one)).spec.service_account_name == "servers"


@pytest.mark.parametrize("settings", [{}, {"choices": None, "accesses": None}, {"accesses": {}}])
def test_settings_without_accesses_give_none(access: Any, settings: dict[str, Any]) -> None:
    made = run(access.ServersOfAccess(settings)(spawner(), pod("all")))
    assert made.spec.service_account_name == "servers"


def test_an_earlier_hook_runs_first_and_its_pod_is_taken(access: Any) -> None:
    def before(who: Any, one: V1Pod) -> V1Pod:
        return pod("profile-gpu" if who.user.name == "eve" else "all", "jupyter-other")

    async def later(who: Any, one: V1Pod) -> V1Pod:
        return before(who, one)

    for hook in (before, later):
        c = Config()
        c.KubeSpawner.modify_pod_hook = hook
        access.configure(c, SETTINGS)
        made = run(c.KubeSpawner.modify_pod_hook(spawner("ada"), pod(None)))
        assert variables(made)["WORK"] == "s3://work/home/jupyter-other"
        made = run(c.KubeSpawner.modify_pod_hook(spawner("eve"), pod("all")))
        assert made.spec.service_account_name == "servers"


def test_without_an_earlier_hook_ours_is_the_only_one(access: Any) -> None:
    c = Config()
    access.configure(c, SETTINGS)
    hook = c.KubeSpawner.modify_pod_hook
    assert run(hook(spawner(), pod("all"))).spec.service_account_name == "servers-all"


def test_an_earlier_hook_that_fails_stops_the_server(access: Any) -> None:
    def before(who: Any, one: V1Pod) -> V1Pod:
        raise HTTPError(503)

    with pytest.raises(HTTPError, match="503"):
        run(access.ServersOfAccess(SETTINGS, before)(spawner(), pod("all")))


def test_who_would_have_another_users_folder_is_refused(
    access: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KubeSpawner's hash has 32 bits, so two names with one slug can be found; here by force."""
    real = access.slug
    monkeypatch.setattr(access, "slug", lambda name: real("ada") if name == "ADA?" else real(name))
    with pytest.raises(HTTPError, match="403") as caught:
        run(hooked(access, spawner("ada", others=("eve", "ADA?")), pod("all")))
    assert "folder in S3, of another user's" in str(caught.value)
    for who in (spawner("ada", others=("eve", "bob")), spawner("ada", "staff", others=("ADA?",))):
        assert run(hooked(access, who, pod("all"))) is not None
    monkeypatch.setattr(access, "slug", real)
    run(hooked(access, spawner("ada", others=("eve", "ADA?")), pod("all")))


@given(USER_NAMES)
def test_the_hub_expects_the_pod_name_that_the_plan_says(name: str) -> None:
    module, known = imported("jupyterhub_aws_access"), normalized(name)
    template: str = KubeSpawner.pod_name_template.default_value
    assert template.format(user_server=module.slug(known)) == pod_name(known)


@given(st.lists(USER_NAMES, min_size=2, max_size=2, unique_by=normalized))
def test_two_users_have_two_folders_or_one_of_them_has_no_server(pair: list[str]) -> None:
    module, (one, other) = imported("jupyterhub_aws_access"), map(normalized, pair)
    who, started = spawner(one, others=(other,)), pod("all", pod_name(one))
    if pod_name(one) != pod_name(other):
        made = run(hooked(module, who, started))
        assert variables(made)["WORK"] == f"s3://work/home/{pod_name(one)}"
        return
    with pytest.raises(HTTPError, match="403"):
        run(hooked(module, who, started))
