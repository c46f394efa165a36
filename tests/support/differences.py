"""Pairs of plans, and what their difference has to say: on both sides of each border. Golden text:
tests/fixtures/differences.txt.

    .venv/bin/python -m tests.support.differences

writes that file anew; every changed line in it is to be read before it is committed.
"""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub_aws.changes.difference import Difference, difference
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.checks.cost import cost
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.diff.story import bill, headline, sections
from tests.checks.doctored import stack_of
from tests.support.stack_files import ROOT
from tests.support.stacks import FULL, SERVERS_IN_AWS, plan_once, quiet_sdks, without_gc

GOLDEN = ROOT / "tests" / "fixtures" / "differences.txt"
AS_OF = datetime.date(2026, 11, 24)
Data = dict[str, Any]
Edit = Callable[[Data], None]


@cache
def _planned(settings: tuple[str, ...]) -> str:
    stack = next(
        (item.removeprefix("stack=") for item in settings if item.startswith("stack=")), "dev"
    )
    rest = [item for item in settings if not item.startswith("stack=")]
    with quiet_sdks(), without_gc():
        return plan_once(read(ROOT / f"Pulumi.{stack}.yaml", rest), AS_OF).as_text()


def plan(*settings: str) -> Data:
    """The data of a plan, to be changed at will."""
    return json.loads(_planned(settings))


def resource(data: Data, kind: str, name: str) -> Data:
    """The resource whose type ends so and whose name is, or ends, so."""
    (found,) = [
        item
        for item in data["resources"]
        if item["type"].endswith(kind)
        and (item["name"] == name or item["name"].endswith(f"-{name}"))
    ]
    return found


def put(kind: str, name: str, *path: str | int, value: Any) -> Edit:
    """Set an input."""

    def edit(data: Data) -> None:
        here = resource(data, kind, name)["inputs"]
        for part in path[:-1]:
            here = here.setdefault(part, {}) if isinstance(here, dict) else here[part]
        here[path[-1]] = value

    return edit


def document(kind: str, name: str, key: str, change: Callable[[Data], None]) -> Edit:
    """Change a policy document."""

    def edit(data: Data) -> None:
        found = resource(data, kind, name)["inputs"]
        parsed = json.loads(found[key])
        change(parsed)
        found[key] = json.dumps(parsed)

    return edit


def drop(kind: str, name: str) -> Edit:
    """Take a resource away."""

    def edit(data: Data) -> None:
        data["resources"].remove(resource(data, kind, name))

    return edit


def option(kind: str, name: str, key: str, value: Any) -> Edit:
    """Set what is not an input: protect, retain_on_delete."""

    def edit(data: Data) -> None:
        resource(data, kind, name)[key] = value

    return edit


def values(*path: str, value: Any) -> Edit:
    """Set a Helm value of the hub `main`."""
    return put(":Release", "hub-main-release", "values", *path, value=value)


def renamed(kind: str, name: str, to: str) -> Edit:
    """Another resource of the same kind in its place."""

    def edit(data: Data) -> None:
        found = resource(data, kind, name)
        found["urn"], found["name"] = found["urn"].removesuffix(found["name"]) + to, to

    return edit


def copied(kind: str, name: str, to: str, **inputs: Any) -> Edit:
    """One more like it, with other inputs."""

    def edit(data: Data) -> None:
        found = copy.deepcopy(resource(data, kind, name))
        found["urn"], found["name"] = found["urn"].removesuffix(found["name"]) + to, to
        found["inputs"].update(inputs)
        data["resources"].append(found)

    return edit


def secret(key: str, digest: str) -> Edit:
    """A ciphertext of the stack file."""

    def edit(data: Data) -> None:
        data["sealed"][key] = digest

    return edit


def _statement(document_: Data, **more: Any) -> None:
    document_["Statement"].append({"Effect": "Allow", "Resource": "*", **more})


_GROUP, _SPOT = "autoscaling/group:Group", "pools-memory-spot-group"
_CLUSTER = ("eks/cluster:Cluster", "cluster-control-plane-eksCluster")
_TEMPLATE = ("launchTemplate:LaunchTemplate", "pools-memory-spot-template")
_CORE_TEMPLATE = ("launchTemplate:LaunchTemplate", "pools-core-template")
_POLICY = ("iam/policy:Policy", "autoscaler-policy-document")
_RULE = ("SecurityGroupIngressRule", "homes-from-nodes")
_FS = ("fileSystem:FileSystem", "homes-file-system")
_EVERY_NAMES = [{"name": "x"}]

#: Name of the pair -> what is done to the plan of `dev`. Pairs on two sides of a border stand
#: beside each other.
EDITED: Mapping[str, Edit] = {
    "nothing": lambda data: None,
    "tags only": put(*_FS, "tags", "owner", value="another-team"),
    "hub restarts: idle servers": values("cull", "timeout", value=1800),
    "hub restarts: a file": values(
        "singleuser",
        "extraFiles",
        "hello",
        value={"mountPath": "/tmp/hello", "stringData": "hello"},
    ),
    "hub and proxy restart: resources of the proxy": values(
        "proxy", "chp", "resources", "limits", "memory", value="1Gi"
    ),
    "hub does not restart: release history": put(
        ":Release", "hub-main-release", "maxHistory", value=20
    ),
    "hub: its image": values(
        "hub", "image", value={"name": "quay.io/jupyterhub/k8s-hub", "tag": "4.4.1"}
    ),
    "hub: chart version": put(":Release", "hub-main-release", "version", value="4.5.0"),
    "hub: code of one's own": values("hub", "extraConfig", "10-mine", value="c.JupyterHub.x = 1"),
    "hub: an unknown value": values("hub", "somethingNew", value=True),
    "hub: namespace changes": put(":Release", "hub-main-release", "namespace", value="another"),
    "hub goes": drop(":Release", "hub-main-release"),
    "people: an administrator more": values(
        "hub", "config", "Authenticator", "admin_users", value=["alice"]
    ),
    "people: an organization more and one less": values(
        "hub", "config", "GitHubOAuthenticator", "allowed_organizations", value=["other-org"]
    ),
    "people: everybody": values("hub", "config", "Authenticator", "allow_all", value=True),
    "people: other sign-in": values(
        "hub",
        "config",
        "JupyterHub",
        "authenticator_class",
        value="ldapauthenticator.LDAPAuthenticator",
    ),
    "people: names": values("hub", "config", "Authenticator", "username_map", value={"a": "b"}),
    "people: everybody signs in again": values(
        "hub", "config", "JupyterHub", "cookie_secret", value="another"
    ),
    "people: administrators may enter servers": values(
        "hub", "config", "JupyterHub", "admin_access", value=True
    ),
    "homes: path": values("singleuser", "storage", "static", "subPath", value="people/{username}"),
    "homes: mount path": values("singleuser", "storage", "homeMountPath", value="/home/me"),
    "homes: a shared directory": values(
        "singleuser", "storage", "extraVolumeMounts", value=[{"name": "data", "mountPath": "/data"}]
    ),
    "homes: user id": values("singleuser", "uid", value=1001),
    "homes: access point": put(
        "accessPoint:AccessPoint",
        "homes-access-point-main",
        "rootDirectory",
        "path",
        value="/elsewhere",
    ),
    "homes: cheaper storage later": put(
        *_FS, "lifecyclePolicies", value=[{"transitionToIa": "AFTER_90_DAYS"}]
    ),
    "homes: encryption": put(*_FS, "encrypted", value=False),
    "homes: other backups": put(
        "backup/selection:Selection",
        "backups-selection",
        "selectionTags",
        value=[{"type": "STRINGEQUALS", "key": "a", "value": "b"}],
    ),
    "homes: kept for a day": put(
        "backup/plan:Plan", "backups-plan", "rules", 0, "lifecycle", "deleteAfter", value=1
    ),
    "backups: anybody may delete": drop("backup/vaultPolicy:VaultPolicy", "backups-main-policy"),
    "homes: file system goes": drop(*_FS),
    "homes: file system no longer protected": option(*_FS, "protect", False),
    "database: volume grows": put(
        "ebs/volume:Volume", "hub-main-cloud-database-a", "size", value=20
    ),
    "database: volume in another zone": put(
        "ebs/volume:Volume", "hub-main-cloud-database-a", "availabilityZone", value="us-east-1b"
    ),
    "database: elsewhere": values("hub", "db", "type", value="postgres"),
    "servers: a profile's memory": values("singleuser", "memory", "limit", value="64G"),
    "servers: default image": values(
        "singleuser", "image", value={"name": "quay.io/jupyter/base-notebook", "tag": "2026-01-01"}
    ),
    "servers: become root": values("singleuser", "allowPrivilegeEscalation", value=True),
    "servers: no policy": values("singleuser", "networkPolicy", "enabled", value=False),
    "nodes: maximum up": put(_GROUP, _SPOT, "maxSize", value=12),
    "nodes: maximum down": put(_GROUP, _SPOT, "maxSize", value=4),
    "nodes: one always there": put(_GROUP, _SPOT, "minSize", value=1),
    "nodes: a maximum price": put(
        _GROUP, _SPOT, "mixedInstancesPolicy", "instancesDistribution", "spotMaxPrice", value="0.30"
    ),
    "nodes: another name, so another group": put(
        _GROUP, _SPOT, "name", value="jhub-dev-memory-spot-ffffff"
    ),
    "nodes: the group goes": drop(_GROUP, _SPOT),
    "nodes: bigger disks": put(
        *_TEMPLATE,
        "blockDeviceMappings",
        value=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 200, "encrypted": "true"}}],
    ),
    "nodes: metadata open to pods": put(
        *_TEMPLATE, "metadataOptions", "httpPutResponseHopLimit", value=2
    ),
    "nodes: template has another name": put(*_TEMPLATE, "name", value="jhub-dev-another"),
    "core: bigger disks roll it": put(*_CORE_TEMPLATE, "description", value="another"),
    "core: release rolls it": put(
        "nodeGroup:NodeGroup", "pools-core-group", "releaseVersion", value="1.35.9-20261111"
    ),
    "core: other types replace it": put(
        "nodeGroup:NodeGroup", "pools-core-group", "instanceTypes", value=["m7i.xlarge"]
    ),
    "core: labels in place": put(
        "nodeGroup:NodeGroup", "pools-core-group", "labels", "team", value="a"
    ),
    "cluster: version": put(*_CLUSTER, "version", value="1.36"),
    "cluster: name": put(*_CLUSTER, "name", value="another"),
    "cluster: API from one range more": put(
        *_CLUSTER, "vpcConfig", "publicAccessCidrs", value=["203.0.113.0/24", "198.51.100.0/24"]
    ),
    "cluster: API from a part of the range": put(
        *_CLUSTER, "vpcConfig", "publicAccessCidrs", value=["203.0.113.0/25"]
    ),
    "cluster: API from anywhere": put(
        *_CLUSTER, "vpcConfig", "publicAccessCidrs", value=["0.0.0.0/0"]
    ),
    "cluster: API private": put(*_CLUSTER, "vpcConfig", "endpointPublicAccess", value=False),
    "cluster: logs": put(*_CLUSTER, "enabledClusterLogTypes", value=["api"]),
    "cluster: an unknown property": put(*_CLUSTER, "somethingNew", value=1),
    "access: a wildcard": document(
        *_POLICY, "policy", lambda found: _statement(found, Action="ec2:*")
    ),
    "access: one action more": document(
        *_POLICY, "policy", lambda found: _statement(found, Action="ec2:DescribeVpcs")
    ),
    "access: one action less": document(
        *_POLICY,
        "policy",
        lambda found: found["Statement"][0]["Action"].remove("ec2:DescribeImages"),
    ),
    "access: what is covered already": document(
        *_POLICY,
        "policy",
        lambda found: found["Statement"].append(copy.deepcopy(found["Statement"][0])),
    ),
    "access: a policy of AWS": copied(
        "RolePolicyAttachment",
        "cluster-role-eks",
        "cluster-more",
        policyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess",
    ),
    "access: who may take a role": document(
        "iam/role:Role",
        "cluster-role",
        "assumeRolePolicy",
        lambda found: _statement(found, Action="sts:AssumeRole", Principal="*"),
    ),
    "network: a rule more": copied(
        "SecurityGroupIngressRule",
        "homes-from-nodes",
        "homes-from-elsewhere",
        cidrIpv4="10.99.0.0/16",
        referencedSecurityGroupId=None,
    ),
    "network: a rule less": drop(*_RULE),
    "network: a rule's description": put(*_RULE, "description", value="another"),
    "network: people from anywhere": put(
        "SecurityGroupIngressRule",
        "hub-main-cloud-entry-balancer-from-203.0.113.0-24",
        "cidrIpv4",
        value="0.0.0.0/0",
    ),
    "network: people from a part": put(
        "SecurityGroupIngressRule",
        "hub-main-cloud-entry-balancer-from-203.0.113.0-24",
        "cidrIpv4",
        value="203.0.113.0/28",
    ),
    "network: no way out": drop("natGateway:NatGateway", "network-nat-a"),
    "network: the VPC's range": put("ec2/vpc:Vpc", "network-vpc", "cidrBlock", value="10.1.0.0/16"),
    "entry: balancer inside": put(
        "loadBalancer:LoadBalancer",
        "hub-main-cloud-entry-balancer-balancer",
        "internal",
        value=True,
    ),
    "entry: another certificate": put(
        "lb/listener:Listener",
        "hub-main-cloud-entry-balancer-listener",
        "certificateArn",
        value="arn:aws:acm:us-east-1:123456789012:certificate/1",
    ),
    "entry: another port": put(
        "lb/listener:Listener", "hub-main-cloud-entry-balancer-listener", "port", value=8443
    ),
    "key: description": put("kms/key:Key", "cluster-key", "description", value="another"),
    "key: goes": drop("kms/key:Key", "cluster-key"),
    "logs: kept shorter": put("logGroup:LogGroup", "cluster-logs", "retentionInDays", value=7),
    "namespace: goes": drop("core/v1:Namespace", "hub-main-namespace"),
    "namespace: less strict": put(
        "core/v1:Namespace",
        "hub-main-namespace",
        "metadata",
        "labels",
        "pod-security.kubernetes.io/enforce",
        value="privileged",
    ),
    "addon: version": put(
        "eks/addon:Addon", "cluster-addons-vpc-cni", "addonVersion", value="v9.9.9-eksbuild.1"
    ),
    "addon: goes": drop("eks/addon:Addon", "cluster-addons-vpc-cni"),
    "autoscaler: values": put(
        ":Release", "autoscaler-release", "values", "extraArgs", "v", value=9
    ),
    "secret of the stack file": secret("jupyterhub-aws:hub-main-client-secret", "fedcba9876543210"),
    "a type that nobody knows": renamed("logGroup:LogGroup", "cluster-logs", "cluster-logs-2"),
}
#: Pairs that the program itself makes, from settings.
BY_SETTINGS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "settings: a stack that is new": ((), ()),
    "settings: every option at once": ((), FULL),
    "settings: options taken away": (FULL, ()),
    "settings: homes by volume": ((), ("homes={kind: ebs}",)),
    "settings: snapshots instead of a vault": ((), ("backups={kind: snapshots}",)),
    "settings: a vault instead of snapshots": (("backups={kind: snapshots}",), ()),
    "settings: no backups": ((), ("backups={kind: none, reason: a course}",)),
    "settings: a vault locked for ever": (
        (),
        ("backups={kind: aws_backup, vault_lock: {grace_days: 3}}",),
    ),
    "settings: servers in AWS": ((), SERVERS_IN_AWS),
    "settings: servers in AWS no longer": (SERVERS_IN_AWS, ()),
    "settings: servers of a group and a profile": (
        SERVERS_IN_AWS,
        (
            *SERVERS_IN_AWS,
            "hubs.main.aws_access.by_group=[{name: staff, groups: ['jupyter:staff'], buckets: [{bucket: lectures}]}]",
            "hubs.main.profiles.gpu.aws_access={}",
        ),
    ),
    "settings: paused": (FULL, (*FULL, "paused=true", "pause={drop: [nat]}")),
    "settings: resumed": ((*FULL, "paused=true", "pause={drop: [nat]}"), FULL),
    "settings: closed network paused": (
        ("stack=airgap",),
        ("stack=airgap", "paused=true", "pause={drop: [endpoints]}"),
    ),
    "settings: runner, another type": (
        ("stack=airgap",),
        ("stack=airgap", "runner.instance_type=t3.large"),
    ),
    "settings: runner, another disk": (("stack=airgap",), ("stack=airgap", "runner.disk_gib=80")),
    "settings: runner, a new machine": (("stack=airgap",), ("stack=airgap", "runner.generation=2")),
    "settings: closed network, another port to a peer network": (
        ("stack=airgap",),
        ("stack=airgap", "network.peer_networks.corporate.ports=[636, 443, 22]"),
    ),
}


def billed(data: Data) -> Data:
    """The data of a plan of `dev` with the bill of the resources that it now has."""
    stack = stack_of()
    data["cost"] = cost(stack, side_of(data, "billed").resources).as_json()
    return data


def pairs() -> Iterator[str]:
    """The names of all pairs."""
    yield from (*EDITED, *BY_SETTINGS)


def found(name: str) -> Difference:
    """The difference of a pair."""
    if name in EDITED:
        old, new = plan(), plan()
        old["sealed"]["jupyterhub-aws:hub-main-client-secret"] = new["sealed"][
            "jupyterhub-aws:hub-main-client-secret"
        ] = "0123456789abcdef"
        EDITED[name](new)
        if name.startswith("a type"):
            resource(new, "logGroup:LogGroup", "cluster-logs-2")["type"] = "aws:new/thing:Thing"
        return difference(side_of(old, "before"), side_of(billed(new), "after"))
    before, after = BY_SETTINGS[name]
    old, new = plan(*before), plan(*after)
    if name.endswith("is new"):
        old["resources"], old["outputs"], old["checks"], old["cost"] = [], {}, [], None
    return difference(side_of(old, "before"), side_of(new, "after"))


def told(difference_: Difference) -> str:
    """A difference as a person is told it, in plain text."""
    lines = [headline(difference_)]
    for section in sections(difference_):
        lines += [
            f"  {section.title}:",
            *(f"    [{line.topic}] {line.text}" for line in section.lines),
        ]
    lines += [
        f"  {change.op}{' (old first)' if change.delete_first else ''} {change.name}"
        for change in difference_.changes
        if (change.new or change.old).custom
    ][:25]
    return "\n".join([*lines, *([f"  {bill(difference_)}"] if bill(difference_) else []), ""])


def text() -> str:
    """All of them."""
    return "\n".join(f"== {name}\n{told(found(name))}" for name in pairs())


if __name__ == "__main__":
    Path(GOLDEN).write_text(text(), encoding="utf-8")
    print(f"wrote {len(list(pairs()))} pairs to {GOLDEN}")
