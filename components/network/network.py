"""The VPC of an open network: private subnets for nodes and pods, public ones for NAT and
balancers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pulumi
from pulumi_aws import cloudwatch, ec2, iam

from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.base import Component, checked, named
from jupyterhub_aws.components.iam import document, service_trust
from jupyterhub_aws.components.network.outputs import NetworkOutputs, network_outputs
from jupyterhub_aws.config import network as network_config
from jupyterhub_aws.config.infrastructure_rules import zones_in_region
from jupyterhub_aws.config.network import FlowLogs, OpenNetworkSection
from jupyterhub_aws.config.specs.network import OpenVpcSpec, OwnVpcSpec, ZoneSubnets, open_vpc_spec

# --- Flow logs: records of connections in the VPC, in CloudWatch with a retention.


@dataclass(frozen=True, kw_only=True, eq=False)
class VpcFlowLogsArgs:
    """The section `network.flow_logs`, the VPC that is recorded, and the prefix of physical
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


# --- What every VPC that is made here has: private subnets for nodes and pods, an emptied default
# security group, flow logs.


class OwnVpc(Component):
    """A VPC over two or three zones, without any egress: what is added to it decides that."""

    def __init__(
        self,
        name: str,
        spec: OwnVpcSpec,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(name, opts)
        self._own, self._stack_tags = spec, tags
        self.vpc = self._vpc()
        #: By the name of their zone.
        self.private_subnets = {
            subnets.zone: self._private_subnet(subnets) for subnets in spec.subnets
        }
        if spec.flow_logs is not None:
            VpcFlowLogs(
                f"{name}-flow-logs",
                VpcFlowLogsArgs(
                    flow_logs=spec.flow_logs, vpc_id=self.vpc.id, prefix=spec.name, tags=tags
                ),
                self.child(),
            )

    def _tags(self, suffix: str) -> dict[str, str]:
        return named(self._stack_tags, f"{self._own.name}-{suffix}")

    def _vpc(self) -> ec2.Vpc:
        # Both DNS switches: private API endpoint, EFS names and private endpoints resolve only with
        # them.
        vpc = ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._own.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=named(self._stack_tags, self._own.name),
            opts=self.child(),
        )
        # Every VPC has a default group whose members may connect to each other; without rules,
        # resources that get it by accident have no access.
        ec2.DefaultSecurityGroup(
            f"{self._name}-default-security-group",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=self._tags("default-unused"),
            opts=self.child(),
        )
        return vpc

    def _private_subnet(self, zone: ZoneSubnets) -> ec2.Subnet:
        subnet = ec2.Subnet(
            f"{self._name}-private-{zone.letter}",
            vpc_id=self.vpc.id,
            availability_zone=zone.zone,
            cidr_block=str(zone.private),
            map_public_ip_on_launch=False,
            tags={**self._tags(f"private-{zone.letter}"), "kubernetes.io/role/internal-elb": "1"},
            opts=self.child(),
        )
        ec2.SubnetCidrReservation(
            f"{self._name}-pods-{zone.letter}",
            subnet_id=subnet.id,
            cidr_block=str(zone.pods),
            reservation_type="prefix",
            description="/28 prefixes for pods",
            opts=self.child(),
        )
        return subnet


_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkArgs:
    """What a network with NAT is made from. The options are those of `network` with `mode: open` in
    docs/reference.md, under the same rules.

    Attributes:
        zones: Two or three availability zones of one region, by their full names.
        cidr: The VPC's range: a private /16 to /20. Each zone gets a quarter for nodes and pods.
        nat: `single`: one NAT gateway; `per_zone`: one in each zone.
        flow_logs: Which connections are recorded, and for how long; None: none.
        without_nat: No NAT gateway while the stack is paused; their addresses are retained.
        physical_name: The prefix of names in AWS; without it the component's resource name. At most
            24 characters.
        tags: Tags of every resource.

    """

    zones: Sequence[str]
    cidr: str = "10.0.0.0/16"
    nat: Literal["single", "per_zone"] = "single"
    flow_logs: FlowLogs | None = None
    without_nat: bool = False
    physical_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def resolved(self, name: str) -> OpenVpcSpec:
        """What follows from the arguments. Raises ArgumentError with every problem."""
        given = Arguments("Network", name)
        physical = given.physical_name(self.physical_name)
        given.tags(self.tags)
        values = {
            "mode": "open",
            "zones": self.zones,
            "cidr": self.cidr,
            "nat": self.nat,
            "flow_logs": self.flow_logs,
        }
        section = given.section(OpenNetworkSection, values)
        given.check_value(bool, self.without_nat, "without_nat")
        region = "" if section is None else given.region("zones[0]", section.zones)
        if section is not None:
            given.add(zones_in_region(region, section, instead="zones[0]"), within="network")
        given.done()
        assert section is not None  # noqa: S101 -- else there was a problem
        return open_vpc_spec(section, name=physical, region=region, without_nat=self.without_nat)


class Network(OwnVpc):
    """A VPC over two or three zones.

    It creates no security group for resources, and empties the default one: components create the
    rules of their own connections. `outputs` is what clusters, homes and hubs take. Raises
    ArgumentError with every problem of the arguments.
    """

    token: ClassVar[str] = "jupyterhub-aws:index:Network"
    outputs: NetworkOutputs

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._spec = spec = checked(Network, name, args, NetworkArgs).resolved(name)
        super().__init__(name, spec, args.tags, opts)
        self.public_subnets = {
            subnets.zone: self._public_subnet(subnets) for subnets in spec.subnets
        }
        public_table = self._public_routes()
        private_tables, ready = self._private_routes()
        self._s3_endpoint([public_table, *private_tables])
        self.outputs = network_outputs(
            spec.network,
            vpc_id=self.vpc.id,
            private_subnets={zone: subnet.id for zone, subnet in self.private_subnets.items()},
            public_subnets={zone: subnet.id for zone, subnet in self.public_subnets.items()},
            ready=ready,
        )
        self.register_outputs(
            {
                "vpc_id": self.vpc.id,
                "private_subnet_ids": self.outputs.private_subnet_ids,
                "public_subnet_ids": self.outputs.public_subnet_ids,
            }
        )

    def _public_subnet(self, zone: ZoneSubnets) -> ec2.Subnet:
        return ec2.Subnet(
            f"{self._name}-public-{zone.letter}",
            vpc_id=self.vpc.id,
            availability_zone=zone.zone,
            cidr_block=str(zone.public),
            # load balancers and NAT have their own addresses; other resources do not belong here
            map_public_ip_on_launch=False,
            tags={**self._tags(f"public-{zone.letter}"), "kubernetes.io/role/elb": "1"},
            opts=self.child(),
        )

    def _public_routes(self) -> ec2.RouteTable:
        self._gateway = ec2.InternetGateway(
            f"{self._name}-internet-gateway",
            vpc_id=self.vpc.id,
            tags=self._tags("internet"),
            opts=self.child(),
        )
        table = ec2.RouteTable(
            f"{self._name}-public", vpc_id=self.vpc.id, tags=self._tags("public"), opts=self.child()
        )
        ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=_ANYWHERE,
            gateway_id=self._gateway.id,
            opts=self.child(),
        )
        for zone, subnet in self.public_subnets.items():
            ec2.RouteTableAssociation(
                f"{self._name}-public-{zone[-1]}",
                route_table_id=table.id,
                subnet_id=subnet.id,
                opts=self.child(),
            )
        return table

    def _private_routes(self) -> tuple[list[ec2.RouteTable], list[pulumi.Resource]]:
        """A route table for each zone, and what has to exist before a node can reach other
        networks.
        """
        addresses = {zone: self._address(zone[-1]) for zone in self._spec.nat_addresses}
        gateways = {
            zone: self._nat(zone, addresses[zone])
            for zone in dict.fromkeys(self._spec.nat_gateways.values())
        }
        tables: list[ec2.RouteTable] = []
        ready: list[pulumi.Resource] = []
        for zone, subnet in self.private_subnets.items():
            name = f"{self._name}-private-{zone[-1]}"
            table = ec2.RouteTable(
                name, vpc_id=self.vpc.id, tags=self._tags(f"private-{zone[-1]}"), opts=self.child()
            )
            if zone in self._spec.nat_gateways:
                nat = gateways[self._spec.nat_gateways[zone]]
                ready.append(
                    ec2.Route(
                        f"{name}-nat",
                        route_table_id=table.id,
                        destination_cidr_block=_ANYWHERE,
                        nat_gateway_id=nat.id,
                        opts=self.child(),
                    )
                )
            ready.append(
                ec2.RouteTableAssociation(
                    name, route_table_id=table.id, subnet_id=subnet.id, opts=self.child()
                )
            )
            tables.append(table)
        return tables, ready

    def _address(self, letter: str) -> ec2.Eip:
        """The address that other servers see of these nodes: it is retained while its gateway is
        removed.
        """
        return ec2.Eip(
            f"{self._name}-nat-{letter}",
            domain="vpc",
            tags=self._tags(f"nat-{letter}"),
            opts=self.child(),
        )

    def _nat(self, zone: str, address: ec2.Eip) -> ec2.NatGateway:
        return ec2.NatGateway(
            f"{self._name}-nat-{zone[-1]}",
            allocation_id=address.id,
            subnet_id=self.public_subnets[zone].id,
            tags=self._tags(f"nat-{zone[-1]}"),
            opts=self.child(
                depends_on=[self._gateway]
            ),  # AWS refuses a NAT gateway in a VPC without an internet gateway
        )

    def _s3_endpoint(self, tables: list[ec2.RouteTable]) -> None:
        # Image layers of ECR come from S3: free by the gateway endpoint, paid by the gigabyte
        # through NAT.
        ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{self._spec.network.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self._tags("s3"),
            opts=self.child(),
        )
