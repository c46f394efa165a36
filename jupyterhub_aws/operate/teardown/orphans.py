"""What is found after a stack went: kept on purpose, or an orphan. Decided by what the program
protects, not by guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.homes import EbsHomes
from jupyterhub_aws.config.prices import REGION, Prices
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.operate.live.account import Account, translate_aws_errors
from jupyterhub_aws.operate.teardown.kinds import UnmanagedResource, kind_of

FORMAT = "jupyterhub-aws/orphans/1"
#: The program's types as the tag index has them.
_AS_FOUND = {
    "aws:efs/fileSystem:FileSystem": "elasticfilesystem:file-system",
    "aws:efs/accessPoint:AccessPoint": "elasticfilesystem:access-point",
    "aws:ebs/volume:Volume": "ec2:volume",
    "aws:rds/instance:Instance": "rds:db",
    "aws:rds/subnetGroup:SubnetGroup": "rds:subgrp",
    "aws:kms/key:Key": "kms:key",
    "aws:s3/bucket:Bucket": "s3:bucket",
    "aws:eks/cluster:Cluster": "eks:cluster",
    "aws:ec2/vpc:Vpc": "ec2:vpc",
    "aws:ec2/subnet:Subnet": "ec2:subnet",
    "aws:ec2/securityGroup:SecurityGroup": "ec2:security-group",
    "aws:cloudwatch/logGroup:LogGroup": "logs:log-group",
    "aws:backup/vault:Vault": "backup:backup-vault",
    "aws:iam/role:Role": "iam:role",
}
#: Inputs that name a resource where it has no tag Name.
_NAMES = ("identifier", "name", "bucket")
_CLAIM = "kubernetes.io/created-for/pvc/"


@dataclass(frozen=True, kw_only=True)
class OrphanVerdict:
    """A resource, and why it is kept; an orphan where `kept` is empty."""

    found: UnmanagedResource
    kept: str
    monthly: float | None

    def as_json(self) -> dict[str, Any]:
        """The verdict as data."""
        kind = kind_of(self.found)
        return {
            "kind": kind.words,
            "name": self.found.name,
            "id": self.found.id,
            "arn": self.found.arn,
            "kept": self.kept,
            "monthly": self.monthly,
            "note": kind.note,
            "region": self.found.region,
            "delete": kind.delete(self.found),
        }


def verdicts(
    stack: StackConfig, there: Iterable[UnmanagedResource], protected: Sequence[Resource]
) -> list[OrphanVerdict]:
    """Judge what was found: `protected` are the resources that a destroy leaves, with what they
    need.
    """
    keeps = [_named(item) for item in protected if item.type in _AS_FOUND]
    found = []
    for item in there:
        monthly = kind_of(item).monthly(item, Prices().in_region(item.region))
        found.append(
            OrphanVerdict(
                found=item,
                kept=_kept(stack, item, keeps),
                monthly=None if monthly is None else round(float(monthly), 2),
            )
        )
    return found


def _named(resource: Resource) -> tuple[str, str]:
    """The kind of a resource as the tag index has it, and its name. Without one Pulumi gives it
    the name of the resource with seven digits: `data-*`.
    """
    tags = resource.inputs.get("tags")
    name = tags.get("Name") if isinstance(tags, Mapping) else None
    name = name or next(
        (str(resource.inputs[key]) for key in _NAMES if resource.inputs.get(key)), ""
    )
    return _AS_FOUND[resource.type], str(name) or (
        f"{resource.name}-*" if resource.source is not None else ""
    )


_BACKUPS = ("backup:backup-vault", "backup:recovery-point", "rds:snapshot", "ec2:snapshot")


def _kept(stack: StackConfig, found: UnmanagedResource, keeps: Sequence[tuple[str, str]]) -> str:
    if any(
        kind == found.kind and (name in ("", found.name, found.id) or _is_generated(name, found))
        for kind, name in keeps
    ):
        return "the program protects it, or what is protected needs it"
    claim = found.tags.get(f"{_CLAIM}name", "")
    is_claims = found.kind == "ec2:volume" and claim.startswith("claim-")
    if isinstance(stack.homes, EbsHomes) and is_claims:
        return f"a user's home ({claim}, {found.tags.get(f'{_CLAIM}namespace', '')})"
    return "a backup" if found.kind in _BACKUPS else ""


def _is_generated(name: str, found: UnmanagedResource) -> bool:
    """Whether a name is one that Pulumi made of a resource's own."""
    return name.endswith("-*") and any(
        re.fullmatch(re.escape(name[:-1]) + "[0-9a-f]{7}", item) for item in (found.name, found.id)
    )


def refuse_existing_stack(
    command: str, account: Account, stack: StackConfig, name: str, protected: Sequence[Resource]
) -> None:
    """Raise ConfigError where the stack exists: all that it uses would look like an orphan."""
    from botocore.exceptions import ClientError

    client = account.client("eks")
    with translate_aws_errors(command):
        try:
            status = str(client.describe_cluster(name=stack.name)["cluster"]["status"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        stays = any(item.type == "aws:eks/cluster:Cluster" for item in protected)
        nodes = client.list_nodegroups(clusterName=stack.name)["nodegroups"]
    if not stays or nodes:
        with_nodes = f", with nodes ({nodes[0]})" if nodes else ""
        what = f"still exists: its cluster {stack.name} is {status.lower()}{with_nodes}"
        fix = f"orphans are looked for after it went: jhub destroy plan {name}"
        raise refused(command, "teardown.stack-exists", name, what, fix)


def as_json(name: str, account: Account | None, found: Sequence[OrphanVerdict]) -> dict[str, Any]:
    """The whole as data; without an account where a stack makes nothing in AWS."""
    return {
        "format": FORMAT,
        "stack": name,
        "account": account.id if account else "",
        "region": account.region if account else "",
        "orphans": [item.as_json() for item in found if not item.kept],
        "kept": [item.as_json() for item in found if item.kept],
    }


def show(name: str, account: Account, found: Sequence[OrphanVerdict], elsewhere: str = "") -> None:
    """Print it for 80 columns: orphans with their commands, then what is kept. `elsewhere` is
    the other region that was looked through.
    """
    from rich.text import Text

    from jupyterhub_aws.cli.console import Terminal

    console = Terminal()
    orphans, kept = [item for item in found if not item.kept], [item for item in found if item.kept]
    regions = f"{account.region} and {elsewhere}" if elsewhere else account.region
    says = f"{len(orphans)} orphans, {len(kept)} kept. Nothing was changed."
    console.print(Text.assemble((name, "bold"), f" in {account.id}, {regions}: {says}"))
    for item in orphans:
        kind = kind_of(item.found)
        which = f" {item.found.name}{_about(item)}"
        console.print(Text.assemble(("✗ ", "bold red"), (kind.words, "bold"), which))
        line = kind.delete(item.found)
        where = (
            f"  $ {line} --region {item.found.region or account.region}"
            if line
            else f"  look at it, no command is known here: {item.found.arn}"
        )
        console.print(Text(where, "cyan" if line else ""), soft_wrap=True)
    for item in kept:
        which = f"{kind_of(item.found).words} {item.found.name}{_about(item)}"
        console.print(Text.assemble(("✓ ", "green"), f"{which}: {item.kept}"))
    known = sum(item.monthly or 0 for item in orphans)
    if orphans:
        without = sorted(
            {
                item.found.region
                for item in orphans
                if not Prices().in_region(item.found.region).has_data
            }
        )
        cost = f"Orphans cost at least ${known:,.2f} per month."
        if known and without:
            cost += f" No prices of {', '.join(without)} are here: those are of {REGION}."
        look = "Look at each before you delete it: a command cannot be taken back."
        console.print(Text(f"{cost} {look}", "yellow"))
    if kept:
        console.print(Text("What is kept, with the commands that would delete it: --json", "dim"))


def _about(item: OrphanVerdict) -> str:
    """What it costs, and its other name."""
    other = f" ({item.found.id})" if item.found.id != item.found.name else ""
    kind = kind_of(item.found)
    if item.monthly is None:
        return f"{other}, {f'paid {kind.note}' if kind.note else 'price not known here'}"
    cost = f"${item.monthly:,.2f} per month" if item.monthly else "costs nothing"
    return f"{other}, {cost}{f', {kind.note}' if kind.note else ''}"
