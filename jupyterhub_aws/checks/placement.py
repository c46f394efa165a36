"""Which nodes a pod may land on, as the scheduler decides it, and whether pods all find room
together.

The filters are kube-scheduler's for cordons, taints, node selector and affinity, and resources
(Kubernetes, "Assigning Pods to Nodes", "Taints and Tolerations"); compared with verdicts of the
real one (tests/fixtures/scheduler_cases.json). Not here: host ports, volumes, spreading and
affinity between pods, which no pod of this program asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.instance_types import InstanceType, instance_type
from jupyterhub_aws.config.node_size import NodeSize, quantity, server_room
from jupyterhub_aws.config.pools import ExistingNodePool
from jupyterhub_aws.config.stack import StackConfig

#: Steps of the search for an arrangement; small sets of pods are searched whole long before.
_STEPS = 20_000
_EPSILON = 1e-9
PODS = "pods"


@dataclass(frozen=True, kw_only=True)
class SchedulablePod:
    """What the scheduler sees of a pod. `requests` in cores, bytes and whole devices."""

    name: str
    requests: Mapping[str, float]
    node_selector: Mapping[str, str] = field(default_factory=dict)
    #: Of the required node affinity: one must match; None where there is none.
    terms: Sequence[Mapping[str, Any]] | None = None
    tolerations: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class SchedulableNode:
    """What the scheduler sees of a node."""

    name: str
    labels: Mapping[str, str]
    room: Mapping[str, float]
    taints: Sequence[Mapping[str, Any]] = ()
    cordoned: bool = False

    def without(self, pod: SchedulablePod) -> SchedulableNode:
        """The node with a pod on it."""
        left = {key: amount - pod.requests.get(key, 0) for key, amount in self.room.items()}
        left[PODS] = self.room.get(PODS, 0) - 1
        return replace(self, room=left)


def pod_of(name: str, spec: Mapping[str, Any]) -> SchedulablePod:
    """A pod from its spec as the API has it."""
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return SchedulablePod(
        name=name,
        requests=requests_of(spec),
        node_selector=spec.get("nodeSelector") or {},
        terms=None if required is None else required.get("nodeSelectorTerms") or [],
        tolerations=spec.get("tolerations") or [],
    )


def requests_of(spec: Mapping[str, Any]) -> dict[str, float]:
    """What a pod asks for: the sum of its containers and of those init containers that stay, or the
    largest init container with what was started before it, and the overhead (Kubernetes, "Sidecar
    Containers", resource sharing). A limit without a request is the request. Raises ValueError for
    no quantity.
    """
    running: dict[str, float] = {}
    highest: dict[str, float] = {}
    for item in spec.get("initContainers") or ():
        asked = _asked(item)
        if item.get("restartPolicy") == "Always":
            running = _sum(running, asked)
            highest = _most(highest, running)
        else:
            highest = _most(highest, _sum(running, asked))
    for item in spec.get("containers") or ():
        running = _sum(running, _asked(item))
    overhead = {key: quantity(value) for key, value in (spec.get("overhead") or {}).items()}
    # What the pod asks for as a whole goes before what its containers do.
    return _sum({**_most(highest, running), **_asked(spec)}, overhead)


def _asked(container: Mapping[str, Any]) -> dict[str, float]:
    resources = container.get("resources") or {}
    given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {key: quantity(value) for key, value in given.items()}


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _most(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in {**one, **other}}


def refusals(pod: SchedulablePod, node: SchedulableNode) -> list[str]:
    """Why a node does not take a pod: empty where it does. In the order in which the scheduler
    asks; resources all at once.
    """
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node.cordoned and not _tolerated(cordon, pod.tolerations):
        return ["is cordoned"]
    for taint in node.taints:
        hard = taint.get("effect") in ("NoSchedule", "NoExecute")
        if hard and not _tolerated(taint, pod.tolerations):
            return [f"has the taint {taint.get('key')}"]
    if not pod.node_selector.items() <= node.labels.items():
        return ["does not have the labels of its node selector"]
    if pod.terms is not None and not any(_term(term, node) for term in pod.terms):
        return ["does not match its node affinity"]
    short = ["too many pods"] if node.room.get(PODS, 0) < 1 else []
    return short + [
        f"too little {key}"
        for key, amount in sorted(pod.requests.items())
        if amount > 0 and amount > node.room.get(key, 0) + _EPSILON
    ]


def _tolerated(taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]]) -> bool:
    return any(_tolerates(item, taint) for item in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") not in (None, "", taint.get("key")):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return (
        operator == "Equal"
        and bool(toleration.get("key"))
        and (toleration.get("value") or "") == (taint.get("value") or "")
    )


def _term(term: Mapping[str, Any], node: SchedulableNode) -> bool:
    labels, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not labels and not fields:
        return False  # an empty term matches nothing
    return all(_holds(item, node.labels) for item in labels) and all(
        _holds(item, {"metadata.name": node.name}) for item in fields
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    has, values = labels.get(str(expression.get("key"))), expression.get("values") or []
    operator = expression.get("operator")
    if operator in ("Gt", "Lt"):
        try:
            left, right = int(str(has)), int(str(values[0]))
        except (ValueError, IndexError):
            return False
        return left > right if operator == "Gt" else left < right
    answers = {
        "In": has in values,
        "NotIn": has not in values,
        "Exists": has is not None,
        "DoesNotExist": has is None,
    }
    return answers.get(str(operator), False)


#: `yes`: an arrangement was found. `no`: there is none. `unknown`: none was found in the time that
#: a search is given.
Answer = Literal["yes", "no", "unknown"]


def arranged(pods: Sequence[SchedulablePod], nodes: Sequence[SchedulableNode]) -> Answer:
    """Whether all pods find room together. Its first try is first-fit decreasing; then every other
    arrangement, within a number of steps.

    `yes` says that there is an arrangement, not that the scheduler finds it: that one takes pods as
    they come. `no` is a proof.
    """
    if _beyond_all(pods, nodes):
        return "no"
    ordered = sorted(pods, key=lambda pod: (-_weight(pod, nodes), pod.name))
    budget = [_STEPS]
    found = _search(ordered, list(nodes), budget)
    return "yes" if found else "no" if budget[0] > 0 else "unknown"


def _beyond_all(pods: Sequence[SchedulablePod], nodes: Sequence[SchedulableNode]) -> bool:
    keys = {PODS, *(key for pod in pods for key in pod.requests)}
    room = {key: sum(max(node.room.get(key, 0), 0) for node in nodes) for key in keys}
    return any(
        (len(pods) if key == PODS else sum(pod.requests.get(key, 0) for pod in pods))
        > room[key] + _EPSILON
        for key in keys
    )


def _weight(pod: SchedulablePod, nodes: Sequence[SchedulableNode]) -> float:
    largest = {
        key: max((node.room.get(key, 0) for node in nodes), default=0) for key in pod.requests
    }
    return max(
        (amount / largest[key] for key, amount in pod.requests.items() if largest[key] > 0),
        default=0.0,
    )


def _search(
    pods: Sequence[SchedulablePod], nodes: list[SchedulableNode], budget: list[int]
) -> bool:
    if not pods:
        return True
    pod, tried = pods[0], set()
    for index, node in enumerate(nodes):
        budget[0] -= 1
        if budget[0] <= 0:
            return False
        alike = (
            tuple(sorted(node.room.items())),
            tuple(sorted(node.labels.items())),
            node.cordoned,
            repr(node.taints),
        )
        if alike in tried or refusals(pod, node):
            continue
        tried.add(alike)
        if _search(pods[1:], [*nodes[:index], node.without(pod), *nodes[index + 1 :]], budget):
            return True
    return False


# --- The user nodes that recorded groups will start, as the scheduler will see them: labels,
# taints, and what servers can share.


_GROUP = "aws:autoscaling/group:Group"
#: The label by which a server selects its pool.
POOL_LABEL = "jupyterhub-aws/pool"
_PURPOSE = "hub.jupyter.org/node-purpose"
_TEMPLATE = "k8s.io/cluster-autoscaler/node-template/"


@dataclass(frozen=True, kw_only=True)
class UserNodes:
    """Nodes of one group, by the tags from which the autoscaler knows them before there is one;
    or nodes that are there already (no group).
    """

    group: Resource | None
    pool: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]
    types: tuple[InstanceType, ...]
    room: NodeSize
    most_pods: int

    @property
    def spot(self) -> bool:
        """Whether they are bought on the spot market."""
        return self.group is not None and is_spot(self.group)

    @property
    def retiring(self) -> bool:
        """Whether the group only shrinks: an older generation of its pool."""
        return self.group is not None and is_retiring(self.group)

    @property
    def name(self) -> str:
        """How a message names them."""
        return f"pool {self.pool}" if self.group is None else self.group.name

    @property
    def gpus(self) -> int:
        """GPUs of the node with the fewest."""
        return min(kind.gpus for kind in self.types)


def is_spot(group: Resource) -> bool:
    """Whether an Auto Scaling group buys on the spot market; a managed group of this program
    never does.
    """
    distribution = group.inputs.get("mixedInstancesPolicy", {}).get("instancesDistribution", {})
    return bool(distribution.get("onDemandPercentageAboveBaseCapacity") == 0)


def is_retiring(group: Resource) -> bool:
    """Whether an Auto Scaling group starts no node any more."""
    return "Launch" in (group.inputs.get("suspendedProcesses") or ())


def user_nodes(stack: StackConfig, resources: Resources) -> Iterator[UserNodes]:
    """Every group of user nodes, and every pool of nodes that are there already."""
    yield from _given(stack)
    for group in resources.of(_GROUP):
        tags = {tag["key"]: str(tag["value"]) for tag in group.inputs.get("tags", [])}
        label, taint = f"{_TEMPLATE}label/", f"{_TEMPLATE}taint/"
        labels = {
            key.removeprefix(label): value for key, value in tags.items() if key.startswith(label)
        }
        taints = tuple(_taint(key, value) for key, value in tags.items() if key.startswith(taint))
        overrides = group.inputs["mixedInstancesPolicy"]["launchTemplate"]["overrides"]
        types = tuple(instance_type(item["instanceType"]) for item in overrides)
        pool = labels.get(POOL_LABEL, "")
        most = stack.pools.user[pool].max_pods if pool in stack.pools.user else 110
        yield UserNodes(
            group=group,
            pool=pool,
            labels=labels,
            taints=taints,
            types=types,
            room=server_room(types, most),
            most_pods=most,
        )


def _given(stack: StackConfig) -> Iterator[UserNodes]:
    for name, pool in stack.pools.user.items():
        if isinstance(pool, ExistingNodePool):
            labels = dict(pool.node_selector) or {_PURPOSE: "user", POOL_LABEL: name}
            room = server_room(pool.types, pool.max_pods)
            yield UserNodes(
                group=None,
                pool=name,
                labels=labels,
                taints=(),
                types=pool.types,
                room=room,
                most_pods=pool.max_pods,
            )


def _taint(key: str, value: str) -> Mapping[str, str]:
    text, _, effect = value.rpartition(":")
    return {"key": key.removeprefix(f"{_TEMPLATE}taint/"), "value": text, "effect": effect}
