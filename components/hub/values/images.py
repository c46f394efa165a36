"""The choice of an image as KubeSpawner takes it, and the chart's continuous image puller. Pure."""

from __future__ import annotations

import html
from typing import Any

from jupyterhub_aws.config.profiles import ImageChoice, split_image
from jupyterhub_aws.config.specs.hub import HubSpec, ProfileSpec
from jupyterhub_aws.config.specs.node_groups import DEDICATED
from jupyterhub_aws.config.unlisted_image import UnlistedImage, described, image_pattern


def image_option(profile: ProfileSpec) -> dict[str, Any]:
    """`profile_options.image` of a profile that offers several images."""
    free = profile.options.unlisted_image
    return {
        "display_name": "Image",
        "choices": {
            name: {
                "display_name": _shown(name, choice),
                **({"default": True} if name == profile.default_image else {}),
                "kubespawner_override": {
                    "image": choice.image,
                    **({} if choice.default_url is None else {"default_url": choice.default_url}),
                },
            }
            for name, choice in sorted(profile.options.images.items())
        },
        **({} if free is None else {"unlisted_choice": _unlisted(free)}),
    }


def _shown(name: str, choice: ImageChoice) -> str:
    """The text of a choice. KubeSpawner 7.0.0 has no other place for a description
    (templates/form.html: of a choice only `display_name`), and escapes none.
    """
    text = choice.display_name or name
    return text if choice.description is None else f"{text} – {html.escape(choice.description)}"


def _unlisted(free: UnlistedImage) -> dict[str, Any]:
    text = html.escape(free.display_name)
    return {
        "enabled": True,
        "display_name": text,
        "display_name_in_choices": f"{text} …",
        "validation_regex": image_pattern(free.allowed),
        "validation_message": described(free.allowed),
        "kubespawner_override": {"image": "{value}"},
    }


def unlisted_image_groups(hub: HubSpec) -> dict[str, list[str]]:
    """The groups whose members may write an image, by profile, where only some may."""
    return {
        profile.name: sorted(profile.options.unlisted_image.groups)
        for profile in hub.profiles
        if profile.options.unlisted_image is not None and profile.options.unlisted_image.groups
    }


#: Of a container of the chart's pullers: it prints a line, then does nothing.
_SMALL = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "100m", "memory": "128Mi"},
}


def puller_values(hub: HubSpec) -> dict[str, Any]:
    """`prePuller`. The hook is off: it needs user nodes, of which there are none at first, and
    blocks every release.

    The continuous puller blocks none: Helm 3.20.2 (pkg/kube/ready.go, daemonSetReady) waits until
    as many pods are created as there are nodes for them, less `maxUnavailable`, which is 100 % in
    the chart's DaemonSet (templates/image-puller/_helpers-daemonset.tpl).
    """
    base: dict[str, Any] = {
        "hook": {"enabled": False, "resources": _SMALL},
        "continuous": {"enabled": bool(hub.options.pre_pull_pools)},
        "resources": _SMALL,
    }
    if not hub.options.pre_pull_pools:
        return base
    tolerated = [DEDICATED.toleration, *singleuser_tolerations(hub)]
    further = {
        tuple(sorted(item.items())): dict(item)
        for pool in hub.pools
        if pool.name in hub.options.pre_pull_pools
        for item in pool.tolerations
        if item not in tolerated
    }
    return {
        **base,
        # Nothing of a node is set aside for it: `users_per_node` fills a node exactly.
        "resources": {**_SMALL, "requests": {"cpu": "0", "memory": "0"}},
        # The chart would pull the images of every profile: here those of the named pools.
        "pullProfileListImages": False,
        "extraImages": {
            key: dict(zip(("name", "tag"), split_image(image), strict=True))
            for key, image in hub.pre_pulled.items()
        },
        "extraTolerations": [further[key] for key in sorted(further)],
    }


def singleuser_tolerations(hub: HubSpec) -> list[dict[str, str]]:
    """`singleuser.extraTolerations`: those of the first profile's pool besides the chart's own."""
    return [dict(item) for item in hub.profiles[0].pool.tolerations if item["key"] != DEDICATED.key]


def puller_placement(hub: HubSpec) -> dict[str, Any]:
    """Values that put the puller's pods on the nodes of `pre_pull_pools`, and nowhere else. Empty
    where nothing is pulled in advance.

    The chart places its puller as servers without a profile (required node affinity, whose terms
    are alternatives; `singleuser.nodeSelector` is empty then). Each profile here says where its own
    servers run, so none of these values reaches a server.
    """
    if not hub.options.pre_pull_pools:
        return {}
    return {
        "singleuser": {"extraNodeAffinity": {"required": hub.pulling_nodes}},
        "scheduling": {"userPods": {"nodeAffinity": {"matchNodePurpose": "prefer"}}},
    }
