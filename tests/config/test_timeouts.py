"""The autoscaler gives up before the hub does, whatever the pools; and what pods really get on a
node.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.node_size import addresses_of_node, most_pods, node_size
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.timeouts import timeouts
from tests.checks.doctored import dev

from jupyterhub_aws.config.load import load  # isort: skip
from jupyterhub_aws.config.stack_file import read  # isort: skip
from tests.support.stack_files import ROOT  # isort: skip

KINDS = ["r5n.2xlarge", "g4dn.12xlarge", "m7i.large"]


def stack_with(capacities: list[tuple[str, str]]):
    file = read(ROOT / "Pulumi.dev.yaml")
    pools = {"core": {"instance_types": ["m7i.large"]}}
    pools |= {
        f"p{index}": {"capacity": capacity, "instance_types": [kind], "size": {"max": 1}}
        for index, (capacity, kind) in enumerate(capacities)
    }
    return load(
        {**file.values, "jupyterhub-aws:pools": json.dumps(pools), "jupyterhub-aws:hubs": "{}"},
        source="x",
    )


@pytest.mark.real
@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["spot", "spot_first", "on_demand"]), st.sampled_from(KINDS)),
        max_size=4,
    )
)
def test_the_hub_waits_longer_than_every_attempt_of_the_autoscaler(
    capacities: list[tuple[str, str]],
) -> None:
    found = timeouts(stack_with(capacities))
    attempts = 2 if any(capacity == "spot_first" for capacity, _ in capacities) else 1
    assert found.server_start_seconds > attempts * found.node_provision_seconds, (
        "the hub would give up while a node is on its way"
    )


def test_gpu_nodes_are_given_more_time() -> None:
    assert (
        timeouts(stack_with([("spot", "g4dn.12xlarge")])).node_provision_seconds
        > timeouts(stack_with([("spot", "r5n.2xlarge")])).node_provision_seconds
    )


def test_the_autoscaler_is_told_this_very_number() -> None:
    stack, _ = dev()
    assert (
        resolve(stack).autoscaler.values["extraArgs"]["max-node-provision-time"]
        == f"{timeouts(stack).node_provision_seconds}s"
    )


def test_a_node_of_eight_cores_by_hand() -> None:
    """nodeadm: 60 + 10 + 2 x 5 + 4 x 2.5 millicores; memory less 7.5 %, 11 MiB x 40, 255 and
    100.
    """
    size = node_size(instance_type("r5n.2xlarge"), 40)
    assert size.cpu_millicores == 8000 - 90
    assert size.memory_mib == int(65536 * 0.925) - 440 - 255 - 100


def test_addresses_come_in_prefixes_of_sixteen() -> None:
    assert addresses_of_node(40) == 1 + (3 + 1) * 16
    assert addresses_of_node(16) == 1 + (1 + 1) * 16
    assert most_pods(instance_type("t3.nano")) < most_pods(instance_type("r5n.2xlarge")) == 110
