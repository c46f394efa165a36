"""What follows from one pool agrees byte for byte: node labels and taints, the autoscaler's tags
and priorities, and what the hub's pods say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.components.pools.groups import kubelet_flags as spec_flags
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.node_groups import priorities
from tests.support.stack_files import SOURCE, changed, dev_stack, engine_values
from tests.support.stacks import (
    LABELS,
    RESOURCES,
    TAINTS,
    beneath,
    kubelet_flags,
    node_config,
    record,
    tags_of,
)

ON_DEMAND_MEMORY = (
    "pools.memory={capacity: on_demand, instance_types: [r6i.2xlarge, r5.2xlarge], size: {max: 3},"
    " labels: {example.org/team: astro, tier: ''}}"
)
STACKS = {
    "as committed": (),
    "a volume per person": ("homes={kind: ebs}",),
    "on demand only, own labels": (ON_DEMAND_MEMORY,),
    "spot only": ("pools.gpu.capacity=spot", "pools.memory.capacity=spot"),
    "a name that looks like a market": (
        "pools.spot={capacity: spot_first, instance_types: [m7i.large, m6i.large], size: {max: 1}}",
    ),
}
GROUP, TEMPLATE, RELEASE = (
    "aws:autoscaling/group:Group",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "kubernetes:helm.sh/v3:Release",
)
REPELLING = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group as far as agreement goes, whether it was recorded or computed."""

    name: str
    spot: bool
    flags: Mapping[str, str]
    tags: Mapping[str, str]
    types: Sequence[str]
    scheduling: Mapping[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        return dict(label.split("=", 1) for label in self.flags["--node-labels"].split(","))

    @property
    def taints(self) -> list[tuple[str, str, str]]:
        return [
            re.fullmatch(r"([^=]+)=([^:]*):(\w+)", taint).groups()
            for taint in self.flags["--register-with-taints"].split(",")
        ]


@pytest.fixture(params=STACKS.values(), ids=STACKS)
def recording(request):
    return record(*request.param)


def groups_of(recording):
    """Every recorded group with the template that it launches from, and the scheduling exported
    for its pool.
    """
    for group in recording.resources.of(GROUP):
        policy = group.inputs["mixedInstancesPolicy"]
        (template,) = recording.resources.referred(
            policy["launchTemplate"]["launchTemplateSpecification"]["launchTemplateId"], TEMPLATE
        )
        assert template.parent == group.parent, "a group launches from another group's template"
        flags = kubelet_flags(template)
        pool = re.search(r"(?:^|,)jupyterhub-aws/pool=([^,]+)", flags["--node-labels"])[1]
        yield Group(
            name=group.inputs["name"],
            spot=policy["instancesDistribution"]["onDemandPercentageAboveBaseCapacity"] == 0,
            flags=flags,
            tags=tags_of(group),
            types=[override["instanceType"] for override in policy["launchTemplate"]["overrides"]],
            scheduling=recording.outputs["scheduling"][pool],
        )


def assert_node_and_tags_agree(group):
    """Rebuilds each flag's text from the tags alone, so that one byte of difference shows."""
    labels, taints = beneath(group.tags, LABELS), beneath(group.tags, TAINTS)
    assert group.flags["--node-labels"] == ",".join(
        f"{key}={value}" for key, value in sorted(labels.items())
    )
    assert sorted(group.flags["--register-with-taints"].split(",")) == sorted(
        f"{key}={value}" for key, value in taints.items()
    )
    resources = beneath(group.tags, RESOURCES)
    memory = re.fullmatch(r"(\d+)Mi", resources["memory"])
    least = min(instance_type(name).memory_mib for name in group.types)
    assert 0 < int(memory[1]) <= least, (
        "from more memory than there is the autoscaler would add nodes for ever"
    )
    gpus = {instance_type(name).gpus for name in group.types}
    assert gpus == {int(resources.get("nvidia.com/gpu", "0"))}
    assert ("nvidia.com/gpu", "present", "NoSchedule") in group.taints or gpus == {0}, (
        "people without a GPU would fill GPU nodes"
    )


def assert_pods_land(group, siblings):
    """What the hub's pods say lets them onto every node of their pool, and onto no other pool's."""
    selector, tolerations, affinity = (
        group.scheduling[key] for key in ("node_selector", "tolerations", "affinity")
    )
    assert selector.items() <= group.labels.items()
    for key, value, effect in group.taints:
        assert effect in REPELLING
        assert {"key": key, "operator": "Equal", "value": value, "effect": effect} in tolerations
    own = [sibling for sibling in siblings if sibling.scheduling == group.scheduling]
    needed = {taint for sibling in own for taint in sibling.taints}
    assert {(item["key"], item["value"], item["effect"]) for item in tolerations} == needed, (
        "a pod tolerates what no node of its pool has"
    )
    if affinity:
        (preferred,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
        (expression,) = preferred["preference"]["matchExpressions"]
        assert (group.labels.get(expression["key"]) in expression["values"]) is group.spot, (
            "the preference must pick exactly the spot nodes"
        )
        assert expression["operator"] == "In" and {sibling.spot for sibling in own} == {True, False}
    else:
        assert len({sibling.spot for sibling in own}) == 1, (
            "with two markets a pod has to prefer spot"
        )


def assert_priorities_fit(ranks, groups):
    """Each name is matched by one expression of its market's rank and by the catch-all; a spot
    name ranks above an on-demand one.
    """
    catch_all = min(ranks, key=int)
    assert ranks[catch_all] == [".*"], (
        "without it the autoscaler would never grow a group that no expression names"
    )
    rank_of = {}
    for group in groups:
        matching = [
            (int(rank), text)
            for rank, texts in ranks.items()
            if rank != catch_all
            for text in texts
            if re.search(text, group.name)
        ]
        assert len(matching) == 1, f"{group.name} is matched by {matching}"
        rank_of[group.name] = matching[0][0]
    spot = {rank_of[group.name] for group in groups if group.spot}
    on_demand = {rank_of[group.name] for group in groups if not group.spot}
    assert (
        len(spot) <= 1
        and len(on_demand) <= 1
        and all(high > low for high in spot for low in on_demand)
    )
    expressions = [text for rank, texts in ranks.items() if rank != catch_all for text in texts]
    assert len(expressions) == len(groups), "an expression is left over"
    foreign = (
        [f"x-{group.name}" for group in groups]
        + [f"{group.name}0" for group in groups]
        + [group.name[:-7] for group in groups]
    )
    foreign += [
        "x-jhub-dev-memory-spot-abcdef",
        "eks-jhub-dev-memory-spot",
        "jhub-dev-memory-spot-abcdeg",
        "jhub-dev-other-spot-abcdef",
        "spot",
    ]
    assert not [(text, name) for text in expressions for name in foreign if re.search(text, name)]


@pytest.mark.real
def test_node_labels_and_taints_are_those_of_the_autoscalers_tags(recording):
    groups = list(groups_of(recording))
    assert len(groups) == len(recording.resources.of(GROUP)) > 0
    for group in groups:
        assert_node_and_tags_agree(group)


def test_user_pods_land_on_every_group_of_their_pool_and_on_no_other(recording):
    groups = list(groups_of(recording))
    for group in groups:
        assert_pods_land(group, groups)
        fitting = [
            other
            for other in groups
            if group.scheduling["node_selector"].items() <= other.labels.items()
        ]
        assert all(other.scheduling == group.scheduling for other in fitting), (
            "another pool's nodes fit the selector"
        )
        assert group.scheduling["gpus"] == int(
            beneath(group.tags, RESOURCES).get("nvidia.com/gpu", "0")
        )


def test_priorities_name_each_group_of_the_stack_once_spot_first(recording):
    values = recording.one(RELEASE, "autoscaler-release").inputs["values"]
    assert values["extraArgs"]["expander"].split(",")[0] == "priority", (
        "without this expander nobody reads the priorities"
    )
    assert_priorities_fit(values["expanderPriorities"], list(groups_of(recording)))


def test_the_autoscaler_finds_each_group_and_believes_its_disk(recording):
    cluster = recording.outputs["cluster_name"]
    values = recording.one(RELEASE, "autoscaler-release").inputs["values"]
    assert values["autoDiscovery"] == {"clusterName": cluster}
    for group in recording.resources.of(GROUP):
        tags = tags_of(group)
        # The chart asks for exactly these two keys (values.yaml, autoDiscovery.tags).
        assert (
            tags["k8s.io/cluster-autoscaler/enabled"] == "true"
            and tags[f"k8s.io/cluster-autoscaler/{cluster}"] == "owned"
        )
        assert len(tags) <= 50, "AWS takes at most 50 tags"
        template = recording.under(recording.resources.by_urn[group.parent], TEMPLATE)
        (volume,) = template.inputs["blockDeviceMappings"]
        assert beneath(tags, RESOURCES)["ephemeral-storage"] == f"{volume['ebs']['volumeSize']}Gi"
        assert node_config(template)["spec"]["cluster"]["name"] == cluster


def test_agents_go_where_user_nodes_are_and_past_their_taints(recording):
    groups = list(groups_of(recording))
    agents = {
        release.name: release.inputs["values"]
        for release in recording.resources.of(RELEASE)
        if release.name.startswith("node-agents")
    }
    for group in groups:
        for name, values in agents.items():
            gpu_only = "device-plugin" in name
            assert (values["nodeSelector"].items() <= group.labels.items()) is (
                not gpu_only or group.scheduling["gpus"] > 0
            )
            everything = {"operator": "Exists"} in values["tolerations"]
            tolerated = {
                (item["key"], item["value"], item["effect"])
                for item in values["tolerations"]
                if "key" in item
            }
            assert (
                everything
                or not gpu_only
                or not group.scheduling["gpus"]
                or set(group.taints) <= tolerated
            )


@pytest.mark.parametrize(("length", "fits"), [(82, True), (83, False)])
def test_a_label_is_refused_whose_tag_aws_would_refuse(length, fits):
    key = "a" * 60 + ".org/" + "b" * (length - 65)
    config = engine_values(changed(dev_stack(), put={"pools.memory.labels": {key: "x"}}))[0]
    if fits:
        assert (
            max(
                len(tag)
                for group in resolve(load(config, source=SOURCE)).node_pools.groups
                for tag in group.tags({})
            )
            == 128
        )
        return
    with pytest.raises(
        ConfigError,
        match=(
            r"pools\.memory\.labels\..*is too long for the autoscaler's tag of it \(got 83"
            r" characters\); shorten it to 82"
        ),
    ):
        load(config, source=SOURCE)


#: Types of one shape each: alike on Intel, on Graviton, with one GPU, with four.
SHAPES = (
    ["r5n.2xlarge", "r6i.2xlarge", "r5.2xlarge"],
    ["r6g.2xlarge", "r7g.2xlarge"],
    ["g4dn.xlarge"],
    ["g4dn.12xlarge"],
    ["m7i.large", "m6i.large"],
)
NAMES = st.one_of(
    st.sampled_from(["spot", "on-demand", "memory-spot", "memory", "spot-a", "memory-on-demand"]),
    st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,3})?", fullmatch=True),
).filter(lambda name: name != "core")
LABEL_KEYS = st.from_regex(r"([a-z]{1,5}\.org/)?[a-z][a-zA-Z0-9]{0,9}", fullmatch=True)
POOLS = st.fixed_dictionaries(
    {
        "capacity": st.sampled_from(["spot_first", "spot", "on_demand"]),
        "instance_types": (
            st.sampled_from(SHAPES).flatmap(
                lambda types: st.lists(st.sampled_from(types), min_size=1, unique=True)
            )
        ),
        "size": st.integers(1, 450).map(lambda most: {"max": most}),
        "max_pods": st.integers(15, 110),
        "labels": st.dictionaries(
            LABEL_KEYS, st.from_regex(r"([a-z][a-z0-9._-]{0,9}z)?", fullmatch=True), max_size=3
        ),
    }
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    pools=st.dictionaries(NAMES, POOLS, min_size=1, max_size=4),
    homes=st.sampled_from(["efs", "ebs"]),
)
def test_any_pools_agree_and_their_names_never_meet(pools, homes):
    core = dev_stack()["jupyterhub-aws:pools"]["core"]
    values, _ = engine_values(
        changed(
            dev_stack(),
            put={"pools": {"core": core, **pools}, "homes": {"kind": homes}, "hubs": {}},
        )
    )
    stack = load(values, source=SOURCE)
    specs = resolve(stack).node_pools.groups
    groups = [
        Group(
            name=spec.group_name,
            spot=spec.market == "spot",
            flags=dict(flag.split("=", 1) for flag in spec_flags(spec)),
            tags=spec.tags(stack.tags.as_aws(stack.name)),
            types=[kind.name for kind in spec.pool.types],
            scheduling={
                "node_selector": spec.pool.node_selector,
                "tolerations": spec.pool.tolerations,
                "affinity": spec.pool.affinity,
            },
        )
        for spec in specs
    ]
    assert (
        len({group.name for group in groups}) == len(groups) == len({spec.stem for spec in specs})
    )
    assert all(len(group.name) <= 255 and len(group.tags) <= 50 for group in groups)
    for group in groups:
        assert_node_and_tags_agree(group)
        assert_pods_land(group, groups)
    assert_priorities_fit(priorities(specs), groups)
