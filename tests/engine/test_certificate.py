"""A hub's own certificate on the real engine: a key of another one is refused, and a renewed one
restarts the proxy and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.harness import Engine
from tests.engine.runs import Preview, Run
from tests.support.certificates import Authority, Issued, key_pem, new_key
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real

AUTHORITY = Authority("Authority")
HOST = "hub.corp.example"
OFFLINE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def put(engine: Engine, issued: Issued, key: str) -> None:
    engine.put(hubs__main__entry__tls__certificate=issued.pem)
    engine.set_secret("hub-main-tls-key", key, **OFFLINE)


@pytest.fixture(scope="module")
def engine(new_engine: Callable[..., Engine]) -> Engine:
    engine = new_engine()
    engine.stack = "kubeadm"
    (engine.project / "Pulumi.kubeadm.yaml").write_bytes(
        (ROOT / "examples" / "kubeadm" / "Pulumi.kubeadm.yaml").read_bytes()
    )
    engine.run("stack", "init", "kubeadm", **OFFLINE)
    return engine


@pytest.fixture(scope="module")
def refused(engine: Engine) -> tuple[str, str]:
    """What the engine says of another certificate's key, and that key."""
    another = key_pem(new_key())
    put(engine, AUTHORITY.issue(HOST), another)
    return engine.refused("preview", **OFFLINE), another


@pytest.fixture(scope="module")
def built(engine: Engine, refused: tuple[str, str]) -> Run:
    issued = AUTHORITY.issue(HOST)
    put(engine, issued, issued.key_pem)
    return engine.up(**OFFLINE)


@pytest.fixture(scope="module")
def renewed(engine: Engine, built: Run) -> Preview:
    issued = AUTHORITY.issue(HOST)
    put(engine, issued, issued.key_pem)
    return engine.preview(**OFFLINE)


def test_a_key_of_another_certificate_is_refused_and_not_shown(refused: tuple[str, str]) -> None:
    said, key = refused
    assert (
        "hubs.main.entry.tls: the secret hub-main-tls-key is not the key of the certificate: it"
        " belongs to another certificate" in " ".join(said.split())
    )
    assert not [line for line in key.splitlines()[1:-1] if line in said]


def test_a_second_look_is_quiet(engine: Engine, built: Run) -> None:
    assert engine.preview("--expect-no-changes", **OFFLINE).changes == {}


def _patch(engine: Engine) -> dict[str, Any]:
    (found,) = [
        item["inputs"]
        for item in engine.resources()
        if item["urn"].endswith("::hub-main-proxy-certificate")
    ]
    return found


def test_the_first_certificate_does_not_start_the_proxy_twice(engine: Engine, built: Run) -> None:
    assert "spec" not in _patch(engine)


def test_a_renewed_certificate_touches_the_secret_and_the_proxy_only(renewed: Preview) -> None:
    assert {urn.rpartition("::")[2]: change for urn, change in renewed.changes.items()} == {
        "hub-main-secrets-tls": "update",
        "hub-main-proxy-certificate": "update",
    }


def test_a_renewed_certificate_starts_the_proxy_once(engine: Engine, renewed: Preview) -> None:
    engine.up(**OFFLINE)
    patch = _patch(engine)
    digest = patch["metadata"]["annotations"]["jupyterhub-aws/certificate"]
    assert patch["spec"] == {
        "template": {"metadata": {"annotations": {"jupyterhub-aws/certificate": digest}}}
    }
    assert engine.preview("--expect-no-changes", **OFFLINE).changes == {}
