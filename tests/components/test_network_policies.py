"""Who may talk to whom in a hub, by the policies that the real chart renders of our values, read
as Kubernetes reads them.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.support.hub_cases import RECORDED as PODS
from tests.support.network_policies import CASES, RECORDED, REFRESH, Pod, connects

METADATA, POD_IDENTITY, ECS = "169.254.169.254", "169.254.170.23", "169.254.170.2"
WORLD, SHARED_SPACE = "151.101.1.6", "100.64.3.4"
HUB_PORT, PROXY_API, PROXY_HTTP, SERVER_PORT, POSTGRES, NFS, LDAP, DNS = (
    8081,
    8001,
    8000,
    8888,
    5432,
    2049,
    389,
    53,
)
#: By case: an address of the VPC (or of the cluster's nodes), the API's service, its address and
#: port.
INSIDE = {case: "10.0.9.9" for case in CASES} | {"closed": "10.64.9.9", "kubeadm": "10.0.0.50"}
SERVICE = {case: "172.20.0.1" for case in CASES} | {"kubeadm": "10.96.0.1"}
API = {case: (INSIDE[case], 443) for case in CASES} | {"kubeadm": ("10.0.0.50", 6443)}
OPEN = ("as committed", "oidc, postgres", "ldap, look-up, groups")


@cache
def recorded() -> dict[str, Any]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


@cache
def server_labels() -> dict[str, str]:
    """The labels of a real pod of KubeSpawner's."""
    pod, *_ = json.loads(PODS.read_text(encoding="utf-8"))["cases"]["as committed"]["pods"]
    return dict(pod["pod"]["metadata"]["labels"])


def pod(case: str, name: str, namespace: str = "hub-main") -> Pod:
    if name == "server":
        labels = server_labels() | {"app.kubernetes.io/instance": "hub-main", "release": "hub-main"}
        return Pod(
            namespace=namespace,
            labels=labels,
            address=INSIDE[case],
            ports=(("notebook-port", SERVER_PORT),),
        )
    if name == "dns":
        return Pod(namespace="kube-system", labels={"k8s-app": "kube-dns"}, address=INSIDE[case])
    if name == "job":
        return Pod(namespace=namespace, labels={"job-name": "homes-usage"}, address=INSIDE[case])
    ports = {
        "hub": (("http", HUB_PORT),),
        "proxy": (("http", PROXY_HTTP), ("https", 8443), ("api", PROXY_API)),
    }[name]
    return Pod(
        namespace=namespace,
        labels=recorded()[case]["pods"][name],
        address=INSIDE[case],
        ports=ports,
    )


def may(
    case: str,
    source: str,
    target: str,
    port: int,
    *,
    protocol: str = "TCP",
    namespace: str = "hub-main",
) -> bool:
    to = target if target[0].isdigit() else pod(case, target, namespace)
    return connects(recorded()[case]["policies"], pod(case, source), to, port, protocol)


def test_the_recording_is_of_every_case() -> None:
    assert set(recorded()) == set(CASES), REFRESH


@pytest.mark.parametrize("case", CASES)
def test_what_has_to_work_works(case: str) -> None:
    address, api_port = API[case]
    assert may(case, "server", "hub", HUB_PORT) and may(case, "proxy", "hub", HUB_PORT)
    assert (
        may(case, "hub", "proxy", PROXY_API)
        and may(case, "hub", "server", SERVER_PORT)
        and may(case, "proxy", "server", SERVER_PORT)
    )
    assert may(case, "hub", SERVICE[case], 443) and may(case, "hub", address, api_port), (
        "the Kubernetes API, by its service and by itself"
    )
    for who in ("hub", "proxy", "server"):
        for protocol in ("UDP", "TCP"):
            assert may(case, who, "dns", DNS, protocol=protocol) and may(
                case, who, SERVICE[case], DNS, protocol=protocol
            )


@pytest.mark.parametrize("case", CASES)
def test_servers_reach_neither_each_other_nor_databases_nor_homes_nor_other_hubs(case: str) -> None:
    assert not may(case, "server", "server", SERVER_PORT)
    for port in (POSTGRES, NFS, 22, 443, 10250, PROXY_API):
        assert not may(case, "server", INSIDE[case], port), (
            f"port {port} of something in the network"
        )
    assert not may(case, "server", "proxy", PROXY_API), "whoever has it routes everybody"
    for name, port in (
        ("hub", HUB_PORT),
        ("proxy", PROXY_HTTP),
        ("proxy", PROXY_API),
        ("server", SERVER_PORT),
    ):
        assert not may(case, "server", name, port, namespace="hub-other"), f"{name} of another hub"
    assert not may(case, "server", SERVICE[case], 443), "the Kubernetes API"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("who", ["server", "hub", "proxy", "job"])
def test_no_pod_reaches_metadata_or_credentials(case: str, who: str) -> None:
    for address in (METADATA, POD_IDENTITY, ECS):
        for port in (80, 443, DNS):
            assert not may(case, who, address, port)
            assert not may(case, who, address, port, protocol="UDP")


@pytest.mark.parametrize("case", CASES)
def test_servers_reach_the_internet_where_there_is_one(case: str) -> None:
    assert may(case, "server", WORLD, 443) is (case in OPEN)
    for private in ("10.200.1.1", "172.16.5.5", "192.168.1.1", SHARED_SPACE):
        assert not may(case, "server", private, 8443), private


@pytest.mark.parametrize("case", CASES)
def test_the_hub_reaches_what_its_sign_in_and_its_database_need_and_no_more(case: str) -> None:
    assert may(case, "hub", INSIDE[case], POSTGRES) is (case == "oidc, postgres")
    assert may(case, "hub", WORLD, 443) is (case in OPEN[:2]), "GitHub, or an identity provider"
    assert may(case, "hub", WORLD, LDAP) is (case == "ldap, look-up, groups"), (
        "a directory may be anywhere"
    )
    assert (
        not may(case, "hub", INSIDE[case], NFS)
        and not may(case, "hub", WORLD, 80)
        and not may(case, "hub", WORLD, 22)
    )
    for name, port in (("hub", HUB_PORT), ("proxy", PROXY_API), ("server", SERVER_PORT)):
        assert not may(case, "hub", name, port, namespace="hub-other") or (
            case in OPEN[:2] and port == 443
        )


@pytest.mark.parametrize("case", CASES)
def test_the_proxy_reaches_the_hub_and_servers_only(case: str) -> None:
    for address in (WORLD, INSIDE[case], SERVICE[case]):
        for port in (80, 443, POSTGRES, NFS, LDAP):
            assert not may(case, "proxy", address, port)


@pytest.mark.parametrize("case", CASES)
def test_a_pod_without_a_policy_of_its_own_has_no_connections(case: str) -> None:
    for target, port in (
        ("hub", HUB_PORT),
        ("proxy", PROXY_API),
        ("server", SERVER_PORT),
        (WORLD, 443),
        (INSIDE[case], NFS),
    ):
        assert not may(case, "job", target, port)


def test_a_closed_network_opens_what_the_stack_file_says() -> None:
    assert may("closed", "hub", "10.200.1.1", 636), "the directory, in a peer network"
    assert not may("closed", "hub", "10.200.1.1", 22) and not may("closed", "hub", WORLD, 443)
