"""What hubs add to the bill: balancers and their addresses, databases; and what an hour of each
profile costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from jupyterhub_aws.checks.bill import BillLine, UserHour
from jupyterhub_aws.checks.groups import POOL_LABEL, UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import UserPod, hub_releases, user_pods
from jupyterhub_aws.config.prices import HOURS_PER_MONTH, Prices
from jupyterhub_aws.config.stack import StackConfig

_MIB = 1024**2
#: aws-node, kube-proxy, two CSI node plugins, Pod Identity agent, node monitoring, termination
#: handler, device plugin, Fluent Bit, CloudWatch agent.
_SYSTEM_PODS = 10


def hub_lines(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[BillLine]:
    """What each hub costs whether anybody works or not; balancers may go while paused, and
    databases stand still.
    """
    balancers = resources.of("aws:lb/loadBalancer:LoadBalancer")
    kept = "balancers" not in stack.pause.drop
    if balancers:
        yield _always(
            "network load balancer",
            "network_load_balancer_hour",
            prices.of("network_load_balancer_hour") * HOURS_PER_MONTH,
            len(balancers),
            kept=kept,
        )
    # An internet-facing balancer has a public address in each of its subnets.
    addresses = sum(
        len(balancer.inputs.get("subnets", ()))
        for balancer in balancers
        if not balancer.inputs.get("internal")
    )
    if addresses:
        yield _always(
            "public IPv4 address of a balancer",
            "public_ipv4_hour",
            prices.of("public_ipv4_hour") * HOURS_PER_MONTH,
            addresses,
            kept=kept,
        )
    volumes = sum(int(volume.inputs["size"]) for volume in resources.of("aws:ebs/volume:Volume"))
    if volumes:
        yield _always(
            "GiB of hub databases on volumes", "gp3_gib_month", prices.of("gp3_gib_month"), volumes
        )
    for database in resources.of("aws:rds/instance:Instance"):
        yield from _database(stack, database, prices)


def _database(stack: StackConfig, database: Resource, prices: Prices) -> Iterator[BillLine]:
    """An instance, which may stand still, and its storage, which is paid for either way."""
    kind, copies = str(database.inputs["instanceClass"]), 2 if database.inputs.get("multiAz") else 1
    name, hourly = database.inputs["identifier"], prices.known(f"rds_hour:{kind}")
    monthly = None if hourly is None else copies * hourly * HOURS_PER_MONTH
    note = (
        f"no price known for {kind}"
        if hourly is None
        else ("with a standby" if copies > 1 else None)
    )
    stopped = stack.pause.stop_databases
    runs = 0 if stack.paused and stopped else 1
    rows = () if hourly is None else (f"rds_hour:{kind}",)
    yield BillLine(
        what=f"PostgreSQL {name}",
        unit="month",
        unit_price=monthly,
        idle=runs,
        paused=0 if stopped else 1,
        most=runs,
        note=note,
        rows=rows,
    )
    yield _always(
        f"GiB of PostgreSQL {name}",
        "rds_gp3_gib_month",
        copies * prices.of("rds_gp3_gib_month"),
        int(database.inputs["allocatedStorage"]),
    )


def _always(what: str, row: str, monthly: Decimal, count: int, *, kept: bool = True) -> BillLine:
    """A line that costs the same at rest and at most, of one price."""
    return BillLine(
        what=what,
        unit="month",
        unit_price=monthly,
        idle=count,
        paused=count if kept else 0,
        most=count,
        rows=(row,),
    )


def user_hours(stack: StackConfig, resources: Resources, prices: Prices) -> Iterator[UserHour]:
    """An hour of each profile of each hub."""
    bought = [
        node
        for node in user_nodes(stack, resources)
        if node.group is not None and not node.retiring
    ]
    for release in hub_releases(resources):
        for pod in user_pods(release):
            mine = [node for node in bought if node.pool == pod.node_selector.get(POOL_LABEL, "")]
            if mine:
                yield _hour(pod, mine, prices)


def _hour(pod: UserPod, nodes: list[UserNodes], prices: Prices) -> UserHour:
    """`nodes` are the groups of its pool; a server that must not run on spot nodes has no price
    there.
    """
    node = nodes[0]
    markets = {item.spot for item in nodes if pod.may_run_on(item.labels)}
    people, hourly = users_per_node(pod, node), prices.node_hour(node.types[0].name)
    each = None if hourly is None or not people else hourly / people
    return UserHour(
        hub=pod.hub,
        profile=pod.profile,
        pool=node.pool,
        type=node.types[0].name,
        users_per_node=people,
        on_demand=each if False in markets else None,
        spot=each * prices.of("spot_share") if True in markets and each is not None else None,
    )


def users_per_node(pod: UserPod, node: UserNodes) -> int:
    """How many such servers an empty node takes, by what each is guaranteed."""
    rooms = {
        "cpu": node.room.cpu_millicores / 1000,
        "memory": node.room.memory_mib * _MIB,
        "nvidia.com/gpu": node.gpus,
    }
    seats = max(node.most_pods - _SYSTEM_PODS, 0)  # no node takes more pods than its kubelet allows
    return min(
        [
            seats,
            *(
                int(room // pod.requests[what])
                for what, room in rooms.items()
                if pod.requests.get(what)
            ),
        ]
    )
