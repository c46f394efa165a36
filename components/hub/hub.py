"""One JupyterHub: its namespace, its secrets, its data, its release, its way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.helm.v3 import Release

from components.base import Component
from components.charts import chart
from components.entry.args import EntryArgs
from components.entry.entry import Entry
from components.hub.database import DatabaseVolume, DatabaseVolumeArgs, Postgres, PostgresArgs
from components.hub.names import HubNames
from components.hub.secrets import HubSecrets, HubSecretsArgs
from components.hub.storage import HomesVolume, HomesVolumeArgs
from components.hub.values.hub import Given, hub_values, public_url
from components.network.place import Place
from config.chart import CHART
from config.database import PostgresDatabase, SqliteDatabase
from config.entry import LoadBalancerEntry
from config.homes import EfsHomes, NfsHomes
from config.hub_rules import core_zones, node_port
from config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What all hubs of a stack share. `volume_handles` are their access points of EFS (empty with other homes), `secrets` the
    encrypted values of the stack file by key, `after` what a hub's pods need to run.
    """

    place: Place
    node_security_group_id: pulumi.Input[str]
    core_group_name: pulumi.Input[str]
    volume_handles: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Output[str]]
    tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


@dataclass(frozen=True, kw_only=True, eq=False)
class HubArgs:
    """`hub` is the hub's name in the stack file."""

    stack: StackConfig
    hub: str
    around: Surroundings


class Hub(Component):
    """A hub that shares nodes with others, and nothing else. Needs a Kubernetes provider among its providers.

    Its namespace, its homes and its database are kept when the hub is taken out of the stack file.
    """

    token: ClassVar[str] = "jhub:hub:Hub"
    url: pulumi.Output[str]

    def __init__(self, name: str, args: HubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args, self._around = name, args, args.around
        self._section = args.stack.hubs[args.hub]
        self._names = HubNames(stack=args.stack.name, hub=args.hub)
        namespace = self._namespace()
        self._in_namespace = namespace.metadata["name"]
        self.secrets = HubSecrets(
            f"{name}-secrets", HubSecretsArgs(stack=args.stack, hub=args.hub, namespace=self._in_namespace, given=args.around.secrets), self.child()
        )
        url, stored = self._database()
        release = self._release(url, [*self._homes(), *stored, *self.secrets.ready])
        self._entry(namespace)
        self.url = pulumi.Output.from_input(public_url(self._section))
        #: What a person or a script asks of a stack: where the hub is, and with a shared password how to get in.
        self.exports: dict[str, pulumi.Input[Any]] = {
            "url": self.url,
            "namespace": self._names.namespace,
            "release": release.name,
            "passwords": {which: value for which, value in self.secrets.passwords.items() if which != "database-password"},
        }
        self.register_outputs({"url": self.url, "namespace": self._names.namespace, "release": release.name})

    def _namespace(self) -> Namespace:
        return Namespace(
            f"{self._name}-namespace",
            metadata={
                "name": self._names.namespace,
                "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")},
            },
            opts=self.retained(protected=self._args.stack.cluster.protected),  # with it would go the claims of homes and database
        )

    def _homes(self) -> list[pulumi.Resource]:
        homes = self._args.stack.homes
        if not isinstance(homes, (EfsHomes, NfsHomes)):
            return []
        args = HomesVolumeArgs(
            names=self._names,
            homes=homes,
            volume_handle=self._around.volume_handles.get(self._args.hub),
            namespace=self._in_namespace,
            protected=self._args.stack.cluster.protected,
        )
        return [HomesVolume(f"{self._name}-homes", args, self.child()).claim]

    def _database(self) -> tuple[pulumi.Input[str] | None, list[pulumi.Resource]]:
        section, stack = self._section.database, self._args.stack
        if isinstance(section, SqliteDatabase):
            zone = core_zones(stack.pools, stack.network)[0]
            args = DatabaseVolumeArgs(names=self._names, database=section, zone=zone, tags=self._around.tags, protected=stack.cluster.protected)
            return None, DatabaseVolume(f"{self._name}-database", args, self.child()).ready
        if isinstance(section, PostgresDatabase):
            postgres = Postgres(
                f"{self._name}-database",
                PostgresArgs(
                    names=self._names,
                    database=section,
                    vpc_id=self._around.place.vpc_id,
                    subnet_ids=self._around.place.private_subnet_ids,
                    client_security_group_id=self._around.node_security_group_id,
                    password=self.secrets.passwords["database-password"],
                    tags=self._around.tags,
                ),
                self.child(),
            )
            return postgres.url, postgres.ready
        return None, []

    def _release(self, database_url: pulumi.Input[str] | None, before: Sequence[pulumi.Resource]) -> Release:
        given = Given(
            auth_token=self.secrets.auth_token,
            cookie_secret=self.secrets.cookie_secret,
            auth_state_key=self.secrets.auth_state_key,
            checksum=self.secrets.checksum,
            database_url=database_url,
        )
        values: dict[str, Any] = hub_values(self._args.stack, self._args.hub, given)
        return Release(
            f"{self._name}-release",
            # Helm waits for hub and proxy, which is what ready means; nothing in the release needs a user node.
            **chart(CHART, self._args.stack.cluster.version, awaited=True),
            name=self._names.release,
            namespace=self._in_namespace,
            values=values,
            opts=self.child(depends_on=[*self._around.after, *before]),
        )

    def _entry(self, namespace: Namespace) -> None:
        port = node_port(self._args.hub, self._section)
        if port is None:
            return
        inside = isinstance(self._section.entry, LoadBalancerEntry) and self._section.entry.internal
        Entry(
            f"{self._name}-entry",
            EntryArgs(
                names=self._names,
                entry=self._section.entry,
                port=port,
                vpc_id=self._around.place.vpc_id,
                subnet_ids=self._around.place.private_subnet_ids if inside else self._around.place.public_subnet_ids,
                node_security_group_id=self._around.node_security_group_id,
                core_group_name=self._around.core_group_name,
                namespace=namespace,
                tags=self._around.tags,
                before_balancer=self._around.place.ready,
            ),
            self.child(),
        )
