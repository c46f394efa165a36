"""What a scan asks about that stands beside a cluster: its keys, its backups, and what watches it.
All of it by the stack's own names.

Lists that AWS cannot filter (aliases, vaults, plans) are one call for a hundred things or more
each; what is asked for each thing is asked for those of the stack only, of which there is one of a
kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jupyterhub_aws.adopt.ask import Ask, Parameters
from jupyterhub_aws.adopt.live import Live, Thing

#: How a missing thing is called: by most services, and by SNS, whose model and whose wire differ.
_NONE = ("ResourceNotFoundException", "NotFoundException", "NotFound")


def _named(key: str, form: str) -> Callable[[Live, Thing], bool]:
    return lambda live, thing: str(thing.get(key)) == form.format(live.name)


def _alias(live: Live, thing: Thing) -> bool:
    return str(thing["AliasName"]).startswith(f"alias/{live.name}-")


def _partition(live: Live) -> str:
    return str(live.cluster.get("arn", "arn:aws:")).split(":")[1]


def _topic(live: Live) -> Sequence[Parameters]:
    return (
        {"TopicArn": f"arn:{_partition(live)}:sns:{live.region}:{live.account}:{live.name}-alarms"},
    )


def _log_groups(live: Live) -> Sequence[Parameters]:
    prefixes = (
        f"/aws/eks/{live.name}/",
        f"/{live.name}/",
        f"/aws/containerinsights/{live.name}/",
        f"/aws/events/{live.name}-",
    )
    return [{"logGroupNamePrefix": prefix} for prefix in prefixes]


def _filters(live: Live) -> Sequence[Parameters]:
    # CloudWatch Logs API, DescribeMetricFilters: a prefix goes with the name of a group only. These
    # two are those that the program counts in.
    groups = (
        f"/aws/containerinsights/{live.name}/application",
        f"/aws/events/{live.name}-failed-launches",
    )
    return [{"logGroupName": group, "filterNamePrefix": f"{live.name}-"} for group in groups]


def _keys(live: Live) -> Sequence[Parameters]:
    """The keys in use: of secrets, of the vault, of the topic, and those to which an alias of
    the stack's points. Each once.
    """
    used = [
        live.key_arn,
        *(item.get("EncryptionKeyArn") for item in live.of("vaults")),
        *(item.get("KmsMasterKeyId") for item in live.of("topics")),
    ]
    used += [item.get("TargetKeyId") for item in live.of("aliases")]
    own = f"arn:{_partition(live)}:kms:{live.region}:{live.account}:key/"
    return [
        {"KeyId": item} for item in sorted({str(item).removeprefix(own) for item in used if item})
    ]


def _each(topic: str, **parameters: str) -> Callable[[Live], Sequence[Parameters]]:
    """One call for each thing of an earlier topic; `parameters` are the attributes that name it."""
    return lambda live: [
        {key: item[value] for key, value in parameters.items()} for item in live.of(topic)
    ]


FIRST: tuple[Ask, ...] = (
    Ask(topic="aliases", service="kms", operation="list_aliases", key="Aliases", keep=_alias),
    Ask(
        topic="vaults",
        service="backup",
        operation="list_backup_vaults",
        key="BackupVaultList",
        keep=_named("BackupVaultName", "{}-backups"),
    ),
    Ask(
        topic="plans",
        service="backup",
        operation="list_backup_plans",
        key="BackupPlansList",
        keep=_named("BackupPlanName", "{}-backups"),
    ),
    Ask(
        topic="topics",
        service="sns",
        operation="get_topic_attributes",
        key="Attributes",
        calls=_topic,
        absent=_NONE,
    ),
    Ask(
        topic="subscriptions",
        service="sns",
        operation="list_subscriptions_by_topic",
        key="Subscriptions",
        calls=_topic,
        absent=_NONE,
    ),
    Ask(
        topic="alarms",
        service="cloudwatch",
        operation="describe_alarms",
        key="MetricAlarms",
        calls=lambda live: ({"AlarmNamePrefix": f"{live.name}-", "AlarmTypes": ["MetricAlarm"]},),
    ),
    Ask(
        topic="log_groups",
        service="logs",
        operation="describe_log_groups",
        key="logGroups",
        calls=_log_groups,
    ),
    Ask(
        topic="log_filters",
        service="logs",
        operation="describe_metric_filters",
        key="metricFilters",
        calls=_filters,
        absent=_NONE,
    ),
    Ask(
        topic="log_policies",
        service="logs",
        operation="describe_resource_policies",
        key="resourcePolicies",
        keep=_named("policyName", "{}-failed-launches"),
    ),
    Ask(
        topic="event_rules",
        service="events",
        operation="list_rules",
        key="Rules",
        calls=lambda live: ({"NamePrefix": f"{live.name}-failed-launches"},),
    ),
    Ask(
        topic="event_targets",
        service="events",
        operation="list_targets_by_rule",
        key="Targets",
        calls=lambda live: ({"Rule": f"{live.name}-failed-launches"},),
        absent=_NONE,
    ),
)
SECOND: tuple[Ask, ...] = (
    Ask(
        topic="keys",
        service="kms",
        operation="describe_key",
        key="KeyMetadata",
        calls=_keys,
        absent=_NONE,
    ),
    Ask(
        topic="vault_policies",
        service="backup",
        operation="get_backup_vault_access_policy",
        calls=_each("vaults", BackupVaultName="BackupVaultName"),
        absent=_NONE,
    ),
    Ask(
        topic="plan_rules",
        service="backup",
        operation="get_backup_plan",
        calls=_each("plans", BackupPlanId="BackupPlanId"),
        absent=_NONE,
    ),
    Ask(
        topic="selections",
        service="backup",
        operation="list_backup_selections",
        key="BackupSelectionsList",
        calls=_each("plans", BackupPlanId="BackupPlanId"),
        keep=_named("SelectionName", "{}-by-tag"),
    ),
)
THIRD: tuple[Ask, ...] = (
    Ask(
        topic="selected",
        service="backup",
        operation="get_backup_selection",
        calls=_each("selections", BackupPlanId="BackupPlanId", SelectionId="SelectionId"),
        absent=_NONE,
    ),
)
