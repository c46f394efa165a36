"""The scene of a plan: every box with its words, and the steps by which a user's request and a
server's data travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.plan.exposure import exposures
from jupyterhub_aws.plan.page.topology import services
from jupyterhub_aws.plan.page.topology.elements import (
    GATEWAY,
    Element,
    Owners,
    Places,
    Row,
    Topology,
    host,
)
from jupyterhub_aws.plan.plan import Plan
from jupyterhub_aws.plan.users import HubUsers, users_of

_VPC = "aws:ec2/vpc:Vpc"
_SHOWN_RANGES = 3
#: So many hubs are named with their sign-in.
_SHOWN_HUBS = 3


def scene(plan: Plan) -> Topology:
    """What the picture shows, all from the recorded resources, by type."""
    resources = (
        plan.recording.everything.own
    )  # what the caller's program adds has no place in this picture
    places, owners = Places(resources), Owners(resources)
    open_ = {item.urn for item in exposures(resources)}
    plane, operators = services.control(resources, open_)
    ways_in = (
        services.entries(places, owners, open_, public=True),
        services.entries(places, owners, open_, public=False),
    )
    hubs = users_of(plan)
    found = Topology(
        region=plan.stack.region,
        vpc=_vpc(resources, plan.stack.region),
        zones=places.zones,
        public=places.labels(public=True),
        private=places.labels(public=False) or ("",) * len(places.zones),
        users=_users(resources, owners, ways_in[0] + ways_in[1]),
        sign_in=_sign_in(hubs),
        operators=operators,
        control=plane,
        gateway=_gateway(resources),
        entries=ways_in[0],
        entries_inside=ways_in[1],
        databases=services.databases(places, owners),
        mounts=services.mounts(places),
        endpoints=services.endpoints(places),
        nats=services.nats(places),
        exits=places.exits(),
        core=services.core(places, owners),
        pools=services.pools(plan.stack, places),
        homes=services.homes(places),
    )
    numbers, steps = _steps(found, hubs)
    return replace(found, numbers=numbers, steps=steps)


def _vpc(resources: Resources, region: str) -> Element:
    found = resources.of(_VPC)
    if not found:
        return Element("vpc", "VPC that is there" if region else "Network that is there")
    return Element("vpc", f"VPC {found[0].inputs.get('cidrBlock', '')}", urn=found[0].urn)


def _gateway(resources: Resources) -> Element | None:
    found = resources.of(GATEWAY)
    return Element("gateway", "Internet gateway", urn=found[0].urn) if found else None


def _users(resources: Resources, owners: Owners, entries: Row) -> Element:
    hosts = [found for release in owners.releases if (found := host(release))]
    names = (hosts[0] if len(hosts) == 1 else f"{len(hosts)} hubs by their names",) if hosts else ()
    records = resources.of("aws:route53/record:Record")
    dns = (
        (f"name from Route 53 ({len(records)} record{'s' if len(records) > 1 else ''})",)
        if records
        else ()
    )
    if not entries:
        return Element("outside", "Users", ("no load balancer: by a tunnel or a node port", *names))
    ranges = sorted(
        {
            cidr
            for balancer in resources.of(services.BALANCER)
            for cidr in _ranges(balancer, resources)
        }
    )
    origin = ", ".join(ranges[:_SHOWN_RANGES]) + (" …" if len(ranges) > _SHOWN_RANGES else "")
    return Element("outside", "Users", (*names, *((f"from {origin}",) if ranges else ()), *dns))


def _ranges(balancer: Resource, resources: Resources) -> list[str]:
    """The networks that a load balancer's security groups allow in."""
    return [
        str(cidr)
        for rule in services.rules_of(balancer, resources)
        if (cidr := rule.inputs.get("cidrIpv4") or rule.inputs.get("cidrIpv6"))
    ]


def _sign_in(hubs: Sequence[HubUsers]) -> Element | None:
    """Where users prove who they are; None where no hub has a provider for it."""
    outside = [hub for hub in hubs if hub.sign_in.host]
    if not outside:
        return None
    if len({hub.sign_in for hub in outside}) == 1:
        found = outside[0].sign_in
        return Element("signin", f"Sign-in: {found.provider}", (found.host, *found.admitted[:1]))
    lines = tuple(f"{hub.name}: {hub.sign_in.provider}" for hub in outside[:_SHOWN_HUBS])
    more = (f"and {len(outside) - _SHOWN_HUBS} more",) if len(outside) > _SHOWN_HUBS else ()
    return Element("signin", "Sign-in", (*lines, *more))


def _steps(scene: Topology, hubs: Sequence[HubUsers]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The numbered arrows that this stack has, and a sentence for each."""
    entries = scene.entries + scene.entries_inside
    by_password = all(hub.sign_in.password for hub in hubs)
    sentences = {
        "users": (
            "A user opens the hub's address; the load balancer takes the connection in any zone.",
            bool(entries),
        ),
        "hub": (
            "The load balancer forwards it to the hub's proxy on the core nodes.",
            bool(entries and scene.core),
        ),
        "signin": (
            (
                "The user signs in with a name and a password, which the hub has checked there."
                if by_password
                else "The user signs in there; the hub is told who it is, and admits whom it lists."
            ),
            bool(scene.sign_in),
        ),
        "pool": (
            (
                "The hub starts the user's server; the autoscaler adds a node to the pool when"
                " none has room."
            ),
            bool(scene.core and scene.pools),
        ),
        "homes": (
            "The server mounts the user's home directory.",
            bool(scene.pools and scene.homes),
        ),
        "out": (
            (
                "Requests of nodes to the internet leave through NAT; no connection comes in"
                " that way."
            ),
            bool(scene.nats),
        ),
    }
    drawn = [key for key, (_, there) in sentences.items() if there]
    return {key: number for number, key in enumerate(drawn, start=1)}, tuple(
        sentences[key][0] for key in drawn
    )
