"""A Kubernetes API that does not answer: one line that says who, why and what to do, in a few
seconds, in every kind of stack.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.components.cluster import provider
from jupyterhub_aws.components.cluster.api import (
    Address,
    ApiFault,
    Proxy,
    address_in,
    callers_kubeconfig,
    fault,
    proxy_for,
)
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.cluster import ClusterAccess
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.plan import recorded
from tests.support.stack_files import ROOT
from tests.support.stacks import record, recorded_once

KUBECONFIG = {
    "current-context": "b",
    "contexts": [
        {"name": "a", "context": {"cluster": "one"}},
        {"name": "b", "context": {"cluster": "two"}},
    ],
    "clusters": [
        {"name": "one", "cluster": {"server": "https://10.0.0.1:6443"}},
        {"name": "two", "cluster": {"server": "https://ABC.gr7.us-east-1.eks.amazonaws.com"}},
    ],
}


# --- where it is ---


def test_the_address_is_the_one_of_the_context_and_without_one_of_the_current() -> None:
    assert address_in(KUBECONFIG, "a") == Address(host="10.0.0.1", port=6443)
    assert address_in(KUBECONFIG) == Address(host="abc.gr7.us-east-1.eks.amazonaws.com", port=443)
    assert address_in({**KUBECONFIG, "current-context": None}) == Address(
        host="10.0.0.1", port=6443
    )


def test_a_kubeconfig_with_a_proxy_of_its_own_is_left_to_its_plugin() -> None:
    assert (
        address_in(
            {
                "clusters": [
                    {
                        "name": "x",
                        "cluster": {"server": "https://10.0.0.1", "proxy-url": "http://p:1"},
                    }
                ]
            }
        )
        is None
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine says nothing about it
@given(
    st.dictionaries(st.sampled_from(["clusters", "contexts", "current-context"]), _JSON),
    st.none() | st.text(max_size=3),
)
def test_what_is_no_kubeconfig_has_no_address(config: dict, context: str | None) -> None:
    assert address_in(config, context) is None


def test_files_of_kubeconfig_are_read_together_and_the_first_of_a_name_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").write_text(
        json.dumps(
            {
                "clusters": KUBECONFIG["clusters"][:1],
                "contexts": KUBECONFIG["contexts"],
                "current-context": "a",
            }
        )
    )
    (tmp_path / "two").write_text(
        json.dumps(
            {
                **KUBECONFIG,
                "clusters": [
                    {"name": "one", "cluster": {"server": "https://other"}},
                    KUBECONFIG["clusters"][1],
                ],
            }
        )
    )
    (tmp_path / "broken").write_text("a: [")
    monkeypatch.setenv(
        "KUBECONFIG", ":".join(str(tmp_path / name) for name in ("missing", "broken", "one", "two"))
    )
    together = callers_kubeconfig(None)
    assert address_in(together) == Address(host="10.0.0.1", port=6443)
    assert address_in(together, "b") == Address(
        host="abc.gr7.us-east-1.eks.amazonaws.com", port=443
    )
    assert address_in(callers_kubeconfig(str(tmp_path / "missing"))) is None


# --- whether it answers ---


@contextlib.contextmanager
def listening(answer: bytes = b"") -> Iterator[Address]:
    """Something that listens, and says this to whoever says something."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    link, _ = server.accept()
                    if answer:
                        link.recv(1000)
                        link.sendall(answer)
                    link.close()

        threading.Thread(target=serve, daemon=True).start()
        yield Address(host="127.0.0.1", port=server.getsockname()[1])


def closed_port() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Address(host="127.0.0.1", port=server.getsockname()[1])


@pytest.mark.real
def test_what_listens_answers() -> None:
    with listening() as there:
        assert fault(there, {}) is None


@pytest.mark.real
def test_what_refuses_may_be_too_young() -> None:
    assert fault(closed_port(), {}) == ApiFault(why="connection refused", early=True)


def test_what_swallows_packets_is_given_up_in_time() -> None:
    with mock.patch("socket.create_connection", side_effect=TimeoutError("timed out")) as connect:
        assert fault(Address(host="192.0.2.1", port=443), {}) == ApiFault(
            why="timed out", early=False
        )
    assert connect.call_args.kwargs["timeout"] <= 5


def test_an_unknown_name_is_reported() -> None:
    with mock.patch(
        "socket.create_connection", side_effect=socket.gaierror(-2, "Name or service not known")
    ):
        found = fault(Address(host="abc.eks.amazonaws.com", port=443), {})
    assert found == ApiFault(
        why="the name abc.eks.amazonaws.com is not known here: Name or service not known",
        early=True,
    )


@pytest.mark.real
def test_a_proxy_is_asked_where_one_is_set_and_says_what_is_wrong() -> None:
    api = Address(host="abc.eks.amazonaws.com", port=443)
    with listening(b"HTTP/1.1 200 Connection established\r\n\r\n") as proxy:
        assert fault(api, {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}) is None
    with listening(b"HTTP/1.1 403 Forbidden\r\n\r\n") as proxy:
        found = fault(api, {"HTTPS_PROXY": f"127.0.0.1:{proxy.port}"})
    assert found is not None and not found.early
    assert (
        found.why == f"the proxy 127.0.0.1:{proxy.port} answers 'HTTP/1.1 403 Forbidden'; put"
        " abc.eks.amazonaws.com into NO_PROXY where it is reached without"
    )
    away = closed_port()
    found = fault(api, {"https_proxy": f"http://127.0.0.1:{away.port}"})
    assert found == ApiFault(
        why=f"the proxy 127.0.0.1:{away.port}: connection refused", early=False
    )


@pytest.mark.parametrize(
    ("host", "listed", "asked"),
    [
        ("abc.eks.amazonaws.com", "", True),
        ("abc.eks.amazonaws.com", "eks.amazonaws.com", False),
        ("abc.eks.amazonaws.com", ".eks.amazonaws.com", False),
        ("abc.eks.amazonaws.com", "*.eks.amazonaws.com", False),
        ("eks.amazonaws.com", ".eks.amazonaws.com", True),
        ("notamazonaws.com", "amazonaws.com", True),
        ("ABC.eks.amazonaws.com", "localhost, abc.EKS.amazonaws.com ", False),
        ("abc.eks.amazonaws.com", "abc.eks.amazonaws.com:443", False),
        ("abc.eks.amazonaws.com", "abc.eks.amazonaws.com:6443", True),
        ("abc.eks.amazonaws.com", "*", False),
        ("10.0.0.7", "10.0.0.0/8", False),
        ("10.0.0.7", "10.0.0.7", False),
        ("11.0.0.7", "10.0.0.0/8", True),
        ("abc.eks.amazonaws.com", "10.0.0.0/8", True),
        ("127.0.0.1", "", False),
        ("localhost", "", False),
        ("::1", "", False),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(host: str, listed: str, asked: bool) -> None:
    found = proxy_for(
        Address(host=host, port=443),
        {"HTTPS_PROXY": "http://proxy.corp.example:3128", "NO_PROXY": listed},
    )
    assert found == (Proxy(host="proxy.corp.example", port=3128) if asked else None)


@pytest.mark.real
def test_a_proxy_of_another_kind_is_only_asked_whether_it_is_there() -> None:
    with listening(b"\x05\x00") as proxy:
        assert (
            fault(
                Address(host="abc.eks.amazonaws.com", port=443),
                {"HTTPS_PROXY": f"socks5://127.0.0.1:{proxy.port}"},
            )
            is None
        )
    found = proxy_for(
        Address(host="abc.eks.amazonaws.com", port=443),
        {"HTTPS_PROXY": "http://me:p%40ss@proxy.corp.example"},
    )
    assert found == Proxy(host="proxy.corp.example", port=80, credentials="me:p@ss")
    assert "p@ss" not in repr(found)


# --- what is said ---

SILENT = ApiFault(why="timed out", early=False)
YOUNG = ApiFault(why="connection refused", early=True)


def access_of(name: str, *settings: str) -> ClusterAccess:
    return resolve(recorded_once(read(ROOT / name, settings))[0]).cluster_access


def asked(
    access: ClusterAccess,
    *faults: ApiFault | None,
    preview: bool = False,
    created: str = "2026-01-01T00:00:00Z",
) -> object:
    """What becomes of the kubeconfig when the address answers so, look after look."""
    looks = iter(faults)
    with (
        mock.patch.object(provider, "under_an_engine", lambda: True),
        mock.patch.object(provider, "fault", lambda _: next(looks)),
        mock.patch.object(provider, "_SECONDS_BETWEEN", 0.001),
        mock.patch.object(pulumi.runtime, "is_dry_run", lambda: preview),
        mock.patch.object(pulumi.log, "info"),
    ):
        return asyncio.run(provider._reached(access, json.dumps(KUBECONFIG), created))


def refusal(access: ClusterAccess, *faults: ApiFault | None, **more: object) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        asked(access, *faults, **more)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "settings", "cure"),
    [
        (
            "Pulumi.dev.yaml",
            ("cluster.api.public_access_cidrs=[198.51.100.0/24]",),
            (
                "cluster.api.public_access_cidrs allows 198.51.100.0/24: is the address of this"
                " machine"
            ),
        ),
        (
            "Pulumi.dev.yaml",
            ("cluster.api.public_access_cidrs=[]",),
            "cluster.api.public_access_cidrs is empty, so it answers inside the VPC only",
        ),
        (
            "examples/first-try/Pulumi.first-try.yaml",
            (),
            "cluster.api.public_access_cidrs allows 0.0.0.0/0",
        ),
        (
            "Pulumi.airgap-hub.yaml",
            (),
            "run this stack inside the network, for example on the runner (docs/airgap.md)",
        ),
    ],
)
def test_it_is_one_line_with_a_cure_in_every_kind_of_stack(
    file: str, settings: tuple[str, ...], cure: str
) -> None:
    said = refusal(access_of(file, *settings), SILENT)
    assert said.startswith(
        "the Kubernetes API at abc.gr7.us-east-1.eks.amazonaws.com does not answer from here"
        f" (timed out): {cure}"
    )
    assert "\n" not in said


def test_a_cluster_that_was_there_is_looked_for_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(json.dumps(KUBECONFIG))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    access = access_of("examples/kubeadm/Pulumi.kubeadm.yaml")
    monkeypatch.setattr(provider, "under_an_engine", lambda: True)
    monkeypatch.setattr(provider, "fault", lambda address: SILENT if address.port == 443 else None)
    with pytest.raises(pulumi.RunError) as caught:
        provider._look(access)
    said = (
        "does not answer from here (timed out): is the cluster up, and is this machine in its"
        " network?"
    )
    assert str(caught.value).startswith(
        f"the Kubernetes API at abc.gr7.us-east-1.eks.amazonaws.com {said}"
    )
    provider._look(dataclasses.replace(access, paused=True))  # its machines stand still


def test_an_api_that_answers_lets_the_kubeconfig_through() -> None:
    assert asked(access_of("Pulumi.dev.yaml"), None) == json.dumps(KUBECONFIG)


def test_a_new_cluster_is_waited_for_and_an_old_one_is_not() -> None:
    access, now = access_of("Pulumi.dev.yaml"), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert asked(access, YOUNG, YOUNG, None, created=now) == json.dumps(KUBECONFIG)
    assert asked(
        access, YOUNG, None, created=time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime())
    ) == json.dumps(KUBECONFIG)
    assert "connection refused" in refusal(access, YOUNG)
    assert "timed out" in refusal(access, SILENT, created=now), (
        "who stands outside of the listed networks is told at once"
    )
    assert "timed out" in refusal(access, YOUNG, SILENT, created=now)


@pytest.mark.real
def test_an_update_that_lets_one_in_is_not_refused_for_not_being_let_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    access = access_of("Pulumi.dev.yaml", "cluster.api.public_access_cidrs=[198.51.100.0/24]")
    now = SimpleNamespace(endpoint_public_access=True, public_access_cidrs=["203.0.113.0/24"])
    address = Address(host="abc.eks.amazonaws.com", port=443)

    async def judged(found: SimpleNamespace) -> bool:
        return await provider._unless_it_changes(access, address, SILENT, found).is_known()

    with mock.patch.object(pulumi.log, "warn") as warned:
        assert asyncio.run(judged(now)) is False
    (line,) = warned.call_args.args
    assert "203.0.113.0/24 becomes 198.51.100.0/24" in line and "\n" not in line
    with pytest.raises(pulumi.RunError, match=r"allows 198\.51\.100\.0/24"):
        asyncio.run(
            judged(
                SimpleNamespace(
                    endpoint_public_access=True, public_access_cidrs=["198.51.100.0/24"]
                )
            )
        )


@pytest.mark.real
def test_a_plan_asks_no_question(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(json.dumps(KUBECONFIG))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(provider, "fault", lambda _: pytest.fail("a plan reaches nobody"))
    for file in (
        "Pulumi.dev.yaml",
        "Pulumi.airgap-hub.yaml",
        "examples/kubeadm/Pulumi.kubeadm.yaml",
    ):
        recorded(read(ROOT / file))


def test_the_component_is_not_told_of_the_public_endpoint_and_the_cluster_is() -> None:
    """Told, `pulumi_eks` asks for /healthz for five minutes at every `up`, through whatever
    proxy there is.
    """
    recording = record("cluster.api.public_access_cidrs=[198.51.100.0/24]")
    assert (
        not {"endpointPublicAccess", "publicAccessCidrs"}
        & recording.one("eks:index:Cluster").inputs.keys()
    )
    assert recording.one("aws:eks/cluster:Cluster").inputs["vpcConfig"]["publicAccessCidrs"] == [
        "198.51.100.0/24"
    ]
    closed = record("cluster.api.public_access_cidrs=[]")
    assert closed.one("eks:index:Cluster").inputs["endpointPublicAccess"] is False
