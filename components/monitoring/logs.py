"""The logs of pods and nodes: groups with an end, the add-on that fills them, and what is counted in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import cloudwatch, eks, iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import pod_identity_trust
from jupyterhub_aws.components.monitoring.agent_values import ADDON, LOG_KINDS, SERVICE_ACCOUNT, agent_configuration, log_group_name
from jupyterhub_aws.components.monitoring.documents import agent_policy
from jupyterhub_aws.components.monitoring.filters import APPLICATION_FILTERS, HUB_DIMENSION, FilterSpec, metric_namespace
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.versions import pin
from jupyterhub_aws.config.watch import CloudWatchWatch

_NEED_PODS = ["addonVersion", "configurationValues"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LogsArgs:
    """`after` is what the add-on's pods need: nodes."""

    stack: StackConfig
    watch: CloudWatchWatch
    account: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


class Logs(Component):
    """Groups come first, by the names that the add-on expects: one that it makes itself would keep everything for ever."""

    token: ClassVar[str] = "jupyterhub-aws:monitoring:Logs"

    def __init__(self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args, stack = name, args, args.stack
        groups = {kind: self._group(kind) for kind in LOG_KINDS}
        for spec in APPLICATION_FILTERS:
            log_filter(self, f"{name}-{spec.metric}", stack.name, groups["application"], spec)
        self._addon([*groups.values()])
        self.register_outputs({"application": groups["application"].name})

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._args.tags, f"{self._args.stack.name}-{suffix}")

    def _group(self, kind: str) -> cloudwatch.LogGroup:
        return cloudwatch.LogGroup(
            f"{self._name}-{kind}",
            name=log_group_name(self._args.stack.name, kind),
            retention_in_days=self._args.watch.log_retention_days,
            tags=self._tags(f"{kind}-logs"),
            opts=self.child(),
        )

    def _addon(self, groups: Sequence[pulumi.Resource]) -> None:
        args, stack = self._args, self._args.stack
        physical, trust = f"{stack.name}-{ADDON}", pod_identity_trust()
        role = iam.Role(f"{self._name}-agent", name=physical, assume_role_policy=trust, tags=named(args.tags, physical), opts=self.child())
        document = pulumi.Output.from_input(args.account).apply(lambda account: agent_policy(stack.region, account, stack.name))
        granted = iam.RolePolicy(f"{self._name}-agent-write", name="write-logs", role=role.name, policy=document, opts=self.child())
        eks.Addon(
            f"{self._name}-agent",
            cluster_name=args.cluster_name,
            addon_name=ADDON,
            addon_version=pin("addon", ADDON, stack.cluster.version).version,
            configuration_values=agent_configuration(container_insights=args.watch.container_insights),
            pod_identity_associations=[{"role_arn": role.arn, "service_account": SERVICE_ACCOUNT}],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=named(args.tags, physical),
            # As with the other add-ons: paused there is no node for its pods, and EKS would wait for them.
            opts=self.child(depends_on=[*groups, granted, *args.after], ignore_changes=_NEED_PODS if stack.paused else None),
        )


def log_filter(parent: Component, name: str, stack: str, group: cloudwatch.LogGroup, spec: FilterSpec) -> None:
    """A metric of the stack made of a group's lines; a child of `parent`. By hub it has a value where there are lines only: AWS takes no default then."""
    cloudwatch.LogMetricFilter(
        name,
        name=f"{stack}-{spec.metric}",
        log_group_name=group.name,
        pattern=spec.pattern,
        metric_transformation=cloudwatch.LogMetricFilterMetricTransformationArgs(
            name=spec.metric,
            namespace=metric_namespace(stack),
            value=spec.value,
            dimensions={HUB_DIMENSION: "$.kubernetes.namespace_name"} if spec.by_hub else None,
            default_value=None if spec.by_hub else "0",
        ),
        opts=parent.child(),
    )
