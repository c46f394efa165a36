"""`singleuser.profileList`: what users choose from, as KubeSpawner takes it. Lists are always
whole, because an override replaces a list.
"""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.config.shares import Share
from jupyterhub_aws.config.specs.hub import HubSpec, ProfileSpec, share_traits


def profile_list(hub: HubSpec) -> list[dict[str, Any]]:
    """`singleuser.profileList` of a hub."""
    return [
        {
            "display_name": profile.options.display_name or profile.name,
            "slug": profile.name,
            "description": profile.options.description or described(profile),
            **({"default": True} if index == 0 else {}),
            "kubespawner_override": _override(profile),
            **_options(profile),
        }
        for index, profile in enumerate(hub.profiles)
    ]


def _override(profile: ProfileSpec) -> dict[str, Any]:
    """What a server of this profile is, whatever is chosen inside it."""
    override: dict[str, Any] = {
        **share_traits(profile.share),
        "node_selector": profile.pool.node_selector,
        "tolerations": profile.pool.tolerations,
        "node_affinity_required": profile.required_nodes,
        "node_affinity_preferred": profile.preferred_nodes,
    }
    if profile.options.image is not None:
        override["image"] = profile.options.image
    if profile.options.environment:
        override["environment"] = dict(profile.options.environment)
    return override


def _options(profile: ProfileSpec) -> dict[str, Any]:
    """`profile_options`: what a user chooses inside a profile, images before sizes as the keys
    sort.
    """
    found: dict[str, Any] = {}
    if profile.options.images:
        found["image"] = {
            "display_name": "Image",
            "choices": {
                name: {
                    "display_name": choice.display_name or name,
                    **({"default": True} if name == profile.default_image else {}),
                    "kubespawner_override": {"image": choice.image},
                }
                for name, choice in sorted(profile.options.images.items())
            },
        }
    if profile.options.sizes:
        found["size"] = {
            "display_name": "Size",
            "choices": {
                str(name): {
                    "display_name": (
                        profile.options.sizes[str(name)].display_name or _amount(share, profile)
                    ),
                    **({"default": True} if name == profile.default_size else {}),
                    "kubespawner_override": share_traits(share),
                }
                for name, share in profile.shares.items()
            },
        }
    return {"profile_options": found} if found else {}


def described(profile: ProfileSpec) -> str:
    """A line for users: `up to 4 cores and 32 GiB of memory, 1 GPU (NVIDIA T4)`, and whether AWS
    may take the node back.
    """
    each = list(profile.shares.values())
    size = (
        f"up to {_amount(each[-1], profile)}"
        if len(each) == 1
        else f"from {_amount(each[0], profile)} to {_amount(each[-1], profile)}"
    )
    if profile.options.protected:
        return f"{size}; on nodes that AWS does not take back"
    # EC2 user guide, "Spot Instance interruption notices": two minutes.
    return (
        f"{size}; AWS may take its node back, two minutes ahead"
        if profile.pool.pool.capacity in ("spot", "spot_first")
        else size
    )


def _amount(share: Share, profile: ProfileSpec) -> str:
    gpus = (
        f", {share.gpus} GPU{'s' if share.gpus > 1 else ''} ({profile.pool.types[0].gpu})"
        if share.gpus
        else ""
    )
    return f"{share.cpu:g} cores and {share.memory_mib / 1024:.4g} GiB of memory{gpus}"
