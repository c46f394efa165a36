"""The whole program, recorded without an engine, and how tests read what it registered. Nothing
here knows the product's own rules.
"""

from __future__ import annotations

import base64
import datetime
import email
import gc
import importlib
import json
import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

from jupyterhub_aws import components
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.stack_file import StackFile, read
from jupyterhub_aws.plan import recorder as recording_engine
from jupyterhub_aws.plan.evaluate import Recording
from jupyterhub_aws.plan.plan import Plan, make_plan, recorded
from jupyterhub_aws.plan.values import plain
from tests.support.known_plans import known_plans, outputs_of_components
from tests.support.stack_files import CERTIFICATE, ROOT


@contextmanager
def quiet_sdks() -> Iterator[None]:
    """While the SDKs load (lazily, at first use) they warn about classes of their own that the
    program does not use.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", category=DeprecationWarning, module=r"pulumi_(aws|eks|kubernetes)\b"
        )
        yield


@contextmanager
def without_gc() -> Iterator[None]:
    """An evaluation makes much and drops little: looking for garbage meanwhile takes a third of
    its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


with quiet_sdks():
    for module in pkgutil.walk_packages(components.__path__, "jupyterhub_aws.components."):
        importlib.import_module(module.name)

SOME_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SOME_ROLE = "arn:aws:iam::123456789012:role/teams/platform-admin"
#: A stack without its hub: for tests of nodes that the hub's profiles would not fit.
NO_HUB = "hubs={}"
#: Hubs of other kinds than the one of `dev`, so that each branch which makes something is there.
_LDAP_HUB = {
    "sign_in": {
        "kind": "ldap",
        "server": "ldap.example.org",
        "ca_certificate": CERTIFICATE,
        "lookup": {
            "search_base": "ou=people,dc=example,dc=org",
            "search_user": "cn=search,dc=example,dc=org",
        },
        "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
    },
    "entry": {
        "kind": "load_balancer",
        "hostname": "b.example.org",
        "allowed_cidrs": ["198.51.100.0/24"],
        "route53_zone": "Z0123456789ABCDEFGHIJ",
    },
    "database": {"kind": "postgres", "multi_az": True},
}
_PORT_HUB = {
    "sign_in": {"kind": "shared_password", "administrators": ["ops1"]},
    "entry": {
        "kind": "node_port",
        "hostname": "c.example.org",
        "allowed_cidrs": ["198.51.100.0/24"],
        "tls": {"kind": "certificate", "certificate": CERTIFICATE},
        "external_ips": ["10.0.0.9"],
    },
    "database": {"kind": "sqlite_memory"},
}
#: Servers of the hub `main` that use buckets: a folder for each user, another access for a group,
#: another one for a profile, one bucket of each kind.
SERVERS_IN_AWS = (
    'accounts=["111122223333"]',
    (
        "buckets={scratch: {kind: scratch}, work: {kind: shared, readers:"
        " ['arn:aws:iam::210987654321:root']}, lectures: {kind: existing,"
        " bucket_name: uni-lectures}, theirs: {kind: existing, bucket_name: their-data, account:"
        " '210987654321', kms_key:"
        " 'arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab'}, open:"
        " {kind: public, bucket_name: noaa-goes16}}"
    ),
    (
        "hubs.main.aws_access={buckets: [{bucket: lectures}, {bucket: open}, {bucket: work, prefix:"
        " home/, write: true, per_user: true}, {bucket: scratch, write: true, per_user: true}],"
        " by_group: [{name: staff, groups: ['jupyter:staff'], buckets: [{bucket: lectures, write:"
        " true}, {bucket: work, overlap: true}, {bucket: theirs, prefix: shared/, write: true}],"
        " policies: [AmazonAthenaFullAccess], statements: [{actions: ['athena:StartQueryExecution'],"
        " resources: ['arn:aws:athena:us-east-1:111122223333:workgroup/users']}]}]}"
    ),
    "hubs.main.profiles.gpu.aws_access={buckets: [{bucket: scratch, write: true, per_user: true}]}",
    "hubs.main.volumes.lectures={kind: bucket, bucket: lectures, mount_path: /lectures, prefix: 2026/}",
)
#: In an isolated network: buckets of the stack alone.
SERVERS_IN_CLOSED_AWS = (
    'accounts=["111122223333"]',
    "buckets={scratch: {kind: scratch}, work: {kind: shared}}",
    (
        "hubs.main.aws_access={buckets: [{bucket: work, prefix: home/, write: true, per_user: true},"
        " {bucket: scratch, write: true, per_user: true}], statements: [{actions:"
        " ['athena:StartQueryExecution'], resources:"
        " ['arn:aws:athena:us-east-1:111122223333:workgroup/users']}]}"
    ),
    "hubs.main.volumes.work={kind: bucket, bucket: work, mount_path: /work}",
)
#: Every optional part at once, so that each component and each branch that makes something is
#: there.
FULL = (
    "network.flow_logs={}",
    "network.nat=per_zone",
    f"cluster.volume_key={SOME_KEY}",
    f"cluster.administrators=[{SOME_ROLE}]",
    "cluster.protected=true",
    "homes.usage_report={}",
    "image_repositories={physics: {keep: 5}, r: {}}",
    (
        "backups={kind: aws_backup, copy_to_region: {region: us-west-2}, vault_lock: {grace_days:"
        " 7}, rds: true}"
    ),
    f"hubs.ldap={json.dumps(_LDAP_HUB)}",
    f"hubs.port={json.dumps(_PORT_HUB)}",
    (
        "monitoring={kind: cloudwatch, notify: [hub-alarms@example.org,"
        " 'https://pager.example.org/alarms'], homes_gib: 500, container_insights: true}"
    ),
    *SERVERS_IN_AWS,
)
#: What stands in the place of a part of `dev`, so that it cannot be in FULL beside it.
INSTEAD = (
    "homes={kind: ebs}",
    "backups={kind: snapshots}",
    "hubs.main.entry={kind: port_forward}",
    "monitoring={kind: none}",
)
#: What exists only while a stack is paused.
PAUSED = (
    "paused=true",
    "hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ",
    "hubs.main.maintenance_page={paused_text: Back in January.}",
)
#: The closed stack with every optional part that it can have at once.
CLOSED = (
    "stack=airgap",
    "network.egress={kind: proxy, url: 'http://proxy.corp.example:3128'}",
    "network.endpoint_zones=one",
    "network.additional_endpoints=[athena]",
    "monitoring={kind: cloudwatch, notify: [hub-alarms@example.org]}",
    (
        "network.peer_networks.beside={cidrs: [10.201.0.0/16], ports: [5432], via: {kind: peering,"
        " vpc_id: vpc-0123456789abcdef0}}"
    ),
    "runner.policies=['arn:aws:iam::123456789012:policy/pulumi-state']",
    *SERVERS_IN_CLOSED_AWS,
    (
        f"hubs.postgres={json.dumps({**_PORT_HUB, 'entry': {'kind': 'port_forward'}, 'database': {'kind': 'postgres'}})}"
    ),
)
_SUBNETS = {
    zone: {"id": f"subnet-0123456789abcde{index}", "cidr": f"10.64.{64 * index}.0/18"}
    for index, zone in enumerate(("us-east-1a", "us-east-1b"))
}
_EXISTING = {
    "mode": "existing",
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.64.0.0/16",
    "private_subnets": _SUBNETS,
    "egress": {"kind": "none"},
    "route_tables": ["rtb-0123456789abcdef0"],
    "internal_hosts": ["*.corp.example"],
    "peer_networks": {"corporate": {"cidrs": ["10.200.0.0/16"], "ports": [636, 443]}},
}
#: The open stack in a VPC of somebody else's, as a setting on top of `dev`.
_PUBLIC = {
    zone: {"id": f"subnet-0fedcba987654321{index}", "cidr": f"10.64.{240 + index}.0/24"}
    for index, zone in enumerate(_SUBNETS)
}
IN_AN_OPEN_VPC = "network=" + json.dumps(
    {
        "mode": "existing",
        "vpc_id": "vpc-0123456789abcdef0",
        "cidr": "10.64.0.0/16",
        "private_subnets": _SUBNETS,
        "public_subnets": _PUBLIC,
        "egress": {"kind": "internet"},
    }
)
#: The closed stack in a VPC of somebody else's: with endpoints that the stack makes, and with
#: endpoints that are there.
IN_THEIR_VPC = ("stack=airgap", f"network={json.dumps(_EXISTING)}")
THEIR_ENDPOINTS = (
    "stack=airgap",
    f"network={json.dumps({**_EXISTING, 'manage_endpoints': False, 'route_tables': []})}",
)
#: Homes that root wrote: a job hands them over, and there is no hub yet; and afterwards.
HANDING_OVER = ('homes={"kind": "efs", "adopted": {"path": "/home", "owner": "root"}}',)
HANDED_OVER = (
    'homes={"kind": "efs", "adopted": {"path": "/home", "owner": "root", "ownership": "done"}}',
)
INNER = ("stack=airgap-hub",)
KUBEADM = ("stack=examples/kubeadm/Pulumi.kubeadm.yaml",)
#: Beside a cluster in EKS that somebody else made, with homes on a file system of theirs.
THEIR_EFS = (
    *KUBEADM,
    (
        'homes={"kind": "efs_access_point", "file_system": "fs-0123456789abcdef0", "access_point":'
        ' "fsap-0123456789abcdef0"}'
    ),
)
#: A hub with services: one behind the proxy, and one that only calls the hub.
SERVICES = (
    "hubs.main.services="
    + json.dumps(
        {
            "page": {"url": "http://page:8080", "pods": {"labels": {"app": "page"}}},
            "robot": {"scopes": ["read:users"], "pods": {"labels": {"app": "robot"}}},
        }
    ),
)
#: Every stack that tests hold to the rules of all stacks, by name.
ALL_STACKS = {
    "dev": (),
    "full": FULL,
    "instead": INSTEAD,
    "services": SERVICES,
    "paused": PAUSED,
    "handing over": HANDING_OVER,
    "handed over": HANDED_OVER,
    "airgap": ("stack=airgap",),
    "closed": CLOSED,
    "open, their VPC": (IN_AN_OPEN_VPC,),
    "their VPC": IN_THEIR_VPC,
    "their endpoints": THEIR_ENDPOINTS,
    "inner half": INNER,
    "kubeadm": KUBEADM,
    "their EFS": THEIR_EFS,
}
LABELS = "k8s.io/cluster-autoscaler/node-template/label/"
TAINTS = "k8s.io/cluster-autoscaler/node-template/taint/"
RESOURCES = "k8s.io/cluster-autoscaler/node-template/resources/"


@dataclass(frozen=True, kw_only=True)
class StackRecording(Recording):
    """A recording that also kept what each component registered as its outputs, by URN."""

    component_outputs: Mapping[str, Mapping[str, Any]]

    def one(self, kind: str, name: str | None = None) -> Resource:
        """The only resource of a type (and name)."""
        (found,) = [
            resource for resource in self.resources.of(kind) if name in (None, resource.name)
        ]
        return found

    def under(self, resource: Resource, kind: str) -> Resource:
        """The only child of a type."""
        (found,) = [child for child in self.resources.of(kind) if child.parent == resource.urn]
        return found

    def needs(self, resource: Resource) -> set[tuple[str, str]]:
        """Types and names of all that has to be there before this resource, however indirectly."""
        found: dict[str, Resource] = {}
        waiting = list(resource.depends_on)
        while waiting:
            urn = waiting.pop()
            if urn not in found:
                found[urn] = self.resources.by_urn[urn]
                waiting.extend(found[urn].depends_on)
        return {(item.type, item.name) for item in found.values()}


def record(*settings: str, stack: str = "dev") -> StackRecording:
    """The program with a committed stack file and `path=value` settings on top; evaluated once
    in a process. A first setting `stack=NAME` names the file.
    """
    return _record(settings, stack)


@cache
def _record(settings: tuple[str, ...], stack: str) -> StackRecording:
    with known_plans():
        found = recorded(_file(settings, stack))[1]
    return StackRecording(
        resources=found.resources,
        outputs=found.outputs,
        component_outputs=outputs_of_components(found),
    )


def recorded_once(file: StackFile) -> tuple[StackConfig, Recording]:
    """The product's `recorded`, where the evaluation is not what is tested."""
    with known_plans():
        return recorded(file)


def plan_once(file: StackFile, as_of: datetime.date) -> Plan:
    """The product's `make_plan`, where the evaluation is not what is tested."""
    with known_plans():
        return make_plan(file, as_of)


@contextmanager
def listening() -> Iterator[dict[str, Mapping[str, Any]]]:
    """While something is recorded: what each component registers as its outputs, by URN."""
    kept: dict[str, Mapping[str, Any]] = {}

    class _Listening(recording_engine.Recorder):
        def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 -- the SDK's name
            kept[request.urn] = {key: plain(value) for key, value in request.outputs.fields.items()}
            return super().RegisterResourceOutputs(request)

    with quiet_sdks(), without_gc(), mock.patch.object(recording_engine, "Recorder", _Listening):
        yield kept


def record_anew(*settings: str, stack: str = "dev") -> StackRecording:
    """As `record`, evaluated now."""
    with listening() as kept:
        found = recorded(_file(settings, stack))[1]
    return StackRecording(resources=found.resources, outputs=found.outputs, component_outputs=kept)


def _file(settings: tuple[str, ...], stack: str) -> StackFile:
    if settings and settings[0].startswith("stack="):
        stack, settings = settings[0].removeprefix("stack="), settings[1:]
    return read(
        ROOT / stack if stack.endswith(".yaml") else ROOT / f"Pulumi.{stack}.yaml", settings
    )


def tags_of(group: Resource) -> dict[str, str]:
    """The tags of an Auto Scaling group; each has to reach the instances too."""
    assert group.type == "aws:autoscaling/group:Group"
    listed = group.inputs["tags"]
    assert all(tag["propagateAtLaunch"] is True for tag in listed)
    tags = {tag["key"]: tag["value"] for tag in listed}
    assert len(tags) == len(listed), "a tag is given twice"
    return tags


def beneath(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The tags whose keys begin with a prefix, without it."""
    return {
        key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)
    }


def node_config(template: Resource) -> dict[str, Any]:
    """nodeadm's NodeConfig from a launch template's user data."""
    message = email.message_from_bytes(base64.b64decode(template.inputs["userData"], validate=True))
    assert message.get_content_type() == "multipart/mixed"
    (part,) = message.get_payload()
    assert part.get_content_type() == "application/node.eks.aws"
    config: dict[str, Any] = json.loads(part.get_payload())
    return config


def kubelet_flags(template: Resource) -> dict[str, str]:
    """What the kubelet of a launch template's nodes is started with: flag to text."""
    flags: list[str] = node_config(template)["spec"]["kubelet"]["flags"]
    split = dict(flag.split("=", 1) for flag in flags)
    assert len(split) == len(flags)
    return split
