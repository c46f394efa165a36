"""What a component says of itself to components after it, in any language: `network.handle`,
`cluster.handle` and the others.

A handle is the object of outputs of the Python interface (`NetworkOutputs`, `ClusterOutputs` …) as
plain data. It is filled in by hand just the same, for a VPC or a cluster from another source.
What waits for `ready` resources there, waits here for every resource that the handle depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pulumi
from pydantic import Field

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.backups import BackupsOutputs
from jupyterhub_aws.components.buckets import BucketsOutputs
from jupyterhub_aws.components.cluster.outputs import ClusterOutputs
from jupyterhub_aws.components.homes.efs import EfsHomesOutputs
from jupyterhub_aws.components.network.outputs import NetworkOutputs
from jupyterhub_aws.components.pools.args import NodePoolsOutputs
from jupyterhub_aws.components.pools.pools import NodePoolsArgs
from jupyterhub_aws.config.backups import AnyBackups, AwsBackup, Snapshots
from jupyterhub_aws.config.buckets import AnyBucket, Bucket
from jupyterhub_aws.config.egress import Egress, PeerNetwork
from jupyterhub_aws.config.model import Model
from jupyterhub_aws.config.pools import Pools, UserPool
from jupyterhub_aws.config.specs.backups import BackupSpec
from jupyterhub_aws.config.specs.buckets import bucket_specs
from jupyterhub_aws.config.specs.cluster import ClusterAccess
from jupyterhub_aws.config.specs.network import INTERNET, NetworkSpec
from jupyterhub_aws.config.specs.node_groups import node_pools_spec
from jupyterhub_aws.config.values import ShortName
from jupyterhub_aws.provider.shapes import FLAG, TEXT, Property, Shape, Shapes, list_of, map_of
from jupyterhub_aws.provider.values import MADE, handle

Values = Mapping[str, Any]
#: Resources that are to be waited for, by what they stand for: `ready` where there is nothing to
#: tell apart.
Waits = Mapping[str, Sequence[pulumi.Resource]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Handle:
    """One kind of handle. `receive` makes the outputs of the Python interface from its values,
    and notes what is wrong with them at a path.
    """

    shape: Shape
    receive: Callable[[Arguments, str, Values, Waits], Any]


class _NetworkFacts(Model):
    egress: Egress = INTERNET
    peer_networks: Mapping[str, PeerNetwork] = Field(default_factory=dict)


class _Buckets(Model):
    buckets: dict[ShortName, Bucket]
    partition: Literal["aws", "aws-cn", "aws-us-gov"] = "aws"


class _Backups(Model):
    options: AnyBackups


def _made(shapes: Shapes) -> Property:
    """What a component writes into its handle besides."""
    if "Made" not in shapes.objects:
        pending = (
            "What is not made yet: paths of properties that are absent from the handle until then."
        )
        came_from = "The resources that each value came from, by its path."
        waits = "The resources that whatever takes the handle waits for."
        properties = {
            "pending": Property(list_of(TEXT), pending, optional=True),
            "dependencies": Property(map_of(list_of(TEXT)), came_from, optional=True),
            "waits": Property(map_of(list_of(TEXT)), waits, optional=True),
        }
        doc = "What a component writes into its handle besides. Nothing to fill in by hand."
        shapes.object("Made", doc, properties)
    doc = "Written by the component. Nothing to fill in by hand."
    return Property(Shape(object=shapes.objects["Made"]), doc, optional=True)


def handle_shape(shapes: Shapes, name: str, doc: str, properties: Mapping[str, Property]) -> Shape:
    """The object type of a handle. What only AWS knows is absent in a preview, so it is never
    required: the Python interface says what is missing.
    """
    absent = {
        key: replace(item, optional=item.optional or item.shape.live)
        for key, item in properties.items()
    }
    return shapes.object(name, doc, {**absent, MADE: _made(shapes)}, handle=True)


class Handles:
    """Every kind of handle, with its object type."""

    def __init__(self, shapes: Shapes) -> None:
        """Make the object types, and have `shapes` use them where the Python interface takes the
        outputs of a component.
        """
        self._shapes = shapes
        self.network = self._kind(NetworkOutputs, _network_properties(shapes), _network)
        shapes.known[NetworkSpec] = self.network.shape
        self.cluster = self._kind(ClusterOutputs, _cluster_properties(shapes), _cluster)
        self.pools = self._kind(NodePoolsOutputs, _pools_properties(shapes), _pools)
        homes = shapes.of_dataclass(EfsHomesOutputs, without=("ready",))
        self.homes = self._kind(EfsHomesOutputs, homes, _homes)
        self.backups = self._kind(BackupsOutputs, _backups_properties(shapes), _backups)
        self.buckets = self._kind(BucketsOutputs, _buckets_properties(shapes), _buckets)
        self.by_name = {
            item.shape.object.name: item
            for item in (
                self.network,
                self.cluster,
                self.pools,
                self.homes,
                self.backups,
                self.buckets,
            )
            if item.shape.object
        }

    def _kind(
        self, outputs: type, properties: Mapping[str, Property], receive: Callable[..., Any]
    ) -> Handle:
        """The handle of some outputs: `NetworkHandle` of `NetworkOutputs`."""
        name = outputs.__name__.removesuffix("Outputs") + "Handle"
        doc = f"What other components need of this: {outputs.__name__} of the Python interface."
        shape = handle_shape(self._shapes, name, doc, properties)
        self._shapes.known[outputs] = shape
        return Handle(shape=shape, receive=receive)

    def of_network(self, outputs: NetworkOutputs) -> pulumi.Output[Any]:
        """The handle of a network."""
        return handle(_of_network(outputs), self.network.shape, ready=outputs.ready)

    def of_cluster(self, outputs: ClusterOutputs) -> pulumi.Output[Any]:
        """The handle of a cluster. Its kubeconfig is not in it: it follows from the address and
        the certificate authority.
        """
        access = outputs.access
        values = {
            **{name: getattr(outputs, name) for name in _FIELDS_OF_A_CLUSTER},
            "network": _of_network(outputs.vpc),
            "public_access_cidrs": None if access is None else access.public_access_cidrs,
        }
        return handle(values, self.cluster.shape, network=outputs.vpc.ready, ready=outputs.ready)

    def of_pools(
        self, outputs: NodePoolsOutputs, cluster: ClusterOutputs, *, per_zone: bool, paused: bool
    ) -> pulumi.Output[Any]:
        """The handle of node pools of a cluster, with what their arguments said of all of them."""
        spec = outputs.spec
        values = {
            **{name: getattr(outputs, name) for name in _OUTPUTS_OF_POOLS},
            "pools": spec.section.user,
            "core": spec.section.core,
            "cluster": spec.cluster,
            "version": cluster.version,
            "zones": cluster.network_spec.zones,
            "per_zone": per_zone,
            "paused": paused,
            "physical_name": spec.prefix,
        }
        return handle(values, self.pools.shape, ready=outputs.ready, nodes=outputs.nodes)

    def of_homes(self, outputs: EfsHomesOutputs) -> pulumi.Output[Any]:
        """The handle of homes in EFS."""
        names = ("file_system_id", "volume_handles", "ownership_handle")
        values = {name: getattr(outputs, name) for name in names}
        return handle(values, self.homes.shape, ready=outputs.ready)

    def of_backups(self, outputs: BackupsOutputs) -> pulumi.Output[Any]:
        """The handle of backups."""
        values = {
            "name": outputs.spec.name,
            "options": outputs.spec.options,
            "vault_name": outputs.vault_name,
            "policy_id": outputs.policy_id,
        }
        return handle(values, self.backups.shape)

    def of_buckets(self, outputs: BucketsOutputs) -> pulumi.Output[Any]:
        """The handle of buckets, each with its name in AWS."""
        values = {
            "buckets": {
                name: spec.options.model_copy(update={"bucket_name": spec.bucket_name})
                for name, spec in outputs.specs.items()
            },
            "partition": next((spec.partition for spec in outputs.specs.values()), "aws"),
        }
        return handle(values, self.buckets.shape, ready=outputs.ready)


# --- networks ---


def _network_properties(shapes: Shapes) -> dict[str, Property]:
    doc = (
        "The zones of the private subnets in their order: the first one is that of core nodes and"
        " of volumes. Without it, in the order of their names."
    )
    return {
        **shapes.of_dataclass(NetworkOutputs, without=("ready",)),
        "zones": Property(list_of(TEXT), doc, optional=True),
    }


_FACTS_OF_A_NETWORK = ("cidrs", "egress", "internal_hosts", "peer_networks")
_IDS_OF_A_NETWORK = (
    "vpc_id private_subnets public_subnets endpoints_security_group_id s3_prefix_list_id".split()
)


def _of_network(outputs: NetworkOutputs) -> dict[str, Any]:
    return {
        **{name: getattr(outputs, name) for name in (*_FACTS_OF_A_NETWORK, *_IDS_OF_A_NETWORK)},
        "zones": outputs.zones,
    }


def _network(given: Arguments, path: str, values: Values, waits: Waits) -> NetworkOutputs | None:
    section = {name: values.get(name) for name in ("egress", "peer_networks")}
    facts = given.section(_NetworkFacts, section, path=path)
    zones, kinds = values.get("zones", ()), ("private_subnets", "public_subnets")
    subnets = {name: _in_order(values.get(name, {}), zones) for name in kinds}
    if facts is None:
        return None
    others = {name: item for name, item in values.items() if name not in (*section, "zones")}
    made: dict[str, Any] = {"vpc_id": None, "cidrs": (), **others, **subnets}
    return NetworkOutputs(
        egress=facts.egress, peer_networks=facts.peer_networks, ready=waits["ready"], **made
    )


def _in_order(subnets: Values, zones: Sequence[str]) -> dict[str, Any]:
    return {zone: subnets[zone] for zone in dict.fromkeys([*zones, *subnets]) if zone in subnets}


# --- clusters ---

_FIELDS_OF_A_CLUSTER = (
    "name version endpoint certificate_authority security_group_id node_security_group_id"
    " service_cidr created id"
).split()


def _cluster_properties(shapes: Shapes) -> dict[str, Property]:
    doc = (
        "The networks outside the VPC that the API lets in. Messages name them where it does not"
        " answer."
    )
    cidrs = Property(list_of(TEXT), doc, optional=True)
    return {
        **shapes.of_dataclass(ClusterOutputs, without=("ready", "owner", "access")),
        "public_access_cidrs": cidrs,
    }


def _cluster(given: Arguments, path: str, values: Values, waits: Waits) -> ClusterOutputs | None:
    of_network = {"ready": waits.get("network", waits["ready"])}
    network = _network(given, f"{path}.network", values.get("network", {}), of_network)
    if network is None:
        return None
    apart = ("network", "public_access_cidrs")
    others = {name: item for name, item in values.items() if name not in apart}
    cidrs = values.get("public_access_cidrs")
    access = ClusterAccess(
        cluster=str(others.get("name")),
        public_access_cidrs=None if cidrs is None else tuple(cidrs),
        option="publicAccessCidrs",
    )
    facts = {"name": None, "version": None, **others}
    return ClusterOutputs(network=network, access=access, ready=waits["ready"], **facts)


# --- node pools ---

_OUTPUTS_OF_POOLS = ("core_group_name", "group_names", "core_node_role", "user_node_role")


def _pools_properties(shapes: Shapes) -> dict[str, Property]:
    arguments = shapes.of_dataclass(NodePoolsArgs, without=("cluster",))
    core = "The core nodes. Without it they exist already."
    zones = "The zones of its private subnets, in their order."
    return {
        **shapes.of_dataclass(NodePoolsOutputs, without=("spec", "nodes", "ready")),
        "pools": Property(map_of(shapes.shape(UserPool, "pool")), "The pools by their names."),
        "core": Property(arguments["core"].shape, core, optional=True),
        "cluster": Property(TEXT, "The cluster's name in EKS."),
        "version": Property(TEXT, 'Its Kubernetes minor version, such as "1.35".'),
        "zones": Property(list_of(TEXT), zones, optional=True),
        "per_zone": Property(FLAG, arguments["per_zone"].doc, optional=True),
        "paused": Property(FLAG, arguments["paused"].doc, optional=True),
        "physical_name": Property(TEXT, arguments["physical_name"].doc, optional=True),
    }


def _pools(given: Arguments, path: str, values: Values, waits: Waits) -> NodePoolsOutputs | None:
    pools = values.get("pools", {})
    section = given.section(Pools, {"core": values.get("core"), **pools}, path=f"{path}.pools")
    if section is None:
        return None
    spec = node_pools_spec(
        section,
        cluster=values.get("cluster", ""),
        version=values.get("version", ""),
        zones=values.get("zones", ()),
        per_zone=values.get("per_zone", False),
        paused=values.get("paused", False),
        prefix=values.get("physical_name"),
    )
    return NodePoolsOutputs(
        spec=spec,
        ready=waits["ready"],
        nodes=waits.get("nodes", ()),
        **{name: values[name] for name in _OUTPUTS_OF_POOLS if name in values},
    )


# --- homes, backups and buckets ---


def _homes(given: Arguments, path: str, values: Values, waits: Waits) -> EfsHomesOutputs:
    del given, path
    return EfsHomesOutputs(
        ready=waits["ready"], **{"file_system_id": None, "volume_handles": {}, **values}
    )


def _backups_properties(shapes: Shapes) -> dict[str, Property]:
    outputs = shapes.of_dataclass(BackupsOutputs, without=("spec",))
    name = "The value of the tag `jupyterhub-aws/backup`, by which resources are found."
    options = "What is backed up, when, and for how long."
    return {
        "name": Property(TEXT, name),
        "options": Property(shapes.shape(AnyBackups, "backup_options"), options),
        **outputs,
    }


def _backups(given: Arguments, path: str, values: Values, waits: Waits) -> BackupsOutputs | None:
    del waits
    said = values.get("options", {})
    section = given.section(_Backups, {"options": said}, path=path)
    if section is None:
        return None
    options = section.options
    if isinstance(options, (AwsBackup, Snapshots)) and "weekly" not in said:
        options = options.model_copy(update={"weekly": None})
    spec = BackupSpec(name=values.get("name", ""), options=options)
    return BackupsOutputs(
        spec=spec, **{name: values[name] for name in ("vault_name", "policy_id") if name in values}
    )


def _buckets_properties(shapes: Shapes) -> dict[str, Property]:
    buckets = "The buckets by the names under which `aws_access` finds them."
    partition = "The AWS partition of their ARNs; without it `aws`."
    return {
        "buckets": Property(map_of(shapes.shape(AnyBucket, "bucket")), buckets),
        "partition": Property(TEXT, partition, optional=True),
    }


def _buckets(given: Arguments, path: str, values: Values, waits: Waits) -> BucketsOutputs | None:
    section = given.section(_Buckets, values, path=path)
    if section is None:
        return None
    for name, bucket in section.buckets.items():
        if bucket.bucket_name is None:
            where, what = f"{path}.buckets.{name}", "has no name in AWS"
            given.say("argument.bucket-name", where, what, "write its bucketName")
            return None
    specs = bucket_specs(
        section.buckets, stack="", account=None, partition=section.partition, backup_tags={}
    )
    return BucketsOutputs(specs=specs, ready=tuple(waits["ready"]))
