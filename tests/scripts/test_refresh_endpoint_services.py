"""The list of services that have a VPC endpoint is read from the shape that AWS's CDK has, and
from no other.
"""

from __future__ import annotations

import pytest

from jupyterhub_aws.config.endpoints import endpoint_services
from scripts.refresh_endpoint_services import names

_SHAPE = (
    '_a.A=new InterfaceVpcEndpointAwsService("{0}"),_a.B=new'
    ' InterfaceVpcEndpointAwsService("{0}-port","",9142),_a.C=new'
    ' InterfaceVpcEndpointAwsService("{0}-studio","aws.sagemaker"),_a.D=new'
    ' InterfaceVpcEndpointAwsService("{0}-w","com.amazonaws",void 0,{{global:!0}})'
)


def test_regional_services_of_com_amazonaws_are_taken_and_no_others():
    found = names(
        ";".join(_SHAPE.format(f"x{index}") for index in range(130))
        + ';new GatewayVpcEndpointAwsService("s3")'
    )
    assert (
        len(found) == 261
        and {"s3", "x7", "x7-port"} <= set(found)
        and not {"x7-studio", "x7-w"} & set(found)
    )


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match="only 1 services found"):
        names('new InterfaceVpcEndpointAwsService("ec2")')


def test_the_list_has_what_every_closed_stack_needs():
    assert {
        "ec2",
        "ecr.api",
        "ecr.dkr",
        "eks",
        "eks-auth",
        "s3",
        "sts",
        "ssm",
        "ssmmessages",
        "logs",
        "monitoring",
    } <= endpoint_services()
