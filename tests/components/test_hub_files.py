"""The files that run in the hub, imported as the hub does: who is an administrator, who gets
which profile, who may write.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import types
from functools import cache
from typing import Any

import pytest
from tornado.web import HTTPError
from traitlets.config import Config

from jupyterhub_aws.components.hub.values.hub_files import (
    FOLDER,
    HUB_FOLDER,
    file_of_hub,
    files_of_every_hub,
)
from tests.support.stacks import ALL_STACKS, record


@cache
def imported(name: str) -> Any:
    """With the modules that it imports, in their order."""
    if name == "jupyterhub_aws_spawner":
        imported("jupyterhub_aws_notice")
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # they import each other by these names, as in the hub's pod
    spec.loader.exec_module(module)
    return module


PROFILES = [{"slug": "small", "default": True}, {"slug": "gpu"}, {"slug": "big"}]


@pytest.fixture
def people() -> Any:
    return imported("jupyterhub_aws_people")


@pytest.fixture
def spawners() -> Any:
    return imported("jupyterhub_aws_spawner")


def spawner(*groups: str, admin: bool = False) -> Any:
    return types.SimpleNamespace(
        user=types.SimpleNamespace(
            admin=admin, groups=[types.SimpleNamespace(name=name) for name in groups]
        )
    )


def offered(gate: Any, *groups: str, admin: bool = False) -> list[str]:
    return [profile["slug"] for profile in gate(spawner(*groups, admin=admin))]


def test_a_profile_of_some_groups_is_for_them_alone(people: Any) -> None:
    gate = people.ProfilesByGroup(PROFILES, {"gpu": ["gpu-people", "ops"], "big": ["ops"]})
    assert offered(gate) == ["small"]
    assert offered(gate, "gpu-people") == ["small", "gpu"]
    assert offered(gate, "ops", "x") == offered(gate, admin=True) == ["small", "gpu", "big"]
    assert offered(gate, "GPU-people") == ["small"], "names are compared as they are"


def test_who_may_have_nothing_is_told_so_instead_of_getting_what_is_left(people: Any) -> None:
    gate = people.ProfilesByGroup(PROFILES, {slug: ["ops"] for slug in ("small", "gpu", "big")})
    with pytest.raises(HTTPError) as caught:
        gate(spawner("others"))
    assert caught.value.status_code == 403


def test_one_person_does_not_change_what_the_next_one_sees(people: Any) -> None:
    gate = people.ProfilesByGroup(PROFILES, {"small": ["x"]})
    gate(spawner())[0]["default"] = True  # as KubeSpawner does with the first one
    assert "default" not in PROFILES[1]


@pytest.mark.parametrize(("said", "is_one"), [(True, True), (False, False), (None, False)])
def test_a_user_who_is_not_named_as_administrator_is_none(
    people: Any, said: bool | None, is_one: bool
) -> None:
    found = people.administrators_are_listed(
        None, None, {"name": "ada", "admin": said, "groups": []}
    )
    assert found == {"name": "ada", "admin": is_one, "groups": []}


def test_administrators_write_where_others_read(people: Any) -> None:
    def pod() -> Any:
        mounts = [
            types.SimpleNamespace(mount_path=path, read_only=True) for path in ("/shared", "/other")
        ]
        return types.SimpleNamespace(
            spec=types.SimpleNamespace(
                containers=[
                    types.SimpleNamespace(volume_mounts=mounts),
                    types.SimpleNamespace(volume_mounts=None),
                ]
            )
        )

    hook = people.AdministratorsWrite(["/shared"])
    for admin, expected in ((True, [False, True]), (False, [True, True])):
        found = hook(spawner(admin=admin), pod())
        assert [mount.read_only for mount in found.spec.containers[0].volume_mounts] == expected


DIRECTORIES = [
    {
        "volume": "home",
        "mountPath": f"/{name}",
        "subPath": f"_shared/{name}",
        "readers": readers,
        "writers": writers,
        "administratorsWrite": admins,
    }
    for name, readers, writers, admins in (
        ("course", ["students"], ["instructors"], True),
        ("quiet", ["students"], [], False),
    )
]


def mounted(
    people: Any, *groups: str, admin: bool = False, volumes: str = "home"
) -> dict[str, bool]:
    """The mounts of a server of this user: path to whether it may only read."""
    pod = types.SimpleNamespace(
        spec=types.SimpleNamespace(
            containers=[
                types.SimpleNamespace(volume_mounts=None),
                types.SimpleNamespace(volume_mounts=None),
            ],
            volumes=[types.SimpleNamespace(name=volumes)],
        )
    )
    hook = people.DirectoriesByGroup(DIRECTORIES, people.AdministratorsWrite([]))
    server, beside = hook(spawner(*groups, admin=admin), pod).spec.containers
    assert beside.volume_mounts is None
    return {mount.mount_path: mount.read_only for mount in server.volume_mounts or []}


def test_a_directory_of_some_groups_is_in_their_servers_alone(people: Any) -> None:
    assert mounted(people) == mounted(people, "others", "Students") == {}
    assert mounted(people, "students") == {"/course": True, "/quiet": True}
    assert mounted(people, "instructors") == {"/course": False}
    assert mounted(people, "instructors", "students") == {"/course": False, "/quiet": True}
    assert mounted(people, admin=True) == {"/course": False}
    assert mounted(people, "students", admin=True) == {"/course": False, "/quiet": True}


def test_a_server_without_the_volume_does_not_start(people: Any) -> None:
    with pytest.raises(HTTPError) as caught:
        mounted(people, "students", volumes="another")
    assert caught.value.status_code == 500
    assert mounted(people, volumes="another") == {}


def test_the_hook_is_set_where_the_stack_asks_for_it(people: Any) -> None:
    c = Config()
    people.configure(c, {"groupDirectories": DIRECTORIES, "writtenByAdministrators": ["/x"]})
    assert isinstance(c.KubeSpawner.modify_pod_hook, people.DirectoriesByGroup)
    assert c.KubeSpawner.modify_pod_hook.before.mount_paths == {"/x"}
    c = Config()
    people.configure(c, {"writtenByAdministrators": ["/x"]})
    assert isinstance(c.KubeSpawner.modify_pod_hook, people.AdministratorsWrite)


def test_teams_of_github_are_groups(people: Any) -> None:
    teams = [{"slug": "people", "organization": {"login": "example-org"}}]
    assert people.github_teams({"teams": teams}) == ["example-org:people"]
    assert people.github_teams({}) == people.github_teams({"teams": None}) == []


def test_only_what_was_asked_for_is_configured(people: Any) -> None:
    config = Config()
    people.configure(config, {})
    assert set(config) == {"Authenticator"} and set(config["Authenticator"]) == {"post_auth_hook"}


def test_every_file_is_where_the_hub_looks_for_it() -> None:
    places = {item["mountPath"] for item in files_of_every_hub().values()}
    assert places == {
        f"{HUB_FOLDER}/jupyterhub_aws_heartbeat.py",
        f"{HUB_FOLDER}/jupyterhub_aws_notice.py",
        f"{HUB_FOLDER}/jupyterhub_aws_people.py",
        f"{HUB_FOLDER}/jupyterhub_aws_spawner.py",
        f"{HUB_FOLDER}/jupyterhub_config.d/50-jupyterhub-aws.py",
    }
    for name in ("jupyterhub_aws_ldap.py", "jupyterhub_aws_accounts.py"):
        ((key, item),) = file_of_hub(name).items()
        assert (
            item["mountPath"] == f"{HUB_FOLDER}/{name}"
            and "_" not in key
            and item["stringData"] == (FOLDER / name).read_text()
        )


@pytest.mark.parametrize(
    "stack",
    [
        name
        for name in ALL_STACKS
        if name not in ("handing over", "airgap", "closed", "their VPC", "their endpoints")
    ],
)
def test_secrets_in_a_hubs_namespace_are_the_hubs_own(stack: str) -> None:
    """The hub's role may read all of them. Tokens of services it has anyway."""
    secrets = [
        found.inputs["metadata"]
        for found in record(*ALL_STACKS[stack]).resources.of("kubernetes:core/v1:Secret")
    ]
    assert secrets
    services = {"service-page", "service-robot"} if stack == "services" else set()
    assert {metadata["name"] for metadata in secrets} <= {"hub-secrets", "hub-tls", *services}


_OOM = {
    "status": {
        "containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]
    }
}
_ENDED = {
    "status": {"containerStatuses": [{"state": {"terminated": {"reason": "Error", "exitCode": 1}}}]}
}
_ON_DEMAND = [{"matchExpressions": [{"key": "on-demand", "operator": "In", "values": ["true"]}]}]


@pytest.mark.parametrize(
    ("pod", "required", "says"),
    [
        (None, [], "AWS takes spot nodes back"),
        (
            {"metadata": {"deletionTimestamp": "2026-11-24T10:00:00Z"}},
            [],
            "AWS takes spot nodes back",
        ),
        ({"status": {"reason": "Evicted"}}, [], "AWS takes spot nodes back"),
        (None, _ON_DEMAND, "Its node went away. Files"),
        (_OOM, [], "more memory than it may have"),
        (
            {**_OOM, "metadata": {"deletionTimestamp": "x"}},
            _ON_DEMAND,
            "more memory than it may have",
        ),
        (_ENDED, [], "It ended by itself"),
    ],
)
def test_a_server_that_ended_says_why(
    spawners: Any, pod: Any, required: list[Any], says: str
) -> None:
    seen = types.SimpleNamespace(_pod=pod, node_affinity_required=required)
    assert says in spawners.NoticingKubeSpawner.why_it_ended(seen)


def test_the_pod_is_looked_at_before_it_is_cleared_away(spawners: Any) -> None:
    class Cleared:
        """As KubeSpawner with delete_stopped_pods: polling stops what ended."""

        log, user, name = (
            types.SimpleNamespace(warning=lambda *_: None),
            types.SimpleNamespace(name="ada"),
            "",
        )

        async def stop(self) -> None:
            self.left = None

        async def poll(self) -> int:
            await self.stop()
            return 1

    class Spawner(spawners.EndedByItself, Cleared):
        left: Any = "a pod"

        def look(self) -> None:
            self.seen = self.left

        def why_it_ended(self) -> str:
            return f"seen: {self.seen}"

    spawner = Spawner()
    spawner._ran = True
    assert asyncio.run(spawner.poll()) == 1
    assert spawner.notice == "seen: a pod"
    again = Spawner()
    assert again.notice == "seen: a pod", "JupyterHub may have made a new one"
    again._remember("")
    again._ran = True
    asyncio.run(again.stop())
    asyncio.run(again.poll())
    assert again.notice == "", "somebody asked"


def test_every_hub_runs_it(spawners: Any) -> None:
    assert f"{HUB_FOLDER}/jupyterhub_aws_spawner.py" in {
        item["mountPath"] for item in files_of_every_hub().values()
    }
    assert (
        'c.JupyterHub.spawner_class = "jupyterhub_aws_spawner.NoticingKubeSpawner"'
        in (FOLDER / "50-jupyterhub-aws.py").read_text()
    )
    assert issubclass(spawners.NoticingKubeSpawner, spawners.KubeSpawner)
