"""What of a plan a call is about: ARN, tags and further conditions of each resource, by the
words of config/data/aws_calls.toml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from jupyterhub_aws.checks.identities.patterns import ACCOUNT
from jupyterhub_aws.checks.identities.storage_targets import STORAGE_TARGETS
from jupyterhub_aws.checks.identities.target import (
    CallTarget,
    Find,
    ec2_arn,
    is_named,
    key_targets,
    target_of,
)
from jupyterhub_aws.checks.identities.world import (
    BUCKET,
    CLUSTER,
    GROUP,
    KEY,
    LOG_GROUP,
    REPOSITORY,
    TOPIC,
    PlanWorld,
)
from jupyterhub_aws.checks.resources import Resource
from jupyterhub_aws.config.endpoints import addon_account

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


def _bucket_objects(name: str, what: str) -> Find:
    def found(world: PlanWorld) -> Iterator[CallTarget]:
        yield CallTarget(
            arn=f"arn:{world.partition}:s3:::{name.format(region=world.region)}/object",
            what=what,
            tags={},
            account="",
        )

    return found


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
        kinds = (
            ["application", "dataplane", "host"]
            if (settings.get("containerLogs") or {}).get("enabled", True)
            else []
        )
        kinds += (
            ["performance"]
            if (settings.get("containerInsights") or {}).get("enabled", True)
            else []
        )
        made = {str(group.inputs.get("name")): group for group in world.resources.of(LOG_GROUP)}
        for kind in kinds:
            name = f"/aws/containerinsights/{world.real(str(addon.inputs['clusterName']))}/{kind}"
            yield name, made.get(name)


def _group_arn(world: PlanWorld, name: str, ending: str) -> str:
    return f"arn:{world.partition}:logs:{world.region}:{ACCOUNT}:log-group:{name}{ending}"


def _agent_logs(ending: str) -> Find:
    def found(world: PlanWorld) -> Iterator[CallTarget]:
        for name, group in _agent_groups(world):
            tags = {} if group is None else world.tags(group)
            yield CallTarget(
                arn=_group_arn(world, name, ending), what=f"log group {name}", tags=tags
            )

    return found


def _agent_groups_not_made(world: PlanWorld) -> Iterator[CallTarget]:
    for name, group in _agent_groups(world):
        if group is None:
            yield CallTarget(
                arn=_group_arn(world, name, ":log-stream:"),
                what=f"log group {name}, which the plan does not make",
                tags={},
            )


def _user_groups(world: PlanWorld) -> Iterator[CallTarget]:
    for group in world.resources.of(GROUP):
        if "jupyterhub-aws:index:NodePools" in group.urn:
            yield target_of(world, group)


def _bundle(ending: str) -> Find:
    def found(world: PlanWorld) -> Iterator[CallTarget]:
        for bucket in world.resources.of(BUCKET):
            if "jupyterhub-aws:airgap:" in bucket.urn:
                yield replace(target_of(world, bucket), arn=world.arn(bucket) + ending)

    return found


def _bundle_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for item in world.resources.of(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ):
        yield from key_targets(world, json.dumps(item.inputs.get("rules")))


def _secrets_keys(world: PlanWorld) -> Iterator[CallTarget]:
    for cluster in world.resources.of(CLUSTER):
        yield from key_targets(world, json.dumps(cluster.inputs.get("encryptionConfig")))


def _flow_logs(ending: str) -> Find:
    def found(world: PlanWorld) -> Iterator[CallTarget]:
        for log in world.resources.of("aws:ec2/flowLog:FlowLog"):
            for group in world.resources.referred(log.inputs.get("logDestination"), LOG_GROUP):
                yield replace(target_of(world, group, ending), resource=None)

    return found


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


#: Every word that `on` may have.
TARGETS: Mapping[str, Find] = {
    **STORAGE_TARGETS,
    "none": _none,
    "instances": _instances,
    "network-interfaces": _interfaces,
    "repositories": _repositories,
    "chart-registries": _chart_registries,
    "chart-repositories": _chart_repositories,
    "image-layers": _bucket_objects(
        "prod-{region}-starport-layer-bucket", "layers of images (ECR's bucket in S3)"
    ),
    "system-packages": _bucket_objects(
        "al2023-repos-{region}-de612dc2", "the system's packages (Amazon Linux's bucket in S3)"
    ),
    "cluster": _clusters,
    "agent-log-groups": _agent_logs(":log-stream:"),
    "agent-log-streams": _agent_logs(":log-stream:0"),
    "agent-log-groups-that-are-not-made": _agent_groups_not_made,
    "user-groups": _user_groups,
    "bundle": _bundle(""),
    "bundle-objects": _bundle("/object"),
    "bundle-keys": _bundle_keys,
    "secrets-keys": _secrets_keys,
    "flow-log-groups": _flow_logs(":log-stream:"),
    "flow-log-streams": _flow_logs(":log-stream:0"),
    "flow-log-accounts": _flow_accounts,
    "event-log-streams": _event_streams,
    "alarm-topics": _alarm_topics,
    "topic-keys": _topic_keys,
    "node-volume-keys": _node_volume_keys,
}
