"""What of a stack is watched: the names by which CloudWatch knows its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from jupyterhub_aws.config.stack import StackConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchedHub:
    """Of one hub; None where it has none of that kind. `balancer` and `target_group` are the last parts of their ARNs, `certificate_ends` is in
    seconds since 1970, of a certificate of the hub's own.
    """

    name: str
    balancer: pulumi.Input[str] | None = None
    target_group: pulumi.Input[str] | None = None
    certificate_arn: pulumi.Input[str] | None = None
    certificate_ends: int | None = None
    database_volume: pulumi.Input[str] | None = None
    database_instance: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """Of a stack. `groups` are the Auto Scaling groups of user pools by what tells them apart."""

    stack: StackConfig
    hubs: tuple[WatchedHub, ...] = ()
    file_system: pulumi.Input[str] | None = None
    groups: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
