"""How much of a node a server gets, for each size that a profile offers: what the stack file
says, or a node divided by people. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jupyterhub_aws.config.instance_types import InstanceType
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.profiles import Profile, memory_mib

#: Steps below which nobody would measure a difference: cores in hundredths, memory in MiB.
_CPU_STEP_MILLICORES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """The limit and the guarantee of one server: cores, MiB of memory, whole GPUs. `path` is the
    option below the profile that says so.
    """

    cpu: float
    cpu_guarantee: float
    memory_mib: float
    memory_guarantee_mib: float
    gpus: int
    path: str


def shares(
    profile: Profile, kinds: Sequence[InstanceType], max_pods: int
) -> dict[str | None, Share]:
    """The share of each size of a profile, by the size's name from small to large; under None
    where it has one size only.
    """
    if profile.sizes:
        found = {
            name: _said(size.cpu, size.memory, size.guarantee, size.gpus, f"sizes.{name}.")
            for name, size in profile.sizes.items()
        }
        return dict(
            sorted(
                found.items(),
                key=lambda item: (item[1].gpus, item[1].memory_mib, item[1].cpu, str(item[0])),
            )
        )
    if profile.users_per_node is not None:
        return {None: _divided(profile, profile.users_per_node, kinds, max_pods)}
    assert profile.cpu is not None and profile.memory is not None  # noqa: S101 -- for the type checker: the model says so
    return {None: _said(profile.cpu, profile.memory, profile.guarantee, profile.gpus, "")}


def default_size(profile: Profile, found: dict[str | None, Share]) -> str | None:
    """The size that a person gets who does not choose: the one that says so, or the smallest."""
    return next(
        (name for name, size in sorted(profile.sizes.items()) if size.default), next(iter(found))
    )


def default_image(profile: Profile) -> str | None:
    """The name of the image that a person gets who does not choose, among several; None where
    there is no choice.
    """
    return next(
        (name for name, choice in sorted(profile.images.items()) if choice.default),
        next(iter(sorted(profile.images)), None),
    )


def _said(cpu: float, memory: str, guarantee: float, gpus: int, path: str) -> Share:
    mib = memory_mib(memory)
    return Share(
        cpu=cpu,
        cpu_guarantee=round(cpu * guarantee, 3),
        memory_mib=mib,
        memory_guarantee_mib=mib * guarantee,
        gpus=gpus,
        path=path,
    )


def _divided(profile: Profile, people: int, kinds: Sequence[InstanceType], max_pods: int) -> Share:
    """One part of a node that is divided by people, rounded down so that all of them fit; the
    limit is never more than the node.
    """
    room = server_room(kinds, max_pods)
    millicores = (
        math.floor(room.cpu_millicores / people / _CPU_STEP_MILLICORES) * _CPU_STEP_MILLICORES
    )
    memory = max(room.memory_mib, 0) // people
    return Share(
        cpu=max(
            math.floor(min(millicores / profile.guarantee, room.cpu_millicores) / 100) / 10,
            millicores / 1000,
        ),
        cpu_guarantee=millicores / 1000,
        memory_mib=float(min(math.floor(memory / profile.guarantee), max(room.memory_mib, 0))),
        memory_guarantee_mib=float(memory),
        gpus=profile.gpus,
        path="users_per_node",
    )
