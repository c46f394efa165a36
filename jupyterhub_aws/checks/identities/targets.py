"""What of a plan a call is about: ARN, tags and further conditions of each resource, by the
words of config/data/aws_calls.toml.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from jupyterhub_aws.checks.identities.conditions import ACCOUNT
from jupyterhub_aws.checks.identities.world import (
    ACCESS_POINT,
    BUCKET,
    CLUSTER,
    DATABASE,
    FILE_SYSTEM,
    GROUP,
    KEY,
    LOG_GROUP,
    REPOSITORY,
    TOPIC,
    VAULT,
    VOLUME,
    PlanWorld,
)
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.endpoints import addon_account
from jupyterhub_aws.config.specs import resolve

# --- A resource that a call is about, as the evaluator and messages need it.


@dataclass(frozen=True, kw_only=True)
class CallTarget:
    """A resource that a call is about: `what` a message calls it, `tags` (None: not known), the
    tags that the request sends, further conditions.

    `resource` is the plan's own, and its policies decide too; `granted` are the KMS operations that
    a grant allows. `region` is the resource's.
    """

    arn: str
    what: str = ""
    tags: Mapping[str, str] | None = None
    sent: Mapping[str, str] | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    resource: Resource | None = None
    granted: tuple[str, ...] | None = None
    account: str = ACCOUNT

    @property
    def key(self) -> bool:
        """Whether it is a KMS key."""
        return ":kms:" in self.arn


Find = Callable[[PlanWorld], Iterator[CallTarget]]


def ec2_arn(world: PlanWorld, rest: str) -> str:
    """The ARN of a resource of the account in EC2: `volume/vol-0`."""
    return f"arn:{world.partition}:ec2:{world.region}:{ACCOUNT}:{rest}"


def target_of(world: PlanWorld, resource: Resource, ending: str = "") -> CallTarget:
    """A resource of the plan, or a part of it with a longer ARN."""
    return CallTarget(
        arn=world.arn(resource) + ending,
        what=resource.label,
        tags=world.tags(resource),
        resource=resource,
    )


def key_targets(world: PlanWorld, text: object) -> Iterator[CallTarget]:
    """The keys of the plan that a value refers to."""
    for key in world.resources.referred(text, KEY):
        yield target_of(world, key)


def is_named(world: PlanWorld, value: object, resource: Resource) -> bool:
    """Whether a value is a resource's name or id."""
    return world.real(str(value)) == world.identifier(resource)


# --- Storage that calls are about: volumes and file systems, what mounts them, and their backups
# and snapshots.


_CLASS, _CLAIMED = (
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "kubernetes:core/v1:PersistentVolume",
)
_EBS, _EFS = "ebs.csi.aws.com", "efs.csi.aws.com"
#: What the EBS driver tags its volumes with (aws-ebs-csi-driver v1.66, pkg/cloud/cloud.go and
#: pkg/driver/controller.go).
_EBS_TAGS = {
    "ebs.csi.aws.com/cluster": "true",
    "CSIVolumeName": "pvc-0",
    "kubernetes.io/created-for/pv/name": "pvc-0",
    "kubernetes.io/created-for/pvc/name": "claim",
    "kubernetes.io/created-for/pvc/namespace": "hub",
}
#: What the EFS driver tags its access points with (aws-efs-csi-driver, pkg/driver/controller.go).
_EFS_TAGS = {"efs.csi.aws.com/cluster": "true"}


def _handles(world: PlanWorld, driver: str) -> Iterator[tuple[Resource, str]]:
    for volume in world.resources.of(_CLAIMED):
        source: dict[str, Any] = volume.inputs.get("spec", {}).get("csi") or {}
        if source.get("driver") == driver:
            yield volume, str(source.get("volumeHandle"))


def _static_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    """Volumes that persistent volumes name. The AWS half of a split stack has none of those, but
    makes the volumes for them.
    """
    named = {
        volume.urn: volume
        for _, handle in _handles(world, _EBS)
        for volume in world.resources.referred(handle, VOLUME)
    }
    if world.stack.parts == "cloud" and not world.resources.of(_CLAIMED):
        volumes = world.resources.of(VOLUME)
        named = {item.urn: item for item in volumes if "jupyterhub-aws:hub:" in item.urn}
    for volume in named.values():
        yield target_of(world, volume)


def _classes(world: PlanWorld, driver: str) -> Iterator[tuple[Resource, dict[str, str]]]:
    for found in world.resources.of(_CLASS):
        if found.inputs.get("provisioner") == driver:
            parameters: dict[str, Any] = found.inputs.get("parameters") or {}
            listed = [
                str(value)
                for key, value in parameters.items()
                if str(key).startswith("tagSpecification_")
            ]
            yield found, {text.partition("=")[0]: text.partition("=")[2] for text in listed}


def _new_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    arn = ec2_arn(world, "volume/vol-new")
    for found, tags in _classes(world, _EBS):
        what, sent = f"volumes of {found.label}", {**_EBS_TAGS, **tags}
        yield CallTarget(arn=arn, what=what, tags={}, sent=sent)


def _made_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    arn = ec2_arn(world, "volume/vol-made")
    for found, tags in _classes(world, _EBS):
        what = f"volumes of {found.label}"
        yield CallTarget(arn=arn, what=what, tags={**_EBS_TAGS, **tags})


def _new_access_points(world: PlanWorld) -> Iterator[CallTarget]:
    for found, tags in _classes(world, _EFS):
        yield CallTarget(
            arn="*", what=f"access points of {found.label}", tags={}, sent={**_EFS_TAGS, **tags}
        )


def _selected(world: PlanWorld, kind: str) -> Iterator[Resource]:
    """What the backup selections of the plan choose by tags."""
    wanted = [
        item
        for selection in world.resources.of("aws:backup/selection:Selection")
        for item in selection.inputs.get("selectionTags") or ()
    ]
    for resource in world.resources.of(kind):
        tags = world.tags(resource)
        if any(tags.get(str(item["key"])) == item["value"] for item in wanted):
            yield resource


def _backed_up(world: PlanWorld, kind: str) -> Iterator[CallTarget]:
    return (target_of(world, resource) for resource in _selected(world, kind))


def _snapshot(
    world: PlanWorld, of: str, tags: Mapping[str, str], region: str | None = None
) -> CallTarget:
    arn = f"arn:{world.partition}:ec2:{region or world.region}::snapshot/snap-0"
    has = {**tags, "aws:backup:source-resource": "vol-0"}
    return CallTarget(arn=arn, what=f"snapshots of {of}", tags=has, sent=tags)


def _volume_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for volume in _selected(world, VOLUME):
        yield _snapshot(world, volume.label, world.tags(volume))


def _copied_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for vault in _copy_vaults(world):
        inputs = {} if vault.resource is None else vault.resource.inputs
        region = str(inputs.get("region") or world.region)
        for volume in _selected(world, VOLUME):
            yield _snapshot(world, volume.label, world.tags(volume), region)


def _database_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for database in _selected(world, DATABASE):
        arn = f"arn:{world.partition}:rds:{world.region}:{ACCOUNT}:snapshot:awsbackup:job-0"
        tags = world.tags(database)
        yield CallTarget(arn=arn, what=f"snapshots of {database.label}", tags=tags, sent=tags)


def _backed_up_objects(world: PlanWorld) -> Iterator[CallTarget]:
    for bucket in _selected(world, BUCKET):
        yield target_of(world, bucket, "/object")


def _vaults(world: PlanWorld) -> Iterator[CallTarget]:
    names = {
        str(rule.get("targetVaultName"))
        for plan in world.resources.of("aws:backup/plan:Plan")
        for rule in plan.inputs.get("rules") or ()
    }
    for vault in world.resources.of(VAULT):
        if world.identifier(vault) in names:
            yield target_of(world, vault)


def _copy_vaults(world: PlanWorld) -> Iterator[CallTarget]:
    for plan in world.resources.of("aws:backup/plan:Plan"):
        for vault in world.resources.referred(
            json.dumps([rule.get("copyActions") for rule in plan.inputs.get("rules") or ()]), VAULT
        ):
            yield target_of(world, vault)


def _vault_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for vault in (*_vaults(world), *_copy_vaults(world)):
        if vault.resource is not None:
            yield from key_targets(world, vault.resource.inputs.get("kmsKeyArn"))


def _snapshotted(world: PlanWorld) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Volumes that a lifecycle policy chooses by tags: those of the plan, and those that the
    driver makes for users.
    """
    for policy in world.resources.of("aws:dlm/lifecyclePolicy:LifecyclePolicy"):
        wanted = ((policy.inputs.get("policyDetails") or {}).get("targetTags") or {}).items()
        for volume in world.resources.of(VOLUME):
            if wanted <= world.tags(volume).items():
                yield world.arn(volume), volume.label, world.tags(volume)
        for found, tags in _classes(world, _EBS):
            if wanted <= tags.items():
                arn = ec2_arn(world, "volume/vol-made")
                yield arn, f"volumes of {found.label}", {**_EBS_TAGS, **tags}


def _snapshotted_volumes(world: PlanWorld) -> Iterator[CallTarget]:
    for arn, what, tags in _snapshotted(world):
        yield CallTarget(arn=arn, what=what, tags=tags)


def _snapshotted_snapshots(world: PlanWorld) -> Iterator[CallTarget]:
    for _, what, tags in _snapshotted(world):
        yield _snapshot(world, what, tags)


def _through_access_point(
    world: PlanWorld, point: Resource, what: str, *, encrypted: bool
) -> Iterator[CallTarget]:
    for system in world.resources.referred(point.inputs.get("fileSystemId"), FILE_SYSTEM):
        context = {
            "elasticfilesystem:AccessPointArn": world.arn(point),
            "elasticfilesystem:AccessedViaMountTarget": "true",
            "aws:SecureTransport": "true" if encrypted else "false",
        }
        yield replace(target_of(world, system), what=what, context=context)


def _mounted(world: PlanWorld) -> Iterator[CallTarget]:
    """What persistent volumes mount, each through its access point."""
    for volume, handle in _handles(world, _EFS):
        options = volume.inputs.get("spec", {}).get("mountOptions") or []
        for point in world.resources.referred(handle, ACCESS_POINT):
            yield from _through_access_point(
                world, point, f"{volume.label} through {point.label}", encrypted="tls" in options
            )


def _restored(world: PlanWorld) -> Iterator[CallTarget]:
    """The access point that shows the whole file system as root: where a restore puts files
    back.
    """
    for point in world.resources.of(ACCESS_POINT):
        root = (point.inputs.get("rootDirectory") or {}).get("path") == "/"
        if root and (point.inputs.get("posixUser") or {}).get("uid") == 0:
            yield from _through_access_point(world, point, point.label, encrypted=True)


#: The words of `on` that are about storage.
STORAGE_TARGETS: Mapping[str, Find] = {
    "static-volumes": _static_volumes,
    "new-volumes": _new_volumes,
    "made-volumes": _made_volumes,
    "new-access-points": _new_access_points,
    "backed-up-file-systems": partial(_backed_up, kind=FILE_SYSTEM),
    "backed-up-volumes": partial(_backed_up, kind=VOLUME),
    "backed-up-databases": partial(_backed_up, kind=DATABASE),
    "backed-up-volumes-snapshots": _volume_snapshots,
    "backed-up-databases-snapshots": _database_snapshots,
    "backed-up-buckets": partial(_backed_up, kind=BUCKET),
    "backed-up-buckets-objects": _backed_up_objects,
    "copied-volumes-snapshots": _copied_snapshots,
    "vaults": _vaults,
    "copy-vaults": _copy_vaults,
    "vault-keys": _vault_keys,
    "snapshotted-volumes": _snapshotted_volumes,
    "snapshotted-volumes-snapshots": _snapshotted_snapshots,
    "mounted-access-points": _mounted,
    "restore-access-points": _restored,
}


_AGENT = "amazon-cloudwatch-observability"


def _none(_: PlanWorld) -> Iterator[CallTarget]:
    yield CallTarget(arn="*")


def _instances(world: PlanWorld) -> Iterator[CallTarget]:
    yield CallTarget(arn=ec2_arn(world, "instance/i-0"), what="the node")


def _interfaces(world: PlanWorld) -> Iterator[CallTarget]:
    yield CallTarget(
        arn=ec2_arn(world, "network-interface/eni-0"), what="the node's network interfaces"
    )


def _repositories(world: PlanWorld) -> Iterator[CallTarget]:
    """Those of EKS's add-ons, which are AWS's, and the stack's own."""
    arn = f"arn:{world.partition}:ecr:{world.region}:{addon_account(world.region)}:repository/eks/coredns"
    yield CallTarget(
        arn=arn, what="images of EKS's add-ons", tags={}, account=addon_account(world.region)
    )
    for repository in world.resources.of(REPOSITORY):
        yield target_of(world, repository)


def _chart_repositories(world: PlanWorld) -> Iterator[CallTarget]:
    for repository in world.resources.of(REPOSITORY):
        if "/charts/" in world.identifier(repository):
            yield target_of(world, repository)


def _chart_registries(world: PlanWorld) -> Iterator[CallTarget]:
    if next(_chart_repositories(world), None) is not None:
        yield CallTarget(arn="*")


def _bucket_objects(world: PlanWorld, name: str, what: str) -> Iterator[CallTarget]:
    arn = f"arn:{world.partition}:s3:::{name.format(region=world.region)}/object"
    yield CallTarget(arn=arn, what=what, tags={}, account="")


def _clusters(world: PlanWorld) -> Iterator[CallTarget]:
    for cluster in world.resources.of(CLUSTER):
        yield target_of(world, cluster)


def _agent_groups(world: PlanWorld) -> Iterator[tuple[str, Resource | None]]:
    """The log groups that the log agent writes to, by the names of its maker, each with the
    resource that makes it.
    """
    for addon in world.resources.of("aws:eks/addon:Addon"):
        if addon.inputs.get("addonName") != _AGENT:
            continue
        text = addon.inputs.get("configurationValues")
        settings = json.loads(str(text)) if text else {}
        kinds: list[str] = []
        if (settings.get("containerLogs") or {}).get("enabled", True):
            kinds += ["application", "dataplane", "host"]
        if (settings.get("containerInsights") or {}).get("enabled", True):
            kinds += ["performance"]
        made = {str(group.inputs.get("name")): group for group in world.resources.of(LOG_GROUP)}
        for kind in kinds:
            name = f"/aws/containerinsights/{world.real(str(addon.inputs['clusterName']))}/{kind}"
            yield name, made.get(name)


def _group_arn(world: PlanWorld, name: str, ending: str) -> str:
    return f"arn:{world.partition}:logs:{world.region}:{ACCOUNT}:log-group:{name}{ending}"


def _agent_logs(world: PlanWorld, ending: str) -> Iterator[CallTarget]:
    for name, group in _agent_groups(world):
        tags = {} if group is None else world.tags(group)
        yield CallTarget(arn=_group_arn(world, name, ending), what=f"log group {name}", tags=tags)


def _agent_groups_not_made(world: PlanWorld) -> Iterator[CallTarget]:
    for name, group in _agent_groups(world):
        if group is None:
            what = f"log group {name}, which the plan does not make"
            yield CallTarget(arn=_group_arn(world, name, ":log-stream:"), what=what, tags={})


def _user_groups(world: PlanWorld) -> Iterator[CallTarget]:
    for group in world.resources.of(GROUP):
        if "jupyterhub-aws:index:NodePools" in group.urn:
            yield target_of(world, group)


def _bundle(world: PlanWorld, ending: str) -> Iterator[CallTarget]:
    for bucket in world.resources.of(BUCKET):
        if "jupyterhub-aws:airgap:" in bucket.urn:
            yield target_of(world, bucket, ending)


def _bundle_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for item in world.resources.of(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ):
        yield from key_targets(world, json.dumps(item.inputs.get("rules")))


def _secrets_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for cluster in world.resources.of(CLUSTER):
        yield from key_targets(world, json.dumps(cluster.inputs.get("encryptionConfig")))


def _flow_logs(world: PlanWorld, ending: str) -> Iterator[CallTarget]:
    for log in world.resources.of("aws:ec2/flowLog:FlowLog"):
        for group in world.resources.referred(log.inputs.get("logDestination"), LOG_GROUP):
            yield replace(target_of(world, group, ending), resource=None)


def _flow_accounts(world: PlanWorld) -> Iterator[CallTarget]:
    for _ in world.resources.of("aws:ec2/flowLog:FlowLog"):
        yield CallTarget(
            arn=_group_arn(world, "", ":log-stream:"), what="the account's log groups", tags={}
        )


def _event_streams(world: PlanWorld) -> Iterator[CallTarget]:
    for target in world.resources.of("aws:cloudwatch/eventTarget:EventTarget"):
        for group in world.resources.referred(target.inputs.get("arn"), LOG_GROUP):
            rules = [
                item
                for item in world.resources.of("aws:cloudwatch/eventRule:EventRule")
                if is_named(world, target.inputs.get("rule"), item)
            ]
            context = {"aws:SourceArn": world.arn(rules[0])} if rules else {}
            yield replace(target_of(world, group, ":log-stream:0"), context=context)


def _alarm_topics(world: PlanWorld) -> Iterator[CallTarget]:
    found: dict[str, CallTarget] = {}
    for alarm in world.resources.of("aws:cloudwatch/metricAlarm:MetricAlarm"):
        source = f"arn:{world.partition}:cloudwatch:{world.region}:{ACCOUNT}:alarm:{alarm.inputs.get('name')}"
        for topic in world.resources.referred(
            json.dumps([alarm.inputs.get("alarmActions"), alarm.inputs.get("okActions")]), TOPIC
        ):
            found.setdefault(
                topic.urn, replace(target_of(world, topic), context={"aws:SourceArn": source})
            )
    yield from found.values()


def _topic_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for topic in _alarm_topics(world):
        if topic.resource is not None:
            for key in key_targets(world, topic.resource.inputs.get("kmsMasterKeyId")):
                yield replace(key, context=topic.context)


def _node_volume_keys(world: PlanWorld) -> Iterator[CallTarget]:
    """Keys of the nodes' volumes, with what a grant of the plan lets Auto Scaling do with each."""
    found: dict[str, Resource] = {}
    for template in world.resources.of("aws:ec2/launchTemplate:LaunchTemplate"):
        for mapping in template.inputs.get("blockDeviceMappings") or ():
            key = (mapping.get("ebs") or {}).get("kmsKeyId")
            if key and "jupyterhub-aws:index:NodePools" in template.urn:
                found.setdefault(str(key), template)
    for name, template in found.items():
        own = next(iter(world.resources.referred(name, KEY)), None)
        granted = tuple(
            f"kms:{operation}".lower()
            for grant in _grants(world, name, own)
            for operation in grant.inputs.get("operations") or ()
        )
        what = f"the key of nodes' volumes ({template.label})"
        if own is None:
            yield CallTarget(arn=name, what=what, granted=granted)
        else:
            yield CallTarget(
                arn=world.arn(own), what=what, tags=world.tags(own), resource=own, granted=granted
            )


def _grants(world: PlanWorld, name: str, own: Resource | None) -> list[Resource]:
    """The grants of a key to the role of EC2 Auto Scaling."""
    role = ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    to_it = [
        item
        for item in world.resources.of("aws:kms/grant:Grant")
        if str(item.inputs.get("granteePrincipal")).endswith(role)
    ]
    return [
        item
        for item in to_it
        if item.inputs.get("keyId") == name
        or (own is not None and is_named(world, item.inputs.get("keyId"), own))
    ]


def _mounted_buckets(world: PlanWorld, ending: str) -> Iterator[CallTarget]:
    """The buckets that servers mount, with the folder that they see."""
    for hub in resolve(world.stack).hubs.values():
        for item in hub.mounted:
            found = [
                resource
                for resource in world.resources.of(BUCKET)
                if resource.inputs.get("bucket") == item.bucket.bucket_name
            ]
            account = item.bucket.other_account or ACCOUNT
            yield CallTarget(
                arn=f"{item.bucket.arn}/{item.options.prefix}{ending}"
                if ending
                else item.bucket.arn,
                what=f"bucket {item.bucket.bucket_name}, mounted by hub {item.names.hub}",
                context={} if ending else {"s3:prefix": item.options.prefix},
                resource=found[0] if found else None,
                account="" if item.bucket.public else account,
            )


#: Every word that `on` may have.
TARGETS: Mapping[str, Find] = {
    **STORAGE_TARGETS,
    "none": _none,
    "instances": _instances,
    "network-interfaces": _interfaces,
    "repositories": _repositories,
    "chart-registries": _chart_registries,
    "chart-repositories": _chart_repositories,
    "image-layers": partial(
        _bucket_objects,
        name="prod-{region}-starport-layer-bucket",
        what="layers of images (ECR's bucket in S3)",
    ),
    "system-packages": partial(
        _bucket_objects,
        name="al2023-repos-{region}-de612dc2",
        what="the system's packages (Amazon Linux's bucket in S3)",
    ),
    "cluster": _clusters,
    "agent-log-groups": partial(_agent_logs, ending=":log-stream:"),
    "agent-log-streams": partial(_agent_logs, ending=":log-stream:0"),
    "agent-log-groups-that-are-not-made": _agent_groups_not_made,
    "user-groups": _user_groups,
    "bundle": partial(_bundle, ending=""),
    "bundle-objects": partial(_bundle, ending="/object"),
    "bundle-keys": _bundle_keys,
    "secrets-keys": _secrets_keys,
    "flow-log-groups": partial(_flow_logs, ending=":log-stream:"),
    "flow-log-streams": partial(_flow_logs, ending=":log-stream:0"),
    "flow-log-accounts": _flow_accounts,
    "event-log-streams": _event_streams,
    "alarm-topics": _alarm_topics,
    "topic-keys": _topic_keys,
    "node-volume-keys": _node_volume_keys,
    "mounted-buckets": partial(_mounted_buckets, ending=""),
    "mounted-buckets-objects": partial(_mounted_buckets, ending="object"),
}
