"""Where something can be put: what components beside the network need to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A VPC with its subnets by zone letter, in the order of the stack's zones. `ready` is what nodes need to reach whom they must.

    Of a closed network also: the group of its private endpoints (None where they are somebody else's), and the prefix list of S3.
    """

    vpc_id: pulumi.Input[str]
    private: Mapping[str, pulumi.Output[str]]
    public: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]
    endpoints_group_id: pulumi.Input[str] | None = None
    s3_prefix_list_id: pulumi.Input[str] | None = None

    @property
    def private_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All private subnets."""
        return pulumi.Output.all(*self.private.values())

    @property
    def public_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All public subnets."""
        return pulumi.Output.all(*self.public.values())
