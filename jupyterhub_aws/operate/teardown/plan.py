"""`jhub destroy plan`: the teardown of a stack, from its files alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.backups import TAG, AwsBackup, Snapshots
from jupyterhub_aws.config.cloud_config import outer_of, what_if
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.database import PostgresDatabase
from jupyterhub_aws.config.entry import AcmTls, LoadBalancerEntry
from jupyterhub_aws.config.homes import EbsHomes, EfsHomesSection, NfsHomes
from jupyterhub_aws.config.sign_in import CognitoSignIn, GitHubSignIn, LtiSignIn, OidcSignIn
from jupyterhub_aws.config.sign_in_common import PublicProvider
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.operate.backups.points import EFS_VAULT
from jupyterhub_aws.plan.plan import inner_files, recorded

# --- What becomes of each resource when a stack is destroyed with `--exclude-protected`. Pure:
# decided from what the program registers.


_KUBERNETES = "kubernetes:"


@dataclass(frozen=True, kw_only=True)
class DestroyOutcome:
    """The resources of one stack of the engine, by what becomes of them.

    `stays`: protected, and what these need; still in the state, and a later `up` uses it.
    `forgotten`: no longer in the state, and still there. `ends`: inside a cluster that goes, so
    that it goes too, whatever its options say. `goes`: deleted. `order`: the program's parts as
    they are taken down, each with how many of it; of what the caller's program added, `added` is
    what goes, each before what it needs.
    """

    stays: tuple[Resource, ...]
    forgotten: tuple[Resource, ...]
    ends: tuple[Resource, ...]
    goes: tuple[Resource, ...]
    order: tuple[tuple[str, int], ...]
    added: tuple[Resource, ...] = ()


def destroy_outcome(resources: Resources, *, cluster_goes: bool) -> DestroyOutcome:
    """Decide it for the resources of one stack; `cluster_goes`: its cluster is deleted too, now
    or in a later step.
    """
    # What is only read stays as it is.
    resources = Resources(resource for resource in resources if not resource.external)
    kept = _with_needs(resources, [resource.urn for resource in resources if resource.protect])
    others = [resource for resource in resources if resource.urn not in kept]
    let_go = [resource for resource in others if resource.retain_on_delete]
    ends = [
        resource
        for resource in let_go
        if cluster_goes
        and resource.type.startswith(_KUBERNETES)
        and _in_the_cluster(resource, resources)
    ]
    goes = [resource for resource in others if not resource.retain_on_delete]
    added = [resource for resource in goes if resources.is_added(resource)]
    ours = [resource for resource in goes if not resources.is_added(resource)]
    return DestroyOutcome(
        stays=tuple(resource for resource in resources if resource.urn in kept),
        forgotten=tuple(resource for resource in let_go if resource not in ends),
        ends=tuple(ends),
        goes=tuple(goes),
        order=tuple(_order(resources, ours)),
        added=tuple(resource for resource in added if _is_real(resource)),
    )


def _is_real(resource: Resource) -> bool:
    return resource.custom and not resource.type.startswith("pulumi:")


def _in_the_cluster(resource: Resource, resources: Resources) -> bool:
    """Whether an object is in the stack's own cluster: not behind a provider that the caller's
    program made, nor behind its default one.
    """
    if not resources.is_added(resource):
        return True
    provider = resources.by_urn.get(resource.provider or "")
    return provider is not None and not resources.is_added(provider)


def _with_needs(resources: Resources, urns: Iterable[str]) -> set[str]:
    """These with all that they depend on, their parents and providers: what `pulumi destroy
    --exclude-protected` leaves (engine facts; tests/engine).
    """
    found, waiting = set[str](), list(urns)
    while waiting:
        urn = waiting.pop()
        if urn in resources.by_urn and urn not in found:
            found.add(urn)
            resource = resources.by_urn[urn]
            waiting += [*resource.depends_on, resource.parent or "", resource.provider or ""]
    return found


def _order(resources: Resources, goes: Iterable[Resource]) -> list[tuple[str, int]]:
    """The parts of this library, whatever needs another before it: as the engine deletes. Only
    those of which something that is real goes.
    """

    def top(resource: Resource) -> str:
        return resources.part(resource).name

    def needed(urns: Iterable[str], seen: frozenset[str] = frozenset()) -> set[str]:
        """The parts that these are, or that what is added among them needs."""
        found = set[str]()
        for urn in {*urns} & resources.by_urn.keys() - seen:
            resource = resources.by_urn[urn]
            if resources.is_added(resource):
                found |= needed(resource.depends_on, seen | {urn})
            else:
                found.add(top(resource))
        return found

    count = Counter(top(resource) for resource in goes if _is_real(resource))
    needs: dict[str, set[str]] = {}
    for resource in resources.own:
        needs.setdefault(top(resource), set()).update(needed(resource.depends_on) - {top(resource)})
    graph = {name: sorted(needs[name]) for name in sorted(needs)}
    try:
        built = list(TopologicalSorter(graph).static_order())
    except CycleError:  # parts that need each other have no order between them
        built = sorted(needs)
    return [(name, count[name]) for name in reversed(built) if count[name]]


# --- What no state knows and a destroyed stack leaves behind: by the stack's shape, how to find it,
# and how to end it. Pure.


@dataclass(frozen=True)
class Unmanaged:
    """Something that stays although no state knows it. `find` is a command that lists it; empty
    where no command lists it. `blocks`: AWS refuses to delete the network while it is there, so it
    goes before.
    """

    what: str
    why: str
    find: str = ""
    blocks: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return asdict(self)


def unmanaged_resources(stack: StackConfig) -> list[Unmanaged]:
    """Everything of that kind for a stack; for a split stack, of both."""
    return [
        *_of_cluster(stack),
        *_of_homes(stack),
        *_of_backups(stack),
        *_of_databases(stack),
        *_outside(stack),
    ]


def _of_cluster(stack: StackConfig) -> Iterator[Unmanaged]:
    if not isinstance(stack.cluster, EksCluster):
        yield Unmanaged(
            "nodes' labels, imported images, and whatever you prepared by hand",
            "the cluster was there before, and stays as it is",
            "kubectl get nodes --show-labels",
        )
        return
    region = f"--region {stack.region}"
    yield Unmanaged(
        "balancers of Services that others made in the cluster",
        "AWS made them for Kubernetes, and only Kubernetes deletes them: delete the Services first",
        "kubectl get services --all-namespaces | grep LoadBalancer",
        blocks=True,
    )
    yield Unmanaged(
        "volumes of claims that others made",
        "the EBS driver deletes a volume when its claim goes, not when the cluster does",
        "kubectl get pvc --all-namespaces",
    )
    yield Unmanaged(
        "network interfaces of nodes that ended in a hurry",
        "the VPC CNI tags them with the cluster's name, and cleans up only while a node runs",
        f"aws ec2 describe-network-interfaces {region} --filters"
        f" Name=tag:cluster.k8s.amazonaws.com/name,Values={stack.name}"
        " Name=status,Values=available",
        blocks=True,
    )
    yield Unmanaged(
        f"the log group /aws/eks/{stack.name}/cluster, again",
        "EKS creates it again, without a limit, when it writes once more after ours went",
        f"aws logs describe-log-groups {region} --log-group-name-prefix /aws/eks/{stack.name}/",
    )


def _of_homes(stack: StackConfig) -> Iterator[Unmanaged]:
    homes = stack.homes
    if isinstance(homes, EbsHomes):
        yield Unmanaged(
            f"every user's home: a volume of {homes.size_gib} GiB each",
            "its class says Retain: no command of this project deletes a home",
            f"aws ec2 describe-volumes --region {stack.region} --filters"
            f" Name=tag:stack,Values={stack.name}",
        )
    elif isinstance(homes, NfsHomes):
        yield Unmanaged(
            f"the homes on {homes.server}:{homes.path}",
            "the server is yours, and nothing there is touched",
        )


def _of_backups(stack: StackConfig) -> Iterator[Unmanaged]:
    """Where the stack's own backups lie, and EFS's where its own plan is on: its vault has one
    name in every account (EFS user guide, "Backing up").
    """
    if not isinstance(stack.cluster, EksCluster):
        return
    homes, backups, spec = stack.homes, stack.backups, resolve(stack).backups
    if isinstance(backups, AwsBackup):
        yield _points("recovery points of homes and databases", stack.region, spec.vault_name)
        if spec.copy_region is not None:
            yield _points("their copies", spec.copy_region, spec.copy_vault_name)
    elif isinstance(backups, Snapshots):
        yield Unmanaged(
            "snapshots of volumes",
            "with their policy gone nothing deletes them on their day any more",
            f"aws ec2 describe-snapshots --region {stack.region} --owner-ids self --filters"
            f" Name=tag:{TAG},Values={spec.selection[TAG]}",
        )
    if isinstance(homes, EfsHomesSection) and spec.efs_plan(homes):
        yield _points("recovery points of the homes' file system", stack.region, EFS_VAULT)


def _points(what: str, region: str, vault: str) -> Unmanaged:
    return Unmanaged(
        f"{what}, in the vault {vault} ({region})",
        "AWS Backup keeps them until their day, also when what they are of is gone",
        f"aws backup list-recovery-points-by-backup-vault --region {region} --backup-vault-name"
        f" {vault}",
    )


def _of_databases(stack: StackConfig) -> Iterator[Unmanaged]:
    for name, hub in sorted(stack.hubs.items()):
        identifier = f"{HubNames(stack=stack.name, hub=name).physical}-database"
        if isinstance(hub.database, PostgresDatabase):
            yield Unmanaged(
                f"snapshots of {identifier}, a last one too if it is deleted later",
                "RDS keeps snapshots without their instance",
                f"aws rds describe-db-snapshots --region {stack.region}"
                f" --db-instance-identifier {identifier}",
            )


def _outside(stack: StackConfig) -> Iterator[Unmanaged]:
    for name, hub in sorted(stack.hubs.items()):
        entry = hub.entry
        if isinstance(entry, LoadBalancerEntry) and (
            entry.route53_zone is None or not entry.record
        ):
            yield Unmanaged(
                f"the DNS record of {entry.hostname} (hubs.{name})",
                "you made it; it would lead to an address that another AWS customer may get",
                f"dig +short {entry.hostname}",
            )
        if (
            isinstance(entry, LoadBalancerEntry)
            and isinstance(entry.tls, AcmTls)
            and entry.tls.certificate_arn is not None
        ):
            why = "it was there before; it costs nothing"
            yield Unmanaged(
                f"the certificate of {entry.hostname}",
                why,
                f"aws acm describe-certificate --certificate-arn {entry.tls.certificate_arn}",
            )
        if isinstance(hub.sign_in, LtiSignIn):
            yield Unmanaged(
                f"the tool {', '.join(hub.sign_in.client_ids)} at {hub.sign_in.issuer}"
                f" (hubs.{name})",
                "you registered it there",
            )
        if isinstance(hub.sign_in, (OidcSignIn, CognitoSignIn, GitHubSignIn, PublicProvider)):
            yield Unmanaged(
                f"the application {hub.sign_in.client_id} at the identity provider (hubs.{name})",
                "you registered it there, with a secret",
            )
    why = (
        "pulumi keeps a stack's history until: pulumi stack rm --preserve-config, which leaves the"
        " stack's file"
    )
    yield Unmanaged("the stack's state and its encrypted secrets", why, "pulumi stack ls")


FORMAT = "jupyterhub-aws/destroy/1"


@dataclass(frozen=True, kw_only=True)
class StackTeardown:
    """One stack of the engine, and what becomes of it. `where` says from which machine; empty:
    from anywhere.
    """

    file: StackFile
    stack: StackConfig
    outcome: DestroyOutcome
    where: str

    @property
    def line(self) -> str:
        """The command that takes it down."""
        return f"pulumi destroy -s {self.file.stack} --exclude-protected{self.file.engine_option}"


@dataclass(frozen=True, kw_only=True)
class DestroyPlan:
    """The engine's stacks in the order in which they are destroyed, and what stays unmanaged."""

    stacks: tuple[StackTeardown, ...]
    unmanaged: tuple[Unmanaged, ...]

    @property
    def stack(self) -> StackConfig:
        """The stack that all of it is about: of a pair, the one that AWS's part belongs to."""
        return self.stacks[-1].stack

    @property
    def with_hubs(self) -> StackConfig:
        """The same with its hubs, which a cloud stack's file names too but does not make."""
        if len(self.stacks) > 1:
            return self.stack.model_copy(update={"hubs": self.stacks[0].stack.hubs})
        return self.stack

    @property
    def in_aws(self) -> bool:
        """Whether the stack makes anything there."""
        return isinstance(self.stack.cluster, EksCluster)

    @property
    def before(self) -> list[tuple[str, str]]:
        """What comes first: why, and the command."""
        name, stack = self.stacks[0].file.stack, self.stack
        if stack.paused and stack.pause.instances is not None:
            return [
                (
                    "it is paused, and its cluster has to answer",
                    f"jhub resume {self.stacks[-1].file.stack}",
                )
            ]
        if stack.paused:
            return []
        hubs = any(part.stack.hubs_inside for part in self.stacks)
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
                for part in self.stacks
                for resource in (*part.outcome.stays, *part.outcome.forgotten)
            ]
        )
        return cost(self.stack, kept).as_json()

    def as_json(self) -> dict[str, Any]:
        """The plan as data."""
        bill = self.bill()
        return {
            "format": FORMAT,
            "stack": self.stacks[-1].file.stack,
            "paused": self.stack.paused,
            "before": [{"why": why, "run": line} for why, line in self.before],
            "steps": [_as_json(part) for part in self.stacks],
            "left_behind": [item.as_json() for item in self.unmanaged],
            "monthly": {
                "lines": [line for line in bill["lines"] if line["quantity"]],
                "together": bill["idle_monthly"],
                "left_out": bill["left_out"],
            },
            "afterwards": f"jhub orphans {self.stacks[-1].file.stack}" if self.in_aws else None,
        }


def destroy_plan(file: StackFile) -> DestroyPlan:
    """The plan of a stack; of a split stack it does not matter which is named. Raises
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
    stacks = tuple(_stack_teardown(*pair, cluster_goes=goes) for pair in pairs)
    found = DestroyPlan(stacks=stacks, unmanaged=())
    return replace(found, unmanaged=tuple(unmanaged_resources(found.with_hubs)))


def _stack_teardown(
    file: StackFile, stack: StackConfig, resources: Resources, *, cluster_goes: bool
) -> StackTeardown:
    where = (
        "on the runner, or wherever the cluster's API answers" if stack.parts == "cluster" else ""
    )
    return StackTeardown(
        file=file,
        stack=stack,
        outcome=destroy_outcome(resources, cluster_goes=cluster_goes),
        where=where,
    )


def _as_json(part: StackTeardown) -> dict[str, Any]:
    found = part.outcome
    return {
        "stack": part.file.stack,
        "where": part.where,
        "run": part.line,
        "goes": len(found.goes),
        "order": [{"part": name, "resources": count} for name, count in found.order],
        "added_by_the_program": [_resource(item) for item in found.added],
        "stays": [_resource(item) for item in found.stays],
        "forgotten": [_resource(item) for item in found.forgotten],
        "ends_with_the_cluster": [_resource(item) for item in found.ends],
    }


def _resource(item: Resource) -> dict[str, Any]:
    return {"urn": item.urn, "type": item.type, "name": item.name, "protected": item.protect}
