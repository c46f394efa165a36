"""Hubs of four shapes with their backups, as AWS and the cluster know them: EFS, a volume each,
NFS with RDS, and snapshots without AWS Backup.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.backups import TAG, AwsBackup
from jupyterhub_aws.config.specs.backups import BackupSpec
from tests.support import stand_in_kubectl
from tests.support.backup_api import BackupApi
from tests.support.cloud import ACCOUNT, REGION, Cloud
from tests.support.live import environment
from tests.support.stack_files import ROOT

STACK = "jhub-dev"
OURS = {"stack": STACK, TAG: STACK}
FILES = {"notes.txt": "as it was\n", "work/deep/data.bin": "x" * 5000, "work/plan.md": "a plan\n"}
_EDITS = {
    "efs": "",
    "ebs": "  homes: { kind: ebs }\n",
    "nfs": (
        "  homes: { kind: nfs, server: nfs.example.org, path: /homes }\n  backups: { kind:"
        " aws_backup, rds: true }\n"
    ),
    "snapshots": "  homes: { kind: ebs }\n  backups: { kind: snapshots }\n",
}


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A stack's folder, what stands for its account and its cluster, and what `jhub` is run
    with.
    """

    shape: str
    folder: Path
    api: BackupApi
    account: Cloud
    ids: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """As `jhub` finds them."""
        known = {
            key: value
            for key, value in environment(self.account.url).items()
            if key != "AWS_PROFILE"
        }  # empty, it would be a profile's name
        return {
            **known,
            "STAND_IN": str(self.api.folder),
            "PATH": f"{self.api.folder / 'bin'}:{os.environ['PATH']}",
        }

    def cluster(self) -> dict[str, Any]:
        """The objects in the cluster now."""
        found: dict[str, Any] = json.loads((self.api.folder / "cluster.json").read_text())
        return found


def stack_file(shape: str, folder: Path) -> None:
    """Pulumi.dev.yaml in a folder, with homes of this shape."""
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    if _EDITS[shape]:
        text = re.sub(r"  homes:.*\n(    .*\n)*", _EDITS[shape], text, count=1)
    (folder / "Pulumi.dev.yaml").write_text(text)


def built(shape: str, folder: Path, api: BackupApi, moto: Cloud, front: Cloud) -> Hub:
    """A hub of a shape with what `up` made, two people, and backups of yesterday and of a week
    ago.
    """
    stack_file(shape, folder)
    for path in (api.homes, api.folder / "bin"):
        path.mkdir(parents=True, exist_ok=True)
    for name in ("kubectl", "aws"):
        tool = api.folder / "bin" / name
        text = (
            f'#!/bin/sh\nexec {sys.executable} -I -S {Path(stand_in_kubectl.__file__)} "$@"\n'
            if name == "kubectl"
            else "#!/bin/sh\nexit 1\n"
        )
        tool.write_text(text)
        tool.chmod(0o755)
    _cluster(moto)
    ids = _efs(moto, api) if shape == "efs" else {}
    if shape in ("ebs", "snapshots"):
        ids = {**ids, **_volumes(moto)}
    if shape == "nfs":
        ids = {"database": _rds(moto)}
    ids = {**ids, "memory": _volume(moto, {**OURS, "Name": f"{STACK}-main-database"})}
    stand_in_kubectl.fresh(api.folder)
    hub = Hub(shape=shape, folder=folder, api=api, account=front, ids=ids)
    _backups(hub, moto)
    return hub


def _cluster(moto: Cloud) -> None:
    subnet = moto.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    moto.client("eks").create_cluster(
        name=STACK,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/some",
        resourcesVpcConfig={"subnetIds": [subnet]},
    )


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _efs(moto: Cloud, api: BackupApi) -> dict[str, str]:
    client = moto.client("efs")
    system = client.create_file_system(
        CreationToken=f"{STACK}-homes", Tags=_tags({**OURS, "Name": f"{STACK}-homes"})
    )
    client.create_file_system(CreationToken="somebody-elses", Tags=_tags({"stack": "another"}))
    client.create_access_point(
        FileSystemId=system["FileSystemId"],
        ClientToken="a",
        Tags=_tags({"Name": f"{STACK}-homes-restore"}),
    )
    for person in ("ada", "bob"):
        for name, text in FILES.items():
            path = api.homes / "hubs" / "main" / person / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return {"homes": system["FileSystemArn"]}


def _volume(moto: Cloud, tags: Mapping[str, str]) -> str:
    specification = {"ResourceType": "volume", "Tags": _tags(tags)}
    return str(
        moto.client("ec2").create_volume(
            AvailabilityZone=f"{REGION}a", Size=10, TagSpecifications=[specification]
        )["VolumeId"]
    )


def _volumes(moto: Cloud) -> dict[str, str]:
    def tags(claim: str, **more: str) -> dict[str, str]:
        return {
            "stack": STACK,
            "kubernetes.io/created-for/pvc/name": claim,
            "kubernetes.io/created-for/pvc/namespace": "hub-main",
            **more,
        }

    return {
        "ada": _volume(moto, tags("claim-ada", **{TAG: STACK})),
        "bob": _volume(moto, tags("claim-bob", **{TAG: STACK})),
        "node": _volume(moto, {"stack": STACK, "Name": f"{STACK}-core"}),
        "other": _volume(moto, {"stack": "another", TAG: "another"}),
    }


def _rds(moto: Cloud) -> str:
    database = moto.client("rds").create_db_instance(
        DBInstanceIdentifier=f"{STACK}-main-database", DBInstanceClass="db.t4g.small", Engine="postgres", AllocatedStorage=20, MasterUsername="u",
        MasterUserPassword="p" * 12, Tags=_tags(OURS),
    )  # fmt: skip
    return str(database["DBInstance"]["DBInstanceArn"])


def volume_arn(id_: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{id_}"


def days_ago(api: BackupApi, days: int) -> datetime:
    """Three in the morning, so many days before the account's today."""
    return (api.now - timedelta(days=days)).replace(hour=3, minute=0, second=0, microsecond=0)


def _backups(hub: Hub, moto: Cloud) -> None:
    api, vault = hub.api, BackupSpec(name=STACK, options=AwsBackup(kind="aws_backup")).vault_name
    api.vaults[vault] = []
    for days in (7, 1):
        if "homes" in hub.ids:
            api.point(vault, hub.ids["homes"], "EFS", days_ago(api, days))
        for who in ("ada", "memory"):
            if who not in hub.ids:
                continue
            tags = _tags({**OURS, "stack": STACK})
            snapshot = moto.client("ec2").create_snapshot(
                VolumeId=hub.ids[who],
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
            )["SnapshotId"]
            if hub.shape != "snapshots":
                api.point(
                    vault,
                    volume_arn(hub.ids[who]),
                    "EBS",
                    days_ago(api, days),
                    arn=f"arn:aws:ec2:{REGION}::snapshot/{snapshot}",
                )


def aged(hub: Hub) -> None:
    """As if the files had lain there for long: the newest backup of them was taken after they
    were last touched.
    """
    mine = [
        point
        for point in hub.api.vaults[
            BackupSpec(name=STACK, options=AwsBackup(kind="aws_backup")).vault_name
        ]
        if point["ResourceType"] == "EFS"
    ]
    mine[-1]["CreationDate"] = hub.api.now + timedelta(hours=1)


def everything(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every file below a folder: owner, group, text."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if stat.S_ISREG(path.lstat().st_mode):
            found[str(path.relative_to(folder))] = (
                path.lstat().st_uid,
                path.lstat().st_gid,
                path.read_text(),
            )
    return found


def copied(hub: Hub, to: Path) -> Path:
    """The file system as it is now, to compare with later."""
    return Path(shutil.copytree(hub.api.homes, to))
