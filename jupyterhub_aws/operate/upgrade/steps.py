"""The steps of an upgrade. What a step does to users is not written here: it is measured, by
planning the stack before and after it.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyterhub_aws.changes.side import Side
from jupyterhub_aws.cli.arguments import stack_file, validated_stack
from jupyterhub_aws.config.chart import CHART, chart_version
from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.errors import ConfigError, Problem
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import (
    admits,
    calendar,
    kubernetes_versions,
    newest,
    numbers,
    releases,
)

if TYPE_CHECKING:
    from jupyterhub_aws.changes.difference import Difference
    from jupyterhub_aws.changes.side import Side


# --- Which minors an upgrade goes through, and what is refused because EKS refuses it or its
# outcome is unknown. Pure.


#: Kubernetes, "Version Skew Policy": a kubelet may be up to three minors older than the API server,
#: and never newer.
KUBELET_LAG = 3


def path(start: str, end: str, known: Sequence[str]) -> list[str]:
    """The minors after `start` up to `end`, one at a time (EKS user guide, "Update existing
    cluster": one minor version at a time).

    `known` are the minors that can be built. Raises ValueError with what is wrong and what to do,
    as a pair, for anything that EKS would refuse.
    """
    if re.fullmatch(r"1\.\d+", end, re.ASCII) and numbers(end) < numbers(start):
        fix = (
            "EKS goes back by one minor within 7 days of an upgrade, by its own command"
            " (docs/upgrading-kubernetes.md); later nothing does"
        )
        raise ValueError(f"is older than what the stack has ({end} < {start})", fix)
    if end not in known:
        dates = calendar().get(end)
        what = (
            f"has no pinned versions here (got {end!r})"
            if dates is None
            else f"is a minor that this program does not build (got {end!r})"
        )
        raise ValueError(
            what,
            f"choose one of {', '.join(known)}; a newer one comes with a newer table"
            " (config/data/versions.toml)",
        )
    if end == start:
        raise ValueError(
            f"is the version that the stack has (got {end!r})",
            "there is nothing to do: jhub versions STACK shows its status",
        )
    (major, first), (_, last) = numbers(start), numbers(end)
    steps = [f"{major}.{minor}" for minor in range(first + 1, last + 1)]
    missing = [minor for minor in steps if minor not in known]
    if missing:
        what = (
            f"cannot be reached: EKS goes one minor at a time, and {missing[0]} in between has no"
            " pinned versions here"
        )
        raise ValueError(what, "add its rows to config/data/versions.toml")
    return steps


def refused(stack: StackConfig, end: str, known: Sequence[str]) -> Problem | None:
    """Why a stack is not upgraded to a minor by this program; None where it is."""
    if isinstance(stack.cluster, ExistingCluster):
        fix = (
            "upgrade it as it was made (kubeadm, kops, or its own program), then set"
            " cluster.version here; the nodes' labels must stay"
        )
        what = "says that the cluster is not made by this stack"
        return Problem(id="upgrade.other-cluster", path="cluster.kind", what=what, fix=fix)
    if stack.parts == "cluster":
        fix = f"plan that one: jhub upgrade plan {stack.cloud_stack} --to {end}"
        what = "says that the cluster is another stack's"
        return Problem(id="upgrade.inner-stack", path="cloud_stack", what=what, fix=fix)
    if stack.paused:
        what = "a paused stack has no nodes that an upgrade could try"
        fix = "jhub resume STACK first; or upgrade the next time"
        return Problem(id="upgrade.paused", path="paused", what=what, fix=fix)
    try:
        path(stack.cluster.version, end, known)
    except ValueError as error:
        return Problem(id="upgrade.version", path="--to", what=error.args[0], fix=error.args[1])
    return None


def roll_before(pools_minor: str, next_minor: str) -> bool:
    """Whether user nodes of a minor have to be replaced before the control plane goes on to
    `next_minor`.
    """
    return numbers(next_minor)[1] - numbers(pools_minor)[1] > KUBELET_LAG


#: Minutes, for a table of how long. EKS: "should finish within a few minutes"
#: (UpdateClusterVersion, API reference); others by analogy. Not measured.
_CONTROL_PLANE, _ADDON, _CORE_NODE = 10, 2, 5
_BACK_WITHIN_DAYS = (
    "EKS puts the control plane back by one minor within 7 days, after nodes and add-ons are back"
    ' (EKS user guide, "Roll back a cluster"); this program does not, and it was not tried. After'
    " that it cannot be undone."
)


@dataclass(frozen=True, kw_only=True)
class UpgradeStep:
    """`change` is what to write into the stack file (path to value; None: take it out), `commands`
    what to run then.

    `measured` compares the plans before and after; None where nothing is built. `takes` and `back`
    are sentences.
    """

    title: str
    commands: Sequence[str]
    takes: str
    back: str
    change: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    measured: Difference | None = None

    @cached_property
    def order(self) -> list[str]:
        """What is changed, in the order in which the engine can: whatever a resource depends on
        comes before it.
        """
        return [] if self.measured is None else build_order(self.measured)

    def as_json(self) -> dict[str, Any]:
        """The step as data."""
        effects = (
            [] if self.measured is None else [effect.as_json() for effect in self.measured.effects]
        )
        return {
            "title": self.title, "change": dict(self.change), "commands": list(self.commands), "takes": self.takes, "back": self.back,
            "notes": list(self.notes), "effects": effects, "order": self.order, "worst": None if self.measured is None else self.measured.worst,
        }  # fmt: skip


Planned = Callable[[Mapping[str, Any]], "Side"]


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """From what a stack is to a minor. `planned` evaluates the stack with settings on top,
    `name` is how its commands call it.
    """

    stack: StackConfig
    name: str
    target: str
    known: Sequence[str]
    planned: Planned

    def steps(self) -> Iterator[UpgradeStep]:
        """Every step in its order."""
        yield self._look()
        if self.stack.own_registry is not None:
            yield self._mirror()
        settings: dict[str, Any] = {}
        nodes_minor = self.stack.cluster.version
        generations = {name: pool.generation for name, pool in self.stack.pools.bought.items()}
        minors = path(self.stack.cluster.version, self.target, self.known)
        for index, minor in enumerate(minors):
            after = {**settings, "cluster.version": minor}
            yield self._cluster(settings, after, minor)
            settings = after
            if minor == minors[-1] or roll_before(nodes_minor, minors[index + 1]):
                for step, then in self._nodes(settings, generations):
                    yield step
                    settings = then
                nodes_minor = minor
        yield self._chart(minors)
        yield self._afterwards()

    def _measured(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
        from jupyterhub_aws.changes.difference import difference

        return difference(self.planned(before), self.planned(after))

    def _inside(self, until: str) -> list[str]:
        """What a split stack does besides; `until` is how it is until then."""
        if self.stack.parts != "cloud":
            return []
        return [
            f"Then at once the stack inside (its file says cloud_stack: {self.name}), on the"
            f" runner: pulumi up. Only then {until}."
        ]

    def _look(self) -> UpgradeStep:
        name, until = self.stack.name, calendar()[self.stack.cluster.version].standard_support_until
        return UpgradeStep(
            title="Look first",
            commands=[
                f"jhub versions {self.name}",
                (
                    f"aws eks list-insights --cluster-name {name} --region {self.stack.region}"
                    " --filter categories=UPGRADE_READINESS"
                ),
                (
                    "kubectl get nodes -o"
                    " custom-columns=NAME:.metadata.name,KUBELET:.status.nodeInfo.kubeletVersion"
                ),
            ],
            takes="as long as you read",
            back="nothing was changed",
            notes=[
                (
                    "Insights list who still calls an API that goes: nothing of this program's may"
                    " be there (its APIs are listed below); what else is in the cluster is yours to fix first."
                ),
                (
                    "No kubelet may be more than three minors older than the new control plane, and"
                    " none newer (Kubernetes, Version Skew Policy). Managed groups have to be of"
                    " the control plane's minor (EKS API, UpdateClusterVersion): the core group is,"
                    " once the last `up` was whole."
                ),
                (
                    "EKS needs up to five free addresses in the cluster's subnets (EKS user guide,"
                    " Update existing cluster)."
                ),
                (
                    f"Standard support of {self.stack.cluster.version} ends on {until}: by the"
                    " cluster's upgrade policy STANDARD, AWS upgrades it by itself then."
                ),
            ],
        )

    def _mirror(self) -> UpgradeStep:
        return UpgradeStep(
            title="Bring the new images and charts into your registry",
            commands=[
                f"jhub bundle lock {self.name}",
                f"jhub bundle pull {self.name} --to FOLDER",
                f"jhub bundle push FOLDER --registry {self.stack.own_registry}",
            ],
            takes="as long as the images take to copy",
            back="leave them: nothing uses them yet",
            change={
                "cluster.version": path(self.stack.cluster.version, self.target, self.known)[0]
            },
            notes=[
                "Write the new version into the file first, and do not run `up` before the registry"
                " has what it needs: a new node would find no images."
            ],
        )

    def _cluster(
        self, before: Mapping[str, Any], after: Mapping[str, Any], minor: str
    ) -> UpgradeStep:
        core = self.stack.pools.core
        found, nodes = self._measured(before, after), 0 if core is None else core.size
        addons = sum(change.resource.type == "aws:eks/addon:Addon" for change in found.resources)
        minutes = _CONTROL_PLANE + _ADDON * addons + _CORE_NODE * nodes
        return UpgradeStep(
            title=f"Kubernetes {minor}: control plane, add-ons, core nodes, autoscaler",
            change={"cluster.version": minor},
            commands=[f"jhub plan {self.name} --against HEAD", f"pulumi up -s {self.name}"],
            takes=f"about {minutes} minutes (not measured: {_CONTROL_PLANE} for the control plane,"
            f" {_ADDON} for each add-on, {_CORE_NODE} for each core node)",
            back=_BACK_WITHIN_DAYS,
            notes=[
                (
                    "User nodes stay what they are, with all servers on them; nodes that start from"
                    " now on are of the new minor."
                ),
                "If `up` breaks off, run it again: what is done stays done.",
                *self._inside("the autoscaler's new version is there"),
            ],
            measured=found,
        )

    def _nodes(
        self, settings: Mapping[str, Any], generations: dict[str, int]
    ) -> Iterator[tuple[UpgradeStep, dict[str, Any]]]:
        """User nodes replaced, the new before the old; `generations` goes up by one."""
        if not generations:
            return
        old = dict(generations)
        generations.update({name: number + 1 for name, number in old.items()})
        fresh: dict[str, Any] = {}
        for name, number in old.items():
            kept = [item.generation for item in self.stack.pools.bought[name].retiring]
            fresh[f"pools.{name}.generation"] = number + 1
            fresh[f"pools.{name}.retiring"] = [{"generation": each} for each in (*kept, number)]
        with_both = {**settings, **fresh}
        yield self._new_nodes(settings, with_both, fresh), with_both
        yield self._drain(old), with_both
        gone = {**with_both, **{f"pools.{name}.retiring": [] for name in old}}
        yield self._old_go(with_both, gone), gone

    def _new_nodes(
        self, before: Mapping[str, Any], after: Mapping[str, Any], fresh: Mapping[str, Any]
    ) -> UpgradeStep:
        return UpgradeStep(
            title="User nodes of the new minor, beside the old ones",
            change=fresh,
            commands=[f"jhub plan {self.name} --against HEAD", f"pulumi up -s {self.name}"],
            takes="some minutes",
            back="no need: raise the generation once more, and name both others under `retiring`",
            notes=[
                "Servers that start from now on get a new node; servers that run go on.",
                *self._inside(
                    "servers and autoscaler choose the new groups; until then one that needs a new"
                    " node may wait a quarter of an hour"
                ),
            ],
            measured=self._measured(before, after),
        )

    def _drain(self, old: Mapping[str, int]) -> UpgradeStep:
        limits = []
        for name, hub in self.stack.hubs.items():
            idle, age = hub.culling.server_idle_minutes, hub.culling.max_age_hours
            at_last = f", all after {age} hours" if age else ""
            limits.append(f"{name}: idle servers end after {idle} minutes{at_last}")
        when = f" ({'; '.join(limits)})" if limits else ""
        return UpgradeStep(
            title="Wait until the old nodes are empty",
            commands=[
                f"jhub drain {self.name} {name} --generation {number}"
                for name, number in old.items()
            ],
            takes=f"until the last server has ended{when}",
            back="kubectl uncordon NODE",
            notes=[
                "Ends no server. With --by 18:00 users are notified through the hub, and what"
                " still runs then is stopped."
            ],
        )

    def _old_go(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> UpgradeStep:
        changed = {key: None for key in after if key.endswith(".retiring")}
        return UpgradeStep(
            title="The old groups go",
            change=changed,
            commands=[f"jhub plan {self.name} --against HEAD", f"pulumi up -s {self.name}"],
            takes="some minutes",
            back="cannot be undone, and nothing is lost where the step before came to its end: the"
            " groups are empty",
            measured=self._measured(before, after),
        )

    def _chart(self, minors: Sequence[str]) -> UpgradeStep:
        pinned, latest = chart_version(), newest("chart", CHART, None)
        row = next((item for item in releases("chart", CHART) if item.version == pinned), None)
        takes_it = (
            row is not None
            and row.kubernetes is not None
            and all(admits(row.kubernetes, minor) for minor in minors)
        )
        says = (
            f"The chart {pinned} takes Kubernetes {', '.join(minors)} (kubeVersion"
            f" {row.kubernetes})."
            if takes_it and row
            else (
                f"Whether the chart {pinned} takes Kubernetes {', '.join(minors)} is not known:"
                " read its Chart.yaml."
            )
        )
        newer = latest is not None and numbers(latest) > numbers(pinned)
        then = (
            f" {latest} is there: a change of its own, after this one."
            if newer
            else " It stays: a chart is upgraded by itself, never with the cluster."
        )
        return UpgradeStep(
            title="The chart",
            commands=[],
            takes="nothing",
            back="nothing was changed",
            notes=[says + then],
        )

    def _afterwards(self) -> UpgradeStep:
        return UpgradeStep(
            title="Look afterwards",
            commands=[
                f"jhub versions {self.name}",
                "kubectl get nodes",
                *self._tried(),
                f"jhub plan {self.name} --against HEAD",
            ],
            takes="some minutes",
            back="nothing was changed",
            notes=[*self._tried_inside(), "Open the notebook of yesterday. Commit the stack file."],
        )

    def _tried(self) -> list[str]:
        """The command that signs in and starts a server of each profile; a cloud stack has no hub
        to ask.
        """
        return [] if self.stack.parts == "cloud" else [f"jhub health {self.name}"]

    def _tried_inside(self) -> list[str]:
        if self.stack.parts == "cloud":
            return ["On the runner, for the stack inside: jhub health STACK."]
        return []


def build_order(found: Difference) -> list[str]:
    """The changed resources, each after what it depends on, by the new side's own dependencies;
    what is deleted comes last.
    """
    from graphlib import TopologicalSorter

    nodes = {resource.urn: resource for resource in found.new.resources}
    graph = {
        urn: [item for item in resource.depends_on if item in nodes]
        for urn, resource in nodes.items()
    }
    place = {urn: index for index, urn in enumerate(TopologicalSorter(graph).static_order())}
    last = len(place)
    placed = [(place.get(change.resource.urn, last), change.name) for change in found.resources]
    return [name for _, name in sorted(placed)]


# --- An upgrade of a stack of the folder: refused where it must be, else with everything that its
# steps ask for.


def planned_upgrade(
    command: str, stack: str, target: str, as_of: datetime.date
) -> tuple[Upgrade, list[str]]:
    """The upgrade, and the Kubernetes APIs that the program uses. Raises ConfigError for what
    EKS refuses.
    """
    from jupyterhub_aws.diff.show import of_plan
    from jupyterhub_aws.plan.plan import make_plan

    found, name = validated_stack(stack)
    known = sorted(kubernetes_versions(), key=lambda minor: tuple(map(int, minor.split("."))))
    problem = refused(found, target, known)
    if problem is not None:
        raise ConfigError(command, [problem])
    sides: dict[str, Side] = {}

    def planned(settings: Mapping[str, Any]) -> Side:
        key = json.dumps(settings, sort_keys=True)
        if key not in sides:
            options = [f"{path}={json.dumps(value)}" for path, value in settings.items()]
            sides[key] = of_plan(make_plan(stack_file(stack, options), as_of))
        return sides[key]

    upgrade = Upgrade(stack=found, name=name, target=target, known=known, planned=planned)
    return upgrade, apis_of(planned({}))


def apis_of(side: Side) -> list[str]:
    """The Kubernetes APIs that this program itself writes, as group, version and kind. What
    charts write is theirs.
    """
    kinds = {
        resource.type
        for resource in side.everything
        if resource.type.startswith("kubernetes:") and "helm.sh" not in resource.type
    }
    return sorted(f"{kind.split(':')[1]} {kind.split(':')[2]}" for kind in kinds)
