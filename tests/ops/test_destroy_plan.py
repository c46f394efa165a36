"""`jhub destroy plan`: what stays, what goes and what is left behind, for each shape of stack;
the same for either half.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.operate.teardown.plan import destroy_outcome
from tests.support.in_process import in_process
from tests.support.pause_shapes import SHAPES
from tests.support.stack_files import ROOT


def plan(stack: str, folder: Path = ROOT, *more: str) -> dict[str, Any]:
    done = in_process(["destroy", "plan", stack, "--json", *more], folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def names(items: list[dict[str, Any]], *, protected: bool = True) -> set[str]:
    return {item["name"] for item in items if item["protected"] or not protected}


def behind(found: dict[str, Any]) -> str:
    return "\n".join(item["what"] for item in found["left_behind"])


@pytest.mark.real
def test_one_stack() -> None:
    found = plan("dev")
    (step,) = found["steps"]
    assert step["run"] == "pulumi destroy -s dev --exclude-protected"
    assert names(step["stays"]) == {
        *(
            "cluster-key",
            "homes-file-system",
            "homes-access-point-main",
            "hub-main-cloud-database-a",
        ),
        *("backups-main-key", "backups-main-policy", "backups-main-vault"),
    }
    assert names(step["ends_with_the_cluster"], protected=False) == {
        "hub-main-namespace", "hub-main-homes-claim", "hub-main-homes-volume", "hub-main-database-volume-a"
    }  # fmt: skip
    order = [item["part"] for item in step["order"]]
    assert (
        order.index("hub-main")
        < order.index("pools")
        < order.index("cluster")
        < order.index("network")
    )
    assert order.index("hub-main") < order.index("homes") and order.index(
        "autoscaler"
    ) < order.index("cluster")
    assert (
        found["monthly"]["together"] == 2.16
        and found["before"][0]["run"] == "jhub who dev"
        and found["afterwards"] == "jhub orphans dev"
    )
    for words in (
        "balancers of Services that others made",
        "network interfaces",
        "/aws/eks/jhub-dev/cluster",
        "DNS record of hub.example.org",
    ):
        assert words in behind(found)


@pytest.mark.real
def test_both_stacks_of_a_split_are_judged_by_either_name() -> None:
    found = plan("airgap")
    assert found == plan("airgap-hub")
    inner, outer = found["steps"]
    assert (
        (inner["stack"], outer["stack"]) == ("airgap-hub", "airgap")
        and "runner" in inner["where"]
        and outer["where"] == ""
    )
    assert names(inner["stays"]) == {
        "hub-main-namespace",
        "hub-main-homes-claim",
        "hub-main-homes-volume",
        "hub-main-database-volume-a",
    }
    assert {
        "cluster-control-plane-eksCluster",
        "bundle-bucket",
        "cluster-key",
        "homes-file-system",
    } <= names(outer["stays"])
    needed = names(outer["stays"], protected=False) - names(outer["stays"])
    assert {
        "network-vpc",
        "cluster-logs",
    } <= needed, "a protected cluster needs its network, its role and its logs"
    assert inner["ends_with_the_cluster"] == [] and found["monthly"]["together"] == 75.16
    away = plan("airgap", ROOT, "--set", "cluster.protected=false")
    assert away["monthly"]["together"] == 2.16 and "network-vpc" not in names(
        away["steps"][1]["stays"], protected=False
    )


def test_a_cluster_that_was_there() -> None:
    found = plan(str(ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml"))
    (step,) = found["steps"]
    assert (
        names(step["stays"])
        and step["ends_with_the_cluster"] == []
        and found["afterwards"] is None
        and found["monthly"]["together"] == 0
    )
    assert "isilon.corp.example:/ifs/homes" in behind(found) and "balancers" not in behind(found)


def test_homes_on_volumes_and_a_database(tmp_path: Path) -> None:
    folder = SHAPES["open"].into(tmp_path)
    file = folder / "Pulumi.dev.yaml"
    file.write_text(
        re.sub(
            r"  homes:\n(    .*\n|\n(?=    ))*",
            "  homes: { kind: ebs, size_gib: 10 }\n",
            file.read_text(),
        )
    )
    found = plan("dev", folder)
    (step,) = found["steps"]
    assert "hub-second-cloud-database-instance" in names(step["stays"]), names(step["stays"])
    assert "homes-file-system" not in names(
        step["stays"]
    ) and "every user's home: a volume of 10 GiB each" in behind(found)
    assert "snapshots of jhub-dev-second-database" in behind(found)
    assert any(
        "PostgreSQL jhub-dev-second-database" in line["what"] for line in found["monthly"]["lines"]
    )


_POINTS = "aws backup list-recovery-points-by-backup-vault --region"
_EFS = f"{_POINTS} us-east-1 --backup-vault-name aws/efs/automatic-backup-vault"
_OWN = f"{_POINTS} us-east-1 --backup-vault-name jhub-dev-backups"
_SNAPSHOTS = (
    "aws ec2 describe-snapshots --region us-east-1 --owner-ids self --filters"
    " Name=tag:jupyterhub-aws/backup,Values=jhub-dev"
)


@pytest.mark.real
@pytest.mark.parametrize(
    ("settings", "finds"),
    [
        ((), [_OWN]),
        (
            (
                "backups.kind=aws_backup",
                "backups.copy_to_region.region=us-west-2",
            ),
            [_OWN, f"{_POINTS} us-west-2 --backup-vault-name jhub-dev-backups-copy"],
        ),
        (("backups.kind=snapshots",), [_SNAPSHOTS, _EFS]),
        (("backups.kind=snapshots", "homes.backup=false"), [_SNAPSHOTS]),
        (("backups.kind=none", "backups.reason=the-array-does"), []),
        (("backups.kind=none", "backups.reason=the-array-does", "homes.backup=true"), [_EFS]),
    ],
)
def test_backups_are_looked_for_where_they_are(
    tmp_path: Path, settings: tuple[str, ...], finds: list[str]
) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    found = plan("dev", tmp_path, *(part for setting in settings for part in ("--set", setting)))
    assert [item["find"] for item in found["left_behind"] if "backup" in item["find"]] == finds
    assert all(
        "vault" not in item["find"] or item["find"].split()[-1] in item["what"]
        for item in found["left_behind"]
    )


@pytest.mark.real
def test_forgetting_a_stack_keeps_its_file() -> None:
    """`pulumi stack rm` deletes Pulumi.STACK.yaml too, unless it is told not to."""
    text = in_process(["destroy", "plan", "airgap"], ROOT, {"COLUMNS": "80"}).stdout
    assert re.findall(r"\$ pulumi stack rm (.*\S)", text) == [
        "--preserve-config airgap-hub",
        "--preserve-config airgap",
    ]
    assert "pulumi stack rm --preserve-config" in plan("airgap")["left_behind"][-1]["why"]


@pytest.mark.real
def test_a_paused_stack_need_not_wake_unless_its_cluster_has_to(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path)
    found = plan("dev", tmp_path, "--set", "paused=true")
    assert found["paused"] and found["before"] == []
    text = in_process(["destroy", "plan", "dev", "--set", "paused=true"], tmp_path).stdout
    assert "it is paused, which may stay so" in " ".join(text.split())
    shape = SHAPES["kubeadm"]
    asleep = plan("kubeadm", shape.into(tmp_path), "--set", "paused=true")
    assert asleep["before"] == [
        {"why": "it is paused, and its cluster has to answer", "run": "jhub resume kubeadm"}
    ]


@pytest.mark.real
@pytest.mark.parametrize("stack", ["dev", "airgap-hub", "examples/kubeadm/Pulumi.kubeadm.yaml"])
def test_it_fits_a_terminal_and_commands_can_be_copied(stack: str) -> None:
    done = in_process(["destroy", "plan", stack], ROOT, {"COLUMNS": "80"})
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert done.returncode == 0 and max(map(len, lines)) <= 80
    copied = " ".join(done.stdout.replace("\\", " ").split())
    assert all(f"$ {step['run']}" in copied for step in plan(stack)["steps"])
    assert "Nothing is changed now." in copied and "Afterwards per month, US dollars:" in copied


def test_what_a_protected_resource_needs_stays_with_it() -> None:
    def made(
        name: str,
        *needs: str,
        protect: bool = False,
        retain: bool = False,
        kind: str = "aws:ec2/vpc:Vpc",
        parent: str | None = None,
    ) -> Resource:
        return Resource(
            urn=urn(name), type=kind, name=name, parent=None if parent is None else urn(parent), custom=True, protect=protect,
            retain_on_delete=retain, ignore_changes=(),
            import_id=None, provider=None, depends_on=tuple(map(urn, needs)), inputs={}, taggable=True,
        )  # fmt: skip

    def urn(name: str) -> str:
        return f"urn:pulumi:s::p::jupyterhub-aws:index:Made::{name}"

    found = Resources(
        [
            made("home", "net", protect=True, retain=True, parent="homes"),
            made("homes"),
            made("net", "root"),
            made("root"),
            made("other", "net"),
            made("claim", retain=True, kind="kubernetes:core/v1:PersistentVolumeClaim"),
            made("group", retain=True),
        ]
    )
    away, there = (
        destroy_outcome(found, cluster_goes=True),
        destroy_outcome(found, cluster_goes=False),
    )
    assert [item.name for item in away.stays] == ["home", "homes", "net", "root"] and [
        item.name for item in away.goes
    ] == ["other"]
    assert ([item.name for item in away.forgotten], [item.name for item in away.ends]) == (
        ["group"],
        ["claim"],
    )
    assert ([item.name for item in there.forgotten], there.ends) == (["claim", "group"], ())


def test_a_bucket_with_users_data_stays_closed_and_is_called_so(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copy(ROOT / "__main__.py", tmp_path)
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    buckets = "  buckets:\n    tmp: { kind: scratch }\n    work: { kind: shared }\n  hubs:\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(text.replace("  hubs:\n", buckets, 1))
    done = in_process(["destroy", "plan", "dev"], tmp_path)
    assert "buckets-work: bucket with users' data" in done.stdout, done.stderr
    (step,) = plan("dev", tmp_path)["steps"]
    assert names(step["stays"]) >= {
        f"buckets-work{part}"
        for part in ("", "-private", "-policy", "-versions", "-ownership", "-encryption")
    }
    assert not any(name.startswith("buckets-tmp") for name in names(step["stays"]))
