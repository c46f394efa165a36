"""What follows for one hub: its names, address and port, its profiles as servers get them, its
timeouts, and the egress of its pods.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jupyterhub_aws.config.chart import default_values
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.database import SqliteDatabase
from jupyterhub_aws.config.entry import LoadBalancerEntry, NoTls, PortForwardEntry
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.homes import Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.hub_rules import core_zones, node_port
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.pages import PageFiles, page_files
from jupyterhub_aws.config.profiles import (
    Profile,
    Share,
    default_image,
    default_size,
    memory_text,
    shares,
)
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.backups import BackupSpec
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.specs.homes import homes_name
from jupyterhub_aws.config.specs.mounted_buckets import MountedBucket, mounted_buckets
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.specs.network_policies import HubEgress, hub_egress
from jupyterhub_aws.config.specs.node_groups import GPU_RESOURCE, ON_DEMAND, PURPOSE, PoolSpec
from jupyterhub_aws.config.specs.server_access import HubServerAccess, hub_access
from jupyterhub_aws.config.specs.services import ServiceSpec, service_specs
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import timeouts
from jupyterhub_aws.config.values import partition_of

#: The sizes of the guide of 2021, with its overcommitment of two to one.
_CORES, _MEMORY_MIB, _GUARANTEE = 4.0, 32 * 1024, 0.5
#: Smaller steps have no measurable effect.
_MEMORY_STEP_MIB = 512
_USER_NODES = {"key": PURPOSE, "operator": "In", "values": ["user"]}
_ON_DEMAND_NODES = {"key": ON_DEMAND, "operator": "In", "values": ["true"]}


@dataclass(frozen=True, kw_only=True)
class ProfileSpec:
    """A profile as its servers get it.

    `name` is its key and slug; `options` what the stack file says of it, or what follows from its
    pool where the hub has no profiles; `pool` the nodes that its servers run on; `on_own_cluster`:
    the stack makes the cluster, so its nodes have the labels of this library.
    """

    name: str
    options: Profile
    pool: PoolSpec
    on_own_cluster: bool

    @cached_property
    def shares(self) -> Mapping[str | None, Share]:
        """What a server gets, by the name of its size from small to large; under None where
        there is one size only.
        """
        return shares(self.options, self.pool.types, self.pool.pool.max_pods)

    @cached_property
    def default_size(self) -> str | None:
        """The size of a user who does not choose."""
        return default_size(self.options, dict(self.shares))

    @property
    def share(self) -> Share:
        """What a server gets whose user does not choose a size."""
        return self.shares[self.default_size]

    @property
    def default_image(self) -> str | None:
        """The name of the image of a user who does not choose, among several."""
        return default_image(self.options.images)

    @property
    def required_nodes(self) -> list[dict[str, Any]]:
        """The node affinity that a server must have. Terms of this list are alternatives to each
        other: requirements that must hold together are in one term.
        """
        purpose = (
            [_USER_NODES] if self.on_own_cluster else []
        )  # nodes of an existing cluster may have no such label
        terms = [*purpose, *([_ON_DEMAND_NODES] if self.options.protected else [])]
        return [{"matchExpressions": terms}] if terms else []

    @property
    def preferred_nodes(self) -> list[dict[str, Any]]:
        """The node affinity that a server would like to have: spot before on-demand, where there
        are both.
        """
        own = (
            []
            if self.options.protected
            else self.pool.affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])
        )
        return [
            *own,
            *(
                []
                if self.on_own_cluster
                else [{"weight": 100, "preference": {"matchExpressions": [_USER_NODES]}}]
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class HubSpec:
    """One hub with everything that follows from its stack.

    `options` is what the stack file says of it, `homes` where homes are, `homes_class` the storage
    class of homes that are volumes; `pools` the pools that its users may use, `profiles` in the
    order in which they are shown: the default one first, then from small to large. `start_seconds`
    is how long a server may take to start, `access` what servers may do in AWS,
    `mounted` the buckets that they mount. `egress` are the network policies' rules of its pods,
    `proxy_variables` the corporate proxy that they use. `existing_cluster`: the cluster existed
    before the stack. `heartbeat`: the hub writes a line a minute that an alarm waits for.
    `protected` and `paused` as the stack is. `database_zone` is the zone of a database volume,
    `volume_tags` and `database_tags` are what backups find them by. `pages` are the files of its
    own pages.
    """

    name: str
    names: HubNames
    options: Hub
    homes: Homes
    homes_class: str
    pools: tuple[PoolSpec, ...]
    profiles: tuple[ProfileSpec, ...]
    start_seconds: int
    access: HubServerAccess | None
    mounted: tuple[MountedBucket, ...]
    egress: HubEgress
    proxy_variables: Mapping[str, str]
    existing_cluster: bool
    closed: bool
    heartbeat: bool
    protected: bool
    paused: bool
    without_balancer: bool
    database_zone: str | None
    volume_tags: Mapping[str, str]
    database_tags: Mapping[str, str]
    pages: PageFiles = field(default_factory=PageFiles)

    @property
    def named_groups(self) -> tuple[str, ...]:
        """Every group that an option of the hub names, those of the sign-in among them."""
        of_sign_in = (
            group
            for option in ("allowed_groups", "admin_groups", "allowed_organizations", "admin_teams")
            for group in getattr(self.options.sign_in, option, ())
        )
        return tuple(sorted({*self.options.named_groups, *of_sign_in}))

    @property
    def url(self) -> str:
        """Where users' browsers find the hub, with a slash at its end."""
        return public_url(self.options)

    @property
    def node_port(self) -> int | None:
        """Port of the core nodes on which its proxy answers; None where nothing is exposed."""
        return node_port(self.name, self.options)

    @property
    def internal(self) -> bool:
        """Whether its load balancer faces the VPC only."""
        return isinstance(self.options.entry, LoadBalancerEntry) and self.options.entry.internal

    @property
    def paused_page(self) -> str | None:
        """What a load balancer of its own answers now, as long as the stack is paused; None: there
        is no such balancer.
        """
        section = self.options.maintenance_page
        return section.paused_page if self.paused and section and section.paused_text else None

    @property
    def server_image(self) -> str:
        """The image of servers whose profile names none, as its maker names it."""
        image: Mapping[str, str] = default_values()["singleuser"]["image"]
        return self.own_image or f"{image['name']}:{image['tag']}"

    @property
    def own_image(self) -> str | None:
        """The image that the stack file gives to servers whose user chooses none."""
        name = default_image(self.options.image_choices)
        return self.options.image if name is None else self.options.image_choices[name].image

    @property
    def pre_pulled(self) -> Mapping[str, str]:
        """What the pools of `pre_pull_pools` pull besides the image of servers whose user chooses
        none, as makers name it: by the first profile and choice that has it.
        """
        found: dict[str, str] = {}
        for profile in self.profiles:
            if profile.pool.name not in self.options.pre_pull_pools:
                continue
            images = {
                f"{profile.name}-{name}": choice.image
                for name, choice in sorted(profile.options.images.items())
            }
            if profile.options.image is not None:
                images = {profile.name: profile.options.image}
            for key, image in images.items():
                if image not in (self.server_image, *found.values()):
                    found[key] = image
        return found

    @property
    def pulling_nodes(self) -> list[dict[str, Any]]:
        """The node selector terms of the nodes that pull images before they are needed, one for
        each pool.
        """
        return [
            {
                "matchExpressions": [
                    {"key": key, "operator": "In", "values": [value]}
                    for key, value in sorted(pool.node_selector.items())
                ]
            }
            for pool in self.pools
            if pool.name in self.options.pre_pull_pools
        ]

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """The programs beside it, by name."""
        names = self.names
        return service_specs(
            self.options.services, namespace=names.namespace, release=names.release
        )

    def profile(self, name: str) -> ProfileSpec:
        """The profile of that name. Raises KeyError."""
        return next(profile for profile in self.profiles if profile.name == name)


def hub_spec(
    stack: StackConfig, name: str, buckets: Mapping[str, BucketSpec] | None = None
) -> HubSpec:
    """Resolve one hub of a stack. `buckets` are those that its servers may use, by name; None: the
    stack's own.
    """
    hub = stack.hubs[name]
    pools = tuple(
        pool for pool in resolve(stack).node_pools.pools if not hub.pools or pool.name in hub.pools
    )
    own_cluster = isinstance(stack.cluster, EksCluster)
    backups, names = (
        BackupSpec(name=stack.name, options=stack.backups),
        HubNames(stack=stack.name, hub=name),
    )
    on_volume = isinstance(hub.database, SqliteDatabase)
    return HubSpec(
        name=name,
        names=names,
        options=hub,
        homes=stack.homes,
        homes_class=homes_name(stack.name),
        pools=pools,
        profiles=hub_profiles(hub, pools, own_cluster=own_cluster),
        start_seconds=timeouts(stack).server_start_seconds,
        access=hub_access(
            hub.aws_access,
            hub.profiles or {pool.name: derived(pool) for pool in pools},
            names=names,
            buckets=resolve(stack).buckets if buckets is None else buckets,
            partition=partition_of(stack.region),
        ),
        mounted=mounted_buckets(
            hub.volumes, names, resolve(stack).buckets if buckets is None else buckets
        ),
        egress=hub_egress(hub, stack.network, stack.cluster),
        proxy_variables=resolve(stack).proxy_environment,
        existing_cluster=not own_cluster,
        closed=stack.network.closed,
        heartbeat=stack.alarms is not None,
        protected=stack.cluster.protected,
        paused=stack.paused,
        without_balancer=stack.drops("balancers"),
        database_zone=core_zones(stack.pools, stack.network)[0] if on_volume else None,
        volume_tags=backups.tags,
        database_tags=backups.database_tags,
        pages=_pages(stack, hub, name),
    )


def _pages(stack: StackConfig, hub: Hub, name: str) -> PageFiles:
    if hub.pages is None:
        return PageFiles()
    place = dotted(("hubs", name, "pages"))
    return page_files(hub.pages, stack.folder, place, closed=stack.network.closed)


def hub_profiles(
    hub: Hub, pools: Sequence[PoolSpec], *, own_cluster: bool
) -> tuple[ProfileSpec, ...]:
    """A hub's profiles, its own or one for each of its pools: the default one first, then from
    small to large.

    The order of the stack file is lost: the engine hands maps over with their keys sorted.
    """
    by_name = {pool.name: pool for pool in pools}
    own = hub.profiles or {name: derived(pool) for name, pool in by_name.items()}
    found = [
        ProfileSpec(
            name=name,
            options=_with_choices(profile, hub),
            pool=by_name[profile.pool],
            on_own_cluster=own_cluster,
        )
        for name, profile in own.items()
    ]

    def rank(profile: ProfileSpec) -> tuple[bool, int, float, float, str]:
        return (
            not profile.options.default,
            profile.share.gpus,
            profile.share.memory_mib,
            profile.share.cpu,
            profile.name,
        )

    return tuple(sorted(found, key=rank))


def _with_choices(profile: Profile, hub: Hub) -> Profile:
    """A profile that names no image offers those of its hub."""
    if profile.image is not None or profile.images or not hub.image_choices:
        return profile
    offered = {"images": hub.image_choices, "unlisted_image": hub.unlisted_image}
    return profile.model_copy(update=offered)


def derived(pool: PoolSpec) -> Profile:
    """What a pool offers by itself: up to 4 cores and 32 GiB, half of it guaranteed, and no more
    than an empty node has.

    With GPUs: one of them, and its share of the node.
    """
    room = server_room(pool.types, pool.pool.max_pods)
    if pool.gpus:
        # One GPU's share is guaranteed whole: the server that gets the last GPU must also find
        # memory for it.
        cores, memory, share, gpus = (
            room.cpu_millicores / 1000 / pool.gpus,
            room.memory_mib / pool.gpus,
            1.0,
            1,
        )
    else:
        cores = min(_CORES, room.cpu_millicores / 1000)
        memory, share, gpus = min(_MEMORY_MIB, room.memory_mib), _GUARANTEE, 0
    return Profile(
        display_name=None,
        pool=pool.name,
        cpu=max(math.floor(cores * 10) / 10, 0.1),
        memory=memory_text(int(memory // _MEMORY_STEP_MIB) * _MEMORY_STEP_MIB),
        guarantee=share,
        gpus=gpus,
    )


def share_traits(share: Share) -> dict[str, Any]:
    """KubeSpawner's traits for cores, memory and GPUs: numbers, and sizes in powers of 1024."""
    # Kubernetes takes a device's limit as its request; both are written, for clarity.
    gpus = {GPU_RESOURCE: str(share.gpus)}
    return {
        "cpu_limit": share.cpu,
        "cpu_guarantee": share.cpu_guarantee,
        "mem_limit": memory_text(share.memory_mib),
        "mem_guarantee": memory_text(share.memory_guarantee_mib),
        **(
            {"extra_resource_limits": gpus, "extra_resource_guarantees": gpus} if share.gpus else {}
        ),
    }


def public_url(hub: Hub) -> str:
    """Where users' browsers find a hub, with a slash at its end."""
    entry = hub.entry
    if isinstance(entry, PortForwardEntry):
        return f"http://localhost:{entry.local_port}/"
    return f"{'http' if isinstance(entry.tls, NoTls) else 'https'}://{entry.hostname}/"
