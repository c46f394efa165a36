"""Who runs as what: each piece of software of a plan with the role that it really gets, found by
following the recorded resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jupyterhub_aws.checks.airgap.endpoints import recorded_software
from jupyterhub_aws.checks.identities.evaluator import Principal
from jupyterhub_aws.checks.identities.world import ROLE, PlanWorld
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.aws_calls import CallingSoftware, calling_software

NODE_GROUP, TEMPLATE, PROFILE = (
    "aws:eks/nodeGroup:NodeGroup",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:iam/instanceProfile:InstanceProfile",
)
ADDON = "aws:eks/addon:Addon"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_CLUSTER, _GROUP = "aws:eks/cluster:Cluster", "aws:autoscaling/group:Group"
#: Roles of AWS's services, and where a plan names them.
_SERVICE_ROLES = (
    ("eks-control-plane", _CLUSTER, "roleArn"),
    ("aws-backup", "aws:backup/selection:Selection", "iamRoleArn"),
    ("data-lifecycle-manager", "aws:dlm/lifecyclePolicy:LifecyclePolicy", "executionRoleArn"),
    ("vpc-flow-logs", "aws:ec2/flowLog:FlowLog", "iamRoleArn"),
)
#: Roles that commands of ours hand to AWS, by how their names end (config/specs/backups.py,
#: components/homes/efs.py).
_COMMANDS_ROLES = (("aws-backup-restore", "backup-restore"), ("homes-restore", "homes-restore"))
#: What AWS's own services do without a role, and what in a plan makes them do so.
_SERVICES = (
    ("eventbridge", "aws:cloudwatch/eventTarget:EventTarget"),
    ("cloudwatch-alarms", "aws:cloudwatch/metricAlarm:MetricAlarm"),
    ("nfs-clients", "kubernetes:core/v1:PersistentVolume"),
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One identity of a plan: the software that has it, what brings it (`source`), and its role;
    None where the software calls without one.

    `service_account` is the one that its role is given to, where pods have it.
    """

    software: CallingSoftware
    caller: Principal
    source: Resource
    role: Resource | None = None
    service_account: str | None = None

    @property
    def inside(self) -> bool:
        """Whether its calls start in the VPC, and so take the endpoints there."""
        return self.software.identity in ("pod", "node", "instance")


@dataclass(frozen=True, kw_only=True)
class NoIdentity:
    """Software that calls AWS and gets no role."""

    software: CallingSoftware
    source: Resource


def identities(world: PlanWorld) -> Iterator[Identity | NoIdentity]:
    """Every identity of a plan, each once. A role that the plan does not make is its maker's to
    prove.
    """
    seen: set[tuple[str, str]] = set()
    for found in _all(world):
        key = (
            found.software.name,
            found.role.urn if isinstance(found, Identity) and found.role is not None else "",
        )
        if key not in seen:
            seen.add(key)
            yield found


def _all(world: PlanWorld) -> Iterator[Identity | NoIdentity]:
    known = calling_software()
    for name, source in recorded_software(world.resources):
        if name in known:
            yield from _of_software(world, known[name], source)
    for name, kind, key in _SERVICE_ROLES:
        for source in world.resources.of(kind):
            yield from _with_role(world, known[name], source, source.inputs.get(key))
    for name, ending in _COMMANDS_ROLES:
        for role in world.resources.of(ROLE):
            if role.inputs.get("name") == f"{world.stack.name}-{ending}":
                yield Identity(
                    software=known[name], caller=_role_caller(world, role), source=role, role=role
                )
    for name, kind in _SERVICES:
        for source in world.resources.of(kind)[:1]:
            software = known[name]
            caller = (
                Principal("anonymous")
                if software.identity == "anonymous"
                else Principal("service", software.trusted)
            )
            yield Identity(software=software, caller=caller, source=source)
    yield from _linked(world, known["ec2-auto-scaling"])


def _linked(world: PlanWorld, software: CallingSoftware) -> Iterator[Identity]:
    """The role that AWS made for itself: what it may do by its own policy is AWS's business,
    what it may do with a key is ours.
    """
    name = f"arn:{world.partition}:iam::{world.real('${aws.account}')}:role/aws-service-role/{software.trusted}/AWSServiceRoleForAutoScaling"
    for group in world.resources.of(_GROUP, NODE_GROUP)[:1]:
        yield Identity(software=software, caller=Principal("role", name), source=group)


def _of_software(
    world: PlanWorld, software: CallingSoftware, source: Resource
) -> Iterator[Identity | NoIdentity]:
    if software.identity == "pod":
        yield from _of_pods(world, software, source)
    elif source.type == NODE_GROUP:
        yield from _with_role(world, software, source, source.inputs.get("nodeRoleArn"))
    elif source.type == ADDON:  # it runs on every node, under the nodes' own roles
        for group in world.resources.of(NODE_GROUP, _GROUP):
            yield from _of_software(world, software, group)
    else:
        yield from _of_machine(world, software, source)


def _of_pods(
    world: PlanWorld, software: CallingSoftware, source: Resource
) -> Iterator[Identity | NoIdentity]:
    """A role by EKS Pod Identity: through the add-on itself, or an association of its own."""
    listed = [
        (item.get("serviceAccount"), item.get("roleArn"))
        for item in source.inputs.get("podIdentityAssociations") or ()
    ]
    if not listed:
        wanted = _account(source, software)
        listed = [
            (wanted, item.inputs.get("roleArn"))
            for item in world.resources.of(ASSOCIATION)
            if item.inputs.get("serviceAccount") == wanted
        ]
    if not listed and world.resources.of(_CLUSTER):
        yield NoIdentity(software=software, source=source)
    for account, arn in listed:
        for found in _with_role(world, software, source, arn):
            yield replace(found, service_account=str(account))


def _account(source: Resource, software: CallingSoftware) -> str:
    """The service account of a chart's pods: what its values say, or what its maker names it."""
    values = source.inputs.get("values") or {}
    rbac = values.get("rbac") or {} if isinstance(values, dict) else {}
    return str((rbac.get("serviceAccount") or {}).get("name") or software.service_account)


def _of_machine(
    world: PlanWorld, software: CallingSoftware, source: Resource
) -> Iterator[Identity | NoIdentity]:
    """By the instance profile of the launch template that a group or an instance starts from."""
    mentions = [source.inputs.get("launchTemplate"), source.inputs.get("mixedInstancesPolicy")]
    templates = world.resources.referred(json.dumps(mentions), TEMPLATE)
    named = [
        source.inputs.get("iamInstanceProfile"),
        *(template.inputs.get("iamInstanceProfile") for template in templates),
    ]
    for given in named:
        value = given
        if not isinstance(given, str):
            value = (given or {}).get("arn") or (given or {}).get("name")
        profiles = [
            item
            for item in world.resources.of(PROFILE)
            if value in (item.inputs.get("name"), item.name)
        ]
        for profile in [*world.resources.referred(value, PROFILE), *profiles]:
            yield from _with_role(world, software, source, profile.inputs.get("role"))


def _with_role(
    world: PlanWorld, software: CallingSoftware, source: Resource, given: object
) -> Iterator[Identity]:
    for role in world.resources.of(ROLE):
        if given == role.inputs.get("name") or role in world.resources.referred(given, ROLE):
            yield Identity(
                software=software, caller=_role_caller(world, role), source=source, role=role
            )


def _role_caller(world: PlanWorld, role: Resource) -> Principal:
    return Principal("role", world.arn(role))
