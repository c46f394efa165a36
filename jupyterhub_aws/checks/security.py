"""What must hold for every recorded resource: tags, encryption, no open ingress, and protection
of stateful resources.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, verdict, warn
from jupyterhub_aws.checks.places import documentation_accounts
from jupyterhub_aws.checks.resources import SECRET, UNKNOWN, Resource, Resources
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.entry import PortForwardEntry
from jupyterhub_aws.config.secrets import missing_secrets, required_secrets
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import leaves
from jupyterhub_aws.config.values import is_documentation, is_world

#: Types that hold data or keys: without them users' work, or the means to read it, is lost.
STATEFUL = (
    "aws:kms/key:Key",
    "aws:efs/fileSystem:FileSystem",
    "aws:ebs/volume:Volume",
    "aws:rds/instance:Instance",
    "aws:backup/vault:Vault",
    "aws:s3/bucket:Bucket",
)
#: Inside the cluster: the way to that data. They outlive their hub, and are as protected as the
#: cluster that they are part of.
IN_CLUSTER = (
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolume",
    "kubernetes:core/v1:PersistentVolumeClaim",
)
#: Types with encryption as one input: its path, its required value, and the fault otherwise.
_SWITCHES: tuple[tuple[str, tuple[str, ...], object, str], ...] = (
    ("aws:efs/fileSystem:FileSystem", ("encrypted",), True, "is not encrypted"),
    ("aws:ebs/volume:Volume", ("encrypted",), True, "is not encrypted"),
    ("aws:rds/instance:Instance", ("storageEncrypted",), True, "its storage is not encrypted"),
    (
        "kubernetes:storage.k8s.io/v1:StorageClass",
        ("parameters", "encrypted"),
        "true",
        "volumes of this class are not encrypted",
    ),
)
#: RFC 2606: documentation names, which lead nowhere.
_DOCUMENTATION_NAMES = (
    "example.org",
    "example.com",
    "example.net",
    ".example",
    ".invalid",
    ".test",
)
_CLUSTER = "aws:eks/cluster:Cluster"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP = "aws:autoscaling/group:Group"


def tags(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every taggable resource carries the stack's tags; groups and templates hand them on to
    what they launch.
    """
    wanted = stack.tags.as_aws(stack.name)
    return verdict(
        "tags",
        (
            fail(
                "tags",
                f"{resource.label} lacks {', '.join(missing)}",
                "hand the stack's tags to it in its component",
                resource,
            )
            for resource in resources
            if resource.taggable and (missing := _missing(resource, wanted))
        ),
        otherwise=f"every taggable resource carries {', '.join(sorted(wanted))}",
    )


def _missing(resource: Resource, wanted: dict[str, str]) -> list[str]:
    if resource.type == _GROUP:
        own = {
            tag["key"]: tag["value"]
            for tag in resource.inputs.get("tags", [])
            if tag.get("propagateAtLaunch")
        }
        return sorted(key for key, value in wanted.items() if own.get(key) != value)
    sets = [dict(resource.inputs.get("tags", {}))]
    if resource.type == _TEMPLATE:
        launched = {
            item["resourceType"]: item.get("tags", {})
            for item in resource.inputs.get("tagSpecifications", [])
        }
        sets += [dict(launched.get(kind, {})) for kind in ("instance", "volume")]
    return sorted(
        {key for found in sets for key, value in wanted.items() if found.get(key) != value}
    )


def encryption(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Disks, file systems and Kubernetes secrets are encrypted."""
    return verdict(
        "encryption",
        _unencrypted(resources),
        otherwise="node volumes, file systems and Kubernetes secrets are encrypted",
    )


def _unencrypted(resources: Resources) -> Iterator[Finding]:
    for resource, what in _in_clear(resources):
        yield fail(
            "encryption",
            f"{resource.label}: {what}",
            "encrypt it; for an existing resource that means replacing it",
            resource,
        )


def _in_clear(resources: Resources) -> Iterator[tuple[Resource, str]]:
    for template in resources.of(_TEMPLATE):
        volumes = template.inputs.get("blockDeviceMappings", [])
        if not volumes or any(
            str(volume.get("ebs", {}).get("encrypted")).lower() != "true" for volume in volumes
        ):
            yield template, "a volume is not encrypted"
    for kind, path, wanted, what in _SWITCHES:
        for resource in resources.of(kind):
            value: Any = dict(resource.inputs)
            for key in path:
                value = value.get(key, {}) if isinstance(value, dict) else None
            if value != wanted:
                yield resource, what
    for cluster in resources.of(_CLUSTER):
        if "secrets" not in cluster.inputs.get("encryptionConfig", {}).get("resources", []):
            yield cluster, "Kubernetes secrets are not encrypted with a key of yours"


def open_ingress(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Nothing is open to the whole internet, except a Kubernetes API that the stack says is public."""
    return verdict(
        "open-ingress", _open(stack, resources), otherwise="nothing is open to the whole internet"
    )


def _open(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    for resource in resources:
        if any(is_world(source) for rule in _ingress_rules(resource) for source in _sources(rule)):
            hub = next(
                (
                    name
                    for name in stack.hubs
                    if resource.name.startswith(f"hub-{name}-cloud-entry-")
                ),
                None,
            )
            meant = hub is not None and getattr(stack.hubs[hub].entry, "public", False)
            yield Finding(
                id="open-ingress",
                status="warn" if meant else "fail",
                message=(
                    f"the sign-in page of hub {hub} is open to the whole internet"
                    if meant
                    else f"{resource.label} is open to the whole internet"
                ),
                path=f"hubs.{hub}.entry.allowed_cidrs" if meant else None,
                fix="list the allowed networks",
                subjects=(resource.urn,),
            )
    for cluster in resources.of(_CLUSTER):
        network = cluster.inputs.get("vpcConfig", {})
        if not network.get("endpointPrivateAccess"):
            yield fail(
                "open-ingress",
                f"{cluster.label} has no private endpoint: nodes would go through the internet",
                None,
                cluster,
            )
        # Without a list of its own EKS takes 0.0.0.0/0.
        if network.get("endpointPublicAccess") and any(
            map(is_world, network.get("publicAccessCidrs") or ["0.0.0.0/0"])
        ):
            yield Finding(
                id="open-ingress",
                status="warn" if stack.eks.api.public else "fail",
                message="the Kubernetes API is open to the whole internet (0.0.0.0/0)",
                path="cluster.api.public_access_cidrs",
                fix="list your own networks",
                subjects=(cluster.urn,),
            )


def _ingress_rules(resource: Resource) -> list[dict[str, Any]]:
    kind = resource.type
    if kind in (
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    ):
        return list(resource.inputs.get("ingress", []))
    if kind == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule" or (
        kind == "aws:ec2/securityGroupRule:SecurityGroupRule"
        and resource.inputs.get("type") == "ingress"
    ):
        return [dict(resource.inputs)]
    return []


def _sources(rule: dict[str, Any]) -> list[str]:
    single = [rule[key] for key in ("cidrIpv4", "cidrIpv6") if key in rule]
    return [*single, *rule.get("cidrBlocks", []), *rule.get("ipv6CidrBlocks", [])]


def _a_way_only(resource: Resource) -> bool:
    """The access path of the job that changes the owner of homes: it goes when the job is done, and
    the homes stay.
    """
    return "jupyterhub-aws:homes:Ownership$" in resource.urn


def _goes(resource: Resource) -> bool:
    """What may go, because nothing is lost with it: that way, and the key of alarms, with which
    no retained data was ever encrypted.
    """
    return _a_way_only(resource) or "jupyterhub-aws:monitoring:Alarms$" in resource.urn


def protected(stack: StackConfig, resources: Resources) -> list[Finding]:
    """What holds data or keys can neither be deleted nor lost by a change of the program."""
    kinds = (*STATEFUL, *IN_CLUSTER, _CLUSTER) if stack.cluster.protected else STATEFUL
    bare = [
        resource
        for resource in resources.of(*kinds)
        if not (resource.protect and resource.retain_on_delete) and not _goes(resource)
    ]
    bare += [
        resource
        for resource in resources.of(*IN_CLUSTER)
        if not resource.retain_on_delete and resource not in bare and not _goes(resource)
    ]
    faults = [
        fail(
            "protected",
            f"{resource.label} can be deleted",
            "make it with `self.protected_options()`",
            resource,
        )
        for resource in bare
    ]
    if not stack.cluster.protected:
        faults.append(
            warn(
                "protected",
                "the cluster may be deleted by `pulumi destroy` (protected: false)",
                "remove the line when users begin to use it",
                *resources.of(_CLUSTER),
                path="cluster.protected",
            )
        )
    return verdict(
        "protected",
        faults,
        otherwise=(
            f"{len(resources.of(*kinds))} resources that hold data or keys are protected and kept"
        ),
    )


def metadata(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every node answers metadata requests by IMDSv2 only, and not to pods."""
    loose = [
        template
        for template in resources.of(_TEMPLATE)
        if template.inputs.get("metadataOptions", {}).get("httpTokens") != "required"
        or template.inputs.get("metadataOptions", {}).get("httpPutResponseHopLimit") != 1
    ]
    return verdict(
        "instance-metadata",
        (
            fail(
                "instance-metadata",
                f"{template.label} lets pods read the node's credentials",
                "require IMDSv2 with hop limit 1",
                template,
            )
            for template in loose
        ),
        otherwise="nodes answer requests for metadata by IMDSv2 only, with a hop limit of 1",
    )


def placeholders(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """Documentation values that were not replaced would build an unreachable stack:
    the API's networks, hubs' names and networks.
    """
    return verdict(
        "documentation-values",
        (*documentation_accounts(stack), *_documentation(stack)),
        otherwise="no documentation value is left",
    )


def _documentation(stack: StackConfig) -> Iterator[Finding]:
    def found(message: str, path: str, fix: str) -> Finding:
        return warn("documentation-values", message, fix, path=path)

    for cidr in (
        stack.cluster.api.public_access_cidrs if isinstance(stack.cluster, EksCluster) else ()
    ):
        if is_documentation(cidr):
            what = f"{cidr} is a documentation range: no client can reach the API from there"
            yield found(
                what,
                "cluster.api.public_access_cidrs",
                "write your own network, such as your office's or VPN's",
            )
    for name in sorted(stack.hubs):
        entry = stack.hubs[name].entry
        if isinstance(entry, PortForwardEntry):
            continue
        if entry.hostname.endswith(_DOCUMENTATION_NAMES):
            what = f"{entry.hostname} is a documentation name: no user can reach it"
            yield found(
                what, f"hubs.{name}.entry.hostname", "write the name that your users will type"
            )
        for cidr in filter(is_documentation, entry.allowed_cidrs):
            what = f"{cidr} is a documentation range: no user comes from there"
            yield found(
                what, f"hubs.{name}.entry.allowed_cidrs", "write the networks of your users"
            )


# --- No secret outside a secret leaf: what looks like one in the recorded inputs must be sealed.


#: Names of secret values, in any place. Names of where a secret is kept (…Arn,
#: …Name, …Ref) are not.
_SECRET_NAME = re.compile(
    r"(password|passphrase|secret|token|(private|api|access)_?key|credential)s?$", re.IGNORECASE
)
_HARMLESS = re.compile(r"^(httpTokens|automountServiceAccountToken|creationToken|existingSecret)$")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def secrets(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every value that looks like a secret is one for the engine too, so that it is encrypted in
    the state.
    """
    return verdict(
        "secrets",
        (finding for resource in resources for finding in _exposed(resource)),
        otherwise="no secret is in the plan or in plaintext state",
    )


def _exposed(resource: Resource) -> Iterator[Finding]:
    for parts, value in leaves(resource.inputs):
        if not isinstance(value, str) or value in (SECRET, UNKNOWN, "") or value.startswith("${"):
            continue
        path = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts
        ).removeprefix(".")
        name = path.rpartition(".")[2].partition("[")[0]
        if (_SECRET_NAME.search(name) and not _HARMLESS.match(name)) or _PRIVATE_KEY.search(value):
            yield fail(
                "secrets",
                f"{resource.label}: {path} is in clear text",
                "read it with require_secret and hand it on as an Output",
                resource,
            )


def missing(stack: StackConfig, given: Collection[str], stack_name: str) -> list[Finding]:
    """Every secret that the stack's hubs need is in the stack file, encrypted. `given` are the
    keys that are. A plan does without; `up` does not.
    """
    wanted = required_secrets(stack.hubs_inside)
    faults = [
        warn(
            "secrets-given",
            f"the {needed.what} is missing: `pulumi up` will refuse to start",
            f"run: pulumi config set --secret --stack {stack_name} {needed.key}",
            path=f"hubs.{needed.hub}",
        )
        for needed in missing_secrets(stack.hubs_inside, given)
    ]
    held = (
        f"{len(wanted)} secret{'s' if len(wanted) > 1 else ''} given, encrypted in the stack file"
        if wanted
        else "no hub needs a secret in the stack file"
    )
    return verdict("secrets-given", faults, otherwise=held)
