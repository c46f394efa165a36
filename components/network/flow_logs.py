"""Flow logs: who talked to whom in the VPC, kept in CloudWatch for a bounded time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi_aws import cloudwatch, ec2, iam

from jupyterhub_aws.components.base import Component, named
from jupyterhub_aws.components.iam import document, service_trust
from jupyterhub_aws.config import network as network_config


@dataclass(frozen=True, kw_only=True, eq=False)
class VpcFlowLogsArgs:
    """The section `network.flow_logs`, the VPC that is watched, and the prefix of physical
    names.
    """

    flow_logs: network_config.FlowLogs
    vpc_id: pulumi.Input[str]
    prefix: str
    tags: Mapping[str, str]


def writer_policy(log_group_arn: str) -> str:
    """What the flow log service needs, on this one group (VPC user guide, "IAM role for publishing
    flow logs to CloudWatch Logs").

    Listing groups is asked of the account, never of one group (Service Authorization Reference,
    "DescribeLogGroups").
    """
    return document(
        {
            "Sid": "WriteFlowLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": [f"{log_group_arn}:*"],
        },
        {
            "Sid": "FindLogGroup",
            "Effect": "Allow",
            "Action": ["logs:DescribeLogGroups"],
            "Resource": "*",
        },
    )


class VpcFlowLogs(Component):
    """The log group, the role that writes into it, and the flow log itself."""

    token: ClassVar[str] = "jupyterhub-aws:network:VpcFlowLogs"
    log_group_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: VpcFlowLogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        physical = f"{args.prefix}-flow-logs"
        group = cloudwatch.LogGroup(
            f"{name}-records",
            name=f"/{args.prefix}/vpc/flow-logs",
            retention_in_days=args.flow_logs.retention_days,
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        role = iam.Role(
            f"{name}-role",
            name=physical,
            assume_role_policy=service_trust("vpc-flow-logs.amazonaws.com"),
            tags=named(args.tags, physical),
            opts=self.child(),
        )
        policy = iam.RolePolicy(
            f"{name}-write",
            name="write",
            role=role.name,
            policy=group.arn.apply(writer_policy),
            opts=self.child(),
        )
        ec2.FlowLog(
            f"{name}-log",
            vpc_id=args.vpc_id,
            traffic_type=args.flow_logs.traffic,
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags=named(args.tags, physical),
            opts=self.child(depends_on=[policy]),
        )
        self.log_group_name = group.name
        self.register_outputs({"log_group_name": self.log_group_name})
