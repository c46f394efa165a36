"""Rules about images between options: which profiles offer a hub's images, from where a user's own
image may come, and which pools pull images before they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.errors import Problem, Rules, did_you_mean, shown
from jupyterhub_aws.config.hub_rules import Hubs, unlisted_images
from jupyterhub_aws.config.image_repositories import ImageRepository
from jupyterhub_aws.config.network import AnyNetwork
from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.registry import AnyRegistry, OnNodes, registry_of


def choices_are_offered(hubs: Hubs) -> Iterator[Problem]:
    """Images of a hub are either one or a choice, and some profile offers the choice."""
    for name, hub in hubs.items():
        if hub.image is not None and hub.image_choices:
            yield Problem(
                id="hub.image-and-choices",
                path=f"hubs.{name}.image",
                what="is beside image_choices, of which users choose one",
                fix="put it into image_choices, with default: true",
            )
        if hub.unlisted_image is not None and not hub.image_choices:
            yield Problem(
                id="hub.unlisted-image-alone",
                path=f"hubs.{name}.unlisted_image",
                what="has no image_choices beside it: users who choose nothing would get no image",
                fix="list at least one image under image_choices",
            )
        own = [bool(profile.image or profile.images) for profile in hub.profiles.values()]
        if hub.image_choices and own and all(own):
            yield Problem(
                id="hub.image-choices-unused",
                path=f"hubs.{name}.image_choices",
                what="are offered by no profile: each names an image or images of its own",
                fix="remove image or images from the profiles that shall offer them",
            )


def _registry_serves(
    region: str, name: str, network: AnyNetwork, registry: AnyRegistry, hubs: Hubs
) -> Iterator[Problem]:
    own = registry_of(registry, region=region, stack=name)
    yield from images_can_be_pulled(
        hubs, own, closed=network.closed, on_nodes=isinstance(registry, OnNodes)
    )


def images_can_be_pulled(
    hubs: Hubs, own: str | None, *, closed: bool, on_nodes: bool
) -> Iterator[Problem]:
    """In an isolated network (`closed`) a user's own image can only come from the stack's
    registry (`own`), and no image is pulled where all are imported on the nodes.
    """
    for name, hub in hubs.items():
        if hub.pre_pull_pools and on_nodes:
            yield Problem(
                id="pre-pull.on-nodes",
                path=f"hubs.{name}.pre_pull_pools",
                what="pulls nothing: with registry.kind on_nodes images are on the nodes already",
                fix="remove it",
            )
        for path, free in unlisted_images(name, hub):
            if on_nodes:
                yield Problem(
                    id="unlisted-image.on-nodes",
                    path=path,
                    what="cannot be pulled: with registry.kind on_nodes no image is",
                    fix="remove it, and list the imported images under image_choices",
                )
                continue
            for index, prefix in enumerate(free.allowed if closed else ()):
                # the `*` of a pattern is never in a host, and a prefix of ours has none
                if own is None or (prefix != own and not prefix.startswith(f"{own}/")):
                    yield Problem(
                        id="unlisted-image.isolated",
                        path=f"{path}.allowed[{index}]",
                        what=f"is not in the stack's own registry (got {shown(prefix)}), and this"
                        " network reaches no other",
                        fix="name the stack's registry first" if own is None else f"write {own}/…",
                    )


def pulling_pools_exist(pools: Pools, hubs: Hubs) -> Iterator[Problem]:
    """Images are pulled in advance on pools that exist, whose nodes run servers of the hub."""
    for name, hub in hubs.items():
        profiles = {profile.pool for profile in hub.profiles.values()}
        used = profiles or set(hub.pools) or set(pools.user)
        for index, pool in enumerate(hub.pre_pull_pools):
            path = f"hubs.{name}.pre_pull_pools[{index}]"
            if pool not in pools.user:
                fix = did_you_mean(pool, pools.user, f"write one of {', '.join(pools.user)}")
                yield Problem(
                    id="pre-pull.pool-unknown",
                    path=path,
                    what=f"is not a user pool (got {shown(pool)})",
                    fix=fix,
                )
            elif pool not in used:
                yield Problem(
                    id="pre-pull.pool-unused",
                    path=path,
                    what=f"is a pool on which no profile of this hub starts servers (got {pool})",
                    fix="remove it, or give the hub a profile there",
                )
            elif pool in hub.pre_pull_pools[:index]:
                yield Problem(
                    id="pre-pull.pool-twice",
                    path=path,
                    what=f"is there twice ({pool})",
                    fix="remove it",
                )


def repositories_are_made(
    cluster: AnyCluster, image_repositories: Mapping[str, ImageRepository]
) -> Iterator[Problem]:
    """Repositories are resources in AWS, which a stack with an existing cluster does not make."""
    if image_repositories and not isinstance(cluster, EksCluster):
        yield Problem(
            id="image-repositories.existing-cluster",
            path="image_repositories",
            what="are in ECR, but the stack makes nothing in AWS",
            fix="remove them; a program of your own can make them with ImageRepositories",
        )


RULES: Rules = (
    (("hubs",), choices_are_offered),
    (("region", "name", "network", "registry", "hubs"), _registry_serves),
    (("pools", "hubs"), pulling_pools_exist),
    (("cluster", "image_repositories"), repositories_are_made),
)
