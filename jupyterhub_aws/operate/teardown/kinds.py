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


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind is called; `delete` makes the command for one (empty: unknown), `monthly` its
    price (None: by use, or not known here); `note` says more.
    """

    words: str
    delete: Callable[[UnmanagedResource], str]
    monthly: Callable[[UnmanagedResource, Prices], Decimal | None] = lambda found, prices: None
    note: str = ""


def _ec2(verb: str, option: str) -> Callable[[UnmanagedResource], str]:
    return lambda found: f"aws ec2 {verb} --{option} {found.id}"


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


def _balancer(found: UnmanagedResource) -> str:
    if "/net/" in found.arn or "/app/" in found.arn or "/gwy/" in found.arn:
        return f"aws elbv2 delete-load-balancer --load-balancer-arn {found.arn}"
    return f"aws elb delete-load-balancer --load-balancer-name {found.id}"


_BY_USE = "by what it holds"
KINDS: Mapping[str, Kind] = {
    "ec2:volume": Kind(words="volume", delete=_ec2("delete-volume", "volume-id"), monthly=_volume),
    "ec2:snapshot": Kind(
        words="snapshot of a volume", delete=_ec2("delete-snapshot", "snapshot-id"), note=_BY_USE
    ),
    "ec2:network-interface": Kind(
        words="network interface",
        delete=_ec2("delete-network-interface", "network-interface-id"),
        monthly=_free,
    ),
    "autoscaling:group": Kind(
        words="group of nodes",
        delete=lambda found: (
            f"aws autoscaling delete-auto-scaling-group --auto-scaling-group-name {found.id} --force-delete"
        ),
        monthly=_free,
        note="buys nodes as long as it is there",
    ),
    "ec2:instance": Kind(
        words="machine", delete=_ec2("terminate-instances", "instance-ids"), monthly=_machine
    ),
    "ec2:elastic-ip": Kind(
        words="public address",
        delete=_ec2("release-address", "allocation-id"),
        monthly=_hourly("public_ipv4_hour"),
    ),
    "ec2:natgateway": Kind(
        words="NAT gateway",
        delete=_ec2("delete-nat-gateway", "nat-gateway-id"),
        monthly=_hourly("nat_gateway_hour"),
    ),
    "ec2:vpc-endpoint": Kind(
        words="private endpoint",
        delete=_ec2("delete-vpc-endpoints", "vpc-endpoint-ids"),
        monthly=_hourly(
            "private_endpoint_hour", lambda found: len(found.about.get("SubnetIds") or [])
        ),
    ),
    "ec2:vpc": Kind(words="network", delete=_ec2("delete-vpc", "vpc-id"), monthly=_free),
    "ec2:subnet": Kind(words="subnet", delete=_ec2("delete-subnet", "subnet-id"), monthly=_free),
    "ec2:security-group": Kind(
        words="security group", delete=_ec2("delete-security-group", "group-id"), monthly=_free
    ),
    "ec2:launch-template": Kind(
        words="launch template",
        delete=_ec2("delete-launch-template", "launch-template-id"),
        monthly=_free,
    ),
    "ec2:route-table": Kind(
        words="route table", delete=_ec2("delete-route-table", "route-table-id"), monthly=_free
    ),
    "ec2:internet-gateway": Kind(
        words="internet gateway",
        delete=_ec2("delete-internet-gateway", "internet-gateway-id"),
        monthly=_free,
    ),
    "elasticloadbalancing:loadbalancer": Kind(
        words="balancer", delete=_balancer, monthly=_hourly("network_load_balancer_hour")
    ),
    "elasticloadbalancing:targetgroup": Kind(
        words="target group",
        delete=lambda found: f"aws elbv2 delete-target-group --target-group-arn {found.arn}",
        monthly=_free,
    ),
    "elasticfilesystem:file-system": Kind(
        words="file system",
        delete=lambda found: f"aws efs delete-file-system --file-system-id {found.id}",
        note=_BY_USE,
    ),
    "elasticfilesystem:access-point": Kind(
        words="access point",
        delete=lambda found: f"aws efs delete-access-point --access-point-id {found.id}",
        monthly=_free,
    ),
    "rds:db": Kind(
        words="PostgreSQL",
        delete=lambda found: (
            f"aws rds delete-db-instance --db-instance-identifier {found.id} --final-db-snapshot-identifier {found.id}-last"
        ),
        monthly=_database,
    ),
    "rds:snapshot": Kind(
        words="snapshot of PostgreSQL",
        delete=lambda found: f"aws rds delete-db-snapshot --db-snapshot-identifier {found.id}",
        note=_BY_USE,
    ),
    "rds:subgrp": Kind(
        words="subnet group of PostgreSQL",
        delete=lambda found: f"aws rds delete-db-subnet-group --db-subnet-group-name {found.id}",
        monthly=_free,
    ),
    "kms:key": Kind(
        words="key",
        delete=lambda found: (
            f"aws kms schedule-key-deletion --key-id {found.id} --pending-window-in-days 30"
        ),
        monthly=lambda found, prices: prices.of("kms_key_month"),
        note="without it nothing that it encrypted can be read again",
    ),
    "logs:log-group": Kind(
        words="log group",
        delete=lambda found: f"aws logs delete-log-group --log-group-name {found.id}",
        note=_BY_USE,
    ),
    "s3:bucket": Kind(
        words="bucket", delete=lambda found: f"aws s3 rb s3://{found.id} --force", note=_BY_USE
    ),
    "eks:cluster": Kind(
        words="control plane",
        delete=lambda found: f"aws eks delete-cluster --name {found.id}",
        monthly=_hourly("control_plane_hour"),
    ),
    "ecr:repository": Kind(
        words="images",
        delete=lambda found: f"aws ecr delete-repository --repository-name {found.id} --force",
        note=_BY_USE,
    ),
    "backup:backup-vault": Kind(
        words="vault",
        delete=lambda found: f"aws backup delete-backup-vault --backup-vault-name {found.id}",
        note=_BY_USE,
    ),
    "backup:recovery-point": Kind(
        words="recovery point",
        delete=lambda found: (
            f"aws backup delete-recovery-point --backup-vault-name {found.about['Vault']} --recovery-point-arn {found.arn}"
        ),
        note=(
            f"{_BY_USE}; its vault's policy first, which refuses this: aws backup"
            " delete-backup-vault-access-policy"
        ),
    ),
    "backup:backup-plan": Kind(
        words="backup plan",
        delete=lambda found: f"aws backup delete-backup-plan --backup-plan-id {found.id}",
        monthly=_free,
        note="goes on making backups; its selections first: aws backup delete-backup-selection",
    ),
    "cloudwatch:alarm": Kind(
        words="alarm",
        delete=lambda found: f"aws cloudwatch delete-alarms --alarm-names {found.id}",
        note="by the metric that it looks at",
    ),
    "sns:topic": Kind(
        words="topic of alarms",
        delete=lambda found: f"aws sns delete-topic --topic-arn {found.arn}",
        monthly=_free,
    ),
    "events:rule": Kind(
        words="rule of events",
        delete=lambda found: f"aws events delete-rule --name {found.id}",
        monthly=_free,
        note="its targets first: aws events remove-targets",
    ),
    "dlm:policy": Kind(
        words="policy of snapshots",
        delete=lambda found: f"aws dlm delete-lifecycle-policy --policy-id {found.id}",
        monthly=_free,
        note="goes on making snapshots",
    ),
    "route53:record": Kind(
        words="DNS record",
        delete=lambda found: (
            f"aws route53 change-resource-record-sets --hosted-zone-id {found.about['Zone']} --change-batch FILE  # with Action DELETE"
        ),
        monthly=_free,
    ),
}


def kind_of(found: UnmanagedResource) -> Kind:
    """The kind; of one that this table lacks, its name in AWS, and no command."""
    return KINDS.get(found.kind) or Kind(words=found.kind, delete=lambda item: "")
