"""What follows from what a stack says, decided once: frozen values that components, checks, the bill and the page read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from jupyterhub_aws.config.stack import StackConfig

if TYPE_CHECKING:
    from jupyterhub_aws.config.specs.hub import HubSpec
    from jupyterhub_aws.config.specs.images import Images


@dataclass(frozen=True, eq=False)
class StackSpec:
    """What follows from a stack, part by part. A part is resolved when it is first asked for."""

    stack: StackConfig

    @property
    def images(self) -> Images:
        """The names of images and the source of charts. Raises ConfigError for a lock that cannot be read; a lock that changed is read again."""
        from jupyterhub_aws.config.specs.images import images_of

        return images_of(self.stack.registry, region=self.stack.region, name=self.stack.name)

    @cached_property
    def hubs(self) -> Mapping[str, HubSpec]:
        """Every hub of the stack by name, whichever half of a split stack makes it."""
        from jupyterhub_aws.config.specs.hub import hub_spec  # late: most of what asks for a spec asks for no hub

        return {name: hub_spec(self.stack, name) for name in sorted(self.stack.hubs)}


#: The specs of the stacks that were asked for last. Each holds its stack, so that an identity here is never another object's.
_RESOLVED: deque[StackSpec] = deque(maxlen=8)


def resolve(stack: StackConfig) -> StackSpec:
    """The spec of a stack; the same object for the same stack."""
    for spec in _RESOLVED:
        if spec.stack is stack:
            return spec
    spec = StackSpec(stack)
    _RESOLVED.append(spec)
    return spec
