"""What AWS has where: zones that a region really has, and ARNs of the partition and region that
the stack is in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.errors import Problem, dotted, shown
from jupyterhub_aws.config.network import AnyNetwork, ExistingNetworkSection
from jupyterhub_aws.config.tree import leaves
from jupyterhub_aws.config.zones import letters, partition_named, zones

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):")


def zones_in_region(
    region: str, network: AnyNetwork, *, instead: str = "aws:region"
) -> Iterator[Problem]:
    """Every zone is one of the region, and is there. `instead` is what else may be wrong."""
    if not region:  # said by another rule, once
        return
    for index, zone in enumerate(network.zones):
        path = (
            f"network.private_subnets.{zone}"
            if isinstance(network, ExistingNetworkSection)
            else f"network.zones[{index}]"
        )
        yield from zone_problems(path, zone, region, instead=instead)
        if zone in network.zones[:index]:
            yield Problem(
                path=path,
                what=f"is named twice (got {shown(zone)})",
                fix="name two or three different zones",
            )
    if isinstance(network, ExistingNetworkSection):
        for zone in network.public_subnets:
            yield from zone_problems(
                f"network.public_subnets.{zone}", zone, region, instead=instead
            )


def zone_problems(path: str, zone: str, region: str, *, instead: str) -> Iterator[Problem]:
    """What is wrong with one zone of a network in a region. `instead` is what else may be wrong."""
    if not zone.startswith(region) or len(zone) != len(region) + 1:
        yield Problem(
            path=path,
            what=f"is not a zone of {region} (got {shown(zone)})",
            fix=f"write {region}{zone[-1]}, or change {instead}",
        )
        return
    known = letters(region)
    if known and zone[-1] not in known:
        what = (
            f"is a zone that {region} does not have (got {shown(zone)}): its zones end in"
            f" {known[0]} to {known[-1]} at most (AWS, {zones().read})"
        )
        command = (
            f"aws ec2 describe-availability-zones --region {region} --query"
            " 'AvailabilityZones[].ZoneName' --output text"
        )
        yield Problem(path=path, what=what, fix=f"write one that this shows: {command}")


def arns_of(name: str) -> Callable[[str, Any], Iterator[Problem]]:
    """The rule that ARNs of a section are of the region's partition: accounts of China and
    GovCloud are accounts of their own.
    """

    def rule(region: str, section: Any) -> Iterator[Problem]:
        partition = partition_named(region)
        for parts, value in leaves(_plain(section)) if partition else ():
            match = _ARN.match(value) if isinstance(value, str) else None
            if match is not None and match["partition"] != partition:
                what = (
                    f"is an ARN of the partition {match['partition']}, and {region} is in"
                    f" {partition}"
                )
                yield Problem(
                    path=dotted((name, *parts)),
                    what=what,
                    fix=(
                        f"name what the account in {partition} has; its ARNs begin with"
                        f" arn:{partition}:"
                    ),
                )

    return rule


def _plain(section: Any) -> Any:
    if isinstance(section, Mapping):
        return {key: _plain(item) for key, item in section.items()}
    return section.model_dump() if isinstance(section, BaseModel) else section


def key_is_near(region: str, cluster: AnyCluster) -> Iterator[Problem]:
    """A KMS key encrypts volumes of its own region alone (a multi-Region key has an ARN in
    each).
    """
    if not region or not isinstance(cluster, EksCluster):
        return
    match = _ARN.match(cluster.volume_key or "")
    if (
        match is not None
        and match["region"] != region
        and match["partition"] == partition_named(region)
    ):
        what = f"is a key in {match['region']}, and the stack is in {region}"
        yield Problem(
            path="cluster.volume_key",
            what=what,
            fix=f"name a key in {region}; of a multi-Region key its replica there",
        )


#: Rules between sections (config/stack.py says how they run).
RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...] = (
    (("region", "network"), zones_in_region),
    (("region", "cluster"), key_is_near),
    *(
        (("region", name), arns_of(name))
        for name in ("cluster", "network", "pools", "hubs", "backups", "runner", "monitoring")
    ),
)
