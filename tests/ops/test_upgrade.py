"""`jhub upgrade plan`: which steps, in which order, what each does to whom, and what EKS would
refuse.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from jupyterhub_aws.operate.upgrade.steps import path, roll_before
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT

MINORS = ["1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]


def upgrade(folder: Path, *arguments: str) -> Done:
    return in_process(["upgrade", "plan", *arguments], folder, {"COLUMNS": "80"})


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("stacks")
    shutil.copy(ROOT / "Pulumi.dev.yaml", folder)
    done = upgrade(folder, "dev", "--to", "1.36", "--json", "--as-of", "2026-11-28")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["format"], data["from"], data["to"]) == (
        "jupyterhub-aws/upgrade/1",
        "1.35",
        "1.36",
    )
    assert "core/v1 Namespace" in data["apis"] and not any("beta" in api for api in data["apis"])
    return data["steps"]


@pytest.mark.real
def test_the_steps_come_in_this_order(steps: list[dict]) -> None:
    changes = [step["change"] for step in steps]
    assert changes == [
        {},
        {"cluster.version": "1.36"},
        {
            "pools.gpu.generation": 2, "pools.gpu.retiring": [{"generation": 1}],
            "pools.memory.generation": 2, "pools.memory.retiring": [{"generation": 1}],
        },
        {},
        {"pools.gpu.retiring": None, "pools.memory.retiring": None},
        {},
        {},
    ]  # fmt: skip
    assert steps[3]["commands"] == [
        "jhub drain dev gpu --generation 1",
        "jhub drain dev memory --generation 1",
    ]


def test_what_a_step_does_is_measured(steps: list[dict]) -> None:
    cluster, fresh, gone = steps[1], steps[2], steps[4]
    assert cluster["worst"] == "interrupts" and gone["worst"] == "replaces"
    assert fresh["worst"] == "costs more", "two generations stand side by side"
    assert {effect["class"] for effect in fresh["effects"]} == {
        "costs more",
        "interrupts",
        "routine",
    }
    says = [effect["says"] for effect in cluster["effects"]]
    assert any("hub and proxy move" in text for text in says) and any(
        "the control plane is updated in place" in text for text in says
    )
    assert not any(
        "servers on them" in effect["says"]
        for step in (cluster, fresh)
        for effect in step["effects"]
    ), "nobody's server ends before the last step"
    assert any(
        "the group retires: running servers continue" in effect["says"]
        for effect in fresh["effects"]
    )
    assert not any(
        "no longer a notification" in effect["says"]
        for effect in (*fresh["effects"], *gone["effects"])
    ), "the alarms of retiring groups watch nothing"
    assert sum(
        "retires, and no longer starts nodes" in effect["says"] for effect in fresh["effects"]
    ) == len(("gpu", "memory")) * len(("spot", "od"))
    assert {effect["subject"] for effect in gone["effects"] if effect["class"] == "replaces"} == {
        f"aws:autoscaling/group:Group::pools-{pool}-{market}-group"
        for pool in ("gpu", "memory")
        for market in ("spot", "on-demand")
    }


def test_the_last_step_tries_the_hub_as_users_do(steps: list[dict]) -> None:
    assert "jhub health dev" in steps[-1]["commands"]


def test_the_order_inside_an_up_is_that_of_dependencies(steps: list[dict]) -> None:
    order = steps[1]["order"]
    assert order[0] == "cluster-control-plane-eksCluster", (
        "a kubelet must not be newer than the API server"
    )
    assert (
        order.index("cluster-addons-kube-proxy")
        < order.index("pools-core-group")
        < order.index("pools-addons-coredns")
    )
    assert order.index("cluster-control-plane-eksCluster") < order.index(
        "pools-memory-spot-template"
    )


def test_every_step_says_how_long_and_how_to_go_back(steps: list[dict]) -> None:
    assert all(step["takes"] and step["back"] for step in steps)
    assert (
        "within 7 days" in steps[1]["back"]
        and "cannot be undone" in steps[1]["back"]
        and "not measured" in steps[1]["takes"]
    )


@pytest.mark.real
def test_it_fits_a_terminal(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    done = upgrade(tmp_path, "dev", "--to", "1.36", "--as-of", "2026-11-28")
    assert done.returncode == 0
    assert (
        max(len(line) for line in done.stdout.splitlines() if not line.startswith("   run ")) <= 80
    ), "but for commands, which are copied whole"


@pytest.mark.real
def test_a_retiring_generation_that_is_there_already_stays_beside_the_new_one(
    tmp_path: Path,
) -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    price = '      max_price: "0.40"'
    (tmp_path / "Pulumi.dev.yaml").write_text(
        text.replace(price, f"      generation: 4\n      retiring: [{{ generation: 3 }}]\n{price}")
    )
    done = upgrade(tmp_path, "dev", "--to", "1.36", "--json")
    changes = json.loads(done.stdout)["steps"][2]["change"]
    assert changes["pools.memory.generation"] == 5 and changes["pools.memory.retiring"] == [
        {"generation": 3},
        {"generation": 4},
    ]


@pytest.mark.parametrize(
    ("stack", "target", "says", "which"),
    [
        (
            "Pulumi.dev.yaml",
            "1.34",
            "--to: is older than what the stack has (1.34 < 1.35)",
            "upgrade.version",
        ),
        ("Pulumi.dev.yaml", "1.35", "--to: is the version that", "upgrade.version"),
        (
            "Pulumi.dev.yaml",
            "1.37",
            "--to: has no pinned versions here (got '1.37'); choose one of 1.35, 1.36",
            "upgrade.version",
        ),
        ("Pulumi.dev.yaml", "latest", "--to: has no pinned", "upgrade.version"),
        (
            "Pulumi.airgap-hub.yaml",
            "1.36",
            "plan that one: jhub upgrade plan airgap --to 1.36",
            "upgrade.inner-stack",
        ),
        (
            "examples/kubeadm/Pulumi.kubeadm.yaml",
            "1.36",
            "cluster.kind: ",
            "upgrade.other-cluster",
        ),
    ],
)
def test_what_is_refused(stack: str, target: str, says: str, which: str) -> None:
    done = upgrade(ROOT, str(ROOT / stack), "--to", target)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""
    assert f"[{which}]" in done.stderr


def test_a_paused_stack_is_not_upgraded(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text.replace("config:\n", "config:\n  paused: true\n", 1), encoding="utf-8")
    done = upgrade(tmp_path, str(file), "--to", "1.36")
    assert done.returncode == 2 and "[upgrade.paused]" in done.stderr, done.stderr


@pytest.mark.real
def test_a_closed_network_fills_its_registry_first() -> None:
    done = upgrade(ROOT, str(ROOT / "Pulumi.airgap.yaml"), "--to", "1.36", "--json")
    found = json.loads(done.stdout)["steps"]
    assert found[1]["commands"][0].startswith(
        "jhub bundle lock"
    ) and "on the runner: pulumi up" in " ".join(found[3]["notes"])
    assert "jhub health" in " ".join(found[-1]["notes"]) and not any(
        "health" in line for line in found[-1]["commands"]
    ), "only the inside can be asked"


@pytest.mark.parametrize(
    ("start", "end", "known", "expected"),
    [
        ("1.34", "1.36", MINORS, ["1.35", "1.36"]),
        ("1.35", "1.36", MINORS, ["1.36"]),
        ("1.32", "1.37", MINORS, ["1.33", "1.34", "1.35", "1.36", "1.37"]),
    ],
)
def test_one_minor_at_a_time(start: str, end: str, known: list[str], expected: list[str]) -> None:
    assert path(start, end, known) == expected


def test_a_minor_version_in_between_without_pins_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one minor at a time, and 1\.35 in between"):
        path("1.34", "1.36", ["1.34", "1.36"])


@pytest.mark.parametrize(
    ("nodes", "following", "first"),
    [("1.33", "1.36", False), ("1.33", "1.37", True), ("1.35", "1.36", False)],
)
def test_a_kubelet_may_be_three_minors_behind_and_no_more(
    nodes: str, following: str, first: bool
) -> None:
    assert roll_before(nodes, following) is first
