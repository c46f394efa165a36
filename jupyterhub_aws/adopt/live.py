"""What a scan saw of an account: things by topic, as AWS's API describes them, and what could
not be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Thing = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, order=True)
class Unseen:
    """A topic that the caller may not see, or that AWS did not answer for, and why."""

    topic: str
    operation: str
    why: str


@dataclass
class Live:
    """A cluster and what stands around it. `found` holds lists of things by topic
    (jupyterhub_aws/adopt/asks.py), `cluster` is EKS's own description.
    """

    account: str
    region: str
    cluster: Thing
    found: dict[str, list[Thing]] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)
    file_system_id: str | None = None

    @property
    def name(self) -> str:
        """The cluster's name."""
        return str(self.cluster["name"])

    @property
    def vpc_id(self) -> str:
        """The VPC that the cluster is in."""
        return str(self.cluster.get("resourcesVpcConfig", {}).get("vpcId", ""))

    @property
    def key_arn(self) -> str:
        """The KMS key of the cluster's secrets; empty where it has none."""
        for part in self.cluster.get("encryptionConfig") or ():
            if part.get("provider", {}).get("keyArn"):
                return str(part["provider"]["keyArn"])
        return ""

    def of(self, topic: str) -> list[Thing]:
        """The things of a topic; none where it could not be seen."""
        return self.found.get(topic, [])

    def blind(self, topic: str) -> bool:
        """Whether the topic could not be seen, so that nothing follows from its being empty."""
        return any(item.topic == topic for item in self.unseen)

    @property
    def count(self) -> int:
        """How many things were read."""
        return 1 + sum(map(len, self.found.values()))

    @cached_property
    def vpc(self) -> Thing | None:
        """The cluster's VPC, as EC2 describes it."""
        return next(iter(self.of("vpcs")), None)

    @property
    def file_system(self) -> Thing | None:
        """The file system of homes: the one that was chosen."""
        return next(
            (
                item
                for item in self.of("file_systems")
                if item["FileSystemId"] == self.file_system_id
            ),
            None,
        )

    def table_of(self, subnet: str) -> Thing | None:
        """The route table of a subnet: its own, or the VPC's main one (VPC user guide, "Route
        table concepts").
        """
        main = None
        for table in self.of("route_tables"):
            for association in table.get("Associations", ()):
                if association.get("SubnetId") == subnet:
                    return table
                main = table if association.get("Main") else main
        return main

    def way_out(self, subnet: str) -> str:
        """How a subnet's default route leads out: `public` (an internet gateway), `nat`
        (anything else), or `none`.
        """
        table = self.table_of(subnet) or {}
        for route in table.get("Routes", ()):
            if (
                route.get("DestinationCidrBlock") == "0.0.0.0/0"
                and route.get("State", "active") == "active"
            ):
                return "public" if str(route.get("GatewayId", "")).startswith("igw-") else "nat"
        return "none"


def tags_of(thing: Thing | None) -> dict[str, str]:
    """Tags as a map, in whichever of AWS's spellings they come."""
    tags = (thing or {}).get("Tags", (thing or {}).get("tags"))
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    items: Iterable[Any] = tags or ()
    return {
        str(item.get("Key", item.get("TagKey"))): str(item.get("Value", item.get("TagValue", "")))
        for item in items
    }
