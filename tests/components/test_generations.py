"""Generations: new nodes come before old ones go, the old ones only shrink, and a stack that
says nothing has today's names.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks import hubs, nodes
from jupyterhub_aws.checks.cost_lines import user_hours
from jupyterhub_aws.checks.placement import user_nodes
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.checks.user_pods import hub_releases, user_pods
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.pools import GENERATION, Retiring, retired
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import priorities
from tests.checks.doctored import dev, doctored
from tests.support.stack_files import SOURCE, changed, dev_stack, engine_values
from tests.support.stacks import LABELS, TAINTS, beneath, kubelet_flags, tags_of

GROUP, TEMPLATE, CORE = (
    "aws:autoscaling/group:Group",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:eks/nodeGroup:NodeGroup",
)
RELEASE = "kubernetes:helm.sh/v3:Release"
SECOND = (
    "pools.memory.generation=2",
    "pools.memory.size.min=1",
    "pools.memory.retiring=[{generation: 1}]",
)
OLD_TYPES = "[r5n.2xlarge, r6in.2xlarge, r6i.2xlarge, r5.2xlarge]"


def groups_of(*stack_settings):
    return {group.name: group for group in dev(*stack_settings)[1].of(GROUP)}


def shape_of(group, resources):
    """All that decides what nodes of a group are, and whether AWS makes another group of it."""
    (template,) = resources.referred(group.inputs["mixedInstancesPolicy"], TEMPLATE)
    return (
        group.urn,
        group.inputs["name"],
        kubelet_flags(template),
        beneath(tags_of(group), LABELS),
        beneath(tags_of(group), TAINTS),
    )


@pytest.mark.real
def test_a_stack_that_says_nothing_and_one_that_says_the_first_are_alike():
    said = dev("pools.memory.generation=1", "pools.core.generation=1", "pools.memory.retiring=[]")[
        1
    ]
    assert [(item.urn, item.inputs) for item in said] == [
        (item.urn, item.inputs) for item in dev()[1]
    ]


@pytest.mark.real
def test_the_old_groups_stay_what_they_were_and_can_only_shrink():
    before, after = dev()[1], dev(*SECOND)[1]
    old = {group.name: group for group in before.of(GROUP) if "memory" in group.name}
    now = {group.name: group for group in after.of(GROUP)}
    assert len(old) == 2
    for name, group in old.items():
        kept = now[name]
        assert shape_of(kept, after) == shape_of(group, before)
        assert set(kept.inputs["suspendedProcesses"]) == {
            "AZRebalance",
            "Launch",
        }, "AWS would replace a node that ended"
        assert (kept.inputs["minSize"], kept.inputs["maxSize"]) == (
            0,
            group.inputs["maxSize"],
        ), "a lower maximum ends nodes; a minimum keeps them"
        differs = {key for key in group.inputs if group.inputs[key] != kept.inputs.get(key)}
        assert differs <= {"suspendedProcesses"} and set(kept.inputs) == set(group.inputs)
    fresh = {name: group for name, group in now.items() if "-g2-" in name}
    assert len(fresh) == 2
    assert all(
        group.inputs["suspendedProcesses"] == ["AZRebalance"] and group.inputs["minSize"] == 1
        for group in fresh.values()
    )


def test_no_server_fits_an_old_node_whatever_the_autoscaler_takes_as_its_likeness():
    """By labels, which a running node, a remembered one and the group's tags all have alike."""
    stack, resources = dev(*SECOND)
    found = list(user_nodes(stack, resources))
    retiring = [node for node in found if node.retiring]
    pods = [pod for release in hub_releases(resources) for pod in user_pods(release)]
    assert len(retiring) == 2 and len(pods) == 3
    assert not [
        (pod.profile, node.name) for pod in pods for node in retiring if pod.may_run_on(node.labels)
    ]
    for pod in pods:
        assert any(pod.may_run_on(node.labels) for node in found if not node.retiring), (
            f"{pod.profile} finds no node at all"
        )
    assert [finding.status for finding in hubs.servers_find_nodes(stack, resources)] == ["pass"]


def test_priorities_name_the_new_groups_and_leave_the_old_to_the_last_rank():
    stack, resources = dev(*SECOND)
    ranks = next(
        item for item in resources.of(RELEASE) if item.name == "autoscaler-release"
    ).inputs["values"]["expanderPriorities"]
    for group in resources.of(GROUP):
        matching = [
            int(rank)
            for rank, texts in ranks.items()
            for text in texts
            if re.search(text, group.inputs["name"])
        ]
        assert (max(matching) == 1) is ("Launch" in group.inputs["suspendedProcesses"]), group.name
    assert [finding.status for finding in nodes.priorities(stack, resources)] == ["pass"]


def test_a_priority_of_a_retiring_group_is_found():
    stack, resources = dev(*SECOND)

    def named(inputs):
        if "expanderPriorities" in inputs["values"]:
            inputs["values"]["expanderPriorities"]["50"].append(
                "^jhub-dev-memory-spot-[0-9a-f]{6}$"
            )

    _, spoilt = doctored(resources, RELEASE, named)
    assert any(
        "retires, but a priority asks it to grow" in finding.message
        for finding in nodes.priorities(stack, spoilt)
    )


def test_a_server_that_may_start_on_an_old_node_is_found():
    stack, resources = dev(*SECOND)

    def forgetful(release):
        for profile in release["values"]["singleuser"]["profileList"]:
            profile["kubespawner_override"]["node_selector"].pop(GENERATION, None)

    spoilt = []
    for item in resources:
        inputs = copy.deepcopy(dict(item.inputs))
        if item.name == "hub-main-release":
            forgetful(inputs)
        spoilt.append(replace(item, inputs=inputs))
    messages = [
        finding.message
        for finding in hubs.servers_find_nodes(stack, Resources(spoilt))
        if finding.status == "fail"
    ]
    assert any("which retires and gets no further node" in message for message in messages)


@pytest.mark.real
def test_another_shape_and_market_keep_the_old_groups_by_what_they_were():
    old = f"retiring: [{{generation: 1, capacity: spot_first, instance_types: {OLD_TYPES}}}]"
    pool = (
        "pools.memory={generation: 2, capacity: on_demand, instance_types: [r7i.4xlarge], size:"
        f" {{max: 10}}, {old}}}"
    )
    before, after = groups_of(), groups_of(pool)
    for name in ("pools-memory-spot-group", "pools-memory-on-demand-group"):
        assert after[name].inputs["name"] == before[name].inputs["name"]
    assert "pools-memory-on-demand-g2-group" in after and "pools-memory-spot-g2-group" not in after


@pytest.mark.real
def test_what_an_hour_costs_is_told_of_the_nodes_that_servers_start_on():
    old = "pools.memory.retiring=[{generation: 1, instance_types: [r5n.2xlarge]}]"
    stack, resources = dev(
        "pools.memory.generation=2", "pools.memory.instance_types=[r7i.4xlarge]", old
    )
    assert {
        hour.type for hour in user_hours(stack, resources, Prices()) if hour.pool == "memory"
    } == {"r7i.4xlarge"}


@pytest.mark.real
def test_old_gpu_nodes_keep_their_agent_when_the_new_ones_have_no_gpu():
    old = "retiring: [{generation: 1, instance_types: [g4dn.12xlarge]}]"
    more = (
        "pools.gpu={generation: 2, capacity: on_demand, instance_types: [m7i.2xlarge], size:"
        f" {{max: 2}}, {old}}}"
    )
    _, resources = dev("hubs={}", more)
    assert [item.name for item in resources.of(RELEASE) if "device-plugin" in item.name]


@pytest.mark.real
def test_a_raised_generation_of_core_nodes_makes_another_group_and_keeps_its_urn():
    (before,), (after,) = dev()[1].of(CORE), dev("pools.core.generation=2")[1].of(CORE)
    assert before.urn == after.urn
    assert before.inputs["nodeGroupName"] != after.inputs["nodeGroupName"], (
        "by another name the new one can be there before the old one goes"
    )


POOL = st.fixed_dictionaries(
    {
        "capacity": st.sampled_from(["spot_first", "spot", "on_demand"]),
        "instance_types": st.just(["m7i.large"]),
        "size": st.just({"max": 3}),
        "generation": st.integers(1, 999),
    }
)
NAMES = st.sampled_from(
    ["spot", "memory", "memory-spot", "memory-spot-g2", "g2", "memory-on-demand", "on-demand-g3"]
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    pools=st.dictionaries(NAMES, POOL, min_size=1, max_size=4),
    homes=st.sampled_from(["efs", "ebs"]),
    back=st.lists(st.integers(1, 998), max_size=3),
)
def test_names_of_generations_never_meet_and_each_new_group_has_one_priority(pools, homes, back):
    core = dev_stack()["jupyterhub-aws:pools"]["core"]
    for pool in pools.values():
        pool["retiring"] = [
            {"generation": number}
            for number in sorted({number for number in back if number < pool["generation"]})
        ]
    values, _ = engine_values(
        changed(
            dev_stack(),
            put={"pools": {"core": core, **pools}, "homes": {"kind": homes}, "hubs": {}},
        )
    )
    specs = resolve(load(values, source=SOURCE)).node_pools.groups
    assert (
        len({spec.group_name for spec in specs}) == len({spec.stem for spec in specs}) == len(specs)
    )
    ranks = priorities(specs)
    for spec in specs:
        matching = [
            text
            for texts in ranks.values()
            for text in texts
            if text != ".*" and re.search(text, spec.group_name)
        ]
        assert len(matching) == (0 if spec.retiring else 1)
    current = {spec.pool.name: spec.labels.items() for spec in specs if not spec.retiring}
    for spec in specs:
        selector = next(
            item.pool.node_selector
            for item in specs
            if item.pool.name == spec.pool.name and not item.retiring
        )
        assert (selector.items() <= spec.labels.items()) is not spec.retiring
    assert current


@pytest.mark.real
@pytest.mark.parametrize("markets", [("spot", "spot"), ("on_demand", "spot_first")])
def test_a_retired_pool_is_valid_by_itself(markets):
    stack, _ = dev(
        f"pools.memory={{capacity: {markets[0]}, generation: 2, instance_types: [r5.2xlarge], size:"
        " {min: 2, max: 4}}",
        "hubs={}",
    )
    old = retired(stack.pools.bought["memory"], Retiring(generation=1, capacity=markets[1]))
    assert (old.capacity, old.generation, old.size.min, old.size.max, old.retiring) == (
        markets[1],
        1,
        0,
        4,
        (),
    )
