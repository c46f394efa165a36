"""What a real engine, real plugins and a real API server found wrong, each held to its right answer without them. tests/engine has the long form."""

from __future__ import annotations

import pytest

from tests.support.kept_by_the_api import not_kept, secrets_shown
from tests.support.stacks import ALL_STACKS, record_anew

_MORE = {
    "no mount options": ("stack=examples/kubeadm/Pulumi.kubeadm.yaml", "homes.mount_options=[]"),
    "a usage report over NFS": ("stack=examples/kubeadm/Pulumi.kubeadm.yaml", "homes.usage_report={}"),
    "a closed hub without a volume": ("stack=airgap", "parts=all", "hubs.main.database={kind: sqlite_memory_that_loses_sessions}"),
    "first try": ("stack=examples/first-try/Pulumi.first-try.yaml",),
}


@pytest.mark.parametrize("settings", [*ALL_STACKS.values(), *_MORE.values()], ids=[*ALL_STACKS, *_MORE])
def test_nothing_is_sent_that_the_api_does_not_keep(settings: tuple[str, ...]) -> None:
    with secrets_shown():
        resources = record_anew(*settings).resources
    found = {f"{item.type}::{item.name}": paths for item in resources if (paths := not_kept(item))}
    assert found == {}
