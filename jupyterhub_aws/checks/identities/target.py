"""A resource that a call is about, as the evaluator and messages need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from jupyterhub_aws.checks.identities.patterns import ACCOUNT
from jupyterhub_aws.checks.identities.world import KEY, PlanWorld
from jupyterhub_aws.checks.resources import Resource


@dataclass(frozen=True, kw_only=True)
class CallTarget:
    """A resource that a call is about: `what` a message calls it, `tags` (None: not known), the
    tags that the request sends, further conditions.

    `resource` is the plan's own, whose policies decide too; `granted` are the KMS operations that a
    grant allows. `region` is the resource's.
    """

    arn: str
    what: str = ""
    tags: Mapping[str, str] | None = None
    sent: Mapping[str, str] | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    resource: Resource | None = None
    granted: tuple[str, ...] | None = None
    account: str = ACCOUNT

    @property
    def key(self) -> bool:
        """Whether it is a KMS key."""
        return ":kms:" in self.arn


Find = Callable[[PlanWorld], Iterator[CallTarget]]


def ec2_arn(world: PlanWorld, rest: str) -> str:
    """The ARN of something of the account's in EC2: `volume/vol-0`."""
    return f"arn:{world.partition}:ec2:{world.region}:{ACCOUNT}:{rest}"


def target_of(world: PlanWorld, resource: Resource, ending: str = "") -> CallTarget:
    """A resource of the plan, or a part of it whose ARN has a further ending."""
    return CallTarget(
        arn=world.arn(resource) + ending,
        what=resource.label,
        tags=world.tags(resource),
        resource=resource,
    )


def key_targets(world: PlanWorld, text: object) -> Iterator[CallTarget]:
    """The keys of the plan that a value refers to."""
    for key in world.resources.referred(text, KEY):
        yield target_of(world, key)


def is_named(world: PlanWorld, value: object, resource: Resource) -> bool:
    """Whether a value is a resource's name or id."""
    return world.real(str(value)) == world.identifier(resource)
