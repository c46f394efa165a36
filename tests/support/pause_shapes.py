"""Clusters of three shapes, as AWS knows them before a pause, while it lasts, and afterwards."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration, whole
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.operate.live.account import connect
from jupyterhub_aws.operate.live.steps import run
from jupyterhub_aws.operate.pause.pause import PauseContext
from jupyterhub_aws.operate.pause.resume import before_up, nodes
from tests.support.cloud import REGION, Cloud, autoscaling_group, built, state
from tests.support.live import environment
from tests.support.stack_files import PULUMI_YAML, ROOT

_POSTGRES = {
    "sign_in": {"kind": "shared_password"},
    "entry": {"kind": "port_forward"},
    "database": {"kind": "postgres"},
}
_MACHINES = (
    "  aws:region: us-east-1\n  jupyterhub-aws:pause: { instances: { control_plane:"
    " role=control-plane, nodes: role=node } }\n"
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A cluster: its stack file with an edit, how an account has it, and which part of that
    account's state rests.
    """

    stack: str
    source: str
    edit: Callable[[str], str]
    seed: Callable[[Cloud, StackConfig], None]
    ours: Callable[[str], bool]

    def into(self, folder: Path) -> Path:
        """A folder with the stack file."""
        text = (ROOT / self.source).read_text()
        (folder / f"Pulumi.{self.stack}.yaml").write_text(self.edit(text))
        return folder

    def file(self, folder: Path) -> Path:
        return folder / f"Pulumi.{self.stack}.yaml"

    def config(self, folder: Path) -> StackConfig:
        found = read(self.file(folder))
        return validated(
            whole(
                Configuration(values=found.values, secret=found.secret, source=found.source), folder
            )
        )

    def build(self, account: Cloud) -> None:
        place = Path(account_folder())
        self.seed(account, self.config(self.into(place)))
        shutil.rmtree(place)

    def state(self, account: Cloud) -> dict[str, Any]:
        return state(account)

    def rested(self, before: dict[str, Any]) -> dict[str, Any]:
        """The same account with everything of this shape at rest."""
        found = copy.deepcopy(before)
        for name in filter(self.ours, found["groups"]):
            found["groups"][name] = (0, 0, 0, 0)
        for name in found["managed"]:
            found["managed"][name] = {"minSize": 0, "maxSize": 1, "desiredSize": 0}
        for name in filter(self.ours, found["databases"]):
            found["databases"][name] = "stopped"
        for name in found["machines"]:
            found["machines"][name] = (
                before["machines"][name] if name.startswith("somebody-elses") else "stopped"
            )
        return found

    def resumed(self, before: dict[str, Any]) -> dict[str, Any]:
        """As before: only user pools, which grow when somebody comes, begin at their smallest."""
        found = copy.deepcopy(before)
        for name, (least, most, wanted, there) in before["groups"].items():
            if self.ours(name) and self.stack == "dev":
                found["groups"][name] = (least, most, least, least)
            else:
                found["groups"][name] = (least, most, wanted, there)
        return found

    def back(self, account: Cloud, folder: Path) -> None:
        """What `jhub resume` does in AWS and in the stack file: inside there is no cluster here
        to ask.
        """
        with mock.patch.dict(os.environ, environment(account.url)):
            os.environ.pop("AWS_PROFILE", None)
            there = connect("test", REGION, expected=None, changes=False)
            context = PauseContext(
                name=self.stack,
                stack=self.config(folder),
                file=read(self.file(folder)),
                account=there,
                cluster=None,
            )
            run("test", [*before_up(context), *nodes(context)])


def account_folder() -> str:
    import tempfile

    folder = tempfile.mkdtemp()
    (Path(folder) / "Pulumi.yaml").write_text(PULUMI_YAML)
    return folder


def _standing_alone(account: Cloud, stack: StackConfig) -> None:
    """kubeadm: machines by themselves."""
    del stack
    _machines(account, "role", "control-plane", 1)
    _machines(account, "role", "node", 3)
    _machines(account, "role", "somebody-elses", 1)


def _in_groups(account: Cloud, stack: StackConfig) -> None:
    """kops: every machine in a group."""
    del stack
    subnet = account.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    autoscaling_group(
        account, "masters.example", subnet, sizes=(1, 1, 1), tags={"role": "control-plane"}
    )
    autoscaling_group(account, "nodes.example", subnet, sizes=(2, 7, 3), tags={"role": "node"})
    autoscaling_group(
        account, "somebody-elses", subnet, sizes=(1, 2, 1), tags={"role": "something"}
    )


def _machines(account: Cloud, key: str, value: str, count: int) -> None:
    client = account.client("ec2")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value}]}]
    client.run_instances(
        ImageId=account.image, MinCount=count, MaxCount=count, TagSpecifications=tags
    )


def _ours(name: str) -> bool:
    return name != "somebody-elses"


def _with_machines(text: str) -> str:
    return text.replace(
        "config:\n", f"config:\n  aws:allowedAccountIds: ['123456789012']\n{_MACHINES}", 1
    )


def _with_postgres(text: str) -> str:
    return text.replace("  hubs:\n", f"  hubs:\n    second: {json.dumps(_POSTGRES)}\n", 1)


_KUBEADM = "examples/kubeadm/Pulumi.kubeadm.yaml"
SHAPES = {
    "open": Shape(
        stack="dev", source="Pulumi.dev.yaml", edit=_with_postgres, seed=built, ours=_ours
    ),
    "kubeadm": Shape(
        stack="kubeadm", source=_KUBEADM, edit=_with_machines, seed=_standing_alone, ours=_ours
    ),
    "kops": Shape(
        stack="kubeadm", source=_KUBEADM, edit=_with_machines, seed=_in_groups, ours=_ours
    ),
}
