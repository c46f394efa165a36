"""One side of a comparison: what a plan or a preview says that there is, or will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.config.formats import upgraded
from jupyterhub_aws.config.stack import PROJECT

Op = Literal["create", "update", "replace", "delete", "import", "same"]
#: Those that change something, in the order in which they are counted.
OPS: tuple[Op, ...] = ("create", "update", "replace", "delete", "import")


@dataclass(frozen=True, kw_only=True)
class EngineStep:
    """What the engine said that it will do to one resource, and because of which properties it will
    be replaced.

    `delete_first` says that the old one goes before the new one comes; `old` and `new` are its own
    views of the resource.
    """

    op: Op
    because: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    delete_first: bool = False
    old: Resource | None = None
    new: Resource | None = None


@dataclass(frozen=True, kw_only=True)
class Side:
    """`source` is how messages call it. `steps` are there where an engine made it; `sealed` holds a
    fingerprint of each encrypted value's ciphertext, `gate` what its stack allows without an
    acknowledgement, `cost` and `checks` are the plan's.
    """

    source: str
    stack: str
    resources: Resources
    kind: Literal["plan", "preview", "configuration"] = "plan"
    as_of: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] | None = None
    checks: Sequence[Mapping[str, Any]] = ()
    gate: Mapping[str, Any] | None = None
    sealed: Mapping[str, str] | None = None
    configuration: Mapping[str, Any] | None = None
    outer: Resources | None = None
    steps: Mapping[str, EngineStep] | None = None

    @cached_property
    def everything(self) -> Resources:
        """What this stack and the one that it stands on register."""
        return self.resources if self.outer is None else Resources([*self.outer, *self.resources])

    @cached_property
    def pods(self) -> tuple[UserPod, ...]:
        """Every pod that people can start: each group of nodes asks for them."""
        return tuple(pod for release in hub_releases(self.everything) for pod in user_pods(release))

    def in_todays_words(self) -> Side:
        """The same with the configuration and the limits of the gate by their names of today: an
        older version of the library may have said them.
        """
        said = self.configuration or {}
        own = {
            key.partition(":")[2]: value
            for key, value in said.items()
            if key.startswith(f"{PROJECT}:")
        }
        others = {key: value for key, value in said.items() if not key.startswith(f"{PROJECT}:")}
        number = {"format": own["format"]} if "format" in own else {}
        try:
            gate = None if self.gate is None else upgraded({**number, "gate": self.gate})["gate"]
            configuration = {
                **others,
                **{f"{PROJECT}:{name}": value for name, value in upgraded(own).items()},
            }
        except ValueError:  # an option under both names: no plan was ever made of such a file
            return self
        return replace(
            self, gate=gate, configuration=None if self.configuration is None else configuration
        )

    def money_is_of_another_day(self, other: Side) -> bool:
        """Whether both sides have bills, made from different prices."""
        return (
            self.cost is not None
            and other.cost is not None
            and self.cost.get("prices_of") != other.cost.get("prices_of")
        )
