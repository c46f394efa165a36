"""A certificate of a hub's own on its first day and when it is renewed (E8)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.in_process import in_process
from tests.support.stack_files import ROOT

STACK = ROOT / "examples" / "kubeadm" / "Pulumi.kubeadm.yaml"
HOST = "hub.corp.example"


def _planned(folder: Path, name: str, authority: Authority) -> dict[str, dict]:
    setting = f"hubs.main.entry.tls.certificate={json.dumps(authority.issue(HOST).pem)}"
    done = in_process(["plan", str(STACK), "--set", setting, "--json", str(folder / name)], folder)
    assert done.returncode == 0, done.stderr
    return {
        resource["name"]: resource
        for resource in json.loads((folder / name).read_text())["resources"]
    }


def test_the_first_certificate_restarts_nothing_and_a_renewed_one_is_said_to_restart_the_proxy(
    tmp_path: Path,
) -> None:
    authority = Authority("Authority")
    old = _planned(tmp_path, "old.json", authority)
    assert "spec" not in old["hub-main-proxy-certificate"]["inputs"], (
        "the proxy has just started with it"
    )
    assert old["hub-main-first-certificate"]["ignore_changes"] == ["keepers"]
    _planned(tmp_path, "new.json", authority)
    said = " ".join(
        in_process(
            ["diff", str(tmp_path / "old.json"), str(tmp_path / "new.json")],
            tmp_path,
            {"COLUMNS": "200"},
        ).stdout.split()
    )
    assert (
        "another certificate: the hub's proxy restarts, all connections drop for some seconds,"
        " servers keep running" in said
    )
    assert "hub main: the hub restarts" not in said
