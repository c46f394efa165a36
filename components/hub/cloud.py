"""The AWS half of one hub: its database's volume or instance, and its balancer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_random import RandomPassword

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.entry.args import EntryArgs
from jupyterhub_aws.components.entry.balancer import Balancer
from jupyterhub_aws.components.entry.entry import Entry
from jupyterhub_aws.components.hub.database import DatabaseVolume, DatabaseVolumeArgs, Postgres, PostgresArgs
from jupyterhub_aws.components.hub.secrets import PASSWORD_LENGTH
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.backups import backup_tags, database_tags
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase
from jupyterhub_aws.config.entry import LoadBalancerEntry
from jupyterhub_aws.config.hub_rules import core_zones, node_port
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class HubCloudArgs:
    """`hub` is the hub's name in the stack file; `node_security_group_id` that of the nodes, `core_group_name` the core pool's Auto Scaling group."""

    stack: StackConfig
    hub: str
    network: NetworkOutputs
    node_security_group_id: pulumi.Input[str]
    core_group_name: pulumi.Input[str]
    tags: Mapping[str, str]


class HubCloud(Component):
    """What AWS's own API makes for a hub. Its inner half (components/hub/hub.py) may be another stack's.

    `ready` is what the hub's pods need of it.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:HubCloud"

    def __init__(self, name: str, args: HubCloudArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._section = args.stack.hubs[args.hub]
        self._names = HubNames(stack=args.stack.name, hub=args.hub)
        self.database_volume: pulumi.Output[str] | None = None
        self.database_url: pulumi.Output[str] | None = None
        self.database_password: pulumi.Output[str] | None = None
        self.database_instance: pulumi.Output[str] | None = None
        self.balancer: Balancer | None = None
        self.ready: Sequence[pulumi.Resource] = ()
        self._database()
        self._entry()
        self.register_outputs({"hub": args.hub})

    def _database(self) -> None:
        section, args = self._section.database, self._args
        if isinstance(section, SqliteDatabase):
            zone = core_zones(args.stack.pools, args.stack.network)[0]
            tags = {**args.tags, **backup_tags(args.stack.name, args.stack.backups)}
            volume = DatabaseVolume(f"{self._name}-database", DatabaseVolumeArgs(names=self._names, database=section, zone=zone, tags=tags), self.child())
            self.database_volume = volume.volume_id
        elif isinstance(section, PostgresDatabase):
            password = RandomPassword(f"{self._name}-password", length=PASSWORD_LENGTH, special=False, opts=self.child())
            self.database_password = pulumi.Output.secret(password.result)
            postgres = Postgres(
                f"{self._name}-database",
                PostgresArgs(
                    names=self._names,
                    database=section,
                    vpc_id=args.network.vpc_id,
                    subnet_ids=args.network.private_subnet_ids,
                    client_security_group_id=args.node_security_group_id,
                    password=self.database_password,
                    closed=args.stack.network.closed,
                    tags=args.tags,
                    backup_tags=database_tags(args.stack.name, args.stack.backups),
                ),
                self.child(),
            )
            self.database_url, self.ready, self.database_instance = postgres.url, postgres.ready, postgres.identifier

    def _entry(self) -> None:
        args, port = self._args, node_port(self._args.hub, self._section)
        if port is None:
            return
        inside = isinstance(self._section.entry, LoadBalancerEntry) and self._section.entry.internal
        entry = Entry(
            f"{self._name}-entry",
            EntryArgs(
                names=self._names,
                entry=self._section.entry,
                port=port,
                vpc_id=args.network.vpc_id,
                subnet_ids=args.network.private_subnet_ids if inside else args.network.public_subnet_ids,
                node_security_group_id=args.node_security_group_id,
                core_group_name=args.core_group_name,
                tags=args.tags,
                before_balancer=args.network.ready,
                without_balancer=args.stack.drops("balancers"),
            ),
            self.child(),
        )
        self.balancer = entry.balancer
