"""A drain that is killed at any call goes on and ends the same, and nobody's server is ended by
it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cloud import cloud
from tests.support.in_process import in_process
from tests.support.live import environment
from tests.support.nodes_of_a_cluster import cluster_in, fake_cluster, impatient, killed_at, preload
from tests.support.stack_files import ROOT

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    "after", [False, True], ids=["before the call did anything", "after it did"]
)
def test_killed_at_any_call_the_next_run_ends_the_same(tmp_path: Path, after: bool) -> None:
    preload()
    (tmp_path / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text())
    cluster = fake_cluster(tmp_path / "bin")
    for name, number in (("old-1", 1), ("old-2", 1), ("new-1", 2)):
        cluster.node(name, generation=number)
    cluster.server("ada", "old-1", ends_after=3)
    cluster.server("bob", "old-2", ends_after=4)
    cluster.server("eve", "new-1")
    before, hits, arguments = (
        cluster.file.read_text(),
        0,
        ["drain", "dev", "memory", "--generation", "1"],
    )
    with cloud() as account:
        account.reset()
        cluster_in(account)
        env = {
            **{key: value for key, value in environment(account.url).items() if value},
            **cluster.environment,
        }
        for call in range(1, 40):
            cluster.file.write_text(before)
            if not killed_at(cluster, call, arguments, (tmp_path, env), after=after):
                break
            hits += 1
            state = cluster.state
            assert state["stopped"] == [] and all(
                state["pods"][pod]["node"] in state["nodes"] for pod in state["pods"]
            ), "a node went with somebody on it"
            with impatient():
                done = in_process(arguments, tmp_path, env)
            assert done.returncode == 0, done.stderr
            state = cluster.state
            assert (
                sorted(state["nodes"]) == ["new-1"]
                and state["stopped"] == []
                and list(state["pods"]) == ["jupyter-eve"]
            )
    assert hits >= 8, "there are more calls than that: the test killed nothing"
