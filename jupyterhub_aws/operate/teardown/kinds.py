"""Kinds of AWS resources: what each is called, the command that would delete one, and what it
costs. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jupyterhub_aws.config.prices import HOURS_PER_MONTH, Prices


@dataclass(frozen=True, kw_only=True)
class UnmanagedResource:
    """Something in the account. `kind` is `SERVICE:TYPE` as in its ARN, `id` its last part,
    `about` what a describe call says of it.
    """

    arn: str
    kind: str
    id: str
    tags: Mapping[str, str]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """Where it is, by its ARN; empty for what is in no region, or what has no such ARN."""
        first, *rest = self.arn.split(":", 5)
        return (
            rest[2]
            if first == "arn"
            and len(rest) == len(("partition", "service", "region", "account", "resource"))
            else ""
        )

    @property
    def name(self) -> str:
        """Its name for operators."""
        return self.tags.get("Name") or self.id


@dataclass(frozen=True)
class Kind:
    """What a kind is called; `command` would delete one (its fields in braces; empty: unknown),
    `monthly` is its price (None: by use, or not known here); `note` says more.
    """

    words: str
    command: str
    monthly: Callable[[UnmanagedResource, Prices], Decimal | None] = lambda found, prices: None
    note: str = ""

    def delete(self, found: UnmanagedResource) -> str:
        """The command that would delete this one."""
        return self.command.format(id=found.id, arn=found.arn, about=found.about)


def _free(found: UnmanagedResource, prices: Prices) -> Decimal:
    del found, prices
    return Decimal(0)


def _hourly(
    row: str, times: Callable[[UnmanagedResource], int] = lambda found: 1
) -> Callable[[UnmanagedResource, Prices], Decimal]:
    return lambda found, prices: prices.of(row) * HOURS_PER_MONTH * times(found)


def _volume(found: UnmanagedResource, prices: Prices) -> Decimal:
    about = found.about
    iops, throughput = (
        max(int(about.get("Iops") or 0) - 3000, 0),
        max(int(about.get("Throughput") or 0) - 125, 0),
    )  # what gp3 includes
    size = prices.of("gp3_gib_month") * int(about.get("Size") or 0)
    return (
        size + prices.of("gp3_iops_month") * iops + prices.of("gp3_throughput_month") * throughput
    )


def _machine(found: UnmanagedResource, prices: Prices) -> Decimal | None:
    if (found.about.get("State") or {}).get("Name") != "running":
        return Decimal(0)
    hourly = prices.node_hour(str(found.about.get("InstanceType")))
    return None if hourly is None else hourly * HOURS_PER_MONTH


def _database(found: UnmanagedResource, prices: Prices) -> Decimal | None:
    hourly = prices.known(f"rds_hour:{found.about.get('DBInstanceClass')}")
    if hourly is None:
        return None
    copies = 2 if found.about.get("MultiAZ") else 1
    runs = 0 if found.about.get("DBInstanceStatus") == "stopped" else 1
    return copies * (
        runs * hourly * HOURS_PER_MONTH
        + prices.of("rds_gp3_gib_month") * int(found.about.get("AllocatedStorage") or 0)
    )


_BY_USE = "by what it holds"
KINDS: Mapping[str, Kind] = {
    "ec2:volume": Kind("volume", "aws ec2 delete-volume --volume-id {id}", _volume),
    "ec2:snapshot": Kind(
        "snapshot of a volume", "aws ec2 delete-snapshot --snapshot-id {id}", note=_BY_USE
    ),
    "ec2:network-interface": Kind(
        "network interface", "aws ec2 delete-network-interface --network-interface-id {id}", _free
    ),
    "autoscaling:group": Kind(
        "group of nodes",
        "aws autoscaling delete-auto-scaling-group --auto-scaling-group-name {id} --force-delete",
        _free,
        "buys nodes as long as it is there",
    ),
    "ec2:instance": Kind("machine", "aws ec2 terminate-instances --instance-ids {id}", _machine),
    "ec2:elastic-ip": Kind(
        "public address",
        "aws ec2 release-address --allocation-id {id}",
        _hourly("public_ipv4_hour"),
    ),
    "ec2:natgateway": Kind(
        "NAT gateway",
        "aws ec2 delete-nat-gateway --nat-gateway-id {id}",
        _hourly("nat_gateway_hour"),
    ),
    "ec2:vpc-endpoint": Kind(
        "private endpoint",
        "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {id}",
        _hourly("private_endpoint_hour", lambda found: len(found.about.get("SubnetIds") or [])),
    ),
    "ec2:vpc": Kind("network", "aws ec2 delete-vpc --vpc-id {id}", _free),
    "ec2:subnet": Kind("subnet", "aws ec2 delete-subnet --subnet-id {id}", _free),
    "ec2:security-group": Kind(
        "security group", "aws ec2 delete-security-group --group-id {id}", _free
    ),
    "ec2:launch-template": Kind(
        "launch template", "aws ec2 delete-launch-template --launch-template-id {id}", _free
    ),
    "ec2:route-table": Kind(
        "route table", "aws ec2 delete-route-table --route-table-id {id}", _free
    ),
    "ec2:internet-gateway": Kind(
        "internet gateway", "aws ec2 delete-internet-gateway --internet-gateway-id {id}", _free
    ),
    "elasticloadbalancing:loadbalancer": Kind(
        "balancer",
        "aws elbv2 delete-load-balancer --load-balancer-arn {arn}",
        _hourly("network_load_balancer_hour"),
    ),
    "elasticloadbalancing:targetgroup": Kind(
        "target group", "aws elbv2 delete-target-group --target-group-arn {arn}", _free
    ),
    "elasticfilesystem:file-system": Kind(
        "file system", "aws efs delete-file-system --file-system-id {id}", note=_BY_USE
    ),
    "elasticfilesystem:access-point": Kind(
        "access point", "aws efs delete-access-point --access-point-id {id}", _free
    ),
    "rds:db": Kind(
        "PostgreSQL",
        "aws rds delete-db-instance --db-instance-identifier {id}"
        " --final-db-snapshot-identifier {id}-last",
        _database,
    ),
    "rds:snapshot": Kind(
        "snapshot of PostgreSQL",
        "aws rds delete-db-snapshot --db-snapshot-identifier {id}",
        note=_BY_USE,
    ),
    "rds:subgrp": Kind(
        "subnet group of PostgreSQL",
        "aws rds delete-db-subnet-group --db-subnet-group-name {id}",
        _free,
    ),
    "kms:key": Kind(
        "key",
        "aws kms schedule-key-deletion --key-id {id} --pending-window-in-days 30",
        lambda found, prices: prices.of("kms_key_month"),
        "without it nothing that it encrypted can be read again",
    ),
    "logs:log-group": Kind(
        "log group", "aws logs delete-log-group --log-group-name {id}", note=_BY_USE
    ),
    "s3:bucket": Kind("bucket", "aws s3 rb s3://{id} --force", note=_BY_USE),
    "eks:cluster": Kind(
        "control plane", "aws eks delete-cluster --name {id}", _hourly("control_plane_hour")
    ),
    "ecr:repository": Kind(
        "images", "aws ecr delete-repository --repository-name {id} --force", note=_BY_USE
    ),
    "backup:backup-vault": Kind(
        "vault", "aws backup delete-backup-vault --backup-vault-name {id}", note=_BY_USE
    ),
    "backup:recovery-point": Kind(
        "recovery point",
        "aws backup delete-recovery-point --backup-vault-name {about[Vault]}"
        " --recovery-point-arn {arn}",
        note=f"{_BY_USE}; its vault's policy first, which refuses this: aws backup"
        " delete-backup-vault-access-policy",
    ),
    "backup:backup-plan": Kind(
        "backup plan",
        "aws backup delete-backup-plan --backup-plan-id {id}",
        _free,
        "goes on making backups; its selections first: aws backup delete-backup-selection",
    ),
    "cloudwatch:alarm": Kind(
        "alarm",
        "aws cloudwatch delete-alarms --alarm-names {id}",
        note="by the metric that it looks at",
    ),
    "sns:topic": Kind("topic of alarms", "aws sns delete-topic --topic-arn {arn}", _free),
    "events:rule": Kind(
        "rule of events",
        "aws events delete-rule --name {id}",
        _free,
        "its targets first: aws events remove-targets",
    ),
    "dlm:policy": Kind(
        "policy of snapshots",
        "aws dlm delete-lifecycle-policy --policy-id {id}",
        _free,
        "goes on making snapshots",
    ),
    "route53:record": Kind(
        "DNS record",
        "aws route53 change-resource-record-sets --hosted-zone-id {about[Zone]}"
        " --change-batch FILE  # with Action DELETE",
        _free,
    ),
}
#: Of the first generation, whose name is the last part of its ARN.
_CLASSIC_BALANCER = Kind(
    "balancer",
    "aws elb delete-load-balancer --load-balancer-name {id}",
    _hourly("network_load_balancer_hour"),
)


def kind_of(found: UnmanagedResource) -> Kind:
    """The kind; of one that this table lacks, its name in AWS, and no command."""
    if found.kind == "elasticloadbalancing:loadbalancer" and not any(
        generation in found.arn for generation in ("/net/", "/app/", "/gwy/")
    ):
        return _CLASSIC_BALANCER
    return KINDS.get(found.kind) or Kind(found.kind, "")
