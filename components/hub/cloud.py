"""The AWS resources of one hub: its database's volume or instance, and its load balancer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_random import RandomPassword

from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.entry import Balancer, EntryArgs, HubEntry
from jupyterhub_aws.components.hub.access import ServerRole, ServerRoleArgs
from jupyterhub_aws.components.hub.database import (
    DatabaseVolume,
    DatabaseVolumeArgs,
    Postgres,
    PostgresArgs,
)
from jupyterhub_aws.components.hub.secrets import PASSWORD_LENGTH
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.config.database import PostgresDatabase, SqliteDatabase
from jupyterhub_aws.config.specs.hub import HubSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class HubCloudArgs:
    """`hub` is what follows for the hub, `network` where it is. `node_security_group_id` is that of
    the nodes, `core_group_name` the core pool's Auto Scaling group, `cluster_name` the cluster whose
    pods get roles.
    """

    hub: HubSpec
    network: NetworkOutputs
    node_security_group_id: pulumi.Input[str]
    core_group_name: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    tags: Mapping[str, str]


class HubCloud(Component):
    """The AWS resources of a hub. Its objects in the cluster (components/hub/hub.py) may be the
    inner stack's.

    `ready` is what the hub's pods need of it.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:HubCloud"

    def __init__(
        self, name: str, args: HubCloudArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._names = args.hub.names
        self.database_volume: pulumi.Output[str] | None = None
        self.database_url: pulumi.Output[str] | None = None
        self.database_password: pulumi.Output[str] | None = None
        self.database_instance: pulumi.Output[str] | None = None
        self.balancer: Balancer | None = None
        self.ready: Sequence[pulumi.Resource] = ()
        self._database()
        self._entry()
        self._server_roles()
        self.register_outputs({"hub": args.hub.name})

    def _database(self) -> None:
        section, args = self._args.hub.options.database, self._args
        if isinstance(section, SqliteDatabase):
            zone = str(args.hub.database_zone)
            tags = {**args.tags, **args.hub.volume_tags}
            volume = DatabaseVolume(
                f"{self._name}-database",
                DatabaseVolumeArgs(names=self._names, database=section, zone=zone, tags=tags),
                self.child(),
            )
            self.database_volume = volume.volume_id
        elif isinstance(section, PostgresDatabase):
            password = RandomPassword(
                f"{self._name}-password", length=PASSWORD_LENGTH, special=False, opts=self.child()
            )
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
                    closed=args.hub.closed,
                    tags=args.tags,
                    backup_tags=args.hub.database_tags,
                ),
                self.child(),
            )
            self.database_url, self.ready, self.database_instance = (
                postgres.url,
                postgres.ready,
                postgres.identifier,
            )

    def _server_roles(self) -> None:
        hub = self._args.hub
        for access in () if hub.access is None else hub.access.accesses:
            args = ServerRoleArgs(
                access=access,
                cluster_name=self._args.cluster_name,
                hub=hub.name,
                tags=self._args.tags,
            )
            ServerRole(f"{self._name}-servers-{access.name}", args, self.child())

    def _entry(self) -> None:
        args, port = self._args, self._args.hub.node_port
        if port is None:
            return
        entry = HubEntry(
            f"{self._name}-entry",
            EntryArgs(
                names=self._names,
                entry=args.hub.options.entry,
                port=port,
                vpc_id=args.network.vpc_id,
                subnet_ids=(
                    args.network.private_subnet_ids
                    if args.hub.internal
                    else args.network.public_subnet_ids
                ),
                node_security_group_id=args.node_security_group_id,
                core_group_name=args.core_group_name,
                tags=args.tags,
                before_balancer=args.network.ready,
                without_balancer=args.hub.without_balancer,
                paused_page=args.hub.paused_page,
            ),
            self.child(),
        )
        self.balancer = entry.balancer
