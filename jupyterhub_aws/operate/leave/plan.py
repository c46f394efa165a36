"""`jhub destroy plan`: the whole of leaving a stack, from its files alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.halves import outer_of, what_if
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.operate.leave.behind import Left, left_behind
from jupyterhub_aws.operate.leave.parting import Parting, parting
from jupyterhub_aws.plan.plan import inner_files, recorded

FORMAT = "jupyterhub-aws/destroy/1"


@dataclass(frozen=True, kw_only=True)
class Half:
    """One stack of the engine, and what becomes of it. `where` says from which machine; empty:
    from anywhere.
    """

    file: StackFile
    stack: StackConfig
    parting: Parting
    where: str

    @property
    def line(self) -> str:
        """The command that takes it down."""
        return f"pulumi destroy -s {self.file.stack} --exclude-protected{self.file.engine_option}"


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """The halves in the order in which they go, and what is left behind."""

    halves: tuple[Half, ...]
    behind: tuple[Left, ...]

    @property
    def stack(self) -> StackConfig:
        """The stack that all of it is about: of a pair, the one that AWS's part belongs to."""
        return self.halves[-1].stack

    @property
    def whole(self) -> StackConfig:
        """The same with its hubs, which an outer half's file names too but does not make inside."""
        return (
            self.stack.model_copy(update={"hubs": self.halves[0].stack.hubs})
            if len(self.halves) > 1
            else self.stack
        )

    @property
    def in_aws(self) -> bool:
        """Whether the stack makes anything there."""
        return isinstance(self.stack.cluster, EksCluster)

    @property
    def before(self) -> list[tuple[str, str]]:
        """What comes first: why, and the command."""
        name, stack = self.halves[0].file.stack, self.stack
        if stack.paused and stack.pause.instances is not None:
            return [
                (
                    "it is paused, and its cluster has to answer",
                    f"jhub resume {self.halves[-1].file.stack}",
                )
            ]
        if stack.paused:
            return []
        hubs = any(half.stack.hubs_inside for half in self.halves)
        return (
            [("who works there: their servers end with the hub, so tell them", f"jhub who {name}")]
            if hubs
            else []
        )

    def bill(self) -> dict[str, Any]:
        """What is paid for what stays, per month, as `jhub plan` reckons it."""
        kept = Resources(
            [
                resource
                for half in self.halves
                for resource in (*half.parting.stays, *half.parting.forgotten)
            ]
        )
        return cost(self.stack, kept).as_json()

    def as_json(self) -> dict[str, Any]:
        """The plan as data."""
        bill = self.bill()
        return {
            "format": FORMAT,
            "stack": self.halves[-1].file.stack,
            "paused": self.stack.paused,
            "before": [{"why": why, "run": line} for why, line in self.before],
            "steps": [_as_json(half) for half in self.halves],
            "left_behind": [item.as_json() for item in self.behind],
            "monthly": {
                "lines": [line for line in bill["lines"] if line["quantity"]],
                "together": bill["idle_monthly"],
                "left_out": bill["left_out"],
            },
            "afterwards": f"jhub orphans {self.halves[-1].file.stack}" if self.in_aws else None,
        }


def leaving(file: StackFile) -> Leaving:
    """The plan of a stack; of one in halves it does not matter which is named. Raises
    ConfigError for a wrong file.
    """
    stack, recording = recorded(file)
    if stack.cloud_stack is not None:
        with what_if(file):
            outer = outer_of(stack.cloud_stack, file.path.parent)
        outer_stack, outer_recording = recorded(outer)
        pairs = [
            (file, stack, recording.resources),
            (outer, outer_stack, outer_recording.resources),
        ]
    else:
        inner = (
            [(item, *recorded(item)) for item in inner_files(file)]
            if stack.parts == "cloud"
            else []
        )
        pairs = [
            *((item, found, made.resources) for item, found, made in inner),
            (file, stack, recording.resources),
        ]
    last = pairs[-1]
    goes = isinstance(last[1].cluster, EksCluster) and not any(
        item.type == "aws:eks/cluster:Cluster" and item.protect for item in last[2].own
    )
    halves = tuple(_half(*pair, cluster_goes=goes) for pair in pairs)
    found = Leaving(halves=halves, behind=())
    return replace(found, behind=tuple(left_behind(found.whole)))


def _half(file: StackFile, stack: StackConfig, resources: Resources, *, cluster_goes: bool) -> Half:
    where = (
        "on the runner, or wherever the cluster's API answers" if stack.parts == "cluster" else ""
    )
    return Half(
        file=file, stack=stack, parting=parting(resources, cluster_goes=cluster_goes), where=where
    )


def _as_json(half: Half) -> dict[str, Any]:
    found = half.parting
    return {
        "stack": half.file.stack,
        "where": half.where,
        "run": half.line,
        "goes": len(found.goes),
        "order": [{"part": name, "resources": count} for name, count in found.order],
        "added_by_the_program": [_resource(item) for item in found.added],
        "stays": [_resource(item) for item in found.stays],
        "forgotten": [_resource(item) for item in found.forgotten],
        "ends_with_the_cluster": [_resource(item) for item in found.ends],
    }


def _resource(item: Resource) -> dict[str, Any]:
    return {"urn": item.urn, "type": item.type, "name": item.name, "protected": item.protect}
