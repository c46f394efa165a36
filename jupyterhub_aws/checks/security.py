"""What must hold for every recorded resource: tags, encryption, no open ingress, and protection
of stateful resources.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, verdict, warn
from jupyterhub_aws.checks.places import documentation_accounts
from jupyterhub_aws.checks.resources import SECRET, UNKNOWN, Resource, Resources
from jupyterhub_aws.config.cluster import EksCluster
from jupyterhub_aws.config.entry import PortForwardEntry
from jupyterhub_aws.config.secrets import missing_secrets, required_secrets
from jupyterhub_aws.config.sign_in_entra import (
    DOCUMENTATION_CLIENT,
    DOCUMENTATION_TENANT,
    EntraSignIn,
)
from jupyterhub_aws.config.specs.buckets import USER_BUCKET_TAG
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at, leaves
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
_DOCUMENTATION = "documentation-values"
#: RFC 2606: documentation names, which lead nowhere.
_DOCUMENTATION_NAMES = (
    *("example.org", "example.com", "example.net"),
    *(".example", ".invalid", ".test"),
)
_CLUSTER = "aws:eks/cluster:Cluster"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP = "aws:autoscaling/group:Group"
_SECURITY_GROUPS = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
)


def tags(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every taggable resource carries the stack's tags; groups and templates hand them on to
    what they launch.
    """
    wanted = stack.tags.as_aws(stack.name)
    fix = "hand the stack's tags to it in its component"
    bare = (
        fail("tags", f"{resource.label} lacks {', '.join(missing)}", fix, resource)
        for resource in resources
        if resource.taggable and (missing := _missing(resource, wanted))
    )
    holds = f"every taggable resource carries {', '.join(sorted(wanted))}"
    return verdict("tags", bare, otherwise=holds)


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
    fix = "encrypt it; for an existing resource that means replacing it"
    found = (
        fail("encryption", f"{resource.label}: {what}", fix, resource)
        for resource, what in _in_clear(resources)
    )
    holds = "node volumes, file systems and Kubernetes secrets are encrypted"
    return verdict("encryption", found, otherwise=holds)


def _in_clear(resources: Resources) -> Iterator[tuple[Resource, str]]:
    for template in resources.of(_TEMPLATE):
        volumes = template.inputs.get("blockDeviceMappings", [])
        if not volumes or any(
            str(volume.get("ebs", {}).get("encrypted")).lower() != "true" for volume in volumes
        ):
            yield template, "a volume is not encrypted"
    for kind, path, wanted, what in _SWITCHES:
        for resource in resources.of(kind):
            if at(resource.inputs, *path) != wanted:
                yield resource, what
    for cluster in resources.of(_CLUSTER):
        if "secrets" not in cluster.inputs.get("encryptionConfig", {}).get("resources", []):
            yield cluster, "Kubernetes secrets are not encrypted with a key of yours"


def open_ingress(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Nothing is open to the whole internet, except a Kubernetes API that the stack says is
    public.
    """
    return verdict(
        "open-ingress", _open(stack, resources), otherwise="nothing is open to the whole internet"
    )


def _open(stack: StackConfig, resources: Resources) -> Iterator[Finding]:
    for resource in resources:
        if any(
            is_world(source) for rule in ingress_rules(resource) for source in rule_sources(rule)
        ):
            fix, entry = "list the allowed networks", "hub-{}-cloud-entry-"
            hub = next(
                (name for name in stack.hubs if resource.name.startswith(entry.format(name))), None
            )
            if hub is not None and getattr(stack.hubs[hub].entry, "public", False):
                message = f"the sign-in page of hub {hub} is open to the whole internet"
                path = f"hubs.{hub}.entry.allowed_cidrs"
                yield warn("open-ingress", message, fix, resource, path=path)
            else:
                message = f"{resource.label} is open to the whole internet"
                yield fail("open-ingress", message, fix, resource)
    for cluster in resources.of(_CLUSTER):
        network = cluster.inputs.get("vpcConfig", {})
        if not network.get("endpointPrivateAccess"):
            message = (
                f"{cluster.label} has no private endpoint: nodes would go through the internet"
            )
            yield fail("open-ingress", message, None, cluster)
        # Without a list of its own EKS takes 0.0.0.0/0.
        listed = network.get("publicAccessCidrs") or ["0.0.0.0/0"]
        if network.get("endpointPublicAccess") and any(map(is_world, listed)):
            found = warn if stack.eks.api.public else fail
            message = "the Kubernetes API is open to the whole internet (0.0.0.0/0)"
            fix, path = "list your own networks", "cluster.api.public_access_cidrs"
            yield found("open-ingress", message, fix, cluster, path=path)


def ingress_rules(resource: Resource) -> list[dict[str, Any]]:
    """The rules for ingress that a resource has or is."""
    kind, inward = resource.type, resource.inputs.get("type") == "ingress"
    if kind in _SECURITY_GROUPS:
        return list(resource.inputs.get("ingress", []))
    if kind == "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule" or (
        kind == "aws:ec2/securityGroupRule:SecurityGroupRule" and inward
    ):
        return [dict(resource.inputs)]
    return []


def rule_sources(rule: Mapping[str, Any]) -> list[str]:
    """The networks that a rule lets in."""
    single = [rule[key] for key in ("cidrIpv4", "cidrIpv6") if key in rule]
    return [*single, *rule.get("cidrBlocks", []), *rule.get("ipv6CidrBlocks", [])]


def _a_way_only(resource: Resource) -> bool:
    """The access path of the job that changes the owner of homes: it goes when the job is done, and
    the homes stay.
    """
    return "jupyterhub-aws:homes:Ownership$" in resource.urn


def _goes(resource: Resource) -> bool:
    """What may go, because nothing is lost with it: that way, the key of alarms, with which no
    retained data was ever encrypted, scratch buckets, which users fill with what may expire, and the mounts of buckets.
    """
    return (
        _a_way_only(resource)
        or "jupyterhub-aws:monitoring:Alarms$" in resource.urn
        or "jupyterhub-aws:hub:MountedBucketVolume$" in resource.urn
        or _scratch(resource)
    )


def _scratch(resource: Resource) -> bool:
    """A bucket that deletes its objects by itself (components/buckets.py)."""
    tags = resource.inputs.get("tags") or {}
    return (
        "jupyterhub-aws:index:Buckets$" in resource.urn and tags.get(USER_BUCKET_TAG) == "scratch"
    )


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
    fix = "make it with `self.protected_options()`"
    faults = [
        fail("protected", f"{resource.label} can be deleted", fix, resource) for resource in bare
    ]
    if not stack.cluster.protected:
        message = "the cluster may be deleted by `pulumi destroy` (protected: false)"
        fix, clusters = "remove the line when users begin to use it", resources.of(_CLUSTER)
        faults.append(warn("protected", message, fix, *clusters, path="cluster.protected"))
    holds = f"{len(resources.of(*kinds))} resources that hold data or keys are protected and kept"
    return verdict("protected", faults, otherwise=holds)


def metadata(_stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every node answers metadata requests by IMDSv2 only, and not to pods."""
    what, fix = "lets pods read the node's credentials", "require IMDSv2 with hop limit 1"
    loose = []
    for template in resources.of(_TEMPLATE):
        options = template.inputs.get("metadataOptions", {})
        if options.get("httpTokens") != "required" or options.get("httpPutResponseHopLimit") != 1:
            loose.append(fail("instance-metadata", f"{template.label} {what}", fix, template))
    holds = "nodes answer requests for metadata by IMDSv2 only, with a hop limit of 1"
    return verdict("instance-metadata", loose, otherwise=holds)


def placeholders(stack: StackConfig, _resources: Resources) -> list[Finding]:
    """Documentation values that were not replaced would build an unreachable stack:
    the API's networks, hubs' names and networks.
    """
    found = (*documentation_accounts(stack), *_documentation(stack))
    return verdict(_DOCUMENTATION, found, otherwise="no documentation value is left")


def _documentation(stack: StackConfig) -> Iterator[Finding]:
    cluster = stack.cluster
    cidrs = cluster.api.public_access_cidrs if isinstance(cluster, EksCluster) else ()
    for cidr in filter(is_documentation, cidrs):
        message = f"{cidr} is a documentation range: no client can reach the API from there"
        fix = "write your own network, such as your office's or VPN's"
        yield warn(_DOCUMENTATION, message, fix, path="cluster.api.public_access_cidrs")
    for name in sorted(stack.hubs):
        yield from _documentation_of_entra(name, stack.hubs[name].sign_in)
        entry = stack.hubs[name].entry
        if isinstance(entry, PortForwardEntry):
            continue
        path = f"hubs.{name}.entry"
        if entry.hostname.endswith(_DOCUMENTATION_NAMES):
            message = f"{entry.hostname} is a documentation name: no user can reach it"
            fix = "write the name that your users will type"
            yield warn(_DOCUMENTATION, message, fix, path=f"{path}.hostname")
        for cidr in filter(is_documentation, entry.allowed_cidrs):
            message = f"{cidr} is a documentation range: no user comes from there"
            fix = "write the networks of your users"
            yield warn(_DOCUMENTATION, message, fix, path=f"{path}.allowed_cidrs")


def _documentation_of_entra(hub: str, sign_in: object) -> Iterator[Finding]:
    if not isinstance(sign_in, EntraSignIn):
        return
    for option, value, what in (
        ("tenant_id", DOCUMENTATION_TENANT, "tenant"),
        ("client_id", DOCUMENTATION_CLIENT, "application"),
    ):
        if getattr(sign_in, option) == value:
            message = f"{value} is the {what} of the documentation: no user can sign in with it"
            fix = "write your own, from the application's overview page in Microsoft Entra ID"
            yield warn(_DOCUMENTATION, message, fix, path=f"hubs.{hub}.sign_in.{option}")


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
        written = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts]
        path = "".join(written).removeprefix(".")
        name = path.rpartition(".")[2].partition("[")[0]
        if (_SECRET_NAME.search(name) and not _HARMLESS.match(name)) or _PRIVATE_KEY.search(value):
            fix = "read it with require_secret and hand it on as an Output"
            yield fail("secrets", f"{resource.label}: {path} is in clear text", fix, resource)


def missing(
    stack: StackConfig, given: Collection[str], stack_name: str, engine_option: str = ""
) -> list[Finding]:
    """Every secret that the stack's hubs need is in the stack file, encrypted. `given` are the
    keys that are, `engine_option` is by what `pulumi` finds the file. A plan does without; `up`
    does not.
    """
    wanted = required_secrets(stack.hubs_inside)
    faults = [
        warn(
            "secrets-given",
            f"the {needed.what} is missing: `pulumi up` will refuse to start",
            f"run: pulumi config set --secret --stack {stack_name} {needed.key}{engine_option}",
            path=f"hubs.{needed.hub}",
        )
        for needed in missing_secrets(stack.hubs_inside, given)
    ]
    held = "no hub needs a secret in the stack file"
    if wanted:
        count = f"{len(wanted)} secret{'s' if len(wanted) > 1 else ''}"
        held = f"{count} given, encrypted in the stack file"
    return verdict("secrets-given", faults, otherwise=held)
