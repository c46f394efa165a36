"""The database of a hub in AWS: a small volume in the core pool's zone, or PostgreSQL on RDS.
Both are retained when the hub is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import ebs, ec2, rds, vpc

from jupyterhub_aws.components.addons import EBS_DRIVER_TAG
from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.hub.values.hub import DATABASE_NAME, DATABASE_USER
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase
from jupyterhub_aws.config.specs.names import HubNames

_POSTGRES_PORT = 5432
_MOST_GROWTH = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class DatabaseVolumeArgs:
    """`zone` is the core pool's only one, where the hub will run."""

    names: HubNames
    database: SqliteDatabase
    zone: str
    tags: Mapping[str, str]


def volume_suffix(zone: str, database: SqliteDatabase) -> str:
    """The suffix that distinguishes a volume from its predecessor: its zone, and its source
    snapshot.
    """
    return zone[-1] if database.snapshot is None else f"{zone[-1]}-{database.snapshot}"


class DatabaseVolume(Component):
    """A gp3 volume that the chart's own claim binds to. Its zone is part of its resource name:
    another zone means another volume.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:DatabaseVolume"
    volume_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: DatabaseVolumeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        volume = ebs.Volume(
            f"{name}-{volume_suffix(args.zone, args.database)}",
            availability_zone=args.zone,
            size=args.database.size_gib,
            type="gp3",
            encrypted=True,
            snapshot_id=args.database.snapshot,
            tags={**named(args.tags, args.names.database_volume), **EBS_DRIVER_TAG},
            opts=self.protected_options(),
        )
        self.volume_id = volume.id
        self.register_outputs({"volume_id": self.volume_id})


@dataclass(frozen=True, kw_only=True, eq=False)
class PostgresArgs:
    """`subnet_ids` are private ones in at least two zones; `password` is a secret;
    `client_security_group_id` is that of the nodes, which gets an egress rule too where the network
    is `closed`. `backup_tags` are the instance's alone: by them AWS Backup finds it.
    """

    names: HubNames
    database: PostgresDatabase
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    client_security_group_id: pulumi.Input[str]
    password: pulumi.Input[str]
    closed: bool
    tags: Mapping[str, str]
    backup_tags: Mapping[str, str]


class Postgres(Component):
    """An encrypted RDS instance that only the nodes can reach. `url` holds no password: the hub
    finds it in its Secret.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:Postgres"
    url: pulumi.Output[str]
    identifier: pulumi.Output[str]

    def __init__(
        self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        physical = f"{args.names.physical}-database"
        tags = named(args.tags, physical)
        group, rules = self._security_group(name, args, physical)
        subnets = rds.SubnetGroup(
            f"{name}-subnets",
            name=physical,
            subnet_ids=args.subnet_ids,
            tags=tags,
            opts=self.child(retain_on_delete=True),
        )
        section = args.database
        instance = rds.Instance(
            f"{name}-instance",
            identifier=physical,
            engine="postgres",
            engine_version=section.version,
            auto_minor_version_upgrade=True,
            instance_class=section.instance_class,
            allocated_storage=section.size_gib,
            max_allocated_storage=_MOST_GROWTH * section.size_gib,
            storage_type="gp3",
            storage_encrypted=True,
            multi_az=section.multi_az,
            db_name=DATABASE_NAME,
            username=DATABASE_USER,
            password=args.password,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.id],
            publicly_accessible=False,
            backup_retention_period=section.backup_days,
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=f"{physical}-final",
            tags={**tags, **args.backup_tags},
            # not after the rule, which needs the cluster: both take ten minutes
            opts=self.protected_options(),
        )
        # RDS refuses connections without TLS from version 15 on (RDS user guide, rds.force_ssl);
        # psycopg2 is in the hub's image.
        self.url = pulumi.Output.concat(
            f"postgresql+psycopg2://{DATABASE_USER}@",
            instance.endpoint,
            f"/{DATABASE_NAME}?sslmode=require",
        )
        self.identifier = instance.identifier
        self.ready: list[pulumi.Resource] = [instance, *rules]
        self.register_outputs({"url": self.url})

    def _security_group(
        self, name: str, args: PostgresArgs, physical: str
    ) -> tuple[ec2.SecurityGroup, list[pulumi.Resource]]:
        group = ec2.SecurityGroup(
            f"{name}-security-group",
            name=physical,
            description="Database of a hub: PostgreSQL from nodes and nothing else",
            vpc_id=args.vpc_id,
            tags=named(args.tags, physical),
            opts=self.child(
                retain_on_delete=True
            ),  # like the subnet group: AWS refuses to delete it while a retained database uses it
        )
        port: Any = {
            "ip_protocol": "tcp",
            "from_port": _POSTGRES_PORT,
            "to_port": _POSTGRES_PORT,
            "tags": named(args.tags, f"{physical}-from-nodes"),
        }
        nodes = args.client_security_group_id
        rules: list[pulumi.Resource] = [
            vpc.SecurityGroupIngressRule(
                f"{name}-from-nodes",
                security_group_id=group.id,
                referenced_security_group_id=nodes,
                description="PostgreSQL from nodes",
                **port,
                opts=self.child(),
            )
        ]
        if args.closed:
            rules.append(
                vpc.SecurityGroupEgressRule(
                    f"{name}-out-of-nodes",
                    security_group_id=nodes,
                    referenced_security_group_id=group.id,
                    description="PostgreSQL",
                    **port,
                    opts=self.child(),
                )
            )
        return group, rules
