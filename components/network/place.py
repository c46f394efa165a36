"""Where something can be put: what components beside the network need to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A VPC with its subnets by zone letter, in the order of the stack's zones. `ready` is what a way to the internet needs."""

    vpc_id: pulumi.Input[str]
    private: Mapping[str, pulumi.Output[str]]
    public: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    @property
    def private_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All private subnets."""
        return pulumi.Output.all(*self.private.values())

    @property
    def public_subnet_ids(self) -> pulumi.Output[list[str]]:
        """All public subnets."""
        return pulumi.Output.all(*self.public.values())
