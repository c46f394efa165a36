"""The logs of pods and nodes: log groups with a retention, the add-on that fills them, and the
metrics made of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_aws import cloudwatch, eks, iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document, partition_of, pod_identity_trust
from jupyterhub_aws.config.specs.monitoring import (
    APPLICATION_FILTERS,
    HUB_DIMENSION,
    LOG_KINDS,
    FilterSpec,
    MonitoringSpec,
)
from jupyterhub_aws.config.versions import pin

# --- Permissions for monitoring: the agent's role, the topic of alarms and its key,
# and the log group of events. Pure data.


_ALARMS = "cloudwatch.amazonaws.com"
_WRITE = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_EVENTS = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]


def agent_policy(region: str, account: str, cluster: str) -> str:
    """What Fluent Bit and the agent need, less than CloudWatchAgentServerPolicy: writing into the
    stack's own groups, and reading of instances.

    No logs:CreateLogGroup: Fluent Bit makes a group only where there is none (fluent-bit,
    plugins/out_cloudwatch_logs), and then one without a retention. No cloudwatch:PutMetricData:
    Container Insights' metrics travel as logs.
    """
    groups = f"arn:{partition_of(region)}:logs:{region}:{account}:log-group:/aws/containerinsights/{cluster}/*"
    return document(
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": list(_WRITE),
            "Resource": [f"{groups}:*"],
        },
        {
            "Sid": "ReadInstances",
            "Effect": "Allow",
            "Action": ["ec2:DescribeTags", "ec2:DescribeVolumes"],
            "Resource": ["*"],
        },
    )


def key_policy(region: str, account: str) -> str:
    """The key of the topic: the account decides, and CloudWatch may encrypt notifications (SNS
    developer guide, "Enable compatibility between event sources from AWS services and encrypted
    topics").
    """
    return document(
        {
            "Sid": "AccountDecides",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition_of(region)}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "AlarmsEncrypt",
            "Effect": "Allow",
            "Principal": {"Service": _ALARMS},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        },
    )


def topic_policy(topic_arn: str, account: str) -> str:
    """Only alarms of this account may publish to the topic; IAM decides who may subscribe."""
    return document(
        {
            "Sid": "AlarmsSpeak",
            "Effect": "Allow",
            "Principal": {"Service": _ALARMS},
            "Action": ["sns:Publish"],
            "Resource": [topic_arn],
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
    )


def events_policy(log_group_arn: str, rule_arn: str) -> str:
    """EventBridge writes what this rule finds into this group (EventBridge user guide, "Amazon
    CloudWatch Logs permissions").
    """
    streams = f"{log_group_arn}:*"
    return document(
        {
            "Sid": "MakeStreams",
            "Effect": "Allow",
            "Principal": {"Service": _EVENTS},
            "Action": ["logs:CreateLogStream"],
            "Resource": [streams],
        },
        {
            "Sid": "WriteEvents",
            "Effect": "Allow",
            "Principal": {"Service": _EVENTS},
            "Action": ["logs:PutLogEvents"],
            "Resource": [streams],
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        },
    )


ADDON = "amazon-cloudwatch-observability"
#: The account under which Fluent Bit and the agent run, in the add-on's own namespace
#: `amazon-cloudwatch`.
SERVICE_ACCOUNT = "cloudwatch-agent"
#: What a node gives to each. The agent's own default, 250m, is a quarter of a core on each node,
#: which is too much for an idle node.
_AGENT = {
    "requests": {"cpu": "20m", "memory": "128Mi"},
    "limits": {"cpu": "500m", "memory": "512Mi"},
}
_FLUENT_BIT = {
    "requests": {"cpu": "50m", "memory": "25Mi"},
    "limits": {"cpu": "500m", "memory": "250Mi"},
}
#: Features that are switched off. Application Signals would inject code into pods; GPUs are
#: counted by the device plugin.
_OFF = (
    "applicationSignals",
    "dcgmExporter",
    "kubeStateMetrics",
    "neuronMonitor",
    "nodeExporter",
    "otelContainerInsights",
)
_NEED_PODS = ["addonVersion", "configurationValues"]


def agent_configuration(*, container_insights: bool) -> str:
    """The add-on's settings as EKS takes them, keys sorted so that the same ones never show as a
    change.

    Its pods tolerate every taint by the chart's own default (`tolerations: [{operator: Exists}]`),
    so that they are on user and GPU nodes too. Keys are those that published configurations of
    versions 6.3 to 6.6 have on live clusters; the schema itself is AWS's (`aws eks
    describe-addon-configuration`).
    """
    values: dict[str, Any] = {
        "agents": [{"name": SERVICE_ACCOUNT, "resources": _AGENT}],
        "containerInsights": {"enabled": container_insights},
        "containerLogs": {"enabled": True, "fluentBit": {"resources": _FLUENT_BIT}},
        "manager": {"applicationSignals": {"autoMonitor": {"monitorAllServices": False}}},
        **{name: {"enabled": False} for name in _OFF},
    }
    return json.dumps(values, sort_keys=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class LogsArgs:
    """`kubernetes` is the cluster's minor version; `depends_on` is what the add-on's pods need:
    nodes.
    """

    spec: MonitoringSpec
    kubernetes: str
    account: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    tags: Mapping[str, str]
    depends_on: Sequence[pulumi.Resource]


class Logs(Component):
    """Log groups are created first, by the names that the add-on expects: one that it creates
    itself would have no retention.
    """

    token: ClassVar[str] = "jupyterhub-aws:monitoring:Logs"

    def __init__(
        self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        groups = {kind: self._group(kind) for kind in LOG_KINDS}
        for filter_ in APPLICATION_FILTERS:
            log_filter(self, f"{name}-{filter_.metric}", args.spec, groups["application"], filter_)
        self._addon([*groups.values()])
        self.register_outputs({"application": groups["application"].name})

    def _group(self, kind: str) -> cloudwatch.LogGroup:
        return cloudwatch.LogGroup(
            f"{self._name}-{kind}",
            name=self._args.spec.log_group(kind),
            retention_in_days=self._args.spec.options.log_retention_days,
            tags=named(self._args.tags, f"{self._args.spec.name}-{kind}-logs"),
            opts=self.child(),
        )

    def _addon(self, groups: Sequence[pulumi.Resource]) -> None:
        args, spec, physical = self._args, self._args.spec, self._args.spec.agent_role_name
        role = iam.Role(
            f"{self._name}-agent",
            name=physical,
            assume_role_policy=pod_identity_trust(),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        document = pulumi.Output.from_input(args.account).apply(
            lambda account: agent_policy(spec.region, account, spec.cluster)
        )
        granted = iam.RolePolicy(
            f"{self._name}-agent-write",
            name="write-logs",
            role=role.name,
            policy=document,
            opts=self.child(),
        )
        eks.Addon(
            f"{self._name}-agent",
            cluster_name=args.cluster_name,
            addon_name=ADDON,
            addon_version=pin("addon", ADDON, args.kubernetes).version,
            configuration_values=agent_configuration(
                container_insights=spec.options.container_insights
            ),
            pod_identity_associations=[{"role_arn": role.arn, "service_account": SERVICE_ACCOUNT}],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=named(args.tags, physical),
            # As with the other add-ons: paused there is no node for its pods, and EKS would wait
            # for them.
            opts=self.child(
                depends_on=[*groups, granted, *args.depends_on],
                ignore_changes=_NEED_PODS if spec.paused else None,
            ),
        )


def log_filter(
    parent: Component,
    name: str,
    spec: MonitoringSpec,
    group: cloudwatch.LogGroup,
    filter_: FilterSpec,
) -> None:
    """A metric made of a group's lines; a child of `parent`. By hub it has a value where there
    are lines only: AWS takes no default then.
    """
    cloudwatch.LogMetricFilter(
        name,
        name=f"{spec.name}-{filter_.metric}",
        log_group_name=group.name,
        pattern=filter_.pattern,
        metric_transformation=cloudwatch.LogMetricFilterMetricTransformationArgs(
            name=filter_.metric,
            namespace=spec.metric_namespace,
            value=filter_.value,
            dimensions={HUB_DIMENSION: "$.kubernetes.namespace_name"} if filter_.by_hub else None,
            default_value=None if filter_.by_hub else "0",
        ),
        opts=parent.child(),
    )
