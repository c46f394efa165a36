"""Core pods on core nodes: the filters against verdicts of the real scheduler, arrangements
against all arrangements, and what a stack's own values ask for.
"""

from __future__ import annotations

import datetime
import itertools
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.core_nodes import (
    core_groups,
    core_nodes,
    core_nodes_fit,
    core_pods,
    daemons,
)
from jupyterhub_aws.checks.placement import (
    PODS,
    SchedulableNode,
    SchedulablePod,
    arranged,
    pod_of,
    refusals,
)
from jupyterhub_aws.config.core_addons import addon_pods
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.node_size import core_pods_of, quantity
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, FULL, plan_once, record

TRIALS = ROOT / "tests" / "trials" / "cases"
DAY = datetime.date(2026, 11, 29)
GIB = 1024**3
#: What every pod tolerates by admission (Kubernetes, DefaultTolerationSeconds).
ALWAYS = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute"}
    for name in ("not-ready", "unreachable")
]


@cache
def scheduler_cases() -> list[dict[str, Any]]:
    return json.loads(
        (ROOT / "tests" / "fixtures" / "scheduler_cases.json").read_text(encoding="utf-8")
    )["cases"]


def node_of(raw: dict[str, Any], running: list[dict[str, Any]]) -> SchedulableNode:
    room = {key: quantity(value) for key, value in raw["allocatable"].items()}
    node = SchedulableNode(
        name=raw["name"],
        labels=raw["labels"],
        room=room,
        taints=raw.get("taints", []),
        cordoned=bool(raw.get("unschedulable")),
    )
    for pod in running:
        if pod["spec"].get("nodeName") == raw["name"] and pod.get("phase") not in (
            "Succeeded",
            "Failed",
        ):
            node = node.without(pod_of("running", pod["spec"]))
    return node


@pytest.mark.parametrize("case", scheduler_cases(), ids=lambda case: case["id"])
def test_nodes_take_pods_as_the_real_scheduler_says(case: dict[str, Any]) -> None:
    spec = dict(case["pod"]["spec"])
    spec["tolerations"] = [
        *(spec.get("tolerations") or []),
        *(case["verdict"].get("added_tolerations") or []),
        *ALWAYS,
    ]
    pod = pod_of("asked", spec)
    taken = {
        raw["name"] for raw in case["nodes"] if not refusals(pod, node_of(raw, case["running"]))
    }
    assert taken == set(case["verdict"]["feasible"])


def test_the_recorded_verdicts_are_of_every_kind() -> None:
    reasons = {
        reason
        for case in scheduler_cases()
        for found in case["verdict"]["infeasible"].values()
        for reason in found
    }
    assert (
        len(scheduler_cases()) > 70
        and {
            "Insufficient cpu",
            "Insufficient memory",
            "Too many pods",
            "node(s) were unschedulable",
        }
        <= reasons
    )
    assert any("taint" in reason for reason in reasons) and any(
        "affinity/selector" in reason for reason in reasons
    )


def node(cpu: float, pods: int = 20, **labels: str) -> SchedulableNode:
    return SchedulableNode(name="n", labels=labels, room={"cpu": cpu, PODS: pods})


def pod(cpu: float, **selector: str) -> SchedulablePod:
    return SchedulablePod(name="p", requests={"cpu": cpu}, node_selector=selector)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from([{}, {"a": "1"}])), max_size=5),
    st.lists(
        st.tuples(st.integers(1, 8), st.integers(1, 4), st.sampled_from([{}, {"a": "1"}])),
        min_size=1,
        max_size=3,
    ),
)
def test_an_arrangement_is_found_if_and_only_if_there_is_one(pods, nodes) -> None:
    asked = [pod(cpu, **selector) for cpu, selector in pods]
    rooms = [node(cpu, most, **labels) for cpu, most, labels in nodes]

    def works(places: tuple[int, ...]) -> bool:
        for index, room in enumerate(rooms):
            here = [one for one, place in zip(asked, places, strict=True) if place == index]
            if (
                sum(one.requests["cpu"] for one in here) > room.room["cpu"]
                or len(here) > room.room[PODS]
            ):
                return False
            if any(not one.node_selector.items() <= room.labels.items() for one in here):
                return False
        return True

    exists = any(
        works(places) for places in itertools.product(range(len(rooms)), repeat=len(asked))
    )
    assert arranged(asked, rooms) == ("yes" if exists else "no")


def test_three_large_pods_on_two_nodes_are_impossible_though_their_sum_is_not() -> None:
    assert arranged([pod(6)] * 3, [node(10), node(10)]) == "no"
    assert arranged([pod(5)] * 3, [node(10), node(10)]) == "yes"


def test_a_search_that_takes_too_long_says_that_it_does_not_know() -> None:
    hard = [pod(0.334 + index * 1e-6) for index in range(28)]
    assert (
        arranged(
            hard,
            [
                SchedulableNode(
                    name=str(index), labels={"n": str(index)}, room={"cpu": 1.0, PODS: 50}
                )
                for index in range(13)
            ],
        )
        == "unknown"
    )


@pytest.mark.parametrize(
    ("spec", "asks"),
    [
        ({"containers": [{"resources": {"limits": {"cpu": "1"}}}]}, {"cpu": 1}),
        ({"containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "500m"}}}]}, {"cpu": 1.5}),
        ({"initContainers": [{"resources": {"requests": {"cpu": "4"}}}], "containers": [{"resources": {"requests": {"cpu": "1"}}}]}, {"cpu": 4}),
        ({"initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "2"}}}],
          "containers": [{"resources": {"requests": {"cpu": "1"}}}]}, {"cpu": 3}),
        ({"containers": [{}], "overhead": {"cpu": "250m"}}, {"cpu": 0.25}),
        ({"containers": [{"resources": {"requests": {"cpu": "1"}}}], "resources": {"requests": {"cpu": "3"}}}, {"cpu": 3}),
    ],
)  # fmt: skip
def test_what_a_pod_asks_for(spec: dict[str, Any], asks: dict[str, float]) -> None:
    assert dict(pod_of("p", spec).requests) == pytest.approx(asks)


# What is predicted.


def test_every_add_on_that_a_stack_registers_is_in_the_table() -> None:
    known = {row.addon for row in addon_pods()}
    registered = {
        found.inputs["addonName"]
        for given in ALL_STACKS.values()
        for found in record(*given).resources.of("aws:eks/addon:Addon")
    }
    assert registered == known, "each add-on has its pods, and each row an add-on"
    assert all(row.source for row in addon_pods())


def test_all_pods_of_the_full_stack_are_predicted() -> None:
    resources = record(*FULL).resources
    names = sorted(item.pod.name for item in core_pods(resources))
    hubs = [f"{what} of {hub}" for what in ("hub", "proxy") for hub in ("ldap", "main", "port")]
    jobs = [f"hub-{hub}-usage-schedule" for hub in ("ldap", "main", "port")]
    addons = [
        "coredns",
        "coredns 2",
        "ebs-csi-controller",
        "ebs-csi-controller 2",
        "efs-csi-controller",
        "efs-csi-controller 2",
        "s3-csi-controller",
    ]
    assert names == sorted(
        [
            *hubs,
            *jobs,
            *addons,
            "cluster-autoscaler",
            "amazon-cloudwatch-observability-controller-manager",
        ]
    )
    agents = {item.name: item.requests for item in daemons(resources)}
    assert agents["cloudwatch-agent"]["cpu"] == pytest.approx(0.02), (
        "the stack's own configuration goes before the maker's default"
    )
    assert set(agents) == {row.name for row in addon_pods() if row.kind == "daemon"}


@pytest.mark.real
def test_hubs_tolerate_and_ask_for_what_the_chart_writes() -> None:
    resources = record(
        "hubs.main.helm_values={hub: {tolerations: [{key: own, operator: Exists}]}}"
    ).resources
    hub = next(item.pod for item in core_pods(resources) if item.pod.name == "hub of main")
    assert [item["key"] for item in hub.tolerations] == [
        "hub.jupyter.org/dedicated",
        "hub.jupyter.org_dedicated",
        "own",
    ]
    assert dict(hub.requests) == {"cpu": 0.2, "memory": 0.5 * GIB}
    labels = {"hub.jupyter.org/node-purpose": "core"}
    tainted = SchedulableNode(
        name="n",
        labels=labels,
        room={"cpu": 1, "memory": GIB, PODS: 5},
        taints=[{"key": "own", "value": "x", "effect": "NoSchedule"}],
    )
    assert refusals(hub, tainted) == []
    assert refusals(hub, SchedulableNode(name="n", labels={}, room=tainted.room)) == [
        "does not match its node affinity"
    ]


@pytest.mark.real
def test_a_node_is_its_smallest_type_less_what_is_on_every_node() -> None:
    resources = record("pools.core.instance_types=[m7i.large,m6i.large]").resources
    stack = plan_once(read(ROOT / "Pulumi.dev.yaml", ()), DAY).stack
    first, second = core_nodes(stack, resources, core_groups(resources)[0], 2)
    assert first.room == second.room and first.labels["hub.jupyter.org/node-purpose"] == "core"
    assert first.room["cpu"] == pytest.approx(1.93 - 0.05 - 0.1 - 0.01 - 0.03 - 0.02 - 0.05)
    assert 5 * GIB < first.room["memory"] < 6 * GIB and first.room[PODS] == 110 - 8


@pytest.mark.parametrize(
    ("name", "most"),
    [("t3.nano", 34), ("t3.medium", 110), ("m7i.large", 110), ("m7i.8xlarge", 250)],
)
def test_pods_of_a_core_node(name: str, most: int) -> None:
    assert core_pods_of(instance_type(name)) == most


# What a stack says.


def found(case: str, *given: str) -> list[tuple[str, str, str]]:
    findings = plan_once(read(TRIALS / f"{case}.yaml", given), DAY).findings
    return [
        (item.status, item.message, item.fix or "")
        for item in findings
        if item.id == "core-nodes-fit"
    ]


def values(given: str) -> str:
    return f"hubs.main.helm_values={given}"


def hubs(count: int) -> list[str]:
    entries = [{"kind": "port_forward", "local_port": 8100 + index} for index in range(count)]
    sign_in = {
        "kind": "github",
        "client_id": "Iv1.exampleexample",
        "allowed_organizations": ["my-lab"],
    }
    return [
        f"hubs.h{index}={json.dumps({'sign_in': sign_in, 'entry': entries[index]})}"
        for index in range(count)
    ]


FAILS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "t3.nano": ("plan-core-too-small", (), "a core node has 0 MiB of memory for pods"),
    "a hub of 64 GiB": ("plan-hub-larger-than-core-node", (), "hub of main asks for 65,536 MiB of memory, and a core node has 5,709 MiB"),
    "above its own limit": ("plan-hub-larger-than-core-node", (), "asks for more memory than its own limit"),
    "a foreign selector": ("plan-base", (values("{hub: {nodeSelector: {disk: ssd}}}"),), "does not have the labels of its node selector (disk: ssd)"),
    "of the proxy": ("plan-base", (values("{proxy: {chp: {nodeSelector: {jupyterhub-aws/pool: user}}}}"),), "proxy of main finds no core node"),
    "another zone": ("plan-base", (values("{hub: {nodeSelector: {topology.kubernetes.io/zone: us-east-1b}}}"),), "hub of main finds no core node"),
    "affinity": (
        "plan-base",
        (values("{hub: {extraPodSpec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
                "[{matchExpressions: [{key: gpu, operator: Exists}]}]}}}}}}"),),
        "does not match its node affinity",
    ),
    "twelve hubs": ("plan-base", (*hubs(11), "pools.core.instance_types=[t3.medium]", "pools.core.size=1"), "do not fit on 1 core node (t3.medium)"),
    "too many cores": ("plan-base", (values("{hub: {resources: {requests: {cpu: '3'}, limits: {cpu: '4'}}}}"),), "asks for 3 cores"),
    "a container beside the hub": (
        "plan-base",
        (values("{hub: {extraContainers: [{name: sync, image: 'example.org/sync:1', resources: {requests: {memory: 6Gi}}}]}}"),),
        "hub of main asks for 6,656 MiB",
    ),
    "no amount": ("plan-base", (values("{hub: {resources: {requests: {memory: 2GB}}}}"),), "an amount that Kubernetes refuses"),
}  # fmt: skip
FITS = {
    "as it is": (),
    "one node": ("pools.core.size=1",),
    "a label of the pool": (
        "pools.core.labels={disk: ssd}",
        values("{hub: {nodeSelector: {disk: ssd}}}"),
    ),
    "the right zone": (values("{hub: {nodeSelector: {topology.kubernetes.io/zone: us-east-1a}}}"),),
    "one small node": ("pools.core.instance_types=[t3.medium]", "pools.core.size=1"),
    "twelve hubs on larger nodes": (*hubs(11), "pools.core.instance_types=[m7i.2xlarge]"),
    "paused": ("paused=true",),
}


@pytest.mark.real
@pytest.mark.parametrize("case", FAILS)
def test_what_finds_no_room_fails(case: str) -> None:
    name, given, says = FAILS[case]
    told = found(name, *given)
    assert {status for status, _, _ in told} == {"fail"} and any(
        says in message for _, message, _ in told
    ), told
    assert all(fix for _, _, fix in told)


@pytest.mark.real
@pytest.mark.parametrize("case", FITS)
def test_what_finds_room_passes(case: str) -> None:
    assert [status for status, _, _ in found("plan-base", *FITS[case])] == ["pass"]


@pytest.mark.real
def test_a_fix_names_the_number_of_nodes_that_would_do() -> None:
    few = (*hubs(11), "pools.core.instance_types=[t3.medium]")
    ((_, _, fix),) = found("plan-base", *few, "pools.core.size=1")
    number = int(fix.split("pools.core.size to ")[1].split(",")[0])
    assert next(
        status for status, _, _ in found("plan-base", *few, f"pools.core.size={number}")
    ) in ("pass", "warn")
    assert [
        status for status, _, _ in found("plan-base", *few, f"pools.core.size={number - 1}")
    ] == ["fail"]


@pytest.mark.real
def test_a_node_lost_that_leaves_no_room_is_a_warning() -> None:
    ((status, message, fix),) = found(
        "plan-base", *hubs(5), "pools.core.instance_types=[t3.medium]", "pools.core.size=3"
    )
    assert (
        status == "warn"
        and "when one of 3 core nodes is lost" in message
        and "pools.core.size" in fix
    )


@pytest.mark.real
@pytest.mark.parametrize("stack", ALL_STACKS)
def test_no_stack_of_ours_lacks_room(stack: str) -> None:
    given = ALL_STACKS[stack]
    name, given = (
        (given[0].removeprefix("stack="), given[1:])
        if given and given[0].startswith("stack=")
        else ("dev", given)
    )
    made = plan_once(
        read(ROOT / name if name.endswith(".yaml") else ROOT / f"Pulumi.{name}.yaml", given), DAY
    )
    told = core_nodes_fit(made.stack, made.recording.everything)
    assert {item.status for item in told} <= {"pass", "skip"}, told
