"""Whether users can work in the hubs: servers find a node that they fit, values undo nothing,
and the database can be reached.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.checks.finding import Finding, fail, skip, verdict, warn
from jupyterhub_aws.checks.hub_values import all as all_rules
from jupyterhub_aws.checks.hub_values.policies import malformed
from jupyterhub_aws.checks.hub_values.reach import reach
from jupyterhub_aws.checks.hub_values.traits import without_effect
from jupyterhub_aws.checks.network_policies import Policy, policy
from jupyterhub_aws.checks.nodes import node_subnets
from jupyterhub_aws.checks.placement import UserNodes, user_nodes
from jupyterhub_aws.checks.resources import Resource, Resources, referred_names
from jupyterhub_aws.checks.user_pods import UserPod, hub_of, hub_releases, user_pods
from jupyterhub_aws.config.chart import effective
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.database import MemoryDatabase
from jupyterhub_aws.config.entry import NodePortEntry, NoTls, PortForwardEntry
from jupyterhub_aws.config.errors import dotted
from jupyterhub_aws.config.homes import NfsHomes
from jupyterhub_aws.config.sign_in import LdapSignIn, SharedPasswordSignIn
from jupyterhub_aws.config.specs.names import SERVER_ACCOUNT
from jupyterhub_aws.config.specs.network_policies import POD_IDENTITY_RULE
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import timeouts
from jupyterhub_aws.config.traits import resolve

_NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
_VOLUME = "aws:ebs/volume:Volume"
_MIB = 1024**2


def values(stack: StackConfig, resources: Resources) -> list[Finding]:
    """The chart takes each hub's values, and they neither break users' work nor undo a
    protection.
    """
    start_seconds = timeouts(stack).server_start_seconds
    wrong = (
        fail(
            "hub-values",
            f"{dotted(fault.path)} {fault.what}",
            fault.fix,
            release,
            path=dotted(("hubs", hub_of(release), "helm_values")),
        )
        for release in hub_releases(resources)
        for fault, _ in all_rules.verdict(
            release.inputs.get("values", {}), stack.hubs[hub_of(release)], start_seconds
        )
    )
    holds = (
        "the chart accepts every hub's values: sign-in is required, servers are unprivileged,"
        " data is kept"
    )
    return verdict("hub-values", wrong, otherwise=holds)


def network_policies(stack: StackConfig, resources: Resources) -> list[Finding]:
    """What pods of hubs need they reach; what protects credentials, data and other users they do
    not; and what `helm_values` opens besides is said.
    """
    holds = (
        "hubs, proxies and users' servers reach what they need, and neither credentials nor each"
        " other"
    )
    return verdict("network-policies", _reached(stack, resources), otherwise=holds)


def _reached(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    for release in hub_releases(resources):
        hub, whole = hub_of(release), resolve(effective(release.inputs.get("values", {}))).values
        wrong = list(malformed(whole))
        judged = [] if wrong else reach(stack, hub, whole, _others(resources, f"hub-{hub}"))
        for fault, refused in [
            *((fault, True) for fault in wrong),
            *((item.fault, item.refused) for item in judged),
        ]:
            found = fail if refused else warn
            path = dotted(("hubs", hub, "helm_values", *fault.path))
            message = f"hub {hub}: {dotted(fault.path)} {fault.what}"
            yield found("network-policies", message, fault.fix, release, path=path)


_POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"


def _others(resources: Resources, namespace: str) -> Iterator[Policy]:
    """The policies of a namespace that the program itself registers, but the one that servers with
    a role of their own need.

    A program gives it to them by name (`JupyterHub.add_role`), and it opens nothing but the address
    of that role's credentials.
    """
    has_role = any(
        (item.inputs.get("namespace"), item.inputs.get("serviceAccount"))
        == (namespace, SERVER_ACCOUNT)
        for item in resources.of(_POD_IDENTITY)
    )
    for found in resources.of("kubernetes:networking.k8s.io/v1:NetworkPolicy"):
        within = str((found.inputs.get("metadata") or {}).get("namespace"))
        if has_role and (found.inputs.get("spec") or {}).get("egress") == [POD_IDENTITY_RULE]:
            continue
        if within == namespace or namespace in referred_names(within):
            yield policy(found.inputs.get("spec") or {}, namespace)


def sections_have_effect(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every section of `hub.config` is of a class that the hub uses."""
    idle = (
        warn(
            "hub-config",
            f"{dotted(said.path)} {said.where}{fault.what}",
            fault.fix,
            release,
            path=dotted(("hubs", hub_of(release), "helm_values")),
        )
        for release in hub_releases(resources)
        for resolved in [resolve(effective(release.inputs.get("values", {})))]
        for fault in without_effect(resolved.values)
        for said in [resolved.said(fault.path)]
    )
    return verdict(
        "hub-config", idle, otherwise="every section of hub.config is of a class that its hub uses"
    )


def servers_find_nodes(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Each profile's servers match a group of nodes, pass its taints, and fit an empty one of
    its smallest type.
    """
    nodes = list(user_nodes(stack, resources))
    pods = [(release, pod) for release in hub_releases(resources) for pod in user_pods(release)]
    homeless = (finding for release, pod in pods for finding in _placed(release, pod, nodes))
    holds = (
        f"each profile's servers ({len(pods)}) find nodes that they fit, the smallest type of a"
        " pool included"
    )
    return verdict("servers-fit", homeless, otherwise=holds)


def _placed(release: Resource, pod: UserPod, nodes: list[UserNodes]) -> Iterator[Finding]:
    who, path = f"profile {pod.profile or 'default'} of hub {pod.hub}", f"hubs.{pod.hub}.profiles"

    def fault(message: str, fix: str) -> Finding:
        return fail("servers-fit", f"{who}: {message}", fix, release, path=path)

    matching = [node for node in nodes if pod.may_run_on(node.labels)]
    if all(node.retiring for node in matching):
        yield fault("its node selector and affinity match no pool", "choose a pool of the stack")
    for node in matching:
        if node.retiring:
            yield fault(
                f"may start on {node.name}, which retires and gets no further node",
                "keep the node selectors that the program renders",
            )
        hard = [taint for taint in node.taints if taint["effect"] != "PreferNoSchedule"]
        blocked = [taint for taint in hard if not pod.tolerates(taint)]
        if blocked:
            yield fault(
                f"does not tolerate {blocked[0]['key']} of {node.name}",
                "keep the tolerations that the program renders",
            )
        for what, wanted, room in (
            ("cores", pod.requests.get("cpu", 0), node.room.cpu_millicores / 1000),
            ("MiB of memory", pod.requests.get("memory", 0) / _MIB, node.room.memory_mib),
            ("GPUs", pod.requests.get("nvidia.com/gpu", 0), node.gpus),
        ):
            if wanted > room:
                yield fault(
                    f"needs {wanted:g} {what}, and a node of {node.name} has {room:g} for servers",
                    "lower it, or choose larger types",
                )


def database_is_near(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Each volume of a hub's database is in the zone of every core node: a volume is reached
    from its own zone only.
    """
    zones = {
        subnet.zone
        for group in resources.of(_NODE_GROUP)
        for subnet in node_subnets(stack, resources, group)
    }
    volumes = resources.of(_VOLUME)
    far = [volume for volume in volumes if zones != {str(volume.inputs["availabilityZone"])}]
    wrong = (
        fail(
            "database-zone",
            f"{volume.label} is in {volume.inputs['availabilityZone']}, but core nodes may start in"
            f" {', '.join(sorted(zones))}",
            "keep the core pool in the volume's zone",
            volume,
            path="pools.core.zones",
        )
        for volume in far
    )
    holds = "every database on a volume is in the core pool's zone"
    return verdict(
        "database-zone", wrong, otherwise=holds if volumes else "no database is bound to a zone"
    )


def worth_knowing(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """Deliberate settings that an operator should see in every plan; and what only the
    server of homes can know.
    """
    found = [finding for name in sorted(stack.hubs) for finding in _of_hub(stack, name)]
    if stack.ownership_pending:
        message = (
            "were written by root: a job changes their owner first, and there is no hub meanwhile,"
            " because users could not write"
        )
        fix = (
            "after up: kubectl wait -n homes-ownership --for=condition=complete job/homes-ownership"
            " --timeout=-1s; then write ownership: done"
        )
        found.append(warn("homes-ownership", message, fix, path="homes.adopted.ownership"))
    if isinstance(stack.homes, NfsHomes):
        message = (
            f"whether {stack.homes.server} maps every client to 1000:100 cannot be known here;"
            " without it new users could not write"
        )
        fix = (
            "look at the export's options (all_squash,anonuid=1000,anongid=100; isilon: map all"
            " users)"
        )
        found.append(skip("homes-owner", message, fix, path="homes"))
    holds = (
        "no hub is a trial, loses sessions, sends passwords in clear text or blocks every network"
    )
    return verdict("hubs", found, otherwise=holds)


def _of_hub(stack: StackConfig, name: str) -> Iterator[Finding]:
    hub, path = stack.hubs[name], f"hubs.{name}"
    if isinstance(hub.sign_in, SharedPasswordSignIn):
        message = "all users sign in with one password, under any name: for a trial only"
        fix = "choose github, oidc or ldap"
        yield warn("trial-sign-in", message, fix, path=f"{path}.sign_in.kind")
    if isinstance(hub.sign_in, LdapSignIn) and not hub.sign_in.encrypted:
        message = "passwords travel to the directory in clear text"
        fix = "write on_connect or start_tls, with ca_certificate"
        yield warn("plain-text-directory", message, fix, path=f"{path}.sign_in.tls")
    if isinstance(hub.database, MemoryDatabase):
        message, fix = "loses every session when the hub restarts", "choose sqlite or postgres"
        yield warn("sessions", message, fix, path=f"{path}.database.kind")
    if isinstance(hub.entry, PortForwardEntry):
        return
    if isinstance(hub.entry.tls, NoTls):
        message, fix = "passwords travel in clear text", "choose acm or certificate"
        yield warn("plain-text", message, fix, path=f"{path}.entry.tls")
    if (
        isinstance(hub.entry, NodePortEntry)
        and not hub.entry.allowed_cidrs
        and isinstance(stack.cluster, EksCluster)
    ):
        fix = "list networks, or open the nodes' security group yourself"
        yield warn(
            "no-network-allowed",
            "no network is allowed in",
            fix,
            path=f"{path}.entry.allowed_cidrs",
        )
