"""What a stack may say about its nodes: a fixed core pool, and user pools that scale with users'
servers.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jupyterhub_aws.config import suggestions
from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.instance_types import InstanceType, instance_type, instance_types
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import LabelKey, LabelValue, Price, ShortName, Zone

_NEW_SHAPE = (
    "A type of the same shape (vCPUs, memory, GPUs): in place, new nodes may use it. Another shape:"
    " a new group is created before the old one is deleted; with the old group its nodes and the"
    " servers on them end."
)
_NEW_NODES = "New nodes have it; running nodes do not change until they are replaced."
#: Keys that come from the pool itself; the program owns them so that labels, autoscaler tags and
#: selectors agree.
OWN_LABEL_PREFIXES = (
    "hub.jupyter.org/",
    "eks.amazonaws.com/",
    "jupyterhub-aws/",
    "nvidia.com/",
    "k8s.amazonaws.com/",
    "kubernetes.io/",
    "k8s.io/",
)
_LONGEST_LABEL_KEY = 82


def _instance_type(value: str) -> str:
    known = instance_types()
    if value in known:
        kind = instance_type(value)
        if (
            kind.gpu is not None and not kind.gpus
        ):  # DescribeInstanceTypes counts a fraction as none
            raise refuse(
                "pools.fraction-of-gpu",
                f"has only a fraction of a GPU (got {value})",
                "the device plugin hands out whole GPUs: choose a type with one, such as g6.xlarge",
            )
        return value
    raise refuse(
        "pools.instance-type-unknown",
        f"is not an EC2 instance type that this program knows (got {shown(value)})",
        suggestions.types(value)
        or "choose one from config/data/ec2_types.json, or refresh that table with scripts/refresh_ec2_types.py",
    )


def _label_is_free(value: str) -> str:
    prefix = value.rpartition("/")[0]
    if value == "on-demand" or any(
        value.startswith(own) or prefix.endswith("." + own.rstrip("/"))
        for own in OWN_LABEL_PREFIXES
    ):
        what = f"is a label that the program or Kubernetes sets (got {shown(value)})"
        fix = "choose a key of your own, such as example.org/team"
        raise refuse("pools.label-reserved", what, fix)
    return value


def _label_fits_a_tag(value: str) -> str:
    # AWS takes 128 characters as a tag's key, and the autoscaler's
    # `k8s.io/cluster-autoscaler/node-template/label/` has 46 of them.
    if len(value) > _LONGEST_LABEL_KEY:
        what = f"is too long for the autoscaler's tag of it (got {len(value)} characters)"
        fix = f"shorten it to {_LONGEST_LABEL_KEY}, prefix included"
        raise refuse("pools.label-too-long", what, fix)
    return value


def _price_is_text(value: object) -> object:
    if isinstance(value, bool):
        fix = 'write US dollars per hour in quotes, such as "0.35"'
        raise refuse("price.unquoted", f"must be a quoted string (got {shown(value)})", fix)
    if isinstance(value, (int, float)):
        price = (
            shown(value) if 0.001 <= value <= 1000 else "0.35"
        )  # what may be a price is shown as the remedy
        what = (
            f"must be a quoted string (got the number {shown(value)}): numbers lose digits when the"
            " file is rewritten"
        )
        raise refuse("price.number", what, f'write it in quotes: "{price}"')
    return value


InstanceTypeName = Annotated[
    str, AfterValidator(_instance_type), Field(json_schema_extra={"examples": ["r5n.2xlarge"]})
]
OwnLabelKey = Annotated[LabelKey, AfterValidator(_label_is_free), AfterValidator(_label_fits_a_tag)]


class Disk(Model):
    """The root volume of a node: images, logs and whatever containers write outside volumes.
    Always gp3 and encrypted.
    """

    size_gib: int = option(
        100,
        help="Size. Container images of data science are 5 to 20 GiB each.",
        unit="GiB",
        changing=_NEW_NODES,
        ge=20,
        le=16384,
    )
    iops: int = option(
        3000,
        help="Reads and writes per second; 3000 is included in the price.",
        unit="IOPS",
        changing=_NEW_NODES,
        ge=3000,
        le=80000,
    )
    throughput: int = option(
        125,
        help=(
            "Throughput; 125 is included in the price. Large images start faster with 250 and more."
        ),
        unit="MiB/s",
        changing=_NEW_NODES,
        ge=125,
        le=2000,
    )

    @model_validator(mode="after")
    def _ratios(self) -> Self:
        # EBS user guide, "General Purpose SSD volumes": at most 500 IOPS per GiB, and 0.25 MiB/s
        # for each provisioned IOPS.
        if self.iops > 500 * self.size_gib:
            what = f"iops must be at most 500 for each GiB (got {self.iops} on {self.size_gib} GiB)"
            fix = f"lower iops to {500 * self.size_gib}, or raise size_gib"
            raise refuse("disk.iops", what, fix)
        if self.throughput > self.iops // 4:
            what = (
                f"throughput must be at most a quarter of iops (got {self.throughput} with"
                f" {self.iops} IOPS)"
            )
            raise refuse("disk.throughput", what, f"raise iops to {4 * self.throughput}")
        return self


class Size(Model):
    """How many nodes each group of the pool may have. A pool that buys spot first has two groups,
    spot and on demand.
    """

    min: int = option(
        0,
        help=(
            "Nodes that always run in each group, so that the first user does not wait: with spot"
            " first, so many of spot and so many on demand."
        ),
        unit="nodes",
        changing="In place.",
        ge=0,
        le=450,
    )
    max: int = option(
        help="The most nodes of each group: the upper limit of the bill.",
        unit="nodes",
        changing=(
            "In place; lowered below the number of running nodes, the excess nodes end, with their"
            " servers."
        ),
        ge=1,
        le=450,
    )

    @field_validator("max")
    @classmethod
    def _at_least_min(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min", 0)
        if value < least:
            what = f"must be at least min (got {value} < {least})"
            raise refuse("pools.max-below-min", what, "raise max or lower min")
        return value


class _Pool(Model):
    """Options of every pool."""

    instance_types: Annotated[tuple[InstanceTypeName, ...], Field(min_length=1, max_length=20)] = (
        option(
            help=(
                "EC2 types that may be used, all of one shape. More types find more spot capacity;"
                " the autoscaler calculates with the first one."
            ),
            changing=_NEW_SHAPE,
        )
    )
    disk: Disk = option(Disk(), help="Root volume of each node.", changing=_NEW_NODES)
    labels: dict[OwnLabelKey, LabelValue] = option(
        {}, help="Further Kubernetes labels of the nodes.", changing=_NEW_NODES, max_length=10
    )

    @property
    def types(self) -> tuple[InstanceType, ...]:
        """What is known of its types, in its order."""
        return tuple(map(instance_type, self.instance_types))

    @field_validator("instance_types")
    @classmethod
    def _types_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise refuse("pools.type-twice", f"names {twice[0]} twice", "remove one of them")
        return names


_GENERATION_CHANGING = (
    "New groups are created, and new servers start there. The old generation's groups are deleted"
    " with their nodes, and the servers on them, unless `retiring` names it. The hub restarts"
    " (running servers are not affected). docs/upgrading-kubernetes.md."
)


class Retiring(Model):
    """An older generation of a user pool whose nodes remain until they are empty: it gets no new
    node, and no server starts there.
    """

    generation: int = option(
        help="Its number: 1 where the pool had no `generation`.", changing="In place.", ge=1, le=998
    )
    instance_types: Annotated[tuple[InstanceTypeName, ...], Field(max_length=20)] = option(
        (),
        help=(
            "Its instance types, where their shape differs from the pool's present one. Empty: the"
            " pool's."
        ),
        changing="Wrong types of another shape end its nodes, and the servers on them.",
    )
    capacity: Literal["spot_first", "spot", "on_demand"] | None = option(
        None,
        help="Its capacity, where it differs from the pool's present one. Default: the pool's.",
        changing="A market that is not in it ends, with its nodes.",
    )


class CorePoolSection(_Pool):
    """The nodes that always run: for hub, proxy, autoscaler and add-on controllers. On demand,
    fixed size.
    """

    size: int = option(
        2,
        help="Number of nodes. Two survive the loss of one.",
        unit="nodes",
        changing="In place.",
        ge=1,
        le=20,
    )
    zones: tuple[Zone, ...] = option(
        (),
        help=(
            "Zones of these nodes. Empty: the network's first one, where the volumes of the hubs'"
            " databases are. More survive the loss of a zone, and need databases that do"
            " (`postgres`)."
        ),
        changing=(
            "A new group is created before the old one is deleted; hubs restart on it. Volumes are"
            " not moved automatically (docs/operations.md)."
        ),
        max_length=3,
    )
    generation: int = option(
        1,
        help=(
            "Raise it to replace all core nodes: the new ones join before the old ones are deleted."
        ),
        changing=(
            "A new group is created before the old one is deleted; hub and proxy move, so all"
            " connections drop once. Running servers are not affected."
        ),
        ge=1,
        le=999,
    )


class _UserPool(_Pool):
    """Nodes for users' servers: from zero to `size.max`, added by the autoscaler when a user
    starts a server.
    """

    generation: int = option(
        1,
        help=(
            "Raise it for new nodes while users work on the old ones: name the old number under"
            " `retiring`."
        ),
        changing=_GENERATION_CHANGING,
        ge=1,
        le=999,
    )
    retiring: tuple[Retiring, ...] = option(
        (),
        help="Older generations that remain until they are empty. `jhub drain` says when they are.",
        changing=(
            "A generation that is removed from the list is deleted, with its nodes and the servers"
            " that still run there."
        ),
        max_length=5,
    )
    size: Size = option(help="Smallest and largest number of nodes.", changing="In place.")
    max_pods: int = option(
        40,
        help=(
            "The most pods on a node, system pods included. The kubelet keeps 11 MiB for each"
            " possible pod, so a high number leaves less memory for servers."
        ),
        unit="pods",
        changing=_NEW_NODES,
        ge=15,
        le=110,
    )

    @field_validator("retiring")
    @classmethod
    def _older_and_once(
        cls, retiring: tuple[Retiring, ...], info: ValidationInfo
    ) -> tuple[Retiring, ...]:
        current, numbers = (
            info.data.get("generation", 1000),
            [item.generation for item in retiring],
        )  # a wrong one has its own message
        for number in numbers:
            if number >= current:
                raise refuse(
                    "pools.generation-not-older",
                    f"names generation {number}, and the pool's own is {current}: a retiring"
                    " generation must be older than the current one",
                    f"set generation: {number + 1} beside it, or remove it",
                )
            if numbers.count(number) > 1:
                fix = "remove one of them"
                raise refuse("pools.generation-twice", f"names generation {number} twice", fix)
        return retiring


MaxPrice = Annotated[Price, BeforeValidator(_price_is_text)]
_MAX_PRICE = option(
    None,
    help=(
        "The most that you pay per node and hour (US dollars, quoted). Without it: the on-demand"
        " price. Too low means no spot nodes at all."
    ),
    unit="USD per hour",
    changing="In place: applies to new requests; running nodes stay until AWS reclaims them.",
)


class SpotFirstPool(_UserPool):
    """Two groups of one shape: spot nodes first, on-demand nodes when there is no spot capacity."""

    capacity: Literal["spot_first"] = tag(
        "spot_first",
        help="`spot_first`: spot, and on-demand nodes when spot has none.",
        changing="The group that is no longer needed is deleted, with its nodes.",
    )
    max_price: MaxPrice | None = _MAX_PRICE


class SpotPool(_UserPool):
    """Spot nodes only. Users wait when there is no spot capacity."""

    capacity: Literal["spot"] = tag(
        "spot",
        help="`spot`: spot nodes only.",
        changing="The group that is no longer needed is deleted, with its nodes.",
    )
    max_price: MaxPrice | None = _MAX_PRICE


class OnDemandPool(_UserPool):
    """On-demand nodes only: never reclaimed."""

    capacity: Literal["on_demand"] = tag(
        "on_demand",
        help="`on_demand`: on-demand nodes only.",
        changing="The group that is no longer needed is deleted, with its nodes.",
    )


class ExistingNodePool(Model):
    """Nodes that exist already, in an existing cluster. Label them as
    `docs/operations.md` says, or give the labels that they have.
    """

    capacity: Literal["existing"] = tag(
        "existing",
        help="`existing`: with `cluster.kind: existing`.",
        changing="For servers that start later.",
    )
    cores: int = option(
        help="vCPUs of the smallest of these nodes.",
        unit="cores",
        changing="For servers that start later.",
        ge=1,
        le=448,
    )
    memory_gib: int = option(
        help="Memory of the smallest of these nodes.",
        unit="GiB",
        changing="For servers that start later.",
        ge=2,
        le=24576,
    )
    gpus: int = option(
        0,
        help="GPUs of each of these nodes.",
        unit="GPUs",
        changing="For servers that start later.",
        ge=0,
        le=16,
    )
    gpu: str | None = option(
        None,
        help="Their GPU model as shown to users, such as NVIDIA T4.",
        changing="At once.",
        min_length=1,
        max_length=40,
    )
    nodes: int = option(
        1,
        help="Number of these nodes.",
        unit="nodes",
        changing="No resource changes: the plan calculates with it.",
        ge=1,
        le=5000,
    )
    max_pods: int = option(
        110,
        help="The most pods on a node (the kubelet's default).",
        unit="pods",
        changing="Nothing by itself.",
        ge=15,
        le=250,
    )
    node_selector: dict[LabelKey, LabelValue] = option(
        {},
        help=(
            "Labels that these nodes have. Empty: hub.jupyter.org/node-purpose: user and"
            " jupyterhub-aws/pool: NAME."
        ),
        changing="For servers that start later.",
        max_length=10,
    )

    @property
    def types(self) -> tuple[InstanceType, ...]:
        """A description of its nodes as the only instance type."""
        return (
            InstanceType(
                name="existing", vcpus=self.cores, memory_mib=1024 * self.memory_gib, architecture="x86_64", network_interfaces=0, addresses_per_interface=0,
                nitro=True, gpus=self.gpus, gpu=(self.gpu or "GPU") if self.gpus else None, local_disk_gb=0, spot=False, usd_per_hour=None,
            ),
        )  # fmt: skip


#: Nodes that the stack makes.
ManagedNodePool = SpotFirstPool | SpotPool | OnDemandPool
AnyUserPool = ManagedNodePool | ExistingNodePool
UserPool = Annotated[AnyUserPool, Field(discriminator="capacity")]


class Pools(Model):
    """`core`, and any number of user pools under names of your choice."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[ShortName, UserPool] = Field(init=False)

    core: CorePoolSection | None = option(
        None,
        help="The nodes of the hub itself. Required, except in an existing cluster.",
        changing="See its options.",
    )

    @property
    def user(self) -> dict[str, AnyUserPool]:
        """The user pools by name, in the order of their names."""
        return dict(sorted(self.__pydantic_extra__.items()))

    @property
    def bought(self) -> dict[str, ManagedNodePool]:
        """Those of them whose nodes the stack makes."""
        return {
            name: pool for name, pool in self.user.items() if not isinstance(pool, ExistingNodePool)
        }


# --- Generations of a user pool: the one that new servers start in, and older ones whose nodes
# remain until they are empty.


#: Nodes of a later generation than the first have it as a label. Servers select it, so neither the
#: scheduler nor the autoscaler uses nodes of another generation for them: the autoscaler judges a
#: group by a node that runs there or once did, and by the group's tags only where there never was
#: one (kubernetes/autoscaler, processors/nodeinfosprovider/mixed_nodeinfos_processor.go), so a tag
#: alone would not prevent it from scaling up an old group.
GENERATION = "jupyterhub-aws/generation"
_FIRST = 1
_KINDS: dict[str, type[SpotFirstPool] | type[SpotPool] | type[OnDemandPool]] = {
    "spot_first": SpotFirstPool,
    "spot": SpotPool,
    "on_demand": OnDemandPool,
}


def suffix(generation: int) -> str:
    """The suffix of names of a generation: empty for the first, which has the same names as a
    pool without `generation`; `-g2` for the second.
    """
    return "" if generation == _FIRST else f"-g{generation}"


def label(generation: int) -> dict[str, str]:
    """The further label of its nodes, which its servers select: none for the first."""
    return {} if generation == _FIRST else {GENERATION: str(generation)}


def retired(pool: ManagedNodePool, old: Retiring) -> ManagedNodePool:
    """The pool as an older generation of it. It may become empty, whatever the pool's minimum
    size.
    """
    kind = _KINDS[old.capacity or pool.capacity]
    kept = {
        name: getattr(pool, name) for name in kind.model_fields if name in type(pool).model_fields
    }
    changed = {
        "capacity": old.capacity or pool.capacity,
        "generation": old.generation,
        "retiring": (),
        "instance_types": old.instance_types or pool.instance_types,
        "size": Size(min=0, max=pool.size.max),
    }
    return kind(**{**kept, **changed})
