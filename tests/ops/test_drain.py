"""Draining nodes: nobody new comes, nobody is ended without a word, empty nodes go; and whatever
is killed goes on.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from tests.support.cloud import Cloud, cloud
from tests.support.data_examples import described
from tests.support.data_keys import faults
from tests.support.in_process import Done, in_process
from tests.support.live import environment
from tests.support.nodes_of_a_cluster import (
    FakeCluster,
    changing,
    cluster_in,
    fake_cluster,
    hub_of,
    impatient,
)
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def stack_of() -> StackConfig:
    file = read(ROOT / "Pulumi.dev.yaml")
    return load(file.values, secret=file.secret, source=file.source)


def surroundings(cluster: FakeCluster, account: Cloud) -> dict[str, str]:
    return {
        **{key: value for key, value in environment(account.url).items() if value},
        **cluster.environment,
    }


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with cloud() as found:
        found.reset()
        cluster_in(found)
        yield found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    price = '      max_price: "0.40"'
    (folder / "Pulumi.dev.yaml").write_text(
        text.replace(price, f"      generation: 2\n      retiring: [{{ generation: 1 }}]\n{price}")
    )
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    """Two old nodes with people, one new one with somebody, and a node of another pool."""
    found = fake_cluster(tmp_path / "bin")
    for name in ("old-1", "old-2"):
        found.node(name)
    found.node("new-1", generation=2)
    found.node("gpu-1", pool="gpu")
    found.server("ada", "old-1", ends_after=4)
    found.server("bob", "old-2", ends_after=6, name="second")
    found.server("eve", "new-1")
    found.server("gil", "gpu-1")
    found.server("plugin", "old-1", kind="daemon")
    return found


def drain(cluster: FakeCluster, account: Cloud, place: Path, *arguments: str) -> Done:
    with impatient():
        return in_process(["drain", "dev", *arguments], place, surroundings(cluster, account))


def test_the_old_nodes_empty_by_themselves_and_go_and_no_other_node_does(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    done = drain(cluster, account, place, "memory", "--generation", "1")
    assert done.returncode == 0, done.stderr
    state = cluster.state
    assert sorted(state["nodes"]) == ["gpu-1", "new-1"] and not any(
        node["cordoned"] for node in state["nodes"].values()
    )
    assert state["stopped"] == [] and state["told"] == [], "without --by nobody is told or stopped"
    assert {item["user"] for item in state["pods"].values() if item["kind"] == "server"} == {
        "eve",
        "gil",
    }
    assert "$ kubectl --context jhub-dev cordon old-1 old-2" in done.stderr, (
        "what changes something is shown"
    )
    assert "ada (main)" in done.stderr and "bob/second (main)" in done.stderr
    assert "Take it out of pools.memory.retiring" in done.stdout
    assert not [call for call in state["calls"] if call.split()[0] in ("drain", "delete")]


def test_a_job_reads_which_nodes_were_emptied_and_whose_servers_ended(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    done = drain(cluster, account, place, "memory", "--generation", "1", "--json")
    found = described("drain", done.stdout)
    assert (done.returncode, found["state"], found["generation"]) == (0, "drained", 1)
    assert found["nodes"] == ["old-1", "old-2"] and found["servers"] == []
    assert found["not_needed"] == "pools.memory.retiring" and found["warning"] is None
    cordoned, ended, gone = found["steps"]
    assert cordoned["subjects"] == ["old-1", "old-2"] and "old-2" in gone["subjects"]
    assert ended["subjects"] == ["ada (main)", "bob/second (main)"]
    assert done.stderr.endswith(f"{found['says']}\n")


def test_a_job_reads_who_is_still_there(
    cluster: FakeCluster, account: Cloud, two_groups_of_one: Path
) -> None:
    line = ("memory", "--no-wait", "--json")
    done = drain(cluster, account, two_groups_of_one, *line)
    (problem,) = described("problems", done.stdout)["problems"]
    assert done.returncode == 2 and problem["id"] == "command.needs-yes"
    done = drain(cluster, account, two_groups_of_one, *line, "--yes")
    found = json.loads(done.stdout)
    assert faults("drain", found) == [] and found["state"] == "cordoned"
    assert {(item["hub"], item["user"], item["server"]) for item in found["servers"]} == {
        ("main", "ada", ""),
        ("main", "bob", "second"),
        ("main", "eve", ""),
    }
    assert "no other node of memory takes servers" in found["warning"]
    assert found["not_needed"] is None


def test_a_second_run_finds_everything_done(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    assert drain(cluster, account, place, "memory", "--generation", "1").returncode == 0
    again = drain(cluster, account, place, "memory", "--generation", "1")
    assert again.returncode == 0 and again.stderr.count("already so") == 3, again.stderr


def test_a_server_that_does_not_end_is_never_ended_without_a_word(
    cluster: FakeCluster, account: Cloud, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyterhub_aws.operate.drain.drain._OWN_TIME_SECONDS", 0.4)
    cluster.server("ada", "old-1", ends_after=None)
    done = drain(cluster, account, place, "memory", "--generation", "1")
    assert (
        done.returncode == 2
        and "servers end by themselves: is not done after" in done.stderr
        and "ada (main)" in done.stderr
    )
    state = cluster.state
    assert "old-1" in state["nodes"] and "jupyter-ada" in state["pods"] and state["stopped"] == []


def test_with_a_notice_users_are_notified_first_and_only_servers_on_the_nodes_are_stopped(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    for user, node in (("ada", "old-1"), ("bob", "old-2")):
        cluster.server(user, node, ends_after=None)
    with hub_of(cluster):
        done = drain(cluster, account, place, "memory", "--generation", "1", "--by", "6s")
    assert done.returncode == 0, done.stderr
    state = cluster.state
    assert sorted(state["nodes"]) == ["gpu-1", "new-1"]
    assert {item["user"] for item in state["stopped"]} == {"ada", "bob"}
    assert all(item["told"] > 1 for item in state["stopped"]), "stopped before anybody was told"
    assert state["told"][0]["text"].startswith(
        "Old machines of the pool memory are replaced: servers that run on them stop in"
    )
    assert not any(told["closed"] for told in state["told"]), (
        "who starts a server meanwhile gets a new node: nobody is kept out"
    )
    assert not any(name in told["text"] for told in state["told"] for name in ("ada", "bob")), (
        "everybody of the hub reads it"
    )
    assert state["notice"] is None, "the notice is gone with the nodes"
    assert {item["user"] for item in state["pods"].values() if item["kind"] == "server"} == {
        "eve",
        "gil",
    }


def test_what_an_earlier_run_said_counts_on(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    from jupyterhub_aws.operate.drain.drain import _AFTERWARDS, _BEGINS

    with changing(cluster.file) as state:
        state["notice"] = {
            "text": _BEGINS.format(pool="memory") + "…",
            "seconds": _AFTERWARDS,
            "closed": False,
        }
    cluster.server("ada", "old-1", ends_after=None)
    with hub_of(cluster):
        done = drain(cluster, account, place, "memory", "--generation", "1", "--by", "5h")
    assert done.returncode == 0 and "ada" in [item["user"] for item in cluster.state["stopped"]], (
        done.stderr
    )


def test_interrupted_during_the_notice_no_server_was_stopped(
    cluster: FakeCluster, account: Cloud, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "jupyterhub_aws.operate.live.notifier.time",
        SimpleNamespace(time=time.time, sleep=interrupted),
    )
    cluster.server("ada", "old-1", ends_after=None)
    with hub_of(cluster):
        done = drain(cluster, account, place, "memory", "--generation", "1", "--by", "1h")
    assert done.returncode == 2 and "was called off" in done.stderr
    assert (
        cluster.state["stopped"] == []
        and cluster.state["notice"] is None
        and "jupyter-ada" in cluster.state["pods"]
    )


def test_without_waiting_no_new_server_comes_and_nothing_else_happens(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    done = drain(cluster, account, place, "memory", "--no-wait")
    assert (
        done.returncode == 0
        and "3 nodes take no server any more; 3 servers are on them." in done.stdout
    ), done.stderr
    assert {name for name, node in cluster.state["nodes"].items() if node["cordoned"]} == {
        "old-1",
        "old-2",
        "new-1",
    }


def templated(
    account: Cloud, names: list[str], *, sizes: tuple[int, int, int], new: list[str]
) -> dict[str, list[str]]:
    """Groups of one template: those under `new` start its second version. Returns the instances
    of each.
    """
    ec2, groups = account.client("ec2"), account.client("autoscaling")
    image, subnet = (
        ec2.describe_images()["Images"][0]["ImageId"],
        ec2.describe_subnets()["Subnets"][0]["SubnetId"],
    )
    data = {"ImageId": image, "InstanceType": "t3.micro"}
    found = {}
    for name in names:
        template = ec2.create_launch_template(
            LaunchTemplateName=f"{name}-t", LaunchTemplateData=data
        )["LaunchTemplate"]["LaunchTemplateId"]

        def policy(version: str, template: str = template) -> dict[str, Any]:
            specification = {"LaunchTemplateId": template, "Version": version}
            return {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": specification,
                    "Overrides": [{"InstanceType": "t3.micro"}],
                }
            }

        owned = {
            "Key": "k8s.io/cluster-autoscaler/jhub-dev",
            "Value": "owned",
            "PropagateAtLaunch": True,
        }
        tags = [{"ResourceId": name, "ResourceType": "auto-scaling-group", **owned}]
        groups.create_auto_scaling_group(
            AutoScalingGroupName=name, MixedInstancesPolicy=policy("1"), MinSize=sizes[0], MaxSize=sizes[1], DesiredCapacity=sizes[2],
            VPCZoneIdentifier=subnet, Tags=tags,
        )  # fmt: skip
        if name in new:
            ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
            groups.update_auto_scaling_group(
                AutoScalingGroupName=name, MixedInstancesPolicy=policy("2")
            )
        (group,) = groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ]
        found[name] = [item["InstanceId"] for item in group["Instances"]]
    return found


@pytest.fixture
def fresh(account: Cloud) -> Iterator[Cloud]:
    """The account with room for groups that a test makes from templates of its own."""
    yield account
    groups = account.client("autoscaling")
    for group in groups.describe_auto_scaling_groups()["AutoScalingGroups"]:
        groups.delete_auto_scaling_group(
            AutoScalingGroupName=group["AutoScalingGroupName"], ForceDelete=True
        )
    for template in account.client("ec2").describe_launch_templates()["LaunchTemplates"]:
        account.client("ec2").delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])


def group_names() -> tuple[str, str]:
    names = {
        group.market: group.group_name
        for group in resolve(stack_of()).node_pools.groups
        if group.pool.name == "memory"
    }
    return names["spot"], names["on-demand"]


def test_old_ones_are_those_of_an_older_template_whatever_their_generation(
    tmp_path: Path, fresh: Cloud
) -> None:
    spot, on_demand = group_names()
    instances = templated(fresh, [spot, on_demand], sizes=(0, 5, 2), new=[spot])
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    cluster = fake_cluster(tmp_path / "bin")
    for name, number, group in (("a", 0, spot), ("b", 1, spot), ("c", 0, on_demand)):
        cluster.node(name, instance=instances[group][number])
    done = drain(cluster, fresh, tmp_path, "memory", "--old")
    assert done.returncode == 0, done.stderr
    assert sorted(cluster.state["nodes"]) == ["c"] and not cluster.state["nodes"]["c"]["cordoned"]
    (group,) = fresh.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[spot]
    )["AutoScalingGroups"]
    assert {item["InstanceId"] for item in group["Instances"]} == set(instances[spot]), (
        "above its smallest size they are the autoscaler's to take"
    )


def test_an_empty_node_at_the_smallest_size_is_replaced_and_one_with_a_pod_is_not(
    tmp_path: Path, fresh: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group at its smallest size keeps its nodes, old as they are: AWS is asked for others."""
    monkeypatch.setattr("jupyterhub_aws.operate.drain.drain._GOING_SECONDS", 0.5)
    spot, on_demand = group_names()
    instances = templated(fresh, [spot, on_demand], sizes=(2, 5, 2), new=[spot])
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    cluster = fake_cluster(tmp_path / "bin")
    with changing(cluster.file) as state:
        state["autoscaler"] = False
    cluster.node("a", instance=instances[spot][0])
    cluster.node("b", instance=instances[spot][1])
    cluster.node("c", instance=instances[on_demand][0])
    cluster.server("agent", "a", kind="daemon")
    cluster.server("somebodys-job", "b", kind="job")
    done = drain(cluster, fresh, tmp_path, "memory", "--old")
    assert done.returncode == 2 and "empty nodes go: " in done.stderr, done.stderr
    assert "[step.not-done]" in done.stderr, "the nodes of this cluster never go"
    (group,) = fresh.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[spot]
    )["AutoScalingGroups"]
    left = {item["InstanceId"] for item in group["Instances"]}
    assert (
        instances[spot][0] not in left
        and instances[spot][1] in left
        and group["DesiredCapacity"] == 2
    )
    (other,) = fresh.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[on_demand]
    )["AutoScalingGroups"]
    assert [item["InstanceId"] for item in other["Instances"]] == instances[on_demand]


@pytest.mark.parametrize(
    ("arguments", "says", "which"),
    [
        (["core"], "POOL: ", "drain.core"),
        (
            ["nothing"],
            "(got 'nothing'); choose one of gpu, memory",
            "drain.no-pool",
        ),
        (["memory", "--old", "--generation", "1"], "--old: and --generation", "command.exclusive"),
        (["memory", "--no-wait", "--by", "1h"], "--no-wait: and --by", "command.exclusive"),
        (["memory", "--by", "25:00"], "'25:00' is not a time", ""),
        (["memory", "--by", "30h"], "'30h' is not a time", ""),
    ],
)
def test_what_is_refused(
    cluster: FakeCluster, account: Cloud, place: Path, arguments: list[str], says: str, which: str
) -> None:
    done = drain(cluster, account, place, *arguments)
    assert done.returncode == 2 and says in done.stderr
    assert not which or f"[{which}]" in done.stderr
    assert cluster.state["calls"] == []


def test_another_account_is_refused_by_its_number(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    file = place / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("123456789012", "210987654321"))
    done = drain(cluster, account, place, "memory")
    assert (
        done.returncode == 2
        and "the stack is in account 210987654321" in done.stderr
        and "[account.other]" in done.stderr
        and cluster.state["calls"] == []
    )


# --- the last nodes that take servers ---


@pytest.fixture
def two_groups_of_one(place: Path) -> Path:
    """The pool may have one node of each market, and two are there."""
    file = place / "Pulumi.dev.yaml"
    text = file.read_text()
    assert text.count("size: { min: 0, max: 10 }") == 1
    file.write_text(text.replace("size: { min: 0, max: 10 }", "size: { min: 0, max: 1 }"))
    return place


def test_draining_the_last_nodes_for_new_servers_needs_confirmation(
    cluster: FakeCluster, account: Cloud, two_groups_of_one: Path
) -> None:
    done = drain(cluster, account, two_groups_of_one, "memory", "--no-wait")
    assert done.returncode == 2 and "[command.needs-yes]" in done.stderr, done.stderr
    assert (
        "new-1, old-1, old-2: no other node of memory takes servers, and the pool has as many nodes"
        " as it may (2)" in done.stderr
    )
    assert not any(node["cordoned"] for node in cluster.state["nodes"].values())
    assert (
        drain(cluster, account, two_groups_of_one, "memory", "--no-wait", "--yes").returncode == 0
    )
    assert [name for name, node in cluster.state["nodes"].items() if node["cordoned"]] == [
        "old-1",
        "old-2",
        "new-1",
    ]


def test_where_other_nodes_take_servers_no_confirmation_is_needed(
    cluster: FakeCluster, account: Cloud, two_groups_of_one: Path
) -> None:
    assert (
        drain(
            cluster, account, two_groups_of_one, "memory", "--generation", "1", "--no-wait"
        ).returncode
        == 0
    )


def test_where_the_autoscaler_brings_another_node_no_confirmation_is_needed(
    cluster: FakeCluster, account: Cloud, place: Path
) -> None:
    assert drain(cluster, account, place, "memory", "--no-wait").returncode == 0


def test_the_only_worker_of_a_cluster_that_was_there_is_asked_about(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "Pulumi.kubeadm.yaml").write_bytes(
        (ROOT / "examples" / "kubeadm" / "Pulumi.kubeadm.yaml").read_bytes()
    )
    with changing(cluster.file) as state:
        for name in ("old-2", "new-1"):
            del state["nodes"][name]
    with impatient():
        done = in_process(["drain", "kubeadm", "memory", "--no-wait"], folder, cluster.environment)
    assert done.returncode == 2 and "[command.needs-yes]" in done.stderr, done.stderr
    assert (
        "old-1: no other node of memory takes servers, and none comes by itself. Until you run `kubectl uncordon NODE`, no user can start"
        in done.stderr
    )
    assert not cluster.state["nodes"]["old-1"]["cordoned"]


@pytest.mark.parametrize(
    ("base", "old", "path", "which"),
    [
        ("examples/kubeadm/Pulumi.kubeadm.yaml", True, "--old", "drain.existing-nodes"),
        ("Pulumi.airgap.yaml", False, "STACK", "split.outer-has-no-hubs"),
    ],
)
def test_pools_that_are_not_drained_so(base: str, old: bool, path: str, which: str) -> None:
    from jupyterhub_aws.config.errors import ConfigError
    from jupyterhub_aws.operate.drain.drain import pool_of
    from tests.support.stack_cases import load_case

    with pytest.raises(ConfigError) as caught:
        pool_of(load_case({"base": base}), "memory", old=old)
    assert [(item.path, item.id) for item in caught.value.problems] == [(path, which)]
