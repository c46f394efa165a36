"""Dask Gateway beside a hub: what its chart is told, the rights and the traffic of its pods, and
what is refused.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws import (
    DaskGateway,
    DaskGatewayArgs,
    DaskLimits,
    Images,
    JupyterHub,
)
from jupyterhub_aws.checks.network_policies import Policy, PolicyPod, connects, leaves, policy
from jupyterhub_aws.components.needed import needed_charts, needed_images
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.dask_gateway import DaskGatewaySpec
from tests.components.test_hub_alone import arguments
from tests.support.programs import record_program
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, changed, dev_stack, engine_values
from tests.support.stacks import StackRecording

SERVICE: dict[str, Any] = {
    "url": "http://traefik-dask-gateway.dask-gateway",
    "pods": {"labels": {"app.kubernetes.io/instance": "dask-gateway"}, "port": 8000},
    "groups": ["example-org:dask"],
    "from_servers": True,
}
SECRET, POLICY, RELEASE = (
    "kubernetes:core/v1:Secret",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:helm.sh/v3:Release",
)


@cache
def spec(**limits: Any) -> DaskGatewaySpec:
    put = {"hubs.main.services": {"dask-gateway": SERVICE}}
    found = resolve(validated_values(*engine_values(changed(dev_stack(), put=put))))
    hub = found.hubs["main"]
    pools = {pool.name: pool for pool in found.node_pools.pools}
    return DaskGatewaySpec(
        hub=hub,
        service=hub.services[0],
        namespace="dask-gateway",
        workers=pools["gpu"],
        schedulers=pools["memory"],
        limits=DaskLimits(**limits),
        kubernetes="1.35",
    )


def program(**more: Any) -> Any:
    """A hub with users of its own and Dask Gateway, in a cluster that exists."""
    own = {"users": ["ada"], "groups": []}
    section = {**SERVICE, **own, **more.pop("service_section", {})}
    services = more.pop("services", {"dask-gateway": section})

    def run() -> None:
        given = arguments(services=services)
        hub = JupyterHub("main", given)
        DaskGateway(
            "dask",
            DaskGatewayArgs(
                **{
                    "cluster": given.cluster,
                    "hub": hub,
                    "pools": given.pools,
                    "worker_pool": "memory",
                    **more,
                }
            ),
        )

    return run


def recorded(**more: Any) -> StackRecording:
    return record_program(program(**more))


def test_users_are_asked_of_the_hub_and_only_the_services_users_come_in() -> None:
    auth = spec().values["gateway"]["auth"]
    assert auth == {
        "type": "jupyterhub",
        "jupyterhub": {
            "apiTokenFromSecretName": "service-dask-gateway",
            "apiTokenFromSecretKey": "JUPYTERHUB_API_TOKEN",
            "apiUrl": "http://hub.hub-main.svc:8081/hub/api",
            "jupyterhubServiceName": "dask-gateway",
        },
    }
    assert spec().values["gateway"]["prefix"] == "/services/dask-gateway"
    assert spec().values["traefik"]["service"] == {"type": "ClusterIP"}


def test_limits_are_in_the_gateways_own_configuration() -> None:
    text = spec(clusters=2, workers=4, worker_cores=3, worker_memory_gib=6).values["gateway"][
        "extraConfig"
    ]["limits"]
    compile(text, "limits", "exec")
    assert "cluster_max_workers = 4" in text and "cluster_max_cores = 13.0" in text
    assert f"cluster_max_memory = {26 * 2**30}" in text and "idle_timeout = 1800.0" in text
    assert ">= 2:" in text and "max=3" in text and "max=6.0" in text


def test_what_servers_are_told() -> None:
    assert spec().environment == {
        "DASK_GATEWAY__ADDRESS": (
            "http://traefik-dask-gateway.dask-gateway.svc/services/dask-gateway"
        ),
        "DASK_GATEWAY__PROXY_ADDRESS": "gateway://traefik-dask-gateway.dask-gateway.svc:80",
        "DASK_GATEWAY__PUBLIC_ADDRESS": "https://hub.example.org/services/dask-gateway",
        "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
    }


# --- rights ---


def test_no_part_reads_secrets_outside_its_namespace() -> None:
    found = spec()
    for rules in found.cluster_roles.values():
        for rule in rules:
            assert "secrets" not in rule["resources"] and set(rule["verbs"]) == {"list", "watch"}
    assert "traefik" not in found.cluster_roles
    for rules in found.roles.values():
        for rule in rules:
            assert "*" not in (*rule["verbs"], *rule["resources"], *rule["apiGroups"])
    recording = recorded()
    bound = [
        item.inputs["subjects"][0]["namespace"]
        for item in recording.resources
        if item.type.endswith("RoleBinding")
    ]
    assert len(bound) == 5
    accounts = recording.resources.of("kubernetes:core/v1:ServiceAccount")
    names = {item.inputs["metadata"]["name"] for item in accounts}
    assert {f"{part}-dask-gateway" for part in ("gateway", "controller", "traefik")} <= names


# --- traffic ---


def policies() -> list[Policy]:
    return [policy(item, "dask-gateway") for item in spec().policies.values()]


def pod(part: str, *, address: str = "10.0.7.1", namespace: str = "dask-gateway") -> PolicyPod:
    if namespace != "dask-gateway":
        labels = {"app": "jupyterhub", "component": part, "release": "hub-main"}
    elif part.startswith("dask-"):
        labels = {"app.kubernetes.io/name": "dask-gateway", "app.kubernetes.io/component": part}
    else:
        labels = {
            "app.kubernetes.io/name": "dask-gateway",
            "app.kubernetes.io/instance": "dask-gateway",
            "app.kubernetes.io/component": part,
        }
    return PolicyPod(namespace=namespace, labels=labels, address=address)


GATEWAY, CONTROLLER, TRAEFIK, SCHEDULER, WORKER = (
    pod(part, address=f"10.0.7.{number}")
    for number, part in enumerate(
        ("gateway", "controller", "traefik", "dask-scheduler", "dask-worker"), start=1
    )
)
SERVER, PROXY, HUB = (
    pod(part, namespace="hub-main", address=f"10.0.8.{number}")
    for number, part in enumerate(("singleuser-server", "proxy", "hub"), start=1)
)


def test_what_must_connect_connects() -> None:
    found = policies()
    for source, target, port in (
        (SERVER, TRAEFIK, 8000),
        (PROXY, TRAEFIK, 8000),
        (TRAEFIK, GATEWAY, 8000),
        (TRAEFIK, SCHEDULER, 8786),
        (TRAEFIK, SCHEDULER, 8787),
        (GATEWAY, HUB, 8081),
        (GATEWAY, SCHEDULER, 8788),
        (SCHEDULER, GATEWAY, 8000),
        (WORKER, SCHEDULER, 8786),
        (SCHEDULER, WORKER, 41234),
        (WORKER, pod("dask-worker", address="10.0.7.50"), 41234),
    ):
        assert connects(found, source, target, port), (source.labels, target.labels, port)
    assert leaves(found, WORKER, "151.101.1.6", 443), "as users' servers"
    assert leaves(found, CONTROLLER, "172.20.0.1", 443)


def test_nothing_else_connects() -> None:
    found = policies()
    other = PolicyPod(namespace="other", labels={}, address="10.0.9.9")
    for source, target, port in (
        (SERVER, GATEWAY, 8000),
        (SERVER, SCHEDULER, 8786),
        (SERVER, WORKER, 41234),
        (HUB, TRAEFIK, 8000),
        (other, TRAEFIK, 8000),
        (other, GATEWAY, 8000),
        (other, SCHEDULER, 8786),
        (WORKER, GATEWAY, 8000),
        (WORKER, TRAEFIK, 8000),
        (WORKER, SCHEDULER, 8788),
        (WORKER, HUB, 8081),
        (WORKER, SERVER, 8888),
        (SCHEDULER, SERVER, 8888),
        (TRAEFIK, HUB, 8081),
        (TRAEFIK, SCHEDULER, 8788),
        (CONTROLLER, GATEWAY, 8000),
        (GATEWAY, WORKER, 41234),
        (SERVER, CONTROLLER, 8000),
    ):
        assert not connects(found, source, target, port), (source.labels, target.labels, port)
    for who in (WORKER, SCHEDULER, TRAEFIK, GATEWAY, CONTROLLER):
        assert not leaves(found, who, "169.254.169.254", 80)
        assert not leaves(found, who, "169.254.170.23", 80)
    for who in (WORKER, SCHEDULER):
        assert not leaves(found, who, "172.20.0.1", 443), "no API of Kubernetes for users' code"


# --- the component ---


def test_it_makes_a_namespace_of_its_own_with_everything_in_it() -> None:
    recording = recorded()
    (made,) = [item for item in recording.resources.of(RELEASE) if "dask" in item.name]
    assert (made.inputs["chart"], made.inputs["version"]) == ("dask-gateway", "2026.3.0")
    namespace = recording.one("kubernetes:core/v1:Namespace", "dask-namespace")
    labels = namespace.inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    token = recording.one(SECRET, "dask-token")
    assert token.inputs["stringData"] == "[secret]"
    patched = {
        item.inputs["metadata"]["name"]
        for item in recording.resources.of("kubernetes:apps/v1:DeploymentPatch")
    }
    assert patched == {"api-dask-gateway", "controller-dask-gateway", "traefik-dask-gateway"}
    assert len([item for item in recording.resources.of(POLICY) if "dask" in item.name]) == 6


def test_images_have_the_names_of_the_registry() -> None:
    recording = recorded(images=Images(registry="registry.example.org/team"))
    (made,) = [item for item in recording.resources.of(RELEASE) if "dask" in item.name]
    values = made.inputs["values"]
    for image in (
        values["gateway"]["image"],
        values["gateway"]["backend"]["image"],
        values["controller"]["image"],
        values["traefik"]["image"],
    ):
        assert image["name"].startswith("registry.example.org/team/")
    assert made.inputs["chart"] == "oci://registry.example.org/team/charts/dask-gateway"


def test_a_bundle_has_its_images_and_its_chart() -> None:
    put = {"hubs.main.services": {"dask-gateway": SERVICE}}
    with_it, without = (
        resolve(validated_values(*engine_values(changed(dev_stack(), put=more))))
        for more in (put, {})
    )
    ours = {item.reference for item in needed_images(with_it)}
    more = ours - {item.reference for item in needed_images(without)}
    assert more == {
        "ghcr.io/dask/dask-gateway-server:2026.3.0",
        "ghcr.io/dask/dask-gateway:2026.3.0",
        "docker.io/traefik:3.3.5",
    }
    charts = {item.reference: item.needed_by for item in needed_charts(with_it)}
    assert charts["dask-gateway"] == ("hub main",)
    assert "dask-gateway" not in {item.reference for item in needed_charts(without)}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"services": {}}, "[dask.no-service]"),
        ({"service_section": {"from_servers": False}}, "[dask.service]"),
        ({"service_section": {"url": "http://elsewhere.dask-gateway"}}, "[dask.service]"),
        ({"namespace": "other"}, "[dask.service]"),
        ({"worker_pool": "gpu"}, "worker_pool: is no user pool"),
        ({"scheduler_pool": "nowhere"}, "[dask.pool]"),
        ({"limits": DaskLimits(workers=0)}, "limits.workers: "),
        ({"limits": DaskLimits(worker_cores=1.5)}, "[dask.limit]"),  # type: ignore[arg-type]
        ({"limits": DaskLimits(idle_minutes=True)}, "limits.idle_minutes"),
        ({"limits": {"workers": 3}}, "limits: must be DaskLimits"),
        ({"cluster_image": "quay.io:443/example/notebook"}, "[dask.image]"),
        ({"hub": "main"}, "hub: must be JupyterHub"),
        ({"namespace": "No Namespace"}, "namespace: "),
    ],
)
def test_wrong_arguments_are_refused(more: dict[str, Any], said: str) -> None:
    from jupyterhub_aws.components.base import ArgumentError

    with pytest.raises(ArgumentError) as caught:
        recorded(**more)
    assert said in str(caught.value)


def test_an_image_of_ones_own_is_that_of_schedulers_and_workers() -> None:
    found = replace(spec(), cluster_image="quay.io:443/example/notebook:2026-08-03")
    assert found.values["gateway"]["backend"]["image"] == {
        "name": "quay.io:443/example/notebook",
        "tag": "2026-08-03",
    }


def test_the_example_is_a_plan_without_a_fault() -> None:
    from jupyterhub_aws.config.stack_file import read
    from jupyterhub_aws.plan.plan import make_plan, recorded

    file = read(ROOT / "examples" / "dask-gateway" / "Pulumi.lab.yaml")
    plan = make_plan(file, as_of=datetime.date(2026, 11, 30))
    assert [item.message for item in plan.findings if item.status == "fail"] == []
    _, recording = recorded(file)
    (told,) = [
        item
        for item in recording.resources.of("kubernetes:core/v1:ConfigMap")
        if item.inputs["metadata"]["name"] == "server-environment"
    ]
    assert told.inputs["data"]["DASK_GATEWAY__AUTH__TYPE"] == "jupyterhub"
