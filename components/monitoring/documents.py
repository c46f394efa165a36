"""Who may do what so that a stack is watched: the agent's role, the topic of alarms and its key,
and the log group of events. Pure data.
"""

from __future__ import annotations

from jupyterhub_aws.components.iam import document
from jupyterhub_aws.components.partition import partition_of

_ALARMS = "cloudwatch.amazonaws.com"
_WRITE = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_EVENTS = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]


def agent_policy(region: str, account: str, cluster: str) -> str:
    """What Fluent Bit and the agent need, less than CloudWatchAgentServerPolicy: writing into the
    stack's own groups, and reading of instances.

    No logs:CreateLogGroup: Fluent Bit makes a group only where there is none (fluent-bit,
    plugins/out_cloudwatch_logs), and then one without an end. No cloudwatch:PutMetricData:
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
    """The key of the topic: the account decides, and CloudWatch may encrypt what an alarm says (SNS
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
    """Only alarms of this account speak through the topic; who may subscribe is IAM's business."""
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
