"""What a VPC and subnets of somebody else's must have for a cluster, judged on AWS's answers.
Pure. What AWS did not answer (a plan) is not judged.
"""

from __future__ import annotations

from typing import Protocol

from jupyterhub_aws.config.network import ExistingNetworkSection, Subnet

#: A zone's nodes, their pods' /28 prefixes, balancers and endpoints: below this the first node
#: fills the subnet.
_LEAST_ADDRESSES = 250


class VpcAnswer(Protocol):
    """What is asked of getVpc."""

    enable_dns_support: bool | None
    enable_dns_hostnames: bool | None


class SubnetAnswer(Protocol):
    """What is asked of getSubnet."""

    vpc_id: str | None
    availability_zone: str | None
    cidr_block: str | None
    map_public_ip_on_launch: bool | None
    available_ip_address_count: int | None


def vpc_faults(network: ExistingNetworkSection, vpc: VpcAnswer) -> list[str]:
    """What the VPC lacks: each a line with path, fault and remedy."""
    faults = []
    for switch, on in (
        ("enableDnsSupport", vpc.enable_dns_support),
        ("enableDnsHostnames", vpc.enable_dns_hostnames),
    ):
        if on is False:
            fix = (
                f"aws ec2 modify-vpc-attribute --vpc-id {network.vpc_id}"
                f" --{'enable-dns-support' if switch.endswith('Support') else 'enable-dns-hostnames'}"
            )
            faults.append(
                f"network.vpc_id: {switch} is off, so neither endpoints nor the private API would"
                f" resolve; run: {fix}"
            )
    return faults


def subnet_faults(
    network: ExistingNetworkSection, zone: str, subnet: Subnet, answer: SubnetAnswer
) -> list[str]:
    """What one subnet lacks, or where it is not what the stack file says."""
    public = network.public_subnets.get(zone) is subnet
    path = f"network.{'public' if public else 'private'}_subnets.{zone}"
    faults = []
    if answer.vpc_id not in (None, network.vpc_id):
        faults.append(
            f"{path}.id: is in {answer.vpc_id}, not in {network.vpc_id}; name a subnet of that VPC"
        )
    if answer.availability_zone not in (None, zone):
        faults.append(f"{path}: is in {answer.availability_zone}; put it under that zone")
    if answer.cidr_block not in (None, subnet.cidr):
        faults.append(
            f"{path}.cidr: is {answer.cidr_block} (the file says {subnet.cidr}); correct it"
        )
    if answer.map_public_ip_on_launch and not public:
        faults.append(
            f"{path}: gives every node a public address; switch map_public_ip_on_launch off, or"
            " name a private subnet"
        )
    if (
        answer.available_ip_address_count is not None
        and answer.available_ip_address_count < _LEAST_ADDRESSES
        and not public
    ):
        faults.append(
            f"{path}: has {answer.available_ip_address_count} free addresses, and nodes with their"
            f" pods need {_LEAST_ADDRESSES}; name a larger subnet"
        )
    return faults
